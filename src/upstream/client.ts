// The client: one pool per origin, one sweep over all of them.

import type { Clock } from '../common/clock.ts'
import type { ProxyPlan } from '../common/config/plan.ts'
import type { ProxyRules } from '../common/proxies.ts'
import { RefusedCall } from './call.ts'
import { Target } from './connect.ts'
import { SweepTimer } from './deadlines.ts'
import { tooManyPools } from './failures.ts'
import { type OpenConnection, OriginPool, type PoolLimits } from './pools.ts'
import type {
  UpstreamCall,
  UpstreamClient,
  UpstreamHandler,
  UpstreamPoolFacts,
  UpstreamRequest,
} from './upstream.ts'

/** Origins come from configuration; a thousand of them is a mistake or an attack. */
const POOLS_MAX = 1_000

export class PooledClient implements UpstreamClient {
  private readonly limits: PoolLimits
  private readonly openConnection: OpenConnection
  private readonly clock: Clock
  private readonly byOrigin = new Map<string, OriginPool>()
  private readonly timer = new SweepTimer(() => this.sweep())
  private closing = false
  private onClosed: (() => void) | null = null

  private readonly proxies: ProxyRules

  constructor(limits: PoolLimits, openConnection: OpenConnection, proxies: ProxyRules, clock: Clock) {
    this.limits = limits
    this.openConnection = openConnection
    this.proxies = proxies
    this.clock = clock
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    const pool = this.byOrigin.get(request.origin) ?? this.addPool(request.origin)
    if (pool === null) {
      return new RefusedCall(handler, tooManyPools(new Target(request.origin).place, POOLS_MAX))
    }
    this.timer.start()
    return pool.send(request, handler)
  }

  pools(): readonly UpstreamPoolFacts[] {
    return [...this.byOrigin.values()].map(pool => pool.facts())
  }

  close(): Promise<void> {
    this.closing = true
    for (const pool of this.byOrigin.values()) pool.close()
    return new Promise(resolve => {
      const before = this.onClosed
      this.onClosed = () => {
        before?.()
        resolve()
      }
      this.checkClosed()
    })
  }

  private addPool(origin: string): OriginPool | null {
    if (this.byOrigin.size >= POOLS_MAX && !this.dropEmptyPool()) return null
    const pool = new OriginPool(
      new Target(origin, this.proxyFor(origin)),
      this.limits,
      this.openConnection,
      () => this.checkClosed(),
    )
    if (this.closing) pool.close()
    this.byOrigin.set(origin, pool)
    return pool
  }

  /** What is no origin is refused by {@link Target}, in its words. */
  private proxyFor(origin: string): ProxyPlan | null {
    return URL.canParse(origin) ? this.proxies.proxyFor(origin) : null
  }

  private dropEmptyPool(): boolean {
    for (const [origin, pool] of this.byOrigin) {
      if (pool.empty) return this.byOrigin.delete(origin)
    }
    return false
  }

  private checkClosed(): void {
    if (!this.closing) return
    for (const pool of this.byOrigin.values()) {
      if (!pool.empty) return
    }
    this.timer.stop()
    this.onClosed?.()
    this.onClosed = null
  }

  /** True while there is something to watch. */
  private sweep(): boolean {
    const nowMs = this.clock.monotonicMs()
    let alive = false
    for (const pool of this.byOrigin.values()) {
      if (pool.empty) continue
      alive = true
      pool.sweep(nowMs)
    }
    return alive
  }
}

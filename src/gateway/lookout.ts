// Looks at running exchanges now and then, because no timer of their own is worth its cost. Owns one timer per shard,
// which runs only while exchanges do; what there is to see is the exchange's business.

import type { Clock } from '../common/clock.ts'
import type { Roll } from '../common/roll.ts'
import type { Exchange } from './exchange.ts'
import type { PlanView } from './plan-view.ts'

/** Seconds are at stake: a sign of life or the end of an exchange comes at most two looks late. */
const LOOK_MS_MAX = 1_000
/** A shorter interval is somebody's mistake, or a test. */
const LOOK_MS_MIN = 20

export class Lookout {
  private readonly clock: Clock
  private readonly running: Roll<Exchange>
  private lookMs = LOOK_MS_MAX
  private timer: NodeJS.Timeout | null = null

  constructor(clock: Clock, running: Roll<Exchange>) {
    this.clock = clock
    this.running = running
  }

  /** The intervals of another plan count from now on. */
  use(view: PlanView): void {
    const shortestMs = view.keepAliveMsMin ?? Number.POSITIVE_INFINITY
    const lookMs = Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, shortestMs / 4))
    if (lookMs === this.lookMs) return
    this.stop()
    this.lookMs = lookMs
    if (this.running.size > 0) this.start()
  }

  /** Cheap when it runs already. */
  start(): void {
    if (this.timer !== null) return
    this.timer = setInterval(() => this.look(), this.lookMs)
    this.timer.unref()
  }

  private look(): void {
    const nowMs = this.clock.monotonicMs()
    this.running.each(exchange => exchange.guard(() => exchange.look(nowMs)))
    if (this.running.size === 0) this.stop()
  }

  private stop(): void {
    if (this.timer !== null) clearInterval(this.timer)
    this.timer = null
  }
}

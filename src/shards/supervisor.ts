// The supervisor: starts the shards, watches them, starts them anew, moves them from plan to plan together, and ends
// them. Owns the plan in use and its epoch, and the ports; never touches an exchange.

import type { Clock } from '../common/clock.ts'
import type { Plan } from '../common/config/index.ts'
import type { Log, LogLevel, Snapshot } from '../telemetry/index.ts'
import { backOffMs, STABLE_MS } from './back-off.ts'
import { Ledger } from './ledger.ts'
import type { ListenerFacts } from './messages.ts'
import { PortClaims } from './ports.ts'
import { Pulse } from './pulse.ts'
import { type LinkState, type ShardEnd, ShardLink } from './shard-link.ts'
import type { SpawnShard } from './thread.ts'
import { PlanTurn } from './turn.ts'

export interface SupervisorOptions {
  readonly plan: Plan
  readonly shards: number
  readonly acceptor: 'uws' | 'node'
  /** False: shards share ports. */
  readonly exclusive: boolean
  readonly spawn: SpawnShard
  /** What shards decide together; see `ShardStart.shared`. */
  readonly shared: SharedArrayBuffer
  readonly logLevel: LogLevel
  readonly log: Log
  /** Takes lines of the shards; calls `taken` once they are written or dropped. */
  readonly writeLines: (text: string, lines: number, taken: () => void) => void
  readonly clock: Clock
  /** For tests: the pace of the watch. */
  readonly watchEveryMs?: number
}

export type Phase = 'starting' | 'serving' | 'draining' | 'ended'

export interface ShardFacts {
  readonly shard: number
  /** `waiting`: for its next start. `stuck`: its thread can be ended only with the process. */
  readonly state: LinkState | 'waiting' | 'stuck'
  readonly epoch: number
  readonly active: number
  readonly restarts: number
  /** Why it was last started anew, or null. */
  readonly lastEnd: string | null
}

/** How often signs of life are looked for. */
const WATCH_EVERY_MS = 1_000

/** Looks without a sign of life until a shard counts as stuck. Counted, not timed: a suspended machine is no fault. */
const SILENT_LOOKS_MAX = 10

/** A drained shard gets this long beyond the drain to cut, flush and end. */
const DRAIN_MARGIN_MS = 3_000

/** Shards told to end at once get this long. */
const END_MS_MAX = 500

/** One shard's place: the thread that serves it comes and goes. */
class Slot {
  readonly shard: number
  link: ShardLink | null = null
  stuck = false
  restarts = 0
  /** Restarts in a row without a stable life between. */
  failures = 0
  lastEnd: string | null = null
  timer: NodeJS.Timeout | null = null

  constructor(shard: number) {
    this.shard = shard
  }
}

export class Supervisor {
  phase: Phase
  private current: Plan
  private readonly options: SupervisorOptions
  private readonly slots: readonly Slot[]
  private readonly ports: PortClaims
  private readonly ledger: Ledger
  private readonly watch: NodeJS.Timeout
  private changes: Promise<unknown>
  private changeCount: number
  private cut: number
  private readonly turn: PlanTurn
  /** From the last turn until the last shard had left the old plan. */
  private switchedMs: number

  constructor(options: SupervisorOptions) {
    this.options = options
    this.phase = 'starting'
    this.current = options.plan
    this.slots = Array.from({ length: options.shards }, (_, at) => new Slot(at + 1))
    this.ports = new PortClaims()
    this.turn = new PlanTurn()
    this.ledger = new Ledger()
    this.watch = setInterval(() => this.look(), options.watchEveryMs ?? WATCH_EVERY_MS).unref()
    this.changes = Promise.resolve()
    this.changeCount = 0
    this.cut = 0
    this.switchedMs = 0
  }

  /** Resolves when every shard serves. Rejects with the reason after everything was ended again. */
  async start(): Promise<void> {
    try {
      await this.ports.claim(this.current.listeners)
      await Promise.all(this.slots.map(slot => this.open(slot).ready()))
      this.phase = 'serving'
    } catch (error) {
      await this.endNow()
      throw error
    }
  }

  get plan(): Plan {
    return this.current
  }

  get switchMs(): number {
    return this.switchedMs
  }

  /** Where the first serving shard listens: ports of the plan, with 0 replaced. */
  get listeners(): readonly ListenerFacts[] {
    return this.slots.find(slot => slot.link?.state === 'ready')?.link?.listeners ?? []
  }

  facts(): ShardFacts[] {
    return this.slots.map(({ shard, link, stuck, restarts, lastEnd }) => ({
      shard,
      state: stuck ? 'stuck' : (link?.state ?? 'waiting'),
      epoch: link?.epoch ?? 0,
      active: link?.active ?? 0,
      restarts,
      lastEnd,
    }))
  }

  /** Everything the shards have counted since the process began, and what the supervisor counts itself. */
  snapshot(): Promise<Snapshot> {
    return this.ledger.read(this.links(), this.current, this.facts())
  }

  // ── plans ───────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Moves all shards to `plan`: each makes it ready, and when all have, they turn to it at once. Rejects when one
   * cannot; then nothing has changed. Resolves with the plan as it is in use, epoch included.
   */
  usePlan(plan: Plan): Promise<Plan> {
    const change = this.changes.then(() => this.change(plan))
    this.changes = change.catch(() => undefined)
    return change
  }

  private async change(plan: Plan): Promise<Plan> {
    if (this.phase !== 'serving') throw new Error(`the gateway is ${this.phase}`)
    const next = { ...plan, epoch: this.current.epoch + 1 }
    const change = (this.changeCount += 1)
    const links = this.links().filter(link => link.state === 'ready')
    try {
      await this.ports.claim(next.listeners)
      await Promise.all(links.map(link => unlessGone(link, link.prepare(change, next))))
    } catch (error) {
      for (const link of links) link.discard()
      this.ports.keepOnly(this.current.listeners)
      throw error
    }
    this.current = next
    this.turn.turnTo(change)
    const afterMs = await Promise.all(links.map(link => unlessGone(link, link.switchTo(change))))
    this.switchedMs = Math.max(0, ...afterMs.map(ms => ms ?? 0))
    this.ports.keepOnly(next.listeners)
    for (const link of this.links()) if (link.state === 'ready') await this.catchUp(link)
    this.options.log.write('info', 'plan in use', { epoch: next.epoch, hash: next.hash })
    return next
  }

  /** A shard that was born while the plan changed. */
  private async catchUp(link: ShardLink): Promise<void> {
    const plan = this.current
    if (link.epoch === plan.epoch) return
    try {
      const change = (this.changeCount += 1)
      await link.prepare(change, plan)
      // Nobody else has made this change ready.
      this.turn.turnTo(change)
      await link.switchTo(change)
    } catch (error) {
      const fields = { shard: link.shard, error: (error as Error).message }
      this.options.log.write('error', 'a shard could not follow to the new plan and is ended', fields)
      link.endNow()
    }
  }

  // ── the life of shards ──────────────────────────────────────────────────────────────────────────────────

  private open(slot: Slot): ShardLink {
    const { acceptor, exclusive, logLevel, shared, spawn, clock, writeLines } = this.options
    const start = {
      shard: slot.shard,
      plan: this.current,
      acceptor,
      exclusive,
      logLevel,
      pulse: new Pulse().memory,
      turn: this.turn.memory,
      shared,
    }
    slot.link = new ShardLink(
      start,
      spawn,
      { lines: writeLines, ended: (link, end) => this.ended(slot, link, end) },
      clock.monotonicMs(),
    )
    return slot.link
  }

  private ended(slot: Slot, link: ShardLink, end: ShardEnd): void {
    this.ledger.close(link, end)
    slot.link = null
    const { log, clock } = this.options
    if (this.phase !== 'serving') {
      this.cut += end.cut
      // A shard that cannot start tells why through `start`.
      if (end.reason === 'drained' || end.reason === 'told' || end.reason === 'failed') return
    }
    const { reason, message, cut } = end
    slot.lastEnd = message === '' ? reason : `${reason}: ${message}`
    log.write('error', 'shard ended', { shard: slot.shard, reason, error: message, cut })
    if (this.phase !== 'serving') return
    if (clock.monotonicMs() - link.startedMs > STABLE_MS) slot.failures = 0
    const waitMs = backOffMs(slot.failures)
    slot.failures += 1
    slot.restarts += 1
    this.ledger.restarted(reason)
    slot.timer = setTimeout(() => this.restart(slot), waitMs)
  }

  private restart(slot: Slot): void {
    slot.timer = null
    if (this.phase !== 'serving') return
    const link = this.open(slot)
    link.ready().then(
      () => {
        this.options.log.write('info', 'shard started anew', { shard: slot.shard, restarts: slot.restarts })
        // Behind any change that is under way: a shard makes one plan ready at a time.
        this.changes = this.changes.then(() => this.catchUp(link))
      },
      () => {
        // It ended, which `ended` has seen; or it hangs before it ever served.
        if (link.state === 'starting') this.evict(slot, link)
      },
    )
  }

  private look(): void {
    for (const slot of this.slots) {
      const { link, stuck } = slot
      if (link === null || stuck || link.state === 'ended') continue
      if (link.tick() === SILENT_LOOKS_MAX) this.evict(slot, link)
    }
  }

  private evict(slot: Slot, link: ShardLink): void {
    const { log } = this.options
    log.write('error', 'a shard gives no sign of life and is ended', { shard: slot.shard })
    link.evict().catch((error: unknown) => {
      slot.stuck = true
      slot.lastEnd = 'unresponsive: it cannot be ended without the process'
      const fields = { shard: slot.shard, error: (error as Error).message }
      log.write('error', 'a shard is stuck; the process must be started anew', fields)
    })
  }

  // ── the end ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Lets running exchanges finish within the plan's drain time, cuts the rest; resolves with how many were cut. */
  async drain(): Promise<number> {
    this.leave('draining')
    const waitMs = this.current.server.drainMs
    const links = this.links()
    for (const link of links) link.drain(waitMs)
    const inTime = await Promise.all(links.map(link => link.endedWithin(waitMs + DRAIN_MARGIN_MS)))
    if (inTime.includes(false)) await this.endNow()
    this.close()
    return this.cut
  }

  /** Cuts everything; resolves false when a thread still runs after a short while. */
  async endNow(): Promise<boolean> {
    this.leave('draining')
    const links = this.links()
    for (const link of links) link.endNow()
    const inTime = await Promise.all(links.map(link => link.endedWithin(END_MS_MAX)))
    this.close()
    return !inTime.includes(false)
  }

  /** Exchanges cut so far, and those that would be if the process ended now. */
  get cutIfEnded(): number {
    return this.links().reduce((total, link) => total + link.active, this.cut)
  }

  private leave(phase: Phase): void {
    this.phase = phase
    for (const slot of this.slots) if (slot.timer !== null) clearTimeout(slot.timer)
  }

  private close(): void {
    this.phase = 'ended'
    clearInterval(this.watch)
    this.ports.keepOnly([])
  }

  private links(): ShardLink[] {
    return this.slots.flatMap(slot => (slot.link === null ? [] : [slot.link]))
  }
}

/** What a shard that died in between did not answer is no obstacle: its successor starts with the plan in use. */
async function unlessGone<T>(link: ShardLink, asked: Promise<T>): Promise<T | null> {
  try {
    return await asked
  } catch (error) {
    if (link.state !== 'ended' && link.state !== 'ending') throw error
    return null
  }
}

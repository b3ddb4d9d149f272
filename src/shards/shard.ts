// The life of one shard, from its first plan to its last reply: it listens, obeys the control port, drains, and ends
// in an order that never leaves a native server open. Owns that order; what a request becomes is the gateway's.
// Everything it stands on is passed in, so a test runs it in its own thread over a pair of ports.

import { type Clock, systemClock } from '../common/clock.ts'
import type { Plan } from '../common/config/index.ts'
// Not through the door: a shard would load the schema and the YAML reader with it.
import { rewrapSecrets } from '../common/config/secret.ts'
import { unreachable } from '../common/assert.ts'
import { LineQueue, Log, LoopDelay, ShardMetrics } from '../telemetry/index.ts'
import { type ComputeFacts, type PoolFacts, ShardGauges } from './gauges.ts'
import { ListenerSet, type OpenListener } from './listeners.ts'
import type { ControlPort, FromShard, ShardStart, ToShard } from './messages.ts'
import { Pulse } from './pulse.ts'
import { PlanTurn } from './turn.ts'

/** What a shard needs of the gateway, in its own words. */
export interface ShardGateway {
  readonly engine: {
    /** Running exchanges. */
    readonly active: number
    /** Ends them all in the error form of their dialect; returns how many. */
    cut(): number
  }
  /** Makes a plan ready; the step returned puts it to use for later exchanges, and is quick. */
  readyPlan(plan: Plan): () => void
  pools(): readonly PoolFacts[]
  close(): Promise<void>
}

export interface ShardParts<G extends ShardGateway = ShardGateway> {
  readonly start: ShardStart
  readonly port: ControlPort
  /** Called once, with what the gateway reports to. */
  readonly createGateway: (plan: Plan, telemetry: ShardTelemetry) => G
  /** Makes the acceptor of a listener on that gateway; `begin` is called before each exchange. */
  readonly openListener: (gateway: G, begin: () => void) => OpenListener
  readonly compute: { facts(): ComputeFacts; close(): Promise<void> }
  /** Ends the thread. */
  readonly exit: (code: number) => void
  readonly clock?: Clock
}

export interface ShardTelemetry {
  readonly recorder: ShardMetrics
  /** A bug was caught in an exchange. */
  readonly bug: (error: unknown, requestId: string) => void
  readonly log: Log
}

/** How often a draining shard looks whether it is done. */
const DRAIN_POLL_MS = 20

/** After a cut, the last bytes get this long to leave. */
const CUT_FLUSH_MS = 1_000

/** The same for a shard that crashed: its state is unknown, so it is shorter. */
const CRASH_FLUSH_MS = 50

/** Between closing the acceptors and the end of the thread: native handles need a turn of the loop to close. */
const CLOSE_TURN_MS = 10

/** Pools and compute threads that do not close by then end with the thread. */
const CLOSE_WAIT_MS_MAX = 500

/** A plan that the others make ready, too, until all turn to it. */
interface Prepared {
  readonly change: number
  readonly plan: Plan
  /** Null once it has been turned to. */
  put: (() => void) | null
  /** From the turn until `put`. */
  afterMs: number
}

type Phase = 'starting' | 'serving' | 'draining' | 'ending'

export class Shard<G extends ShardGateway = ShardGateway> {
  private readonly parts: ShardParts<G>
  private readonly clock: Clock
  private readonly pulse: Pulse
  private readonly turn: PlanTurn
  private readonly lines: LineQueue
  private readonly log: Log
  private readonly metrics: ShardMetrics
  private readonly gateway: ShardGateway
  private readonly listeners: ListenerSet
  private readonly gauges: ShardGauges
  private readonly delay: LoopDelay
  private phase: Phase
  private prepared: Prepared | null

  constructor(parts: ShardParts<G>) {
    const { start, clock = systemClock } = parts
    const plan = rewrapSecrets(start.plan)
    const shard = String(start.shard)
    this.parts = parts
    this.clock = clock
    this.pulse = new Pulse(start.pulse)
    this.turn = new PlanTurn(start.turn)
    this.lines = new LineQueue(batch => this.post({ kind: 'lines', ...batch }))
    this.log = new Log(start.logLevel, clock, { shard: start.shard }, line => this.lines.add(line))
    this.metrics = new ShardMetrics(this.log)
    this.metrics.useModels(modelLabels(plan))
    const gateway = parts.createGateway(plan, {
      recorder: this.metrics,
      bug: (error, requestId) => this.bug(error, requestId),
      log: this.log,
    })
    this.gateway = gateway
    this.listeners = new ListenerSet(
      parts.openListener(gateway, () => this.follow()),
      start.exclusive,
    )
    this.gauges = new ShardGauges(shard)
    this.delay = new LoopDelay(this.metrics.loopDelays(shard), clock, () =>
      this.pulse.beat(this.gateway.engine.active),
    )
    this.phase = 'starting'
    this.prepared = { change: 0, plan, put: null, afterMs: 0 }
  }

  /** Listens, or tells why not and ends. */
  async run(): Promise<void> {
    this.parts.port.onMessage(message => this.receive(message))
    try {
      await this.listeners.prepare(this.prepared!.plan)
    } catch (error) {
      if (this.ending) return
      this.post({ kind: 'failed', message: (error as Error).message })
      await this.close(1)
      return
    }
    this.prepared = null
    this.listeners.commit()
    this.phase = 'serving'
    this.pulse.beat(0)
    this.post({ kind: 'ready', listeners: this.listeners.facts() })
  }

  /** An error that nobody caught: nothing here can be trusted any more. Neighbours are not affected. */
  crash(thrown: unknown): void {
    if (this.ending) {
      this.listeners.close()
      this.parts.exit(1)
      return
    }
    this.phase = 'ending'
    const { error, stack } = errorFields(thrown)
    this.log.write('error', 'uncaught error in a shard', { error, stack })
    const cut = this.cut()
    this.listeners.stopAccepting()
    this.lines.flush(true)
    this.post({ kind: 'ending', reason: 'crashed', message: error, cut })
    setTimeout(() => void this.close(1), CRASH_FLUSH_MS)
  }

  /**
   * The last thing in a thread that is about to be ended from outside: cuts what runs and closes the acceptors, at
   * once and whatever else is on the stack.
   */
  letGo(): number {
    const cut = this.ending ? 0 : this.cut()
    this.phase = 'ending'
    this.listeners.close()
    return cut
  }

  /** Something beside an exchange failed that goes on by itself. */
  fault(what: string, thrown: unknown): void {
    this.log.write('warn', `${what} failed`, errorFields(thrown))
  }

  private bug(thrown: unknown, requestId: string): void {
    this.log.write('error', 'a bug ended an exchange', { requestId, ...errorFields(thrown) })
  }

  // ── the supervisor's wishes ─────────────────────────────────────────────────────────────────────────────

  private receive(message: ToShard): void {
    switch (message.kind) {
      case 'prepare':
        void this.prepare(message.change, message.plan)
        return
      case 'switch':
        this.switchTo(message.change)
        return
      case 'discard':
        this.prepared = null
        this.listeners.discard()
        return
      case 'snapshot':
        this.post({ kind: 'snapshot', id: message.id, snapshot: this.snapshot() })
        return
      case 'lines-taken':
        this.lines.taken()
        return
      case 'drain':
        void this.drain(message.waitMs)
        return
      case 'end':
        void this.end('told', this.ending ? 0 : this.cut())
        return
      default:
        unreachable(message)
    }
  }

  private async prepare(change: number, received: Plan): Promise<void> {
    const plan = rewrapSecrets(received)
    let error: string | null = null
    try {
      if (this.phase !== 'serving') throw new Error(`the shard is ${this.phase}`)
      await this.listeners.prepare(plan)
      this.prepared = { change, plan, put: this.ready(plan), afterMs: 0 }
    } catch (thrown) {
      error = (thrown as Error).message
    }
    this.post({ kind: 'prepared', change, error })
  }

  private ready(plan: Plan): () => void {
    const labels = modelLabels(plan)
    const put = this.gateway.readyPlan(plan)
    return () => {
      this.metrics.useModels(labels)
      put()
    }
  }

  /** Turns to the prepared plan where the others do: asked before each exchange, so that none is too late. */
  private follow(): void {
    const { prepared } = this
    if (prepared !== null && this.turn.change === prepared.change) this.leaveFor(prepared)
  }

  private leaveFor(prepared: Prepared): void {
    const { put } = prepared
    if (put === null) return
    prepared.put = null
    prepared.afterMs = this.turn.sinceMs
    put()
  }

  private switchTo(change: number): void {
    const { prepared } = this
    if (prepared === null || prepared.change !== change) return
    this.leaveFor(prepared)
    this.prepared = null
    this.listeners.commit()
    const { plan, afterMs } = prepared
    const listeners = this.listeners.facts()
    this.post({ kind: 'switched', change, epoch: plan.epoch, afterMs, listeners })
  }

  private snapshot() {
    return [
      ...this.metrics.snapshot(),
      ...this.gauges.read({
        connections: this.listeners.connections(),
        pools: this.gateway.pools(),
        compute: this.parts.compute.facts(),
        linesDropped: this.lines.dropped,
      }),
    ]
  }

  // ── the end ─────────────────────────────────────────────────────────────────────────────────────────────

  private async drain(waitMs: number): Promise<void> {
    if (this.phase !== 'serving') return
    this.phase = 'draining'
    this.listeners.stopAccepting()
    await this.until(() => this.idle, waitMs)
    const cut = this.cut()
    if (!this.idle) await this.until(() => this.idle, CUT_FLUSH_MS)
    // Whoever has not taken the rest of a reply by now is cut as well.
    const unfinished = Math.max(cut, this.listeners.connectionCount)
    await this.end('drained', unfinished)
  }

  private get ending(): boolean {
    return this.phase === 'ending'
  }

  private get idle(): boolean {
    return this.gateway.engine.active === 0 && this.listeners.connectionCount === 0
  }

  private async end(reason: 'drained' | 'told', cut: number): Promise<void> {
    if (this.ending) return
    this.phase = 'ending'
    this.lines.flush(true)
    this.post({ kind: 'ending', reason, message: '', cut })
    await this.close(0)
  }

  private async close(code: number): Promise<void> {
    this.phase = 'ending'
    this.listeners.close()
    this.delay.stop()
    const closing = Promise.allSettled([this.gateway.close(), this.parts.compute.close()])
    await Promise.race([closing, pause(CLOSE_WAIT_MS_MAX)])
    await pause(CLOSE_TURN_MS)
    this.parts.exit(code)
  }

  /** A cut must not stop the end: a shard that fails while it ends has nothing left to save. */
  private cut(): number {
    try {
      return this.gateway.engine.cut()
    } catch {
      return this.gateway.engine.active
    }
  }

  private async until(done: () => boolean, waitMs: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + waitMs
    while (!done() && this.clock.monotonicMs() < endMs && !this.ending) await pause(DRAIN_POLL_MS)
  }

  private post(message: FromShard): void {
    this.parts.port.post(message)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/**
 * An error for the log. A syntax error quotes what it could not read, which may be a body: its text stays out, and
 * of every stack only the frames are kept.
 */
function errorFields(thrown: unknown): { error: string; stack: string | null } {
  if (!(thrown instanceof Error)) return { error: String(thrown), stack: null }
  const frames = (thrown.stack ?? '').split('\n').filter(line => /^\s+at /.test(line))
  const error = thrown instanceof SyntaxError ? thrown.name : thrown.message
  return { error, stack: frames.length === 0 ? null : frames.join('\n') }
}

function modelLabels(plan: Plan) {
  return plan.providers.map(({ name, provider, model }) => ({
    name,
    provider,
    model: `${provider}/${model}`,
  }))
}

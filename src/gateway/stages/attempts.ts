// Stage 7: the tries of one exchange, one after the other, until one answers or none is left. Owns the order (through
// `Tries`), the pauses and what each failure does to its lane. Every try is prepared anew for its own target: path,
// headers, key and body of one never reach another.

import { GatewayError } from '../../common/errors.ts'
import { lacksCredential } from '../../providers/index.ts'
import type { ExchangeRecord, TryResult } from '../../telemetry/index.ts'
import { Tries, type Try, type TryFailure } from '../../upstream/index.ts'
import type { Exchange } from '../exchange.ts'
import { Attempt, type AttemptOwner, type Prepared } from './attempt.ts'
import { authorized } from './authorize.ts'
import { type Failure, judge, type Judgement, tryResult } from './failure.ts'
import type { GatewayLane, Target } from './route.ts'

/** Makes the call for a target and key; may take a while for large bodies. */
export type Prepare = (exchange: Exchange, lane: GatewayLane) => Prepared | Promise<Prepared>

/** May the request be sent again? `failure` is null while a reply is coming. */
export type Repeatable = (failure: Failure | null) => boolean

/** How long a key rests that was refused, when its upstream does not say. */
const REFUSED_REST_MS = 60_000
/** The same for a key that has used up its limit. */
const LIMITED_REST_MS = 10_000

export class Attempts implements AttemptOwner {
  private readonly exchange: Exchange
  private readonly prepare: Prepare
  private readonly repeatable: Repeatable
  private readonly lanes: readonly (readonly GatewayLane[])[]
  private readonly tries: Tries<GatewayLane>
  private lane: GatewayLane | null = null
  private attempt: Attempt | null = null
  private timer: NodeJS.Timeout | null = null
  /** The repeat that the timer is for. */
  private waiting: Try<GatewayLane> | null = null
  private over = false

  constructor(
    exchange: Exchange,
    targets: readonly Target[],
    prepare: Prepare,
    repeatable: Repeatable = () => true,
  ) {
    this.repeatable = repeatable
    const { random } = exchange.services
    this.exchange = exchange
    this.prepare = prepare
    this.lanes = targets.map(target => exchange.view.target(target).lanes(random))
    this.tries = new Tries(this.lanes, exchange.listener.plan.maxRetries, random)
  }

  start(): void {
    const first = this.tries.next(null)
    if (first === null) throw nobodyLeft(this.lanes)
    this.begin(first)
  }

  /** The newest try that was sent, or null. */
  get launched(): { readonly lane: GatewayLane; readonly prepared: Prepared } | null {
    const { lane, attempt } = this
    return lane === null || attempt === null ? null : { lane, prepared: attempt.prepared }
  }

  get moreLeft(): boolean {
    return this.repeatable(null) && this.tries.moreLeft
  }

  failed(failure: Failure): void {
    const { exchange, attempt, lane } = this
    if (this.over) return
    const judgement = judge(failure)
    this.mark(lane!, judgement)
    this.note(lane!, tryResult(failure, judgement))
    const next = this.repeatable(failure) ? this.tries.next(judgement) : null
    if (next !== null && next.delayMs < exchange.remainingMs()) this.begin(next)
    else {
      if (next !== null) this.tries.giveBack(next)
      this.over = true
      attempt!.show(failure)
    }
  }

  resume(): void {
    this.attempt?.resume()
  }

  abort(): void {
    this.over = true
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    if (this.waiting !== null) this.tries.giveBack(this.waiting)
    this.waiting = null
    this.attempt?.abort()
  }

  /** What may be written now to show that the stream lives, or null. */
  signOfLife(): Uint8Array | null {
    return this.attempt?.signOfLife() ?? null
  }

  breakStream(error: GatewayError): boolean {
    return this.attempt?.breakStream(error) ?? false
  }

  report(record: ExchangeRecord): void {
    this.attempt?.report(record)
  }

  private begin(next: Try<GatewayLane>): void {
    if (next.delayMs < 1) this.run(next.lane)
    else {
      this.waiting = next
      this.timer = setTimeout(() => {
        this.timer = null
        this.waiting = null
        this.exchange.guard(() => this.run(next.lane))
      }, next.delayMs)
    }
  }

  private run(lane: GatewayLane): void {
    const { record } = this.exchange
    this.lane = lane
    record.provider = lane.target.provider.name
    record.modelSent = lane.target.model
    record.modelLabel = lane.target.provider.name
    record.credentialAbsent = lacksCredential(lane.target.provider, this.exchange.request)
    // What the try before has left; none of it is of this one.
    record.losses = 0
    record.upstreamStatus = null
    record.firstContentMs = null
    let prepared: Prepared | Promise<Prepared>
    try {
      prepared = authorized(this.exchange, lane, this.prepare(this.exchange, lane))
    } catch (thrown) {
      lane.cell.abandoned()
      throw thrown
    }
    if (!(prepared instanceof Promise)) this.launch(lane, prepared)
    else {
      prepared.then(
        ready => {
          if (this.over) lane.cell.abandoned()
          else this.exchange.guard(() => this.launch(lane, ready))
        },
        (thrown: unknown) => {
          lane.cell.abandoned()
          if (!this.over) this.exchange.guard(() => this.unprepared(lane, thrown))
        },
      )
    }
  }

  /** A provider that cannot be authorised now must not take those down that can take over. */
  private unprepared(lane: GatewayLane, thrown: unknown): void {
    this.tries.close(lane)
    const elsewhere = thrown instanceof GatewayError && thrown.kind === 'no-credential'
    const next = elsewhere ? this.tries.next(ELSEWHERE) : null
    if (next === null) throw thrown
    this.begin(next)
  }

  private launch(lane: GatewayLane, prepared: Prepared): void {
    const before = this.exchange.record.failedTries?.at(-1)
    if (before !== undefined) before.followed = true
    this.attempt = new Attempt(this.exchange, prepared, lane.cell, this)
    this.attempt.start()
  }

  private note(lane: GatewayLane, result: TryResult): void {
    const { record } = this.exchange
    record.failedTries ??= []
    record.failedTries.push({ provider: lane.target.provider.name, result, followed: false })
  }

  /** A try behind others had only what those left of the time for all. */
  private hadNoTime({ upstreamFault }: Judgement): boolean {
    const { exchange } = this
    return upstreamFault && exchange.record.attempts > 1 && exchange.remainingMs() <= 0
  }

  /** A refused key rests wherever it is used, a limit where it was met. The only one never rests. */
  private rest(lane: GatewayLane, { laneOver, retryAfterMs }: Judgement): void {
    // A caller's own key says nothing about other callers'.
    if (lane.target.provider.passthroughAuth) lane.cell.abandoned()
    else if (laneOver && lane.otherKeys) lane.cell.restKey(retryAfterMs ?? REFUSED_REST_MS)
    else if (!laneOver && lane.otherLanes) lane.cell.rest(retryAfterMs ?? LIMITED_REST_MS)
    else lane.cell.abandoned()
  }

  /** What one host would not have, another will not have either. */
  private closeKey({ key, target }: GatewayLane): void {
    for (const lane of this.lanes.flat()) {
      if (lane.key === key && lane.target.provider.name === target.provider.name) this.tries.close(lane)
    }
  }

  /** What a failure does to the breaker and to the key. */
  private mark(lane: GatewayLane, judgement: Judgement): void {
    if (judgement.ours || this.hadNoTime(judgement)) lane.cell.abandoned()
    else if (judgement.upstreamFault) lane.cell.failed()
    else if (judgement.keyFault) this.rest(lane, judgement)
    // An upstream that finds fault with a request is alive.
    else lane.cell.succeeded()
    if (judgement.laneOver) this.tries.close(lane)
    if (judgement.laneOver && !judgement.ours) {
      this.closeKey(lane)
      this.exchange.services.authorizer.refused(lane.target.provider)
    }
  }
}

/** It could not be authorised; nobody has asked its host. */
const ELSEWHERE: TryFailure = { retry: true, laneOver: true, host: 'none', retryAfterMs: null }

/** A probe is under way, or the wait is over within this: sooner than this nobody should ask again. */
const ASK_AGAIN_MS_MIN = 2_000

function nobodyLeft(lanes: readonly (readonly GatewayLane[])[]): GatewayError {
  const facts = lanes.flat().map(({ cell }) => cell.facts())
  const soonestMs = Math.min(...facts.map(({ waitMs }) => waitMs))
  const why = facts.every(({ restMs }) => restMs > 0)
    ? 'every key configured for this model has been refused or limited by its provider just now and rests'
    : 'every provider configured for this model has failed just now and is given time to recover'
  return new GatewayError('overloaded', why, { retryAfterMs: Math.max(ASK_AGAIN_MS_MIN, soonestMs) })
}

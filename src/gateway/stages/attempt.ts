// Stage 8: one upstream call and its reply. Owns the call, the way the reply takes to the client, and back-pressure
// between the two. An attempt that was aborted is deaf: late events of a dead call change nothing.
//
// The head towards the client waits for the first piece of body, so that an upstream that dies before it has said
// anything still becomes an honest status, and so that head and first piece leave in one write. While another
// candidate could take over, the frames before the first content wait too (the sealed window): the client never sees
// a start that did not become an answer.

import { GatewayError, KINDS } from '../../common/errors.ts'
import { type HeaderList, headerValue } from '../../common/headers.ts'
import { costUsd, formatUsd } from '../../routing/index.ts'
import type { ExchangeRecord, Outcome } from '../../telemetry/index.ts'
import type { ByteSink, DialectId, ErrorReply, ReplyPath } from '../../translate/index.ts'
import type { Breaker, UpstreamCall, UpstreamHandler, UpstreamRequest } from '../../upstream/index.ts'
import type { Exchange } from '../exchange.ts'
import { headersToClient } from '../forward-headers.ts'
import { signOfLife } from '../keep-alive.ts'
import { endedEarly, guessable, partialUsage } from '../metering.ts'
import { errorReply } from '../replies.ts'
import type { Failure } from './failure.ts'
import { FanOut } from './fan-out.ts'
import { UpstreamFault } from './fault.ts'
import type { Target } from './route.ts'

/** How a candidate is called and how its reply is read; made by `prepare.ts`. */
export interface Prepared {
  readonly target: Target
  readonly dialect: DialectId
  readonly request: UpstreamRequest
  /** Further calls, where one is not enough: the reply is then the JSON list of all replies. */
  readonly more?: readonly UpstreamRequest[]
  /** True when the caller wants a stream. */
  readonly streaming: boolean
  /** The bytes that leave are those that arrive, so the upstream's length and type are the reply's. */
  readonly verbatim: boolean
  /** `upstreamStreams` tells whether the upstream's reply is an event stream. */
  openReply(upstreamStreams: boolean, headers: HeaderList, out: ByteSink): ReplyPath
  /** Content type of the client's reply; null leaves the upstream's. */
  readonly contentType: string | null
  /** Reply headers of the gateway's own: losses and the like. */
  readonly extraHeaders: readonly string[]
}

/** Decides what follows a try that failed before the client saw anything of it. */
export interface AttemptOwner {
  /** Another try could follow. */
  readonly moreLeft: boolean
  failed(failure: Failure): void
}

/** Frames held back before content: a start frame and some pings fit many times over. */
const SEALED_BYTES_MAX = 64 * 1024

/** A document whose price is asked for waits for its usage up to this size: replies of models fit, pictures need not. */
const COSTED_BYTES_MAX = 1024 * 1024

export class Attempt implements UpstreamHandler, ByteSink {
  readonly prepared: Prepared
  private readonly exchange: Exchange
  private readonly owner: AttemptOwner
  private readonly cell: Breaker
  private call: UpstreamCall | null = null
  private path: ReplyPath | null = null
  private fault: UpstreamFault | null = null
  private status = 0
  private headers: HeaderList = []
  /** The reply is an event stream towards the client. */
  private streamed = false
  private contentLength: number | null = null
  private paused = false
  /** It began so late that this has been counted against its upstream. */
  private slow = false
  private over = false
  /** What the path wrote while nothing has been sent, or null when it writes to the client. */
  private held: Uint8Array[] | null = null
  private heldBytes = 0

  constructor(exchange: Exchange, prepared: Prepared, cell: Breaker, owner: AttemptOwner) {
    this.exchange = exchange
    this.prepared = prepared
    this.cell = cell
    this.owner = owner
  }

  start(): void {
    const { services, record } = this.exchange
    record.attempts += 1
    record.upstreamDialect = this.prepared.dialect
    record.upstreamStartedMs = services.clock.monotonicMs()
    const { more = NO_MORE, request } = this.prepared
    this.call =
      more.length === 0
        ? services.upstream.send(request, this)
        : new FanOut(services.upstream, [request, ...more], this)
    // Only the stream of a model tells when its answer begins.
    if (!this.prepared.streaming || this.exchange.endpoint.operation !== 'generate') this.call.noteContent?.()
  }

  // ── the upstream's moves ────────────────────────────────────────────────────────────────────────────────

  head(status: number, headers: HeaderList): void {
    if (this.over) return
    this.exchange.record.upstreamStatus = status
    this.status = status
    this.headers = headers
    if (status < 200 || status > 299) {
      this.call?.noteContent?.()
      this.fault = new UpstreamFault(status, headers)
      return
    }
    const broken = unreadable(headers)
    if (broken !== null) {
      this.giveUp({ kind: 'broken', error: broken })
      return
    }
    const streams = isStream(headerValue(headers, 'content-type') ?? '')
    const { verbatim, streaming } = this.prepared
    this.streamed = verbatim ? streaming && streams : streaming
    if (this.streamed) this.noteStart()
    else this.call?.noteContent?.()
    if (verbatim && !this.streamed) this.contentLength = lengthOf(headerValue(headers, 'content-length'))
    this.exchange.guard(() => {
      this.path = this.prepared.openReply(streams, headers, this)
    })
  }

  data(chunk: Uint8Array): void {
    if (this.over) return
    try {
      if (this.fault !== null) this.fault.data(chunk)
      else this.deliver(chunk, this.path!)
    } catch (thrown) {
      this.exchange.fail(thrown)
    }
  }

  end(): void {
    if (this.over) return
    try {
      if (this.fault !== null) this.endFault(this.fault)
      else this.endReply(this.path!)
    } catch (thrown) {
      this.exchange.fail(thrown)
    }
  }

  fail(error: GatewayError): void {
    if (this.over) return
    // A stream that has said how it ended has ended so, whatever became of its connection.
    const state = this.path?.facts.state ?? 'open'
    if (state !== 'open' && this.streamed && (state === 'complete' || this.exchange.headSent)) this.end()
    else if (!this.exchange.headSent) this.giveUp({ kind: 'broken', error })
    else {
      // A long answer that the time for all cuts off is no failure of whoever gives it.
      const cutByUs = error.kind === 'upstream-timeout' && this.exchange.remainingMs() <= 0
      if (!this.slow && !cutByUs) this.cell.failed()
      this.exchange.fail(error)
    }
  }

  // ── towards the client ──────────────────────────────────────────────────────────────────────────────────

  /** Bytes for the client from the reply path. */
  write(bytes: Uint8Array): void {
    if (this.over || bytes.length === 0) return
    const { exchange } = this
    if (this.held !== null) {
      this.held.push(copyOf(bytes))
      this.heldBytes += bytes.length
      return
    }
    if (!exchange.headSent) exchange.sendHead(this.status, this.replyHeaders(), this.contentLength)
    if (!exchange.send(bytes) && !this.paused) {
      this.paused = true
      this.call?.pause()
    }
  }

  /** The client can take bytes again. */
  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.call?.resume()
  }

  /** Gives up the call, wherever it is, for a reason that says nothing about the upstream. */
  abort(): void {
    if (this.over) return
    this.over = true
    this.cell.abandoned()
    this.call?.abort()
  }

  /** Ends a running stream in its error form; false when there is no such form. */
  breakStream(error: GatewayError): boolean {
    if (!this.streamed || this.path === null) return false
    // `abort` made the attempt deaf; the error form is the last thing it says.
    this.over = false
    this.path.cut(errorReply(error, this.exchange.requestId))
    this.over = true
    return true
  }

  /** What may be written now to show that the stream lives, or null: inside an event and behind the end there is nothing. */
  signOfLife(): Uint8Array | null {
    const { held, over, path, streamed } = this
    if (over || !streamed || held !== null || path === null) return null
    return path.facts.state === 'open' && path.betweenEvents ? signOfLife(this.exchange.dialect) : null
  }

  /** Shows the client what became of this, the last try. */
  show(failure: Failure): void {
    const { exchange, prepared } = this
    if (failure.kind === 'broken') exchange.fail(failure.error)
    else if (failure.kind === 'reply') exchange.answerError(failure.error, outcomeOfReply(failure.error))
    else {
      const reply = failure.fault.reply(failure.error, prepared, exchange.dialect, exchange.requestId)
      const headers = headersToClient(reply.headers, exchange.requestId, exchange.view.hash)
      exchange.record.errorKind = failure.error.kind
      exchange.answer(reply.status, headers, reply.body, 'upstream-error')
    }
  }

  /** What this attempt knows, into the exchange's record. */
  report(record: ExchangeRecord): void {
    if (this.path === null) return
    const { state, usage: told } = this.path.facts
    const early = endedEarly(record, state === 'complete')
    const usage = early && guessable(this.exchange) ? partialUsage(record, told, this.streamed) : told
    if (usage === null) return
    record.usage = usage
    record.usagePartial = early
    const { billed, view } = this.exchange
    record.costUsd = costUsd(usage, view.target(billed ?? this.prepared.target).price)
  }

  private deliver(chunk: Uint8Array, path: ReplyPath): void {
    const { exchange } = this
    if (this.held === null && !exchange.headSent) this.held = []
    path.write(chunk)
    const { facts } = path
    if (exchange.record.firstContentMs === null && facts.contentSeen) {
      exchange.record.firstContentMs = exchange.services.clock.monotonicMs()
      this.call?.noteContent?.()
    }
    if (facts.state === 'failed') {
      // What an upstream of the client's dialect says about its own failure goes on to its end untouched.
      if (!this.prepared.verbatim || !exchange.headSent) this.replyFailed(facts.error)
    } else if (this.held !== null && !(this.streamed ? this.sealed(path) : this.whole())) this.release()
  }

  /** A provider whose replies begin late keeps every caller waiting, though none of its calls fails. */
  private noteStart(): void {
    const { record, services, view } = this.exchange
    const { slowStartMs } = view.plan.upstream
    if (slowStartMs === undefined) return
    this.slow = services.clock.monotonicMs() - record.upstreamStartedMs! > slowStartMs
    if (this.slow) this.cell.failed()
  }

  /** Another try could still take over without the client noticing. */
  private sealed(path: ReplyPath): boolean {
    const { contentSeen, state } = path.facts
    return !contentSeen && state !== 'complete' && this.owner.moreLeft && this.heldBytes <= SEALED_BYTES_MAX
  }

  /**
   * The document may be complete already: then its end comes within this turn of the loop, and a broken one still
   * becomes an honest status. Without an announced length only the end of the turn can tell.
   */
  private whole(): boolean {
    if (!this.prepared.verbatim) return true
    if (this.exchange.costAsked && this.heldBytes <= COSTED_BYTES_MAX && isJson(this.headers)) return true
    if (this.contentLength !== null) return this.heldBytes === this.contentLength
    setImmediate(releaseLate, this)
    return true
  }

  releaseHeld(): void {
    if (!this.over && this.held !== null) this.exchange.guard(() => this.release())
  }

  private release(): void {
    const held = this.held ?? []
    this.held = null
    for (const bytes of held) this.write(bytes)
  }

  /** The reply said that it failed, or ended before it was complete; a stream's path has written the error form. */
  private replyFailed(found: ErrorReply | null): void {
    const { exchange } = this
    const error = found ?? incomplete(exchange.requestId)
    if (!exchange.headSent) {
      this.giveUp({ kind: 'reply', error })
      return
    }
    this.over = true
    this.call?.abort()
    if (!this.slow) this.cell.failed()
    exchange.record.errorKind = error.kind
    if (this.streamed) exchange.finish(outcomeOfReply(error))
    else exchange.sever(new GatewayError('upstream-broke', error.message), outcomeOfReply(error))
  }

  private endReply(path: ReplyPath): void {
    const { exchange } = this
    if (!exchange.headSent && this.held === null) this.held = []
    path.end()
    if (path.facts.state === 'complete') this.endComplete()
    else if (this.prepared.verbatim && !this.streamed && path.facts.error === null) this.endComplete()
    else this.replyFailed(path.facts.error)
  }

  private endComplete(): void {
    const { exchange, held } = this
    if (!this.slow) this.cell.succeeded()
    if (held !== null && !this.streamed) {
      this.over = true
      exchange.answer(this.status, this.replyHeaders(), joined(held), 'ok')
      return
    }
    this.release()
    this.over = true
    if (!exchange.headSent) exchange.sendHead(this.status, this.replyHeaders(), this.contentLength ?? 0)
    exchange.finish('ok')
  }

  private endFault(fault: UpstreamFault): void {
    this.giveUp({ kind: 'status', fault, error: fault.read(this.prepared) })
  }

  /** This try is over and the client has seen nothing of it. */
  private giveUp(failure: Failure): void {
    this.over = true
    this.held = null
    // Nothing of it is booked either.
    this.path = null
    this.call?.abort()
    this.owner.failed(failure)
  }

  private replyHeaders(): string[] {
    const { exchange, prepared } = this
    const headers = headersToClient(
      this.headers,
      exchange.requestId,
      exchange.view.hash,
      prepared.contentType,
    )
    for (const field of prepared.extraHeaders) headers.push(field)
    if (exchange.costAsked && this.held !== null && !this.streamed) {
      this.report(exchange.record)
      const { costUsd: cost } = exchange.record
      if (cost !== null) headers.push('x-gateway-cost', formatUsd(cost))
    }
    return headers
  }
}

/** Of lent bytes; small ones share memory, which costs less than an allocation for each. */
function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafe(bytes.length)
  copy.set(bytes)
  return copy
}

const NO_MORE: readonly UpstreamRequest[] = []

function releaseLate(attempt: Attempt): void {
  attempt.releaseHeld()
}

function isStream(contentType: string): boolean {
  return /^(?:text\/event-stream|application\/vnd\.amazon\.eventstream)/i.test(contentType)
}

/** Only a document tells what it cost. */
function isJson(headers: HeaderList): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\b/i.test(headerValue(headers, 'content-type') ?? '')
}

function lengthOf(value: string | null): number | null {
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null
}

/** A coding nobody asked for hides the reply from every reader on its way. */
function unreadable(headers: HeaderList): GatewayError | null {
  const coding = headerValue(headers, 'content-encoding')
  if (coding === null || coding === '' || coding.toLowerCase() === 'identity') return null
  return new GatewayError(
    'upstream-protocol',
    'the upstream compressed its reply although it was asked not to',
  )
}

function incomplete(requestId: string): ErrorReply {
  const error = new GatewayError('upstream-broke', 'the upstream ended its reply before it was complete')
  return errorReply(error, requestId)
}

function outcomeOfReply(error: ErrorReply): Outcome {
  return error.kind === KINDS['upstream-broke'].wire ? 'upstream-broke' : 'upstream-error'
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}

// One client request and its reply. Owns the order of things: read, route, attempt, reply, settle; the steps
// themselves are in `stages/`. Also the place where every failure ends: `fail` answers in the caller's dialect
// when nothing was sent, in the stream's error form when a stream runs, and breaks the connection otherwise.

import { asGatewayError, GatewayError } from '../common/errors.ts'
import type { ProviderPlan } from '../common/config/index.ts'
import { headerValue } from '../common/headers.ts'
import { type Member, NOWHERE } from '../common/roll.ts'
import { ExchangeRecord, type Outcome } from '../telemetry/index.ts'
import type { DialectId, ErrorReply, InlineImage, RequestScan } from '../translate/index.ts'
import type { Deadlines } from '../upstream/index.ts'
import { decodeBody, isIdentity } from './body-encoding.ts'
import type { BodyMode, ClientRequest, ReplySink, RequestSink } from './edge.ts'
import type { Endpoint } from './endpoints.ts'
import type { ListenerView, PlanView } from './plan-view.ts'
import { errorBytes, wireBytes } from './replies.ts'
import type { Services } from './services.ts'
import type { Attempts } from './stages/attempts.ts'
import type { Target } from './stages/route.ts'

/** What becomes of an exchange's body: one of the operations in `pipeline.ts`. */
export type Operate = (exchange: Exchange) => void

/** Takes a body that is not collected but passed on as it comes. */
export interface Upload {
  /** True when bytes of the body have left that nobody holds any more. */
  readonly given: boolean
  /** False asks for a pause; `ReplySink.resumeBody` ends it. */
  take(bytes: Uint8Array): boolean
  end(): void
}

/** Told when an exchange starts and ends, so that a drain knows what is still running. */
export interface ExchangeRegister {
  add(exchange: Exchange): void
  remove(exchange: Exchange): void
}

type Phase = 'reading' | 'working' | 'replying' | 'done'

export class Exchange implements RequestSink, Member {
  readonly bodyMode: BodyMode
  readonly bodyBytesMax: number
  readonly services: Services
  readonly view: PlanView
  readonly listener: ListenerView
  readonly request: ClientRequest
  readonly reply: ReplySink
  readonly endpoint: Endpoint
  /** The client's dialect. */
  readonly dialect: DialectId
  /** Model id captured from the path, or null. */
  readonly pathModel: string | null
  readonly requestId: string
  /** The caller wants to be told the price (`x-gateway-cost: true`). */
  readonly costAsked: boolean
  readonly record: ExchangeRecord
  /** Request body, decoded; set before the pipeline runs. */
  bytes: Uint8Array
  scan: RequestScan | null
  attempts: Attempts | null
  /** Pictures fetched for this prompt; null while none were asked for. */
  images: Promise<readonly InlineImage[]> | null
  /** Whose price is paid, where the model's name came after its body was on its way; null for the attempt's own. */
  billed: Target | null
  /** For a body that comes piece by piece; null for one that is collected. */
  readonly upload: Upload | null
  /** Among the running ones; see `Roll`. */
  place = NOWHERE
  /** What had been sent when it was last looked at, and since when nothing more has been. */
  private sentSeen: number
  private quietSinceMs: number
  private phase: Phase
  private readonly register: ExchangeRegister
  private readonly operate: Operate

  constructor(parts: ExchangeParts) {
    this.services = parts.services
    this.view = parts.view
    this.listener = parts.view.listener(parts.request.listener)
    this.request = parts.request
    this.reply = parts.reply
    this.endpoint = parts.endpoint
    this.dialect = parts.dialect
    this.pathModel = parts.pathModel
    this.requestId = parts.requestId
    this.costAsked = headerValue(parts.request.headers, 'x-gateway-cost') === 'true'
    const { openUpload, view } = parts
    const streamed = openUpload !== null
    this.bodyMode = streamed ? 'chunks' : 'whole'
    this.bodyBytesMax = streamed ? UPLOAD_BYTES_MAX : view.plan.server.bodyBytesMax
    this.record = new ExchangeRecord(
      parts.requestId,
      parts.request.listener,
      parts.endpoint.pattern,
      parts.request.method,
      parts.services.clock.monotonicMs(),
    )
    this.record.clientDialect = parts.dialect
    this.bytes = EMPTY
    this.scan = null
    this.attempts = null
    this.billed = null
    this.sentSeen = -1
    this.quietSinceMs = 0
    this.images = null
    this.phase = 'reading'
    this.register = parts.register
    this.operate = parts.operate
    this.upload = openUpload === null ? null : openUpload(this)
    this.services.recorder.begin(parts.endpoint.pattern)
    this.register.add(this)
  }

  /** True once the status line has been handed to the acceptor. */
  get headSent(): boolean {
    return this.phase === 'replying' || this.phase === 'done'
  }

  get done(): boolean {
    return this.phase === 'done'
  }

  // ── the client's moves ──────────────────────────────────────────────────────────────────────────────────

  body(bytes: Uint8Array): void {
    if (this.phase !== 'reading') return
    this.phase = 'working'
    this.record.bytesIn = bytes.length
    const encoding = headerValue(this.request.headers, 'content-encoding')
    if (isIdentity(encoding)) {
      this.run(bytes)
      return
    }
    decodeBody(encoding!, bytes, this.bodyBytesMax, result => {
      if (this.phase !== 'working') return
      if (result instanceof GatewayError) this.fail(result)
      else this.run(result)
    })
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.phase === 'done') return true
    if (this.phase === 'reading') this.phase = 'working'
    this.record.bytesIn += bytes.length
    try {
      return this.upload!.take(bytes)
    } catch (thrown) {
      this.fail(thrown)
      return true
    }
  }

  bodyEnd(): void {
    if (this.phase !== 'done') this.guard(() => this.upload!.end())
  }

  bodyFailed(error: GatewayError): void {
    this.fail(error)
  }

  drained(): void {
    this.attempts?.resume()
  }

  gone(): void {
    if (this.phase === 'done') return
    this.attempts?.abort()
    this.settle('client-closed')
  }

  // ── the exchange's own moves ────────────────────────────────────────────────────────────────────────────

  /** Runs `step` so that whatever it throws ends this exchange and nothing else. */
  guard(step: () => void): void {
    try {
      step()
    } catch (thrown) {
      this.fail(thrown)
    }
  }

  sendHead(status: number, headers: readonly string[], bodyBytes: number | null): void {
    this.phase = 'replying'
    this.record.status = status
    this.reply.head(status, headers, bodyBytes)
  }

  /** Returns false when the client is slow; then `drained` will come. */
  send(bytes: Uint8Array): boolean {
    if (this.phase === 'done') return true
    this.noteSent(bytes.length)
    return this.reply.write(bytes)
  }

  /** Ends a reply whose head and body have been sent. */
  finish(outcome: Outcome): void {
    if (this.phase === 'done') return
    this.reply.end()
    this.settle(outcome)
  }

  /** Answers with a whole reply. */
  answer(status: number, headers: readonly string[], body: Uint8Array, outcome: Outcome): void {
    if (this.phase === 'done') return
    this.record.status = status
    this.noteSent(body.length)
    this.reply.whole(status, headers, body)
    this.settle(outcome)
  }

  /** Ends the exchange for a reason: an error of ours, or whatever was thrown. */
  fail(thrown: unknown, outcome: Outcome | null = null): void {
    if (this.phase === 'done') return
    const error = asGatewayError(thrown)
    if (error.kind === 'internal') this.services.bug(error.cause ?? error, this.requestId)
    this.record.errorKind = error.kind
    const { attempts } = this
    const ending = outcome ?? outcomeOf(error, attempts !== null)
    attempts?.abort()
    if (this.phase !== 'replying') {
      const reply = errorBytes(error, this.dialect, this.requestId)
      this.answer(reply.status, reply.headers, reply.body, ending)
      return
    }
    if (attempts?.breakStream(error) === true) this.finish(ending)
    else {
      this.reply.abort(error)
      this.settle(ending)
    }
  }

  /** Answers with an error that is in its neutral form already. Only before anything was sent. */
  answerError(error: ErrorReply, outcome: Outcome): void {
    this.record.errorKind = error.kind
    const reply = wireBytes(error, this.dialect, this.requestId)
    this.answer(reply.status, reply.headers, reply.body, outcome)
  }

  /** Time-outs of the next call of this provider; every try gets only what is left of the whole. */
  deadlinesFor(provider: ProviderPlan): Deadlines {
    const { deadlines } = this.listener
    const remainingMs = this.remainingMs()
    const fresh = this.listener.plan.timeoutMs - remainingMs < SPENT_MS_MIN
    if (fresh && this.record.attempts === 0 && provider.waits === undefined) return deadlines
    return { ...deadlines, ...provider.waits, totalMs: Math.max(1, remainingMs) }
  }

  /** Milliseconds until the listener's time for the whole exchange is over. */
  remainingMs(): number {
    return this.listener.plan.timeoutMs - (this.services.clock.monotonicMs() - this.record.startedMs)
  }

  /**
   * Looked at now and then while it runs: its time for the whole may be over where no call to an upstream watches it
   * (in a body that drips, a token that does not come), and whoever waits for a silent stream is shown that it lives.
   */
  look(nowMs: number): void {
    const { keepAliveMs, plan } = this.listener
    if (nowMs - this.record.startedMs > plan.timeoutMs + OVERDUE_MS) {
      const kind = this.phase === 'reading' ? 'request-timeout' : 'upstream-timeout'
      this.fail(new GatewayError(kind, `the exchange was not over within ${plan.timeoutMs} ms`))
      return
    }
    if (this.phase !== 'replying' || keepAliveMs === 0) return
    const { bytesOut } = this.record
    if (bytesOut !== this.sentSeen) {
      this.sentSeen = bytesOut
      this.quietSinceMs = nowMs
      return
    }
    if (nowMs - this.quietSinceMs < keepAliveMs) return
    const sign = this.reply.pendingBytes === 0 ? this.attempts?.signOfLife() : null
    if (sign === null || sign === undefined) return
    this.quietSinceMs = nowMs
    // Not `send`: it is neither content nor counted.
    this.reply.write(sign)
  }

  /** Breaks the connection: the reply cannot be completed and has no error form. */
  sever(error: GatewayError, outcome: Outcome): void {
    if (this.phase === 'done') return
    this.record.errorKind = error.kind
    this.reply.abort(error)
    this.settle(outcome)
  }

  private run(bytes: Uint8Array): void {
    this.bytes = bytes
    try {
      this.operate(this)
    } catch (thrown) {
      this.fail(thrown)
    }
  }

  private noteSent(bytes: number): void {
    if (this.record.firstByteMs === null) this.record.firstByteMs = this.services.clock.monotonicMs()
    this.record.bytesOut += bytes
  }

  private settle(outcome: Outcome): void {
    this.phase = 'done'
    this.record.outcome = outcome
    this.record.endedMs = this.services.clock.monotonicMs()
    this.attempts?.report(this.record)
    this.register.remove(this)
    this.services.recorder.settle(this.record)
    // A settled exchange may be held by its connection for a while; what it carried need not be.
    this.bytes = EMPTY
    this.scan = null
  }
}

export interface ExchangeParts {
  readonly services: Services
  readonly view: PlanView
  readonly request: ClientRequest
  readonly reply: ReplySink
  readonly endpoint: Endpoint
  readonly dialect: DialectId
  readonly pathModel: string | null
  readonly requestId: string
  readonly register: ExchangeRegister
  readonly operate: Operate
  /** Null: the body is collected. */
  readonly openUpload: ((exchange: Exchange) => Upload) | null
}

/** Time that has passed before the first call without being worth a set of deadlines of its own. */
const SPENT_MS_MIN = 50

/** A call to an upstream finds the end of its time by itself and says more; this late something else waits. */
const OVERDUE_MS = 1_000

/** What streams through is not held, so it may be larger than what is: the largest file that a vendor takes. */
const UPLOAD_BYTES_MAX = 512 * 1024 * 1024

const EMPTY = new Uint8Array(0)

function outcomeOf(error: GatewayError, attempted: boolean): Outcome {
  switch (error.kind) {
    case 'upstream-timeout':
      return 'timeout'
    case 'upstream-connect':
      return 'upstream-unreachable'
    case 'upstream-broke':
    case 'upstream-protocol':
      return 'upstream-broke'
    case 'internal':
      return 'internal'
    case 'draining':
      return 'cut'
    default:
      return attempted ? 'upstream-error' : 'refused'
  }
}

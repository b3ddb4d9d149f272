// Stages 7 and 8: one upstream call and its reply. Owns the call, the way the reply takes to the client, and
// back-pressure between the two. An attempt that was aborted is deaf: late events of a dead call change nothing.
//
// The head towards the client waits for the first piece of body, so that an upstream that dies before it has
// said anything still becomes an honest status, and so that head and first piece leave in one write.

import { GatewayError, KINDS } from '../../common/errors.ts'
import { type HeaderList, headerValue } from '../../common/headers.ts'
import type { ExchangeRecord, Outcome } from '../../telemetry/index.ts'
import type { ByteSink, DialectId, ErrorReply, ReplyPath } from '../../translate/index.ts'
import type { UpstreamCall, UpstreamHandler, UpstreamRequest } from '../../upstream/index.ts'
import type { Exchange } from '../exchange.ts'
import { headersToClient } from '../forward-headers.ts'
import { errorReply } from '../replies.ts'
import { UpstreamFault } from './fault.ts'
import type { Candidate } from './route.ts'

/** How a candidate is called and how its reply is read; made by `prepare.ts`. */
export interface Prepared {
  readonly candidate: Candidate
  readonly dialect: DialectId
  readonly request: UpstreamRequest
  /** True when the caller wants a stream. */
  readonly streaming: boolean
  /** The bytes that leave are those that arrive, so the upstream's length and type are the reply's. */
  readonly verbatim: boolean
  openReply(streaming: boolean, headers: HeaderList, out: ByteSink): ReplyPath
  /** Reply headers of the gateway's own: losses and the like. */
  readonly extraHeaders: readonly string[]
}

export class Attempt implements UpstreamHandler, ByteSink {
  private readonly exchange: Exchange
  private readonly prepared: Prepared
  private call: UpstreamCall | null = null
  private path: ReplyPath | null = null
  private fault: UpstreamFault | null = null
  private status = 0
  private headers: HeaderList = []
  /** The reply is an event stream towards the client. */
  private streamed = false
  private contentLength: number | null = null
  private paused = false
  private over = false
  /** What the path writes at its end while nothing has been sent: an error form there becomes a status instead. */
  private last: Uint8Array[] | null = null

  constructor(exchange: Exchange, prepared: Prepared) {
    this.exchange = exchange
    this.prepared = prepared
  }

  start(): void {
    const { services, record } = this.exchange
    record.attempts += 1
    record.upstreamDialect = this.prepared.dialect
    record.upstreamStartedMs = services.clock.monotonicMs()
    this.call = services.upstream.send(this.prepared.request, this)
  }

  // ── the upstream's moves ────────────────────────────────────────────────────────────────────────────────

  head(status: number, headers: HeaderList): void {
    if (this.over) return
    this.exchange.record.upstreamStatus = status
    this.status = status
    this.headers = headers
    if (status < 200 || status > 299) {
      this.fault = new UpstreamFault(status, headers)
      return
    }
    const type = headerValue(headers, 'content-type') ?? ''
    this.streamed = this.prepared.streaming && isStream(type)
    if (this.prepared.verbatim && !this.streamed) {
      this.contentLength = lengthOf(headerValue(headers, 'content-length'))
    }
    this.exchange.guard(() => {
      this.path = this.prepared.openReply(this.streamed, headers, this)
    })
  }

  data(chunk: Uint8Array): void {
    if (this.over) return
    try {
      if (this.fault !== null) this.fault.data(chunk)
      else this.path!.write(chunk)
      this.noteContent()
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
    // A stream that said it was complete is complete, however its connection ended.
    if (this.path?.facts.state === 'complete' && this.streamed) {
      this.end()
      return
    }
    this.exchange.fail(error)
  }

  // ── towards the client ──────────────────────────────────────────────────────────────────────────────────

  /** Bytes for the client from the reply path. */
  write(bytes: Uint8Array): void {
    if (this.over || bytes.length === 0) return
    const { exchange } = this
    if (this.last !== null) {
      this.last.push(bytes.slice())
      return
    }
    if (!exchange.headSent) {
      if (bytes.length === this.contentLength) {
        this.answerWhole(bytes)
        return
      }
      exchange.sendHead(this.status, this.replyHeaders(), this.contentLength)
    }
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

  /** Gives up the call, wherever it is. */
  abort(): void {
    if (this.over) return
    this.over = true
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

  /** What this attempt knows, into the exchange's record. */
  report(record: ExchangeRecord): void {
    if (this.path !== null) record.usage = this.path.facts.usage
  }

  private answerWhole(bytes: Uint8Array): void {
    // The bytes are lent until return, so they leave now; the end of the reply only settles the exchange.
    this.exchange.sendHead(this.status, this.replyHeaders(), bytes.length)
    this.exchange.send(bytes)
  }

  private noteContent(): void {
    const { record, services } = this.exchange
    if (record.firstContentMs === null && this.path?.facts.contentSeen === true) {
      record.firstContentMs = services.clock.monotonicMs()
    }
  }

  private endReply(path: ReplyPath): void {
    const { exchange } = this
    this.last = exchange.headSent ? null : []
    path.end()
    const { last } = this
    const { facts } = path
    this.last = null
    if (facts.state === 'complete') {
      this.endComplete(last)
      return
    }
    this.over = true
    const error = brokenReply(facts.error)
    if (!exchange.headSent) exchange.fail(error, outcomeOfReply(facts.error))
    else if (this.streamed) {
      exchange.record.errorKind = error.kind
      exchange.finish(outcomeOfReply(facts.error))
    } else if (this.prepared.verbatim) exchange.finish('upstream-error')
    else exchange.sever(error, outcomeOfReply(facts.error))
  }

  private endComplete(last: readonly Uint8Array[] | null): void {
    const { exchange } = this
    if (last !== null && last.length === 1 && !this.streamed) {
      this.over = true
      exchange.answer(this.status, this.replyHeaders(), last[0]!, 'ok')
      return
    }
    for (const bytes of last ?? []) this.write(bytes)
    this.over = true
    if (!exchange.headSent) exchange.sendHead(this.status, this.replyHeaders(), this.contentLength ?? 0)
    exchange.finish('ok')
  }

  private endFault(fault: UpstreamFault): void {
    this.over = true
    const { exchange, prepared } = this
    const reply = fault.reply(prepared, exchange.dialect, exchange.requestId)
    const headers = headersToClient(reply.headers, exchange.requestId, exchange.view.hash)
    exchange.answer(reply.status, headers, reply.body, 'upstream-error')
  }

  private replyHeaders(): string[] {
    const headers = headersToClient(this.headers, this.exchange.requestId, this.exchange.view.hash)
    for (const field of this.prepared.extraHeaders) headers.push(field)
    return headers
  }
}

function isStream(contentType: string): boolean {
  return /^(?:text\/event-stream|application\/vnd\.amazon\.eventstream)/i.test(contentType)
}

function lengthOf(value: string | null): number | null {
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null
}

/** Why a reply that ended by its HTTP framing is not a complete one. */
function brokenReply(error: ErrorReply | null): GatewayError {
  return new GatewayError(
    'upstream-broke',
    error?.message ?? 'the upstream ended its reply before it was complete',
  )
}

function outcomeOfReply(error: ErrorReply | null): Outcome {
  return error === null || error.kind === KINDS['upstream-broke'].wire ? 'upstream-broke' : 'upstream-error'
}

// A call on an HTTP/2 stream. To the pool this is a connection that carries one call at a time; beneath, it is a place on
// a session that others share, so giving a call up resets its stream and touches nobody else.
//
// The library ends a stream that was reset without an error code as if it were complete. What tells the two apart is
// the order: a stream that ends by its own last frame ends before it is closed.

import type { ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import type { HeaderList } from '../common/headers.ts'
import type { Call } from './call.ts'
import { Connection } from './connection.ts'
import { neverProcessed, streamReset, unwritable } from './failures.ts'
import { isStreamed, wireFields } from './http1-request.ts'
import { StreamBody } from './http2-body.ts'
import type { SharedSession } from './http2-sessions.ts'
import type { GatewayError } from '../common/errors.ts'

/** Error codes of RFC 9113, by number. */
const RESET_CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const
const REFUSED_STREAM = RESET_CODES.indexOf('REFUSED_STREAM')
const CANCEL = RESET_CODES.indexOf('CANCEL')

export class Http2Lane extends Connection {
  /** The session it has a place on; another as long as it waits. */
  shared: SharedSession | null = null
  private stream: ClientHttp2Stream | null = null
  private body: StreamBody | null = null
  headRead = false
  bodyBytes = 0

  // ── for the session ─────────────────────────────────────────────────────────────────────────────────────

  /** There is a session, and room on it. */
  attached(): void {
    if (this.shared?.state === 'live') this.connected()
  }

  /** There will be none. */
  refused(error: GatewayError): void {
    if (this.state !== 'connecting') return
    this.close()
    this.pool.attemptFailed(this, error)
  }

  /** The session is gone. Its streams say so themselves; what is left then never became one. */
  sessionLost(error: unknown): void {
    this.lastError ??= error
    setImmediate(() => {
      const { call, stream } = this
      if (call !== null && stream !== null) this.streamClosed(call, stream)
    })
  }

  // ── for the pool ────────────────────────────────────────────────────────────────────────────────────────

  /** A call that is given up leaves its place to the next one. */
  override destroy(): void {
    const { shared } = this
    if (this.state !== 'busy' || shared?.state !== 'live') {
      super.destroy()
      return
    }
    if (this.cancel()) shared.countReset()
    this.detach()
    if (shared.state === 'live') this.becomeIdle()
    else super.destroy()
  }

  override close(): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.cancel()
    this.detach()
    this.shared?.remove(this)
    this.shared = null
  }

  override sweep(nowMs: number): void {
    this.shared?.sweep(nowMs)
    super.sweep(nowMs)
  }

  pauseReading(): void {
    this.stream?.pause()
  }

  resumeReading(): void {
    this.stream?.resume()
  }

  protected progress(): { readonly headRead: boolean; readonly bodyBytes: number } {
    return this
  }

  protected override waitsForBody(): boolean {
    return this.body?.starved === true
  }

  /** Pieces that leave say so themselves. */
  protected override sentBytes(): number | null {
    return null
  }

  // ── the request ─────────────────────────────────────────────────────────────────────────────────────────

  protected write(call: Call): void {
    const { shared } = this
    const { body } = call.request
    this.headRead = false
    this.bodyBytes = 0
    this.body = null
    this.lastError = null
    // The session was at rest: it may be dead without our knowing.
    this.rested = shared !== null && shared.served > 0 && shared.onlyFor(this)
    const empty = body === null || (!isStreamed(body) && body.length === 0)
    let stream: ClientHttp2Stream | null = null
    try {
      stream = shared?.session?.request(this.fields(call), empty) ?? null
    } catch (error) {
      // What HTTP/1.1 carries and HTTP/2 does not, such as two values of a field that may have one.
      const failure = unwritable(this.pool.target.place, error)
      setImmediate(() => {
        if (this.call === call) this.fail(call, failure)
      })
      return
    }
    this.stream = stream
    if (stream === null) {
      // It has just said goodbye. Nothing is called before `send` has returned.
      setImmediate(() => {
        if (this.call !== call) return
        shared?.drain()
        this.neverTaken(call)
      })
      return
    }
    this.listen(call, stream)
    if (!empty) this.body = new StreamBody(body, stream, call)
  }

  private fields({ request }: Call): OutgoingHttpHeaders {
    const { body, headers, method, path } = request
    const { target } = this.pool
    const fields: OutgoingHttpHeaders = Object.create(null) as OutgoingHttpHeaders
    fields[':method'] = method
    fields[':scheme'] = 'https'
    fields[':authority'] = target.hostName
    fields[':path'] = path
    const list = wireFields(headers)
    for (let at = 0; at < list.length; at += 2) {
      const name = list[at]!
      const value = list[at + 1]!
      const before = fields[name]
      if (name === 'host') fields[':authority'] = value
      else if (before === undefined) fields[name] = value
      else fields[name] = Array.isArray(before) ? [...before, value] : [String(before), value]
    }
    const bytes = body === null ? null : isStreamed(body) ? body.bytes : body.length
    if (bytes !== null) fields['content-length'] = String(bytes)
    else if (body === null && method !== 'GET' && method !== 'HEAD') fields['content-length'] = '0'
    return fields
  }

  // ── the reply ───────────────────────────────────────────────────────────────────────────────────────────

  private listen(call: Call, stream: ClientHttp2Stream): void {
    let complete = false
    const { push } = stream
    stream.push = (chunk, encoding) => {
      if (chunk === null && !stream.closed) complete = true
      return push.call(stream, chunk, encoding)
    }
    stream.on('headers', () => {
      // An interim reply.
      call.touched = true
    })
    const onResponse = (fields: Fields, _flags: number, raw?: readonly string[]): void => {
      if (this.stream !== stream) return
      call.answered = true
      this.headRead = true
      this.noteLife()
      this.gotHead(call, Number(fields[':status']), raw === undefined ? grouped(fields) : listed(raw))
      if (this.stream !== stream) return
      // Not before: a piece that came with the head would be told before the head.
      stream.on('data', (piece: Buffer) => {
        if (this.stream !== stream) return
        this.bodyBytes += piece.length
        this.noteLife()
        if (piece.length > 0) this.gotData(call, new Uint8Array(piece.buffer, piece.byteOffset, piece.length))
      })
      stream.on('end', () => {
        if (this.stream === stream && complete) this.ended(call, stream)
      })
    }
    stream.on('response', onResponse)
    stream.on('error', error => {
      if (this.stream === stream) this.lastError ??= error
    })
    stream.on('close', () => this.streamClosed(call, stream))
  }

  private noteLife(): void {
    const session = this.shared?.session
    if (session != null) session.touched = true
  }

  private ended(call: Call, stream: ClientHttp2Stream): void {
    this.stream = null
    // An answer that did not wait for the whole request: the rest of it has no receiver.
    if (!stream.writableFinished) drop(stream)
    const { shared } = this
    if (shared !== null) shared.served += 1
    this.gotEnd(call, shared?.state === 'live')
  }

  private streamClosed(call: Call, stream: ClientHttp2Stream): void {
    if (this.stream !== stream || this.call !== call) return
    const code = stream.rstCode ?? CANCEL
    const gone = this.shared === null || this.shared.state === 'closed' || this.shared.session?.gone === true
    const untaken = gone && this.shared?.session?.took(stream.id) === false
    // Streams hear of it before the session does; nobody may be given a place on it in between.
    if (gone) this.shared?.lost(this.lastError)
    if ((code === REFUSED_STREAM || untaken) && !call.answered) this.neverTaken(call)
    else if (gone) {
      this.stream = null
      this.socketEnded()
    } else {
      const name = RESET_CODES[code] ?? String(code)
      this.fail(call, streamReset(this.pool.target.place, this.headRead, this.bodyBytes, name))
    }
  }

  /** The other side says that it has not begun: safe to send again, but not for ever. */
  private neverTaken(call: Call): void {
    if (call.resent || isStreamed(call.request.body)) {
      this.fail(call, neverProcessed(this.pool.target.place))
      return
    }
    this.stream = null
    this.detach()
    // Its next place may be on the same session, which ends with the last lane.
    this.pool.resend(this, call)
    this.close()
  }

  /** True when there was something to reset. */
  private cancel(): boolean {
    const { stream } = this
    this.stream = null
    this.body = null
    if (stream === null || stream.closed) return false
    drop(stream)
    return true
  }
}

/** Resets a stream; what it has read and nobody wants is let go of too. */
function drop(stream: ClientHttp2Stream): void {
  stream.close(CANCEL)
  stream.destroy()
}

type Fields = Readonly<Record<string, unknown>>

/** In the order in which they came, as the library hands them over beside the record that it documents. */
function listed(raw: readonly string[]): HeaderList {
  const list: string[] = []
  for (let at = 0; at < raw.length; at += 2) {
    if (!raw[at]!.startsWith(':')) list.push(raw[at]!, raw[at + 1]!)
  }
  return list
}

/** From the record alone. */
function grouped(fields: Fields): HeaderList {
  const list: string[] = []
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith(':')) continue
    for (const one of Array.isArray(value) ? value : [value]) list.push(name, String(one))
  }
  return list
}

// The same connection with undici's parser and writer inside: a second opinion on HTTP/1.1, and the fallback.
//
// One undici Client per socket instead of an undici Pool. In a Pool a request waits where it cannot be withdrawn:
// when its turn comes, a caller that has left costs a working connection. Here calls wait in our queue, and a
// Client sees a request only when its socket is ready for it.

import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import type { Client, Dispatcher } from 'undici'
import type { HeaderList } from '../common/headers.ts'
import type { Call } from './call.ts'
import type { Connector } from './connect.ts'
import { Connection } from './connection.ts'
import { isStreamed, wireFields } from './http1-request.ts'
import type { OriginPool } from './pools.ts'
import { credentialsPair } from './tunnel.ts'
import type { BodySink, BodySource } from './upstream.ts'

/** Loaded with the first connection: it costs every shard 15 MB and a good part of its start, and is rarely used. */
const load = (): typeof import('undici') => createRequire(import.meta.url)('undici')

/** Idle time is the pool's business; undici's own must never come first. */
const NEVER_MS = 24 * 60 * 60 * 1_000

export class UndiciConnection extends Connection {
  private readonly client: Client
  private handler: CallHandler | null = null
  /** The body of the current call, when it comes piece by piece. */
  private body: BodyStream | null = null
  headRead = false
  bodyBytes = 0

  constructor(pool: OriginPool, connector: Connector, headerBytesMax: number) {
    super(pool)
    connector.open(pool.target, null, this)
    this.client = new (load().Client)(pool.target.origin, {
      // The socket is open by the time undici asks. It asks again only when this one has died.
      // The answer waits for a microtask because undici ignores one that comes inside its own call.
      connect: (_options, callback) => {
        queueMicrotask(() => {
          if (this.state === 'closed') callback(new Error('the connection is closed'), null)
          else callback(null, this.socket)
        })
      },
      pipelining: 1,
      maxHeaderSize: headerBytesMax,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: NEVER_MS,
      keepAliveMaxTimeout: NEVER_MS,
    })
  }

  protected write(call: Call): void {
    const { request } = call
    this.headRead = false
    this.bodyBytes = 0
    this.handler = new CallHandler(this, call)
    const { body } = request
    const { target } = this.pool
    const headers = wireFields(request.headers)
    if (target.pathPrefix !== '' && target.proxy !== null) {
      headers.push(...credentialsPair(target.proxy.credentials))
    }
    this.body = isStreamed(body) ? new BodyStream(body, call) : null
    if (isStreamed(body) && body.bytes !== null) headers.push('content-length', String(body.bytes))
    this.client.dispatch(
      {
        path: target.pathPrefix + request.path,
        method: request.method as Dispatcher.HttpMethod,
        headers,
        // undici would take the memory behind an empty view for a body.
        body: isStreamed(body) ? this.body : body === null || body.length === 0 ? null : body,
      },
      this.handler,
    )
  }

  override close(): void {
    const wasOpen = this.state !== 'closed'
    super.close()
    if (wasOpen) void this.client.destroy().catch(() => {})
  }

  pauseReading(): void {
    this.handler?.pause()
  }

  resumeReading(): void {
    this.handler?.resume()
  }

  protected override waitsForBody(): boolean {
    return this.body?.starved === true && this.socket.writableLength === 0
  }

  protected progress(): { readonly headRead: boolean; readonly bodyBytes: number } {
    return this
  }

  protected override unsoundness(error: unknown): string | null {
    const { code, message, name } = error as { code?: unknown; message?: unknown; name?: unknown }
    // Its parser names only some of its errors; the message is one of a fixed set, without the reply's bytes.
    if (name === 'HTTPParserError') return String(message)
    if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'its header block is too large'
    // Also said of a connection that ended too early, and that is no question of soundness.
    if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' && !this.socket.readableEnded) {
      return 'its content-length does not hold'
    }
    // Thrown for a reply that nobody asked for or that cannot be one.
    return code === 'UND_ERR_SOCKET' && message === 'bad response' ? 'it is no reply to this request' : null
  }

  protected override orderlyClose(error: unknown): boolean {
    return (error as { code?: unknown } | null)?.code === 'UND_ERR_SOCKET'
  }

  // ── for the handler ─────────────────────────────────────────────────────────────────────────────────────

  head(call: Call, status: number, headers: HeaderList): void {
    if (this.call !== call) return
    this.headRead = true
    this.gotHead(call, status, headers)
  }

  data(call: Call, piece: Uint8Array): void {
    if (this.call !== call) return
    this.bodyBytes += piece.length
    this.gotData(call, piece)
  }

  /** undici destroys the socket right after this when it may not be used again: so look a microtask later. */
  end(call: Call): void {
    if (this.call !== call) return
    this.handler = null
    this.leaveCall(call)
    queueMicrotask(() => {
      if (this.state === 'closed') return
      if (this.socket.destroyed || this.socket.writableLength > 0) this.destroy()
      else this.becomeIdle()
    })
    call.handler.end()
  }

  error(call: Call, error: unknown): void {
    if (this.call !== call) return
    this.lastError ??= error
    this.socketEnded()
  }
}

/** A body that comes piece by piece, in the form undici takes. */
class BodyStream extends Readable implements BodySink {
  private readonly source: BodySource
  private readonly call: Call
  private complete = false

  constructor(source: BodySource, call: Call) {
    super()
    this.source = source
    this.call = call
    this.on('error', () => {})
  }

  /** undici destroys it together with a call that failed; the call has been told by then. */
  override _read(): void {
    setImmediate(() => {
      if (!this.over) this.source.ready(this)
    })
  }

  get starved(): boolean {
    return !this.complete && this.readableLength === 0
  }

  write(piece: Uint8Array): boolean {
    if (this.over || piece.length === 0) return true
    this.call.touched = true
    return this.push(piece)
  }

  end(): void {
    if (this.over) return
    this.complete = true
    this.push(null)
  }

  private get over(): boolean {
    return this.complete || this.destroyed || this.call.phase === 'over'
  }
}

/** Whoever keeps a piece takes a `slice` of it, which of a Buffer would be no copy. */
function plain(chunk: Buffer): Uint8Array {
  return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
}

/** What undici calls for one request. */
class CallHandler implements Dispatcher.DispatchHandler {
  private readonly connection: UndiciConnection
  private readonly call: Call
  private controller: Dispatcher.DispatchController | null = null
  /** The one piece that undici had read already when it was told to pause. */
  private held: Buffer | null = null

  constructor(connection: UndiciConnection, call: Call) {
    this.connection = connection
    this.call = call
  }

  pause(): void {
    this.controller?.pause()
  }

  /** undici continues inside `resume`; a turn later nobody is in the middle of something. */
  resume(): void {
    setImmediate(() => {
      if (this.call.paused) return
      const { held } = this
      this.held = null
      if (held !== null) this.connection.data(this.call, plain(held))
      if (!this.call.paused) this.controller?.resume()
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.call.paused) controller.pause()
  }

  onResponseStarted(): void {
    this.call.answered = true
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) {
      this.call.touched = true
      return
    }
    const raw = controller.rawHeaders as readonly (Buffer | string)[]
    const headers = raw.map((text, at) => {
      const field = typeof text === 'string' ? text : text.toString('latin1')
      return at % 2 === 0 ? field.toLowerCase() : field
    })
    this.connection.head(this.call, status, headers)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.call.paused) {
      this.held = this.held === null ? Buffer.from(chunk) : Buffer.concat([this.held, chunk])
      controller.pause()
      return
    }
    this.connection.data(this.call, plain(chunk))
    if (this.call.paused) controller.pause()
  }

  onResponseEnd(): void {
    this.connection.end(this.call)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.connection.error(this.call, error)
  }
}

// The hand-written HTTP/1.1 connection: one socket, one call at a time, no stream machinery in the way of bytes.
//
// Two tricks. Reads of all sockets of a thread land in one buffer that is lent to the handler and never allocated
// again, so an idle stream costs no buffer. And a request leaves in one write, put together in one scratch buffer
// that is replaced only when the kernel did not take it at once.

import type { Socket } from 'node:net'
import type { HeaderList } from '../common/headers.ts'
import type { Call } from './call.ts'
import type { Connector, Stage } from './connect.ts'
import { Connection } from './connection.ts'
import { RequestBody } from './http1-body.ts'
import { ReplyParser } from './http1-reply.ts'
import { isStreamed } from './http1-request.ts'
import type { OriginPool } from './pools.ts'

/** What one read can take; the kernel seldom has more for us. */
const READ_BYTES = 64 * 1024

/** Requests up to this size are copied together and written at once; beyond it the copy costs more than it saves. */
const ONE_WRITE_BYTES_MAX = 32 * 1024

/** A server that says `timeout=5` may close at 5.000 s; we let go this much earlier. */
const KEEP_ALIVE_MARGIN_MS = 1_000

const sharedReads = Buffer.allocUnsafeSlow(READ_BYTES)
let scratch = Buffer.allocUnsafeSlow(ONE_WRITE_BYTES_MAX)

/** Windows hands a buffer to the kernel ahead of the bytes, so there each socket needs its own. */
function readBuffer(): Buffer {
  return process.platform === 'win32' ? Buffer.allocUnsafeSlow(READ_BYTES) : sharedReads
}

export class Http1Connection extends Connection {
  private readonly parser: ReplyParser
  private readonly secure: boolean
  /** Its socket cannot read into a buffer of ours: the end of a tunnel, or one that was opened for either protocol. */
  private readonly streams: boolean
  /** The body of the current call, when it comes piece by piece. */
  private body: RequestBody | null = null

  /** `opened`: a socket that is there already and can carry a request. */
  constructor(pool: OriginPool, connector: Connector, headerBytesMax: number, opened: Socket | null = null) {
    super(pool)
    this.streams = opened !== null || (pool.target.proxy !== null && pool.target.secure)
    this.parser = new ReplyParser(this, headerBytesMax)
    this.secure = pool.target.secure
    const onread = {
      buffer: readBuffer(),
      callback: (length: number, bytes: Uint8Array): boolean => this.read(bytes as Buffer, length),
    }
    if (opened === null) connector.open(pool.target, onread, this)
    else {
      this.take(opened, 'upstream')
      queueMicrotask(() => this.ready())
    }
  }

  override take(socket: Socket, stage: Stage): void {
    super.take(socket, stage)
    const { proxy, secure } = this.pool.target
    if (stage === 'proxy' && proxy !== null && secure) return
    socket.on('end', () => this.readEnd())
    socket.on('drain', () => this.body?.drained())
    if (this.streams) socket.on('data', chunk => this.read(chunk, chunk.length))
  }

  protected write(call: Call): void {
    const { request, head } = call
    const { body } = request
    const { socket } = this
    this.parser.reset(request.method === 'HEAD')
    if (isStreamed(body)) {
      this.body = new RequestBody(body, socket, call)
      this.body.begin(head)
      return
    }
    const bodyBytes = body === null ? 0 : body.length
    if (head.length + bodyBytes <= ONE_WRITE_BYTES_MAX) this.writeTogether(head, body, bodyBytes)
    else {
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(body!)
      socket.uncork()
    }
  }

  private writeTogether(head: string, body: Uint8Array | null, bodyBytes: number): void {
    const { socket } = this
    const bytes = head.length + bodyBytes
    // TLS keeps what it has not encrypted yet, so its requests get memory of their own.
    const target = this.secure ? Buffer.allocUnsafe(bytes) : scratch
    target.write(head, 0, 'latin1')
    if (body !== null) target.set(body, head.length)
    socket.write(this.secure ? target : target.subarray(0, bytes))
    // The kernel did not take all of it: the rest stays where it is until it does.
    if (!this.secure && socket.writableLength > 0) scratch = Buffer.allocUnsafeSlow(ONE_WRITE_BYTES_MAX)
  }

  override close(): void {
    this.parser.stop()
    super.close()
  }

  pauseReading(): void {
    this.socket.pause()
  }

  resumeReading(): void {
    this.socket.resume()
  }

  protected override waitsForBody(): boolean {
    return this.body?.starved === true
  }

  protected progress(): { readonly headRead: boolean; readonly bodyBytes: number } {
    return this.parser
  }

  // ── the socket ──────────────────────────────────────────────────────────────────────────────────────────

  private read(bytes: Buffer, length: number): boolean {
    const { call, parser } = this
    if (this.state === 'closed') return false
    if (call === null) {
      // Nobody asked: whatever this is, it is not the reply to the next request.
      this.destroy()
      return false
    }
    call.answered = true
    const result = parser.push(bytes, length)
    // The handler may have given up in the middle.
    if (this.call !== call || result === 'more') return true
    if (result === 'broken') this.gotUnsound(call, parser.problem)
    else {
      this.keepMs = parser.keepAliveMs === -1 ? -1 : Math.max(0, parser.keepAliveMs - KEEP_ALIVE_MARGIN_MS)
      const { body } = this
      this.body = null
      const sent = this.socket.writableLength === 0 && (body === null || body.ended)
      this.gotEnd(call, parser.keepAlive && parser.surplus === 0 && sent)
    }
    return true
  }

  /** The upstream will send no more. */
  private readEnd(): void {
    const { call } = this
    if (call !== null && this.parser.finish() === 'done') this.gotEnd(call, false)
    else this.socketEnded()
  }

  // ── the reply ───────────────────────────────────────────────────────────────────────────────────────────

  /** For the parser. */
  head(status: number, headers: HeaderList): void {
    this.gotHead(this.call!, status, headers)
  }

  /** For the parser. */
  data(piece: Uint8Array): void {
    this.gotData(this.call!, piece)
  }
}

// One request and its reply on node:http. Owns the order of calls towards Node and towards the engine.
// The trick, where the rest of a body is still coming and the connection is to be closed: a reply of known length
// is complete for the client before Node is told of its end, and only that makes Node close. Called "held" below.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { assert } from '../common/assert.ts'
import type { GatewayError } from '../common/errors.ts'
import type { HeaderList } from '../common/headers.ts'
import { NOWHERE } from '../common/roll.ts'
import type { ClientRequest, Engine, ReplySink, RequestSink } from '../gateway/index.ts'
import { BodyIntake } from './body.ts'
import { DROP_BYTES_MAX, LINGER_MS_MAX } from './bounds.ts'
import { bodyTooLarge, bodyTooSlow, type Framing } from './checks.ts'
import { plainAddress } from './remote-address.ts'
import { isBodiless, ownFieldsRemoved } from './reply-head.ts'
import type { Sweep, Waiting } from './sweep.ts'

/** What an exchange needs of its acceptor. */
export interface NodeHost {
  readonly listener: string
  readonly sweep: Sweep
  readonly bodyWaitMsMax: number
  readonly replyPendingBytesMax: number
  readonly stallMsMax: number
  readonly draining: boolean
}

/** What an exchange needs of its connection. */
export interface NodeLine {
  /** Nothing is served after the exchange at hand. */
  readonly doomed: boolean
  /** The exchange is over; the next request may begin. */
  over(): void
}

const EMPTY = new Uint8Array(0)

export class NodeExchange implements ClientRequest, ReplySink, Waiting {
  readonly method: string
  readonly target: string
  readonly headers: HeaderList
  readonly listener: string
  readonly contentLength: number | null
  private readonly host: NodeHost
  private readonly line: NodeLine
  private readonly req: IncomingMessage
  private readonly res: ServerResponse
  private readonly http10: boolean
  private readonly expectContinue: boolean
  private announceClose: boolean
  private sink: RequestSink | null = null
  private intake: BodyIntake | null = null
  private takenBytes = 0
  private bodyDone: boolean
  private bodyBroken = false
  private bodyPaused = false
  /** The engine has given its whole reply, or was told that the client is gone. */
  private told = false
  private status = 0
  /** Fields of the reply without the acceptor's own; null while the engine has not given them. */
  private replyFields: string[] | null = null
  private replyBytes: number | null = null
  private owedBytes = 0
  private bare = false
  private headSent = false
  private held = false
  private closing = false
  private drainPromised = false
  private waiting = false
  /** Raised by progress, lowered by the sweep. */
  private touched = true
  private sinceMs = 0
  /** In the sweep; see `Roll`. */
  place = NOWHERE
  private lastPendingBytes = 0

  constructor(
    host: NodeHost,
    line: NodeLine,
    req: IncomingMessage,
    res: ServerResponse,
    headers: HeaderList,
    framing: Framing,
  ) {
    this.host = host
    this.line = line
    this.req = req
    this.res = res
    this.method = req.method ?? ''
    this.target = req.url ?? ''
    this.headers = headers
    this.listener = host.listener
    this.contentLength = framing.contentLength
    this.expectContinue = framing.expectContinue
    this.announceClose = framing.close
    this.http10 = req.httpVersionMinor === 0
    this.bodyDone = framing.contentLength === 0
  }

  get remoteAddress(): string {
    return plainAddress(this.req.socket.remoteAddress)
  }

  get pendingBytes(): number {
    return this.told && this.res.destroyed ? 0 : this.res.writableLength
  }

  // ── the request ─────────────────────────────────────────────────────────────────────────────────────────

  begin(engine: Engine): void {
    const { req, res } = this
    res.on('close', () => this.left())
    res.on('error', ignore)
    const sink = engine.open(this, this)
    this.sink = sink
    if (res.destroyed) return
    if (this.bodyDone) {
      if (!this.told) new BodyIntake(sink, 0).take(EMPTY, true, false)
      return
    }
    const intake = new BodyIntake(sink, this.contentLength)
    this.intake = intake
    req.on('error', ignore)
    req.on('data', (chunk: Buffer) => this.received(chunk))
    req.on('end', () => this.receivedAll())
    this.watch()
    if (this.told) return
    if (intake.announcedTooLarge) this.breakBody(bodyTooLarge(sink.bodyBytesMax))
    else if (this.expectContinue) res.writeContinue()
  }

  /** Answers a request that must not be served. */
  refuse(engine: Engine, error: GatewayError): void {
    const { status, headers, body } = engine.refuse(this.target, error)
    const { req, res } = this
    res.on('close', () => this.left())
    res.on('error', ignore)
    this.announceClose = true
    this.bodyDone = false
    req.on('error', ignore)
    req.on('data', ignore)
    req.on('end', () => this.receivedAll())
    this.whole(status, headers, body)
  }

  private received(chunk: Buffer): void {
    this.touched = true
    if (this.told || this.bodyBroken) return
    this.takenBytes += chunk.length
    const last = this.takenBytes === this.contentLength
    if (last) this.bodyDone = true
    const move = this.intake!.take(chunk, last, false)
    if (move === 'too-large') this.breakBody(bodyTooLarge(this.sink!.bodyBytesMax))
    else if (move === 'pause') {
      this.bodyPaused = true
      this.req.pause()
    }
  }

  private receivedAll(): void {
    const before = this.bodyDone
    this.bodyDone = true
    if (this.closing) this.res.end()
    else if (!before && !this.told && !this.bodyBroken) this.intake!.take(EMPTY, true, false)
  }

  /** The parser met an error in the body, or the connection was closed inside it. */
  bodyError(error: GatewayError): void {
    if (this.told || this.bodyDone) return
    this.bodyDone = true
    this.breakBody(error)
  }

  get readingBody(): boolean {
    return !this.bodyDone
  }

  private breakBody(error: GatewayError): void {
    if (this.bodyBroken) return
    this.bodyBroken = true
    this.announceClose = true
    this.sink!.bodyFailed(error)
  }

  resumeBody(): void {
    if (!this.bodyPaused) return
    this.bodyPaused = false
    this.touched = true
    this.req.resume()
  }

  // ── the reply ───────────────────────────────────────────────────────────────────────────────────────────

  head(status: number, headers: HeaderList, bodyBytes: number | null): void {
    if (this.told || this.replyFields !== null) return
    if (!this.bodyDone && !this.restIsSmall()) this.announceClose = true
    this.replyFields = ownFieldsRemoved(headers)
    this.status = status
    this.replyBytes = bodyBytes
    this.owedBytes = bodyBytes ?? 0
    this.bare = this.method === 'HEAD' || isBodiless(status)
  }

  write(chunk: Uint8Array): boolean {
    if (this.told || chunk.length === 0) return true
    assert(this.replyFields !== null, 'a reply begins with its head')
    if (this.replyBytes !== null) {
      this.owedBytes -= chunk.length
      assert(this.owedBytes >= 0, 'a reply is not longer than its head announced')
    }
    if (this.bare) return true
    this.sendHead()
    // Node keeps what the socket does not take at once, and the giver may use its memory again.
    this.res.write(Buffer.from(chunk))
    if (this.res.writableLength <= this.host.replyPendingBytesMax) return true
    if (!this.drainPromised) {
      this.drainPromised = true
      this.res.once('drain', () => this.drained())
      this.watch()
    }
    return false
  }

  end(): void {
    if (this.told) return
    assert(this.replyFields !== null, 'a reply begins with its head')
    if (this.owedBytes > 0 && !this.bare) {
      this.cut()
      return
    }
    this.told = true
    this.sendHead()
    this.finish(null)
  }

  whole(status: number, headers: HeaderList, body: Uint8Array): void {
    if (this.told || this.replyFields !== null) return
    this.head(status, headers, body.length)
    this.told = true
    this.sendHead()
    this.finish(this.bare || body.length === 0 ? null : Buffer.from(body))
  }

  abort(_cause: GatewayError): void {
    if (!this.told) this.cut()
  }

  private sendHead(): void {
    if (this.headSent) return
    this.headSent = true
    const fields = this.replyFields!
    if (this.replyBytes !== null && !isBodiless(this.status)) {
      fields.push('content-length', String(this.replyBytes))
    }
    this.held = this.announceClose && !this.bodyDone && (this.replyBytes !== null || this.bare)
    if (this.announceClose || this.host.draining || this.line.doomed) fields.push('connection', 'close')
    this.res.writeHead(this.status, fields)
  }

  private finish(last: Buffer | null): void {
    const { res } = this
    if (this.held && !this.bodyDone) {
      if (last !== null) res.write(last)
      else res.flushHeaders()
      this.closing = true
      this.touched = true
    } else if (last !== null) res.end(last)
    else res.end()
    if (this.closing || res.writableLength > 0) this.watch()
  }

  private drained(): void {
    this.drainPromised = false
    this.touched = true
    if (!this.told) this.sink?.drained()
  }

  /** A connection whose close is the end of the reply is reset; any other shows by its framing that it was cut. */
  private cut(): void {
    this.told = true
    const { socket } = this.req
    if (this.http10 && this.headSent && this.replyBytes === null) socket.resetAndDestroy()
    else socket.destroy()
  }

  private restIsSmall(): boolean {
    return this.contentLength !== null && this.contentLength <= DROP_BYTES_MAX
  }

  // ── the end ─────────────────────────────────────────────────────────────────────────────────────────────

  private watch(): void {
    this.waiting = true
    this.host.sweep.add(this)
  }

  look(nowMs: number): void {
    const pending = this.res.writableLength
    if (this.touched || pending < this.lastPendingBytes) {
      this.touched = false
      this.sinceMs = nowMs
    }
    this.lastPendingBytes = pending
    const quietMs = nowMs - this.sinceMs
    if (this.closing) {
      if (quietMs >= LINGER_MS_MAX) this.req.socket.destroy()
    } else if (pending > 0 && (this.told || this.drainPromised)) {
      if (quietMs > this.host.stallMsMax) this.req.socket.destroy()
    } else if (!this.bodyDone) {
      const waiting = !this.told && !this.bodyBroken && !this.bodyPaused
      if (waiting && quietMs > this.host.bodyWaitMsMax) this.breakBody(bodyTooSlow(this.host.bodyWaitMsMax))
    } else {
      this.waiting = false
      this.host.sweep.drop(this)
    }
  }

  /** The client is gone: told by the connection at once, or by Node when it has noticed. */
  left(): void {
    if (this.waiting) this.host.sweep.drop(this)
    const gone = !this.told
    this.told = true
    if (gone) this.sink?.gone()
    this.line.over()
  }
}

function ignore(): void {}

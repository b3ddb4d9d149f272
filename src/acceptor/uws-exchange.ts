// One request and its reply on the native server. Owns the order of native calls; one object is the engine's
// request and its reply sink, so that a request costs one allocation of ours.
//
// The trick, where a connection must serve nothing after this reply: the native server refuses further requests
// while a reply is incomplete. A reply of N bytes whose last pieces are sent as if N + 1 were to come is complete
// for the client and never for the server; so nothing else is read from that connection, the rest of a body may
// still be dropped, and it is closed when the client has had time to read. Called "held" below.

import { assert } from '../common/assert.ts'
import type { GatewayError } from '../common/errors.ts'
import type { HeaderList } from '../common/headers.ts'
import { NOWHERE } from '../common/roll.ts'
import type { ClientRequest, Engine, ReplySink, RequestSink } from '../gateway/index.ts'
import { BodyIntake } from './body.ts'
import {
  DROP_BYTES_MAX,
  LINGER_MS_MAX,
  NATIVE_FRAMING_BYTES_MAX,
  NATIVE_GATHER_BYTES,
  NATIVE_REARM_MS,
} from './bounds.ts'
import { bodyTooLarge, bodyTooSlow } from './checks.ts'
import { corkedEnd, corkedNothing, corkedPut } from './cork.ts'
import type { NativeResponse } from './native.ts'
import { addressText } from './remote-address.ts'
import { fieldLines, isBodiless, statusLine } from './reply-head.ts'
import type { Sweep, Waiting } from './sweep.ts'

/** What an exchange needs of its acceptor. */
export interface UwsHost {
  readonly listener: string
  readonly sweep: Sweep
  readonly bodyWaitMsMax: number
  readonly replyPendingBytesMax: number
  readonly stallMsMax: number
  readonly pieceBytes: number
  readonly draining: boolean
  /** The exchange is over; its connection may live on. */
  settled(): void
}

const EMPTY = new Uint8Array(0)
const ASCII = /^[\0-\x7f]*$/

export class UwsExchange implements ClientRequest, ReplySink, Waiting {
  readonly method: string
  readonly target: string
  readonly headers: HeaderList
  readonly listener: string
  readonly contentLength: number | null
  /** Null once the native server has finished with this request. */
  res: NativeResponse | null
  private readonly host: UwsHost
  private sink: RequestSink | null = null
  private intake: BodyIntake | null = null
  private address: string | null = null
  /** The whole body has arrived, or there is none. */
  private bodyDone: boolean
  private bodyBroken = false
  private bodyPaused = false
  /** The engine has given its whole reply, or was told that the client is gone. */
  private told = false
  private announceClose: boolean
  private held: boolean
  /** Everything has been sent and the connection closes as soon as it may. */
  private closing = false
  private status = 0
  /** Status line and fields; null while the engine has not given them. */
  private headText: string | null = null
  private headSent = false
  /** The reply's length; null when unknown. */
  private replyBytes: number | null = null
  /** The reply has no body whatever the engine writes. */
  private bare = false
  /** Bytes of a reply of known length that the engine has yet to give. */
  private owedBytes = 0
  /** Bytes of a reply of known length that the native server has taken. */
  private takenBytes = 0
  private queue: Uint8Array[] | null = null
  private queueBytes = 0
  /** Bytes the native server took although the client did not, as far as known. */
  private nativeBytes = 0
  private blocked = false
  private writableSet = false
  private drainPromised = false
  /** Raised by progress, lowered by the sweep. */
  private touched = true
  private sinceMs = 0
  /** In the sweep; see `Roll`. */
  place = NOWHERE
  private rearmedMs = 0

  constructor(
    host: UwsHost,
    res: NativeResponse,
    method: string,
    target: string,
    headers: HeaderList,
    contentLength: number | null,
    announceClose: boolean,
  ) {
    this.host = host
    this.res = res
    this.method = method
    this.target = target
    this.headers = headers
    this.listener = host.listener
    this.contentLength = contentLength
    this.bodyDone = contentLength === 0
    // The native reader of chunks is generous; what follows a chunked body is not to be trusted.
    this.held = contentLength === null
    this.announceClose = announceClose
  }

  get remoteAddress(): string {
    if (this.address === null) {
      this.address = this.res === null ? '' : addressText(new Uint8Array(this.res.getRemoteAddress()))
    }
    return this.address
  }

  get pendingBytes(): number {
    return this.queueBytes + this.nativeBytes
  }

  // ── the request ─────────────────────────────────────────────────────────────────────────────────────────

  begin(engine: Engine): void {
    let sink: RequestSink
    try {
      sink = engine.open(this, this)
    } catch (thrown) {
      // The native server ends the process when its handler returns without a reply.
      this.closeNow()
      throw thrown
    }
    this.sink = sink
    const { res } = this
    if (res === null) return
    res.onAborted(() => this.aborted())
    if (this.bodyDone) {
      if (!this.told) new BodyIntake(sink, 0).take(EMPTY, true, false)
      return
    }
    const intake = new BodyIntake(sink, this.contentLength)
    this.intake = intake
    // Of an announced body the native server gives at least an empty piece at once; of chunks, nothing.
    if (this.contentLength === null || this.told) this.host.sweep.add(this)
    res.onData((lent, last) => this.received(lent, last))
    if (!this.told && intake.announcedTooLarge) this.breakBody(bodyTooLarge(sink.bodyBytesMax))
  }

  /** Answers a request that must not be served. */
  refuse(engine: Engine, error: GatewayError): void {
    const { status, headers, body } = engine.refuse(this.target, error)
    const res = this.res!
    // Where the body ends is what cannot be known; the native server's idea of it ends the waiting.
    this.bodyDone = false
    this.held = true
    res.onAborted(() => this.aborted())
    this.host.sweep.add(this)
    this.whole(status, headers, body)
    res.onData((lent, last) => this.received(lent, last))
  }

  private received(lent: ArrayBuffer, last: boolean): void {
    if (this.res === null) return
    this.touched = true
    this.bodyDone = last
    if (!last) this.host.sweep.add(this)
    if (this.told || this.bodyBroken) {
      if (last && this.closing) this.closeWhenParsed()
      return
    }
    const { intake } = this
    const move = intake!.take(new Uint8Array(lent), last, true)
    if (move === 'too-large') this.breakBody(bodyTooLarge(this.sink!.bodyBytesMax))
    else if (move === 'pause' && this.res !== null) {
      this.bodyPaused = true
      this.res.pause()
    }
  }

  private breakBody(error: GatewayError): void {
    this.bodyBroken = true
    this.held = true
    this.sink!.bodyFailed(error)
  }

  resumeBody(): void {
    if (!this.bodyPaused) return
    this.bodyPaused = false
    this.touched = true
    this.res?.resume()
  }

  // ── the reply ───────────────────────────────────────────────────────────────────────────────────────────

  head(status: number, headers: HeaderList, bodyBytes: number | null): void {
    if (this.told || this.headText !== null) return
    if (!this.bodyDone && !this.restIsSmall()) this.held = true
    const close = this.held || this.announceClose || this.host.draining
    this.headText = statusLine(status) + fieldLines(headers) + (close ? '\r\nconnection: close' : '')
    this.status = status
    this.replyBytes = bodyBytes
    this.owedBytes = bodyBytes ?? 0
    this.bare = this.method === 'HEAD' || isBodiless(status)
  }

  write(chunk: Uint8Array): boolean {
    if (this.told || chunk.length === 0) return true
    assert(this.headText !== null, 'a reply begins with its head')
    if (this.replyBytes !== null) {
      this.owedBytes -= chunk.length
      assert(this.owedBytes >= 0, 'a reply is not longer than its head announced')
    }
    if (this.bare) return true
    if (!this.headSent && this.replyBytes === chunk.length && this.fitsAtOnce(chunk)) {
      this.sendAtOnce(chunk)
      return true
    }
    if (this.blocked) this.enqueue(Buffer.from(chunk))
    else this.push(chunk)
    if (this.pendingBytes <= this.host.replyPendingBytesMax) return true
    this.drainPromised = true
    return false
  }

  end(): void {
    if (this.told) return
    assert(this.headText !== null, 'a reply begins with its head')
    if (this.owedBytes > 0 && !this.bare) {
      this.closeNow()
      return
    }
    this.told = true
    if (!this.blocked) this.complete()
  }

  whole(status: number, headers: HeaderList, body: Uint8Array): void {
    if (this.told || this.headText !== null) return
    this.head(status, headers, body.length)
    this.told = true
    this.owedBytes = 0
    if (this.bare || body.length === 0) {
      this.complete()
      return
    }
    if (this.fitsAtOnce(body)) {
      this.sendAtOnce(body)
      return
    }
    this.push(body)
    if (!this.blocked) this.complete()
  }

  abort(_cause: GatewayError): void {
    if (!this.told) this.closeNow()
  }

  /** The whole reply fits the buffer in which the native server gathers a write, and nothing hinders its end. */
  private fitsAtOnce(body: Uint8Array): boolean {
    return !this.held && body.length + this.headText!.length <= NATIVE_GATHER_BYTES - NATIVE_FRAMING_BYTES_MAX
  }

  private sendAtOnce(body: Uint8Array): void {
    corkedEnd(this.res!, this.wireHead(), body)
    this.finished()
  }

  // ── towards the native server ───────────────────────────────────────────────────────────────────────────

  /** Inside a cork: head if it is still to be sent, then a piece. False: the client does not keep up. */
  put(piece: Uint8Array): boolean {
    const res = this.res!
    const { replyBytes } = this
    if (!this.headSent) {
      this.headSent = true
      res.writeStatus(this.wireHead())
      if (this.held && replyBytes !== null) res.tryEnd('', replyBytes)
    }
    if (replyBytes === null) return res.write(piece)
    const [more, done] = res.tryEnd(piece, this.held ? replyBytes + 1 : replyBytes)
    if (done) this.finished()
    return more
  }

  private push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length && !this.blocked && this.res !== null) {
      const bytesMax = this.pieceBytesMax
      const whole = at === 0 && chunk.length <= bytesMax
      at += this.give(whole ? chunk : chunk.subarray(at, at + bytesMax))
    }
    if (at < chunk.length && this.res !== null) this.enqueue(Buffer.from(chunk.subarray(at)))
  }

  /**
   * A chunk has to fit the buffer in which the native server gathers a write, together with whatever goes before
   * it: one that does not fit is lost when the client's socket happens to be full.
   */
  private get pieceBytesMax(): number {
    if (this.replyBytes !== null) return this.host.pieceBytes
    return NATIVE_GATHER_BYTES - NATIVE_FRAMING_BYTES_MAX - (this.headSent ? 0 : this.headText!.length)
  }

  /** Returns how many bytes of the piece need not be given again. */
  private give(piece: Uint8Array): number {
    return this.replyBytes === null ? this.giveChunk(piece) : this.giveSized(piece)
  }

  private giveSized(piece: Uint8Array): number {
    const res = this.res!
    if (corkedPut(res, this, piece)) {
      this.takenBytes += piece.length
      return piece.length
    }
    if (this.res === null) return piece.length
    this.block(res)
    const taken = res.getWriteOffset() - this.takenBytes
    this.takenBytes += taken
    return taken
  }

  private giveChunk(piece: Uint8Array): number {
    const res = this.res!
    let goOn: boolean
    if (this.writableSet && piece.length > 1) {
      // Whether a chunk was stuck shows only when the next one is written. To a client that has been slow before,
      // the last byte goes by itself, so that the end is never written behind a chunk that is stuck.
      corkedPut(res, this, piece.subarray(0, piece.length - 1))
      goOn = corkedPut(res, this, piece.subarray(piece.length - 1))
    } else goOn = corkedPut(res, this, piece)
    if (!goOn) {
      this.block(res)
      this.nativeBytes = piece.length
    }
    return piece.length
  }

  private block(res: NativeResponse): void {
    this.blocked = true
    this.touched = true
    this.host.sweep.add(this)
    if (this.writableSet) return
    this.writableSet = true
    res.onWritable(() => this.writable())
  }

  private enqueue(owned: Uint8Array): void {
    this.queue ??= []
    this.queue.push(owned)
    this.queueBytes += owned.length
  }

  private writable(): true {
    if (this.res === null) return true
    this.touched = true
    this.nativeBytes = 0
    // With a handler set, the native server leaves it to us to send what it holds.
    if (this.queueBytes === 0) this.res.cork(corkedNothing)
    this.flush()
    return true
  }

  private flush(): void {
    this.blocked = false
    // A reply of known length is over with its last byte, but an engine that was told to wait is still waiting.
    const engineWaits = this.drainPromised && !this.told
    while (this.queueBytes > 0 && !this.blocked && this.res !== null) {
      const piece = this.nextPiece()
      const taken = this.give(piece)
      if (taken < piece.length) {
        this.queue!.unshift(piece.subarray(taken))
        this.queueBytes += piece.length - taken
      }
    }
    if (this.blocked) return
    if (engineWaits) {
      this.drainPromised = false
      this.sink!.drained()
    } else if (this.told) this.complete()
  }

  /** The oldest bytes of the queue, small ones joined: a write costs more than a copy. */
  private nextPiece(): Uint8Array {
    const queue = this.queue!
    const bytesMax = this.pieceBytesMax
    let count = 0
    let bytes = 0
    while (count < queue.length && (count === 0 || bytes + queue[count]!.length <= bytesMax)) {
      bytes += queue[count]!.length
      count += 1
    }
    if (count > 1) {
      this.queueBytes -= bytes
      return Buffer.concat(queue.splice(0, count), bytes)
    }
    const first = queue[0]!
    if (first.length <= bytesMax) queue.shift()
    else queue[0] = first.subarray(bytesMax)
    const piece = first.length <= bytesMax ? first : first.subarray(0, bytesMax)
    this.queueBytes -= piece.length
    return piece
  }

  /** Everything the engine gave is on its way; says so to the client. */
  private complete(): void {
    const { res } = this
    if (res === null) return
    if (this.bare || this.replyBytes === 0) this.putHeadAlone(res)
    else if (this.held) {
      if (this.replyBytes === null) this.putHeldEnd(res)
      this.closeSoon()
    } else if (this.replyBytes === null) {
      corkedEnd(res, this.headSent ? null : this.wireHead(), null)
      this.finished()
    }
  }

  private putHeadAlone(res: NativeResponse): void {
    const length = this.replyBytes
    const sized = length !== null && !isBodiless(this.status)
    const more = sized ? `\r\ncontent-length: ${length}` : ''
    if (this.held) {
      // With a line end of its own, what the native server takes for a status is a complete header block.
      res.cork(() => res.writeStatus(this.wireHead(`${more}\r\n`)))
      this.closeSoon()
      return
    }
    res.cork(() => {
      res.writeStatus(this.wireHead(more))
      res.endWithoutBody()
    })
    this.finished()
  }

  private putHeldEnd(res: NativeResponse): void {
    res.cork(() => {
      if (!this.headSent) res.writeStatus(this.wireHead('\r\ntransfer-encoding: chunked'))
      this.headSent = true
      // The last chunk and a trailer field, as text: an end that the native server does not notice.
      res.writeHeader('\r\n0\r\nx-reply', 'complete\r\n')
    })
  }

  /** The head as it goes out; text beyond ASCII leaves as one byte per character. */
  private wireHead(more = ''): string | Uint8Array {
    const text = this.headText! + more
    return ASCII.test(text) ? text : Buffer.from(text, 'latin1')
  }

  /** Dropping the unread rest of the body costs less than a new connection. */
  private restIsSmall(): boolean {
    return this.contentLength !== null && this.contentLength <= DROP_BYTES_MAX
  }

  // ── the end ─────────────────────────────────────────────────────────────────────────────────────────────

  look(nowMs: number): void {
    if (this.touched) {
      this.touched = false
      this.sinceMs = nowMs
    }
    const quietMs = nowMs - this.sinceMs
    if (this.closing) {
      if (quietMs >= LINGER_MS_MAX) this.closeNow()
    } else if (this.blocked) {
      if (quietMs > this.host.stallMsMax) this.res?.close()
      // A wake-up can get lost with TLS; only pieces that the native server may decline are tried again.
      else if (this.replyBytes !== null && this.queueBytes > 0) this.flush()
    } else if (!this.bodyDone) {
      const waiting = !this.told && !this.bodyBroken && !this.bodyPaused
      if (waiting && quietMs > this.host.bodyWaitMsMax) this.breakBody(bodyTooSlow(this.host.bodyWaitMsMax))
    } else if (!this.writableSet) {
      this.host.sweep.drop(this)
      return
    }
    this.rearm(nowMs)
  }

  /**
   * Sets the native clock back, whose ten seconds are not the configured ones. It runs while a body is awaited and
   * from the first write that a client did not take at once; and setting it back starts it, so whoever has been
   * here once stays in the sweep until that body or that reply is over.
   */
  private rearm(nowMs: number): void {
    if (this.res === null || this.bodyPaused || nowMs - this.rearmedMs < NATIVE_REARM_MS) return
    this.rearmedMs = nowMs
    this.res.pause()
    this.res.resume()
  }

  private closeSoon(): void {
    this.closing = true
    this.touched = true
    // Bytes that were once held up may still be in the native server's hands.
    if (this.bodyDone && !this.writableSet) this.closeWhenParsed()
    else this.host.sweep.add(this)
  }

  /** The native server sends a reply of this very moment only when it has read what it has. */
  private closeWhenParsed(): void {
    setImmediate(() => this.closeNow())
  }

  private closeNow(): void {
    const { res } = this
    this.told = true
    if (res === null) return
    this.finished()
    res.close()
  }

  private aborted(): void {
    if (this.res === null) return
    const gone = !this.told
    this.told = true
    this.finished()
    if (gone) this.sink?.gone()
  }

  private finished(): void {
    this.res = null
    this.told = true
    this.queue = null
    this.queueBytes = 0
    this.nativeBytes = 0
    this.host.sweep.drop(this)
    this.host.settled()
  }
}

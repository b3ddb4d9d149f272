// The generator's own HTTP/1.1 client: one keep-alive connection, one request at a time, bytes compared as they come.
// Owns reply framing (content-length, chunked); knows no JSON. The trick: all connections read into one buffer, because
// the callback is done with it before the next read.

import { connect, type Socket } from 'node:net'
import type { Check } from './checks.ts'

const READ_BYTES = 64 * 1024
const HEAD_BYTES_MAX = 64 * 1024
const HEAD_END = Buffer.from('\r\n\r\n')
const CR = 13
const LF = 10
const SEMICOLON = 59
const READ_BUFFER = Buffer.allocUnsafe(READ_BYTES)

export type Outcome = 'ok' | 'wrong' | 'error'

/** What a scenario wants to know of a request. Called with the time of the read that brought the news. */
export interface Listener {
  /** First byte of the reply's body. */
  first(nowMs: number): void
  /** Bytes of the reply's body; valid only during the call. */
  data(bytes: Buffer, nowMs: number): void
  done(outcome: Outcome, nowMs: number): void
}

type Stage = 'idle' | 'head' | 'length' | 'size' | 'chunk' | 'chunkEnd' | 'trailer'

export interface ConnectionOptions {
  readonly port: number
  /** Reads at most this much at once and waits for `resume` after each read. */
  readonly sipBytes?: number
}

export class Connection {
  readonly port: number
  readonly sipBytes: number | null
  socket: Socket
  stage: Stage
  check: Check | null
  listener: Listener | null
  head: Buffer
  left: number
  status: number
  started: boolean
  /** Bytes so far in a trailer's current line; in a size line, more than none once an extension began. */
  lineBytes: number
  /** The peer said that it will close after this reply. */
  closing: boolean
  closed: boolean
  /** Why the last request failed, for the report. */
  reason: string

  constructor(options: ConnectionOptions) {
    this.port = options.port
    this.sipBytes = options.sipBytes ?? null
    this.stage = 'idle'
    this.check = null
    this.listener = null
    this.head = Buffer.alloc(0)
    this.left = 0
    this.status = 0
    this.started = false
    this.lineBytes = 0
    this.closing = false
    this.closed = false
    this.reason = ''
    this.socket = this.open()
  }

  open(): Socket {
    this.closed = false
    const buffer = this.sipBytes === null ? READ_BUFFER : Buffer.allocUnsafe(this.sipBytes)
    const socket = connect({
      port: this.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer,
        callback: (size: number) => {
          this.accept(buffer.subarray(0, size))
          return this.sipBytes === null
        },
      },
    })
    socket.on('error', error => {
      if (this.socket === socket) this.fail((error as NodeJS.ErrnoException).code ?? error.message)
    })
    socket.on('close', () => {
      if (this.socket !== socket) return
      this.closed = true
      this.fail('closed')
    })
    return socket
  }

  get busy(): boolean {
    return this.listener !== null
  }

  request(bytes: Buffer, check: Check, listener: Listener): void {
    if (this.closed) this.socket = this.open()
    check.reset()
    this.check = check
    this.listener = listener
    this.stage = 'head'
    this.started = false
    this.socket.write(bytes)
  }

  /** Lets a sipping connection take its next sip. */
  resume(): void {
    this.socket.resume()
  }

  leave(): void {
    this.listener = null
    this.stage = 'idle'
    this.closed = true
    this.socket.destroy()
  }

  accept(bytes: Buffer): void {
    const nowMs = performance.now()
    let at = 0
    while (at < bytes.length) {
      switch (this.stage) {
        case 'idle':
          this.fail('bytes after the end')
          return
        case 'head':
          at = this.readHead(bytes, at, nowMs)
          break
        case 'length':
        case 'chunk':
          at = this.readBody(bytes, at, nowMs)
          break
        case 'size':
          at = this.readSize(bytes, at)
          break
        case 'chunkEnd':
          at = this.skipLine(bytes, at, 'size', nowMs)
          break
        case 'trailer':
          at = this.skipLine(bytes, at, 'idle', nowMs)
          break
      }
    }
  }

  readHead(bytes: Buffer, at: number, nowMs: number): number {
    const known = this.head.length
    const all = known === 0 ? bytes.subarray(at) : Buffer.concat([this.head, bytes.subarray(at)])
    const end = all.indexOf(HEAD_END)
    if (end < 0) {
      this.head = Buffer.from(all)
      if (all.length > HEAD_BYTES_MAX) this.fail('head too long')
      return bytes.length
    }
    this.head = Buffer.alloc(0)
    const text = all.toString('latin1', 0, end)
    this.status = Number(text.slice(9, 12))
    this.closing = /\r\nconnection: *close/i.test(text)
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)
    this.left = length === null ? 0 : Number(length[1])
    this.stage = length === null ? 'size' : 'length'
    if (length === null && !/\r\ntransfer-encoding: *chunked/i.test(text)) this.fail('reply without framing')
    if (length !== null && this.left === 0) this.finish(nowMs)
    return at + end + HEAD_END.length - known
  }

  readBody(bytes: Buffer, at: number, nowMs: number): number {
    const end = Math.min(bytes.length, at + this.left)
    const piece = bytes.subarray(at, end)
    this.left -= piece.length
    if (!this.started) {
      this.started = true
      this.listener?.first(nowMs)
    }
    this.check?.feed(piece)
    this.listener?.data(piece, nowMs)
    if (this.left === 0) {
      if (this.stage === 'length') this.finish(nowMs)
      else if (this.stage === 'chunk') this.stage = 'chunkEnd'
    }
    return end
  }

  /** Hexadecimal digits up to the line feed or to the semicolon that opens an extension. */
  readSize(bytes: Buffer, at: number): number {
    let next = at
    while (next < bytes.length) {
      const byte = bytes[next]!
      next += 1
      if (byte === LF) {
        this.stage = this.left === 0 ? 'trailer' : 'chunk'
        this.lineBytes = 0
        return next
      }
      if (byte === SEMICOLON) this.lineBytes = 1
      const digit = hexOf(byte)
      if (digit >= 0 && this.lineBytes === 0) this.left = this.left * 16 + digit
    }
    return next
  }

  skipLine(bytes: Buffer, at: number, then: 'size' | 'idle', nowMs: number): number {
    let next = at
    while (next < bytes.length) {
      const byte = bytes[next]!
      next += 1
      if (byte === CR) continue
      if (byte !== LF) {
        this.lineBytes += 1
        continue
      }
      // A trailer ends with an empty line; the line after a chunk is always empty.
      if (then === 'size') this.stage = 'size'
      else if (this.lineBytes === 0) this.finish(nowMs)
      this.lineBytes = 0
      return next
    }
    return next
  }

  finish(nowMs: number): void {
    const { listener } = this
    const good = this.status === 200
    this.reason = good ? '' : `status ${this.status}`
    this.stage = 'idle'
    this.listener = null
    this.left = 0
    if (this.closing) {
      this.closed = true
      this.socket.destroy()
    }
    listener?.done(good ? (this.check!.complete() ? 'ok' : 'wrong') : 'error', nowMs)
  }

  fail(reason: string): void {
    const { listener } = this
    this.reason = reason
    this.stage = 'idle'
    this.head = Buffer.alloc(0)
    this.left = 0
    this.listener = null
    if (!this.closed) this.socket.destroy()
    this.closed = true
    listener?.done('error', performance.now())
  }
}

function hexOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

// Reads HTTP/1.1 replies from bytes, cut anywhere. Owns framing and its strictness; knows no socket.
// It refuses whatever two readers could understand differently (both length and chunks, lengths that differ,
// bare line feeds, loose chunk sizes), because then it is unknown where this reply ends and the next one begins.
//
// The trick: chunk payloads of one read are moved together inside the read buffer, over the framing between
// them, and handed on as one piece. So whoever calls `push` lends a buffer that may be rearranged.

import { Buffer } from 'node:buffer'
import type { HeaderList } from '../common/headers.ts'
import { isTokenByte, readReplyHead } from './http1-head.ts'

/** Header blocks beyond this are refused; the largest seen from model providers is below 8 KiB. */
export const REPLY_HEADER_BYTES_MAX = 64 * 1024

/** A chunk-size line with its extensions, which nobody uses. */
const CHUNK_LINE_BYTES_MAX = 256

const TRAILER_BYTES_MAX = 16 * 1024

/** 13 hexadecimal digits reach 2^52: more cannot be counted exactly, nor read in a lifetime. */
const CHUNK_DIGITS_MAX = 13

/** Interim replies (1xx) before the final one. */
const INTERIM_MAX = 16

/** First room for a header block that arrives in pieces; doubles up to the bound. */
const PARTIAL_BYTES = 4 * 1024

const HEAD_END = Buffer.from('\r\n\r\n')
const PREFIX = Buffer.from('HTTP/1.')
const CR = 13
const LF = 10

export interface ReplyEvents {
  head(status: number, headers: HeaderList): void
  data(piece: Uint8Array): void
}

/** What `push` and `finish` say about the reply as a whole. */
export type ReplyResult =
  /** More bytes are needed. */
  | 'more'
  /** The reply is complete; `surplus` and `keepAlive` are final. */
  | 'done'
  /** It cannot be read; `problem` says why. */
  | 'broken'

/** States of the machine; the order groups those inside a chunked body. */
const HEAD = 0
const LENGTH = 1
const UNTIL_CLOSE = 2
const CHUNK_SIZE = 3
const CHUNK_EXTENSION = 4
const CHUNK_SIZE_LF = 5
const CHUNK_DATA = 6
const CHUNK_DATA_CR = 7
const CHUNK_DATA_LF = 8
const TRAILER_START = 9
const TRAILER_LINE = 10
const TRAILER_LF = 11
const LAST_LF = 12
const DONE = 13
const BROKEN = 14

export class ReplyParser {
  /** The connection may carry another request after this reply. Final when `done`. */
  keepAlive = false
  /** Bytes behind the end of the reply in the last piece. */
  surplus = 0
  /** How long the server says it keeps an idle connection, milliseconds, or -1. */
  keepAliveMs = -1
  problem = ''
  /** Body bytes so far. */
  bodyBytes = 0
  private readonly events: ReplyEvents
  private readonly headerBytesMax: number
  private state = HEAD
  private bodiless = false
  /** Bytes left of the body (LENGTH) or of the chunk (CHUNK_DATA); while CHUNK_SIZE, the size so far. */
  private left = 0
  private digits = 0
  private lineBytes = 0
  private interim = 0
  private partial: Buffer | null = null
  private partialBytes = 0
  private stopped = false
  /** Where the payload gathered during one `push` lies in the buffer; -1 none. */
  private gatherFrom = -1
  private gatherTo = -1

  constructor(events: ReplyEvents, headerBytesMax = REPLY_HEADER_BYTES_MAX) {
    this.events = events
    this.headerBytesMax = headerBytesMax
  }

  /** Ready for the next reply. `bodiless`: the request was a HEAD. */
  reset(bodiless: boolean): void {
    this.keepAlive = false
    this.surplus = 0
    this.keepAliveMs = -1
    this.problem = ''
    this.bodyBytes = 0
    this.state = HEAD
    this.bodiless = bodiless
    this.left = 0
    this.interim = 0
    this.partial = null
    this.partialBytes = 0
    this.stopped = false
  }

  /** No more events, also while inside `push`. */
  stop(): void {
    this.stopped = true
  }

  /** The header block has been read. */
  get headRead(): boolean {
    return this.state !== HEAD
  }

  /** `bytes` may be rearranged, is not kept, and only its first `length` bytes count. */
  push(bytes: Buffer, length: number = bytes.length): ReplyResult {
    let at = 0
    while (at < length && !this.stopped) {
      switch (this.state) {
        case HEAD:
          at = this.readHead(bytes, at, length)
          break
        case LENGTH: {
          const end = Math.min(length, at + this.left)
          this.left -= end - at
          if (this.left === 0) this.state = DONE
          this.emit(bytes, at, end)
          at = end
          break
        }
        case UNTIL_CLOSE:
          this.emit(bytes, at, length)
          at = length
          break
        case DONE:
          this.surplus = length - at
          return 'done'
        case BROKEN:
          return 'broken'
        default:
          at = this.readChunked(bytes, at, length)
      }
    }
    return this.state === DONE ? 'done' : this.state === BROKEN ? 'broken' : 'more'
  }

  /** The connection ended. Only a body that lasts until then is complete by it. */
  finish(): ReplyResult {
    if (this.state === UNTIL_CLOSE) this.state = DONE
    if (this.state === DONE) return 'done'
    return 'broken'
  }

  private emit(bytes: Buffer, from: number, to: number): void {
    this.bodyBytes += to - from
    // A plain view: `slice` of a Buffer would be one more view of memory that the next read fills.
    this.events.data(new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from))
  }

  private fail(problem: string): void {
    this.problem = problem
    this.state = BROKEN
  }

  // ── header block ────────────────────────────────────────────────────────────────────────────────────────

  /** Returns where the header block ended, or `length` when it has not. */
  private readHead(bytes: Buffer, at: number, length: number): number {
    if (this.partial !== null) return this.continueHead(bytes, at, length)
    const view = bytes.subarray(at, length)
    const end = view.indexOf(HEAD_END)
    if (end === -1 || end > this.headerBytesMax) {
      this.checkUnfinishedHead(view)
      if (this.state === HEAD) this.keepHead(view)
      return length
    }
    this.parseHead(view.toString('latin1', 0, end))
    return at + end + HEAD_END.length
  }

  private continueHead(bytes: Buffer, at: number, length: number): number {
    const before = this.partialBytes
    // The end may lie beyond what the bound allows us to keep; look at no more than that.
    const taken = Math.min(length - at, this.headerBytesMax + HEAD_END.length - before)
    this.keepHead(bytes.subarray(at, at + taken))
    const block = this.partial!.subarray(0, this.partialBytes)
    const end = block.indexOf(HEAD_END, Math.max(0, before - HEAD_END.length + 1))
    if (end === -1) {
      this.checkUnfinishedHead(block)
      return length
    }
    this.partial = null
    this.partialBytes = 0
    this.parseHead(block.toString('latin1', 0, end))
    return at + (end + HEAD_END.length - before)
  }

  /** Says early what is wrong with bytes that will never become a header block. */
  private checkUnfinishedHead(block: Buffer): void {
    const compared = Math.min(block.length, PREFIX.length)
    if (PREFIX.compare(block, 0, compared, 0, compared) !== 0) this.fail('it does not begin with HTTP/1.')
    else if (block.length > this.headerBytesMax) {
      this.fail(`its header block exceeds ${this.headerBytesMax} bytes`)
    } else if (block.includes('\n\n')) this.fail('its header block holds a bare CR or LF')
  }

  private keepHead(piece: Buffer): void {
    const total = this.partialBytes + piece.length
    if (this.partial === null || this.partial.length < total) {
      let room = this.partial === null ? PARTIAL_BYTES : this.partial.length * 2
      while (room < total) room *= 2
      const larger = Buffer.allocUnsafeSlow(room)
      if (this.partial !== null) this.partial.copy(larger, 0, 0, this.partialBytes)
      this.partial = larger
    }
    piece.copy(this.partial, this.partialBytes)
    this.partialBytes = total
  }

  private parseHead(block: string): void {
    const head = readReplyHead(block)
    if (typeof head === 'string') {
      this.fail(head)
      return
    }
    const { status } = head
    if (status < 200) {
      this.interim += 1
      // We never ask for an upgrade, so 101 has no meaning here and what follows is not HTTP.
      if (status === 101) this.fail('it switches protocols unasked')
      else if (this.interim > INTERIM_MAX) this.fail(`more than ${INTERIM_MAX} interim replies`)
      return
    }
    this.keepAlive = head.keepAlive
    this.keepAliveMs = head.keepAliveMs
    if (this.bodiless || status === 204 || status === 304) this.state = DONE
    else if (head.chunked) this.startChunk()
    else if (head.length >= 0) {
      this.left = head.length
      this.state = head.length === 0 ? DONE : LENGTH
    } else {
      this.keepAlive = false
      this.state = UNTIL_CLOSE
    }
    this.events.head(status, head.headers)
  }

  // ── chunked bodies ──────────────────────────────────────────────────────────────────────────────────────

  private startChunk(): void {
    this.state = CHUNK_SIZE
    this.left = 0
    this.digits = 0
    this.lineBytes = 0
  }

  /** Reads to the end of the buffer or of the body; returns where it stopped. */
  private readChunked(bytes: Buffer, from: number, length: number): number {
    this.gatherFrom = -1
    let at = from
    while (at < length && this.state < DONE) {
      if (this.state === CHUNK_DATA) {
        const end = Math.min(length, at + this.left)
        this.gather(bytes, at, end)
        this.left -= end - at
        if (this.left === 0) this.state = CHUNK_DATA_CR
        at = end
      } else {
        this.framingByte(bytes[at]!)
        at += 1
      }
    }
    if (this.gatherFrom !== -1) this.emit(bytes, this.gatherFrom, this.gatherTo)
    return at
  }

  /** Adds a range to the piece of this read, moving it next to what is there. */
  private gather(bytes: Buffer, from: number, to: number): void {
    if (this.gatherFrom === -1) {
      this.gatherFrom = from
      this.gatherTo = to
      return
    }
    bytes.copyWithin(this.gatherTo, from, to)
    this.gatherTo += to - from
  }

  private framingByte(byte: number): void {
    switch (this.state) {
      case CHUNK_SIZE:
        this.chunkSizeByte(byte)
        return
      case CHUNK_EXTENSION:
        this.lineBytes += 1
        if (byte === CR) this.state = CHUNK_SIZE_LF
        else if (this.lineBytes > CHUNK_LINE_BYTES_MAX) {
          this.fail(`a chunk-size line exceeds ${CHUNK_LINE_BYTES_MAX} bytes`)
        } else if (byte < 0x20 && byte !== 9) this.fail('a chunk extension holds a control character')
        return
      case CHUNK_SIZE_LF:
        if (byte !== LF) this.fail('a chunk-size line does not end in CR LF')
        else if (this.left === 0) this.startTrailer()
        else this.state = CHUNK_DATA
        return
      case CHUNK_DATA_CR:
        if (byte === CR) this.state = CHUNK_DATA_LF
        else this.fail('a chunk is longer than its size')
        return
      case CHUNK_DATA_LF:
        if (byte === LF) this.startChunk()
        else this.fail('a chunk does not end in CR LF')
        return
      default:
        this.trailerByte(byte)
    }
  }

  private chunkSizeByte(byte: number): void {
    const digit = hexDigit(byte)
    if (digit >= 0) {
      this.left = this.left * 16 + digit
      this.digits += 1
      if (this.digits > CHUNK_DIGITS_MAX) this.fail(`a chunk size has more than ${CHUNK_DIGITS_MAX} digits`)
    } else if (this.digits === 0) this.fail('a chunk size is not a hexadecimal number')
    else if (byte === CR) this.state = CHUNK_SIZE_LF
    else if (byte === 0x3b || byte === 0x20 || byte === 9) this.state = CHUNK_EXTENSION
    else this.fail('a chunk size is not a hexadecimal number')
  }

  private startTrailer(): void {
    this.state = TRAILER_START
    this.lineBytes = 0
  }

  /** Trailers are checked for their line ends and dropped: nobody behind us could use them. */
  private trailerByte(byte: number): void {
    this.lineBytes += 1
    if (this.lineBytes > TRAILER_BYTES_MAX) {
      this.fail(`its trailers exceed ${TRAILER_BYTES_MAX} bytes`)
      return
    }
    switch (this.state) {
      case TRAILER_START:
        if (byte === CR) this.state = LAST_LF
        else if (isTokenByte(byte)) this.state = TRAILER_LINE
        else this.fail('a trailer has no sound name')
        return
      case TRAILER_LINE:
        if (byte === CR) this.state = TRAILER_LF
        else if (byte === LF || byte === 0) this.fail('its trailers hold a bare LF or a NUL')
        return
      case TRAILER_LF:
        if (byte === LF) this.state = TRAILER_START
        else this.fail('its trailers hold a bare CR')
        return
      default:
        if (byte === LF) this.state = DONE
        else this.fail('its trailers do not end in CR LF')
    }
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

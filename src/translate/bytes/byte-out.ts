// Collects what a writer produces until the reply path hands it on, once per piece of input. Text gathers in one
// string and is encoded in a single call, because a call into the encoder costs more than the text of a frame.

import type { ByteSink } from '../reply-path.ts'

/** Room that most pieces of a stream fit in. */
const START_BYTES = 4 * 1024
/** A buffer that grew above this is let go after the flush, so that one large reply does not keep its memory. */
const KEEP_BYTES_MAX = 64 * 1024

const encoder = new TextEncoder()
const EMPTY: Uint8Array = new Uint8Array(0)
/**
 * The buffer of whoever flushed last. A stream holds one only while a piece of it is being translated, so that an
 * idle stream costs none.
 */
let spare = EMPTY

export class ByteOut {
  private pending: string
  private buffer: Uint8Array
  private used: number
  /** Bytes handed on so far. */
  flushedBytes: number

  constructor() {
    this.pending = ''
    this.buffer = EMPTY
    this.used = 0
    this.flushedBytes = 0
  }

  /** Text as it is. */
  text(text: string): void {
    this.pending += text
  }

  /** A JSON string literal. Lone halves of surrogate pairs are escaped, so a pair split over two calls survives. */
  json(text: string): void {
    this.pending += JSON.stringify(text)
  }

  bytes(bytes: Uint8Array): void {
    this.encodePending()
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.used)
    this.used += bytes.length
  }

  /** Room at the end to write into, as bytes whose number is not known yet. Say with `took` how many they were. */
  room(bytesMax: number): Uint8Array {
    this.encodePending()
    this.reserve(bytesMax)
    return this.buffer.subarray(this.used)
  }

  took(bytes: number): void {
    this.used += bytes
  }

  get empty(): boolean {
    return this.used === 0 && this.pending === ''
  }

  /** Hands everything on; the bytes are lent until the sink returns. */
  flush(to: ByteSink): void {
    if (this.empty) return
    this.encodePending()
    const bytes = this.buffer.subarray(0, this.used)
    this.used = 0
    this.flushedBytes += bytes.length
    to.write(bytes)
    if (this.buffer.length <= KEEP_BYTES_MAX) spare = this.buffer
    this.buffer = EMPTY
  }

  /** Everything as bytes of their own. */
  take(): Uint8Array {
    this.encodePending()
    const bytes = this.buffer.slice(0, this.used)
    this.used = 0
    this.flushedBytes += bytes.length
    return bytes
  }

  private encodePending(): void {
    const text = this.pending
    if (text === '') return
    this.pending = ''
    // Three bytes per UTF-16 unit is the most UTF-8 needs.
    this.reserve(text.length * 3)
    const room = this.used === 0 ? this.buffer : this.buffer.subarray(this.used)
    this.used += encoder.encodeInto(text, room).written
  }

  private reserve(bytes: number): void {
    const need = this.used + bytes
    if (need <= this.buffer.length) return
    if (this.used === 0 && need <= spare.length) {
      this.buffer = spare
      spare = EMPTY
      return
    }
    const grown = new Uint8Array(Math.max(need, START_BYTES, this.buffer.length * 2))
    grown.set(this.buffer.subarray(0, this.used))
    this.buffer = grown
  }
}

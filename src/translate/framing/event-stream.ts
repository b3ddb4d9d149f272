// The AWS binary event stream, both ways, from bytes cut anywhere. Owns lengths, checksums and bounds. Knows
// nothing of JSON or of Bedrock's events.
//
// Own code instead of @smithy/eventstream-codec, which reads whole messages only and makes a header object per
// frame; the tests hold the two against each other and bench/micro/framing.bench.ts holds the measurement.
// The trick: headers repeat byte for byte, so they are compared before they are read; frames are written in place.

import type { ByteOut } from '../bytes/byte-out.ts'
import { crc32 } from '../bytes/crc32.ts'

/** The service's own maximum; a frame that announces more is broken or hostile. */
const FRAME_BYTES_MAX = 24 * 1024 * 1024
const HEADER_BYTES_MAX = 128 * 1024
const PRELUDE_BYTES = 12
const CRC_BYTES = 4
const FRAME_BYTES_MIN = PRELUDE_BYTES + CRC_BYTES

export interface FrameSink {
  /**
   * One checked frame. `kind` is `:message-type` (`event`, `exception`, `error`), `name` the event type, the
   * exception type or the error code; `payload` is lent until return, for `error` it is the message's bytes.
   */
  frame(kind: string, name: string, payload: Uint8Array): void
  /** Nothing follows. */
  broken(message: string): void
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()
const EMPTY = new Uint8Array(0)

/** Different headers remembered per stream, and how long they may be; whatever comes beyond is read each time. */
const HEADERS_SEEN_MAX = 8
const HEADERS_SEEN_BYTES_MAX = 512

/** Bytes of fixed-size header values by type; strings and byte arrays carry their own length. */
const VALUE_BYTES = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16] as const
const TYPE_STRING = 7

export class EventStreamReader {
  private readonly sink: FrameSink
  private readonly frameBytesMax: number
  /** A torn frame: its bytes so far, in a buffer as large as it announced to be. */
  private torn: Uint8Array
  private tornUsed: number
  private stopped: boolean
  private readonly seen: Headers[]

  constructor(sink: FrameSink, frameBytesMax: number = FRAME_BYTES_MAX) {
    this.sink = sink
    this.frameBytesMax = frameBytesMax
    this.torn = EMPTY
    this.tornUsed = 0
    this.stopped = false
    this.seen = []
  }

  write(chunk: Uint8Array): void {
    let at = 0
    if (this.tornUsed > 0) at = this.mend(chunk)
    while (!this.stopped && at < chunk.length) {
      const rest = chunk.length - at
      const total = rest < PRELUDE_BYTES ? 0 : this.lengthOf(chunk, at)
      if (this.stopped) return
      if (total === 0 || rest < total) {
        this.keep(chunk, at, Math.max(total, PRELUDE_BYTES))
        return
      }
      this.take(chunk, at, total)
      at += total
    }
  }

  /** Returns true when the input ended between frames. */
  end(): boolean {
    const clean = this.tornUsed === 0
    this.stopped = true
    return clean
  }

  stop(): void {
    this.stopped = true
  }

  /** Completes the torn frame from the start of a chunk; returns how much of the chunk it took. */
  private mend(chunk: Uint8Array): number {
    let at = 0
    for (;;) {
      const taken = Math.min(this.torn.length - this.tornUsed, chunk.length - at)
      this.torn.set(chunk.subarray(at, at + taken), this.tornUsed)
      this.tornUsed += taken
      at += taken
      if (this.stopped || this.tornUsed < this.torn.length) return at
      const total = this.lengthOf(this.torn, 0)
      if (this.stopped) return at
      if (total === this.torn.length) {
        const frame = this.torn
        this.torn = EMPTY
        this.tornUsed = 0
        this.take(frame, 0, total)
        return at
      }
      const grown = new Uint8Array(total)
      grown.set(this.torn)
      this.torn = grown
    }
  }

  private keep(chunk: Uint8Array, at: number, bytes: number): void {
    this.torn = new Uint8Array(bytes)
    this.torn.set(chunk.subarray(at))
    this.tornUsed = chunk.length - at
  }

  private fail(message: string): 0 {
    this.stopped = true
    this.torn = EMPTY
    this.tornUsed = 0
    this.sink.broken(message)
    return 0
  }

  /** Total length of the frame whose prelude starts at `at`, checked. */
  private lengthOf(bytes: Uint8Array, at: number): number {
    if (crc32(bytes, at, at + 8) !== uint32(bytes, at + 8)) return this.fail('event stream prelude checksum')
    const total = uint32(bytes, at)
    const headers = uint32(bytes, at + 4)
    if (total < FRAME_BYTES_MIN || headers > total - FRAME_BYTES_MIN)
      return this.fail('event stream frame lengths')
    if (total > this.frameBytesMax || headers > HEADER_BYTES_MAX)
      return this.fail('event stream frame too long')
    return total
  }

  private take(bytes: Uint8Array, at: number, total: number): void {
    const end = at + total - CRC_BYTES
    if (crc32(bytes, at, end) !== uint32(bytes, end)) {
      this.fail('event stream message checksum')
      return
    }
    const headersAt = at + PRELUDE_BYTES
    const payloadAt = headersAt + uint32(bytes, at + 4)
    const known = this.knownHeaders(bytes, headersAt, payloadAt)
    if (known !== null) {
      this.sink.frame(known.kind, known.name, bytes.subarray(payloadAt, end))
      return
    }
    const headers = readHeaders(bytes, headersAt, payloadAt)
    if (headers === null) {
      this.fail('event stream headers')
      return
    }
    if (this.seen.length < HEADERS_SEEN_MAX && headers.block.length <= HEADERS_SEEN_BYTES_MAX)
      this.seen.push(headers)
    const payload = headers.kind === 'error' ? headers.message : bytes.subarray(payloadAt, end)
    this.sink.frame(headers.kind, headers.name, payload)
  }

  /** Headers that came before, byte for byte. A stream has a handful of different ones. */
  private knownHeaders(bytes: Uint8Array, start: number, end: number): Headers | null {
    for (const headers of this.seen) {
      const { block } = headers
      if (block.length !== end - start) continue
      let index = 0
      while (index < block.length && block[index] === bytes[start + index]) index += 1
      if (index === block.length && headers.kind !== 'error') return headers
    }
    return null
  }
}

interface Headers {
  /** A copy of the bytes they were read from. */
  readonly block: Uint8Array
  readonly kind: string
  readonly name: string
  readonly message: Uint8Array
}

/** Null when they are malformed. */
function readHeaders(bytes: Uint8Array, start: number, end: number): Headers | null {
  let kind = 'event'
  let name = ''
  let message: Uint8Array = EMPTY
  let header = start
  while (header < end) {
    const nameEnd = header + 1 + bytes[header]!
    const type = bytes[nameEnd] ?? 255
    const fixed = VALUE_BYTES[type]
    const valueAt = fixed === -1 ? nameEnd + 3 : nameEnd + 1
    const valueEnd =
      fixed === -1 ? valueAt + ((bytes[nameEnd + 1]! << 8) | bytes[nameEnd + 2]!) : valueAt + (fixed ?? 0)
    if (fixed === undefined || valueEnd > end) return null
    if (type === TYPE_STRING && bytes[header + 1] === 0x3a) {
      const value = bytes.subarray(valueAt, valueEnd)
      switch (decoder.decode(bytes.subarray(header + 1, nameEnd))) {
        case ':message-type':
          kind = decoder.decode(value)
          break
        case ':event-type':
        case ':exception-type':
        case ':error-code':
          name = decoder.decode(value)
          break
        case ':error-message':
          message = value
          break
      }
    }
    header = valueEnd
  }
  return { block: bytes.slice(start, end), kind, name, message }
}

function uint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

/** Header blocks of the few frames a stream is made of; made once, with a bound in case names come from outside. */
const headerBlocks = new Map<string, Uint8Array>()
const HEADER_BLOCKS_MAX = 64

function headerBlock(kind: string, name: string): Uint8Array {
  const key = `${kind} ${name}`
  const known = headerBlocks.get(key)
  if (known !== undefined) return known
  const block: number[] = []
  addHeader(block, kind === 'event' ? ':event-type' : ':exception-type', name)
  addHeader(block, ':content-type', 'application/json')
  addHeader(block, ':message-type', kind)
  const bytes = Uint8Array.from(block)
  if (headerBlocks.size < HEADER_BLOCKS_MAX) headerBlocks.set(key, bytes)
  return bytes
}

function addHeader(block: number[], name: string, value: string): void {
  const nameBytes = encoder.encode(name)
  const valueBytes = encoder.encode(value)
  block.push(
    nameBytes.length,
    ...nameBytes,
    TYPE_STRING,
    valueBytes.length >>> 8,
    valueBytes.length & 0xff,
    ...valueBytes,
  )
}

/** A UTF-16 unit takes at most three bytes of UTF-8. */
const UTF8_BYTES_PER_UNIT_MAX = 3

/** Writes one frame with a JSON payload. `kind` is `event` or `exception`. */
export function writeFrame(out: ByteOut, kind: 'event' | 'exception', name: string, json: string): void {
  const headers = headerBlock(kind, name)
  const payloadAt = PRELUDE_BYTES + headers.length
  const frame = out.room(payloadAt + json.length * UTF8_BYTES_PER_UNIT_MAX + CRC_BYTES)
  const end = payloadAt + encoder.encodeInto(json, frame.subarray(payloadAt)).written
  putUint32(frame, 0, end + CRC_BYTES)
  putUint32(frame, 4, headers.length)
  putUint32(frame, 8, crc32(frame, 0, 8))
  frame.set(headers, PRELUDE_BYTES)
  putUint32(frame, end, crc32(frame, 0, end))
  out.took(end + CRC_BYTES)
}

// Completes a binary frame that was torn off, so that the frame behind it is one of its own: lengths are kept where
// they were sent, headers stay well-formed, the checksums are right. What the torn frame says then is nothing: its
// type becomes one that clients skip where that was still open; else a text event keeps what came of it, and any
// other event becomes unreadable, because half an event must not pass for a whole one.

import { crc32 } from '../bytes/crc32.ts'
import { equalBytes } from './member-scanner.ts'
import { closingOf } from './torn-json.ts'

export interface TornFrame {
  /** The prelude, as far as it was sent. */
  readonly prelude: Uint8Array
  readonly preludeBytes: number
  /** Headers as far as they were sent, when they were not sent whole; else empty. */
  readonly headers: Uint8Array
  readonly headersLeft: number
  /** Payload as far as it was sent; '' when it is too long or its event must stay unreadable. */
  readonly payload: string
  readonly payloadLeft: number
  readonly checksumLeft: number
  /** Checksum of everything sent before the message checksum. */
  readonly crc: number
}

/** More filler is not worth sending: only a torn image is missing more. */
const REST_BYTES_MAX = 1024 * 1024
/** The service's own maximum. */
const HEADERS_BYTES_MAX = 128 * 1024
const PRELUDE_BYTES = 12
const CRC_BYTES = 4
const FRAME_BYTES_MIN = PRELUDE_BYTES + CRC_BYTES
const TYPE_TRUE = 0
const TYPE_BYTE = 2
const TYPE_STRING = 7
/** Bytes of fixed-size header values by type; -1 carries its own length. */
const VALUE_BYTES = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16] as const
/** No JSON starts or ends with it. */
const UNREADABLE = 0x21
const SPACE = 0x20
const DASH = 0x2d

const encoder = new TextEncoder()

function stringHeader(name: string, value: string): number[] {
  const bytes = encoder.encode(value)
  return [
    name.length,
    ...encoder.encode(name),
    TYPE_STRING,
    bytes.length >>> 8,
    bytes.length & 0xff,
    ...bytes,
  ]
}

const IS_EVENT = stringHeader(':message-type', 'event')
/** An event of a type that no service sends: clients skip it. */
const SKIPPED_EVENT = [...stringHeader(':event-type', 'torn'), ...IS_EVENT]

/**
 * The bytes that are missing, or null when there are too many or none would make a frame of it: then the client's own
 * complaint about a truncated frame has to do.
 */
export function restOfFrame(torn: TornFrame): Uint8Array | null {
  const rest: number[] = []
  let { headersLeft, payloadLeft } = torn
  if (torn.preludeBytes < PRELUDE_BYTES) {
    const prelude = wholePrelude(torn.prelude, torn.preludeBytes)
    const view = new DataView(prelude.buffer)
    headersLeft = view.getUint32(4)
    payloadLeft = view.getUint32(0) - headersLeft - FRAME_BYTES_MIN
    rest.push(...prelude.subarray(torn.preludeBytes))
  }
  // Lengths that contradict each other, as far as they were sent, are no frame's.
  if (payloadLeft < 0 || headersLeft > HEADERS_BYTES_MAX || payloadLeft > REST_BYTES_MAX) return null
  if (headersLeft > 0) pushHeaders(rest, torn.headers, headersLeft)
  const payload = payloadRest(torn.payload, payloadLeft)
  const bytes = new Uint8Array(rest.length + payload.length + torn.checksumLeft)
  bytes.set(rest)
  bytes.set(payload, rest.length)
  const end = rest.length + payload.length
  const crc = new Uint8Array(CRC_BYTES)
  new DataView(crc.buffer).setUint32(0, crc32(bytes, 0, end, torn.crc))
  bytes.set(crc.subarray(CRC_BYTES - torn.checksumLeft), end)
  return bytes
}

/** The prelude with the lengths that are still open chosen so that an event that is skipped fits. */
function wholePrelude(sent: Uint8Array, used: number): Uint8Array {
  const prelude = new Uint8Array(PRELUDE_BYTES)
  prelude.set(sent.subarray(0, used))
  const view = new DataView(prelude.buffer)
  if (used < 4) view.setUint32(0, Math.max(view.getUint32(0), FRAME_BYTES_MIN + SKIPPED_EVENT.length))
  if (used < 8) {
    const room = view.getUint32(0) - FRAME_BYTES_MIN
    const headers = Math.max(view.getUint32(4), Math.min(room, SKIPPED_EVENT.length))
    view.setUint32(4, headers)
  }
  view.setUint32(8, crc32(prelude, 0, 8))
  return prelude
}

function payloadRest(sent: string, left: number): Uint8Array {
  const closing = sent === '' ? null : closingOf(sent)
  // A text that nobody sent would be shown to somebody.
  if (closing === null || closing.invents) return new Uint8Array(left).fill(UNREADABLE)
  const text = `${closing.inName ? '-' : ''}${closing.text}}`
  if (text.length > left) return new Uint8Array(left).fill(UNREADABLE)
  const rest = new Uint8Array(left).fill(SPACE)
  rest.set(encoder.encode(text))
  return rest
}

function pushHeaders(rest: number[], sent: Uint8Array, left: number): void {
  const to = rest.length + left
  pushHeaderRest(rest, sent, to)
  fill(rest, to - rest.length)
}

/** Completes the header that was torn, if one was. */
function pushHeaderRest(rest: number[], sent: Uint8Array, to: number): void {
  let at = 0
  for (;;) {
    if (at === sent.length) return
    const end = headerEnd(sent, at)
    if (end > sent.length) break
    at = end
  }
  const torn = sent.subarray(at)
  const room = to - rest.length
  const missing = IS_EVENT.length - torn.length
  if (missing > 0 && fits(room - missing) && equalBytes(torn, Uint8Array.from(IS_EVENT), 0, torn.length)) {
    rest.push(...IS_EVENT.slice(torn.length))
    return
  }
  pushTornHeader(rest, torn, to)
}

function pushTornHeader(rest: number[], torn: Uint8Array, to: number): void {
  const nameEnd = 1 + torn[0]!
  for (let at = torn.length; at < nameEnd; at++) rest.push(DASH)
  const type = torn[nameEnd]
  if (type === undefined) {
    pushType(rest, to - rest.length)
    return
  }
  const fixed = VALUE_BYTES[type] ?? 0
  if (fixed >= 0) {
    for (let at = torn.length; at < nameEnd + 1 + fixed; at++) rest.push(0)
    return
  }
  const high = torn[nameEnd + 1]
  let length = ((high ?? 0) << 8) | (torn[nameEnd + 2] ?? 0)
  if (high === undefined) rest.push(0)
  if (torn[nameEnd + 2] === undefined) {
    const room = to - rest.length - 1
    // One byte left over would be no header.
    if (!fits(room - length)) length += 1
    rest.push(length & 0xff)
  }
  for (let at = Math.max(torn.length, nameEnd + 3); at < nameEnd + 3 + length; at++) rest.push(DASH)
}

/** Type and value of a header whose name is all that was sent. */
function pushType(rest: number[], room: number): void {
  if (room === 1) rest.push(TYPE_TRUE)
  else if (room === 2) rest.push(TYPE_BYTE, 0)
  else if (fits(room - 3)) rest.push(TYPE_STRING, 0, 0)
  else rest.push(TYPE_STRING, 0, 1, DASH)
}

/** Where the header at `at` ends, or more than there is. */
function headerEnd(sent: Uint8Array, at: number): number {
  const nameEnd = at + 1 + sent[at]!
  const type = sent[nameEnd]
  if (type === undefined) return sent.length + 1
  const fixed = VALUE_BYTES[type] ?? 0
  if (fixed >= 0) return nameEnd + 1 + fixed
  const low = sent[nameEnd + 2]
  return low === undefined ? sent.length + 1 : nameEnd + 3 + ((sent[nameEnd + 1]! << 8) | low)
}

/** Whole headers of exactly `room` bytes. */
function fill(rest: number[], room: number): void {
  let left = room
  for (const headers of [SKIPPED_EVENT, IS_EVENT]) {
    if (left === room && fits(left - headers.length)) {
      rest.push(...headers)
      left -= headers.length
    }
  }
  if (left === 0) return
  if (left < 5) {
    // A single byte is no header; only a prelude that lied about its lengths leaves one.
    if (left === 1) {
      rest.push(0)
      return
    }
    rest.push(left - 2)
    for (let at = 2; at < left; at++) rest.push(DASH)
    rest.push(TYPE_TRUE)
    return
  }
  const length = left - 5
  rest.push(1, DASH, TYPE_STRING, length >>> 8, length & 0xff)
  for (let at = 0; at < length; at++) rest.push(DASH)
}

/** No header is a single byte long. */
function fits(left: number): boolean {
  return left === 0 || left >= 2
}

// Follows the AWS binary event stream through bytes cut anywhere, and holds none of it but a torn prelude or header
// block. Payloads go to a member scanner as they come. Message checksums are the client's to check; the prelude's
// is checked here, because everything after a wrong length would be nonsense.

import { crc32 } from '../bytes/crc32.ts'
import { equalBytes, type MemberScanner } from './member-scanner.ts'

/** The service's own maxima. */
const FRAME_BYTES_MAX = 24 * 1024 * 1024
const HEADER_BYTES_MAX = 128 * 1024
const PRELUDE_BYTES = 12
const CRC_BYTES = 4
const TYPE_STRING = 7
/** Bytes of fixed-size header values by type; -1 carries its own length. */
const VALUE_BYTES = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16] as const

export interface FrameWatcher {
  /** A frame ends. `name` is the event's, the exception's or the error's, in `bytes[from, to)`. */
  frameEnded(isEvent: boolean, name: Uint8Array, used: number): void
  /** Nothing that follows can be understood. */
  broken(message: string): void
}

const encoder = new TextEncoder()
const MESSAGE_TYPE = encoder.encode(':message-type')
const EVENT = encoder.encode('event')
const NAMES = [':event-type', ':exception-type', ':error-code'].map(name => encoder.encode(name))
/** Longest event or exception name that is kept. */
const NAME_BYTES_MAX = 64

const PRELUDE = 0
const HEADERS = 1
const PAYLOAD = 2
const CHECKSUM = 3
const STOPPED = 4

export class FrameScanner {
  private readonly json: MemberScanner
  private readonly watcher: FrameWatcher
  private state: number
  /** Bytes of the current section that are still to come. */
  private left: number
  private payloadBytes: number
  private readonly prelude: Uint8Array
  private headers: Uint8Array
  private isEvent: boolean
  private readonly name: Uint8Array
  private nameUsed: number

  constructor(json: MemberScanner, watcher: FrameWatcher) {
    this.json = json
    this.watcher = watcher
    this.state = PRELUDE
    this.left = PRELUDE_BYTES
    this.payloadBytes = 0
    this.prelude = new Uint8Array(PRELUDE_BYTES)
    this.headers = EMPTY
    this.isEvent = true
    this.name = new Uint8Array(NAME_BYTES_MAX)
    this.nameUsed = 0
  }

  get between(): boolean {
    return this.state === PRELUDE && this.left === PRELUDE_BYTES
  }

  scan(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length && this.state !== STOPPED) {
      const taken = Math.min(this.left, bytes.length - at)
      this.section(bytes, at, at + taken)
      at += taken
    }
  }

  private section(bytes: Uint8Array, from: number, to: number): void {
    const done = this.left - (to - from)
    switch (this.state) {
      case PRELUDE:
        this.prelude.set(bytes.subarray(from, to), PRELUDE_BYTES - this.left)
        this.left = done
        if (done === 0) this.readPrelude()
        return
      case HEADERS:
        this.takeHeaders(bytes, from, to)
        return
      case PAYLOAD:
        this.feed(bytes, from, to)
        this.left = done
        if (done === 0) this.enter(CHECKSUM, CRC_BYTES)
        return
      default:
        this.left = done
        if (done === 0) this.endFrame()
    }
  }

  private enter(state: number, bytes: number): void {
    this.state = state
    this.left = bytes
    if (bytes > 0) return
    if (state === HEADERS) this.enter(PAYLOAD, this.payloadBytes)
    else if (state === PAYLOAD) this.enter(CHECKSUM, CRC_BYTES)
  }

  private readPrelude(): void {
    const { prelude } = this
    const view = new DataView(prelude.buffer, prelude.byteOffset, PRELUDE_BYTES)
    const total = view.getUint32(0)
    const headers = view.getUint32(4)
    if (crc32(prelude, 0, 8) !== view.getUint32(8)) this.stop('event stream prelude checksum')
    else if (total < PRELUDE_BYTES + CRC_BYTES || headers > total - PRELUDE_BYTES - CRC_BYTES) {
      this.stop('event stream frame lengths')
    } else if (total > FRAME_BYTES_MAX || headers > HEADER_BYTES_MAX) this.stop('event stream frame too long')
    else {
      this.payloadBytes = total - headers - PRELUDE_BYTES - CRC_BYTES
      this.enter(HEADERS, headers)
    }
  }

  private takeHeaders(bytes: Uint8Array, from: number, to: number): void {
    const count = to - from
    if (this.headers === EMPTY && count === this.left) this.readHeaders(bytes, from, to)
    else {
      if (this.headers === EMPTY) this.headers = new Uint8Array(this.left)
      this.headers.set(bytes.subarray(from, to), this.headers.length - this.left)
      if (count === this.left) this.readHeaders(this.headers, 0, this.headers.length)
    }
    this.left -= count
    if (this.left > 0 || this.state === STOPPED) return
    this.headers = EMPTY
    this.enter(PAYLOAD, this.payloadBytes)
  }

  private readHeaders(bytes: Uint8Array, from: number, to: number): void {
    let at = from
    while (at < to) {
      const nameEnd = at + 1 + bytes[at]!
      const type = bytes[nameEnd] ?? 255
      const fixed = VALUE_BYTES[type]
      const valueAt = fixed === -1 ? nameEnd + 3 : nameEnd + 1
      const valueEnd =
        fixed === -1 ? valueAt + ((bytes[nameEnd + 1]! << 8) | bytes[nameEnd + 2]!) : valueAt + (fixed ?? 0)
      if (fixed === undefined || valueEnd > to) {
        this.stop('event stream headers')
        return
      }
      if (type === TYPE_STRING) this.header(bytes, at + 1, nameEnd, valueAt, valueEnd)
      at = valueEnd
    }
  }

  private header(bytes: Uint8Array, from: number, nameEnd: number, valueAt: number, valueEnd: number): void {
    if (equalBytes(MESSAGE_TYPE, bytes, from, nameEnd))
      this.isEvent = equalBytes(EVENT, bytes, valueAt, valueEnd)
    else if (NAMES.some(name => equalBytes(name, bytes, from, nameEnd))) {
      this.nameUsed = Math.min(valueEnd - valueAt, NAME_BYTES_MAX)
      this.name.set(bytes.subarray(valueAt, valueAt + this.nameUsed))
    }
  }

  private feed(bytes: Uint8Array, from: number, to: number): void {
    let at = from
    while (at < to) {
      at = this.json.feed(bytes, at, to)
      if (at === to) return
      this.json.lineBreak()
      at += 1
    }
  }

  private endFrame(): void {
    this.watcher.frameEnded(this.isEvent, this.name, this.nameUsed)
    this.json.reset()
    this.isEvent = true
    this.nameUsed = 0
    this.enter(PRELUDE, PRELUDE_BYTES)
  }

  private stop(message: string): void {
    this.state = STOPPED
    this.watcher.broken(message)
  }
}

const EMPTY = new Uint8Array(0)

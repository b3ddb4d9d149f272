// Follows the AWS binary event stream through bytes cut anywhere, and holds none of it but the start of a torn frame.
// Payloads go to a member scanner as they come. Message checksums are the client's to check; the prelude's is checked
// here, because everything after a wrong length would be nonsense.
// The trick: most frames have the header block of the one before, so a comparison replaces reading it.

import { crc32 } from '../bytes/crc32.ts'
import { ByteQueue } from '../bytes/byte-queue.ts'
import { equalBytes, type MemberScanner } from './member-scanner.ts'
import { restOfFrame } from './torn-frame.ts'

/** The service's own maxima. */
const FRAME_BYTES_MAX = 24 * 1024 * 1024
const HEADER_BYTES_MAX = 128 * 1024
const PRELUDE_BYTES = 12
const CRC_BYTES = 4
const TYPE_STRING = 7
/** Bytes of fixed-size header values by type; -1 carries its own length. */
const VALUE_BYTES = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16] as const

export interface FrameWatcher {
  /** A frame's payload begins. False if nothing in it can be news. */
  frameStarted(isEvent: boolean, name: Uint8Array, used: number): boolean
  /** A frame ends. `name` is the event's, the exception's or the error's; `text` an error's message. */
  frameEnded(isEvent: boolean, name: Uint8Array, used: number, text: string): void
  /** Nothing that follows can be understood. */
  broken(message: string): void
}

const encoder = new TextEncoder()
const MESSAGE_TYPE = encoder.encode(':message-type')
const EVENT = encoder.encode('event')
const ERROR_MESSAGE = encoder.encode(':error-message')
const NAMES = [':event-type', ':exception-type', ':error-code'].map(name => encoder.encode(name))
/** A torn payload longer than this is made unreadable instead of being closed. */
const TORN_BYTES_MAX = 64 * 1024
/** Header blocks of events are shorter; a longer one is read every time. */
const KNOWN_HEADERS_BYTES_MAX = 256
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
  private readonly view: DataView
  /** Headers that a cut tore, in a block as long as they will be. */
  private headers: Uint8Array
  /** The last header block that was read, with what it says below. */
  private readonly known: Uint8Array
  private knownUsed: number
  private watched: boolean
  /** Payload of a torn frame as far as earlier pieces brought it. */
  private readonly payload: ByteQueue
  private payloadLost: boolean
  private payloadFrom: number
  /** Checksum of a torn frame as far as earlier pieces brought it. */
  private crc: number
  private frameFrom: number
  private isEvent: boolean
  /** What an error frame says, which has no payload. */
  private text: string
  private readonly name: Uint8Array
  private nameUsed: number

  constructor(json: MemberScanner, watcher: FrameWatcher) {
    this.json = json
    this.watcher = watcher
    this.state = PRELUDE
    this.left = PRELUDE_BYTES
    this.payloadBytes = 0
    this.prelude = new Uint8Array(PRELUDE_BYTES)
    this.view = new DataView(this.prelude.buffer)
    this.headers = EMPTY
    this.known = new Uint8Array(KNOWN_HEADERS_BYTES_MAX)
    this.knownUsed = -1
    this.watched = true
    this.payload = new ByteQueue(TORN_BYTES_MAX)
    this.payloadLost = false
    this.payloadFrom = 0
    this.crc = 0
    this.frameFrom = 0
    this.isEvent = true
    this.text = ''
    this.name = new Uint8Array(NAME_BYTES_MAX)
    this.nameUsed = 0
  }

  get between(): boolean {
    return this.state === PRELUDE && this.left === PRELUDE_BYTES
  }

  scan(bytes: Uint8Array): void {
    let at = 0
    this.frameFrom = 0
    this.payloadFrom = 0
    while (at < bytes.length && this.state !== STOPPED) {
      const taken = Math.min(this.left, bytes.length - at)
      this.section(bytes, at, at + taken)
      at += taken
    }
    if (!this.between && this.state !== STOPPED) this.keepTorn(bytes)
  }

  /**
   * What must be written so that the next frame is one of its own, or null when nothing can make it so. The torn one
   * is made unreadable on request.
   */
  tornEnding(unreadable: boolean): Uint8Array | null {
    if (this.between) return EMPTY
    if (this.state === STOPPED) return null
    const inHeaders = this.state === HEADERS
    return restOfFrame({
      prelude: this.prelude,
      preludeBytes: this.state === PRELUDE ? PRELUDE_BYTES - this.left : PRELUDE_BYTES,
      headers: inHeaders ? this.headers.subarray(0, this.headers.length - this.left) : EMPTY,
      headersLeft: inHeaders ? this.left : 0,
      payload: this.state !== PAYLOAD || unreadable ? '' : wholeText(this.payload.take()),
      payloadLeft: this.state === PAYLOAD ? this.left : inHeaders ? this.payloadBytes : 0,
      checksumLeft: this.state === CHECKSUM ? this.left : CRC_BYTES,
      crc: this.crc,
    })
  }

  private keepTorn(bytes: Uint8Array): void {
    const checksum = this.state === CHECKSUM ? CRC_BYTES - this.left : 0
    const to = bytes.length - checksum
    // A checksum cut in the middle adds nothing to itself.
    if (to > this.frameFrom) this.crc = crc32(bytes, this.frameFrom, to, this.crc)
    if (this.state !== PAYLOAD || this.payloadLost) return
    this.payloadLost = !this.payload.push(bytes.subarray(this.payloadFrom))
  }

  private section(bytes: Uint8Array, from: number, to: number): void {
    const done = this.left - (to - from)
    switch (this.state) {
      case PRELUDE:
        for (let at = from; at < to; at++) this.prelude[PRELUDE_BYTES - this.left + at - from] = bytes[at]!
        this.left = done
        if (done === 0) this.readPrelude(to)
        return
      case HEADERS:
        this.takeHeaders(bytes, from, to)
        return
      case PAYLOAD:
        if (this.watched) this.feed(bytes, from, to)
        this.left = done
        if (done === 0) this.enter(CHECKSUM, CRC_BYTES)
        return
      default:
        this.left = done
        if (done === 0) this.endFrame(to)
    }
  }

  private enter(state: number, bytes: number): void {
    this.state = state
    this.left = bytes
    if (bytes > 0) return
    if (state === PAYLOAD) this.enter(CHECKSUM, CRC_BYTES)
  }

  private readPrelude(at: number): void {
    const { prelude, view } = this
    const total = view.getUint32(0)
    const headers = view.getUint32(4)
    if (crc32(prelude, 0, 8) !== view.getUint32(8)) this.stop('event stream prelude checksum')
    else if (total < PRELUDE_BYTES + CRC_BYTES || headers > total - PRELUDE_BYTES - CRC_BYTES) {
      this.stop('event stream frame lengths')
    } else if (total > FRAME_BYTES_MAX || headers > HEADER_BYTES_MAX) this.stop('event stream frame too long')
    else {
      this.payloadBytes = total - headers - PRELUDE_BYTES - CRC_BYTES
      this.enter(HEADERS, headers)
      if (headers === 0) this.takeHeaders(EMPTY, at, at)
    }
  }

  private takeHeaders(bytes: Uint8Array, from: number, to: number): void {
    const count = to - from
    const torn = this.headers !== EMPTY || count < this.left
    if (torn) {
      if (this.headers === EMPTY) this.headers = new Uint8Array(this.left)
      this.headers.set(bytes.subarray(from, to), this.headers.length - this.left)
    }
    this.left -= count
    if (this.left > 0) return
    if (torn) this.learnHeaders(this.headers, 0, this.headers.length)
    else this.learnHeaders(bytes, from, to)
    this.headers = EMPTY
    if (this.state === STOPPED) return
    this.watched = this.watcher.frameStarted(this.isEvent, this.name, this.nameUsed)
    this.payloadFrom = to
    this.enter(PAYLOAD, this.payloadBytes)
  }

  private learnHeaders(bytes: Uint8Array, from: number, to: number): void {
    const { known, knownUsed } = this
    if (to - from === knownUsed) {
      let same = 0
      while (same < knownUsed && known[same] === bytes[from + same]) same += 1
      if (same === knownUsed) return
    }
    this.isEvent = true
    this.text = ''
    this.nameUsed = 0
    this.readHeaders(bytes, from, to)
    this.knownUsed = to - from > KNOWN_HEADERS_BYTES_MAX ? -1 : to - from
    if (this.knownUsed > 0) known.set(bytes.subarray(from, to))
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
    else if (equalBytes(ERROR_MESSAGE, bytes, from, nameEnd))
      this.text = decoder.decode(bytes.subarray(valueAt, valueEnd))
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
      this.json.lineBreak(at)
      at += 1
    }
  }

  private endFrame(at: number): void {
    this.watcher.frameEnded(this.isEvent, this.name, this.nameUsed, this.text)
    this.json.reset()
    this.crc = 0
    this.frameFrom = at
    this.payloadLost = false
    if (this.payload.length > 0) this.payload.clear()
    this.enter(PRELUDE, PRELUDE_BYTES)
  }

  private stop(message: string): void {
    this.state = STOPPED
    this.watcher.broken(message)
  }
}

const decoder = new TextDecoder()
const EMPTY = new Uint8Array(0)

/** '' when the end tears a character: closed behind it, the event would say a character that nobody sent. */
function wholeText(bytes: Uint8Array): string {
  const text = decoder.decode(bytes)
  return text.endsWith('\ufffd') ? '' : text
}

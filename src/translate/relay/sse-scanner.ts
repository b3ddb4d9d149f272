// Follows server-sent events through bytes cut anywhere, and holds none of them: data goes to a member scanner as it
// comes, so an event may be as long as it likes. Owns lines and fields as the WHATWG grammar has them.

import type { MemberScanner, Watcher } from './member-scanner.ts'
import { Repeats } from './repeats.ts'
import { ByteQueue } from '../bytes/byte-queue.ts'

/** Longest event name that is kept; the known ones are shorter. */
const EVENT_NAME_BYTES_MAX = 64

/** Torn data longer than this is not closed but left torn. */
const TORN_BYTES_MAX = 64 * 1024

export interface EventWatcher {
  /** An event ends at `at` of what is being scanned, behind its blank line. True if it may come again and mean nothing new. */
  eventEnded(at: number): boolean
  /** An event like the last one that might ends at `at`. */
  eventRepeated(at: number): void
  /** The blank line was a CR and a LF follows it, up to `at`. */
  lineFeedEnded(at: number): void
}

/** Before the first line: a byte order mark may come. */
const MARK = 0
const LINE_START = 1
const FIELD = 2
const AFTER_COLON = 3
const DATA_START = 4
const DATA = 5
const DONE_MARK = 6
const EVENT_NAME = 7
const OTHER = 8

const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a
const SPACE = 0x20
const DATA_WORD = [0x64, 0x61, 0x74, 0x61] as const
const EVENT_WORD = [0x65, 0x76, 0x65, 0x6e, 0x74] as const
/** `[DONE]`, which is no JSON. */
const DONE_WORD = [0x5b, 0x44, 0x4f, 0x4e, 0x45, 0x5d] as const
const MARK_WORD = [0xef, 0xbb, 0xbf] as const

export class SseScanner {
  private readonly json: MemberScanner
  private readonly watcher: EventWatcher
  private readonly members: Watcher
  private readonly repeats: Repeats
  private state: number
  private word: readonly number[]
  private wordAt: number
  /** The last byte was a CR: a LF now belongs to it. */
  private afterCr: boolean
  private afterBlankCr: boolean
  /** The event has a data line. */
  hasData: boolean
  /** Its data starts with `[DONE]`. */
  isDone: boolean
  /** Its data starts with a bracket and is not that: no event of any dialect. */
  isOdd: boolean
  /** Bytes of the event so far, ends of lines included; up to date when `scan` has returned. */
  eventBytes: number
  /** Made when the first event with a name comes. */
  eventName: Uint8Array
  eventNameUsed: number
  /** Data of the current event that earlier pieces brought, as long as it is one line and short. */
  private readonly torn: ByteQueue
  /** Where data starts in what is being scanned, or -1. */
  private dataFrom: number
  private dataLines: number

  constructor(json: MemberScanner, members: Watcher, watcher: EventWatcher) {
    this.json = json
    this.members = members
    this.watcher = watcher
    this.repeats = new Repeats()
    this.state = MARK
    this.word = MARK_WORD
    this.wordAt = 0
    this.afterCr = false
    this.afterBlankCr = false
    this.hasData = false
    this.isDone = false
    this.isOdd = false
    this.eventBytes = 0
    this.eventName = NO_BYTES
    this.eventNameUsed = 0
    this.torn = new ByteQueue(TORN_BYTES_MAX)
    this.dataFrom = -1
    this.dataLines = 0
  }

  scan(bytes: Uint8Array): void {
    const to = bytes.length
    let at = this.eventBytes === 0 ? this.skipRepeated(bytes, 0) : 0
    // Where the current event starts, or -1 when that was in an earlier piece.
    let eventFrom = this.eventBytes === 0 ? at : -1
    while (at < to) {
      const code = bytes[at]!
      if (this.afterCr) {
        this.afterCr = false
        if (code === LF) {
          at += 1
          if (!this.afterBlankCr) continue
          this.watcher.lineFeedEnded(at)
          at = this.skipRepeated(bytes, at)
          eventFrom = at
          continue
        }
      }
      if (code !== LF && code !== CR) {
        at = this.step(bytes, at, to, code)
        continue
      }
      at += 1
      const blank = this.atLineStart
      if (code === CR) {
        this.afterCr = true
        this.afterBlankCr = blank
      }
      if (!blank) this.endLine(at - 1)
      else {
        this.endEvent(bytes, eventFrom, at)
        at = this.skipRepeated(bytes, at)
        eventFrom = at
      }
    }
    this.eventBytes += to - Math.max(eventFrom, 0)
    if (this.state === DATA) this.keepTorn(bytes)
  }

  /** The last event has ended and the next has not begun; up to date when `scan` has returned. */
  get between(): boolean {
    // Behind a CR a LF may still belong to the blank line; in front of everything a byte order mark may come.
    return this.eventBytes === 0 && this.state === LINE_START && !this.afterCr
  }

  /** Name of the current event, '' when it has none. */
  get name(): string {
    return decoder.decode(this.eventName.subarray(0, this.eventNameUsed))
  }

  /** What is missing until the first byte of data of an event that clients will see, or null. */
  get dataPrefix(): string | null {
    if (this.hasData) return this.state === DATA_START ? '' : null
    if (this.state === AFTER_COLON && this.word === DATA_WORD) return ''
    if (this.state === FIELD && this.word === DATA_WORD && this.wordAt === DATA_WORD.length) return ': '
    // Some clients see an event that has a name and nothing else.
    if (this.eventNameUsed === 0) return null
    return this.atLineStart && !this.afterCr ? 'data: ' : '\ndata: '
  }

  /** Data of the event that was torn in the middle of its only data line; '' for everything else. */
  get tornData(): string {
    return this.state === DATA && this.dataLines === 1 ? decoder.decode(this.torn.take()) : ''
  }

  private keepTorn(bytes: Uint8Array): void {
    // Data that passed the bound is lost, and with its length at 0 nothing more of it is kept.
    if (this.dataFrom >= 0 && !this.torn.push(bytes.subarray(this.dataFrom))) this.dataFrom = -1
    else if (this.dataFrom >= 0) this.dataFrom = 0
  }

  /** Passes over events that say what the last one said. */
  private skipRepeated(bytes: Uint8Array, from: number): number {
    let at = from
    if (!this.repeats.known || this.afterCr || at === bytes.length) return at
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (;;) {
      const end = this.repeats.match(bytes, view, at, this.members)
      if (end < 0) return at
      this.watcher.eventRepeated(end)
      at = end
      if (bytes[end - 1] !== CR) continue
      this.afterBlankCr = true
      this.afterCr = bytes[end] !== LF
      if (this.afterCr) return at
      at += 1
      this.watcher.lineFeedEnded(at)
    }
  }

  /** The input ended. An event without its blank line counts, because some servers forget it. */
  finish(): void {
    if (this.eventBytes === 0) return
    if (!this.atLineStart) this.endLine(0)
    this.endEvent(NO_BYTES, -1, 0)
  }

  /**
   * What must be written so that the next event is one of its own, wherever the bytes were torn. `lines` become
   * part of the torn event; they end with a line feed.
   */
  tornEnding(lines: string): string {
    // A client that looks for whole blank lines wants the second half of a CRLF.
    if (this.eventBytes === 0) return this.afterCr ? '\n' : ''
    // After a CR the first line feed only completes it.
    return this.atLineStart && !this.afterCr ? `${lines}\n` : `\n${lines}\n`
  }

  /** The last line has ended, or none has begun. */
  get atLineStart(): boolean {
    return this.state === LINE_START || (this.state === MARK && this.wordAt === 0)
  }

  private step(bytes: Uint8Array, at: number, to: number, code: number): number {
    switch (this.state) {
      case DATA:
        return this.json.feed(bytes, at, to)
      case LINE_START:
        return this.startLine(bytes, at, to, code)
      case FIELD:
        return this.field(at, code)
      case AFTER_COLON:
        return this.afterColon(at, code)
      case DATA_START:
        this.wordAt = 0
        this.state = code === DONE_WORD[0] ? DONE_MARK : DATA
        this.dataFrom = at
        return at
      case DONE_MARK:
        return this.doneMark(at, code)
      case EVENT_NAME:
        if (this.eventNameUsed < EVENT_NAME_BYTES_MAX) this.eventName[this.eventNameUsed++] = code
        return at + 1
      case MARK:
        return this.mark(at, code)
      default:
        return skipLine(bytes, at, to)
    }
  }

  private startLine(bytes: Uint8Array, at: number, to: number, code: number): number {
    if (code === DATA_WORD[0] && at + 5 < to && bytes[at + 4] === COLON && isData(bytes, at)) {
      // The usual spelling in one step.
      this.word = DATA_WORD
      this.wordAt = DATA_WORD.length
      this.state = AFTER_COLON
      return at + 5
    }
    this.wordAt = 1
    this.state = FIELD
    if (code === DATA_WORD[0]) this.word = DATA_WORD
    else if (code === EVENT_WORD[0]) this.word = EVENT_WORD
    else this.state = OTHER
    return at + 1
  }

  private field(at: number, code: number): number {
    if (code === COLON && this.wordAt === this.word.length) this.state = AFTER_COLON
    else if (code === this.word[this.wordAt]) this.wordAt += 1
    else this.state = OTHER
    return at + 1
  }

  private afterColon(at: number, code: number): number {
    this.startValue()
    return code === SPACE ? at + 1 : at
  }

  private startValue(): void {
    if (this.word === DATA_WORD) {
      this.state = this.hasData ? DATA : DATA_START
      this.hasData = true
      this.dataLines += 1
    } else {
      if (this.eventName === NO_BYTES) this.eventName = new Uint8Array(EVENT_NAME_BYTES_MAX)
      this.eventNameUsed = 0
      this.state = EVENT_NAME
    }
  }

  private doneMark(at: number, code: number): number {
    if (code !== DONE_WORD[this.wordAt]) this.isOdd = true
    else {
      this.wordAt += 1
      if (this.wordAt < DONE_WORD.length) return at + 1
      this.isDone = true
    }
    this.state = OTHER
    return at + 1
  }

  private mark(at: number, code: number): number {
    if (code !== MARK_WORD[this.wordAt]) {
      this.state = this.wordAt === 0 ? LINE_START : OTHER
      return at
    }
    this.wordAt += 1
    if (this.wordAt === MARK_WORD.length) this.state = LINE_START
    return at + 1
  }

  private endLine(at: number): void {
    if (this.state === DATA) this.json.lineBreak(at)
    else if (this.state === DONE_MARK) this.isOdd = true
    else if (this.state === AFTER_COLON) this.startValue()
    else if (this.state === FIELD && this.wordAt === this.word.length) this.startValue()
    this.state = LINE_START
  }

  private endEvent(bytes: Uint8Array, from: number, at: number): void {
    if (this.watcher.eventEnded(at) && from >= 0) this.repeats.learn(bytes, from, at, this.json.marks)
    this.json.reset()
    this.hasData = false
    this.isDone = false
    this.isOdd = false
    this.eventBytes = 0
    this.eventNameUsed = 0
    this.dataLines = 0
    this.dataFrom = -1
    if (this.torn.length > 0) this.torn.clear()
    this.state = LINE_START
  }
}

const decoder = new TextDecoder()
const NO_BYTES = new Uint8Array(0)

function isData(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 1] === DATA_WORD[1] && bytes[at + 2] === DATA_WORD[2] && bytes[at + 3] === DATA_WORD[3]
}

function skipLine(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  while (at < to && bytes[at] !== LF && bytes[at] !== CR) at += 1
  return at
}

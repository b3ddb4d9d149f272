// Reads a generateContent stream in either of its forms: server-sent events, or one JSON array that streams. The
// first byte that says something tells which.

import { membersOf, parsed } from '../bytes/json-look.ts'
import type { ErrorReply } from '../errors.ts'
import { type ElementSink, JsonArrayReader } from '../framing/json-array.ts'
import { type EventSink, SseReader } from '../framing/sse.ts'
import type { ReplyContext } from '../reply-context.ts'
import { brokenReply, incompleteReply } from '../translate-error.ts'
import type { ReplyReader, TurnSink } from '../turn.ts'
import { TurnReader } from './turn-read.ts'

export class GeminiStreamReader implements ReplyReader, EventSink, ElementSink {
  private readonly turn: TurnReader
  private sse: SseReader | null
  private array: JsonArrayReader | null

  constructor(to: TurnSink, context: ReplyContext) {
    this.turn = new TurnReader(to, context)
    this.sse = null
    this.array = null
  }

  write(chunk: Uint8Array): void {
    if (this.turn.over) return
    if (this.sse !== null) this.sse.write(chunk)
    else if (this.array !== null) this.array.write(chunk)
    else this.begin(chunk)
  }

  end(): void {
    this.sse?.end()
    if (this.array !== null && !this.array.complete) this.turn.fail(incompleteReply())
    else this.turn.end()
  }

  cut(error: ErrorReply): void {
    this.turn.fail(error)
  }

  event(_name: string, data: string): void {
    this.turn.frame(membersOf(parsed(data)), data)
  }

  element(json: string): void {
    this.turn.frame(membersOf(parsed(json)), json)
  }

  comment(): void {
    this.turn.ping()
  }

  tooLong(): void {
    this.turn.fail(brokenReply('a frame is too long'))
  }

  broken(message: string): void {
    this.turn.fail(brokenReply(message))
  }

  /** A byte order mark and white space before the first byte mean nothing in either form. */
  private begin(chunk: Uint8Array): void {
    const start = chunk.findIndex(byte => !BLANK.has(byte))
    if (start === -1) return
    const first = chunk[start]
    const rest = chunk.subarray(start)
    if (first === 0x5b || first === 0x7b) {
      this.array = new JsonArrayReader(this)
      this.array.write(rest)
    } else {
      this.sse = new SseReader(this)
      this.sse.write(rest)
    }
  }
}

/** The bytes of a byte order mark, and white space. */
const BLANK: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf, 0x20, 0x09, 0x0a, 0x0d])

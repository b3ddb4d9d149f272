// Reads a generateContent stream in either of its forms: server-sent events, or one JSON array that streams. The
// first byte that says something tells which.

import { listOf, type Members, membersOf, parsed } from '../bytes/json-look.ts'
import type { ErrorReply } from '../errors.ts'
import { type ElementSink, JsonArrayReader } from '../framing/json-array.ts'
import { slotsOf } from '../framing/known-frame.ts'
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
    const frame = membersOf(parsed(data))
    this.turn.frame(frame, data)
    if (frame !== null && isText(frame)) this.sse?.learn(frame, SLOTS)
  }

  /** A piece of text; its own source is not asked for. */
  again(frame: Members): void {
    this.turn.frame(frame, '')
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

/** What differs between frames that follow each other. */
const SLOTS = slotsOf(
  [
    'candidates.0.content.parts.0.text',
    'usageMetadata.promptTokenCount',
    'usageMetadata.candidatesTokenCount',
    'usageMetadata.thoughtsTokenCount',
    'usageMetadata.totalTokenCount',
  ],
  [],
)

/** One piece of text or thought: what other parts mean is also read from their source. */
function isText(frame: Members): boolean {
  const candidates = listOf(frame['candidates'])
  const parts = listOf(membersOf(membersOf(candidates[0])?.['content'])?.['parts'])
  const part = membersOf(parts[0])
  if (candidates.length !== 1 || parts.length !== 1 || part === null) return false
  return (
    typeof part['text'] === 'string' && Object.keys(part).every(key => key === 'text' || key === 'thought')
  )
}

/** The bytes of a byte order mark, and white space. */
const BLANK: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf, 0x20, 0x09, 0x0a, 0x0d])

// Server-sent events from bytes cut anywhere. Owns decoding, bounds and the end of input; the line grammar (CR, LF,
// CRLF, one optional space, several data lines, comments) is eventsource-parser's. Knows nothing of JSON.
// The tricks: a frame like the one before it is not read at all (`known-frame.ts`), and pieces are decoded by the
// decoder's fast path, which it leaves for good once it is asked to remember a torn character.

import { createParser, type EventSourceMessage, type EventSourceParser } from 'eventsource-parser'
import type { Members } from '../bytes/json-look.ts'
import { frameEnd, frameStart, jsonStart, endsFrame } from './frame-bounds.ts'
import { KnownFrame, type Slots } from './known-frame.ts'
import { Utf8Pieces } from './utf8-pieces.ts'

/** A generated image of this size is the largest single line that upstreams send. Counted in UTF-16 units. */
const EVENT_UNITS_MAX = 32 * 1024 * 1024

export interface EventSink {
  /** `name` is '' when the frame has no event line. */
  event(name: string, data: string): void
  /** The event that was given to `learn`, with other values in its slots. */
  again?(event: Members): void
  comment(): void
  /** A frame passed the bound; nothing follows. */
  tooLong(): void
}

export class SseReader {
  private readonly sink: EventSink
  private readonly parser: EventSourceParser
  private readonly decoder: Utf8Pieces
  private readonly known: KnownFrame
  /** The event at hand as the sink parsed it, when it may come again. */
  private wished: Members | null
  private slots: Slots
  /** What was read so far ended with the end of a frame. */
  private between: boolean
  private stopped: boolean

  constructor(sink: EventSink, unitsMax: number = EVENT_UNITS_MAX) {
    this.sink = sink
    this.decoder = new Utf8Pieces()
    this.known = new KnownFrame()
    this.wished = null
    this.slots = NO_SLOTS
    this.between = false
    this.stopped = false
    this.parser = createParser({
      onEvent: (message: EventSourceMessage) => {
        this.wished = null
        if (!this.stopped) this.sink.event(message.event ?? '', message.data)
      },
      onComment: () => {
        this.wished = null
        if (!this.stopped) this.sink.comment()
      },
      onError: error => {
        if (error.type === 'max-buffer-size-exceeded') this.overflow()
      },
      maxBufferSize: unitsMax,
    })
  }

  /** Called by the sink in `event`: what it parsed may come again with other values in these slots. */
  learn(event: Members, slots: Slots): void {
    this.wished = event
    this.slots = slots
  }

  write(chunk: Uint8Array): void {
    if (this.stopped) return
    const from = this.known.known ? this.repeated(chunk) : 0
    if (from < chunk.length && !this.stopped) this.feed(chunk, from, chunk.length)
  }

  /** A last frame without its blank line counts: some servers forget it. */
  end(): void {
    if (this.stopped) return
    this.parser.feed(`${this.decoder.end()}\n\n`)
    this.stopped = true
  }

  /** The sink has what it wants; what still arrives is dropped. */
  stop(): void {
    this.stopped = true
  }

  /** Takes frames that are like the one before, and those between them one by one. Returns where it stopped. */
  private repeated(chunk: Uint8Array): number {
    const { known } = this
    known.begin(chunk)
    let at = 0
    while (at < chunk.length && !this.stopped && known.known) {
      let end = this.between ? known.match(at) : -1
      if (end >= 0) this.sink.again!(known.again)
      else {
        end = frameEnd(chunk, at)
        if (end < 0) break
        this.feed(chunk, at, end)
      }
      at = end
    }
    known.release()
    return at
  }

  private feed(chunk: Uint8Array, from: number, to: number): void {
    const wasBetween = this.between
    this.wished = null
    this.parser.feed(this.decoder.text(chunk, from, to))
    this.between = endsFrame(chunk, from, to)
    const { wished } = this
    if (wished === null || !this.between || this.stopped) return
    const start = frameStart(chunk, from, to, wasBetween)
    const json = start < 0 ? -1 : jsonStart(chunk, start, to)
    if (json >= 0) this.known.learn(chunk, start, json, to, wished, this.slots)
  }

  private overflow(): void {
    if (this.stopped) return
    this.stopped = true
    this.sink.tooLong()
  }
}

const NO_SLOTS: Slots = { slots: [], ways: [] }

// Server-sent events from bytes cut anywhere. Owns decoding, bounds and the end of input; the line grammar (CR, LF,
// CRLF, one optional space, several data lines, comments) is eventsource-parser's. Knows nothing of JSON.
// The trick: one decoder call per piece of input keeps torn characters; events are slices of the decoded text.

import { createParser, type EventSourceMessage, type EventSourceParser } from 'eventsource-parser'

/** A generated image of this size is the largest single line that upstreams send. Counted in UTF-16 units. */
const EVENT_UNITS_MAX = 32 * 1024 * 1024

export interface EventSink {
  /** `name` is '' when the frame has no event line. */
  event(name: string, data: string): void
  comment(): void
  /** A frame passed the bound; nothing follows. */
  tooLong(): void
}

export class SseReader {
  private readonly sink: EventSink
  private readonly parser: EventSourceParser
  /** Drops a byte order mark at the start and turns invalid bytes into replacement characters. */
  private readonly decoder: TextDecoder
  private stopped: boolean

  constructor(sink: EventSink, unitsMax: number = EVENT_UNITS_MAX) {
    this.sink = sink
    this.decoder = new TextDecoder()
    this.stopped = false
    this.parser = createParser({
      onEvent: (message: EventSourceMessage) => {
        if (!this.stopped) this.sink.event(message.event ?? '', message.data)
      },
      onComment: () => {
        if (!this.stopped) this.sink.comment()
      },
      onError: error => {
        if (error.type === 'max-buffer-size-exceeded') this.overflow()
      },
      maxBufferSize: unitsMax,
    })
  }

  write(chunk: Uint8Array): void {
    if (!this.stopped) this.parser.feed(this.decoder.decode(chunk, STREAM))
  }

  /** A last frame without its blank line counts: some servers forget it. */
  end(): void {
    if (this.stopped) return
    this.parser.feed(`${this.decoder.decode()}\n\n`)
    this.stopped = true
  }

  /** The sink has what it wants; what still arrives is dropped. */
  stop(): void {
    this.stopped = true
  }

  private overflow(): void {
    if (this.stopped) return
    this.stopped = true
    this.sink.tooLong()
  }
}

const STREAM = { stream: true }

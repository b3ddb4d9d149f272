// The way of a relayed reply. Bytes leave as they came, in the call they came in; a scanner looks at them on the way
// and knows what they said. When the reply breaks, the client gets the error form of its dialect, as an event of its
// own wherever the bytes were torn.

import { ByteOut } from '../bytes/byte-out.ts'
import type { DialectId } from '../dialect.ts'
import type { ErrorReply } from '../errors.ts'
import type { ByteSink, ReplyFacts, ReplyPath } from '../reply-path.ts'
import { brokenReply, incompleteReply } from '../translate-error.ts'
import { ChatWatch } from './chat-watch.ts'
import { ConverseWatch } from './converse-watch.ts'
import { FrameScanner, type FrameWatcher } from './frame-scanner.ts'
import { GeminiWatch } from './gemini-watch.ts'
import { HidingEvents, RelayedEvents } from './events.ts'
import { MemberScanner } from './member-scanner.ts'
import { MessagesWatch } from './messages-watch.ts'
import { ResponsesWatch } from './responses-watch.ts'
import type { Watch } from './watch.ts'

export interface RelayWish {
  /** The dialect of both sides. */
  readonly dialect: DialectId
  /** The reply is a stream of the dialect; false is one JSON document. */
  readonly streaming: boolean
  /** Chat streams: usage was asked for by us, so the chunk that only tells it is not shown. */
  readonly hideUsage: boolean
  readonly out: ByteSink
}

export function relayReply(wish: RelayWish): ReplyPath {
  const { dialect, streaming, out } = wish
  if (!streaming) return new RelayedDocument(watchFor(dialect, false), out)
  if (dialect === 'bedrock-converse') return new RelayedFrames(new ConverseWatch(true), out)
  const watch = watchFor(dialect, true)
  return wish.hideUsage ? new HidingEvents(watch, out) : new RelayedEvents(watch, out)
}

function watchFor(dialect: DialectId, streaming: boolean): Watch {
  switch (dialect) {
    case 'openai-chat':
      return new ChatWatch()
    case 'openai-responses':
      return new ResponsesWatch(streaming)
    case 'anthropic-messages':
      return new MessagesWatch(streaming)
    case 'bedrock-converse':
      return new ConverseWatch(streaming)
    case 'gemini-generate':
      return new GeminiWatch(streaming)
  }
}

/** One JSON document. There is no error form once its bytes have left: what broke shows in the facts. */
class RelayedDocument implements ReplyPath {
  readonly facts: ReplyFacts
  readonly betweenEvents = false
  private readonly watch: Watch
  private readonly out: ByteSink
  private readonly json: MemberScanner

  constructor(watch: Watch, out: ByteSink) {
    this.watch = watch
    this.facts = watch.facts
    this.out = out
    this.json = new MemberScanner(watch.root, watch)
  }

  write(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      at = this.json.feed(chunk, at, chunk.length)
      if (at === chunk.length) break
      this.json.lineBreak(at)
      at += 1
    }
    this.out.write(chunk)
  }

  end(): void {
    const { facts } = this.watch
    if (this.json.whole) this.watch.document(NO_NAME, 0)
    else facts.fail(this.json.broken ? brokenReply('the body is not a JSON object') : incompleteReply())
    facts.complete()
  }

  cut(error: ErrorReply): void {
    this.watch.facts.fail(error)
  }
}

/** A binary event stream. */
class RelayedFrames implements ReplyPath, FrameWatcher {
  readonly facts: ReplyFacts
  readonly betweenEvents = false
  private readonly watch: ConverseWatch
  private readonly out: ByteSink
  private readonly json: MemberScanner
  private readonly frames: FrameScanner

  constructor(watch: ConverseWatch, out: ByteSink) {
    this.watch = watch
    this.facts = watch.facts
    this.out = out
    this.json = new MemberScanner(watch.root, watch)
    this.frames = new FrameScanner(this.json, this)
  }

  write(chunk: Uint8Array): void {
    this.frames.scan(chunk)
    this.out.write(chunk)
  }

  end(): void {
    if (this.frames.between && this.watch.mayEnd) this.watch.facts.complete()
    this.cut(incompleteReply())
  }

  cut(error: ErrorReply): void {
    if (this.facts.state !== 'open') return
    this.watch.facts.fail(error)
    const ending = this.frames.tornEnding(this.watch.endsReply)
    if (ending === null) return
    const form = new ByteOut()
    form.bytes(ending)
    this.watch.errorForm(form, error)
    form.flush(this.out)
  }

  frameStarted(isEvent: boolean, name: Uint8Array, used: number): boolean {
    return this.watch.frame(isEvent, name, used)
  }

  frameEnded(isEvent: boolean, name: Uint8Array, used: number, text: string): void {
    if (!isEvent) this.watch.exception(decoder.decode(name.subarray(0, used)), text)
    else if (this.json.whole) this.watch.document(name, used)
    else this.watch.forget()
  }

  broken(message: string): void {
    this.watch.facts.fail(brokenReply(message))
  }
}

const NO_NAME = new Uint8Array(0)
const decoder = new TextDecoder()

// Whole Responses replies. The reader feeds items through the same code as a stream; the writer prints what the
// items of the turn have become.

import { ByteQueue } from '../bytes/byte-queue.ts'
import { listOf, type Members, membersOf, parsed, textOf } from '../bytes/json-look.ts'
import { type JsonArray, JsonObject, readJsonObject } from '../bytes/json-tree.ts'
import type { ErrorReply } from '../errors.ts'
import type { ReplyContext } from '../reply-context.ts'
import { brokenReply, incompleteReply, TranslateError } from '../translate-error.ts'
import type { ReplyReader, TurnSink } from '../turn.ts'
import { ItemFeed, NAMELESS } from './item-read.ts'
import { ItemWriter } from './items-write.ts'
import { headOf } from './response-read.ts'
import { errorJson, failureJson, readErrorMembers } from './stream-error.ts'
import { finishOf, readUsage } from './wire.ts'

/** A reply with images and long arguments stays below this. */
const REPLY_BYTES_MAX = 64 * 1024 * 1024

/** A reply that is none yet: it was asked for in the background, or stopped there. */
const UNFINISHED: ReadonlySet<string> = new Set(['queued', 'in_progress', 'cancelled'])

const decoder = new TextDecoder()

export class ResponsesReplyReader implements ReplyReader {
  private readonly to: TurnSink
  private readonly context: ReplyContext
  private readonly body: ByteQueue
  private over: boolean

  constructor(to: TurnSink, context: ReplyContext) {
    this.to = to
    this.context = context
    this.body = new ByteQueue(REPLY_BYTES_MAX)
    this.over = false
  }

  write(chunk: Uint8Array): void {
    if (!this.over && !this.body.push(chunk)) this.cut(brokenReply('the body is too long'))
  }

  end(): void {
    if (this.over) return
    this.over = true
    const text = decoder.decode(this.body.take())
    const reply = membersOf(parsed(text))
    if (reply === null) {
      this.to.fail(text.trim() === '' ? incompleteReply() : brokenReply('the body is not a JSON object'))
      return
    }
    const status = textOf(reply['status'])
    const error = membersOf(reply['error'])
    if (error !== null && status === '') this.to.fail(readErrorMembers(error))
    else if (!Array.isArray(reply['output'])) this.to.fail(brokenReply('output is not a list'))
    else if (UNFINISHED.has(status)) this.to.fail(brokenReply(`its status is ${status}`))
    else this.guarded(reply, text, status === 'failed' ? readErrorMembers(error ?? {}) : null)
  }

  cut(error: ErrorReply): void {
    if (this.over) return
    this.over = true
    this.body.clear()
    this.to.fail(error)
  }

  private guarded(reply: Members, text: string, failure: ErrorReply | null): void {
    try {
      this.turn(reply, text, failure)
    } catch (error) {
      // Reading an item's own source again can refuse what the host's parser let pass, such as absurd nesting.
      if (!(error instanceof TranslateError)) throw error
      this.to.fail(brokenReply('an item cannot be read'))
    }
  }

  /** A failed reply still tells what came of it, and its usage. */
  private turn(reply: Members, text: string, failure: ErrorReply | null): void {
    this.to.start(headOf(reply))
    const source = new ItemSource(text)
    const feed = new ItemFeed(this.to, this.context)
    for (const [place, item] of listOf(reply['output']).entries()) {
      const members = membersOf(item)
      if (members !== null && !feed.whole(members, () => source.at(place))) {
        this.to.fail(brokenReply(NAMELESS))
        return
      }
    }
    const usage = readUsage(reply['usage'])
    if (failure === null) this.to.finish(0, finishOf(reply, feed.called, feed.refused))
    if (usage !== null) this.to.usage(usage)
    if (failure === null) this.to.end()
    else this.to.fail(failure)
  }
}

/** Source text of items; the body is read a second time only when an item needs it. */
class ItemSource {
  private readonly text: string
  private items: JsonArray | null

  constructor(text: string) {
    this.text = text
    this.items = null
  }

  at(place: number): JsonObject | null {
    this.items ??= readJsonObject(this.text).requiredArray('output')
    const item = this.items.values[place]
    return item instanceof JsonObject ? item : null
  }
}

export class ResponsesReplyWriter extends ItemWriter {
  override end(): void {
    const { status, reason } = this.ending
    const error = status === 'failed' ? failureJson(this.malformed()) : 'null'
    this.out.text(this.response(status, error, status === 'incomplete' ? reason : undefined))
  }

  override fail(error: ErrorReply): void {
    this.out.text(errorJson(error))
  }
}

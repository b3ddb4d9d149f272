// The collecting half of every reader of whole replies: a body is kept until it has come to its end, and parsed once.
// Owns its bound and what becomes of a body that is cut off, empty or no JSON object; what the object says is the
// business of the dialect's reader.

import { ByteQueue } from './bytes/byte-queue.ts'
import { type Members, membersOf, parsed } from './bytes/json-look.ts'
import { type JsonArray, JsonObject, readJsonObject } from './bytes/json-tree.ts'
import type { ErrorReply } from './errors.ts'
import type { ReplyContext } from './reply-context.ts'
import { brokenReply, incompleteReply, TranslateError } from './translate-error.ts'
import type { ReplyReader, TurnSink } from './turn.ts'

/** A reply with images and long arguments stays below this. */
const REPLY_BYTES_MAX = 64 * 1024 * 1024

const decoder = new TextDecoder()

export abstract class WholeReplyReader implements ReplyReader {
  protected readonly to: TurnSink
  protected readonly context: ReplyContext
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
    const bytes = this.body.take()
    const text = decoder.decode(bytes)
    const value = parsed(text)
    try {
      if (Array.isArray(value)) this.list(bytes)
      else this.object(membersOf(value), text)
    } catch (error) {
      // Reading a piece's own source again can refuse what the host's parser let pass, such as absurd nesting.
      if (!(error instanceof TranslateError)) throw error
      this.to.fail(brokenReply('a piece of it cannot be read'))
    }
  }

  cut(error: ErrorReply): void {
    if (this.over) return
    this.over = true
    this.body.clear()
    this.to.fail(error)
  }

  /** Tells the turn. What it throws as `TranslateError` fails the turn. */
  protected abstract reply(reply: Members, text: string): void

  /** A body in brackets is no reply, but where streams may come in them. */
  protected list(_bytes: Uint8Array): void {
    this.object(null, '[]')
  }

  private object(reply: Members | null, text: string): void {
    if (reply !== null) this.reply(reply, text)
    else this.to.fail(text.trim() === '' ? incompleteReply() : brokenReply('the body is not a JSON object'))
  }
}

/** Source text of the elements of a list in a body, which is read a second time only when somebody needs one. */
export class ElementSource {
  private readonly text: string
  private readonly path: readonly string[]
  private tree: JsonObject | null
  private elements: JsonArray | null

  /** `path` leads to the list. */
  constructor(text: string, ...path: readonly string[]) {
    this.text = text
    this.path = path
    this.tree = null
    this.elements = null
  }

  get body(): JsonObject {
    this.tree ??= readJsonObject(this.text)
    return this.tree
  }

  at(index: number): JsonObject | null {
    if (this.elements === null) {
      let owner = this.body
      for (const name of this.path.slice(0, -1)) owner = owner.requiredObject(name)
      this.elements = owner.requiredArray(this.path.at(-1)!)
    }
    const element = this.elements.values[index]
    return element instanceof JsonObject ? element : null
  }
}

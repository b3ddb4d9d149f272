// Builds what one exchange needs of two dialects: a prompt written for the upstream, and the way back for its reply.
// Pairs are composed here and written nowhere.

import { ByteOut } from './bytes/byte-out.ts'
import type { Dialect, DialectId, PathFacts } from './dialect.ts'
import { DIALECT_TABLE } from './dialects.ts'
import type { ErrorReply } from './errors.ts'
import { foreignPrompt } from './foreign-prompt.ts'
import type { Loss } from './loss.ts'
import type { Prompt } from './prompt.ts'
import { PromptWriting } from './prompt-writing.ts'
import { type ReplyContext, replyContext } from './reply-context.ts'
import { ReplyGate } from './reply-gate.ts'
import type { ByteSink, ReplyFacts, ReplyPath } from './reply-path.ts'
import { type InlineImage, inlineImages } from './linked-images.ts'
import type { TargetFacts } from './target.ts'
import { TranslateError } from './translate-error.ts'
import type { ReplyReader } from './turn.ts'

export interface WrittenPrompt {
  readonly body: Uint8Array
  readonly losses: readonly Loss[]
  /** Give it to `openReply`, with `nowS` and `idSeed` set. */
  readonly context: ReplyContext
}

function dialectOf(id: DialectId): Dialect {
  const dialect = DIALECT_TABLE[id]
  if (dialect === undefined) throw new TranslateError('unsupported', `${id} is not translated`)
  return dialect
}

/**
 * The client's body as a prompt. Throws `TranslateError`, to be written in the client's own dialect. `path` is
 * needed for `PATH_DIALECTS` and null for the others.
 */
export function readPrompt(client: DialectId, body: Uint8Array, path: PathFacts | null = null): Prompt {
  const prompt = dialectOf(client).readPrompt(body)
  if (path === null) return prompt
  prompt.model = path.model
  prompt.stream = path.stream
  prompt.betas = path.betas ?? []
  return prompt
}

/** A prompt as an upstream's body. A strict caller is refused what would lose something. */
export function writePrompt(
  prompt: Prompt,
  upstream: DialectId,
  target: TargetFacts,
  strict: boolean,
): WrittenPrompt {
  const writing = new PromptWriting(prompt.dialect, upstream, target)
  const body = dialectOf(upstream).writePrompt(foreignPrompt(prompt, writing), writing)
  if (strict) writing.losses.refuse()
  return { body, losses: writing.losses.items, context: replyContext(prompt, writing) }
}

export function translatePrompt(
  client: DialectId,
  upstream: DialectId,
  body: Uint8Array,
  target: TargetFacts,
  strict: boolean,
  path: PathFacts | null = null,
  images: readonly InlineImage[] = [],
): WrittenPrompt {
  const prompt = readPrompt(client, body, path)
  inlineImages(prompt, images)
  return writePrompt(prompt, upstream, target, strict)
}

export interface ReplyWish {
  readonly client: DialectId
  readonly upstream: DialectId
  /** The client is given a stream. */
  readonly streaming: boolean
  /** The upstream sends one; absent when it does what the client asked for. Some send only one of the two forms. */
  readonly upstreamStreaming?: boolean
  readonly context: ReplyContext
  /** Takes the client's bytes: at most one call per piece of input, after `facts` has been brought up to date. */
  readonly out: ByteSink
}

/** Their streams are events; Gemini's may be a JSON array, into which no comment fits. */
const EVENT_DIALECTS: ReadonlySet<DialectId> = new Set([
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
])

export function openReply(wish: ReplyWish): ReplyPath {
  return new TranslatedReply(wish)
}

class TranslatedReply implements ReplyPath {
  readonly facts: ReplyFacts
  /** Writers write whole events. */
  readonly betweenEvents: boolean
  private readonly gate: ReplyGate
  private readonly reader: ReplyReader
  private readonly buffer: ByteOut
  private readonly out: ByteSink

  constructor(wish: ReplyWish) {
    const client = dialectOf(wish.client)
    const upstream = dialectOf(wish.upstream)
    this.buffer = new ByteOut()
    this.out = wish.out
    this.betweenEvents = wish.streaming && EVENT_DIALECTS.has(wish.client)
    const writer = wish.streaming
      ? client.streamWriter(this.buffer, wish.context)
      : client.replyWriter(this.buffer, wish.context)
    this.gate = new ReplyGate(writer, wish.context)
    this.facts = this.gate.facts
    this.reader =
      (wish.upstreamStreaming ?? wish.streaming)
        ? upstream.streamReader(this.gate, wish.context)
        : upstream.replyReader(this.gate, wish.context)
  }

  write(chunk: Uint8Array): void {
    if (this.gate.facts.state !== 'open') return
    this.reader.write(chunk)
    this.buffer.flush(this.out)
  }

  end(): void {
    if (this.gate.facts.state !== 'open') return
    this.reader.end()
    this.buffer.flush(this.out)
  }

  cut(error: ErrorReply): void {
    if (this.gate.facts.state !== 'open') return
    this.reader.cut(error)
    this.buffer.flush(this.out)
  }
}

// Replies of endpoints that are forwarded without being a conversation: embeddings, images, audio, files and the like.
// Owns finding the usage that such a reply tells; refuses to judge its form, because every byte is the upstream's
// business. The usual error form ends an event stream that breaks.

import { countOf, type Members, membersOf } from '../bytes/json-look.ts'
import type { ByteOut } from '../bytes/byte-out.ts'
import type { ErrorReply } from '../errors.ts'
import { errorJson, readErrorMember } from '../openai-chat/stream-error.ts'
import { readUsage as readChatUsage } from '../openai-chat/wire.ts'
import { readUsage as readResponsesUsage } from '../openai-responses/wire.ts'
import type { ByteSink, ReplyFacts, ReplyPath } from '../reply-path.ts'
import { incompleteReply } from '../translate-error.ts'
import type { Usage } from '../usage.ts'
import { RelayedEvents } from './events.ts'
import { RelayFacts, textAt, valueAt } from './facts.ts'
import { MemberScanner } from './member-scanner.ts'
import { object, type Place, take, takeEach } from './places.ts'
import { Watch } from './watch.ts'

export type ForwardForm =
  /** One JSON document. */
  | 'document'
  /** Server-sent events. */
  | 'events'
  /** Anything else: sound, text, archives. */
  | 'bytes'

export function forwardReply(form: ForwardForm, out: ByteSink): ReplyPath {
  switch (form) {
    case 'document':
      return new ForwardedDocument(out)
    case 'events':
      return new RelayedEvents(new ForwardWatch(true), out)
    case 'bytes':
      return new ForwardedBytes(out)
  }
}

const ID = 0
const MODEL = 1
const USAGE = 2
const META = 3
const ERROR = 4
const TAGS = 5

/** Rerank hosts tell their usage under `meta`. */
const DOCUMENT = { id: take(ID), model: take(MODEL), usage: takeEach(USAGE), meta: takeEach(META) }
const DOCUMENT_ROOT = object(DOCUMENT)
/** An `error` member ends a stream; in a document it may be part of what was asked for, as in a batch. */
const EVENT_ROOT = object({ ...DOCUMENT, error: take(ERROR) })

class ForwardWatch extends Watch {
  readonly root: Place
  readonly facts: RelayFacts
  private error: unknown = null

  constructor(streaming: boolean) {
    super(TAGS)
    this.root = streaming ? EVENT_ROOT : DOCUMENT_ROOT
    this.facts = new RelayFacts(readForwardedUsage)
  }

  taken(tag: number, bytes: Uint8Array, from: number, to: number): void {
    switch (tag) {
      case ID:
        this.facts.id ??= textAt(bytes, from, to)
        return
      case MODEL:
        this.facts.model ??= textAt(bytes, from, to)
        return
      case ERROR:
        this.error = valueAt(bytes, from, to)
        return
      default:
        if (bytes[from] === OPEN_BRACE) this.facts.noteUsage(bytes, from, to)
    }
  }

  override document(): boolean {
    this.facts.contentSeen = true
    const error = membersOf(this.error)
    if (error !== null) this.facts.fail(readErrorMember(error))
    this.forget()
    return false
  }

  override forget(): void {
    this.error = null
  }

  override done(): void {
    this.facts.complete()
  }

  /** These streams have no common last word. */
  override get mayEnd(): boolean {
    return true
  }

  override errorForm(out: ByteOut, error: ErrorReply): void {
    out.text(`data: ${errorJson(error)}\n\n`)
  }
}

const OPEN_BRACE = 0x7b

class ForwardedDocument implements ReplyPath {
  readonly facts: ReplyFacts
  readonly betweenEvents = false
  private readonly watch: ForwardWatch
  private readonly out: ByteSink
  private readonly json: MemberScanner
  private empty = true

  constructor(out: ByteSink) {
    this.watch = new ForwardWatch(false)
    this.facts = this.watch.facts
    this.out = out
    this.json = new MemberScanner(this.watch.root, this.watch)
  }

  write(chunk: Uint8Array): void {
    let at = 0
    if (chunk.length > 0) this.empty = false
    while (at < chunk.length) {
      at = this.json.feed(chunk, at, chunk.length)
      if (at === chunk.length) break
      this.json.lineBreak(at)
      at += 1
    }
    this.out.write(chunk)
  }

  /** A document that stops in its middle is no answer. One that is no object is whatever its upstream says. */
  end(): void {
    const { facts } = this.watch
    if (this.json.whole) this.watch.document()
    else if (!this.empty && !this.json.broken) facts.fail(incompleteReply())
    facts.complete()
  }

  cut(error: ErrorReply): void {
    this.watch.facts.fail(error)
  }
}

class ForwardedBytes implements ReplyPath {
  readonly facts: RelayFacts
  readonly betweenEvents = false
  private readonly out: ByteSink

  constructor(out: ByteSink) {
    this.facts = new RelayFacts(() => null)
    this.out = out
  }

  write(chunk: Uint8Array): void {
    this.facts.contentSeen = true
    this.out.write(chunk)
  }

  end(): void {
    this.facts.complete()
  }

  cut(error: ErrorReply): void {
    this.facts.fail(error)
  }
}

/** The spellings of usage that these endpoints have; null where tokens are not what is counted. */
export function readForwardedUsage(value: unknown): Usage | null {
  const usage = membersOf(value)
  if (usage === null) return null
  if (countOf(usage['prompt_tokens']) !== null) return readChatUsage(usage)
  if (countOf(usage['input_tokens']) !== null) return tokensOfKinds(usage)
  const seconds = countOf(usage['seconds'])
  if (usage['type'] === 'duration' && seconds !== null) return { ...NO_TOKENS, seconds }
  const billed = membersOf(usage['billed_units'])
  const inner = membersOf(usage['tokens']) ?? billed
  const searches = countOf(billed?.['search_units'])
  const read = inner !== null && countOf(inner['input_tokens']) !== null ? readResponsesUsage(inner) : null
  if (searches !== null) return { ...(read ?? NO_TOKENS), searches }
  if (read !== null) return read
  const total = countOf(usage['total_tokens'])
  return total === null ? null : readChatUsage({ prompt_tokens: total })
}

/** Sound and images tell which tokens were which, each endpoint in a spelling of its own. */
function tokensOfKinds(usage: Members): Usage | null {
  const read = readResponsesUsage(usage)
  if (read === null) return null
  const input = membersOf(usage['input_token_details']) ?? membersOf(usage['input_tokens_details'])
  const images = countOf(input?.['image_tokens'])
  return {
    ...read,
    audioInputTokens: countOf(input?.['audio_tokens']),
    ...(images === null ? {} : { imageInputTokens: images }),
  }
}

const NO_TOKENS: Usage = {
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  cacheWriteLongTokens: null,
  outputTokens: 0,
  reasoningTokens: null,
  audioInputTokens: null,
  audioOutputTokens: null,
  estimated: false,
}

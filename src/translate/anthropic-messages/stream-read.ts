// Reads a Messages stream. Owns the order of its events; a success ends with `message_stop` and with nothing else.

import { type Members, membersOf, parsed, textOf, textOrNull } from '../bytes/json-look.ts'
import { readJsonObject } from '../bytes/json-tree.ts'
import type { ErrorReply } from '../errors.ts'
import { slotsOf } from '../framing/known-frame.ts'
import { type EventSink, SseReader } from '../framing/sse.ts'
import { Grammar } from '../grammar.ts'
import type { ReplyContext } from '../reply-context.ts'
import { brokenReply, incompleteReply, TranslateError } from '../translate-error.ts'
import type { ReplyReader, TurnSink } from '../turn.ts'
import { BlockFeed } from './block-read.ts'
import { readErrorEvent } from './stream-error.ts'
import { finishOf, MESSAGES_GRAMMAR, type MessagesState, type MessagesSymbol, UsageCounts } from './wire.ts'

/** What differs between deltas of one block. */
const SLOTS = slotsOf(['delta.text', 'delta.thinking', 'delta.partial_json'], [])

export class MessagesStreamReader implements ReplyReader, EventSink {
  private readonly sse: SseReader
  private readonly to: TurnSink
  private readonly grammar: Grammar<MessagesState, MessagesSymbol>
  private readonly blocks: BlockFeed
  private readonly counts: UsageCounts
  private finished: boolean
  private over: boolean

  constructor(to: TurnSink, context: ReplyContext) {
    this.to = to
    this.sse = new SseReader(this)
    this.grammar = new Grammar(MESSAGES_GRAMMAR, 'idle')
    this.blocks = new BlockFeed(to, context.family)
    this.counts = new UsageCounts()
    this.finished = false
    this.over = false
  }

  write(chunk: Uint8Array): void {
    this.sse.write(chunk)
  }

  end(): void {
    this.sse.end()
    if (!this.over) this.fail(incompleteReply())
  }

  cut(error: ErrorReply): void {
    if (!this.over) this.fail(error)
  }

  event(name: string, data: string): void {
    if (this.over) return
    try {
      this.take(name, data)
    } catch (error) {
      // Reading a block's own source again can refuse what the host's parser let pass, such as absurd nesting.
      if (!(error instanceof TranslateError)) throw error
      this.fail(brokenReply('a block cannot be read'))
    }
  }

  /** A delta of the open block. */
  again(event: Members): void {
    if (!this.over && this.step('block_delta')) this.blocks.delta(membersOf(event['delta']) ?? event)
  }

  private take(name: string, data: string): void {
    const event = membersOf(parsed(data))
    if (event === null) {
      this.fail(brokenReply('an event is not a JSON object'))
      return
    }
    // The type inside the payload counts; the name of the frame stands in when it has none.
    const type = textOf(event['type']) || name
    switch (type) {
      case 'message_start':
      case 'message_delta':
      case 'message_stop':
        if (this.step(type)) this.message(type, event)
        return
      case 'content_block_start':
        if (this.step('block_start')) this.blockStart(event, data)
        return
      case 'content_block_delta':
        this.again(event)
        this.sse.learn(event, SLOTS)
        return
      case 'content_block_stop':
        if (this.step('block_stop')) this.blocks.stop()
        return
      case 'ping':
        if (this.grammar.state !== 'idle') this.to.ping()
        return
      case 'error':
        this.fail(readErrorEvent(event))
        return
      default:
        if (this.grammar.state !== 'idle') this.to.extra('anthropic-messages', type, data)
    }
  }

  comment(): void {
    if (!this.over && this.grammar.state !== 'idle') this.to.ping()
  }

  tooLong(): void {
    if (!this.over) this.fail(brokenReply('an event is too long'))
  }

  private step(symbol: MessagesSymbol): boolean {
    if (this.grammar.take(symbol)) return true
    this.fail(brokenReply(`${symbol} where the stream cannot have it`))
    return false
  }

  private message(type: 'message_start' | 'message_delta' | 'message_stop', event: Members): void {
    if (type === 'message_start') this.start(membersOf(event['message']) ?? {})
    else if (type === 'message_delta') this.messageDelta(event)
    else {
      if (!this.finished) this.to.finish(0, finishOf(null, null, null))
      this.over = true
      this.sse.stop()
      this.to.end()
    }
  }

  private start(message: Members): void {
    const usage = membersOf(message['usage'])
    if (usage !== null) this.counts.merge(usage)
    this.to.start({
      id: textOf(message['id']),
      model: textOf(message['model']),
      createdS: null,
      tier: textOrNull(usage?.['service_tier']),
      usage: usage === null ? null : this.counts.usage,
    })
  }

  private blockStart(event: Members, data: string): void {
    const block = membersOf(event['content_block'])
    if (block === null) this.fail(brokenReply('content_block_start without a block'))
    else this.blocks.start(block, () => readJsonObject(data).object('content_block'))
  }

  private messageDelta(event: Members): void {
    const usage = membersOf(event['usage'])
    if (usage !== null) this.counts.merge(usage)
    if (this.counts.told) this.to.usage(this.counts.usage)
    const delta = membersOf(event['delta'])
    const word = textOrNull(delta?.['stop_reason'])
    if (word === null || this.finished) return
    this.finished = true
    this.to.finish(
      0,
      finishOf(word, textOrNull(delta?.['stop_sequence']), membersOf(delta?.['stop_details'])),
    )
  }

  private fail(error: ErrorReply): void {
    this.over = true
    this.sse.stop()
    this.to.fail(error)
  }
}

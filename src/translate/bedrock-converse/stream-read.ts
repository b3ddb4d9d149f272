// Reads a Converse stream. Owns the order of its events. The words of a success end with `messageStop`; `metadata`
// after it carries counts only, so that a stream that ends between the two is complete without them.

import { countOf, type Members, membersOf, parsed, textOrNull } from '../bytes/json-look.ts'
import { type JsonObject, readJsonObject } from '../bytes/json-tree.ts'
import type { ErrorReply } from '../errors.ts'
import { EventStreamReader, type FrameSink } from '../framing/event-stream.ts'
import { KnownFrame, slotsOf } from '../framing/known-frame.ts'
import { Grammar } from '../grammar.ts'
import type { ReplyContext } from '../reply-context.ts'
import { brokenReply, incompleteReply, TranslateError } from '../translate-error.ts'
import type { ReplyReader, TurnSink } from '../turn.ts'
import { BlockFeed, type BlockSource } from './block-read.ts'
import { readFailure } from './stream-error.ts'
import {
  CONVERSE_GRAMMAR,
  type ConverseState,
  type ConverseSymbol,
  finishOf,
  readUsage,
  REPLY_EXTRAS,
} from './wire.ts'

const decoder = new TextDecoder()
/** What differs between deltas of one block. */
const SLOTS = slotsOf(['delta.text', 'delta.toolUse.input'], ['p'])

export class ConverseStreamReader implements ReplyReader, FrameSink, BlockSource {
  private readonly frames: EventStreamReader
  private readonly to: TurnSink
  private readonly grammar: Grammar<ConverseState, ConverseSymbol>
  private readonly blocks: BlockFeed
  private readonly known: KnownFrame
  /** A delta that may come again with other text; its own source is not asked for. */
  private plain: Members | null
  /** Index of the open block as the upstream numbers it. Indexes may skip. */
  private index: number
  /** The event at hand, and which of its members holds the block. */
  private text: string
  private member: 'start' | 'delta'
  private over: boolean

  constructor(to: TurnSink, context: ReplyContext) {
    this.to = to
    this.frames = new EventStreamReader(this)
    this.grammar = new Grammar(CONVERSE_GRAMMAR, 'idle')
    this.blocks = new BlockFeed(to, context.family, this)
    this.known = new KnownFrame()
    this.plain = null
    this.index = 0
    this.text = ''
    this.member = 'delta'
    this.over = false
  }

  write(chunk: Uint8Array): void {
    this.frames.write(chunk)
  }

  end(): void {
    const clean = this.frames.end()
    if (this.over) return
    if (clean && this.grammar.state === 'stopped') this.finishTurn()
    else this.fail(incompleteReply())
  }

  cut(error: ErrorReply): void {
    if (!this.over) this.fail(error)
  }

  broken(message: string): void {
    if (!this.over) this.fail(brokenReply(message))
  }

  frame(kind: string, name: string, payload: Uint8Array): void {
    if (this.over) return
    if (kind === 'event' && name === 'contentBlockDelta' && this.known.known) {
      this.known.begin(payload)
      const same = this.known.match(0) === payload.length
      this.known.release()
      if (same) {
        this.again(this.known.again)
        return
      }
    }
    const text = decoder.decode(payload)
    this.text = text
    this.plain = null
    if (kind === 'event') this.guarded(name, text)
    else if (kind === 'exception') this.fail(readFailure(name, membersOf(parsed(text))))
    else this.fail(readFailure(name, { message: text }))
    if (this.plain !== null) this.known.learn(payload, 0, 0, payload.length, this.plain, SLOTS)
  }

  /** A delta of text, reasoning or arguments: the one before with other text. */
  private again(event: Members): void {
    if (!this.continues('contentBlockDelta', event))
      this.fail(brokenReply('contentBlockDelta of a block that is not open'))
    else if (!this.grammar.take('contentBlockDelta'))
      this.fail(brokenReply('contentBlockDelta where the stream cannot have it'))
    else this.take('contentBlockDelta', event, '')
  }

  source(): JsonObject | null {
    return readJsonObject(this.text).object(this.member)
  }

  private guarded(name: string, text: string): void {
    try {
      this.event(name, text)
    } catch (error) {
      // Reading a block's own source again can refuse what the host's parser let pass, such as absurd nesting.
      if (!(error instanceof TranslateError)) throw error
      this.fail(brokenReply('a block cannot be read'))
    }
  }

  private event(name: string, text: string): void {
    switch (name) {
      case 'contentBlockDelta':
      case 'contentBlockStart':
      case 'contentBlockStop':
      case 'messageStart':
      case 'messageStop':
      case 'metadata':
        break
      default:
        if (this.grammar.state !== 'idle') this.to.extra('bedrock-converse', name, text)
        return
    }
    const event = membersOf(parsed(text))
    if (event === null) this.fail(brokenReply('an event is not a JSON object'))
    else if (!this.continues(name, event)) this.fail(brokenReply(`${name} of a block that is not open`))
    else if (!this.grammar.take(name)) this.fail(brokenReply(`${name} where the stream cannot have it`))
    else this.take(name, event, text)
  }

  /** What follows in an open block must name it. */
  private continues(name: ConverseSymbol, event: Members): boolean {
    const index = countOf(event['contentBlockIndex'])
    if (index === null) return true
    if (this.grammar.state === 'block' && index !== this.index) return name === 'contentBlockStart'
    this.index = index
    return true
  }

  private take(name: ConverseSymbol, event: Members, text: string): void {
    let complaint: string | null = null
    switch (name) {
      case 'contentBlockDelta':
        this.member = 'delta'
        complaint = this.delta(event)
        break
      case 'contentBlockStart':
        this.member = 'start'
        complaint = this.blocks.start(membersOf(event['start']) ?? NOTHING)
        break
      case 'contentBlockStop':
        this.blocks.stop()
        break
      case 'messageStart':
        this.to.start({ id: '', model: '', createdS: null, tier: null, usage: null })
        break
      case 'messageStop':
        this.stopped(event, text)
        break
      case 'metadata':
        this.metadata(event, text)
    }
    if (complaint !== null) this.fail(brokenReply(complaint))
  }

  private delta(event: Members): string | null {
    const delta = membersOf(event['delta']) ?? NOTHING
    const input = membersOf(delta['toolUse'])?.['input']
    if (typeof delta['text'] === 'string' || typeof input === 'string') this.plain = event
    return this.blocks.delta(delta)
  }

  private stopped(event: Members, text: string): void {
    const fields = membersOf(event['additionalModelResponseFields'])
    this.to.finish(0, finishOf(textOrNull(event['stopReason']), fields))
    if (fields !== null) this.extras(text)
  }

  private metadata(event: Members, text: string): void {
    const usage = readUsage(event['usage'])
    if (usage !== null) this.to.usage(usage)
    this.extras(text)
    this.finishTurn()
  }

  private extras(text: string): void {
    const event = readJsonObject(text)
    for (const name of REPLY_EXTRAS) {
      const json = event.jsonOf(name)
      if (json !== null) this.to.extra('bedrock-converse', name, json)
    }
  }

  private finishTurn(): void {
    this.over = true
    this.frames.stop()
    this.to.end()
  }

  private fail(error: ErrorReply): void {
    this.over = true
    this.frames.stop()
    this.to.fail(error)
  }
}

const NOTHING: Members = {}

// Reads a Responses stream. Owns the order of its events; what an item means is in item-read.ts. A success ends with
// `response.completed` or `response.incomplete` and with nothing else.

import { listOf, type Members, membersOf, parsed, textOf } from '../bytes/json-look.ts'
import { JsonArray, JsonObject, readJsonObject } from '../bytes/json-tree.ts'
import type { ErrorReply } from '../errors.ts'
import { slotsOf } from '../framing/known-frame.ts'
import { type EventSink, SseReader } from '../framing/sse.ts'
import { Grammar } from '../grammar.ts'
import type { ReplyContext } from '../reply-context.ts'
import { brokenReply, incompleteReply, TranslateError } from '../translate-error.ts'
import type { ReplyReader, TurnSink } from '../turn.ts'
import { ITEM_HEAD, ItemFeed, NAMELESS, type OpenItem } from './item-read.ts'
import { headOf } from './response-read.ts'
import { readErrorEvent, readErrorMembers } from './stream-error.ts'
import {
  finishOf,
  type ItemSymbol,
  readUsage,
  STREAM_GRAMMAR,
  type StreamState,
  type StreamSymbol,
} from './wire.ts'

/** More items are no reply of a model. */
const ITEMS_MAX = 4096

/** What differs between deltas of one text. */
const SLOTS = slotsOf(['delta'], ['sequence_number', 'obfuscation'])

export class ResponsesStreamReader implements ReplyReader, EventSink {
  private readonly sse: SseReader
  private readonly to: TurnSink
  private readonly grammar: Grammar<StreamState, StreamSymbol>
  private readonly feed: ItemFeed
  /** Items by their place in the output; places of items that have ended stay taken. */
  private readonly items: Map<number, OpenItem>
  /** The item of the last event: nearly always that of the next one. */
  private lastPlace: number
  private lastItem: OpenItem | null
  private over: boolean

  constructor(to: TurnSink, context: ReplyContext) {
    this.to = to
    this.sse = new SseReader(this)
    this.grammar = new Grammar(STREAM_GRAMMAR, 'idle')
    this.feed = new ItemFeed(to, context)
    this.items = new Map()
    this.lastPlace = -1
    this.lastItem = null
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
    // Some servers close with the mark of another dialect, after the event that counts.
    if (this.over || data.startsWith('[DONE]')) return
    const event = membersOf(parsed(data))
    if (event === null) {
      this.fail(brokenReply('an event is not a JSON object'))
      return
    }
    try {
      // The type inside the payload counts; the name of the frame stands in when it has none.
      this.take(textOf(event['type']) || name, event, data)
    } catch (error) {
      // Reading an item's own source again can refuse what the host's parser let pass, such as absurd nesting.
      if (!(error instanceof TranslateError)) throw error
      this.fail(brokenReply('an item cannot be read'))
    }
  }

  /** A delta of text; no other event is learnt. */
  again(event: Members): void {
    if (!this.over) this.textDelta(event)
  }

  comment(): void {
    if (!this.over && this.grammar.state !== 'idle') this.to.ping()
  }

  tooLong(): void {
    if (!this.over) this.fail(brokenReply('an event is too long'))
  }

  private take(type: string, event: Members, data: string): void {
    switch (type) {
      case 'response.output_text.delta':
        this.textDelta(event)
        this.sse.learn(event, SLOTS)
        return
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
      case 'response.refusal.delta': {
        const item = this.itemOf(event, 'delta')
        if (item !== null) this.feed.delta(item, textOf(event['delta']))
        return
      }
      case 'response.reasoning_summary_text.delta':
        this.reasoning(event, 'summary', textOf(event['delta']))
        return
      case 'response.reasoning_text.delta':
        this.reasoning(event, 'content', textOf(event['delta']))
        return
      case 'response.created':
        if (this.step('created')) this.to.start(headOf(membersOf(event['response']) ?? {}))
        return
      case 'response.queued':
      case 'response.in_progress':
        this.step('progress')
        return
      case 'response.completed':
      case 'response.incomplete':
        if (this.step('end')) this.finish(type, membersOf(event['response']) ?? {}, data)
        return
      case 'response.failed':
        this.failed(membersOf(event['response']) ?? {})
        return
      case 'error':
        this.fail(readErrorEvent(event))
        return
      default:
        this.takeItem(type, event, data)
    }
  }

  /** Events that frame items and parts, and those without meaning for other dialects. */
  private takeItem(type: string, event: Members, data: string): void {
    switch (type) {
      case 'response.output_item.added':
        if (this.step('item_added')) this.itemAdded(event)
        return
      case 'response.output_item.done':
        if (this.step('item')) this.itemDone(event, data)
        return
      case 'response.content_part.added':
        this.partAdded(event)
        return
      case 'response.content_part.done': {
        const item = this.itemOf(event, 'part_done')
        if (item?.grammar.state === 'message') this.feed.partSaid(item, membersOf(event['part']) ?? {})
        return
      }
      case 'response.reasoning_summary_part.added':
        this.reasoning(event, 'summary', '')
        return
      case 'response.output_text.annotation.added': {
        const item = this.itemOf(event, 'delta')
        if (item !== null) this.feed.cite(item, event['annotation'])
        return
      }
      case 'response.output_text.done':
      case 'response.refusal.done':
      case 'response.function_call_arguments.done':
      case 'response.custom_tool_call_input.done':
        this.saidWhole(event)
        return
      case 'keepalive':
        if (this.grammar.state !== 'idle') this.to.ping()
        return
      default:
        if (this.grammar.state !== 'idle' && type !== ITEM_HEAD) this.to.extra('openai-responses', type, data)
    }
  }

  private step(symbol: StreamSymbol): boolean {
    if (this.grammar.take(symbol)) return true
    this.fail(brokenReply(`${symbol} where the stream cannot have it`))
    return false
  }

  /** The item an event belongs to, when the event may come now; else the turn fails. */
  private itemOf(event: Members, symbol: ItemSymbol): OpenItem | null {
    if (!this.step('item')) return null
    const place = event['output_index']
    const item = place === this.lastPlace ? this.lastItem : (this.items.get(place as number) ?? null)
    if (item === null) {
      this.fail(brokenReply('an event of an item that was not added'))
      return null
    }
    this.lastPlace = place as number
    this.lastItem = item
    if (item.grammar.take(symbol)) return item
    this.fail(brokenReply(`${symbol} where an item cannot have it`))
    return null
  }

  private textDelta(event: Members): void {
    const item = this.itemOf(event, 'delta')
    if (item === null) return
    this.feed.delta(item, textOf(event['delta']))
    const tokens = event['logprobs']
    if (Array.isArray(tokens) && tokens.length > 0) this.feed.logprobs(item, tokens)
  }

  private reasoning(event: Members, form: 'summary' | 'content', delta: string): void {
    const item = this.itemOf(event, 'delta')
    if (item === null || item.grammar.state !== 'reasoning') return
    const place = event[form === 'summary' ? 'summary_index' : 'content_index']
    if (
      !this.feed.reasoning(item, form, typeof place === 'number' ? place : Math.max(item.place, 0), delta)
    ) {
      this.fail(brokenReply('reasoning out of order'))
    }
  }

  private itemAdded(event: Members): void {
    const place = event['output_index']
    const item = membersOf(event['item'])
    if (item === null || typeof place !== 'number' || this.items.has(place)) {
      this.fail(brokenReply('an item without a place of its own'))
    } else if (this.items.size >= ITEMS_MAX) this.fail(brokenReply('too many items'))
    else {
      const open = this.feed.added(item)
      if (open === null) this.fail(brokenReply(NAMELESS))
      else this.items.set(place, open)
    }
  }

  private itemDone(event: Members, data: string): void {
    const place = event['output_index']
    const item = membersOf(event['item'])
    const open = typeof place === 'number' ? this.items.get(place) : undefined
    if (item === null || open === undefined) this.fail(brokenReply('the end of an item that was not added'))
    else if (!this.feed.done(open, item, () => readJsonObject(data).object('item'), true)) {
      this.fail(brokenReply('an item that ends as another, or before its part'))
    }
  }

  private partAdded(event: Members): void {
    const item = this.itemOf(event, 'part_added')
    // Readable reasoning begins with its first delta.
    if (item === null || item.grammar.state !== 'part') return
    const place = event['content_index']
    const expected = typeof place === 'number' ? place : item.place + 1
    if (!this.feed.partAdded(item, expected, membersOf(event['part']) ?? {})) {
      this.fail(brokenReply('content parts out of order'))
    }
  }

  private saidWhole(event: Members): void {
    const item = this.itemOf(event, 'said')
    if (item === null) return
    this.feed.said(
      item,
      textOf(event['text']) ||
        textOf(event['refusal']) ||
        textOf(event['arguments']) ||
        textOf(event['input']),
    )
    if (!item.weighed) this.feed.logprobs(item, event['logprobs'])
  }

  private finish(type: string, response: Members, data: string): void {
    const status = textOf(response['status'])
    const ended = { ...response, status: status === '' ? type.slice('response.'.length) : status }
    this.endItems(listOf(response['output']), type === 'response.completed', data)
    if (this.over) return
    const usage = readUsage(response['usage'])
    this.to.finish(0, finishOf(ended, this.feed.called, this.feed.refused))
    if (usage !== null) this.to.usage(usage)
    this.over = true
    this.sse.stop()
    this.to.end()
  }

  /** Items may end with the reply: the final output tells them whole. A reply may even consist of it alone. */
  private endItems(output: readonly unknown[], complete: boolean, data: string): void {
    const source = (place: number): JsonObject | null => {
      const items = readJsonObject(data).object('response')?.array('output')
      const item = items instanceof JsonArray ? items.values[place] : null
      return item instanceof JsonObject ? item : null
    }
    if (this.items.size === 0) {
      const whole = output.every((item, place) => this.feed.whole(membersOf(item) ?? {}, () => source(place)))
      if (!whole) this.fail(brokenReply(NAMELESS))
      return
    }
    for (const open of this.items.values()) {
      if (open.grammar.state === 'done') continue
      const place = output.findIndex(item => open.id !== '' && membersOf(item)?.['id'] === open.id)
      const item = membersOf(output[place])
      if (item === null || !this.feed.done(open, item, () => source(place), complete))
        this.feed.cut(open, complete)
    }
  }

  /** The usage of a failed reply counts all the same. */
  private failed(response: Members): void {
    const usage = this.grammar.state === 'open' ? readUsage(response['usage']) : null
    if (usage !== null) this.to.usage(usage)
    this.fail(readErrorMembers(membersOf(response['error']) ?? {}))
  }

  private fail(error: ErrorReply): void {
    this.over = true
    this.sse.stop()
    this.to.fail(error)
  }
}

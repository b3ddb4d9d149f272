// The items of a Responses reply as parts of a turn. Owns what each item means; whole items and streamed ones take
// the same way. Items run side by side. Items of hosted tools, and unknown ones, are kept for this dialect.

import { listOf, type Members, membersOf, textOf, textOrNull } from '../bytes/json-look.ts'
import type { JsonObject } from '../bytes/json-tree.ts'
import { Grammar } from '../grammar.ts'
import { mediaPart } from '../prompt.ts'
import type { ReplyContext } from '../reply-context.ts'
import type { TokenLogprob, TurnSink } from '../turn.ts'
import { citationOf } from './annotations.ts'
import { ITEM_GRAMMAR, type ItemState, type ItemSymbol } from './wire.ts'

/** The least that clients of this dialect must be told about an item before its parts: see `ItemFeed.announce`. */
export const ITEM_HEAD = 'item'

export const NAMELESS = 'a call without a name'

type PartKind = 'text' | 'refusal' | 'reasoning' | 'input' | 'skipped'

export class OpenItem {
  readonly grammar: Grammar<ItemState, ItemSymbol>
  readonly id: string
  readonly type: string
  readonly custom: boolean
  /** Number of the part that is open, or -1. */
  part = -1
  partKind: PartKind = 'skipped'
  /** Place of the last content part, or of the last readable section of reasoning. */
  place = -1
  /** Something of the open part has been pushed: what `done` events repeat is known. */
  said = false
  cited = false
  weighed = false
  /** Reasoning only: which of its two readable forms is taken, because parts of both are numbered from 0. */
  form: 'summary' | 'content' | null = null

  constructor(kind: ItemState, id: string, type: string) {
    this.grammar = new Grammar(ITEM_GRAMMAR, kind)
    this.id = id
    this.type = type
    this.custom = type === 'custom_tool_call'
  }
}

const KINDS: ReadonlyMap<string, ItemState> = new Map([
  ['message', 'message'],
  ['reasoning', 'reasoning'],
  ['function_call', 'call'],
  ['custom_tool_call', 'call'],
])

export class ItemFeed {
  private readonly to: TurnSink
  private readonly context: ReplyContext
  private parts = 0
  called = false
  refused = false

  constructor(to: TurnSink, context: ReplyContext) {
    this.to = to
    this.context = context
  }

  /** Null for a call without a name, which nobody can run. */
  added(item: Members): OpenItem | null {
    const type = textOf(item['type'])
    const kind = KINDS.get(type) ?? 'hosted'
    if (kind === 'call' && textOf(item['name']) === '') return null
    const open = new OpenItem(kind, textOf(item['id']), type)
    if (kind === 'message') this.announce(item)
    else if (kind === 'call') this.call(open, item)
    return open
  }

  /** An item that is whole. False where `added` gives null. */
  whole(item: Members, source: () => JsonObject | null): boolean {
    const open = this.added(item)
    return open !== null && this.done(open, item, source, true)
  }

  /** A content part of a message begins. False when its place is impossible. */
  partAdded(open: OpenItem, place: number, part: Members): boolean {
    if (place !== open.place + 1) return false
    this.endPart(open, true)
    open.place = place
    open.said = false
    open.cited = false
    open.weighed = false
    const type = textOf(part['type'])
    open.partKind = type === 'output_text' ? 'text' : type === 'refusal' ? 'refusal' : 'skipped'
    if (open.partKind === 'skipped') return true
    if (open.partKind === 'refusal') this.refused = true
    open.part = this.parts++
    this.to.partStart(0, open.part, open.partKind === 'text' ? 'text' : 'refusal')
    return true
  }

  /** A piece of what the item says: text, refusal, reasoning, arguments or the input of a custom call. */
  delta(open: OpenItem, delta: string): void {
    if (delta === '' || open.part === -1) return
    open.said = true
    if (open.partKind === 'input') this.to.input(0, open.part, delta)
    else this.to.text(0, open.part, delta)
  }

  /** Readable reasoning in one of its two forms; the first one seen counts. False when its place is impossible. */
  reasoning(open: OpenItem, form: 'summary' | 'content', place: number, delta: string): boolean {
    open.form ??= form
    if (open.form !== form) return true
    if (!this.sectionAt(open, place)) return false
    this.delta(open, delta)
    return true
  }

  /** What the deltas of a part should add up to: it counts when there were none. */
  said(open: OpenItem, whole: string): void {
    if (!open.said) this.delta(open, whole)
  }

  logprobs(open: OpenItem, list: unknown): void {
    if (open.part === -1 || open.partKind !== 'text') return
    const tokens = listOf(list).flatMap(entry => tokenOf(membersOf(entry)))
    if (tokens.length === 0) return
    open.weighed = true
    this.to.logprobs(0, open.part, tokens)
  }

  cite(open: OpenItem, annotation: unknown): void {
    const members = membersOf(annotation)
    if (members === null || open.part === -1 || open.partKind !== 'text') return
    open.cited = true
    this.to.cite(
      0,
      open.part,
      citationOf(name => members[name], JSON.stringify(annotation)),
    )
  }

  /** A finished content part repeats what its deltas said, and may say more. */
  partSaid(open: OpenItem, part: Members): void {
    this.said(open, textOf(part['text']) || textOf(part['refusal']))
    if (!open.weighed) this.logprobs(open, part['logprobs'])
    if (!open.cited) for (const annotation of listOf(part['annotations'])) this.cite(open, annotation)
  }

  /**
   * `source` gives the item's own text; it is asked only for what must not be printed anew. False for an item that
   * has a part open, or has become another.
   */
  done(open: OpenItem, item: Members, source: () => JsonObject | null, complete: boolean): boolean {
    const whole = complete && item['status'] !== 'incomplete'
    const { state } = open.grammar
    const type = textOf(item['type'])
    if ((type !== '' && type !== open.type) || !open.grammar.take('item_done')) return false
    switch (state) {
      case 'message':
        this.contentDone(open, listOf(item['content']))
        break
      case 'reasoning':
        this.reasoningDone(open, item, source)
        break
      case 'call':
      case 'called':
        this.said(open, textOf(item[open.custom ? 'input' : 'arguments']))
        break
      case 'hosted':
        this.hosted(item, source)
        break
    }
    this.endPart(open, whole)
    return true
  }

  /** The item ends without having been told whole. */
  cut(open: OpenItem, complete: boolean): void {
    this.endPart(open, complete)
  }

  /** Clients of this dialect keep the ids of items apart and get them back as they were. */
  private announce(item: Members): void {
    if (this.context.client !== 'openai-responses') return
    const head = { id: textOrNull(item['id']), phase: textOrNull(item['phase']) }
    this.to.extra('openai-responses', ITEM_HEAD, JSON.stringify(head))
  }

  private call(open: OpenItem, item: Members): void {
    this.called = true
    open.part = this.parts++
    open.partKind = open.custom ? 'text' : 'input'
    this.to.callStart(0, open.part, {
      id: textOf(item['call_id']),
      itemId: open.id === '' ? null : open.id,
      name: textOf(item['name']),
      namespace: textOrNull(item['namespace']),
      custom: open.custom,
    })
  }

  /** Begins the reasoning part with its first section, and the next section when the place moves on by one. */
  private sectionAt(open: OpenItem, place: number): boolean {
    if (place === open.place) return true
    if (place !== open.place + 1) return false
    if (open.part === -1) this.reasoningStart(open)
    else this.to.section(0, open.part)
    open.place = place
    return true
  }

  private reasoningStart(open: OpenItem): void {
    this.announce({ id: open.id })
    open.part = this.parts++
    open.partKind = 'reasoning'
    this.to.partStart(0, open.part, 'reasoning')
  }

  private contentDone(open: OpenItem, content: readonly unknown[]): void {
    for (let place = open.place + 1; place < content.length; place++) {
      const part = membersOf(content[place]) ?? {}
      this.partAdded(open, place, part)
      this.partSaid(open, part)
    }
  }

  /** An item with nothing to read and nothing to carry says something to this dialect only. */
  private reasoningDone(open: OpenItem, item: Members, source: () => JsonObject | null): void {
    const value = textOf(item['encrypted_content'])
    if (open.part === -1) {
      const summary = listOf(item['summary'])
      const form = summary.length > 0 ? 'summary' : 'content'
      for (const [place, section] of listOf(item[form]).entries()) {
        this.reasoning(open, form, place, textOf(membersOf(section)?.['text']))
      }
    }
    if (open.part === -1 && value === '') {
      this.hosted(item, source)
      return
    }
    if (open.part === -1) this.reasoningStart(open)
    const id = open.id === '' ? null : open.id
    // The id alone is worth carrying where a signature has its place; OpenAI's own dialects have none for it.
    if (value === '' && (id === null || this.context.client.startsWith('openai-'))) return
    this.to.opaque(0, open.part, { family: this.context.family, kind: 'encrypted', id, value })
  }

  private hosted(item: Members, source: () => JsonObject | null): void {
    const type = textOf(item['type'])
    const image = type === 'image_generation_call' ? textOf(item['result']) : ''
    if (image !== '' && this.context.client !== 'openai-responses') {
      const mime = `image/${textOf(item['output_format']) || 'png'}`
      this.to.media(0, this.parts++, mediaPart('image', mime, { kind: 'base64', data: image }, ''))
      return
    }
    const json = source()?.json ?? ''
    if (json !== '') this.to.vendor(0, this.parts++, 'openai-responses', type, json)
  }

  private endPart(open: OpenItem, complete: boolean): void {
    if (open.part === -1) return
    this.to.partEnd(0, open.part, complete)
    open.part = -1
  }
}

function tokenOf(entry: Members | null): TokenLogprob[] {
  if (entry === null || typeof entry['logprob'] !== 'number') return []
  const top = listOf(entry['top_logprobs']).flatMap(alternative => {
    const members = membersOf(alternative)
    const logprob = members?.['logprob']
    return typeof logprob === 'number' ? [{ token: textOf(members?.['token']), logprob }] : []
  })
  return [{ token: textOf(entry['token']), logprob: entry['logprob'], top, refusal: false }]
}

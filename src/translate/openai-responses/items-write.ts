// The parts of a turn as the items of a response. Owns which parts share an item, the ids and the order of items,
// and their final form. Whole and streamed replies are written by the same steps, so that they cannot differ: a
// stream's writer adds an event at each step, a whole reply's writer prints what is there at the end.

import type { ByteOut } from '../bytes/byte-out.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { DialectId } from '../dialect.ts'
import type { ErrorReply } from '../errors.ts'
import { Grammar } from '../grammar.ts'
import { wrapOpaque } from '../opaque.ts'
import type { Citation, MediaPart, Opaque } from '../prompt.ts'
import type { ReplyContext } from '../reply-context.ts'
import { TranslateError } from '../translate-error.ts'
import {
  type CallHead,
  type Finish,
  finish as finished,
  type ProsePartKind,
  type TokenLogprob,
  type TurnHead,
  type TurnSink,
} from '../turn.ts'
import type { Usage } from '../usage.ts'
import { annotationJson } from './annotations.ts'
import { Envelope } from './envelope.ts'
import { ITEM_HEAD } from './item-read.ts'
import {
  type Ending,
  endingOf,
  ITEM_GRAMMAR,
  type ItemState,
  type ItemSymbol,
  logprobsJson,
  OWN_REASONING_ID,
  usageJson,
} from './wire.ts'

export class WrittenItem {
  readonly kind: ItemState
  /** Index in the output. */
  readonly place: number
  readonly id: string
  readonly phase: string | null
  readonly call: CallHead | null
  readonly grammar: Grammar<ItemState, ItemSymbol>
  /** Content parts or summary sections that have ended, as JSON. */
  readonly contents: string[]
  /** Arguments or input of a call. */
  input: string
  opaque: Opaque | null
  /** Signatures of calls and texts, which have no member here and travel in items of their own. */
  readonly signatures: Opaque[]
  /** Content parts that have begun and not ended. */
  openParts: number
  /** Nothing may join it any more. */
  sealed: boolean
  /** A limit cut it. */
  cut: boolean
  /** The whole item, once it has ended. */
  json: string

  constructor(kind: ItemState, place: number, id: string, phase: string | null, call: CallHead | null) {
    this.kind = kind
    this.place = place
    this.id = id
    this.phase = phase
    this.call = call
    this.grammar = new Grammar(ITEM_GRAMMAR, kind)
    this.contents = []
    this.input = ''
    this.opaque = null
    this.signatures = []
    this.openParts = 0
    this.sealed = false
    this.cut = false
    this.json = ''
  }
}

export class WrittenPart {
  readonly item: WrittenItem
  readonly kind: ProsePartKind | 'call' | 'custom'
  /** Index of the content part or summary section; -1 while reasoning has none. */
  place: number
  /** Text of the open content part or section, or what came of a call's input. */
  text: string
  ended: boolean
  readonly annotations: string[]
  /** Citations of the whole part, whose length is not known yet. */
  readonly waiting: Citation[]
  readonly tokens: TokenLogprob[]
  /** Delta events of a stream up to their number, from there to the delta, and after it. */
  deltaHead: string
  deltaMiddle: string
  deltaTail: string

  constructor(item: WrittenItem, kind: WrittenPart['kind'], place: number) {
    this.item = item
    this.kind = kind
    this.place = place
    this.text = ''
    this.ended = false
    this.annotations = []
    this.waiting = []
    this.tokens = []
    this.deltaHead = ''
    this.deltaMiddle = ''
    this.deltaTail = ''
  }
}

export abstract class ItemWriter implements TurnSink {
  protected readonly out: ByteOut
  protected readonly context: ReplyContext
  protected envelope: Envelope | null
  protected ending: Ending
  private readonly items: WrittenItem[]
  /** By the turn's own numbers; null for parts this dialect cannot show. */
  private readonly parts: (WrittenPart | null)[]
  /** The message that a following text may join, or null. */
  private message: WrittenItem | null
  /** An item that has ended, but may still turn out to have been cut by a limit. */
  private closing: WrittenItem | null
  /** Id and phase that the upstream gave the next item; '' and null when it said nothing. */
  private nextId: string
  private nextPhase: string | null
  private announced: boolean
  private messages: number
  private usageTold: Usage | null

  constructor(out: ByteOut, context: ReplyContext) {
    this.out = out
    this.context = context
    this.envelope = null
    this.ending = endingOf(finished('stop', null))
    this.items = []
    this.parts = []
    this.message = null
    this.closing = null
    this.nextId = ''
    this.nextPhase = null
    this.announced = false
    this.messages = 0
    this.usageTold = null
  }

  abstract end(): void
  abstract fail(error: ErrorReply): void

  // The steps at which a stream says something. `literal` is a JSON string, `json` a JSON object.
  protected itemAdded(_item: WrittenItem, _json: string): void {}
  protected partAdded(_part: WrittenPart): void {}
  protected delta(_part: WrittenPart, _delta: string): void {}
  protected tokensAdded(_part: WrittenPart, _tokens: readonly TokenLogprob[]): void {}
  protected annotationAdded(_part: WrittenPart, _index: number, _json: string): void {}
  protected partDone(_part: WrittenPart, _literal: string, _json: string): void {}
  protected itemDone(_item: WrittenItem): void {}

  start(head: TurnHead): void {
    this.envelope = new Envelope(head, this.context)
    this.usageTold = head.usage
  }

  partStart(_choice: number, _part: number, kind: ProsePartKind): void {
    if (kind === 'reasoning') {
      this.settle()
      const item = this.add('reasoning', this.reasoningId(), null)
      this.parts.push(new WrittenPart(item, kind, -1))
      return
    }
    const item = this.messageItem()
    const part = new WrittenPart(item, kind, item.contents.length)
    item.openParts += 1
    this.parts.push(part)
    this.partAdded(part)
  }

  callStart(_choice: number, _part: number, call: CallHead): void {
    this.settle()
    const prefix = call.custom ? 'ctc_' : 'fc_'
    const given = call.itemId?.startsWith(prefix) ? call.itemId : null
    const id = given ?? this.context.freshId(prefix, `item/${this.items.length}`)
    const part = new WrittenPart(this.add('call', id, call), call.custom ? 'custom' : 'call', 0)
    this.parts.push(part)
    this.partAdded(part)
  }

  text(_choice: number, part: number, delta: string): void {
    const written = this.parts[part]!
    if (written === null) return
    if (written.place === -1) this.sectionStart(written)
    written.text += delta
    this.delta(written, delta)
  }

  section(_choice: number, part: number): void {
    const written = this.parts[part]!
    if (written === null) return
    if (written.place === -1) this.sectionStart(written)
    this.sectionEnd(written)
    this.sectionStart(written)
  }

  input(_choice: number, part: number, json: string): void {
    const written = this.parts[part]!
    if (written === null) return
    written.text += json
    this.delta(written, json)
  }

  opaque(_choice: number, part: number, opaque: Opaque): void {
    const written = this.parts[part]!
    if (written === null) return
    if (written.kind === 'reasoning') written.item.opaque = opaque
    else if (this.context.wantEncryptedReasoning) {
      // The id tells, when it comes back, which call it signs.
      written.item.signatures.push({ ...opaque, id: opaque.id ?? written.item.call?.id ?? null })
    }
  }

  cite(_choice: number, part: number, citation: Citation): void {
    const written = this.parts[part]!
    if (written === null || written.kind !== 'text') return
    const json = annotationJson(citation, null)
    if (json !== null) this.annotate(written, json)
    else if (citation.url !== null) written.waiting.push(citation)
  }

  logprobs(_choice: number, part: number, tokens: readonly TokenLogprob[]): void {
    const written = this.parts[part]!
    if (written === null || written.kind !== 'text') return
    written.tokens.push(...tokens)
    this.tokensAdded(written, tokens)
  }

  partEnd(_choice: number, part: number, complete: boolean): void {
    const written = this.parts[part]!
    if (written === null) return
    written.ended = true
    if (!complete) written.item.cut = true
    this.endClosing()
    if (written.kind === 'call' || written.kind === 'custom') this.callEnd(written, complete)
    else if (written.kind === 'reasoning') {
      if (written.place !== -1) this.sectionEnd(written)
      this.closing = written.item
    } else this.contentEnd(written)
    written.text = ''
  }

  media(_choice: number, _part: number, media: MediaPart): void {
    this.parts.push(null)
    if (media.media !== 'image' || media.source.kind !== 'base64') return
    const id = this.context.freshId('ig_', `item/${this.items.length}`)
    const json = new JsonOut().object().member('id', id).member('type', 'image_generation_call')
    json.member('status', 'completed').member('result', media.source.data).endObject()
    this.whole(id, json.text)
  }

  vendor(_choice: number, _part: number, dialect: DialectId, _type: string, json: string): void {
    this.parts.push(null)
    if (dialect === 'openai-responses') this.whole('', json)
  }

  finish(_choice: number, finish: Finish): void {
    const own = this.context.upstream === 'openai-responses' && finish.reason === 'other'
    // A reason of this dialect that no other knows.
    this.ending = own ? { status: 'incomplete', reason: finish.word } : endingOf(finish)
    const explanation = finish.reason === 'refusal' ? (finish.detail?.explanation ?? null) : null
    if (explanation !== null && this.messages === 0) this.explain(explanation)
    const last = this.items.at(-1)
    if (last !== undefined && this.ending.status === 'incomplete' && this.ending.reason !== null)
      last.cut = true
    this.settle()
  }

  usage(usage: Usage): void {
    this.usageTold = usage
  }

  ping(): void {}

  extra(dialect: DialectId, name: string, json: string): void {
    if (dialect !== 'openai-responses' || name !== ITEM_HEAD) return
    const head = JSON.parse(json) as { readonly id: string | null; readonly phase?: string | null }
    this.announced = true
    this.nextId = head.id ?? ''
    this.nextPhase = head.phase ?? null
  }

  /** The whole response. `reason` undefined: no details belong to this status. */
  protected response(status: string, error: string, reason?: string | null): string {
    const details =
      reason === undefined ? 'null' : reason === null ? '{}' : `{"reason":${JSON.stringify(reason)}}`
    const output = `[${this.items.map(item => item.json).join(',')}]`
    const usage = status === 'failed' && this.usageTold === null ? 'null' : usageJson(this.usageTold)
    return this.envelope!.json(status, error, details, output, usage)
  }

  protected malformed(): ErrorReply {
    return new TranslateError('upstream', 'the model made a tool call that cannot be read').reply
  }

  /** Gives items that will never end the form they have come to, without saying so in events. */
  protected breakOff(): void {
    for (const part of this.parts) {
      if (part === null || part.ended || part.place === -1) continue
      if (part.kind === 'call' || part.kind === 'custom') part.item.input = part.text
      else part.item.contents.push(contentJson(part, JSON.stringify(part.text)))
    }
    for (const item of this.items) if (item.json === '') item.json = this.itemJson(item, 'incomplete')
  }

  /** The item's final form; while it is in progress, what is known of it. */
  protected itemJson(item: WrittenItem, status: 'in_progress' | 'completed' | 'incomplete'): string {
    const out = new JsonOut().object().member('id', item.id)
    if (item.kind === 'message') {
      out.member('type', 'message').member('status', status).member('role', 'assistant')
      out.memberIf('phase', item.phase).memberRaw('content', `[${item.contents.join(',')}]`)
    } else if (item.kind === 'reasoning') {
      out.member('type', 'reasoning').memberRaw('summary', `[${item.contents.join(',')}]`)
      if (this.context.wantEncryptedReasoning) out.member('encrypted_content', encryptedOf(item.opaque))
      out.member('status', status)
    } else {
      const { call } = item
      out.member('type', call!.custom ? 'custom_tool_call' : 'function_call').member('status', status)
      out.member('call_id', call!.id).member('name', call!.name).memberIf('namespace', call!.namespace)
      out.member(call!.custom ? 'input' : 'arguments', item.input)
    }
    return out.endObject().text
  }

  private reasoningId(): string {
    return this.takeHead() || this.context.freshId(OWN_REASONING_ID, `item/${this.items.length}`)
  }

  /** The id that was announced, or ''. */
  private takeHead(): string {
    const id = this.nextId
    this.announced = false
    this.nextId = ''
    return id
  }

  private add(kind: ItemState, id: string, call: CallHead | null): WrittenItem {
    const phase = kind === 'message' ? this.nextPhase : null
    this.nextPhase = null
    const item = new WrittenItem(kind, this.items.length, id, phase, call)
    this.items.push(item)
    this.itemAdded(item, this.itemJson(item, 'in_progress'))
    return item
  }

  /** The message that can take another part, or a new one. */
  private messageItem(): WrittenItem {
    if (this.message !== null && this.message.openParts === 0 && !this.announced) return this.message
    this.settle()
    this.messages += 1
    const suffix = this.envelope!.id.slice('resp_'.length)
    const own = this.messages === 1 ? `msg_${suffix}` : `msg_${suffix}_${this.messages}`
    const given = this.takeHead()
    this.message = this.add('message', given.startsWith('msg_') ? given : own, null)
    return this.message
  }

  /** An item that is whole in one piece. */
  private whole(id: string, json: string): void {
    this.settle()
    const item = new WrittenItem('hosted', this.items.length, id, null, null)
    this.items.push(item)
    item.json = json
    this.itemAdded(item, json)
    this.itemDone(item)
  }

  /** Ends what waits for its end, in the order of the output. */
  private settle(): void {
    const { closing, message } = this
    this.closing = null
    this.message = null
    if (message !== null) message.sealed = true
    const ready = message !== null && message.openParts === 0 ? message : null
    const inOrder =
      closing !== null && ready !== null && closing.place > ready.place ? [ready, closing] : [closing, ready]
    for (const item of inOrder) if (item !== null) this.endItem(item)
  }

  /** Its end is known now: something else goes on. */
  private endClosing(): void {
    const item = this.closing
    this.closing = null
    if (item !== null) this.endItem(item)
  }

  private endItem(item: WrittenItem): void {
    item.json = this.itemJson(item, item.cut ? 'incomplete' : 'completed')
    this.itemDone(item)
    for (const signature of item.signatures) {
      const carrier = this.add(
        'reasoning',
        this.context.freshId(OWN_REASONING_ID, `item/${this.items.length}`),
        null,
      )
      carrier.opaque = signature
      this.endItem(carrier)
    }
  }

  private contentEnd(part: WrittenPart): void {
    const { item } = part
    for (const citation of part.waiting) {
      const json = annotationJson(citation, part.text.length)
      if (json !== null) this.annotate(part, json)
    }
    this.pieceEnd(part)
    item.openParts -= 1
    if (item.sealed && item.openParts === 0) this.closing = item
  }

  private callEnd(part: WrittenPart, complete: boolean): void {
    if (part.kind === 'call' && part.text === '' && complete) {
      part.text = '{}'
      this.delta(part, '{}')
    }
    part.item.input = part.text
    this.partDone(part, JSON.stringify(part.text), '')
    this.closing = part.item
  }

  private sectionStart(part: WrittenPart): void {
    part.place += 1
    part.text = ''
    this.partAdded(part)
  }

  private sectionEnd(part: WrittenPart): void {
    this.pieceEnd(part)
  }

  private pieceEnd(part: WrittenPart): void {
    const literal = JSON.stringify(part.text)
    const json = contentJson(part, literal)
    part.item.contents.push(json)
    this.partDone(part, literal, json)
  }

  private annotate(part: WrittenPart, json: string): void {
    part.annotations.push(json)
    this.annotationAdded(part, part.annotations.length - 1, json)
  }

  /** Nothing was said but why: the classifier's words stand where the model's would. */
  private explain(explanation: string): void {
    const part = this.parts.length
    this.partStart(0, part, 'refusal')
    this.text(0, part, explanation)
    this.partEnd(0, part, true)
  }
}

/** A content part or summary section; `literal` is its text as a JSON string. */
export function contentJson(part: WrittenPart, literal: string): string {
  if (part.kind === 'refusal') return `{"type":"refusal","refusal":${literal}}`
  if (part.kind === 'reasoning') return `{"type":"summary_text","text":${literal}}`
  const tokens = part.tokens.length === 0 ? '[]' : logprobsJson(part.tokens, true)
  return `{"type":"output_text","text":${literal},"annotations":[${part.annotations.join(',')}],"logprobs":${tokens}}`
}

function encryptedOf(opaque: Opaque | null): string | null {
  return opaque === null || opaque.value === '' ? null : wrapOpaque(opaque, 'openai-responses')
}

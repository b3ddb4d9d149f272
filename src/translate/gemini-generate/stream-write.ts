// Writes a generateContent stream in either of its forms. Owns the one terminal frame, which says why each candidate
// finished and what it cost. Calls are told whole; prose goes out as it comes.
// The trick: everything of a frame but the text is the same for the whole stream.

import type { ByteOut } from '../bytes/byte-out.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { DialectId } from '../dialect.ts'
import { geminiErrorJson } from '../error-forms/gemini.ts'
import type { ErrorReply } from '../errors.ts'
import { Grammar } from '../grammar.ts'
import type { Citation, MediaPart, Opaque } from '../prompt.ts'
import type { ReplyContext } from '../reply-context.ts'
import { replyId } from '../reply-ids.ts'
import { assert } from '../translate-error.ts'
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
import {
  callPartJson,
  logprobsJson,
  mediaPartJson,
  replyTail,
  textPartJson,
  writeEnd,
} from './candidate-write.ts'
import { groundingJson } from './grounding.ts'
import { GEMINI_GRAMMAR, type GeminiState, type GeminiSymbol, usageJson } from './wire.ts'

/** Text of one part that is kept to place its citations. Counted in UTF-16 units; a longer text loses the rest. */
const SAID_UNITS_MAX = 256 * 1024

class WrittenPart {
  readonly kind: ProsePartKind | 'call' | 'other'
  readonly call: CallHead | null
  /** Arguments of a call, or the text that citations point into. */
  text: string
  signature: Opaque | null
  readonly citations: Citation[]
  state: 'open' | 'whole' | 'cut'

  constructor(kind: WrittenPart['kind'], call: CallHead | null) {
    this.kind = kind
    this.call = call
    this.text = ''
    this.signature = null
    this.citations = []
    this.state = 'open'
  }
}

class WrittenChoice {
  readonly parts: WrittenPart[] = []
  /** Calls that have not been told yet, in the order they began. */
  readonly calls: WrittenPart[] = []
  ending: Finish = finished('stop', null)
  /** A frame of this candidate up to its text, behind it, and behind a thought. */
  readonly head: string
  readonly tail: string
  readonly thoughtTail: string

  constructor(index: number, frameTail: string) {
    this.head = '{"candidates":[{"content":{"parts":[{"text":'
    this.tail = `}],"role":"model"},"index":${index}}],${frameTail}`
    this.thoughtTail = `,"thought":true${this.tail}`
  }
}

const FRAME_END = '\r\n\r\n'
const EMPTY_CONTENT = '{"parts":[{"text":""}],"role":"model"}'

export class GeminiStreamWriter implements TurnSink {
  private readonly out: ByteOut
  private readonly context: ReplyContext
  private readonly grammar: Grammar<GeminiState, GeminiSymbol>
  private readonly choices: WrittenChoice[]
  private readonly extras: Map<string, string>
  private readonly array: boolean
  /** What stands before the next frame. */
  private lead: string
  /** The members of a frame behind its candidates, and its end. */
  private frameTail: string
  private usageTold: Usage | null

  constructor(out: ByteOut, context: ReplyContext) {
    this.out = out
    this.context = context
    this.grammar = new Grammar(GEMINI_GRAMMAR, 'idle')
    this.choices = []
    this.extras = new Map()
    this.array = context.streamForm === 'array'
    this.lead = this.array ? '[' : 'data: '
    this.frameTail = ''
    this.usageTold = null
  }

  start(head: TurnHead): void {
    const end = this.array ? '' : FRAME_END
    this.frameTail = `${replyTail(head.model, replyId('', head.id, this.context))}}${end}`
    this.usageTold = head.usage
  }

  partStart(choice: number, _part: number, kind: ProsePartKind): void {
    this.choice(choice).parts.push(new WrittenPart(kind, null))
  }

  callStart(choice: number, _part: number, call: CallHead): void {
    const part = new WrittenPart('call', call)
    this.choice(choice).parts.push(part)
    this.choices[choice]!.calls.push(part)
  }

  text(choice: number, part: number, delta: string): void {
    const written = this.choices[choice]!
    const { kind } = written.parts[part]!
    this.frame(
      `${written.head}${JSON.stringify(delta)}${kind === 'reasoning' ? written.thoughtTail : written.tail}`,
    )
    if (kind === 'text' || kind === 'refusal') keepText(written.parts[part]!, delta)
  }

  section(choice: number, _part: number): void {
    const written = this.choices[choice]!
    this.frame(`${written.head}"\\n\\n"${written.thoughtTail}`)
  }

  input(choice: number, part: number, json: string): void {
    this.choices[choice]!.parts[part]!.text += json
  }

  opaque(choice: number, part: number, opaque: Opaque): void {
    const written = this.choices[choice]!
    const { kind } = written.parts[part]!
    if (kind === 'call') written.parts[part]!.signature = opaque
    else this.part(written, textPartJson('', kind === 'reasoning', opaque))
  }

  cite(choice: number, part: number, citation: Citation): void {
    this.choices[choice]!.parts[part]!.citations.push(citation)
  }

  logprobs(choice: number, _part: number, tokens: readonly TokenLogprob[]): void {
    const json = logprobsJson(tokens)
    this.frame(
      `{"candidates":[{"content":${EMPTY_CONTENT},"index":${choice},"logprobsResult":${json}}],${this.frameTail}`,
    )
  }

  /** Calls are told in the order they began, whichever is whole first. */
  partEnd(choice: number, part: number, complete: boolean): void {
    const written = this.choices[choice]!
    const ended = written.parts[part]!
    if (ended.kind !== 'call') return
    ended.state = complete ? 'whole' : 'cut'
    while (written.calls[0] !== undefined && written.calls[0].state !== 'open') {
      const call = written.calls.shift()!
      // A call that a limit cut off is left out: an object cannot be told in part.
      if (call.state === 'whole') this.part(written, callPartJson(call.call!, call.text, call.signature))
      call.text = ''
    }
  }

  media(choice: number, _part: number, media: MediaPart): void {
    const written = this.choice(choice)
    written.parts.push(new WrittenPart('other', null))
    const json = mediaPartJson(media)
    if (json !== null) this.part(written, json)
  }

  vendor(choice: number, _part: number, dialect: DialectId, _type: string, json: string): void {
    const written = this.choice(choice)
    written.parts.push(new WrittenPart('other', null))
    if (dialect === 'gemini-generate') this.part(written, json)
  }

  finish(choice: number, finish: Finish): void {
    this.choice(choice).ending = finish
  }

  usage(usage: Usage): void {
    this.usageTold = usage
  }

  /** Earlier versions of the official clients never read on behind a comment; white space in an array is nothing. */
  ping(): void {
    if (this.array) this.out.text('\r\n')
  }

  extra(dialect: DialectId, name: string, json: string): void {
    if (dialect === 'gemini-generate') this.extras.set(name, json)
  }

  end(): void {
    const json = new JsonOut().object()
    const feedback = this.extras.get('promptFeedback')
    if (feedback === undefined || this.choices.some(choice => choice.parts.length > 0)) {
      json.key('candidates').array()
      for (const [index, choice] of this.choices.entries()) this.writeEnding(json, index, choice)
      json.endArray()
    }
    json.memberRawIf('promptFeedback', feedback ?? null)
    json.memberRaw('usageMetadata', this.extras.get('usageMetadata') ?? usageJson(this.usageTold))
    this.step('finish')
    this.step('done')
    this.out.text(`${this.lead}${json.text},${this.frameTail}${this.array ? ']' : ''}`)
  }

  fail(error: ErrorReply): void {
    this.out.text(`${this.lead}${geminiErrorJson(error)}${this.array ? ']' : FRAME_END}`)
  }

  private writeEnding(json: JsonOut, index: number, choice: WrittenChoice): void {
    json.object().memberRaw('content', EMPTY_CONTENT)
    writeEnd(json, index, choice.ending, this.extras, this.context)
    json.memberRawIf('groundingMetadata', groundingJson(choice.parts)).endObject()
  }

  private choice(index: number): WrittenChoice {
    while (this.choices.length <= index)
      this.choices.push(new WrittenChoice(this.choices.length, this.frameTail))
    return this.choices[index]!
  }

  /** A frame with one part that is not plain prose. */
  private part(written: WrittenChoice, json: string): void {
    const index = this.choices.indexOf(written)
    this.frame(
      `{"candidates":[{"content":{"parts":[${json}],"role":"model"},"index":${index}}],${this.frameTail}`,
    )
  }

  private frame(json: string): void {
    this.step('content')
    this.out.text(this.lead + json)
    if (this.array) this.lead = ',\r\n'
  }

  private step(symbol: GeminiSymbol): void {
    assert(this.grammar.take(symbol), `the stream can have ${symbol} here`)
  }
}

function keepText(part: WrittenPart, delta: string): void {
  if (part.text.length + delta.length <= SAID_UNITS_MAX) part.text += delta
}

// Writes a Chat stream. Owns the numbering of calls and the one terminal sequence: finish, usage, [DONE].
// The trick: everything of a chunk but the delta is the same string for the whole stream.

import type { ByteOut } from '../bytes/byte-out.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { DialectId } from '../dialect.ts'
import type { ErrorReply } from '../errors.ts'
import type { Citation, MediaPart, Opaque } from '../prompt.ts'
import type { ReplyContext } from '../reply-context.ts'
import { replyId } from '../reply-ids.ts'
import type { CallHead, Finish, ProsePartKind, TokenLogprob, TurnHead, TurnSink } from '../turn.ts'
import type { Usage } from '../usage.ts'
import { annotationJson } from './annotations.ts'
import { writeDetail } from './messages-write.ts'
import { errorJson } from './stream-error.ts'
import { finishWord, logprobsJson, usageJson } from './wire.ts'

class WrittenPart {
  readonly kind: ProsePartKind | 'call' | 'custom' | 'other'
  /** Index among the calls of its choice, or where its text starts in the message. */
  readonly place: number

  constructor(kind: WrittenPart['kind'], place: number) {
    this.kind = kind
    this.place = place
  }
}

class WrittenChoice {
  /** The chunk up to the members of its delta. */
  readonly head: string
  readonly parts: WrittenPart[] = []
  readonly annotations: string[] = []
  readonly open: { part: number; citation: Citation }[] = []
  calls = 0
  textUnits = 0
  reasoningSeen = false
  /** The next readable reasoning is set apart from the part before. Parts that only carry a signature are not. */
  apart = false

  constructor(head: string) {
    this.head = head
  }
}

const TAIL = '},"finish_reason":null}]}\n\n'

export class ChatStreamWriter implements TurnSink {
  private readonly out: ByteOut
  private readonly context: ReplyContext
  private readonly choices: WrittenChoice[]
  /** The chunk up to `choices`. */
  private envelope: string
  private usageTold: Usage | null

  constructor(out: ByteOut, context: ReplyContext) {
    this.out = out
    this.context = context
    this.choices = []
    this.envelope = ''
    this.usageTold = null
  }

  start(head: TurnHead): void {
    const json = new JsonOut().object().member('id', replyId('chatcmpl-', head.id, this.context))
    json
      .member('object', 'chat.completion.chunk')
      .member('created', head.createdS)
      .member('model', head.model)
    if (this.context.upstream === 'openai-responses') json.memberIf('service_tier', head.tier)
    this.envelope = `data: ${json.text}`
    this.usageTold = head.usage
    this.choice(0)
  }

  partStart(choice: number, _part: number, kind: ProsePartKind): void {
    const written = this.choice(choice)
    if (kind === 'reasoning') written.apart = written.reasoningSeen
    written.parts.push(new WrittenPart(kind, written.textUnits))
  }

  callStart(choice: number, _part: number, call: CallHead): void {
    const written = this.choice(choice)
    const index = written.calls++
    written.parts.push(new WrittenPart(call.custom ? 'custom' : 'call', index))
    const kind = call.custom ? 'custom' : 'function'
    const name = call.namespace === null ? call.name : `${call.namespace}__${call.name}`
    const made = new JsonOut()
      .object()
      .member('name', name)
      .member(call.custom ? 'input' : 'arguments', '')
      .endObject()
    const json = new JsonOut().object().member('index', index).member('id', call.id).member('type', kind)
    this.delta(written, `"tool_calls":[${json.memberRaw(kind, made.text).endObject().text}]`)
  }

  text(choice: number, part: number, delta: string): void {
    const written = this.choices[choice]!
    const { kind, place } = written.parts[part]!
    if (kind === 'text') {
      written.textUnits += delta.length
      this.out.text(`${written.head}"content":${JSON.stringify(delta)}${TAIL}`)
    } else if (kind === 'reasoning') this.reasoning(written, delta)
    else if (kind === 'refusal') this.delta(written, `"refusal":${JSON.stringify(delta)}`)
    else this.delta(written, `"tool_calls":[{"index":${place},"custom":{"input":${JSON.stringify(delta)}}}]`)
  }

  section(choice: number, _part: number): void {
    this.delta(this.choices[choice]!, '"reasoning_content":"\\n\\n"')
  }

  input(choice: number, part: number, json: string): void {
    const written = this.choices[choice]!
    const index = written.parts[part]!.place
    this.delta(written, `"tool_calls":[{"index":${index},"function":{"arguments":${JSON.stringify(json)}}}]`)
  }

  opaque(choice: number, _part: number, opaque: Opaque): void {
    if (!this.context.wantReasoningDetails) return
    const json = new JsonOut()
    writeDetail(json, { sections: [], opaque })
    this.delta(this.choices[choice]!, `"reasoning_details":[${json.text}]`)
  }

  cite(choice: number, part: number, citation: Citation): void {
    this.choices[choice]!.open.push({ part, citation })
  }

  logprobs(choice: number, _part: number, tokens: readonly TokenLogprob[]): void {
    const written = this.choices[choice]!
    this.out.text(`${written.head}},"logprobs":${logprobsJson(tokens)},"finish_reason":null}]}\n\n`)
  }

  /** Where a cited part ends is known now. */
  partEnd(choice: number, part: number, _complete: boolean): void {
    const written = this.choices[choice]!
    const { kind, place } = written.parts[part]!
    if (kind !== 'text' || written.open.length === 0) return
    for (const cited of written.open) {
      if (cited.part !== part) continue
      const json = annotationJson(cited.citation, place, written.textUnits)
      if (json !== null) written.annotations.push(json)
    }
    written.open.length = 0
  }

  media(choice: number, _part: number, _media: MediaPart): void {
    this.choice(choice).parts.push(new WrittenPart('other', 0))
  }

  vendor(choice: number, _part: number, _dialect: DialectId, _type: string, _json: string): void {
    this.choice(choice).parts.push(new WrittenPart('other', 0))
  }

  finish(choice: number, finish: Finish): void {
    const written = this.choice(choice)
    const explanation = finish.reason === 'refusal' ? (finish.detail?.explanation ?? null) : null
    if (explanation !== null && written.textUnits === 0) {
      this.delta(written, `"refusal":${JSON.stringify(explanation)}`)
    }
    if (written.annotations.length > 0)
      this.delta(written, `"annotations":[${written.annotations.join(',')}]`)
    this.out.text(`${written.head}},"finish_reason":"${finishWord(finish)}"}]}\n\n`)
  }

  usage(usage: Usage): void {
    this.usageTold = usage
  }

  ping(): void {
    this.out.text(': keep-alive\n\n')
  }

  extra(): void {}

  end(): void {
    if (this.context.wantUsage && this.usageTold !== null) {
      this.out.text(`${this.envelope},"choices":[],"usage":${usageJson(this.usageTold)}}\n\n`)
    }
    this.out.text('data: [DONE]\n\n')
  }

  /** No [DONE] after an error: it would say that the reply is complete. */
  fail(error: ErrorReply): void {
    this.out.text(`data: ${errorJson(error)}\n\n`)
  }

  private reasoning(written: WrittenChoice, delta: string): void {
    if (written.apart) this.delta(written, '"reasoning_content":"\\n\\n"')
    written.apart = false
    written.reasoningSeen = true
    this.delta(written, `"reasoning_content":${JSON.stringify(delta)}`)
  }

  private choice(index: number): WrittenChoice {
    while (this.choices.length <= index) {
      const number = this.choices.length
      const written = new WrittenChoice(`${this.envelope},"choices":[{"index":${number},"delta":{`)
      this.choices.push(written)
      this.delta(written, '"role":"assistant","content":""')
    }
    return this.choices[index]!
  }

  private delta(written: WrittenChoice, members: string): void {
    this.out.text(written.head + members + TAIL)
  }
}

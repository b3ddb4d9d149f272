// Writes a Converse stream. Owns block numbers and the one terminal sequence, which waits for the end: after
// `messageStop` an upstream may still fail. Wants parts one at a time: put a `SerialSink` in front.
// Blocks of text and reasoning are announced by nothing; a part without content leaves no trace.

import type { ByteOut } from '../bytes/byte-out.ts'
import { JsonOut } from '../bytes/json-out.ts'
import { argumentsObject } from '../bytes/json-text.ts'
import { type JsonObject, readJsonObject } from '../bytes/json-tree.ts'
import type { DialectId } from '../dialect.ts'
import { writeException } from '../error-forms/converse.ts'
import type { ErrorReply } from '../errors.ts'
import { writeFrame } from '../framing/event-stream.ts'
import { Grammar } from '../grammar.ts'
import type { Citation, MediaPart, Opaque } from '../prompt.ts'
import type { ReplyContext } from '../reply-context.ts'
import { assert } from '../translate-error.ts'
import {
  type CallHead,
  type Finish,
  finish as finished,
  type ProsePartKind,
  type TurnHead,
  type TurnSink,
} from '../turn.ts'
import type { Usage } from '../usage.ts'
import { citationJson } from './citations.ts'
import { mediaFormat, metadataMembers, OwnExtras, redactedValue, signatureValue } from './reply-members.ts'
import { CONVERSE_GRAMMAR, type ConverseState, type ConverseSymbol, stopWord } from './wire.ts'

export class ConverseStreamWriter implements TurnSink {
  private readonly out: ByteOut
  private readonly grammar: Grammar<ConverseState, ConverseSymbol>
  private readonly extras: OwnExtras
  /** Kind of the prose part that is open. Its block opens with its first delta. */
  private kind: ProsePartKind | 'call'
  private index: number
  private opened: boolean
  private inputSeen: boolean
  /** A text delta of the open block up to the text, and behind it. */
  private deltaHead: string
  private deltaTail: string
  private ending: Finish
  private usageTold: Usage | null

  constructor(out: ByteOut, context: ReplyContext) {
    this.out = out
    this.grammar = new Grammar(CONVERSE_GRAMMAR, 'idle')
    this.extras = new OwnExtras(context)
    this.kind = 'text'
    this.index = -1
    this.opened = false
    this.inputSeen = false
    this.deltaHead = ''
    this.deltaTail = ''
    this.ending = finished('stop', null)
    this.usageTold = null
  }

  start(head: TurnHead): void {
    this.usageTold = head.usage
    this.event('messageStart', '{"role":"assistant"}')
  }

  partStart(_choice: number, _part: number, kind: ProsePartKind): void {
    this.kind = kind
    this.opened = false
  }

  callStart(_choice: number, _part: number, call: CallHead): void {
    this.kind = 'call'
    this.inputSeen = false
    const name = call.namespace === null ? call.name : `${call.namespace}__${call.name}`
    const use = new JsonOut().object().member('toolUseId', call.id).member('name', name).endObject().text
    this.open(`{"toolUse":${use}}`)
  }

  text(_choice: number, _part: number, delta: string): void {
    this.delta(JSON.stringify(delta))
  }

  section(): void {
    this.delta('"\\n\\n"')
  }

  input(_choice: number, _part: number, json: string): void {
    this.inputSeen = true
    this.delta(JSON.stringify(json))
  }

  opaque(_choice: number, _part: number, opaque: Opaque): void {
    if (this.kind !== 'reasoning') return
    const redacted = redactedValue(opaque)
    const made =
      redacted === null
        ? `"signature":${JSON.stringify(signatureValue(opaque))}`
        : `"redactedContent":${JSON.stringify(redacted)}`
    this.rareDelta(`{"reasoningContent":{${made}}}`)
  }

  cite(_choice: number, _part: number, citation: Citation): void {
    const json = citationJson(citation)
    if (json !== null) this.rareDelta(`{"citation":${json}}`)
  }

  logprobs(): void {}

  partEnd(_choice: number, _part: number, complete: boolean): void {
    // Clients parse what they have collected, and '' is no JSON.
    if (this.kind === 'call' && this.opened && !this.inputSeen && complete) this.delta('"{}"')
    this.close()
  }

  private close(): void {
    if (this.opened) this.event('contentBlockStop', `{"contentBlockIndex":${this.index}}`)
    this.opened = false
  }

  /** Images only: nothing else can be streamed. */
  media(_choice: number, _part: number, media: MediaPart): void {
    const format = mediaFormat(media)
    if (format === null || media.source.kind !== 'base64') return
    this.open(`{"image":{"format":${JSON.stringify(format)}}}`)
    this.rareDelta(`{"image":{"source":{"bytes":${JSON.stringify(media.source.data)}}}}`)
    this.close()
  }

  vendor(_choice: number, _part: number, dialect: DialectId, type: string, json: string): void {
    if (dialect !== 'bedrock-converse') return
    const made = readJsonObject(json).object(type)
    if (made === null || (type !== 'toolUse' && type !== 'toolResult')) return
    const content = type === 'toolUse' ? 'input' : 'content'
    this.open(`{"${type}":${without(made, content)}}`)
    const inside = made.jsonOf(content)
    if (inside !== null && type === 'toolUse') {
      this.rareDelta(`{"toolUse":{"input":${JSON.stringify(argumentsObject(inside))}}}`)
    } else if (inside !== null) this.rareDelta(`{"toolResult":${inside}}`)
    this.close()
  }

  finish(_choice: number, finish: Finish): void {
    this.ending = finish
  }

  usage(usage: Usage): void {
    this.usageTold = usage
  }

  /** There is no frame without meaning. */
  ping(): void {}

  extra(dialect: DialectId, name: string, json: string): void {
    this.extras.add(dialect, name, json)
  }

  end(): void {
    const stop = new JsonOut().object().member('stopReason', stopWord(this.ending))
    stop.memberRawIf('additionalModelResponseFields', this.extras.responseFields(this.ending))
    this.event('messageStop', stop.endObject().text)
    const metadata = new JsonOut().object()
    metadataMembers(metadata, this.usageTold, this.extras)
    this.event('metadata', metadata.endObject().text)
  }

  fail(error: ErrorReply): void {
    writeException(this.out, error)
  }

  /** Begins a block; `start` is null for those that have no start. */
  private open(start: string | null): void {
    this.index += 1
    this.opened = true
    const head = `{"contentBlockIndex":${this.index},"delta":{`
    if (this.kind === 'reasoning') {
      this.deltaHead = `${head}"reasoningContent":{"text":`
      this.deltaTail = '}}}'
    } else if (this.kind === 'call') {
      this.deltaHead = `${head}"toolUse":{"input":`
      this.deltaTail = '}}}'
    } else {
      this.deltaHead = `${head}"text":`
      this.deltaTail = '}}'
    }
    if (start === null) return
    this.event('contentBlockStart', `{"contentBlockIndex":${this.index},"start":${start}}`)
  }

  private delta(literal: string): void {
    if (!this.opened) this.open(null)
    this.event('contentBlockDelta', this.deltaHead + literal + this.deltaTail)
  }

  private rareDelta(json: string): void {
    if (!this.opened) this.open(null)
    this.event('contentBlockDelta', `{"contentBlockIndex":${this.index},"delta":${json}}`)
  }

  private event(name: ConverseSymbol, json: string): void {
    assert(this.grammar.take(name), 'the stream can have this event here')
    writeFrame(this.out, 'event', name, json)
  }
}

/** An object without one of its members. */
function without(made: JsonObject, member: string): string {
  const out = new JsonOut().object()
  for (const key of made.keys) if (key !== member) out.memberRaw(key, made.jsonOf(key) ?? 'null')
  return out.endObject().text
}

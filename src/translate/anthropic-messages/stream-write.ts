// Writes a Messages stream. Owns block numbers and the one terminal sequence. Wants parts one at a time: put a
// `SerialSink` in front.

import type { ByteOut } from '../bytes/byte-out.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { DialectId } from '../dialect.ts'
import type { ErrorReply } from '../errors.ts'
import { Grammar } from '../grammar.ts'
import { wrapOpaque } from '../opaque.ts'
import type { Citation, MediaPart, Opaque } from '../prompt.ts'
import type { ReplyContext } from '../reply-context.ts'
import { replyId } from '../reply-ids.ts'
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
import { errorJson } from './stream-error.ts'
import { MESSAGES_GRAMMAR, type MessagesState, type MessagesSymbol, stopMembers, usageJson } from './wire.ts'

type OpenBlock = 'none' | 'text' | 'thinking' | 'call' | 'skipped'

export class MessagesStreamWriter implements TurnSink {
  private readonly out: ByteOut
  private readonly context: ReplyContext
  private readonly grammar: Grammar<MessagesState, MessagesSymbol>
  private open: OpenBlock
  /** A reasoning part has begun, but not yet shown whether it is a thinking or a redacted block. */
  private undecided: boolean
  private index: number
  /** Text deltas of the open block up to the text. */
  private deltaHead: string
  private ending: Finish
  private usageTold: Usage | null

  constructor(out: ByteOut, context: ReplyContext) {
    this.out = out
    this.context = context
    this.grammar = new Grammar(MESSAGES_GRAMMAR, 'idle')
    this.open = 'none'
    this.undecided = false
    this.index = -1
    this.deltaHead = ''
    this.ending = finished('stop', null)
    this.usageTold = null
  }

  start(head: TurnHead): void {
    this.usageTold = head.usage
    const json = new JsonOut().object().member('type', 'message_start').key('message').object()
    json
      .member('id', replyId('msg_', head.id, this.context))
      .member('type', 'message')
      .member('role', 'assistant')
    json.member('model', head.model).memberRaw('content', '[]').member('stop_reason', null)
    json.member('stop_sequence', null).memberRaw('usage', usageJson(head.usage)).endObject().endObject()
    this.event('message_start', 'message_start', json.text)
  }

  partStart(_choice: number, _part: number, kind: ProsePartKind): void {
    if (kind === 'reasoning') this.undecided = true
    else this.begin('text', '{"type":"text","text":""}', '"type":"text_delta","text":')
  }

  callStart(_choice: number, _part: number, call: CallHead): void {
    const name = call.namespace === null ? call.name : `${call.namespace}__${call.name}`
    const json = new JsonOut().object().member('type', 'tool_use').member('id', call.id).member('name', name)
    this.begin(
      'call',
      json.memberRaw('input', '{}').endObject().text,
      '"type":"input_json_delta","partial_json":',
    )
  }

  text(_choice: number, _part: number, delta: string): void {
    this.think()
    this.delta(JSON.stringify(delta))
  }

  section(): void {
    this.think()
    this.delta('"\\n\\n"')
  }

  input(_choice: number, _part: number, json: string): void {
    this.delta(JSON.stringify(json))
  }

  opaque(_choice: number, _part: number, opaque: Opaque): void {
    const value = wrapOpaque(opaque, 'anthropic-messages')
    if (opaque.kind === 'redacted' && this.undecided) {
      this.undecided = false
      const json = new JsonOut()
        .object()
        .member('type', 'redacted_thinking')
        .member('data', value)
        .endObject()
      this.begin('skipped', json.text, '')
      return
    }
    this.think()
    if (this.open !== 'thinking') return
    const delta = `{"type":"signature_delta","signature":${JSON.stringify(value)}}`
    this.event(
      'content_block_delta',
      'block_delta',
      `{"type":"content_block_delta","index":${this.index},"delta":${delta}}`,
    )
  }

  cite(_choice: number, _part: number, citation: Citation): void {
    if (this.open !== 'text' || citation.dialect !== 'anthropic-messages') return
    const delta = `{"type":"citations_delta","citation":${citation.json}}`
    this.event(
      'content_block_delta',
      'block_delta',
      `{"type":"content_block_delta","index":${this.index},"delta":${delta}}`,
    )
  }

  logprobs(): void {}

  partEnd(): void {
    this.think()
    this.event('content_block_stop', 'block_stop', `{"type":"content_block_stop","index":${this.index}}`)
    this.open = 'none'
  }

  media(_choice: number, _part: number, _media: MediaPart): void {}

  vendor(_choice: number, _part: number, dialect: DialectId, _type: string, json: string): void {
    if (dialect !== 'anthropic-messages') return
    this.begin('skipped', json, '')
    this.partEnd()
  }

  finish(_choice: number, finish: Finish): void {
    this.ending = finish
  }

  usage(usage: Usage): void {
    this.usageTold = usage
  }

  ping(): void {
    this.out.text('event: ping\ndata: {"type":"ping"}\n\n')
  }

  extra(): void {}

  end(): void {
    const json = new JsonOut().object().member('type', 'message_delta').key('delta').object()
    stopMembers(json, this.ending)
    json.endObject().memberRaw('usage', usageJson(this.usageTold)).endObject()
    this.event('message_delta', 'message_delta', json.text)
    this.event('message_stop', 'message_stop', '{"type":"message_stop"}')
  }

  fail(error: ErrorReply): void {
    this.out.text(`event: error\ndata: ${errorJson(error)}\n\n`)
  }

  private begin(open: OpenBlock, block: string, deltaMembers: string): void {
    this.index += 1
    this.open = open
    const start = `{"type":"content_block_start","index":${this.index},"content_block":${block}}`
    this.event('content_block_start', 'block_start', start)
    this.deltaHead = `event: content_block_delta\ndata: {"type":"content_block_delta","index":${this.index},"delta":{${deltaMembers}`
  }

  /** Opens the thinking block that was put off. */
  private think(): void {
    if (!this.undecided) return
    this.undecided = false
    const block = '{"type":"thinking","thinking":"","signature":""}'
    this.begin('thinking', block, '"type":"thinking_delta","thinking":')
  }

  private delta(literal: string): void {
    assert(this.grammar.take('block_delta'), 'a delta is written into an open block')
    this.out.text(`${this.deltaHead}${literal}}}\n\n`)
  }

  private event(name: string, symbol: MessagesSymbol, json: string): void {
    assert(this.grammar.take(symbol), `the stream can have ${symbol} here`)
    this.out.text(`event: ${name}\ndata: ${json}\n\n`)
  }
}

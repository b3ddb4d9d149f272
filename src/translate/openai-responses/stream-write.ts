// Writes a Responses stream. Owns the events and their numbers; items are items-write.ts's.
// The trick: everything of a delta event but its number and its delta is the same string for the whole part.

import type { ByteOut } from '../bytes/byte-out.ts'
import type { ErrorReply } from '../errors.ts'
import { Grammar } from '../grammar.ts'
import type { ReplyContext } from '../reply-context.ts'
import { assert } from '../translate-error.ts'
import type { TokenLogprob, TurnHead } from '../turn.ts'
import { contentJson, ItemWriter, type WrittenItem, type WrittenPart } from './items-write.ts'
import { errorEventMembers, failureJson } from './stream-error.ts'
import { logprobsJson, STREAM_GRAMMAR, type StreamState, type StreamSymbol } from './wire.ts'

export class ResponsesStreamWriter extends ItemWriter {
  private readonly grammar: Grammar<StreamState, StreamSymbol>
  private sequence: number

  constructor(out: ByteOut, context: ReplyContext) {
    super(out, context)
    this.grammar = new Grammar(STREAM_GRAMMAR, 'idle')
    this.sequence = 0
  }

  override start(head: TurnHead): void {
    super.start(head)
    const response = this.envelope!.json('in_progress', 'null', 'null', '[]', 'null')
    this.step('created')
    this.event('response.created', `"response":${response}`)
    this.step('progress')
    this.event('response.in_progress', `"response":${response}`)
  }

  override ping(): void {
    this.out.text(': keep-alive\n\n')
  }

  override end(): void {
    this.step('end')
    const { status, reason } = this.ending
    const error = status === 'failed' ? failureJson(this.malformed()) : 'null'
    const response = this.response(status, error, status === 'incomplete' ? reason : undefined)
    this.event(`response.${status}`, `"response":${response}`)
  }

  /** Before the reply has begun there is no response that could have failed. */
  override fail(error: ErrorReply): void {
    const begun = this.grammar.state === 'open'
    this.step('failed')
    if (!begun) {
      this.event('error', errorEventMembers(error))
      return
    }
    this.breakOff()
    this.event('response.failed', `"response":${this.response('failed', failureJson(error))}`)
  }

  protected override itemAdded(item: WrittenItem, json: string): void {
    this.step('item_added')
    this.event('response.output_item.added', `"output_index":${item.place},"item":${json}`)
  }

  protected override itemDone(item: WrittenItem): void {
    this.step('item')
    assert(item.grammar.take('item_done'), 'an item ends after its parts')
    this.event('response.output_item.done', `"output_index":${item.place},"item":${item.json}`)
  }

  protected override partAdded(part: WrittenPart): void {
    const { item } = part
    const at = `"item_id":${JSON.stringify(item.id)},"output_index":${item.place}`
    const name = DELTAS[part.kind]
    let place = ''
    part.deltaTail = '}\n\n'
    if (part.kind === 'reasoning') {
      place = `,"summary_index":${part.place}`
      this.take(part, 'part_added')
      this.event(
        'response.reasoning_summary_part.added',
        `${at}${place},"part":{"type":"summary_text","text":""}`,
      )
    } else if (part.kind === 'text' || part.kind === 'refusal') {
      place = `,"content_index":${part.place}`
      if (part.kind === 'text') part.deltaTail = ',"logprobs":[]}\n\n'
      this.take(part, 'part_added')
      this.event('response.content_part.added', `${at}${place},"part":${contentJson(part, '""')}`)
    }
    part.deltaHead = `event: ${name}.delta\ndata: {"type":"${name}.delta","sequence_number":`
    part.deltaMiddle = `,${at}${place},"delta":`
  }

  protected override delta(part: WrittenPart, delta: string): void {
    this.take(part, 'delta')
    this.out.text(
      part.deltaHead + this.sequence++ + part.deltaMiddle + JSON.stringify(delta) + part.deltaTail,
    )
  }

  protected override tokensAdded(part: WrittenPart, tokens: readonly TokenLogprob[]): void {
    this.take(part, 'delta')
    const json = logprobsJson(tokens, false)
    this.out.text(`${part.deltaHead}${this.sequence++}${part.deltaMiddle}"","logprobs":${json}}\n\n`)
  }

  protected override annotationAdded(part: WrittenPart, index: number, json: string): void {
    this.take(part, 'delta')
    this.event(
      'response.output_text.annotation.added',
      `${placeOf(part)},"annotation_index":${index},"annotation":${json}`,
    )
  }

  protected override partDone(part: WrittenPart, literal: string, json: string): void {
    const at = placeOf(part)
    const name = DELTAS[part.kind]
    this.take(part, 'said')
    switch (part.kind) {
      case 'text': {
        const tokens = part.tokens.length === 0 ? '[]' : logprobsJson(part.tokens, false)
        this.event(`${name}.done`, `${at},"text":${literal},"logprobs":${tokens}`)
        break
      }
      case 'refusal':
        this.event(`${name}.done`, `${at},"refusal":${literal}`)
        break
      case 'reasoning':
        this.event(`${name}.done`, `${at},"text":${literal}`)
        this.take(part, 'part_done')
        this.event('response.reasoning_summary_part.done', `${at},"part":${json}`)
        return
      case 'call':
        this.event(
          `${name}.done`,
          `${at},"name":${JSON.stringify(part.item.call!.name)},"arguments":${literal}`,
        )
        return
      case 'custom':
        this.event(`${name}.done`, `${at},"input":${literal}`)
        return
    }
    this.take(part, 'part_done')
    this.event('response.content_part.done', `${at},"part":${json}`)
  }

  private step(symbol: StreamSymbol): void {
    assert(this.grammar.take(symbol), `the stream can have ${symbol} here`)
  }

  private take(part: WrittenPart, symbol: 'part_added' | 'delta' | 'said' | 'part_done'): void {
    assert(part.item.grammar.take(symbol), `the item can have ${symbol} here`)
  }

  private event(type: string, members: string): void {
    this.out.text(
      `event: ${type}\ndata: {"type":"${type}","sequence_number":${this.sequence++},${members}}\n\n`,
    )
  }
}

/** Names of delta and done events, up to their last word. */
const DELTAS: Readonly<Record<WrittenPart['kind'], string>> = {
  text: 'response.output_text',
  refusal: 'response.refusal',
  reasoning: 'response.reasoning_summary_text',
  call: 'response.function_call_arguments',
  custom: 'response.custom_tool_call_input',
}

/** Members that tell which part of which item an event is about. */
function placeOf(part: WrittenPart): string {
  const at = `"item_id":${JSON.stringify(part.item.id)},"output_index":${part.item.place}`
  if (part.kind === 'reasoning') return `${at},"summary_index":${part.place}`
  return part.kind === 'call' || part.kind === 'custom' ? at : `${at},"content_index":${part.place}`
}

// Whole Chat replies. The reader feeds the message through the same code as a stream's deltas; the writer prints
// what the turn has collected.

import type { ByteOut } from '../bytes/byte-out.ts'
import { listOf, type Members, membersOf, textOf } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import { type CollectedChoice, type CollectedPart, TurnCollector } from '../collect.ts'
import type { ErrorReply } from '../errors.ts'
import type { ReplyContext } from '../reply-context.ts'
import { replyId } from '../reply-ids.ts'
import { brokenReply } from '../translate-error.ts'
import { finish } from '../turn.ts'
import { WholeReplyReader } from '../whole-reply.ts'
import { annotationJson } from './annotations.ts'
import { ChoiceReader } from './choice-read.ts'
import { writeDetail } from './messages-write.ts'
import { errorJson, readErrorMember } from './stream-error.ts'
import { finishWord, logprobsJson, readUsage, usageJson } from './wire.ts'

export class ChatReplyReader extends WholeReplyReader {
  protected reply(reply: Members): void {
    const error = membersOf(reply['error'])
    const choices = listOf(reply['choices'])
    if (error !== null) this.to.fail(readErrorMember(error))
    else if (choices.length === 0) this.to.fail(brokenReply('no choice'))
    else this.turn(reply, choices)
  }

  private turn(reply: Members, choices: readonly unknown[]): void {
    const created = reply['created']
    this.to.start({
      id: textOf(reply['id']),
      model: textOf(reply['model']),
      createdS: typeof created === 'number' ? Math.trunc(created) : null,
      tier: typeof reply['service_tier'] === 'string' ? reply['service_tier'] : null,
      usage: null,
    })
    for (const [index, choice] of choices.entries()) {
      const members = membersOf(choice)
      const reader = new ChoiceReader(this.to, index, this.context.family)
      const message = membersOf(members?.['message'])
      const complaint = message === null ? null : reader.take(message, members?.['logprobs'])
      if (complaint !== null) {
        this.to.fail(brokenReply(complaint))
        return
      }
      const word = members?.['finish_reason']
      if (word === 'error') {
        this.to.fail(readErrorMember(membersOf(members?.['error']) ?? {}))
        return
      }
      reader.finish(typeof word === 'string' && word !== '' ? word : null)
    }
    const usage = readUsage(reply['usage'])
    if (usage !== null) this.to.usage(usage)
    this.to.end()
  }
}

export class ChatReplyWriter extends TurnCollector {
  private readonly out: ByteOut
  private readonly context: ReplyContext

  constructor(out: ByteOut, context: ReplyContext) {
    super()
    this.out = out
    this.context = context
  }

  override end(): void {
    super.end()
    const head = this.head!
    const json = new JsonOut().object().member('id', replyId('chatcmpl-', head.id, this.context))
    json.member('object', 'chat.completion').member('created', head.createdS).member('model', head.model)
    json.key('choices').array()
    for (const [index, choice] of this.choices.entries()) this.writeChoice(json, index, choice)
    json.endArray().memberRaw('usage', usageJson(this.usageTold ?? head.usage ?? NO_USAGE))
    if (this.context.upstream === 'openai-responses') json.memberIf('service_tier', head.tier)
    this.out.text(json.endObject().text)
  }

  override fail(error: ErrorReply): void {
    super.fail(error)
    this.out.text(errorJson(error))
  }

  private writeChoice(json: JsonOut, index: number, choice: CollectedChoice): void {
    const ended = choice.finish ?? finish('stop', null)
    const tokens = choice.parts.flatMap(part => part.logprobs)
    json.object().member('index', index).key('message').object().member('role', 'assistant')
    const text = choice.textOf('text')
    const explanation = ended.reason === 'refusal' && text === '' ? (ended.detail?.explanation ?? null) : null
    const refusal = choice.textOf('refusal')
    json.member('content', choice.parts.some(part => part.kind === 'text') ? text : null)
    json.member('refusal', refusal === '' ? explanation : refusal)
    this.writeReasoning(json, choice)
    writeCalls(json, choice)
    const annotations = annotationsOf(choice)
    if (annotations.length > 0) json.memberRaw('annotations', `[${annotations.join(',')}]`)
    json.endObject().memberRaw('logprobs', tokens.length === 0 ? 'null' : logprobsJson(tokens))
    json.member('finish_reason', finishWord(ended)).endObject()
  }

  private writeReasoning(json: JsonOut, choice: CollectedChoice): void {
    const parts = choice.parts.filter(part => part.kind === 'reasoning')
    const text = parts.flatMap(part => part.sections).join('\n\n')
    if (text !== '') json.member('reasoning_content', text)
    if (!this.context.wantReasoningDetails || !parts.some(part => part.opaque !== null)) return
    json.key('reasoning_details').array()
    for (const part of parts) writeDetail(json, part)
    json.endArray()
  }
}

function writeCalls(json: JsonOut, choice: CollectedChoice): void {
  const calls = choice.parts.filter(part => part.kind === 'call')
  if (calls.length === 0) return
  json.key('tool_calls').array()
  for (const part of calls) writeCall(json, part)
  json.endArray()
}

function writeCall(json: JsonOut, part: CollectedPart): void {
  const call = part.call!
  const kind = call.custom ? 'custom' : 'function'
  const name = call.namespace === null ? call.name : `${call.namespace}__${call.name}`
  json.object().member('id', call.id).member('type', kind).key(kind).object().member('name', name)
  json
    .member(call.custom ? 'input' : 'arguments', call.custom ? part.text : part.input)
    .endObject()
    .endObject()
}

function annotationsOf(choice: CollectedChoice): string[] {
  const annotations: string[] = []
  let units = 0
  for (const part of choice.parts) {
    if (part.kind !== 'text') continue
    for (const citation of part.citations) {
      const json = annotationJson(citation, units, units + part.text.length)
      if (json !== null) annotations.push(json)
    }
    units += part.text.length
  }
  return annotations
}

// The upstream told nothing; clients want the members all the same.
const NO_USAGE = {
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  cacheWriteLongTokens: null,
  outputTokens: 0,
  reasoningTokens: null,
  audioInputTokens: null,
  audioOutputTokens: null,
  estimated: true,
} as const

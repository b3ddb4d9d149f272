// Whole generateContent replies. The reader takes the body as one frame of a stream; the writer prints what the turn
// has collected.

import type { ByteOut } from '../bytes/byte-out.ts'
import { type Members, membersOf, parsed } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import { type CollectedChoice, type CollectedPart, TurnCollector } from '../collect.ts'
import { geminiErrorJson } from '../error-forms/gemini.ts'
import type { ErrorReply } from '../errors.ts'
import { JsonArrayReader } from '../framing/json-array.ts'
import type { ReplyContext } from '../reply-context.ts'
import { replyId } from '../reply-ids.ts'
import { brokenReply } from '../translate-error.ts'
import { finish } from '../turn.ts'
import { WholeReplyReader } from '../whole-reply.ts'
import {
  callPartJson,
  type Extras,
  logprobsJson,
  mediaPartJson,
  replyTail,
  textPartJson,
  writeEnd,
} from './candidate-write.ts'
import { groundingJson } from './grounding.ts'
import { TurnReader } from './turn-read.ts'
import { usageJson } from './wire.ts'

export class GeminiReplyReader extends WholeReplyReader {
  protected reply(reply: Members, text: string): void {
    const turn = new TurnReader(this.to, this.context)
    turn.frame(reply, text)
    turn.endWhole()
  }

  /** Errors come in brackets where a stream was asked for, and so do the frames of one. */
  protected override list(bytes: Uint8Array): void {
    const turn = new TurnReader(this.to, this.context)
    const reader = new JsonArrayReader({
      element: json => turn.frame(membersOf(parsed(json)), json),
      broken: message => turn.fail(brokenReply(message)),
    })
    reader.write(bytes)
    turn.endWhole()
  }
}

export class GeminiReplyWriter extends TurnCollector {
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
    const own = this.extras.filter(extra => extra.dialect === 'gemini-generate')
    const extras: Extras = new Map(own.map(extra => [extra.name, extra.json]))
    const json = new JsonOut().object()
    const feedback = extras.get('promptFeedback')
    if (feedback === undefined || this.choices.some(choice => choice.parts.length > 0)) {
      json.key('candidates').array()
      for (const [index, choice] of this.choices.entries()) this.writeCandidate(json, index, choice, extras)
      json.endArray()
    }
    json.memberRawIf('promptFeedback', feedback ?? null)
    json.memberRaw('usageMetadata', extras.get('usageMetadata') ?? usageJson(this.usageTold ?? head.usage))
    this.out.text(`${json.text},${replyTail(head.model, replyId('', head.id, this.context))}}`)
  }

  override fail(error: ErrorReply): void {
    super.fail(error)
    this.out.text(geminiErrorJson(error))
  }

  private writeCandidate(json: JsonOut, index: number, choice: CollectedChoice, extras: Extras): void {
    const parts = choice.parts.flatMap(part => partJson(part) ?? [])
    json.object().key('content').object()
    if (parts.length > 0) json.memberRaw('parts', `[${parts.join(',')}]`)
    json.member('role', 'model').endObject()
    writeEnd(json, index, choice.finish ?? finish('stop', null), extras, this.context)
    json.memberRawIf('groundingMetadata', groundingJson(choice.parts))
    const tokens = choice.parts.flatMap(part => part.logprobs)
    if (tokens.length > 0) json.memberRaw('logprobsResult', logprobsJson(tokens))
    json.endObject()
  }
}

/** Null for what is not shown: empty parts, calls that a limit cut off, material of other vendors. */
function partJson(part: CollectedPart): string | null {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' && part.opaque === null ? null : textPartJson(part.text, false, part.opaque)
    case 'reasoning': {
      const text = part.sections.join('\n\n')
      return text === '' && part.opaque === null ? null : textPartJson(text, true, part.opaque)
    }
    case 'call':
      // An object cannot be told in part.
      return part.complete ? callPartJson(part.call!, part.input, part.opaque) : null
    case 'media':
      return part.media === null ? null : mediaPartJson(part.media)
    case 'vendor':
      return part.vendor?.dialect === 'gemini-generate' ? part.vendor.json : null
  }
}

// Whole Messages replies. The reader feeds blocks through the same code as a stream; the writer prints what the
// turn has collected.

import type { ByteOut } from '../bytes/byte-out.ts'
import { listOf, type Members, membersOf, textOf, textOrNull } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import { argumentsObject } from '../bytes/json-text.ts'
import { type CollectedPart, TurnCollector } from '../collect.ts'
import type { ErrorReply } from '../errors.ts'
import { wrapOpaque } from '../opaque.ts'
import type { ReplyContext } from '../reply-context.ts'
import { replyId } from '../reply-ids.ts'
import { brokenReply } from '../translate-error.ts'
import { finish } from '../turn.ts'
import { ElementSource, WholeReplyReader } from '../whole-reply.ts'
import { BlockFeed } from './block-read.ts'
import { errorJson, readErrorEvent } from './stream-error.ts'
import { finishOf, stopMembers, UsageCounts, usageJson } from './wire.ts'

export class MessagesReplyReader extends WholeReplyReader {
  protected reply(reply: Members, text: string): void {
    if (reply['type'] === 'error') this.to.fail(readErrorEvent(reply))
    else if (!Array.isArray(reply['content'])) this.to.fail(brokenReply('content is not a list'))
    else this.turn(reply, new ElementSource(text, 'content'))
  }

  private turn(reply: Members, source: ElementSource): void {
    const usage = membersOf(reply['usage'])
    const counts = new UsageCounts()
    if (usage !== null) counts.merge(usage)
    this.to.start({
      id: textOf(reply['id']),
      model: textOf(reply['model']),
      createdS: null,
      tier: textOrNull(usage?.['service_tier']),
      usage: usage === null ? null : counts.usage,
    })
    const feed = new BlockFeed(this.to, this.context.family)
    for (const [index, block] of listOf(reply['content']).entries()) {
      const members = membersOf(block)
      if (members === null) continue
      feed.start(members, () => source.at(index))
      feed.stop()
    }
    const stopText = textOrNull(reply['stop_sequence'])
    this.to.finish(0, finishOf(textOrNull(reply['stop_reason']), stopText, membersOf(reply['stop_details'])))
    if (counts.told) this.to.usage(counts.usage)
    this.to.end()
  }
}

export class MessagesReplyWriter extends TurnCollector {
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
    const choice = this.choice(0)
    const json = new JsonOut().object().member('id', replyId('msg_', head.id, this.context))
    json.member('type', 'message').member('role', 'assistant').member('model', head.model)
    json.key('content').array()
    for (const part of choice.parts) writeBlock(json, part)
    json.endArray()
    stopMembers(json, choice.finish ?? finish('stop', null))
    this.out.text(json.memberRaw('usage', usageJson(this.usageTold ?? head.usage)).endObject().text)
  }

  override fail(error: ErrorReply): void {
    super.fail(error)
    this.out.text(errorJson(error))
  }
}

function writeBlock(json: JsonOut, part: CollectedPart): void {
  switch (part.kind) {
    case 'text':
    case 'refusal': {
      json.object().member('type', 'text').member('text', part.text)
      const own = part.citations.filter(citation => citation.dialect === 'anthropic-messages')
      if (own.length > 0) json.memberRaw('citations', `[${own.map(citation => citation.json).join(',')}]`)
      json.endObject()
      return
    }
    case 'reasoning': {
      const value = part.opaque === null ? '' : wrapOpaque(part.opaque, 'anthropic-messages')
      json.object()
      if (part.opaque?.kind === 'redacted' && part.text === '')
        json.member('type', 'redacted_thinking').member('data', value)
      else
        json
          .member('type', 'thinking')
          .member('thinking', part.sections.join('\n\n'))
          .member('signature', value)
      json.endObject()
      return
    }
    case 'call': {
      const call = part.call!
      const name = call.namespace === null ? call.name : `${call.namespace}__${call.name}`
      json.object().member('type', 'tool_use').member('id', call.id).member('name', name)
      json.memberRaw('input', argumentsObject(part.input)).endObject()
      return
    }
    case 'vendor':
      if (part.vendor?.dialect === 'anthropic-messages') json.raw(part.vendor.json)
      return
    case 'media':
      return
  }
}

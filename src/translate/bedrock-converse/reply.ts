// Whole Converse replies. The reader feeds blocks through the same code as a stream; the writer prints what the turn
// has collected.

import type { ByteOut } from '../bytes/byte-out.ts'
import { type Members, membersOf, textOf, textOrNull } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import { argumentsObject } from '../bytes/json-text.ts'
import type { JsonObject } from '../bytes/json-tree.ts'
import { type CollectedPart, TurnCollector } from '../collect.ts'
import type { DialectId } from '../dialect.ts'
import type { ErrorReply } from '../errors.ts'
import type { ReplyContext } from '../reply-context.ts'
import { brokenReply } from '../translate-error.ts'
import { finish } from '../turn.ts'
import { ElementSource, WholeReplyReader } from '../whole-reply.ts'
import { BlockFeed, type BlockSource } from './block-read.ts'
import { citationJson } from './citations.ts'
import { mediaFormat, metadataMembers, OwnExtras, redactedValue, signatureValue } from './reply-members.ts'
import { errorJson, readFailure } from './stream-error.ts'
import { finishOf, readUsage, REPLY_EXTRAS, stopWord } from './wire.ts'

export class ConverseReplyReader extends WholeReplyReader {
  protected reply(reply: Members, text: string): void {
    const message = membersOf(membersOf(reply['output'])?.['message'])
    const failure = textOf(reply['__type'])
    if (message === null && failure !== '') this.to.fail(readFailure(failure.split('#').at(-1)!, reply))
    else if (!Array.isArray(message?.['content'])) this.to.fail(brokenReply('content is not a list'))
    else this.turn(reply, message['content'], new ReplySource(text))
  }

  private turn(reply: Members, content: readonly unknown[], source: ReplySource): void {
    const router = membersOf(membersOf(reply['trace'])?.['promptRouter'])
    this.to.start({
      id: '',
      // Only a router tells which model answered.
      model: textOf(router?.['invokedModelId']),
      createdS: null,
      tier: textOrNull(membersOf(reply['serviceTier'])?.['type']),
      usage: null,
    })
    const feed = new BlockFeed(this.to, this.context.family, source)
    for (const [index, block] of content.entries()) {
      const members = membersOf(block)
      source.index = index
      if (members !== null) feed.block(members)
    }
    const fields = membersOf(reply['additionalModelResponseFields'])
    this.to.finish(0, finishOf(textOrNull(reply['stopReason']), fields))
    const usage = readUsage(reply['usage'])
    if (usage !== null) this.to.usage(usage)
    for (const name of REPLY_EXTRAS) {
      const json = reply[name] === undefined ? null : source.body.jsonOf(name)
      if (json !== null) this.to.extra('bedrock-converse', name, json)
    }
    this.to.end()
  }
}

/** The block at hand, for a feed that takes them one after another. */
class ReplySource extends ElementSource implements BlockSource {
  index: number

  constructor(text: string) {
    super(text, 'output', 'message', 'content')
    this.index = 0
  }

  source(): JsonObject | null {
    return this.at(this.index)
  }
}

export class ConverseReplyWriter extends TurnCollector {
  private readonly out: ByteOut
  private readonly own: OwnExtras

  constructor(out: ByteOut, context: ReplyContext) {
    super()
    this.out = out
    this.own = new OwnExtras(context)
  }

  override extra(dialect: DialectId, name: string, json: string): void {
    super.extra(dialect, name, json)
    this.own.add(dialect, name, json)
  }

  override end(): void {
    super.end()
    const choice = this.choice(0)
    const ended = choice.finish ?? finish('stop', null)
    const json = new JsonOut().object().key('output').object().key('message').object()
    json.member('role', 'assistant').key('content').array()
    for (const part of choice.parts) writeBlock(json, part)
    json.endArray().endObject().endObject().member('stopReason', stopWord(ended))
    metadataMembers(json, this.usageTold ?? this.head!.usage, this.own)
    json.memberRawIf('additionalModelResponseFields', this.own.responseFields(ended))
    this.out.text(json.endObject().text)
  }

  override fail(error: ErrorReply): void {
    super.fail(error)
    this.out.text(errorJson(error))
  }
}

function writeBlock(json: JsonOut, part: CollectedPart): void {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      writeText(json, part)
      return
    case 'reasoning':
      writeReasoning(json, part)
      return
    case 'call': {
      const call = part.call!
      const name = call.namespace === null ? call.name : `${call.namespace}__${call.name}`
      json.object().key('toolUse').object().member('toolUseId', call.id).member('name', name)
      json.memberRaw('input', argumentsObject(part.input)).endObject().endObject()
      return
    }
    case 'vendor':
      if (part.vendor?.dialect === 'bedrock-converse') json.raw(part.vendor.json)
      return
    case 'media': {
      const media = part.media!
      const format = mediaFormat(media)
      if (format === null || media.source.kind !== 'base64') return
      json.object().key('image').object().member('format', format).key('source').object()
      json.member('bytes', media.source.data).endObject().endObject().endObject()
    }
  }
}

function writeText(json: JsonOut, part: CollectedPart): void {
  const citations = part.citations.map(citationJson).filter(citation => citation !== null)
  if (citations.length > 0) {
    json.object().key('citationsContent').object().key('content').array().object().member('text', part.text)
    json
      .endObject()
      .endArray()
      .memberRaw('citations', `[${citations.join(',')}]`)
      .endObject()
      .endObject()
  } else if (part.text !== '') json.object().member('text', part.text).endObject()
}

function writeReasoning(json: JsonOut, part: CollectedPart): void {
  const { opaque } = part
  const text = part.sections.join('\n\n')
  if (text === '' && opaque === null) return
  json.object().key('reasoningContent').object()
  const redacted = opaque === null || text !== '' ? null : redactedValue(opaque)
  if (redacted !== null) json.member('redactedContent', redacted)
  else {
    json.key('reasoningText').object().member('text', text)
    if (opaque !== null) json.member('signature', signatureValue(opaque))
    json.endObject()
  }
  json.endObject().endObject()
}

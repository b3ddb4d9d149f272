// Whole Converse replies. The reader feeds blocks through the same code as a stream; the writer prints what the turn
// has collected.

import type { ByteOut } from '../bytes/byte-out.ts'
import { ByteQueue } from '../bytes/byte-queue.ts'
import { type Members, membersOf, parsed, textOf, textOrNull } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import { argumentsObject } from '../bytes/json-text.ts'
import { type JsonArray, JsonObject, readJsonObject } from '../bytes/json-tree.ts'
import { type CollectedPart, TurnCollector } from '../collect.ts'
import type { DialectId } from '../dialect.ts'
import type { ErrorReply } from '../errors.ts'
import type { ReplyContext } from '../reply-context.ts'
import { brokenReply, incompleteReply, TranslateError } from '../translate-error.ts'
import { finish, type ReplyReader, type TurnSink } from '../turn.ts'
import { BlockFeed, type BlockSource } from './block-read.ts'
import { citationJson } from './citations.ts'
import { mediaFormat, metadataMembers, OwnExtras, redactedValue, signatureValue } from './reply-members.ts'
import { errorJson, readFailure } from './stream-error.ts'
import { finishOf, readUsage, REPLY_EXTRAS, stopWord } from './wire.ts'

/** A reply with images and long arguments stays below this. */
const REPLY_BYTES_MAX = 64 * 1024 * 1024

const decoder = new TextDecoder()

export class ConverseReplyReader implements ReplyReader {
  private readonly to: TurnSink
  private readonly context: ReplyContext
  private readonly body: ByteQueue
  private over: boolean

  constructor(to: TurnSink, context: ReplyContext) {
    this.to = to
    this.context = context
    this.body = new ByteQueue(REPLY_BYTES_MAX)
    this.over = false
  }

  write(chunk: Uint8Array): void {
    if (!this.over && !this.body.push(chunk)) this.cut(brokenReply('the body is too long'))
  }

  end(): void {
    if (this.over) return
    this.over = true
    const text = decoder.decode(this.body.take())
    const reply = membersOf(parsed(text))
    const message = membersOf(membersOf(reply?.['output'])?.['message'])
    if (reply === null) {
      this.to.fail(text.trim() === '' ? incompleteReply() : brokenReply('the body is not a JSON object'))
    } else if (message === null && textOf(reply['__type']) !== '') {
      this.to.fail(readFailure(textOf(reply['__type']).split('#').at(-1)!, reply))
    } else if (!Array.isArray(message?.['content'])) this.to.fail(brokenReply('content is not a list'))
    else this.guarded(reply, message['content'], text)
  }

  cut(error: ErrorReply): void {
    if (this.over) return
    this.over = true
    this.body.clear()
    this.to.fail(error)
  }

  private guarded(reply: Members, content: readonly unknown[], text: string): void {
    try {
      this.turn(reply, content, new ReplySource(text))
    } catch (error) {
      // Reading a block's own source again can refuse what the host's parser let pass, such as absurd nesting.
      if (!(error instanceof TranslateError)) throw error
      this.to.fail(brokenReply('a block cannot be read'))
    }
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

/** The body as a tree, read only when a block or a member needs its own text. */
class ReplySource implements BlockSource {
  private readonly text: string
  private tree: JsonObject | null
  private blocks: JsonArray | null
  index: number

  constructor(text: string) {
    this.text = text
    this.tree = null
    this.blocks = null
    this.index = 0
  }

  get body(): JsonObject {
    this.tree ??= readJsonObject(this.text)
    return this.tree
  }

  source(): JsonObject | null {
    this.blocks ??= this.body.requiredObject('output').requiredObject('message').requiredArray('content')
    const block = this.blocks.values[this.index]
    return block instanceof JsonObject ? block : null
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

// The content of a Converse message as parts. Owns what each block means: a block is an object with one member, whose
// name is its kind. Cache points become marks of the part before them; blocks we do not know are kept for this
// dialect.

import { argumentsText } from '../bytes/json-text.ts'
import type { JsonArray, JsonObject } from '../bytes/json-tree.ts'
import { unwrapOpaque } from '../opaque.ts'
import {
  type CacheMark,
  callPart,
  type Extra,
  type MediaKind,
  type MediaSource,
  mediaPart,
  type Part,
  reasoningPart,
  resultPart,
  textPart,
  vendorPart,
} from '../prompt.ts'
import { TranslateError } from '../translate-error.ts'
import { readCitation } from './citations.ts'
import { mimeOfFormat } from './wire.ts'

/** Member of a text or image part that marks it as guarded content; its value holds the qualifiers. */
export const GUARD_EXTRA = 'guardContent'

export class ContentReader {
  /** Names of the calls seen so far: results do not name their tool. */
  private readonly nameOfCall = new Map<string, string>()

  read(content: JsonArray): Part[] {
    const parts: Part[] = []
    for (const block of content.objects()) {
      const kind = kindOf(block)
      const last = parts.at(-1)
      if (kind === 'cachePoint' && last !== undefined && last.cache === null) {
        parts[parts.length - 1] = { ...last, cache: cacheMarkOf(block) }
      } else parts.push(this.block(block, kind))
    }
    return parts
  }

  private block(block: JsonObject, kind: string): Part {
    const at = block.pointer
    switch (kind) {
      case 'text':
        return textPart(block.requiredString('text'), at)
      case 'image':
      case 'document':
      case 'audio':
      case 'video':
        return media(block, kind)
      case 'toolUse':
        return this.call(block)
      case 'toolResult':
        return this.result(block)
      case 'reasoningContent':
        return reasoning(block)
      case 'citationsContent':
        return cited(block)
      case 'searchResult':
        return searchResult(block)
      case 'guardContent':
        return guarded(block)
      default:
        return vendorPart('bedrock-converse', kind, block.json, at)
    }
  }

  private call(block: JsonObject): Part {
    const use = block.requiredObject('toolUse')
    const id = use.requiredString('toolUseId')
    const name = use.requiredString('name')
    // A call that ran at the vendor is a trace, not a call of the client's tools.
    if (use.has('type')) return vendorPart('bedrock-converse', 'toolUse', block.json, block.pointer)
    use.object('input')
    this.nameOfCall.set(id, name)
    return callPart({ id, name, input: argumentsText(use.jsonOf('input') ?? '{}') }, block.pointer)
  }

  private result(block: JsonObject): Part {
    const result = block.requiredObject('toolResult')
    const callId = result.requiredString('toolUseId')
    const content = result.array('content')?.objects() ?? []
    if (result.has('type')) {
      const texts = content.flatMap(entry => entry.string('text') ?? [])
      const text = texts.length === 0 ? null : texts.join('\n')
      return vendorPart('bedrock-converse', 'toolResult', block.json, block.pointer, text)
    }
    const made = {
      callId,
      name: this.nameOfCall.get(callId) ?? null,
      failed: result.string('status') === 'error',
    }
    const [only] = content
    if (content.length === 1 && only !== undefined && only.has('json')) {
      return resultPart({ ...made, parts: [], json: only.jsonOf('json') }, block.pointer)
    }
    const parts = content.map(entry => {
      const kind = kindOf(entry)
      if (kind !== 'json') return this.block(entry, kind)
      // Beside other entries a value has no place of its own; as text it means the same.
      return vendorPart('bedrock-converse', kind, entry.json, entry.pointer, entry.jsonOf('json'))
    })
    return resultPart({ ...made, parts }, block.pointer)
  }
}

/** The one member of a block. */
export function kindOf(block: JsonObject): string {
  const kinds = block.keys.filter(key => block.has(key))
  const [kind] = kinds
  if (kind !== undefined && kinds.length === 1) return kind
  throw new TranslateError(
    'invalid',
    `${block.path}: found ${kinds.length} members, allowed is exactly one, such as text, image, toolUse or toolResult`,
    block.path,
    'invalid_value',
  )
}

export function cacheMarkOf(block: JsonObject): CacheMark {
  return block.requiredObject('cachePoint').string('ttl') === '1h' ? 'long' : 'short'
}

function media(block: JsonObject, kind: MediaKind): Part {
  const made = block.requiredObject(kind)
  const format = kind === 'document' ? made.string('format') : made.requiredString('format')
  const source = made.requiredObject('source')
  const mime = format === null ? null : mimeOfFormat(kind, format)
  if (kind !== 'document') return mediaPart(kind, mime, sourceOf(source), block.pointer)
  return mediaPart(kind, mime, documentSource(source), block.pointer, {
    name: made.requiredString('name'),
    context: made.string('context'),
    cite: made.object('citations')?.boolean('enabled') === true,
  })
}

function sourceOf(source: JsonObject): MediaSource {
  const place = source.object('s3Location')
  if (place !== null)
    return { kind: 's3', uri: place.requiredString('uri'), owner: place.string('bucketOwner') }
  return { kind: 'base64', data: source.requiredString('bytes') }
}

function documentSource(source: JsonObject): MediaSource {
  const text = source.string('text')
  if (text !== null) return { kind: 'text', text }
  const content = source.array('content')
  if (content === null) return sourceOf(source)
  const parts = content.objects().map(entry => textPart(entry.requiredString('text'), entry.pointer))
  return { kind: 'parts', parts }
}

function reasoning(block: JsonObject): Part {
  const content = block.requiredObject('reasoningContent')
  const redacted = content.string('redactedContent')
  if (redacted !== null) {
    return reasoningPart([], unwrapOpaque(redacted, 'bedrock-converse', 'redacted'), block.pointer)
  }
  const made = content.requiredObject('reasoningText')
  const text = made.string('text') ?? ''
  const signature = made.string('signature') ?? ''
  const opaque = signature === '' ? null : unwrapOpaque(signature, 'bedrock-converse', 'signature')
  return reasoningPart(text === '' ? [] : [text], opaque, block.pointer)
}

function cited(block: JsonObject): Part {
  const made = block.requiredObject('citationsContent')
  const texts = made.array('content')?.objects() ?? []
  const citations = made.array('citations')?.objects() ?? []
  const text = texts.map(entry => entry.string('text') ?? '').join('')
  return textPart(text, block.pointer, null, citations.map(readCitation))
}

function searchResult(block: JsonObject): Part {
  const made = block.requiredObject('searchResult')
  const content = made.array('content')?.objects() ?? []
  return {
    kind: 'search-result',
    title: made.string('title') ?? '',
    url: made.string('source') ?? '',
    parts: content.map(entry => textPart(entry.requiredString('text'), entry.pointer)),
    cite: made.object('citations')?.boolean('enabled') === true,
    at: block.pointer,
    cache: null,
    extra: [],
  }
}

/** Content that a guardrail shall look at is content for the model all the same. */
export function guarded(block: JsonObject): Part {
  const made = block.requiredObject('guardContent')
  const text = made.object('text')
  if (text !== null) {
    const extra = guardExtra(text.jsonOf('qualifiers'))
    return textPart(text.requiredString('text'), block.pointer, null, [], null, extra)
  }
  const image = made.requiredObject('image')
  const mime = mimeOfFormat('image', image.requiredString('format'))
  const source = sourceOf(image.requiredObject('source'))
  return mediaPart('image', mime, source, block.pointer, { extra: guardExtra(null) })
}

function guardExtra(qualifiers: string | null): Extra[] {
  return [{ name: GUARD_EXTRA, json: qualifiers ?? 'null' }]
}

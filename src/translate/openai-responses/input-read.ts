// The input of a Responses body as turns. Owns what every item means. What one reply of the model left behind
// (reasoning, messages, calls, traces of hosted tools) is one turn; the results of calls are one turn of the user.

import { JsonArray, JsonObject } from '../bytes/json-tree.ts'
import { fileOfData, imageOfUrl, mediaKindOf, mimeOfName, normalMime } from '../media.ts'
import { unwrapOpaque } from '../opaque.ts'
import {
  type CacheMark,
  type Citation,
  callPart,
  DETAILS,
  type Extra,
  mediaPart,
  type Opaque,
  type Part,
  type Prompt,
  type PromptTurn,
  promptTurn,
  reasoningPart,
  refusalPart,
  resultPart,
  textPart,
  vendorPart,
} from '../prompt.ts'
import { TranslateError } from '../translate-error.ts'
import { citationOf } from './annotations.ts'
import { ITEM_MEMBERS, OWN_REASONING_ID, PART_MEMBERS } from './wire.ts'

/** Items that tell what became of a call; they come from the caller. */
const CALLER_ITEMS: ReadonlySet<string> = new Set([
  'computer_call_output',
  'local_shell_call_output',
  'shell_call_output',
  'apply_patch_call_output',
  'mcp_approval_response',
])

/** A reference is nothing without the vendor's store, a compaction is all that is left of earlier turns. */
const ESSENTIAL_ITEMS: ReadonlySet<string> = new Set(['item_reference', 'compaction'])

/** A turn that further items may still join. */
class OpenTurn {
  readonly role: 'user' | 'model'
  readonly at: string
  readonly parts: Part[] = []
  readonly extra: Extra[] = []
  id: string | null = null
  phase: string | null = null
  /** It has a message, calls. */
  said = false
  called = false

  constructor(role: 'user' | 'model', at: string) {
    this.role = role
    this.at = at
  }
}

export class InputReader {
  private readonly prompt: Prompt
  private readonly nameOfCall = new Map<string, string>()
  /** Signatures by the id they go with: that of a call that has not come yet, or a word of their own issuer's. */
  private readonly signatures = new Map<string, { readonly opaque: Opaque; readonly at: string }>()
  private open: OpenTurn | null = null

  constructor(prompt: Prompt) {
    this.prompt = prompt
  }

  read(body: JsonObject): void {
    const input = body.get('input')
    if (input === undefined || input === null) return
    if (typeof input === 'string') {
      this.prompt.turns.push(promptTurn('user', input === '' ? [] : [textPart(input, '/input')], '/input'))
      return
    }
    const items = input instanceof JsonObject ? [input] : body.requiredArray('input').objects()
    for (const item of items) this.item(item)
    this.close()
  }

  private item(item: JsonObject): void {
    const type = item.string('type') ?? (item.has('role') ? 'message' : 'item_reference')
    switch (type) {
      case 'message':
        this.message(item)
        return
      case 'reasoning':
        this.reasoning(item)
        return
      case 'function_call':
      case 'custom_tool_call':
        this.call(item, type === 'custom_tool_call')
        return
      case 'function_call_output':
      case 'custom_tool_call_output':
        this.turn('user', item).parts.push(this.result(item, type === 'custom_tool_call_output'))
        return
      case 'item_reference':
        item.requiredString('id')
        break
    }
    const role = CALLER_ITEMS.has(type) ? 'user' : 'model'
    const text = textOfHosted(item)
    // Other dialects join what the model said: the blank line keeps a tool's words apart from it.
    const told = text === null || role === 'user' ? text : `${text}\n\n`
    const essential = ESSENTIAL_ITEMS.has(type)
    const part = vendorPart('openai-responses', type, item.json, item.pointer, told, essential)
    this.turn(role, item).parts.push(part)
  }

  private message(item: JsonObject): void {
    const role = item.requiredString('role')
    const extra = item.extras(ITEM_MEMBERS)
    if (role === 'assistant') {
      this.modelMessage(item, extra)
      return
    }
    this.close()
    const parts = contentParts(item, 'content')
    const more = { id: item.string('id'), extra }
    switch (role) {
      case 'user':
        this.prompt.turns.push(promptTurn('user', parts, item.pointer, more))
        return
      case 'system':
      case 'developer':
        this.system(promptTurn('system', parts, item.pointer, { ...more, developer: role === 'developer' }))
        return
      default:
        throw item.refuse('role', 'user, assistant, system or developer')
    }
  }

  private system(turn: PromptTurn): void {
    if (this.prompt.turns.length === 0) this.prompt.instructions.push(turn)
    else this.prompt.turns.push(turn)
  }

  private modelMessage(item: JsonObject, extra: readonly Extra[]): void {
    // A second message is a turn of its own, unless calls before it still wait for their results.
    if (this.open?.role === 'model' && this.open.said && !this.open.called) this.close()
    const turn = this.turn('model', item)
    if (!turn.said) {
      turn.id = item.string('id')
      turn.phase = item.string('phase')
    }
    turn.said = true
    turn.parts.push(...contentParts(item, 'content'))
    turn.extra.push(...extra)
  }

  private call(item: JsonObject, custom: boolean): void {
    const id = item.requiredString('call_id')
    const name = item.requiredString('name')
    this.nameOfCall.set(id, name)
    const given = item.get('arguments')
    const input = custom
      ? item.requiredString('input')
      : given instanceof JsonObject
        ? given.json
        : item.requiredString('arguments')
    const waiting = this.signatures.get(id)
    const signature = waiting === undefined ? null : { ...waiting.opaque, id: null }
    this.signatures.delete(id)
    const call = {
      id,
      itemId: item.string('id'),
      name,
      namespace: item.string('namespace'),
      input,
      custom,
      signature,
    }
    const turn = this.turn('model', item)
    turn.called = true
    turn.parts.push(callPart(call, item.pointer, null, item.extras(ITEM_MEMBERS)))
  }

  private result(item: JsonObject, custom: boolean): Part {
    const callId = item.requiredString('call_id')
    const output = item.get('output')
    if (typeof output !== 'string' && !(output instanceof JsonArray)) {
      throw item.refuse('output', 'a string or an array of parts')
    }
    const result = {
      callId,
      name: this.nameOfCall.get(callId) ?? null,
      parts: contentParts(item, 'output'),
      custom,
    }
    return resultPart(result, item.pointer, null, item.extras(ITEM_MEMBERS))
  }

  private reasoning(item: JsonObject): void {
    const opaque = opaqueOf(item)
    const turn = this.turn('model', item)
    if (opaque?.kind === 'signature' && opaque.id !== null) {
      this.sign(turn, opaque, opaque.id, item.pointer)
      return
    }
    const summary = textsOf(item, 'summary')
    const content = textsOf(item, 'content')
    const extra: Extra[] = item.extras(ITEM_MEMBERS)
    const id = issuedId(item)
    // Found again by its id alone, in the vendor's own store.
    if (opaque === null && id !== null) extra.push({ name: 'id', json: JSON.stringify(id) })
    if (content.length > 0) {
      // Both forms exist; other dialects have one. Hosts that send `content` want it back as it was.
      if (summary.length === 0) extra.push({ name: 'summary', json: '[]' })
      extra.push({ name: 'content', json: item.jsonOf('content') ?? '[]' })
    }
    turn.parts.push(reasoningPart(summary.length > 0 ? summary : content, opaque, item.pointer, extra))
  }

  /** Puts a signature that we carried in an item of its own back onto its call. */
  private sign(turn: OpenTurn, opaque: Opaque, callId: string, at: string): void {
    const index = turn.parts.findIndex(part => part.kind === 'call' && part.id === callId)
    const part = turn.parts[index]
    if (part?.kind === 'call') turn.parts[index] = { ...part, signature: { ...opaque, id: null } }
    else this.signatures.set(callId, { opaque, at })
  }

  /** The open turn of a role; what belongs to the other role has ended. */
  private turn(role: 'user' | 'model', item: JsonObject): OpenTurn {
    if (this.open?.role !== role) this.close()
    this.open ??= new OpenTurn(role, item.pointer)
    return this.open
  }

  private close(): void {
    const turn = this.open
    if (turn === null) return
    this.open = null
    for (const { opaque, at } of this.signatures.values()) turn.parts.push(reasoningPart([], opaque, at))
    this.signatures.clear()
    const { id, phase, extra } = turn
    this.prompt.turns.push(promptTurn(turn.role, turn.parts, turn.at, { id, phase, extra }))
  }
}

/** What only the issuer can use. */
function opaqueOf(item: JsonObject): Opaque | null {
  const value = item.string('encrypted_content') ?? ''
  return value === '' ? null : unwrapOpaque(value, 'openai-responses', 'encrypted', issuedId(item))
}

/** Id of a reasoning item, unless it is one of ours, which no host knows. */
function issuedId(item: JsonObject): string | null {
  const id = item.string('id')
  return id === null || id === '' || id.startsWith(OWN_REASONING_ID) ? null : id
}

function textsOf(item: JsonObject, name: string): string[] {
  return (item.array(name)?.objects() ?? []).map(part => part.requiredString('text'))
}

function contentParts(owner: JsonObject, name: string): Part[] {
  const content = owner.get(name)
  if (content === undefined || content === null) return []
  if (typeof content === 'string') return content === '' ? [] : [textPart(content, owner.pointerOf(name))]
  return owner.requiredArray(name).objects().map(contentPart)
}

function contentPart(part: JsonObject): Part {
  const at = part.pointer
  const cache = cacheMarkOf(part)
  const extra = part.extras(PART_MEMBERS)
  const type = part.requiredString('type')
  switch (type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return textPart(part.requiredString('text'), at, cache, citationsOf(part), null, extra)
    case 'refusal':
      return refusalPart(part.requiredString('refusal'), at, extra)
    case 'input_image':
      return imagePart(part, at, cache, extra)
    case 'input_file':
      return filePart(part, at, cache, extra)
    case 'input_audio': {
      const audio = part.requiredObject('input_audio')
      const format = audio.string('format') ?? 'wav'
      const mime = normalMime(`audio/${format === 'mp3' ? 'mpeg' : format}`)
      const source = { kind: 'base64', data: audio.requiredString('data') } as const
      return mediaPart('audio', mime, source, at, { cache, extra })
    }
    default:
      return vendorPart('openai-responses', type, part.json, at, null, true)
  }
}

function imagePart(part: JsonObject, at: string, cache: CacheMark | null, extra: readonly Extra[]): Part {
  const detail = part.word('detail', DETAILS)
  const url = part.string('image_url')
  if (url !== null) return { ...imageOfUrl(url, at, detail, cache), extra }
  const id = part.string('file_id')
  if (id === null) throw part.refuse('image_url', 'an address or a data URL, or a file_id beside it')
  return mediaPart('image', null, { kind: 'file', id, dialect: 'openai-responses' }, at, {
    detail,
    cache,
    extra,
  })
}

function filePart(part: JsonObject, at: string, cache: CacheMark | null, extra: readonly Extra[]): Part {
  const name = part.string('filename')
  const data = part.string('file_data')
  if (data !== null) return { ...fileOfData(data, name, at, cache), extra }
  const more = { name, cache, extra }
  const url = part.string('file_url')
  if (url !== null) {
    const mime = mimeOfName(name) ?? mimeOfName(url.replace(/[?#].*$/, ''))
    return mediaPart(mediaKindOf(mime), mime, { kind: 'url', url }, at, more)
  }
  const id = part.string('file_id')
  if (id === null) {
    const path = part.path
    const allowed = 'file_data, file_url or file_id'
    throw new TranslateError(
      'invalid',
      `${path}: found none of ${allowed}, allowed is one of them`,
      path,
      'invalid_value',
    )
  }
  return mediaPart('document', null, { kind: 'file', id, dialect: 'openai-responses' }, at, more)
}

function citationsOf(part: JsonObject): Citation[] {
  return (part.array('annotations')?.objects() ?? []).map(annotation =>
    citationOf(name => annotation.get(name), annotation.json),
  )
}

function cacheMarkOf(part: JsonObject): CacheMark | null {
  const mark = part.object('prompt_cache_breakpoint')
  if (mark === null) return null
  return mark.string('ttl') === '12h' ? 'long' : 'short'
}

/** Plain text that a hosted tool left behind, or null. */
function textOfHosted(item: JsonObject): string | null {
  const output = item.get('output')
  if (typeof output === 'string') return output === '' ? null : output
  const texts: string[] = []
  for (const [list, member] of [
    ['outputs', 'logs'],
    ['results', 'text'],
    ['output', 'stdout'],
  ] as const) {
    const entries = item.get(list)
    for (const entry of entries instanceof JsonArray ? entries.values : []) {
      const text = entry instanceof JsonObject ? entry.get(member) : null
      if (typeof text === 'string' && text !== '') texts.push(text)
    }
  }
  return texts.length === 0 ? null : texts.join('\n')
}

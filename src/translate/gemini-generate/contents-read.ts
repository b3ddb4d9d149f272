// The contents of a generateContent body as turns. Owns how parts become ours and how results find their calls,
// which may have no ids here.
// The trick: the official client keeps each chunk of a stream as a content of its own; runs of the model's contents
// are one turn, and texts that were torn apart between them are joined again.

import { argumentsText } from '../bytes/json-text.ts'
import { hashHex } from '../bytes/hash.ts'
import type { JsonObject } from '../bytes/json-tree.ts'
import { mediaKindOf, normalMime } from '../media.ts'
import { unwrapOpaqueBase64 } from '../opaque.ts'
import {
  callPart,
  type Extra,
  type MediaSource,
  mediaPart,
  type Opaque,
  type Part,
  type Prompt,
  promptTurn,
  reasoningPart,
  resultPart,
  textPart,
  vendorPart,
} from '../prompt.ts'
import { TranslateError } from '../translate-error.ts'
import { both, extrasWithin, objectsOf, spelled } from './spelling.ts'
import { CONTENT_MEMBERS, isMadeId, MADE_ID_DIGITS, MADE_ID_PREFIX, PART_MEMBERS } from './wire.ts'
import { wordTable } from '../word-table.ts'

const BLOB_MEMBERS = both(['mimeType', 'data', 'displayName'])
const FILE_MEMBERS = both(['mimeType', 'fileUri', 'displayName'])
const CALL_MEMBERS = both(['id', 'name', 'args'])
const RESPONSE_MEMBERS = both(['id', 'name', 'response', 'parts'])

/** Members that stand beside the one that says what a part is. */
const SIDE_MEMBERS = both(['videoMetadata', 'partMetadata', 'mediaProcessing', 'speechMetadata'])

/** Traces of tools that ran at the vendor: their text is worth keeping, their absence destroys nothing. */
const TRACES: ReadonlySet<string> = both([
  'executableCode',
  'codeExecutionResult',
  'toolCall',
  'toolResponse',
  'audioTranscription',
])

interface PendingCall {
  readonly id: string
  readonly name: string
}

export class ContentReader {
  private readonly prompt: Prompt
  private pending: PendingCall[] = []
  private calls = 0

  constructor(prompt: Prompt) {
    this.prompt = prompt
  }

  read(contents: readonly JsonObject[]): void {
    if (contents.length === 0) {
      throw new TranslateError(
        'invalid',
        'contents: found an empty array, allowed is one or more',
        'contents',
      )
    }
    const { turns } = this.prompt
    for (const content of contents) {
      const role = roleOf(content)
      const pieces = objectsOf(content, 'parts')
      const last = turns.at(-1)
      const going = role === 'model' && last?.role === 'model' ? [...last.parts] : []
      for (const [index, piece] of pieces.entries())
        this.add(going, piece, role === 'model', going.length > 0 && index === 0)
      const extra = content.extras(CONTENT_MEMBERS)
      if (role === 'model' && last?.role === 'model') {
        turns[turns.length - 1] = { ...last, parts: going, extra: [...last.extra, ...extra] }
      } else turns.push(promptTurn(role, going, content.pointer, { extra }))
    }
  }

  /** `seam`: the piece is the first of a content that goes on with the turn of the one before. */
  private add(parts: Part[], piece: JsonObject, model: boolean, seam: boolean): void {
    const part = this.part(piece, model)
    const last = parts.at(-1)
    const thought = piece.get('thought') === true
    const joined = last === undefined ? null : joinedPart(last, part, thought, seam)
    if (joined === null) parts.push(part)
    else parts[parts.length - 1] = joined
  }

  private part(part: JsonObject, model: boolean): Part {
    const at = part.pointer
    const call = part.object(spelled(part, 'functionCall'))
    if (call !== null) return this.call(part, call, at)
    const response = part.object(spelled(part, 'functionResponse'))
    if (response !== null) return this.result(part, response, at)
    const media = mediaOf(part)
    if (media !== null) return media
    const text = part.string('text')
    const signature = signatureOf(part)
    if (text === null && (signature === null || dataOf(part) !== undefined)) return vendorOf(part, model)
    const extra = part.extras(PART_MEMBERS)
    if (part.boolean('thought') === true) return reasoningPart(text ? [text] : [], signature, at, extra)
    if (!text && signature !== null) return reasoningPart([], signature, at, extra)
    return textPart(text ?? '', at, null, [], signature, extra)
  }

  private call(part: JsonObject, call: JsonObject, at: string): Part {
    const name = call.requiredString('name')
    call.object('args')
    const given = call.string('id')
    const id =
      given === null || given === ''
        ? MADE_ID_PREFIX + hashHex(`${name}/${this.calls}`, MADE_ID_DIGITS)
        : given
    this.calls += 1
    this.pending.push({ id, name })
    const input = argumentsText(call.jsonOf('args') ?? '{}')
    const extra = [...part.extras(PART_MEMBERS), ...extrasWithin(call, 'functionCall', CALL_MEMBERS)]
    return callPart({ id, name, input, signature: signatureOf(part) }, at, null, extra)
  }

  private result(part: JsonObject, response: JsonObject, at: string): Part {
    const found = this.answered(response.string('id'), response.string('name'), response)
    const parts: Part[] = []
    const said = responseOf(response.object('response'))
    if (said.text !== '') parts.push(textPart(said.text, response.pointerOf('response')))
    for (const piece of objectsOf(response, 'parts')) {
      parts.push(mediaOf(piece) ?? vendorOf(piece, false))
    }
    const extra = [
      ...part.extras(PART_MEMBERS),
      ...extrasWithin(response, 'functionResponse', RESPONSE_MEMBERS),
    ]
    const { failed, json } = said
    return resultPart({ callId: found.id, name: found.name, parts, json, failed }, at, null, extra)
  }

  /** The call a result answers: by its id, else the first open call of its name. */
  private answered(id: string | null, name: string | null, response: JsonObject): PendingCall {
    const named = id === null || id === '' ? null : id
    let index = named === null ? -1 : this.pending.findIndex(call => call.id === named)
    if (index === -1 && name !== null) {
      index = this.pending.findIndex(call => call.name === name && (named === null || isMadeId(call.id)))
    }
    const [call] = index === -1 ? [] : this.pending.splice(index, 1)
    if (call !== undefined) return call
    const known = name ?? response.requiredString('name')
    return {
      id: named ?? MADE_ID_PREFIX + hashHex(`${known}/${response.pointer}`, MADE_ID_DIGITS),
      name: known,
    }
  }
}

function roleOf(content: JsonObject): 'user' | 'model' {
  const role = content.string('role') ?? 'user'
  if (role === 'model') return 'model'
  if (role === 'user' || role === 'function' || role === 'tool' || role === '') return 'user'
  throw content.refuse('role', 'user or model')
}

/** What a piece and the part before it are together, or null when they are two. */
function joinedPart(last: Part, next: Part, thought: boolean, seam: boolean): Part | null {
  const extra = [...last.extra, ...next.extra]
  const bare = next.kind === 'reasoning' && next.sections.length === 0 && next.opaque?.kind === 'signature'
  if (last.kind === 'text' && last.signature === null && last.text !== '') {
    if (bare && !thought) return { ...last, signature: next.opaque, extra }
    if (seam && next.kind === 'text')
      return { ...last, text: last.text + next.text, signature: next.signature, extra }
  }
  if (last.kind === 'reasoning' && last.opaque === null && last.sections.length > 0) {
    if (bare && thought) return { ...last, opaque: next.opaque, extra }
    if (seam && next.kind === 'reasoning' && next.sections.length > 0) {
      return { ...last, sections: [last.sections.join('') + next.sections[0]!], opaque: next.opaque, extra }
    }
  }
  return null
}

function signatureOf(part: JsonObject): Opaque | null {
  const value = part.string(spelled(part, 'thoughtSignature'))
  return value === null || value === '' ? null : unwrapOpaqueBase64(value, 'gemini-generate', 'signature')
}

/** The member that says what a part is when it is none we have a place for. */
function dataOf(part: JsonObject): string | undefined {
  return part.keys.find(key => !PART_MEMBERS.has(key) && !SIDE_MEMBERS.has(key))
}

function mediaOf(part: JsonObject): Part | null {
  const blob = part.object(spelled(part, 'inlineData'))
  const file = blob === null ? part.object(spelled(part, 'fileData')) : null
  const given = blob ?? file
  if (given === null) return null
  const type = given.string(spelled(given, 'mimeType'))
  const mime = type === null ? null : normalMime(type)
  const source: MediaSource =
    blob === null
      ? fileSource(given.requiredString(spelled(given, 'fileUri')))
      : { kind: 'base64', data: given.requiredString('data') }
  const extra: Extra[] = [
    ...part.extras(PART_MEMBERS),
    ...(blob === null
      ? extrasWithin(given, 'fileData', FILE_MEMBERS)
      : extrasWithin(given, 'inlineData', BLOB_MEMBERS)),
  ]
  const { detail, rest } = detailOf(part)
  if (rest !== null) extra.push(rest)
  const signature = part.jsonOf(spelled(part, 'thoughtSignature'))
  if (signature !== null) extra.push({ name: 'thoughtSignature', json: signature })
  const name = given.string(spelled(given, 'displayName'))
  return mediaPart(mediaKindOf(mime), mime, source, part.pointer, { name, detail, extra })
}

/** Addresses in the vendor's own stores mean nothing elsewhere; anything else can be fetched by anyone. */
function fileSource(uri: string): MediaSource {
  const stored = /^(?:gs:|files\/|https:\/\/[\w.-]*googleapis\.com\/)/i.test(uri)
  return stored ? { kind: 'file', id: uri, dialect: 'gemini-generate' } : { kind: 'url', url: uri }
}

const DETAILS: Readonly<Record<string, string>> = wordTable({
  MEDIA_RESOLUTION_LOW: 'low',
  MEDIA_RESOLUTION_HIGH: 'high',
})

function detailOf(part: JsonObject): { detail: string | null; rest: Extra | null } {
  const key = spelled(part, 'mediaResolution')
  const resolution = part.object(key)
  if (resolution === null) return { detail: null, rest: null }
  const detail = DETAILS[resolution.string('level') ?? '']
  if (detail !== undefined && resolution.keys.length === 1) return { detail, rest: null }
  return { detail: null, rest: { name: 'mediaResolution', json: part.jsonOf(key)! } }
}

function vendorOf(part: JsonObject, model: boolean): Part {
  const type = dataOf(part)
  if (type === undefined) {
    const what = 'text, inlineData, fileData, functionCall or functionResponse'
    throw new TranslateError(
      'invalid',
      `${part.path}: found nothing that is said, allowed is ${what}`,
      part.path,
      'invalid_value',
    )
  }
  const output = part.object(spelled(part, 'codeExecutionResult'))?.string('output') ?? null
  return vendorPart('gemini-generate', type, part.json, part.pointer, output, !model && !TRACES.has(type))
}

interface Said {
  readonly text: string
  readonly json: string | null
  readonly failed: boolean
}

/** A response with one of the customary members is what that member says. */
function responseOf(response: JsonObject | null): Said {
  if (response === null) return { text: '', json: null, failed: false }
  const [name] = response.keys
  if (response.keys.length === 1 && name !== undefined) {
    const value = response.get(name)
    const failed = name === 'error'
    if (typeof value === 'string' && (failed || name === 'output' || name === 'result')) {
      return { text: value, json: null, failed }
    }
    if (failed) return { text: '', json: response.jsonOf(name), failed }
  }
  return { text: '', json: response.json, failed: false }
}

// Turns as contents. Owns what each part becomes, where signatures go, and how results name their tools.
// Signatures that came by way of another dialect stand in reasoning parts of their own: with the id of a call they
// belong to that call, otherwise to the last text of their turn.

import { JsonOut } from '../bytes/json-out.ts'
import { argumentsObject } from '../bytes/json-text.ts'
import { mimeOfName, searchResultText, sniffedMime, titled } from '../media.ts'
import {
  type CallPart,
  type MediaPart,
  type Opaque,
  type Part,
  type PromptTurn,
  type ReasoningPart,
  type ResultPart,
  type TextPart,
  type VendorPart,
  textPart,
} from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'
import { extrasAt } from './spelling.ts'
import { isMadeId, SIGNED_TEXT, UNKNOWN_SIGNATURE } from './wire.ts'
import { wordTable } from '../word-table.ts'

const DETAIL_LEVELS: Readonly<Record<string, string>> = wordTable({
  low: 'MEDIA_RESOLUTION_LOW',
  high: 'MEDIA_RESOLUTION_HIGH',
})

/** Where the signatures of one turn of another dialect's client go. */
interface Signatures {
  readonly ofCall: ReadonlyMap<string, Opaque>
  readonly ofText: Opaque | null
  readonly lastText: TextPart | null
}

export class ContentWriter {
  private out: JsonOut
  private readonly writing: PromptWriting
  /** The prompt came in this dialect: vendor parts and unknown members go out again. */
  private readonly own: boolean
  /** Calls seen so far: their results name the tool. */
  private readonly calls = new Map<string, CallPart>()

  constructor(out: JsonOut, writing: PromptWriting, own: boolean) {
    this.out = out
    this.writing = writing
    this.own = own
  }

  writeSystem(instructions: readonly PromptTurn[], instruction: string | null): void {
    const { out } = this
    const texts: string[] = []
    for (const turn of instructions) {
      for (const part of turn.parts) {
        if (part.kind === 'text' && part.text !== '') texts.push(part.text)
        else if (part.kind !== 'text') this.writing.lose('drop', part.at, `${part.kind}_in_instructions`)
      }
    }
    if (instruction !== null) texts.push(instruction)
    if (texts.length === 0) return
    out.key('systemInstruction').object().key('parts').array()
    for (const text of texts) out.object().member('text', text).endObject()
    out.endArray()
    for (const turn of instructions) this.turnExtras(turn)
    out.endObject()
  }

  /** A turn of which nothing can be said is left out: contents without parts are refused. */
  writeTurn(turn: PromptTurn): void {
    const { out } = this
    const parts = new JsonOut().array()
    this.out = parts
    if (turn.role === 'model') this.modelParts(turn)
    else this.userParts(turn)
    this.out = out
    if (parts.endArray().text === '[]') return
    if (turn.name !== null) this.writing.lose('drop', `${turn.at}/name`, 'participant_name')
    out
      .object()
      .member('role', turn.role === 'model' ? 'model' : 'user')
      .memberRaw('parts', parts.text)
    this.turnExtras(turn)
    out.endObject()
  }

  private turnExtras(turn: PromptTurn): void {
    this.writing.extras(this.out, turn)
  }

  private modelParts(turn: PromptTurn): void {
    const signatures = this.own ? NO_SIGNATURES : this.signatures(turn)
    // Models that check signatures check the first call of each step.
    let unsigned = !this.own && this.writing.target.facts.reasoning === 'level'
    for (const part of turn.parts) {
      if (part.kind === 'call') {
        const signature = this.taken(part.signature, part) ?? signatures.ofCall.get(part.id) ?? null
        if (signature === null && unsigned) this.writing.lose('emulate', part.at, 'signature_check_skipped')
        this.call(part, signature?.value ?? (unsigned ? UNKNOWN_SIGNATURE : null))
        unsigned = false
      } else if (part.kind === 'reasoning') this.reasoning(part, signatures)
      else if (part.kind === 'text') {
        const moved = part === signatures.lastText ? signatures.ofText : null
        this.text(part, this.taken(part.signature, part) ?? moved)
      } else this.part(part)
    }
    if (signatures.ofText !== null && signatures.lastText === null) this.bareSignature(signatures.ofText)
  }

  private signatures(turn: PromptTurn): Signatures {
    const ids = new Set(turn.parts.flatMap(part => (part.kind === 'call' ? [part.id] : [])))
    const ofCall = new Map<string, Opaque>()
    let ofText: Opaque | null = null
    let lastText: TextPart | null = null
    for (const part of turn.parts) {
      if (part.kind === 'text' && part.text !== '') lastText = part
      const opaque = part.kind === 'reasoning' ? part.opaque : null
      if (opaque === null || opaque.family !== this.writing.target.family) continue
      if (opaque.id !== null && ids.has(opaque.id)) ofCall.set(opaque.id, opaque)
      else if (opaque.id === SIGNED_TEXT || (part.kind === 'reasoning' && part.sections.length === 0))
        ofText = opaque
    }
    return { ofCall, ofText, lastText }
  }

  private taken(opaque: Opaque | null, part: Part): Opaque | null {
    return opaque !== null && this.writing.takes(opaque, part.at) ? opaque : null
  }

  /** Results come first, in the order of their calls: those without ids are told apart by their order. */
  private userParts(turn: PromptTurn): void {
    const order = [...this.calls.keys()]
    const results = turn.parts.filter(part => part.kind === 'result')
    if (!this.own) results.sort((a, b) => order.indexOf(a.callId) - order.indexOf(b.callId))
    const rest: Part[] = []
    if (this.own) {
      for (const part of turn.parts) {
        if (part.kind === 'result') rest.push(...this.result(part))
        else this.part(part)
      }
    } else {
      for (const part of results) rest.push(...this.result(part))
      for (const part of turn.parts) if (part.kind !== 'result') this.part(part)
    }
    for (const part of rest) this.part(part)
  }

  private part(part: Part): void {
    switch (part.kind) {
      case 'text':
        this.text(part, this.taken(part.signature, part))
        return
      case 'refusal':
        this.plain(part.text)
        return
      case 'media':
        this.media(part)
        return
      case 'search-result': {
        this.writing.lose('map', part.at, 'search_result_as_text')
        this.plain(searchResultText(part))
        return
      }
      case 'vendor':
        if (part.dialect === 'gemini-generate') this.out.raw(part.json)
        else this.plain(this.writing.vendorText(part) ?? '')
        return
      default:
        this.writing.lose('drop', part.at, `${part.kind}_in_user_turn`)
    }
  }

  private plain(text: string): void {
    if (text !== '') this.out.object().member('text', text).endObject()
  }

  /** Ends a part: its signature, and unknown members of the own dialect. */
  private close(part: Part, signature: string | null): void {
    this.out.memberIf('thoughtSignature', signature)
    if (this.own) this.out.extras(extrasAt(part.extra, ''))
    else this.writing.loseExtras(part)
    this.out.endObject()
  }

  private text(part: TextPart, signature: Opaque | null): void {
    if (part.citations.length > 0) this.writing.lose('drop', part.at, 'citations')
    if (part.text === '' && signature === null) return
    this.out.object().member('text', part.text)
    this.close(part, signature?.value ?? null)
  }

  private bareSignature(signature: Opaque): void {
    this.out.object().member('text', '').member('thoughtSignature', signature.value).endObject()
  }

  private reasoning(part: ReasoningPart, signatures: Signatures): void {
    const text = part.sections.join('\n\n')
    const { opaque } = part
    if (opaque !== null && !this.writing.takes(opaque, part.at)) return
    if (opaque === null && !this.own) {
      if (text !== '') this.writing.lose('drop', part.at, 'reasoning_not_replayed')
      return
    }
    const moved = opaque !== null && (opaque === signatures.ofText || signatures.ofCall.has(opaque.id ?? ''))
    if (text === '') {
      if (opaque !== null && !moved) this.bareSignature(opaque)
      return
    }
    this.out.object().member('text', text).member('thought', true)
    this.close(part, moved ? null : (opaque?.value ?? null))
  }

  private call(call: CallPart, signature: string | null): void {
    this.calls.set(call.id, call)
    const input = call.custom ? `{"input":${JSON.stringify(call.input)}}` : argumentsObject(call.input)
    const { out } = this
    out.object().key('functionCall').object()
    if (!isMadeId(call.id)) out.member('id', this.writing.callId(call.id))
    out.member('name', this.writing.names.toTarget(call.name, call.namespace)).memberRaw('args', input)
    if (this.own) out.extras(extrasAt(call.extra, 'functionCall'))
    out.endObject()
    this.close(call, signature)
  }

  /** Writes the response; returns what has to follow it. */
  private result(part: ResultPart): Part[] {
    const call = this.calls.get(part.callId)
    const name = call?.name ?? part.name
    if (name === null) this.writing.refuse(part.at, 'found a result that no call before it asked for')
    const { out } = this
    const inside = this.own || this.writing.target.facts.resultImages
    const texts: string[] = []
    const media: (MediaPart | VendorPart)[] = []
    for (const piece of part.parts) this.sort(piece, texts, media)
    // Beside bytes inside a response there is no place for words.
    if (inside) for (const piece of media) if (piece.kind === 'media') texts.push(...this.about(piece))
    out.object().key('functionResponse').object()
    if (!isMadeId(part.callId)) out.member('id', this.writing.callId(part.callId))
    out.member('name', this.writing.names.toTarget(name, call?.namespace ?? null))
    out.memberRaw('response', this.response(part, texts.join('\n')))
    if (media.length > 0 && inside) {
      out.key('parts').array()
      for (const piece of media) {
        if (piece.kind === 'media') this.mediaPart(piece)
        else out.raw(piece.json)
      }
      out.endArray()
    }
    if (this.own) out.extras(extrasAt(part.extra, 'functionResponse'))
    out.endObject()
    this.close(part, null)
    if (media.length === 0 || inside) return []
    this.writing.lose('emulate', part.at, 'media_after_result')
    const label = `Returned by the call of ${name} above:`
    return [textPart(label, part.at), ...media]
  }

  /** What a result holds as text, and what beside it. */
  private sort(piece: Part, texts: string[], media: (MediaPart | VendorPart)[]): void {
    if (piece.kind === 'text' || piece.kind === 'refusal') texts.push(piece.text)
    else if (piece.kind === 'media' && piece.source.kind === 'text') texts.push(piece.source.text)
    else if (piece.kind === 'media' && piece.source.kind === 'parts') {
      for (const inner of piece.source.parts) this.sort(inner, texts, media)
    } else if (piece.kind === 'media') media.push(piece)
    else if (piece.kind === 'search-result') {
      this.writing.lose('map', piece.at, 'search_result_as_text')
      texts.push(piece.title, piece.url)
      for (const inner of piece.parts) this.sort(inner, texts, media)
    } else if (piece.kind === 'vendor') {
      if (piece.dialect === 'gemini-generate') media.push(piece)
      else texts.push(this.writing.vendorText(piece) ?? '')
    }
  }

  /** An object, always: `output` and `error` are the members that the reference names. */
  private response(part: ResultPart, text: string): string {
    const member = part.failed ? 'error' : 'output'
    const { json } = part
    if (json === null) return `{"${member}":${JSON.stringify(text)}}`
    // A reference inside a response means one of its own parts here.
    const told = !this.own && json.includes('"$ref"') ? JSON.stringify(json) : json
    if (text === '' && !part.failed && told.startsWith('{')) return told
    const more = text === '' ? '' : `,"text":${JSON.stringify(text)}`
    return `{"${member}":${told}${more}}`
  }

  private media(part: MediaPart): void {
    const { source } = part
    if (source.kind === 'text') {
      this.plain(titled(part, source.text))
      return
    }
    if (source.kind === 'parts') {
      this.plain(titled(part, ''))
      for (const piece of source.parts) this.part(piece)
      return
    }
    for (const text of this.about(part)) this.plain(text)
    this.mediaPart(part)
  }

  /** What another dialect's client said about a document, which has no place beside its bytes. */
  private about(part: MediaPart): string[] {
    const text = this.own ? '' : titled(part, '')
    if (text !== '') this.writing.lose('emulate', part.at, 'title_as_text')
    return text === '' ? [] : [text]
  }

  /** Media by value or by address. */
  private mediaPart(part: MediaPart): void {
    const { source } = part
    this.checkMedia(part)
    if (part.cite && !this.own) this.writing.lose('drop', part.at, 'document_citations')
    const { out } = this
    const member = source.kind === 'base64' ? 'inlineData' : 'fileData'
    out.object().key(member).object().memberIf('mimeType', mimeOf(part))
    if (source.kind === 'base64') out.member('data', source.data)
    else out.member('fileUri', source.kind === 'url' ? source.url : source.kind === 'file' ? source.id : '')
    if (this.own) out.memberIf('displayName', part.name).extras(extrasAt(part.extra, member))
    out.endObject()
    const level = this.own && part.detail !== null ? DETAIL_LEVELS[part.detail] : undefined
    if (level !== undefined) out.memberRaw('mediaResolution', `{"level":"${level}"}`)
    this.close(part, null)
  }

  private checkMedia(part: MediaPart): void {
    const { source } = part
    const { facts } = this.writing.target
    const refuse = (message: string): never => this.writing.refuse(part.at, message)
    if (source.kind === 's3') refuse('this model cannot read S3 locations')
    if (source.kind === 'file' && source.dialect !== 'gemini-generate') {
      refuse(`the file ${source.id} is stored at another vendor`)
    }
    if (this.own) return
    if (source.kind === 'url' && !/^https?:/i.test(source.url))
      refuse('allowed is an https address or a data URL')
    if (source.kind === 'url' && !facts.imageUrls) refuse('this model takes media by value only')
    if (part.media === 'image' && !facts.images) refuse('this model takes no images')
    if (part.media === 'audio' && !facts.audio) refuse('this model takes no audio')
    if (part.media === 'video' && !facts.video) refuse('this model takes no video')
    if (part.media === 'document' && !facts.documents) refuse('this model takes no documents')
    if (part.mime !== null && OFFICE.test(part.mime))
      refuse(`found ${part.mime}, allowed is application/pdf or text`)
  }
}

/** Office files are read by no model of this vendor. */
const OFFICE = /^application\/(?:msword|vnd\.)/

const MIME_DEFAULTS = {
  image: 'image/png',
  audio: 'audio/wav',
  video: 'video/mp4',
  document: 'application/pdf',
} as const

/** By value a type is demanded; by address it is told when it can be known. */
function mimeOf(part: MediaPart): string | null {
  if (part.mime !== null) return part.mime
  const { source } = part
  if (source.kind === 'base64') return sniffedMime(source.data) ?? MIME_DEFAULTS[part.media]
  return source.kind === 'url' ? mimeOfName(source.url.replace(/[?#].*$/, '')) : null
}

const NO_SIGNATURES: Signatures = { ofCall: new Map(), ofText: null, lastText: null }

// One candidate of a reply as parts of a turn. Owns what its pieces mean; a whole candidate is one large piece.
// Signatures may stand on any part here. Clients of other dialects carry them in reasoning parts of their own: before
// a call, with its id, and after a text.

import { listOf, type Members, membersOf, textOf, textOrNull } from '../bytes/json-look.ts'
import { JsonArray, JsonObject, readJsonObject } from '../bytes/json-tree.ts'
import { mediaKindOf, normalMime } from '../media.ts'
import { type MediaSource, mediaPart, type Opaque } from '../prompt.ts'
import type { ReplyContext } from '../reply-context.ts'
import { CALL_ID_RULES, callIdFor } from '../tool-names.ts'
import type { ProsePartKind, TokenLogprob, TurnSink } from '../turn.ts'
import { citationsOf } from './grounding.ts'
import { PartialArgs } from './partial-args.ts'
import { finishOf, MADE_ID_PREFIX, SIGNED_TEXT, UNSPECIFIED } from './wire.ts'

/** Text of one part that is kept to place its citations. Counted in UTF-16 units; a longer text loses the places. */
const SAID_UNITS_MAX = 256 * 1024
/** Parts beyond this are no reply of a model. */
const PARTS_MAX = 65_536

/** Source text of the pieces of one frame; it is read a second time only when a piece needs it. */
export class FrameSource {
  private text = ''
  private tree: JsonObject | null = null

  set(text: string): void {
    this.text = text
    this.tree = null
  }

  part(candidate: number, part: number): JsonObject | null {
    this.tree ??= readJsonObject(this.text)
    const parts = elementOf(this.tree, 'candidates', candidate)?.object('content')
    return parts === undefined || parts === null ? null : elementOf(parts, 'parts', part)
  }
}

function elementOf(node: JsonObject, name: string, index: number): JsonObject | null {
  const list = node.get(name)
  const value = list instanceof JsonArray ? list.values[index] : null
  return value instanceof JsonObject ? value : null
}

class OpenCall {
  readonly part: number
  readonly args: PartialArgs

  constructor(part: number) {
    this.part = part
    this.args = new PartialArgs()
  }
}

/** Members of a candidate that mean something to every dialect, or nothing to any. */
const READ_MEMBERS: ReadonlySet<string> = new Set(['content', 'finishReason', 'index', 'logprobsResult'])

export class CandidateReader {
  private readonly to: TurnSink
  private readonly choice: number
  private readonly context: ReplyContext
  private readonly own: boolean
  private parts = 0
  private calls = 0
  private prosePart = -1
  private proseKind: ProsePartKind = 'text'
  /** The open part has its signature: text that follows is another part. */
  private signed = false
  /** Signature of the open text, for clients that carry it in a part of its own. */
  private held: Opaque | null = null
  /** The open text so far; null when it is too long to keep. */
  private said: string | null = ''
  private call: OpenCall | null = null
  private word: string | null = null
  private message: string | null = null
  private over = false

  constructor(to: TurnSink, choice: number, context: ReplyContext) {
    this.to = to
    this.choice = choice
    this.context = context
    this.own = context.client === 'gemini-generate'
  }

  /** True once the candidate has said why it finished. */
  get finished(): boolean {
    return this.word !== null
  }

  /** True once the choice has been told its finish: nothing may follow. */
  get closed(): boolean {
    return this.over
  }

  /** Takes one piece, or a whole candidate. Returns a complaint, or null. */
  take(candidate: Members, position: number, source: FrameSource): string | null {
    const content = membersOf(candidate['content'])
    const parts = content === null ? NONE : listOf(content['parts'])
    for (let index = 0; index < parts.length; index++) {
      const part = membersOf(parts[index])
      const complaint = part === null ? null : this.part(part, position, index, source)
      if (complaint !== null) return complaint
    }
    const logprobs = candidate['logprobsResult']
    if (logprobs !== undefined) this.logprobs(membersOf(logprobs))
    if (candidate['groundingMetadata'] !== undefined || candidate['citationMetadata'] !== undefined)
      this.cite(candidate)
    if (this.own) this.extras(candidate)
    const word = candidate['finishReason']
    if (typeof word === 'string' && word !== '' && word !== UNSPECIFIED) {
      this.word = word
      this.message = textOrNull(candidate['finishMessage'])
    }
    return null
  }

  /** The upstream says that nothing comes because of the prompt. */
  block(word: string, message: string | null): void {
    this.word = word
    this.message = message
    this.end('filter')
  }

  /** Ends all parts and the choice. */
  finish(): void {
    this.end(null)
  }

  private end(reason: 'filter' | null): void {
    if (this.over) return
    this.over = true
    const ending = finishOf(this.word, this.message)
    const cut = ending.reason === 'length'
    this.endCall(!cut)
    this.endProse(!cut)
    const filtered = reason ?? ending.reason
    const detail = filtered === 'filter' ? { category: null, explanation: this.message } : null
    this.to.finish(this.choice, { ...ending, reason: filtered, detail })
  }

  private part(part: Members, position: number, index: number, source: FrameSource): string | null {
    const text = part['text']
    const signature = part['thoughtSignature']
    if (typeof text === 'string' && signature === undefined && this.call === null) {
      if (text !== '') this.prose(part['thought'] === true ? 'reasoning' : 'text', text)
      return null
    }
    if (this.parts > PARTS_MAX) return 'too many parts'
    const call = membersOf(part['functionCall'])
    if (call !== null) return this.functionCall(call, textOf(signature), position, index, source)
    this.endCall(true)
    if (part['inlineData'] !== undefined || part['fileData'] !== undefined) this.media(part)
    else if (typeof text === 'string' || Object.keys(part).every(key => TEXT_MEMBERS.has(key))) {
      const kind = part['thought'] === true ? 'reasoning' : 'text'
      if (textOf(text) !== '') this.prose(kind, textOf(text))
      this.sign(kind, textOf(signature))
    } else this.vendor(part, source.part(position, index))
    return null
  }

  private prose(kind: ProsePartKind, text: string): void {
    if (this.prosePart === -1 || this.proseKind !== kind || this.signed) {
      this.endProse(true)
      this.prosePart = this.parts++
      this.proseKind = kind
      this.said = ''
      this.to.partStart(this.choice, this.prosePart, kind)
    }
    if (this.said !== null && kind === 'text') {
      this.said = this.said.length + text.length > SAID_UNITS_MAX ? null : this.said + text
    }
    this.to.text(this.choice, this.prosePart, text)
  }

  private endProse(complete: boolean): void {
    if (this.prosePart !== -1) this.to.partEnd(this.choice, this.prosePart, complete)
    this.prosePart = -1
    this.signed = false
    const { held } = this
    this.held = null
    if (held !== null) this.carry(held)
  }

  /** A signature as a part of its own. */
  private carry(opaque: Opaque, kind: ProsePartKind = 'reasoning'): void {
    const part = this.parts++
    this.to.partStart(this.choice, part, kind)
    this.to.opaque(this.choice, part, opaque)
    this.to.partEnd(this.choice, part, true)
  }

  private opaque(value: string, id: string | null): Opaque {
    return { family: this.context.family, kind: 'signature', id, value }
  }

  private sign(kind: ProsePartKind, value: string): void {
    if (value === '') return
    const opaque = this.opaque(value, kind === 'text' && !this.own ? SIGNED_TEXT : null)
    if (this.prosePart === -1 || this.proseKind !== kind || this.signed) {
      this.endProse(true)
      this.carry(opaque, this.own ? kind : 'reasoning')
      return
    }
    this.signed = true
    if (kind === 'text' && !this.own) this.held = opaque
    else this.to.opaque(this.choice, this.prosePart, opaque)
  }

  private functionCall(
    call: Members,
    signature: string,
    position: number,
    index: number,
    source: FrameSource,
  ): string | null {
    const name = textOf(call['name'])
    const goesOn = this.call !== null && name === ''
    if (!goesOn && name === '') return 'a call without a name'
    if (!goesOn) this.startCall(call, name, signature)
    const open = this.call!
    for (const piece of listOf(call['partialArgs'])) {
      const members = membersOf(piece)
      if (members !== null && !open.args.take(members)) return 'arguments in pieces that do not fit'
    }
    if (call['willContinue'] === true) return null
    this.call = null
    const whole = membersOf(call['args']) !== null && call['partialArgs'] === undefined && !goesOn
    const args = whole ? source.part(position, index)?.object('functionCall')?.jsonOf('args') : null
    this.to.input(this.choice, open.part, args ?? open.args.json)
    this.to.partEnd(this.choice, open.part, true)
    return null
  }

  private startCall(call: Members, name: string, signature: string): void {
    this.endCall(true)
    this.endProse(true)
    const given = textOf(call['id'])
    const id = given === '' ? this.context.freshId(MADE_ID_PREFIX, `${this.choice}/${this.calls}`) : given
    this.calls += 1
    const shown = callIdFor(id, CALL_ID_RULES[this.context.client])
    if (signature !== '' && !this.own) this.carry(this.opaque(signature, shown))
    const part = this.parts++
    this.call = new OpenCall(part)
    this.to.callStart(this.choice, part, { id, itemId: null, name, namespace: null, custom: false })
    if (signature !== '' && this.own) this.to.opaque(this.choice, part, this.opaque(signature, null))
  }

  /** A call whose arguments were still coming. */
  private endCall(complete: boolean): void {
    const open = this.call
    if (open === null) return
    this.call = null
    this.to.input(this.choice, open.part, open.args.json)
    this.to.partEnd(this.choice, open.part, complete)
  }

  private media(part: Members): void {
    const blob = membersOf(part['inlineData'])
    const given = blob ?? membersOf(part['fileData'])
    if (given === null) return
    const mime = typeof given['mimeType'] === 'string' ? normalMime(given['mimeType']) : null
    const data = textOf(given['data'])
    const source: MediaSource =
      blob === null ? { kind: 'url', url: textOf(given['fileUri']) } : { kind: 'base64', data }
    const signature = textOf(part['thoughtSignature'])
    const extra = signature === '' ? [] : [{ name: 'thoughtSignature', json: JSON.stringify(signature) }]
    this.endProse(true)
    this.to.media(this.choice, this.parts++, mediaPart(mediaKindOf(mime), mime, source, '', { extra }))
  }

  private vendor(part: Members, source: JsonObject | null): void {
    const type = Object.keys(part).find(key => !TEXT_MEMBERS.has(key)) ?? ''
    this.endProse(true)
    this.to.vendor(this.choice, this.parts++, 'gemini-generate', type, source?.json ?? JSON.stringify(part))
  }

  private logprobs(result: Members | null): void {
    if (result === null || this.prosePart === -1) return
    const tops = listOf(result['topCandidates'])
    const tokens = listOf(result['chosenCandidates']).flatMap((chosen, index): TokenLogprob[] => {
      const token = tokenOf(chosen)
      if (token === null) return []
      const top = listOf(membersOf(tops[index])?.['candidates']).flatMap(each => tokenOf(each) ?? [])
      return [{ ...token, top, refusal: false }]
    })
    if (tokens.length > 0) this.to.logprobs(this.choice, this.prosePart, tokens)
  }

  private cite(candidate: Members): void {
    if (this.prosePart === -1 || this.proseKind !== 'text') return
    for (const citation of citationsOf(candidate, this.said))
      this.to.cite(this.choice, this.prosePart, citation)
  }

  /** What only this dialect can say goes on to its own clients. */
  private extras(candidate: Members): void {
    for (const name of Object.keys(candidate)) {
      if (READ_MEMBERS.has(name)) continue
      const json = JSON.stringify(candidate[name])
      this.to.extra('gemini-generate', `candidates/${this.choice}/${name}`, json)
    }
  }
}

function tokenOf(value: unknown): { readonly token: string; readonly logprob: number } | null {
  const members = membersOf(value)
  const logprob = members?.['logProbability']
  return typeof logprob === 'number' ? { token: textOf(members?.['token']), logprob } : null
}

const TEXT_MEMBERS: ReadonlySet<string> = new Set(['text', 'thought', 'thoughtSignature'])
const NONE: readonly unknown[] = []

// One choice of a Chat reply as parts of a turn. Owns what deltas mean; a whole message is one large delta. Accepts
// the spellings of compatible hosts: calls without index or id, index 0 for every call, whole arguments at once.

import { listOf, type Members, membersOf, textOf, textOrNull } from '../bytes/json-look.ts'
import { imageOfUrl } from '../media.ts'
import type { Opaque } from '../prompt.ts'
import { finish, type ProsePartKind, type TokenLogprob, type TurnSink } from '../turn.ts'
import { reasonOf } from './wire.ts'

class OpenCall {
  readonly index: number | null
  id: string
  name: string
  readonly custom: boolean
  /** Part number, or -1 while the name may still grow. */
  part: number

  constructor(index: number | null, id: string, custom: boolean) {
    this.index = index
    this.id = id
    this.name = ''
    this.custom = custom
    this.part = -1
  }
}

/** Ordinals of tool calls beyond this are no reply of a model. */
const CALLS_MAX = 1024

export class ChoiceReader {
  private readonly to: TurnSink
  private readonly choice: number
  private readonly family: string
  private parts = 0
  private prosePart = -1
  private proseKind: ProsePartKind = 'text'
  private readonly calls: OpenCall[] = []
  /** UTF-16 units of text before the open text part: annotations count from the start of the message. */
  private textUnits = 0
  private partStartUnits = 0
  finished = false

  constructor(to: TurnSink, choice: number, family: string) {
    this.to = to
    this.choice = choice
    this.family = family
  }

  /** Takes one delta, or a whole message. Returns a complaint, or null. */
  take(delta: Members, logprobs: unknown): string | null {
    const reasoning = textOf(delta['reasoning_content']) || textOf(delta['reasoning'])
    const content = delta['content']
    const refusal = textOf(delta['refusal'])
    const calls = listOf(delta['tool_calls'])
    const legacy = membersOf(delta['function_call'])
    if (this.finished) {
      const said =
        reasoning !== '' || refusal !== '' || calls.length > 0 || (content !== '' && content != null)
      return said ? 'content after a finish reason' : null
    }
    if (reasoning !== '') this.prose('reasoning', reasoning)
    if (delta['reasoning_details'] !== undefined)
      this.details(listOf(delta['reasoning_details']), reasoning !== '')
    if (typeof content === 'string') this.prose('text', content)
    else for (const part of listOf(content)) this.contentPart(membersOf(part))
    if (refusal !== '') this.prose('refusal', refusal)
    if (logprobs != null) this.tokens(membersOf(logprobs))
    if (delta['annotations'] !== undefined) this.annotations(listOf(delta['annotations']))
    if (delta['images'] !== undefined)
      for (const image of listOf(delta['images'])) this.image(membersOf(image))
    for (const call of calls) {
      const members = membersOf(call)
      if (members !== null && !this.call(members)) return 'too many tool calls'
    }
    if (legacy !== null) this.call({ index: 0, function: legacy })
    return null
  }

  /** Ends all parts and the choice. `word` null: the upstream ended without saying why. */
  finish(word: string | null): void {
    if (this.finished) return
    const reason = word === null ? 'stop' : reasonOf(word)
    for (const call of this.calls) this.begin(call)
    const cut = reason === 'length'
    const lastCall = this.calls.at(-1)
    this.endProse(!cut || lastCall !== undefined)
    for (const call of this.calls) this.to.partEnd(this.choice, call.part, !cut || call !== lastCall)
    this.finished = true
    this.to.finish(this.choice, finish(reason, word))
  }

  private prose(kind: ProsePartKind, text: string): void {
    if (text === '') return
    if (this.prosePart === -1 || this.proseKind !== kind) {
      this.endProse(true)
      this.beginCalls()
      this.prosePart = this.parts++
      this.proseKind = kind
      this.partStartUnits = this.textUnits
      this.to.partStart(this.choice, this.prosePart, kind)
    }
    if (kind === 'text') this.textUnits += text.length
    this.to.text(this.choice, this.prosePart, text)
  }

  private endProse(complete: boolean): void {
    if (this.prosePart === -1) return
    this.to.partEnd(this.choice, this.prosePart, complete)
    this.prosePart = -1
  }

  private contentPart(part: Members | null): void {
    if (part === null) return
    if (part['type'] === 'refusal') this.prose('refusal', textOf(part['refusal']))
    else if (part['type'] === 'thinking') {
      for (const piece of listOf(part['thinking']))
        this.prose('reasoning', textOf(membersOf(piece)?.['text']))
    } else this.prose('text', textOf(part['text']))
  }

  /** Opaque material; its text too when the plain member did not carry it. */
  private details(details: readonly unknown[], textSeen: boolean): void {
    for (const detail of details) {
      const members = membersOf(detail)
      if (members === null) continue
      const text = textOf(members['text']) || textOf(members['summary'])
      if (!textSeen) this.prose('reasoning', text)
      const opaque = this.opaqueOf(members)
      if (opaque === null) continue
      if (this.prosePart === -1 || this.proseKind !== 'reasoning') {
        this.endProse(true)
        this.beginCalls()
        this.prosePart = this.parts++
        this.proseKind = 'reasoning'
        this.to.partStart(this.choice, this.prosePart, 'reasoning')
      }
      this.to.opaque(this.choice, this.prosePart, opaque)
    }
  }

  private opaqueOf(detail: Members): Opaque | null {
    const id = textOrNull(detail['id'])
    const signature = textOf(detail['signature'])
    if (signature !== '') return { family: this.family, kind: 'signature', id, value: signature }
    const data = textOf(detail['data'])
    return data === '' ? null : { family: this.family, kind: 'encrypted', id, value: data }
  }

  private tokens(logprobs: Members | null): void {
    if (logprobs === null || this.prosePart === -1) return
    const tokens: TokenLogprob[] = []
    for (const name of ['content', 'refusal']) {
      for (const entry of listOf(logprobs[name])) {
        const token = tokenOf(membersOf(entry), name === 'refusal')
        if (token !== null) tokens.push(token)
      }
    }
    if (tokens.length > 0) this.to.logprobs(this.choice, this.prosePart, tokens)
  }

  private annotations(annotations: readonly unknown[]): void {
    if (this.prosePart === -1 || this.proseKind !== 'text') return
    for (const annotation of annotations) {
      const cited = membersOf(membersOf(annotation)?.['url_citation'])
      if (cited === null) continue
      const start =
        typeof cited['start_index'] === 'number' ? cited['start_index'] - this.partStartUnits : null
      const end = typeof cited['end_index'] === 'number' ? cited['end_index'] - this.partStartUnits : null
      this.to.cite(this.choice, this.prosePart, {
        kind: 'url',
        url: textOrNull(cited['url']),
        title: textOrNull(cited['title']),
        quote: null,
        start: start !== null && start >= 0 ? start : null,
        end: end !== null && end >= 0 ? end : null,
        documentIndex: null,
        dialect: 'openai-chat',
        json: JSON.stringify(annotation),
      })
    }
  }

  private image(image: Members | null): void {
    const url = textOf(membersOf(image?.['image_url'])?.['url'])
    if (url === '') return
    this.endProse(true)
    this.to.media(this.choice, this.parts++, imageOfUrl(url, '', null, null))
  }

  private call(entry: Members): boolean {
    const custom = membersOf(entry['custom'])
    const made = custom ?? membersOf(entry['function'])
    const call = this.callOf(entry, custom !== null)
    if (call === null) return false
    const name = textOf(made?.['name'])
    if (call.part === -1) call.name += name
    const given = made?.[call.custom ? 'input' : 'arguments']
    const input = typeof given === 'object' && given !== null ? JSON.stringify(given) : textOf(given)
    if (input === '') return true
    this.begin(call)
    if (call.custom) this.to.text(this.choice, call.part, input)
    else this.to.input(this.choice, call.part, input)
    return true
  }

  /** The call an entry belongs to, opened if it is new; null when there are too many. */
  private callOf(entry: Members, custom: boolean): OpenCall | null {
    const index = typeof entry['index'] === 'number' ? entry['index'] : null
    const id = textOf(entry['id'])
    const known =
      index === null
        ? id === ''
          ? this.calls.at(-1)
          : this.calls.find(call => call.id === id)
        : this.calls.findLast(call => call.index === index)
    // Some hosts number every call 0: another id is another call.
    if (known !== undefined && (id === '' || known.id === '' || known.id === id)) {
      if (known.part === -1 && known.id === '') known.id = id
      return known
    }
    if (this.calls.length >= CALLS_MAX) return null
    this.endProse(true)
    this.beginCalls()
    const call = new OpenCall(index, id, custom)
    this.calls.push(call)
    return call
  }

  /** Announces a call once its name cannot grow any more. */
  private begin(call: OpenCall): void {
    if (call.part !== -1) return
    call.part = this.parts++
    const head = { id: call.id, itemId: null, name: call.name, namespace: null, custom: call.custom }
    this.to.callStart(this.choice, call.part, head)
  }

  private beginCalls(): void {
    for (const call of this.calls) this.begin(call)
  }
}

function tokenOf(entry: Members | null, refusal: boolean): TokenLogprob | null {
  if (entry === null || typeof entry['logprob'] !== 'number') return null
  const top = listOf(entry['top_logprobs']).flatMap(alternative => {
    const members = membersOf(alternative)
    const logprob = members?.['logprob']
    return typeof logprob === 'number' ? [{ token: textOf(members?.['token']), logprob }] : []
  })
  return { token: textOf(entry['token']), logprob: entry['logprob'], top, refusal }
}

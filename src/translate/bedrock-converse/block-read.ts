// The blocks of a Converse reply as parts of a turn. Owns what each block and delta means; whole blocks and streamed
// ones take the same way. Text and reasoning have no start of their own: their part begins with its first content.
// Traces of tools that ran at the service, and blocks we do not know, are kept for this dialect.

import { listOf, type Members, membersOf, textOf } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import { argumentsObject, argumentsText } from '../bytes/json-text.ts'
import { type JsonObject, readJsonObject } from '../bytes/json-tree.ts'
import { type MediaKind, mediaPart } from '../prompt.ts'
import type { ProsePartKind, TurnSink } from '../turn.ts'
import { readCitation } from './citations.ts'
import { mimeOfFormat } from './wire.ts'

type OpenKind = 'none' | 'text' | 'reasoning' | 'call' | 'hosted-call' | 'hosted-result' | 'image'

/** Gives the block, start or delta at hand as a tree; asked only for what must not be printed anew. */
export interface BlockSource {
  source(): JsonObject | null
}

export class BlockFeed {
  private readonly to: TurnSink
  private readonly family: string
  private readonly from: BlockSource
  private parts: number
  private kind: OpenKind
  private inputSeen: boolean
  /** Redacted reasoning may come in pieces and is told once, when it is whole. */
  private redacted: string
  /** Of a block that is pushed whole: what its start said, and what has streamed into it. */
  private head: JsonObject | null
  private pieces: string

  constructor(to: TurnSink, family: string, from: BlockSource) {
    this.to = to
    this.family = family
    this.from = from
    this.parts = 0
    this.kind = 'none'
    this.inputSeen = false
    this.redacted = ''
    this.head = null
    this.pieces = ''
  }

  /** Number of the part that is open. */
  private get part(): number {
    return this.parts - 1
  }

  /** A whole block. */
  block(block: Members): void {
    const kind = Object.keys(block).find(key => block[key] !== null) ?? ''
    const made = membersOf(block[kind])
    switch (kind) {
      case 'text':
        this.prose('text', textOf(block['text']))
        break
      case 'citationsContent':
        this.open('text')
        for (const entry of listOf(made?.['content'])) this.prose('text', textOf(membersOf(entry)?.['text']))
        for (const citation of listOf(made?.['citations'])) this.cite(citation)
        break
      case 'reasoningContent': {
        const text = membersOf(made?.['reasoningText'])
        this.prose('reasoning', textOf(text?.['text']))
        this.sign(textOf(text?.['signature']))
        this.redact(textOf(made?.['redactedContent']))
        break
      }
      case 'toolUse':
        if (typeof made?.['type'] === 'string') this.vendor(kind, this.from.source()?.json ?? '')
        else {
          this.call(made ?? {})
          const input = membersOf(made?.['input'])
          const some = input !== null && Object.keys(input).length > 0
          if (some) this.input(argumentsText(this.from.source()?.object('toolUse')?.jsonOf('input') ?? ''))
        }
        break
      case 'image':
      case 'audio':
      case 'video':
        this.media(kind, textOf(made?.['format']), textOf(membersOf(made?.['source'])?.['bytes']))
        break
      case '':
        break
      default:
        this.vendor(kind, this.from.source()?.json ?? '')
    }
    this.stop()
  }

  /** `contentBlockStart`. Returns a complaint, or null. */
  start(start: Members): string | null {
    const use = membersOf(start['toolUse'])
    this.pieces = ''
    if (use !== null && typeof use['type'] !== 'string') {
      if (textOf(use['name']) === '') return 'a call without a name'
      this.call(use)
    } else if (use !== null || membersOf(start['toolResult']) !== null) {
      this.kind = use === null ? 'hosted-result' : 'hosted-call'
      this.head = this.from.source()
    } else if (membersOf(start['image']) !== null) {
      this.kind = 'image'
      this.head = this.from.source()
    }
    return null
  }

  /** `contentBlockDelta`. Returns a complaint, or null. Deltas we do not know mean nothing. */
  delta(delta: Members): string | null {
    const { text } = delta
    if (typeof text === 'string') {
      this.prose('text', text)
      return null
    }
    const use = membersOf(delta['toolUse'])
    if (use !== null) return this.inputDelta(textOf(use['input']))
    const reasoning = membersOf(delta['reasoningContent'])
    if (reasoning !== null) {
      this.prose('reasoning', textOf(reasoning['text']))
      this.sign(textOf(reasoning['signature']))
      this.redact(textOf(reasoning['redactedContent']))
    } else if (delta['citation'] !== undefined) this.cite(delta['citation'])
    else if (this.kind === 'hosted-result') this.pieces += resultEntries(this.from.source())
    else if (this.kind === 'image') {
      const image = membersOf(delta['image'])
      this.pieces = joinedBase64(this.pieces, textOf(membersOf(image?.['source'])?.['bytes']))
    }
    return null
  }

  stop(): void {
    const { kind, head, pieces, redacted: value } = this
    this.kind = 'none'
    this.head = null
    this.redacted = ''
    if (value !== '') this.to.opaque(0, this.part, { family: this.family, kind: 'redacted', id: null, value })
    switch (kind) {
      case 'none':
        return
      case 'hosted-call':
        this.vendor('toolUse', hostedCall(head, pieces))
        return
      case 'hosted-result':
        this.vendor('toolResult', hostedResult(head, pieces))
        return
      case 'image':
        this.media('image', head?.object('image')?.string('format') ?? 'png', pieces)
        return
      case 'call':
        if (!this.inputSeen) this.to.input(0, this.part, '{}')
    }
    this.to.partEnd(0, this.part, true)
  }

  /** Goes on with the open part of this kind, or ends what is open and begins one. */
  private open(kind: ProsePartKind & OpenKind): void {
    if (this.kind === kind) return
    this.stop()
    this.kind = kind
    this.to.partStart(0, this.parts++, kind)
  }

  private prose(kind: 'text' | 'reasoning', text: string): void {
    if (text === '') return
    this.open(kind)
    this.to.text(0, this.part, text)
  }

  private call(use: Members): void {
    this.stop()
    this.kind = 'call'
    this.inputSeen = false
    this.to.callStart(0, this.parts++, {
      id: textOf(use['toolUseId']),
      itemId: null,
      name: textOf(use['name']),
      namespace: null,
      custom: false,
    })
  }

  private inputDelta(json: string): string | null {
    if (this.kind === 'hosted-call') this.pieces += json
    else if (this.kind === 'call') this.input(json)
    else return 'input of a call that has not begun'
    return null
  }

  private input(json: string): void {
    if (json === '') return
    this.inputSeen = true
    this.to.input(0, this.part, json)
  }

  private sign(value: string): void {
    if (value === '') return
    this.open('reasoning')
    this.to.opaque(0, this.part, { family: this.family, kind: 'signature', id: null, value })
  }

  private redact(value: string): void {
    if (value === '') return
    this.open('reasoning')
    this.redacted = joinedBase64(this.redacted, value)
  }

  private cite(citation: unknown): void {
    if (membersOf(citation) === null) return
    this.open('text')
    this.to.cite(0, this.part, readCitation(readJsonObject(JSON.stringify(citation))))
  }

  private media(kind: MediaKind, format: string, data: string): void {
    if (data === '') return
    const part = mediaPart(kind, mimeOfFormat(kind, format), { kind: 'base64', data }, '')
    this.to.media(0, this.parts++, part)
  }

  private vendor(kind: string, json: string): void {
    if (json !== '') this.to.vendor(0, this.parts++, 'bedrock-converse', kind, json)
  }
}

/** Pieces of base64, each with its own end. */
function joinedBase64(before: string, piece: string): string {
  if (before === '' || piece === '') return before + piece
  // Whole groups of four without padding may stand side by side.
  if (before.length % 4 === 0 && !before.endsWith('=')) return before + piece
  try {
    return btoa(atob(before) + atob(piece))
  } catch {
    return before + piece
  }
}

function resultEntries(delta: JsonObject | null): string {
  const entries = delta?.array('toolResult')
  return entries === null || entries === undefined ? '' : entries.json.slice(1, -1) + ','
}

function hostedCall(head: JsonObject | null, input: string): string {
  const use = head?.object('toolUse') ?? null
  if (use === null) return ''
  const out = new JsonOut().object().key('toolUse').object()
  for (const key of use.keys) out.memberRaw(key, use.jsonOf(key) ?? 'null')
  return out.memberRaw('input', argumentsObject(input)).endObject().endObject().text
}

function hostedResult(head: JsonObject | null, entries: string): string {
  const result = head?.object('toolResult') ?? null
  if (result === null) return ''
  const out = new JsonOut().object().key('toolResult').object()
  for (const key of result.keys) out.memberRaw(key, result.jsonOf(key) ?? 'null')
  return out
    .memberRaw('content', `[${entries.slice(0, -1)}]`)
    .endObject()
    .endObject().text
}

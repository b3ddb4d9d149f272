// The blocks of a Messages reply as parts of a turn. Owns what each block and delta means; whole blocks and
// streamed ones take the same way. Unknown blocks and deltas are kept for this dialect and mean nothing to others.

import { listOf, type Members, membersOf, textOf } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import { argumentsObject, argumentsText } from '../bytes/json-text.ts'
import { type JsonObject, readJsonObject } from '../bytes/json-tree.ts'
import type { TurnSink } from '../turn.ts'
import { readCitation } from './prompt-read.ts'

type OpenKind = 'none' | 'text' | 'reasoning' | 'call' | 'vendor'

export class BlockFeed {
  private readonly to: TurnSink
  private readonly family: string
  private parts: number
  private kind: OpenKind
  private inputSeen: boolean
  /** Vendor block that is open, its source, and the input that streams into it. */
  private vendorType: string
  private vendorJson: string
  private vendorInput: string

  constructor(to: TurnSink, family: string) {
    this.to = to
    this.family = family
    this.parts = 0
    this.kind = 'none'
    this.inputSeen = false
    this.vendorType = ''
    this.vendorJson = ''
    this.vendorInput = ''
  }

  /** Number of the part that is open. */
  private get part(): number {
    return this.parts - 1
  }

  /** `source` gives the block's own text; it is asked only for what must not be printed anew. */
  start(block: Members, source: () => JsonObject | null): void {
    const type = textOf(block['type'])
    switch (type) {
      case 'text':
        this.open('text')
        this.to.partStart(0, this.part, 'text')
        this.text(textOf(block['text']))
        for (const citation of listOf(block['citations'])) this.cite(citation)
        return
      case 'thinking':
        this.open('reasoning')
        this.to.partStart(0, this.part, 'reasoning')
        this.text(textOf(block['thinking']))
        this.sign(textOf(block['signature']))
        return
      case 'redacted_thinking': {
        this.open('reasoning')
        this.to.partStart(0, this.part, 'reasoning')
        const value = textOf(block['data'])
        this.to.opaque(0, this.part, { family: this.family, kind: 'redacted', id: null, value })
        return
      }
      case 'tool_use': {
        this.open('call')
        const head = {
          id: textOf(block['id']),
          itemId: null,
          name: textOf(block['name']),
          namespace: null,
          custom: false,
        }
        this.to.callStart(0, this.part, head)
        const input = membersOf(block['input'])
        if (input !== null && Object.keys(input).length > 0)
          this.input(argumentsText(source()?.jsonOf('input') ?? ''))
        return
      }
      default:
        this.kind = 'vendor'
        this.vendorType = type
        this.vendorJson = source()?.json ?? ''
        this.vendorInput = ''
    }
  }

  delta(delta: Members): void {
    switch (delta['type']) {
      case 'text_delta':
        if (this.kind === 'text') this.text(textOf(delta['text']))
        return
      case 'thinking_delta':
        if (this.kind === 'reasoning') this.text(textOf(delta['thinking']))
        return
      case 'input_json_delta':
        if (this.kind === 'call') this.input(textOf(delta['partial_json']))
        else if (this.kind === 'vendor') this.vendorInput += textOf(delta['partial_json'])
        return
      case 'signature_delta':
        if (this.kind === 'reasoning') this.sign(textOf(delta['signature']))
        return
      case 'citations_delta':
        if (this.kind === 'text') this.cite(delta['citation'])
        return
    }
  }

  stop(): void {
    if (this.kind === 'vendor') {
      this.to.vendor(0, this.parts++, 'anthropic-messages', this.vendorType, this.vendorBlock())
    } else {
      if (this.kind === 'call' && !this.inputSeen) this.to.input(0, this.part, '{}')
      this.to.partEnd(0, this.part, true)
    }
    this.kind = 'none'
  }

  private open(kind: OpenKind): void {
    this.kind = kind
    this.inputSeen = false
    this.parts += 1
  }

  private text(text: string): void {
    if (text !== '') this.to.text(0, this.part, text)
  }

  private input(json: string): void {
    if (json === '') return
    this.inputSeen = true
    this.to.input(0, this.part, json)
  }

  private sign(value: string): void {
    if (value !== '')
      this.to.opaque(0, this.part, { family: this.family, kind: 'signature', id: null, value })
  }

  private cite(citation: unknown): void {
    if (membersOf(citation) === null) return
    this.to.cite(0, this.part, readCitation(readJsonObject(JSON.stringify(citation))))
  }

  /** The vendor's block with the input that was streamed after it. */
  private vendorBlock(): string {
    if (this.vendorInput === '' || this.vendorJson === '') return this.vendorJson
    const block = readJsonObject(this.vendorJson)
    const out = new JsonOut().object()
    for (const key of block.keys) if (key !== 'input') out.memberRaw(key, block.jsonOf(key) ?? 'null')
    return out.memberRaw('input', argumentsObject(this.vendorInput)).endObject().text
  }
}

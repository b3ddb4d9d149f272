// Collects a pushed turn into records: for writers of whole replies, for tests, and for whoever wants to look at a
// finished reply. Bounded by the reader in front of it. Knows no dialect.

import type { DialectId } from './dialect.ts'
import type { ErrorReply } from './errors.ts'
import type { Citation, Extra, MediaPart, Opaque } from './prompt.ts'
import type { CallHead, Finish, ProsePartKind, TokenLogprob, TurnHead, TurnSink } from './turn.ts'
import type { Usage } from './usage.ts'

export class CollectedPart {
  readonly kind: ProsePartKind | 'call' | 'media' | 'vendor'
  /** Text, refusal, reasoning, or the input of a custom call. */
  text: string
  /** Reasoning only: where each readable section after the first begins in `text`. */
  readonly sectionStarts: number[]
  /** Calls only: JSON text of the arguments; '{}' when the upstream gave none. */
  input: string
  readonly call: CallHead | null
  opaque: Opaque | null
  readonly citations: Citation[]
  readonly logprobs: TokenLogprob[]
  complete: boolean
  readonly media: MediaPart | null
  readonly vendor: { readonly dialect: DialectId; readonly type: string; readonly json: string } | null

  constructor(
    kind: CollectedPart['kind'],
    call: CallHead | null,
    media: MediaPart | null,
    vendor: CollectedPart['vendor'],
  ) {
    this.kind = kind
    this.text = ''
    this.sectionStarts = []
    this.input = ''
    this.call = call
    this.opaque = null
    this.citations = []
    this.logprobs = []
    this.complete = true
    this.media = media
    this.vendor = vendor
  }

  /** Readable sections of a reasoning part. Empty when there is no text. */
  get sections(): string[] {
    if (this.text === '' && this.sectionStarts.length === 0) return []
    const bounds = [0, ...this.sectionStarts, this.text.length]
    return bounds.slice(1).map((end, index) => this.text.slice(bounds[index], end))
  }
}

export class CollectedChoice {
  readonly parts: CollectedPart[] = []
  finish: Finish | null = null

  /** All prose of one kind, joined by nothing. */
  textOf(kind: ProsePartKind): string {
    let text = ''
    for (const part of this.parts) if (part.kind === kind) text += part.text
    return text
  }
}

/** A whole turn. Readable when `ended` is true or `error` is set. */
export class TurnCollector implements TurnSink {
  head: TurnHead | null = null
  readonly choices: CollectedChoice[] = []
  usageTold: Usage | null = null
  readonly extras: (Extra & { readonly dialect: DialectId })[] = []
  ended = false
  error: ErrorReply | null = null

  choice(index: number): CollectedChoice {
    while (this.choices.length <= index) this.choices.push(new CollectedChoice())
    return this.choices[index]!
  }

  private part(choice: number, part: number): CollectedPart {
    return this.choices[choice]!.parts[part]!
  }

  private add(choice: number, part: CollectedPart): void {
    this.choice(choice).parts.push(part)
  }

  start(head: TurnHead): void {
    this.head = head
  }

  partStart(choice: number, _part: number, kind: ProsePartKind): void {
    this.add(choice, new CollectedPart(kind, null, null, null))
  }

  callStart(choice: number, _part: number, call: CallHead): void {
    this.add(choice, new CollectedPart('call', call, null, null))
  }

  text(choice: number, part: number, delta: string): void {
    this.part(choice, part).text += delta
  }

  section(choice: number, part: number): void {
    const collected = this.part(choice, part)
    collected.sectionStarts.push(collected.text.length)
  }

  input(choice: number, part: number, json: string): void {
    this.part(choice, part).input += json
  }

  opaque(choice: number, part: number, opaque: Opaque): void {
    this.part(choice, part).opaque = opaque
  }

  cite(choice: number, part: number, citation: Citation): void {
    this.part(choice, part).citations.push(citation)
  }

  logprobs(choice: number, part: number, tokens: readonly TokenLogprob[]): void {
    this.part(choice, part).logprobs.push(...tokens)
  }

  partEnd(choice: number, part: number, complete: boolean): void {
    const collected = this.part(choice, part)
    collected.complete = complete
    if (collected.kind === 'call' && collected.input === '' && complete) collected.input = '{}'
  }

  media(choice: number, _part: number, media: MediaPart): void {
    this.add(choice, new CollectedPart('media', null, media, null))
  }

  vendor(choice: number, _part: number, dialect: DialectId, type: string, json: string): void {
    this.add(choice, new CollectedPart('vendor', null, null, { dialect, type, json }))
  }

  finish(choice: number, finish: Finish): void {
    this.choice(choice).finish = finish
  }

  usage(usage: Usage): void {
    this.usageTold = usage
  }

  ping(): void {}

  extra(dialect: DialectId, name: string, json: string): void {
    this.extras.push({ dialect, name, json })
  }

  end(): void {
    this.ended = true
  }

  fail(error: ErrorReply): void {
    this.error = error
  }
}

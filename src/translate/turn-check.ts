// Checks that a reader speaks the grammar of turns (see turn.ts) and passes every call on. For tests and fuzzing,
// where a breach is a bug of the reader and throws.

import type { DialectId } from './dialect.ts'
import type { ErrorReply } from './errors.ts'
import type { Citation, MediaPart, Opaque } from './prompt.ts'
import { assert } from './translate-error.ts'
import type { CallHead, Finish, ProsePartKind, TokenLogprob, TurnHead, TurnSink } from './turn.ts'
import type { Usage } from './usage.ts'

class CheckedChoice {
  /** Kind of each part that has started. */
  readonly kinds: string[] = []
  readonly open = new Set<number>()
  finished = false
}

export class CheckingSink implements TurnSink {
  private readonly to: TurnSink
  private readonly choices = new Map<number, CheckedChoice>()
  private started = false
  private closed = false

  constructor(to: TurnSink) {
    this.to = to
  }

  start(head: TurnHead): void {
    assert(!this.started && !this.closed, 'start comes once and first')
    this.started = true
    this.to.start(head)
  }

  partStart(choice: number, part: number, kind: ProsePartKind): void {
    this.opened(choice, part, kind, true)
    this.to.partStart(choice, part, kind)
  }

  callStart(choice: number, part: number, call: CallHead): void {
    this.opened(choice, part, call.custom ? 'custom' : 'call', true)
    this.to.callStart(choice, part, call)
  }

  text(choice: number, part: number, delta: string): void {
    assert(delta !== '', 'a text delta is never empty')
    assert(this.inside(choice, part) !== 'call', 'a function call takes input, not text')
    this.to.text(choice, part, delta)
  }

  section(choice: number, part: number): void {
    assert(this.inside(choice, part) === 'reasoning', 'only reasoning has sections')
    this.to.section(choice, part)
  }

  input(choice: number, part: number, json: string): void {
    assert(json !== '', 'an input delta is never empty')
    assert(this.inside(choice, part) === 'call', 'only a function call takes input')
    this.to.input(choice, part, json)
  }

  opaque(choice: number, part: number, opaque: Opaque): void {
    this.inside(choice, part)
    this.to.opaque(choice, part, opaque)
  }

  cite(choice: number, part: number, citation: Citation): void {
    assert(this.inside(choice, part) === 'text', 'only text is cited')
    this.to.cite(choice, part, citation)
  }

  logprobs(choice: number, part: number, tokens: readonly TokenLogprob[]): void {
    this.inside(choice, part)
    this.to.logprobs(choice, part, tokens)
  }

  partEnd(choice: number, part: number, complete: boolean): void {
    this.inside(choice, part)
    this.choices.get(choice)?.open.delete(part)
    this.to.partEnd(choice, part, complete)
  }

  media(choice: number, part: number, media: MediaPart): void {
    this.opened(choice, part, 'media', false)
    this.to.media(choice, part, media)
  }

  vendor(choice: number, part: number, dialect: DialectId, type: string, json: string): void {
    this.opened(choice, part, 'vendor', false)
    this.to.vendor(choice, part, dialect, type, json)
  }

  finish(choice: number, finish: Finish): void {
    const checked = this.choice(choice)
    assert(checked.open.size === 0, 'parts end before their choice finishes')
    assert(!checked.finished, 'a choice finishes once')
    checked.finished = true
    this.to.finish(choice, finish)
  }

  usage(usage: Usage): void {
    this.running()
    this.to.usage(usage)
  }

  ping(): void {
    this.running()
    this.to.ping()
  }

  extra(dialect: DialectId, name: string, json: string): void {
    this.running()
    this.to.extra(dialect, name, json)
  }

  end(): void {
    this.running()
    assert(this.choices.size > 0, 'a turn that ends has a choice')
    for (const checked of this.choices.values())
      assert(checked.finished, 'every choice finishes before the end')
    this.closed = true
    this.to.end()
  }

  fail(error: ErrorReply): void {
    assert(!this.closed, 'one end or failure is the last call')
    this.closed = true
    this.to.fail(error)
  }

  /** True after `end` or `fail`. */
  get over(): boolean {
    return this.closed
  }

  private running(): void {
    assert(this.started && !this.closed, 'calls come after start and before the end')
  }

  private choice(index: number): CheckedChoice {
    this.running()
    let checked = this.choices.get(index)
    if (checked === undefined) {
      checked = new CheckedChoice()
      this.choices.set(index, checked)
    }
    return checked
  }

  private opened(choice: number, part: number, kind: string, open: boolean): void {
    const checked = this.choice(choice)
    assert(!checked.finished, 'no part after the finish of its choice')
    assert(part === checked.kinds.length, 'parts are numbered in the order they start')
    checked.kinds.push(kind)
    if (open) checked.open.add(part)
  }

  private inside(choice: number, part: number): string {
    const checked = this.choice(choice)
    assert(checked.open.has(part), 'content goes into an open part')
    return checked.kinds[part] ?? ''
  }
}

// Compares replies with what the upstream sent, while they arrive. A relaying peer must deliver the same bytes; one that
// writes replies anew is asked for the same text only.

import { type DialectId, streamText } from './dialects.ts'
import { bodyOf, bodyText, type Command, textOf } from './replies.ts'

export type CheckKind = 'bytes' | 'text'

export interface Check {
  reset(): void
  feed(bytes: Buffer): void
  /** True when everything came and nothing else. */
  complete(): boolean
  /** True when nothing wrong came so far. */
  clean(): boolean
}

/** What a reply must be; shared by all connections of a job. */
export interface Expected {
  readonly kind: CheckKind
  readonly body: Buffer
  readonly text: string
  /** The client's dialect, when the reply must be a stream of it that says `text`; null for a Chat reply. */
  readonly dialect: DialectId | null
}

export function expect(command: Command, kind: CheckKind): Expected {
  return { kind, body: bodyOf(command), text: kind === 'text' ? textOf(command) : '', dialect: null }
}

export function checkFor(expected: Expected): Check {
  return expected.kind === 'bytes' ? new BytesCheck(expected.body) : new TextCheck(expected)
}

class BytesCheck implements Check {
  readonly body: Buffer
  at: number
  same: boolean

  constructor(body: Buffer) {
    this.body = body
    this.at = 0
    this.same = true
  }

  reset(): void {
    this.at = 0
    this.same = true
  }

  feed(bytes: Buffer): void {
    const end = this.at + bytes.length
    if (end > this.body.length || bytes.compare(this.body, this.at, end) !== 0) this.same = false
    this.at = end
  }

  complete(): boolean {
    return this.same && this.at === this.body.length
  }

  clean(): boolean {
    return this.same
  }
}

class TextCheck implements Check {
  readonly expected: Expected
  pieces: Buffer[]

  constructor(expected: Expected) {
    this.expected = expected
    this.pieces = []
  }

  reset(): void {
    this.pieces = []
  }

  feed(bytes: Buffer): void {
    this.pieces.push(Buffer.from(bytes))
  }

  complete(): boolean {
    try {
      const { text, dialect } = this.expected
      const body = Buffer.concat(this.pieces)
      return (dialect === null ? bodyText(body.toString()) : streamText(dialect, body)) === text
    } catch {
      return false
    }
  }

  clean(): boolean {
    return true
  }
}

// Where the values of named members stand in the bytes of a JSON document. For documents that the host's parser has
// taken already, so nothing is checked; used once per frame that is learnt, never per frame.

import type { Slot } from './known-frame.ts'

export interface Mark {
  readonly slot: Slot
  readonly from: number
  readonly to: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const OPEN_LIST = 0x5b
const COMMA = 0x2c
/** `]` and `}` once the bit that tells them apart is set. */
const CLOSE = 0x7d

export class JsonMarks {
  private readonly bytes: Uint8Array
  private readonly slots: readonly Slot[]
  private readonly marks: Mark[]
  private at: number
  private to: number

  constructor(bytes: Uint8Array, slots: readonly Slot[]) {
    this.bytes = bytes
    this.slots = slots
    this.marks = []
    this.at = 0
    this.to = 0
  }

  /** In the order in which they stand. */
  find(from: number, to: number): readonly Mark[] {
    this.at = from
    this.to = to
    this.value('')
    return this.marks
  }

  private value(path: string): void {
    this.white()
    const from = this.at
    switch (this.bytes[from]) {
      case OPEN_OBJECT:
      case OPEN_LIST:
        this.inside(path, this.bytes[from] === OPEN_OBJECT)
        return
      case QUOTE:
        this.string()
        break
      default:
        while (this.at < this.to && !ENDS.has(this.bytes[this.at]!)) this.at += 1
    }
    const slot = this.slots.find(candidate => candidate.path === path)
    if (slot !== undefined && VALUES.has(this.bytes[from]!)) this.marks.push({ slot, from, to: this.at })
  }

  private inside(path: string, named: boolean): void {
    this.at += 1
    for (let index = 0; this.at < this.to; index++) {
      this.white()
      if ((this.bytes[this.at]! | 0x20) === CLOSE) break
      let name = String(index)
      if (named) {
        const from = this.at + 1
        this.string()
        name = String.fromCharCode(...this.bytes.subarray(from, this.at - 1))
        this.white()
        this.at += 1
      }
      this.value(path === '' ? name : `${path}.${name}`)
      this.white()
      if (this.bytes[this.at] === COMMA) this.at += 1
    }
    this.at += 1
  }

  private string(): void {
    this.at += 1
    while (this.at < this.to && this.bytes[this.at] !== QUOTE)
      this.at += this.bytes[this.at] === BACKSLASH ? 2 : 1
    this.at += 1
  }

  private white(): void {
    while (this.at < this.to && this.bytes[this.at]! <= 0x20) this.at += 1
  }
}

/** What ends a number or a word: white space, a comma, a bracket. */
const ENDS: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0d, 0x20, COMMA, 0x5d, 0x7d])
/** How strings and counts begin. */
const VALUES: ReadonlySet<number> = new Set([
  QUOTE,
  ...Array.from({ length: 10 }, (_, digit) => 0x30 + digit),
])

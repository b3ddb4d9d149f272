// Where the values of named members stand in the bytes of a JSON document. For documents that the host's parser has
// taken already, so nothing is checked. The trick: no name becomes a string; which of the wanted members the way so
// far may lead to is one number, a bit each.

export interface Mark {
  /** Index of the member in the list of those wanted. */
  readonly wanted: number
  readonly from: number
  readonly to: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const OPEN_LIST = 0x5b
const COMMA = 0x2c
const CLOSE_LIST = 0x5d
const CLOSE_OBJECT = 0x7d

export class JsonMarks {
  private readonly bytes: Uint8Array
  private readonly wanted: readonly (readonly string[])[]
  private readonly marks: Mark[]
  private at: number
  private to: number

  /** `wanted`: ways from the top, at most 31 of them. */
  constructor(bytes: Uint8Array, wanted: readonly (readonly string[])[]) {
    this.bytes = bytes
    this.wanted = wanted
    this.marks = []
    this.at = 0
    this.to = 0
  }

  /** In the order in which they stand. */
  find(from: number, to: number): readonly Mark[] {
    this.at = from
    this.to = to
    this.value((1 << this.wanted.length) - 1, 0)
    return this.marks
  }

  private value(live: number, depth: number): void {
    this.white()
    const from = this.at
    const first = this.bytes[from]!
    if (first === OPEN_OBJECT || first === OPEN_LIST) {
      this.inside(live, depth, first === OPEN_OBJECT)
      return
    }
    if (first === QUOTE) this.string()
    else while (this.at < this.to && !endsScalar(this.bytes[this.at]!)) this.at += 1
    if (live === 0 || (first !== QUOTE && (first < 0x30 || first > 0x39))) return
    for (let wanted = 0; wanted < this.wanted.length; wanted++) {
      if ((live & (1 << wanted)) !== 0 && this.wanted[wanted]!.length === depth)
        this.marks.push({ wanted, from, to: this.at })
    }
  }

  private inside(live: number, depth: number, named: boolean): void {
    this.at += 1
    for (let index = 0; this.at < this.to; index++) {
      this.white()
      const next = this.bytes[this.at]!
      if (next === CLOSE_LIST || next === CLOSE_OBJECT) break
      let still = 0
      if (named) {
        const from = this.at + 1
        this.string()
        if (live !== 0) still = this.named(live, depth, from, this.at - 1)
        this.white()
        this.at += 1
      } else if (live !== 0) still = this.numbered(live, depth, index)
      this.value(still, depth + 1)
      this.white()
      if (this.bytes[this.at] === COMMA) this.at += 1
    }
    this.at += 1
  }

  /** Those of `live` whose next name is `bytes[from, to)`. */
  private named(live: number, depth: number, from: number, to: number): number {
    let still = 0
    for (let wanted = 0; wanted < this.wanted.length; wanted++) {
      const name = this.wanted[wanted]![depth]
      if ((live & (1 << wanted)) === 0 || name === undefined || name.length !== to - from) continue
      let same = 0
      while (same < name.length && name.charCodeAt(same) === this.bytes[from + same]) same += 1
      if (same === name.length) still |= 1 << wanted
    }
    return still
  }

  private numbered(live: number, depth: number, index: number): number {
    let still = 0
    for (let wanted = 0; wanted < this.wanted.length; wanted++) {
      if ((live & (1 << wanted)) !== 0 && this.wanted[wanted]![depth] === String(index)) still |= 1 << wanted
    }
    return still
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
function endsScalar(byte: number): boolean {
  return byte <= 0x20 || byte === COMMA || byte === CLOSE_LIST || byte === CLOSE_OBJECT
}

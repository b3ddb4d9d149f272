// Finds one of a few short texts in bytes. Owns the search of Horspool: it looks at the byte where a text would end and,
// by what stands there, goes on by up to the length of the shortest. So most bytes are never looked at, and no call
// leaves for the host, whose search is faster over megabytes and slower over a prompt.

const encoder = new TextEncoder()

export class ByteSearch {
  private readonly texts: readonly Uint8Array[]
  /** How much of each text is compared at first: the length of the shortest. */
  private readonly width: number
  /** By byte: how far the search may go on when that byte stands at the end of the width; 0 where a text may be. */
  private readonly moves: Uint8Array
  /** How far it may go on where none was after all. */
  private readonly moveOn: number

  /** Each of one byte at least, and of 255 at most. */
  constructor(...texts: string[]) {
    this.texts = texts.map(text => encoder.encode(text))
    const width = Math.min(...this.texts.map(text => text.length))
    const last = width - 1
    const moves = new Uint8Array(256).fill(width)
    for (const text of this.texts) {
      for (let at = 0; at < last; at++) moves[text[at]!] = Math.min(moves[text[at]!]!, last - at)
    }
    this.moveOn = Math.min(...this.texts.map(text => moves[text[last]!]!))
    for (const text of this.texts) moves[text[last]!] = 0
    this.moves = moves
    this.width = width
  }

  in(bytes: Uint8Array): boolean {
    const { moves } = this
    let end = this.width - 1
    while (end < bytes.length) {
      const move = moves[bytes[end]!]!
      if (move > 0) end += move
      else if (this.begins(bytes, end - this.width + 1)) return true
      else end += this.moveOn
    }
    return false
  }

  private begins(bytes: Uint8Array, from: number): boolean {
    for (const text of this.texts) {
      let length = 0
      while (length < text.length && bytes[from + length] === text[length]) length++
      if (length === text.length) return true
    }
    return false
  }
}

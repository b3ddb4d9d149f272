// Finds a short text in bytes. Owns the search of Horspool: it looks at the byte where the text would end and, by what
// stands there, goes on by up to the length of the text. So most bytes are never looked at, and no call leaves for the
// host, whose search is faster over megabytes and slower over a prompt.

const encoder = new TextEncoder()

export class ByteSearch {
  private readonly text: Uint8Array
  /** By byte: how far the text may move when that byte stands under its last one; 0 for the last one itself. */
  private readonly moves: Uint8Array
  /** The same after the last byte matched and another did not. */
  private readonly moveOn: number

  /** At least one byte, at most 255. */
  constructor(text: string) {
    this.text = encoder.encode(text)
    const last = this.text.length - 1
    this.moves = new Uint8Array(256).fill(this.text.length)
    for (let at = 0; at < last; at++) this.moves[this.text[at]!] = last - at
    this.moveOn = this.moves[this.text[last]!]!
    this.moves[this.text[last]!] = 0
  }

  in(bytes: Uint8Array): boolean {
    const { moves, text } = this
    let end = text.length - 1
    while (end < bytes.length) {
      const move = moves[bytes[end]!]!
      if (move > 0) end += move
      else if (this.endsAt(bytes, end)) return true
      else end += this.moveOn
    }
    return false
  }

  private endsAt(bytes: Uint8Array, end: number): boolean {
    const { text } = this
    const from = end - text.length + 1
    for (let at = 0; at < text.length; at++) if (bytes[from + at] !== text[at]) return false
    return true
  }
}

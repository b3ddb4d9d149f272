// Text from UTF-8 cut anywhere: what a decoder in streaming mode gives, at a third of its price, because the decoder
// is only ever asked for whole characters. Invalid bytes become replacement characters.

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const MARK = '\ufeff'

export class Utf8Pieces {
  /** The beginning of a character whose rest has not come yet. */
  private torn: Uint8Array
  private begun: boolean

  constructor() {
    this.torn = NONE
    this.begun = false
  }

  /** The text of `bytes[from, to)`; a byte order mark at the very start is none. */
  text(bytes: Uint8Array, from: number, to: number): string {
    let piece = from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to)
    if (this.torn.length > 0) piece = joined(this.torn, piece)
    const rest = tornBytes(piece)
    this.torn = rest === 0 ? NONE : piece.slice(piece.length - rest)
    return this.marked(decoder.decode(rest === 0 ? piece : piece.subarray(0, piece.length - rest)))
  }

  /** What is left of a character that never became whole. */
  end(): string {
    const text = this.marked(decoder.decode(this.torn))
    this.torn = NONE
    return text
  }

  private marked(text: string): string {
    if (this.begun || text === '') return text
    this.begun = true
    return text.startsWith(MARK) ? text.slice(1) : text
  }
}

/** Bytes at the end that may be the beginning of a character. A leading byte ends whatever stood before it. */
function tornBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) return 0
    if (byte < 0xc0) continue
    const need = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return back < need ? back : 0
  }
  return 0
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(left.length + right.length)
  both.set(left)
  both.set(right, left.length)
  return both
}

const NONE = new Uint8Array(0)

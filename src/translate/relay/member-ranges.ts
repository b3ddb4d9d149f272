// Where the members of an object and the elements of an array stand, in bytes that are known to be JSON. For edits of
// single places in bodies that otherwise stay as they came. Owns no check: who calls has had the bytes walked before.
// The trick: long strings are left by searching for their quote, so that an image in base64 costs next to nothing.

export interface ValueRange {
  readonly from: number
  readonly to: number
}

export interface NamedRange extends ValueRange {
  readonly name: string
  /** The name, quotes included. */
  readonly nameFrom: number
  readonly nameTo: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

const decoder = new TextDecoder()

/** Members of the object that starts at `from` or after white space there; none when it is no object. */
export function memberRanges(bytes: Uint8Array, from = 0): NamedRange[] {
  const found: NamedRange[] = []
  let at = skipWhite(bytes, from)
  if (bytes[at] !== OPEN_BRACE) return found
  at = skipWhite(bytes, at + 1)
  while (bytes[at] === QUOTE) {
    const nameFrom = at
    const nameTo = skipString(bytes, at)
    const valueFrom = skipWhite(bytes, skipWhite(bytes, nameTo) + 1)
    const valueTo = skipValue(bytes, valueFrom)
    const name = stringAt(bytes, nameFrom, nameTo)
    found.push({ name, nameFrom, nameTo, from: valueFrom, to: valueTo })
    at = skipWhite(bytes, valueTo)
    if (bytes[at] !== COMMA) break
    at = skipWhite(bytes, at + 1)
  }
  return found
}

/** The text of a string. Names and words are short and plain nearly always, and then a decoder costs more than they do. */
export function stringAt(bytes: Uint8Array, from: number, to: number): string {
  let name = ''
  for (let at = from + 1; at < to - 1; at++) {
    const code = bytes[at]!
    if (code === BACKSLASH || code >= 0x80) {
      return JSON.parse(decoder.decode(bytes.subarray(from, to))) as string
    }
    name += String.fromCharCode(code)
  }
  return name
}

/** Elements of the array that starts at `from`; none when it is no array. */
export function elementRanges(bytes: Uint8Array, from: number): ValueRange[] {
  const found: ValueRange[] = []
  let at = skipWhite(bytes, from)
  if (bytes[at] !== OPEN_BRACKET) return found
  at = skipWhite(bytes, at + 1)
  while (at < bytes.length && bytes[at] !== CLOSE_BRACKET) {
    const to = skipValue(bytes, at)
    found.push({ from: at, to })
    at = skipWhite(bytes, to)
    if (bytes[at] !== COMMA) break
    at = skipWhite(bytes, at + 1)
  }
  return found
}

export function skipWhite(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && bytes[at]! <= 0x20) at += 1
  return at
}

function skipValue(bytes: Uint8Array, from: number): number {
  const first = bytes[from]
  if (first === QUOTE) return skipString(bytes, from)
  let at = from
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    while (at < bytes.length && !endsScalar(bytes[at]!)) at += 1
    return at
  }
  let open = 0
  while (at < bytes.length) {
    const code = bytes[at]!
    if (code === QUOTE) {
      at = skipString(bytes, at)
      continue
    }
    at += 1
    if (code === OPEN_BRACE || code === OPEN_BRACKET) open += 1
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      open -= 1
      if (open === 0) return at
    }
  }
  return at
}

/** Looking byte by byte is cheaper than a search up to about here. */
const SHORT_BYTES = 256

/** Behind the closing quote: the first one in front of which an even number of backslashes stands. */
function skipString(bytes: Uint8Array, from: number): number {
  const short = Math.min(bytes.length, from + SHORT_BYTES)
  let at = from + 1
  while (at < short) {
    const code = bytes[at]!
    if (code === QUOTE) return at + 1
    at += code === BACKSLASH ? 2 : 1
  }
  let quote = bytes.indexOf(QUOTE, at)
  while (quote >= 0) {
    let escapes = quote - 1
    while (bytes[escapes] === BACKSLASH) escapes -= 1
    if ((quote - escapes) % 2 === 1) return quote + 1
    quote = bytes.indexOf(QUOTE, quote + 1)
  }
  return bytes.length
}

function endsScalar(code: number): boolean {
  return code <= 0x20 || code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET
}

// Finds where the plain part of a JSON string ends. The trick: four bytes are looked at in one step, as one number.

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** 1 for what needs no look in a string, ASCII only. */
const PLAIN_ASCII = tableOf(0x80)
/** The same with all of UTF-8. */
const PLAIN = tableOf(0x100)

function tableOf(below: number): Uint8Array {
  return new Uint8Array(256).map((_, code) =>
    code >= 0x20 && code < below && code !== QUOTE && code !== BACKSLASH ? 1 : 0,
  )
}

/** Index of the first quote, backslash, control or byte beyond ASCII at or after `from`, or `to`. */
export function asciiEnd(bytes: Uint8Array, view: DataView, from: number, to: number): number {
  let at = fours(view, from, to)
  while (at < to && PLAIN_ASCII[bytes[at]!] === 1) at += 1
  return at
}

/** Index of the first quote, backslash or control at or after `from`, or `to`. */
export function textEnd(bytes: Uint8Array, view: DataView, from: number, to: number): number {
  let at = fours(view, from, to)
  while (at < to && PLAIN[bytes[at]!] === 1) at += 1
  return at
}

/** The same byte by byte, for text that is too short for a view to pay. */
export function shortTextEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  while (at < to && PLAIN[bytes[at]!] === 1) at += 1
  return at
}

/**
 * Skips groups of four plain bytes. While no byte has its high bit set, subtracting sets it exactly where a byte
 * was too small, and a borrow can only stop too early, never too late.
 */
function fours(view: DataView, from: number, to: number): number {
  let at = from
  for (; at + 4 <= to; at += 4) {
    const four = view.getInt32(at)
    const noControl = four - 0x20202020
    const noQuote = (four ^ 0x22222222) - 0x01010101
    const noBackslash = (four ^ 0x5c5c5c5c) - 0x01010101
    if (((four | noControl | noQuote | noBackslash) & 0x80808080) !== 0) break
  }
  return at
}

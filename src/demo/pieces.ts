// The vocabulary of the demo model: a word with the blanks before it, or one punctuation mark. Its usage numbers
// count exactly these, so they are true for what was read and what was sent.

const PIECE = /\s*(?:[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_])|\s+$/gu

/** Cuts text into the demo model's tokens; joined they are the text again. */
export function pieces(text: string): string[] {
  return text.match(PIECE) ?? []
}

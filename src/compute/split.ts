// Where a piece of text ends, by the patterns of the three families of encodings. Owns nothing but that rule.
// The trick: the patterns are walked by hand over a table of character classes. On text beyond Latin-1 the host's
// regular expressions take five times as long (`bench/micro/tokens.bench.ts`), and most prompts hold a dash or a
// quote that makes the whole of them such a text. That the walk and the pattern agree is a property test.

/** The end of the piece that begins at `from`. Every character belongs to a piece. */
export type Splitter = (text: string, from: number) => number

/** Classes as single bits, so that a set of classes is one mask. Zero: half a surrogate pair, look further. */
const UPPER = 1
const LOWER = 2
/** Letters without case. */
const CASELESS = 4
const MARK = 8
const NUMBER = 16
const SPACE = 32
const NEWLINE = 64
const OTHER = 128

const LETTER = UPPER | LOWER | CASELESS
/** `[^\s\p{L}\p{N}]` */
const SIGN = OTHER | MARK
/** `[^\r\n\p{L}\p{N}]` */
const LEAD = OTHER | MARK | SPACE
/** What may stand in front, and what at the end, of a word of `o200k_base`. */
const HEAD = UPPER | CASELESS | MARK
const TAIL = LOWER | CASELESS | MARK

const QUOTE = 0x27
const SLASH = 0x2f
const BLANK = 0x20

const CLASS_PATTERNS: readonly (readonly [RegExp, number])[] = [
  [/[\p{Lu}\p{Lt}]+/gu, UPPER],
  [/\p{Ll}+/gu, LOWER],
  [/[\p{Lm}\p{Lo}]+/gu, CASELESS],
  [/\p{M}+/gu, MARK],
  [/\p{N}+/gu, NUMBER],
  [/[^\S\r\n]+/gu, SPACE],
  [/[\r\n]+/gu, NEWLINE],
]

const SURROGATES_FROM = 0xd800
const SURROGATES_TO = 0xe000
const ASTRAL_FROM = 0x10000
const ASTRAL_CODES = 0x100000

/** Class of each UTF-16 unit. */
const CLASSES = classTable()

/** Class of each code point beyond, found when first met. Pages nobody touches cost no memory. */
const ASTRAL = new Uint8Array(ASTRAL_CODES)

function classTable(): Uint8Array {
  const units = new Uint16Array(ASTRAL_FROM).map((_, unit) => unit)
  // Halves of pairs would pair up here; anything else may stand in their places.
  const all = new TextDecoder('utf-16le').decode(units.fill(BLANK, SURROGATES_FROM, SURROGATES_TO))
  const classes = new Uint8Array(ASTRAL_FROM).fill(OTHER)
  for (const [runs, flag] of CLASS_PATTERNS) {
    for (const { index, 0: run } of all.matchAll(runs)) classes.fill(flag, index, index + run.length)
  }
  return classes.fill(0, SURROGATES_FROM, SURROGATES_TO)
}

function astralClass(code: number): number {
  const known = ASTRAL[code - ASTRAL_FROM]!
  if (known !== 0) return known
  const character = String.fromCodePoint(code)
  const found = CLASS_PATTERNS.find(([pattern]) => character.search(pattern) === 0)?.[1] ?? OTHER
  ASTRAL[code - ASTRAL_FROM] = found
  return found
}

/** Class of the character at `at`, 0 at the end of the text. */
function classAt(text: string, at: number): number {
  if (at >= text.length) return 0
  const flag = CLASSES[text.charCodeAt(at)]!
  if (flag !== 0) return flag
  const code = text.codePointAt(at)!
  return code >= ASTRAL_FROM ? astralClass(code) : OTHER
}

/** Units the character at `at` takes. */
function widthAt(text: string, at: number): number {
  return CLASSES[text.charCodeAt(at)] !== 0 || text.codePointAt(at)! < ASTRAL_FROM ? 1 : 2
}

function runEnd(text: string, from: number, mask: number): number {
  let at = from
  while (at < text.length) {
    const flag = CLASSES[text.charCodeAt(at)]!
    if ((flag & mask) !== 0) at += 1
    else if (flag !== 0 || (classAt(text, at) & mask) === 0) return at
    else at += widthAt(text, at)
  }
  return at
}

/** `\p{N}{1,3}` */
function digitsEnd(text: string, from: number): number {
  let at = from
  for (let digits = 0; digits < 3 && (classAt(text, at) & NUMBER) !== 0; digits++) at += widthAt(text, at)
  return at
}

/** `\s*[\r\n]+|\s+(?!\S)|\s+`, the first only where the encoding has it. */
function whiteEnd(text: string, from: number, linesApart: boolean): number {
  let lineEnd = -1
  let at = from
  for (; at < text.length; at++) {
    const flag = CLASSES[text.charCodeAt(at)]!
    if (flag === NEWLINE) lineEnd = at + 1
    else if (flag !== SPACE) break
  }
  if (linesApart && lineEnd !== -1) return lineEnd
  // The last blank goes to what follows it, unless it is the only one.
  return at === text.length || at - 1 === from ? at : at - 1
}

/** `'s 't 're 've 'm 'll 'd`: the end of one that begins at `at`, or `at`. */
function contractionEnd(text: string, at: number, anyCase: boolean): number {
  if (text.charCodeAt(at) !== QUOTE) return at
  const fold = anyCase ? 0x20 : 0
  const first = String.fromCharCode(text.charCodeAt(at + 1) | fold)
  if (first === 's' || first === 't' || first === 'm' || first === 'd') return at + 2
  const second = String.fromCharCode(text.charCodeAt(at + 2) | fold)
  if (first === 'l') return second === 'l' ? at + 3 : at
  return (first === 'r' || first === 'v') && second === 'e' ? at + 3 : at
}

/**
 * The end of a word of `o200k_base` that begins at `from`, or -1: heads, then tails, and at least one tail, giving
 * up heads from the end for it; failing that heads alone.
 */
function wordEnd(text: string, from: number, needsTail: boolean): number {
  let lastTail = -1
  let at = from
  for (let flag = classAt(text, at); (flag & HEAD) !== 0; flag = classAt(text, at)) {
    at += widthAt(text, at)
    if ((flag & TAIL) !== 0) lastTail = at
  }
  if ((classAt(text, at) & LOWER) !== 0) return runEnd(text, at, TAIL)
  if (needsTail) return lastTail
  return at > from ? at : -1
}

function splitO200k(text: string, from: number): number {
  const flag = classAt(text, from)
  const leads = (flag & LEAD) !== 0
  const next = leads ? from + widthAt(text, from) : from
  let end = wordEnd(text, next, true)
  if (end === -1 && leads) end = wordEnd(text, from, true)
  if (end === -1) end = wordEnd(text, next, false)
  if (end !== -1) return contractionEnd(text, end, true)
  if ((flag & NUMBER) !== 0) return digitsEnd(text, from)
  const sign = text.charCodeAt(from) === BLANK ? from + 1 : from
  if ((classAt(text, sign) & SIGN) !== 0) return signEnd(text, sign, true)
  return whiteEnd(text, from, true)
}

/** `[^\s\p{L}\p{N}]+` with the line ends, and slashes, that may follow. */
function signEnd(text: string, from: number, slashes: boolean): number {
  let at = runEnd(text, from, SIGN)
  while (at < text.length) {
    const unit = text.charCodeAt(at)
    if (CLASSES[unit] !== NEWLINE && !(slashes && unit === SLASH)) break
    at += 1
  }
  return at
}

function splitCl100k(text: string, from: number): number {
  const short = contractionEnd(text, from, true)
  if (short !== from) return short
  const flag = classAt(text, from)
  const word = (flag & LEAD) !== 0 ? from + widthAt(text, from) : from
  if ((classAt(text, word) & LETTER) !== 0) return runEnd(text, word, LETTER)
  if ((flag & NUMBER) !== 0) return digitsEnd(text, from)
  const sign = text.charCodeAt(from) === BLANK ? from + 1 : from
  if ((classAt(text, sign) & SIGN) !== 0) return signEnd(text, sign, false)
  return whiteEnd(text, from, true)
}

function splitP50k(text: string, from: number): number {
  const short = contractionEnd(text, from, false)
  if (short !== from) return short
  const start = text.charCodeAt(from) === BLANK ? from + 1 : from
  const flag = classAt(text, start)
  if ((flag & LETTER) !== 0) return runEnd(text, start, LETTER)
  if ((flag & NUMBER) !== 0) return runEnd(text, start, NUMBER)
  if ((flag & SIGN) !== 0) return runEnd(text, start, SIGN)
  return whiteEnd(text, from, false)
}

/** The splitter for an encoding's pattern. A pattern this file does not know is a bug: an update changed it. */
export function splitterFor(pattern: string): Splitter {
  const splitter = SPLITTERS.find(([beginning]) => pattern.startsWith(beginning))?.[1]
  if (splitter === undefined) throw new Error('no splitter for the pattern of this encoding')
  return splitter
}

const SPLITTERS: readonly (readonly [string, Splitter])[] = [
  ['[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}', splitO200k],
  ["('s|'S|", splitCl100k],
  ["'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+", splitP50k],
]

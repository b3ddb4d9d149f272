// Counts the tokens of a text in one encoding. Owns the split into pieces by the encoding's own pattern, the memo,
// and the bounds; special tokens are text like any other. Equal to js-tiktoken's count wherever no bound is met.
// The trick: most pieces are one token, so a piece is hashed while it is turned into bytes and asked for at once;
// nothing is allocated for it, and only what is no token is looked up in the memo or merged.

import { Merger } from './merge.ts'
import { HASH_START, hashByte, type RankSource, RankTable } from './rank-table.ts'
import { type Splitter, splitterFor } from './split.ts'

/**
 * Longer pieces (a run of one letter, a line of dashes) are cut into stretches of this size and each is counted by
 * itself. Merging one stretch takes about 20 ms at worst.
 */
export const PIECE_BYTES_MAX = 64 * 1024

/** UTF-8 of one UTF-16 unit is three bytes at most. */
const BYTES_PER_UNIT_MAX = 3

/**
 * The host copies a part of a string below 13 units and lends a view of the whole above it; a memo of views would
 * keep customers' prompts alive.
 */
const MEMO_UNITS_MAX = 12

/** About 3 MB per encoding. A full memo starts anew: that costs less than choosing what to forget. */
const MEMO_ENTRIES_MAX = 32 * 1024

/** What a byte that must be merged costs, in units that need not. */
const MERGE_COST = 4

/** What one task may still spend. Shared by all texts of one body. */
export class Work {
  /** Units of text, and merged bytes at `MERGE_COST`. */
  left: number
  /** A bound was met: a piece cut, or text estimated by what came before it. */
  cut: boolean

  constructor(units: number) {
    this.left = units
    this.cut = false
  }
}

export class Tokenizer {
  private readonly table: RankTable
  private readonly split: Splitter
  private readonly merger: Merger
  private readonly memo = new Map<string, number>()
  private readonly scratch = new Uint8Array(PIECE_BYTES_MAX + BYTES_PER_UNIT_MAX)
  /** Where the last piece put into `scratch` ended, in units of the text. */
  private readTo: number

  constructor(source: RankSource) {
    this.table = new RankTable(source)
    this.split = splitterFor(source.pat_str)
    this.merger = new Merger(this.table)
    this.readTo = 0
  }

  count(text: string, work: Work): number {
    let tokens = 0
    let from = 0
    while (from < text.length) {
      if (work.left <= 0) {
        work.cut = true
        return tokens + extrapolated(tokens, from, text.length - from)
      }
      const to = this.split(text, from)
      tokens += this.piece(text, from, to, work)
      work.left -= to - from
      from = to
    }
    return tokens
  }

  private piece(text: string, from: number, to: number, work: Work): number {
    let tokens = this.stretch(text, from, to, work)
    while (this.readTo < to) {
      work.cut = true
      tokens += this.stretch(text, this.readTo, to, work)
      if (work.left <= 0) return tokens + extrapolated(tokens, this.readTo - from, to - this.readTo)
    }
    return tokens
  }

  /** Counts as much of a piece as the scratch holds; `readTo` tells how far that was. */
  private stretch(text: string, from: number, to: number, work: Work): number {
    const { scratch } = this
    let length = 0
    let hash = HASH_START
    let at = from
    while (at < to && length < PIECE_BYTES_MAX) {
      const unit = text.charCodeAt(at)
      if (unit < 0x80) {
        scratch[length] = unit
        length += 1
        hash = hashByte(hash, unit)
        at += 1
      } else {
        const code = wellFormed(text.codePointAt(at)!)
        const end = putWide(scratch, length, code)
        for (; length < end; length++) hash = hashByte(hash, scratch[length]!)
        at += code > 0xffff ? 2 : 1
      }
    }
    this.readTo = at
    if (length === 1 || this.table.rankOfHashed(scratch, 0, length, hash) !== -1) return 1
    if (to - from > MEMO_UNITS_MAX) return this.merged(length, work)
    const key = text.slice(from, to)
    const known = this.memo.get(key)
    if (known !== undefined) return known
    const tokens = this.merged(length, work)
    if (this.memo.size >= MEMO_ENTRIES_MAX) this.memo.clear()
    this.memo.set(key, tokens)
    return tokens
  }

  private merged(length: number, work: Work): number {
    work.left -= length * MERGE_COST
    return this.merger.tokens(this.scratch, length)
  }
}

/** Tokens of the rest of a text, were it like what has been counted of it. */
function extrapolated(tokens: number, unitsCounted: number, unitsLeft: number): number {
  const perUnit = unitsCounted === 0 ? TOKENS_PER_UNIT_GUESS : tokens / unitsCounted
  return Math.ceil(unitsLeft * perUnit)
}

/** Four units to a token: the usual figure for English. */
const TOKENS_PER_UNIT_GUESS = 0.25

/** Half a surrogate pair has no UTF-8; every encoder puts the replacement character. */
function wellFormed(code: number): number {
  return code >= 0xd800 && code <= 0xdfff ? 0xfffd : code
}

/** Writes a code point above 0x7f as UTF-8 and returns where it ends. */
function putWide(out: Uint8Array, at: number, code: number): number {
  if (code < 0x800) {
    out[at] = 0xc0 | (code >> 6)
    out[at + 1] = 0x80 | (code & 0x3f)
    return at + 2
  }
  if (code < 0x10000) {
    out[at] = 0xe0 | (code >> 12)
    out[at + 1] = 0x80 | ((code >> 6) & 0x3f)
    out[at + 2] = 0x80 | (code & 0x3f)
    return at + 3
  }
  out[at] = 0xf0 | (code >> 18)
  out[at + 1] = 0x80 | ((code >> 12) & 0x3f)
  out[at + 2] = 0x80 | ((code >> 6) & 0x3f)
  out[at + 3] = 0x80 | (code & 0x3f)
  return at + 4
}

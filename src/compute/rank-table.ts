// One encoding's vocabulary: bytes → rank. Owns the table; knows no text and no merging.
// The trick: all tokens lie in one block of bytes behind a hash table of integers, so two hundred thousand tokens
// are four arrays instead of two hundred thousand strings: small, quick to build, invisible to the collector.

/** What a rank module of `js-tiktoken` exports. */
export interface RankSource {
  readonly pat_str: string
  readonly bpe_ranks: string
}

/** Slots per token: below a load of one half, probing rarely goes past the second slot. */
const SLOTS_PER_TOKEN = 2

/** FNV-1a over 32 bits: one multiplication per byte, and good enough on keys of a few bytes. */
export const HASH_START = 0x811c9dc5 | 0
const HASH_PRIME = 0x01000193

export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, HASH_PRIME)
}

export class RankTable {
  /** No token is longer, so no longer stretch needs a look. */
  readonly tokenBytesMax: number
  readonly tokens: number
  private readonly block: Uint8Array
  /** Token at rank r: `block[starts[r]]` up to `ends[r]`. Ranks without a token have an empty stretch. */
  private readonly starts: Int32Array
  private readonly ends: Int32Array
  /** Two integers a slot: the hash, and the rank + 1 or 0 when it is free. A miss then reads one line of memory. */
  private readonly slots: Int32Array
  private readonly mask: number
  /** Rank + 1 of every token of two bytes: where each merge begins, so worth a table of its own. */
  private readonly pairs: Int32Array

  constructor(source: RankSource) {
    const read = readRanks(source.bpe_ranks)
    this.block = read.block
    this.starts = read.starts
    this.ends = read.ends
    this.tokens = read.tokens
    let slots = 1
    while (slots < read.tokens * SLOTS_PER_TOKEN) slots *= 2
    this.slots = new Int32Array(slots * 2)
    this.mask = slots - 1
    this.pairs = new Int32Array(0x10000)
    let longest = 0
    for (let rank = 0; rank < read.ends.length; rank++) {
      const bytes = read.ends[rank]! - read.starts[rank]!
      if (bytes === 0) continue
      this.insert(rank)
      longest = Math.max(longest, bytes)
    }
    this.tokenBytesMax = longest
  }

  /** Rank of the token that is exactly these bytes, or -1. */
  rankOf(bytes: Uint8Array, from: number, to: number): number {
    const length = to - from
    if (length === 2) return this.pairs[(bytes[from]! << 8) | bytes[from + 1]!]! - 1
    if (length > this.tokenBytesMax) return -1
    let hash = HASH_START
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, HASH_PRIME)
    return this.rankOfHashed(bytes, from, to, hash)
  }

  /** The same for who has made the hash already, byte by byte with `hashByte` from `HASH_START`. */
  rankOfHashed(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const { slots, mask } = this
    let slot = spread(hash) & mask
    for (let found = slots[2 * slot + 1]!; found !== 0; found = slots[2 * slot + 1]!) {
      if (slots[2 * slot] === hash && this.isToken(found - 1, bytes, from, to)) return found - 1
      slot = (slot + 1) & mask
    }
    return -1
  }

  private isToken(rank: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.starts[rank]!
    const length = to - from
    if (this.ends[rank]! - start !== length) return false
    for (let at = 0; at < length; at++) if (this.block[start + at] !== bytes[from + at]) return false
    return true
  }

  private insert(rank: number): void {
    const start = this.starts[rank]!
    const end = this.ends[rank]!
    let hash = HASH_START
    for (let at = start; at < end; at++) hash = hashByte(hash, this.block[at]!)
    let slot = spread(hash) & this.mask
    while (this.slots[2 * slot + 1] !== 0) slot = (slot + 1) & this.mask
    this.slots[2 * slot] = hash
    this.slots[2 * slot + 1] = rank + 1
    if (end - start === 2) this.pairs[(this.block[start]! << 8) | this.block[start + 1]!] = rank + 1
  }
}

/** The low bits of FNV-1a depend little on the first bytes; the high ones do. */
function spread(hash: number): number {
  return hash ^ (hash >>> 15)
}

interface ReadRanks {
  readonly block: Uint8Array
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly tokens: number
}

const SPACE = 0x20
const NEWLINE = 0x0a
const EQUALS = 0x3d

/** Lines of `! <first rank> <token> <token> …`, tokens in base64, ranks counting up. */
function readRanks(text: string): ReadRanks {
  const ranksMax = highestRank(text) + 1
  const block = new Uint8Array(Math.ceil(text.length * 0.75))
  const starts = new Int32Array(ranksMax)
  const ends = new Int32Array(ranksMax)
  let used = 0
  let tokens = 0
  for (const line of text.split('\n')) {
    if (line === '') continue
    const second = line.indexOf(' ') + 1
    let at = line.indexOf(' ', second)
    let rank = Number.parseInt(line.slice(second, at), 10)
    while (at < line.length) {
      let end = line.indexOf(' ', at + 1)
      if (end === -1) end = line.length
      starts[rank] = used
      used = decodeBase64(line, at + 1, end, block, used)
      ends[rank] = used
      rank += 1
      tokens += 1
      at = end
    }
  }
  return { block: block.slice(0, used), starts, ends, tokens }
}

function highestRank(text: string): number {
  let highest = 0
  for (const line of text.split('\n')) {
    if (line === '') continue
    let blanks = 0
    for (let at = line.indexOf(' '); at !== -1; at = line.indexOf(' ', at + 1)) blanks += 1
    highest = Math.max(highest, Number.parseInt(line.slice(line.indexOf(' ') + 1), 10) + blanks - 2)
  }
  return highest
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const SIXTETS = new Uint8Array(0x80)
for (let value = 0; value < BASE64.length; value++) SIXTETS[BASE64.charCodeAt(value)] = value

/** Decodes `text[from, to)` to `out[at…)` and returns where it ended. A call of Buffer per token costs four times this. */
function decodeBase64(text: string, from: number, to: number, out: Uint8Array, at: number): number {
  let bits = 0
  let held = 0
  for (let index = from; index < to; index++) {
    const code = text.charCodeAt(index)
    if (code === EQUALS || code === SPACE || code === NEWLINE) break
    held = ((held << 6) | SIXTETS[code]!) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      out[at] = (held >> bits) & 0xff
      at += 1
    }
  }
  return at
}

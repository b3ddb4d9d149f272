// Byte pair merging: how many tokens a piece becomes. Owns the order of merges, nothing else. Always the pair of
// lowest rank first, the leftmost of equals first, until no pair is a token: the same result as js-tiktoken, whose
// search through all pairs for every merge takes time with the square of the length.
// The trick: pairs wait in a heap over a linked list of parts. It costs less than searching even for three bytes.

import type { RankTable } from './rank-table.ts'

/** No pair here: larger than every rank. */
const NONE = 0x7fffffff

export class Merger {
  private readonly table: RankTable
  private readonly pairs = new PairHeap()

  constructor(table: RankTable) {
    this.table = table
  }

  /** Tokens of `bytes[0, length)`. Parts are known by the place they start; `next` of the last one is the length. */
  tokens(bytes: Uint8Array, length: number): number {
    const { pairs } = this
    pairs.reset(length)
    const { next, previous, ranks } = pairs
    for (let at = 0; at < length; at++) {
      next[at] = at + 1
      previous[at] = at - 1
      this.pair(bytes, at, at + 1 < length ? at + 2 : 0)
    }
    let parts = length
    for (let at = pairs.pop(); at !== -1; at = pairs.pop()) {
      const gone = next[at]!
      const after = next[gone]!
      next[at] = after
      if (after < length) previous[after] = at
      ranks[gone] = NONE
      parts -= 1
      this.pair(bytes, at, after < length ? next[after]! : 0)
      if (previous[at] !== -1) this.pair(bytes, previous[at]!, after)
    }
    return parts
  }

  /** Notes what the pair `bytes[from, to)` would become, if anything; `to` is 0 for the last part, which has none. */
  private pair(bytes: Uint8Array, from: number, to: number): void {
    const rank = to === 0 ? -1 : this.table.rankOf(bytes, from, to)
    this.pairs.ranks[from] = rank === -1 ? NONE : rank
    if (rank !== -1) this.pairs.push(rank, from)
  }
}

/** Starts are below this, so that rank and start fit one exact double: the heap compares single numbers. */
const STARTS_MAX = 2 ** 24

/** Pairs by rank, then by place. Entries whose pair has changed since are skipped when they come up. */
class PairHeap {
  next = new Int32Array(0)
  previous = new Int32Array(0)
  /** Rank of the pair that starts here, as of now. */
  ranks = new Int32Array(0)
  private keys = new Float64Array(0)
  private size = 0

  /** Grows to the longest piece seen; callers bound that (`PIECE_BYTES_MAX`). */
  reset(length: number): void {
    this.size = 0
    if (length <= this.next.length) return
    let room = 1024
    while (room < length) room *= 2
    this.next = new Int32Array(room)
    this.previous = new Int32Array(room)
    this.ranks = new Int32Array(room)
    // One entry per pair at the start and two per merge, of which there are fewer than bytes.
    this.keys = new Float64Array(room * 3)
  }

  push(rank: number, start: number): void {
    const { keys } = this
    const key = rank * STARTS_MAX + start
    let at = this.size
    this.size += 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (keys[parent]! <= key) break
      keys[at] = keys[parent]!
      at = parent
    }
    keys[at] = key
  }

  /** Start of the pair to merge next, or -1. */
  pop(): number {
    while (this.size > 0) {
      const key = this.keys[0]!
      this.dropFirst()
      const rank = Math.floor(key / STARTS_MAX)
      const start = key - rank * STARTS_MAX
      if (this.ranks[start] === rank) return start
    }
    return -1
  }

  private dropFirst(): void {
    const { keys } = this
    this.size -= 1
    const { size } = this
    const key = keys[size]!
    let at = 0
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && keys[child + 1]! < keys[child]!) child += 1
      if (keys[child]! >= key) break
      keys[at] = keys[child]!
      at = child
    }
    keys[at] = key
  }
}

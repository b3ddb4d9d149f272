// Byte pair merging: how many tokens a piece becomes. Owns the order of merges, nothing else. Always the pair of
// lowest rank first, the leftmost of equals first, until no pair is a token: the same result as js-tiktoken, whose
// search through all pairs for every merge takes time with the square of the length.
// The trick: short pieces scan an array of ranks; long ones keep the pairs in a heap over a linked list.

import type { RankTable } from './rank-table.ts'

/** Up to here scanning beats the heap's bookkeeping (`bench/micro/tokens.bench.ts`). */
const SCAN_BYTES_MAX = 96

/** No pair here: larger than every rank. */
const NONE = 0x7fffffff

export class Merger {
  private readonly table: RankTable
  /** Scan: start of part i, and the rank of parts i and i + 1 together. */
  private readonly starts = new Int32Array(SCAN_BYTES_MAX + 1)
  private readonly ranks = new Int32Array(SCAN_BYTES_MAX + 1)
  private heap: PairHeap | null

  constructor(table: RankTable) {
    this.table = table
    this.heap = null
  }

  /** Tokens of `bytes[0, length)`, which is not a token itself. */
  tokens(bytes: Uint8Array, length: number): number {
    if (length < 2) return length
    if (length <= SCAN_BYTES_MAX) return this.scan(bytes, length)
    this.heap ??= new PairHeap()
    return mergeLong(this.table, this.heap, bytes, length)
  }

  private scan(bytes: Uint8Array, length: number): number {
    const { table, starts, ranks } = this
    for (let at = 0; at <= length; at++) starts[at] = at
    for (let at = 0; at < length - 1; at++) ranks[at] = rankOr(table, bytes, at, at + 2)
    let parts = length
    ranks[parts - 1] = NONE
    while (parts > 1) {
      let lowest = NONE
      let best = 0
      for (let at = 0; at < parts - 1; at++) {
        const rank = ranks[at]!
        if (rank < lowest) {
          lowest = rank
          best = at
        }
      }
      if (lowest === NONE) break
      starts.copyWithin(best + 1, best + 2, parts + 1)
      ranks.copyWithin(best, best + 1, parts)
      parts -= 1
      ranks[best] = best + 1 < parts ? rankOr(table, bytes, starts[best]!, starts[best + 2]!) : NONE
      if (best > 0) ranks[best - 1] = rankOr(table, bytes, starts[best - 1]!, starts[best + 1]!)
    }
    return parts
  }
}

function rankOr(table: RankTable, bytes: Uint8Array, from: number, to: number): number {
  const rank = table.rankOf(bytes, from, to)
  return rank === -1 ? NONE : rank
}

/** Parts are known by the place they start; `next` of the last one is the length. */
function mergeLong(table: RankTable, heap: PairHeap, bytes: Uint8Array, length: number): number {
  heap.reset(length)
  const { next, previous, ranks } = heap
  for (let at = 0; at < length; at++) {
    next[at] = at + 1
    previous[at] = at - 1
    ranks[at] = at + 1 < length ? rankOr(table, bytes, at, at + 2) : NONE
    if (ranks[at] !== NONE) heap.push(ranks[at]!, at)
  }
  let parts = length
  for (let at = heap.pop(); at !== -1; at = heap.pop()) {
    const gone = next[at]!
    const after = next[gone]!
    next[at] = after
    if (after < length) previous[after] = at
    ranks[gone] = NONE
    parts -= 1
    ranks[at] = after < length ? rankOr(table, bytes, at, next[after]!) : NONE
    if (ranks[at] !== NONE) heap.push(ranks[at]!, at)
    const before = previous[at]!
    if (before === -1) continue
    ranks[before] = rankOr(table, bytes, before, after)
    if (ranks[before] !== NONE) heap.push(ranks[before]!, before)
  }
  return parts
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

// Merging against the plain search through all pairs, on runs too long for js-tiktoken; and that search against
// js-tiktoken where both can go.

import { Tiktoken } from 'js-tiktoken/lite'
import o200k from 'js-tiktoken/ranks/o200k_base'
import { describe, expect, test } from 'vitest'
import { Merger } from '../../src/compute/merge.ts'
import { RankTable } from '../../src/compute/rank-table.ts'
import { randomOf } from './corpus.ts'

const table = new RankTable(o200k)
const merger = new Merger(table)
const random = randomOf(20_261_126)

/** Lowest rank first, leftmost first: every pair looked at before every merge. */
function searched(bytes: Uint8Array): number {
  const starts = Array.from({ length: bytes.length + 1 }, (_, at) => at)
  const ranks = starts.map((_, at) => rankAt(bytes, starts, at))
  for (;;) {
    let best = -1
    for (let at = 0; at < ranks.length; at++) {
      if (ranks[at]! !== -1 && (best === -1 || ranks[at]! < ranks[best]!)) best = at
    }
    if (best === -1) return starts.length - 1
    starts.splice(best + 1, 1)
    ranks.splice(best + 1, 1)
    ranks[best] = rankAt(bytes, starts, best)
    if (best > 0) ranks[best - 1] = rankAt(bytes, starts, best - 1)
  }
}

function rankAt(bytes: Uint8Array, starts: readonly number[], at: number): number {
  return at + 2 < starts.length ? table.rankOf(bytes, starts[at]!, starts[at + 2]!) : -1
}

const letters = (length: number, alphabet: string): Uint8Array =>
  Uint8Array.from({ length }, () => alphabet.charCodeAt(Math.floor(random() * alphabet.length)))

describe('merging', () => {
  test.each([
    ['one letter', 'a'],
    ['two letters', 'ab'],
    ['four letters', 'ACGT'],
    ['twelve letters', 'etaoinshrdlu'],
    ['dashes and dots', '-.'],
  ])('a run of 12,000 of %s gives what the plain search gives', (_what, alphabet) => {
    const bytes = letters(12_000, alphabet)
    expect(merger.tokens(bytes, bytes.length)).toBe(searched(bytes))
  })

  test('any bytes of any length gives what the plain search gives', () => {
    for (let length = 1; length < 400; length++) {
      const bytes = Uint8Array.from({ length }, () => Math.floor(random() * 256))
      expect(merger.tokens(bytes, length), `${length} bytes`).toBe(searched(bytes))
    }
  })

  test('the plain search gives what js-tiktoken gives', () => {
    const theirs = new Tiktoken(o200k)
    for (const length of [1, 2, 3, 10, 100, 400]) {
      const bytes = letters(length, 'etaoinshrdlu')
      expect(searched(bytes)).toBe(theirs.encode(new TextDecoder().decode(bytes)).length)
    }
  })
})

// The table against the list it was read from.

import cl100k from 'js-tiktoken/ranks/cl100k_base'
import o200k from 'js-tiktoken/ranks/o200k_base'
import p50kBase from 'js-tiktoken/ranks/p50k_base'
import { describe, expect, test } from 'vitest'
import { HASH_START, hashByte, RankTable } from '../../src/compute/rank-table.ts'

/** Read the plain way: base64 by Buffer, ranks counting up in each line. */
function listed(bpeRanks: string): [Buffer, number][] {
  return bpeRanks.split('\n').flatMap(line => {
    const [, first, ...tokens] = line.split(' ')
    return tokens.map((token, at): [Buffer, number] => [Buffer.from(token, 'base64'), Number(first) + at])
  })
}

describe.each([
  ['o200k_base', o200k, 199_998],
  ['cl100k_base', cl100k, 100_256],
  ['p50k_base', p50kBase, 50_280],
])('the table of %s', (_name, source, tokens) => {
  const table = new RankTable(source)
  const all = listed(source.bpe_ranks)

  test('knows every token by its bytes', () => {
    expect(table.tokens).toBe(tokens)
    const wrong = all.filter(([bytes, rank]) => table.rankOf(bytes, 0, bytes.length) !== rank)
    expect(wrong).toEqual([])
  })

  test('knows every single byte, so that every text has a count', () => {
    const missing = Array.from({ length: 256 }, (_, byte) => byte).filter(
      byte => table.rankOf(Uint8Array.of(byte), 0, 1) === -1,
    )
    expect(missing).toEqual([])
  })

  test('knows nothing else', () => {
    const known = new Set(all.map(([bytes]) => bytes.toString('latin1')))
    const invented = all
      .slice(0, 20_000)
      .flatMap(([bytes]) => [Buffer.concat([bytes, bytes]), Buffer.concat([bytes, Buffer.from([0xff])])])
      .filter(bytes => !known.has(bytes.toString('latin1')))
    expect(invented.length).toBeGreaterThan(20_000)
    expect(invented.filter(bytes => table.rankOf(bytes, 0, bytes.length) !== -1)).toEqual([])
  })

  test('answers the same when the hash was made on the way', () => {
    const [bytes, rank] = all[12_345]!
    const padded = Buffer.concat([Buffer.from('xx'), bytes, Buffer.from('yy')])
    const hash = bytes.reduce(hashByte, HASH_START)
    expect(table.rankOfHashed(padded, 2, 2 + bytes.length, hash)).toBe(rank)
    expect(table.rankOf(padded, 2, 2 + bytes.length)).toBe(rank)
  })
})

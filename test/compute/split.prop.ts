// The splitters against the patterns they stand for.

import fc from 'fast-check'
import type { RankSource } from '../../src/compute/rank-table.ts'
import cl100k from 'js-tiktoken/ranks/cl100k_base'
import o200k from 'js-tiktoken/ranks/o200k_base'
import p50kBase from 'js-tiktoken/ranks/p50k_base'
import p50kEdit from 'js-tiktoken/ranks/p50k_edit'
import r50k from 'js-tiktoken/ranks/r50k_base'
import { describe, expect, test } from 'vitest'
import { type Splitter, splitterFor } from '../../src/compute/split.ts'

const seed = Number(process.env['FAST_CHECK_SEED'] ?? Date.now() % 0x7fffffff)
console.log(`split properties: FAST_CHECK_SEED=${seed}`)

const SOURCES: Readonly<Record<string, RankSource>> = { o200k, cl100k, p50kBase }

function pieces(split: Splitter, text: string): string[] {
  const found: string[] = []
  for (let at = 0; at < text.length; ) {
    const to = split(text, at)
    if (to <= at) throw new Error(`no progress at ${at}`)
    found.push(text.slice(at, to))
    at = to
  }
  return found
}

function matches(source: RankSource, text: string): string[] {
  return [...text.matchAll(new RegExp(source.pat_str, 'gu'))].map(match => match[0])
}

/** One or more of every class that a pattern tells apart, and everything a pattern names. */
const GRAINS =
  "a|s|t|re|ve|m|ll|d|S|T|RE|vE|M|LL|D|A|Q|ß|ſ|İ|ǅ|ʰ|漢|ก|ำ|ª|\u0301|\u0903|\u20dd|1|23|4567|½|Ⅷ|१| |  |\t|\u000b|\u00a0|\u3000|\ufeff|\u2028|\u0085|\u200b|\n|\r|\r\n|'|’|/|//|.|<|-|_|\u0000|\u007f|\ud800|\udc00|😀|𝒜|𝟘|𐐀|𐐨|\u{1e944}|\u{e0100}|\u{10ffff}"
    .split('|')
    .concat('|')

describe.each(Object.entries(SOURCES))('the splitter of %s', (_name, source) => {
  const split = splitterFor(source.pat_str)

  test('ends pieces where the pattern does, on texts of every class of character', () => {
    const text = fc.array(fc.constantFrom(...GRAINS), { maxLength: 24 }).map(grains => grains.join(''))
    const agrees = fc.property(text, given => {
      expect(pieces(split, given)).toEqual(matches(source, given))
    })
    fc.assert(agrees, { seed, numRuns: 20_000 })
  })

  test('ends pieces where the pattern does, on any text', () => {
    const agrees = fc.property(fc.string({ unit: 'binary', maxLength: 40 }), given => {
      expect(pieces(split, given)).toEqual(matches(source, given))
    })
    fc.assert(agrees, { seed, numRuns: 5_000 })
  })
})

test('every code point is in the class that the pattern puts it into', { timeout: 60_000 }, () => {
  const split = splitterFor(o200k.pat_str)
  // Between letters, digits and signs a character of another class would end a piece elsewhere. Planes 4 to 13
  // hold no character.
  for (let from = 0; from < 0x110000; from += 0x1000) {
    if (from >= 0x40000 && from < 0xe0000) continue
    const around = Array.from({ length: 0x1000 }, (_, at) => `a${String.fromCodePoint(from + at)}A1`)
    const text = around.join('')
    expect(pieces(split, text).join('|'), `from U+${from.toString(16)}`).toBe(matches(o200k, text).join('|'))
  }
})

test('the small encodings share one pattern', () => {
  expect([p50kEdit.pat_str, r50k.pat_str]).toEqual([p50kBase.pat_str, p50kBase.pat_str])
})

test('a pattern nobody knows is refused rather than split by another', () => {
  expect(() => splitterFor('\\w+')).toThrow(/no splitter/)
})

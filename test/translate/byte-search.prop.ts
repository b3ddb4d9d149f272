// A law of searching: a text is found exactly where a string search finds it, wherever it stands.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteSearch } from '../../src/translate/index.ts'

const seed = process.env['FAST_CHECK_SEED']
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) })

const encoder = new TextEncoder()
/** Few letters, so that texts nearly match often. */
const letters = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom('a', 'b', '"', 'é'), minLength, maxLength })

describe('a search for a text', () => {
  test('finds what a string search finds', () => {
    fc.assert(
      fc.property(letters(1, 6), letters(0, 60), (text, all) => {
        expect(new ByteSearch(text).in(encoder.encode(all))).toBe(all.includes(text))
      }),
      { numRuns: 2_000 },
    )
  })

  test('finds a text between any two others', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 40 }),
        fc.string(),
        fc.string(),
        (text, before, after) => {
          expect(new ByteSearch(text).in(encoder.encode(before + text + after))).toBe(true)
        },
      ),
    )
  })
})

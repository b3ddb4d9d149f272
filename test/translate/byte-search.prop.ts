// A law of searching: texts are found exactly where string searches find them, wherever they stand.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteSearch } from '../../src/translate/index.ts'

const seed = process.env['FAST_CHECK_SEED']
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) })

const encoder = new TextEncoder()
/** Few letters, so that texts nearly match often. */
const letters = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom('a', 'b', '"', 'é'), minLength, maxLength })

describe('a search for texts', () => {
  test('finds what string searches find', () => {
    fc.assert(
      fc.property(fc.array(letters(1, 6), { minLength: 1, maxLength: 3 }), letters(0, 60), (texts, all) => {
        const found = texts.some(text => all.includes(text))
        expect(new ByteSearch(...texts).in(encoder.encode(all))).toBe(found)
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

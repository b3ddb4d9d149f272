// Laws of repairs: what a parser sees afterwards is the object with exactly the wanted changes, and every value that
// stays is the same bytes.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { elementRanges, fixBody, memberRanges, NO_FIXUPS } from '../../src/translate/index.ts'

const seed = Number(process.env['FAST_CHECK_SEED'] ?? 1)
const NAMES = ['a', 'b', 'c', 'max_tokens', 'é', 'with "quote"', 'back\\slash']

/** JSON with blanks where blanks may stand. */
const spaced = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), fc.jsonValue(), fc.constantFrom('', ' ', '\n\t', '  ')), {
    maxLength: 8,
  })
  .map(members => {
    const texts = members.map(
      ([name, value, blank]) =>
        `${blank}${JSON.stringify(name)}${blank}:${blank}${JSON.stringify(value, null, blank.length)}${blank}`,
    )
    return { text: `{${texts.join(',')}}`, members }
  })

test('members and elements are found where they stand', () => {
  fc.assert(
    fc.property(spaced, ({ text, members }) => {
      const bytes = Buffer.from(text)
      const found = memberRanges(bytes)
      expect(found.map(({ name }) => name)).toEqual(members.map(([name]) => name))
      for (const [at, { from, to }] of found.entries()) {
        const value: unknown = JSON.parse(bytes.subarray(from, to).toString())
        expect(JSON.stringify(value)).toBe(JSON.stringify(members[at]![1]))
        const elements = elementRanges(bytes, from).map(
          range => JSON.parse(bytes.subarray(range.from, range.to).toString()) as unknown,
        )
        expect(JSON.stringify(elements)).toBe(JSON.stringify(Array.isArray(value) ? value : []))
      }
    }),
    { seed },
  )
})

test('leaving out and adding gives the object with these changes, and keeps the bytes of every other member', () => {
  fc.assert(
    fc.property(spaced, fc.subarray(NAMES), fc.boolean(), ({ text, members }, dropped, adds) => {
      const bytes = Buffer.from(text)
      const fixups = {
        ...NO_FIXUPS,
        drop: new Set(dropped),
        change: adds ? { added: () => '{"x":[1]}' } : {},
      }
      const after = Buffer.from(fixBody(bytes, fixups, false).body)
      const kept = members.filter(([name]) => !dropped.includes(name))
      const found = memberRanges(after)
      expect(() => JSON.parse(after.toString()) as unknown).not.toThrow()
      expect(found.map(({ name }) => name)).toEqual([
        ...kept.map(([name]) => name),
        ...(adds ? ['added'] : []),
      ])
      const before = memberRanges(bytes).filter(({ name }) => !dropped.includes(name))
      for (const [at, { from, to }] of before.entries()) {
        const same = found[at]!
        expect(after.subarray(same.from, same.to).equals(bytes.subarray(from, to))).toBe(true)
      }
    }),
    { seed },
  )
})

// A law of rolls: members come and go in any order, and nobody else is moved by it.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Member, NOWHERE, Roll } from '../../src/common/roll.ts'

const seed = process.env['FAST_CHECK_SEED']
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) })

const members = (count: number): Member[] => Array.from({ length: count }, () => ({ place: NOWHERE }))

describe('a roll', () => {
  test('holds after any comings and goings whom a set would hold', () => {
    const moves = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 9 })), { maxLength: 200 })
    fc.assert(
      fc.property(moves, given => {
        const everybody = members(10)
        const roll = new Roll<Member>()
        const expected = new Set<Member>()
        for (const [comes, who] of given) {
          const member = everybody[who]!
          if (comes) roll.add(member)
          else roll.remove(member)
          if (comes) expected.add(member)
          else expected.delete(member)
          expect(roll.size).toBe(expected.size)
          expect(new Set(roll.all())).toEqual(expected)
        }
        for (const member of everybody) expect(member.place !== NOWHERE).toBe(expected.has(member))
      }),
    )
  })
})

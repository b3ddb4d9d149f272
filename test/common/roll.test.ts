// Who is present: members come and go while they are visited.

import { describe, expect, test } from 'vitest'
import { type Member, NOWHERE, Roll } from '../../src/common/roll.ts'

const members = (count: number): Member[] => Array.from({ length: count }, () => ({ place: NOWHERE }))

describe('a roll', () => {
  test('visits each member once, also when the visited one leaves', () => {
    const roll = new Roll<Member>()
    const everybody = members(5)
    for (const member of everybody) roll.add(member)
    const visited: Member[] = []
    roll.each(member => {
      visited.push(member)
      if (visited.length % 2 === 1) roll.remove(member)
    })
    expect(new Set(visited)).toEqual(new Set(everybody))
    expect(visited).toHaveLength(5)
    expect(roll.size).toBe(2)
  })

  test('lets those wait who come while the others are visited', () => {
    const roll = new Roll<Member>()
    const [first, second, late] = members(3)
    roll.add(first!)
    roll.add(second!)
    let visits = 0
    roll.each(() => {
      visits += 1
      roll.add(late!)
    })
    expect(visits).toBe(2)
    expect(roll.size).toBe(3)
  })

  test('does not mind that everybody leaves during a visit', () => {
    const roll = new Roll<Member>()
    const everybody = members(4)
    for (const member of everybody) roll.add(member)
    let visits = 0
    roll.each(() => {
      visits += 1
      for (const member of roll.all()) roll.remove(member)
    })
    expect(visits).toBe(1)
    expect(roll.size).toBe(0)
  })
})

// Which of its cells a way to an answer counts in, over the threads of a process.

import { describe, expect, test } from 'vitest'
import { BreakerTable, newBreakerMemory } from '../../src/upstream/breaker-table.ts'
import { LaneBreaker } from '../../src/upstream/lane-breaker.ts'

class HandClock {
  nowMs = 1_790_000_000_000
  monotonicMs(): number {
    return this.nowMs
  }
  epochMs(): number {
    return this.nowMs
  }
}

function bench() {
  const clock = new HandClock()
  const memory = newBreakerMemory()
  const table = new BreakerTable(memory, clock)
  const lane = (more: { key?: number; host?: string | null; model?: string | null } = {}, at = table) =>
    new LaneBreaker(at, { entry: 'openai/*', key: 0, host: null, model: null, ...more })
  return { clock, table, other: new BreakerTable(memory, clock), lane }
}

function fail(cell: { failed(): void }, times = 10): void {
  for (let time = 0; time < times; time += 1) cell.failed()
}

describe('several hosts', () => {
  test('are judged each for itself', () => {
    const { lane } = bench()
    fail(lane({ host: 'one' }))
    expect(lane({ host: 'one' }).admit()).toBe(false)
    expect(lane({ host: 'two' }).admit()).toBe(true)
    expect(lane({ host: 'one', key: 1 }).admit()).toBe(true)
  })

  test('share a key that was refused', () => {
    const { lane } = bench()
    lane({ host: 'one' }).restKey(5_000)
    expect(lane({ host: 'two' }).admit()).toBe(false)
    expect(lane({ host: 'two' }).facts()).toMatchObject({ state: 'closed', restMs: 5_000, waitMs: 5_000 })
    expect(lane({ host: 'one', key: 1 }).admit()).toBe(true)
  })

  test('do not share a limit', () => {
    const { lane } = bench()
    lane({ host: 'one' }).rest(5_000)
    expect(lane({ host: 'one' }).admit()).toBe(false)
    expect(lane({ host: 'two' }).admit()).toBe(true)
  })
})

describe('models of a wildcard', () => {
  test('are judged each for itself, in every thread', () => {
    const { lane, other } = bench()
    fail(lane({ model: 'broken' }))
    expect(lane({ model: 'broken' }).admit()).toBe(false)
    expect(lane({ model: 'broken' }, other).admit()).toBe(false)
    expect(lane({ model: 'broken' }, other).facts()).toMatchObject({ state: 'open', openings: 1 })
    expect(lane({ model: 'sound' }).admit()).toBe(true)
    expect(lane({ model: 'sound' }, other).admit()).toBe(true)
    expect(lane({ model: 'broken', key: 1 }).admit()).toBe(true)
  })

  test('recover by a probe of their own', () => {
    const { clock, lane, other } = bench()
    fail(lane({ model: 'm' }))
    clock.nowMs += 2_001
    expect(lane({ model: 'm' }).admit()).toBe(true)
    expect(lane({ model: 'm' }, other).admit()).toBe(false)
    lane({ model: 'm' }).succeeded()
    expect(lane({ model: 'm' }, other).admit()).toBe(true)
  })

  test('give a probe back that is not made', () => {
    const { clock, lane } = bench()
    const cell = lane({ model: 'm' })
    fail(cell)
    clock.nowMs += 2_001
    expect([cell.admit(), cell.admit()]).toEqual([true, false])
    cell.abandoned()
    expect(cell.admit()).toBe(true)
  })

  test('rest when their limit is met, and all rest when the key is refused', () => {
    const { lane } = bench()
    lane({ model: 'a' }).rest(5_000)
    expect([lane({ model: 'a' }).admit(), lane({ model: 'b' }).admit()]).toEqual([false, true])
    lane({ model: 'b' }).restKey(5_000)
    expect([lane({ model: 'c' }).admit(), lane({ model: 'b' }).admit()]).toEqual([false, false])
    fail(lane({ model: 'd' }), 1)
    expect(lane({ model: 'd' }).admit()).toBe(false)
  })

  test('that nobody failed at need no room, however many names callers invent', () => {
    const { lane, table } = bench()
    for (let name = 0; name < 20_000; name += 1) {
      const cell = lane({ model: `invented-${name}` })
      cell.admit()
      cell.succeeded()
      cell.abandoned()
    }
    fail(lane({ model: 'broken' }))
    expect(table.modelTroubles(['openai/*\n0'])).toMatchObject([{ model: 'broken', state: 'open' }])
  })

  test('share the breaker of their way where more fail at once than there is room', () => {
    const { clock, lane, table } = bench()
    for (let name = 0; name < 10_000; name += 1) fail(lane({ model: `m-${name}` }))
    expect(table.modelTroubles(['openai/*\n0']).length).toBeGreaterThan(900)
    expect(table.cell('openai/*\n0').admit()).toBe(false)
    // What says nothing any more leaves its room to others.
    clock.nowMs += 11 * 60_000
    expect(table.cell('openai/*\n0').admit()).toBe(true)
    table.cell('openai/*\n0').succeeded()
    fail(lane({ model: 'late' }))
    expect(lane({ model: 'late' }).admit()).toBe(false)
    expect(table.cell('openai/*\n0').facts().state).toBe('closed')
  })

  test('a single failure is forgotten when its window is over, and its room with it', () => {
    const { clock, lane, table } = bench()
    for (let name = 0; name < 10_000; name += 1) lane({ model: `m-${name}` }).failed()
    clock.nowMs += 30_000
    for (let name = 0; name < 100; name += 1) fail(lane({ model: `n-${name}` }))
    expect(table.modelTroubles(['openai/*\n0'])).toHaveLength(100)
  })

  test('are told by their names as far as those can be shown', () => {
    const { lane, table, other } = bench()
    fail(lane({ model: `${'x'.repeat(80)}` }))
    fail(lane({ model: 'caf\u00e9\n"' }))
    const names = other.modelTroubles(['openai/*\n0']).map(({ model }) => model)
    expect(names.sort()).toEqual(['caf??"', 'x'.repeat(60)])
    expect(table.modelTroubles(['other\n0'])).toEqual([])
  })
})

import { describe, expect, test } from 'vitest'
import { REST_MS_MAX } from '../../src/upstream/breaker.ts'
import { BreakerTable, newBreakerMemory } from '../../src/upstream/breaker-table.ts'
import { backOffMs, RetryBudget } from '../../src/upstream/retry-budget.ts'

class HandClock {
  nowMs = 1_790_000_000_000
  monotonicMs(): number {
    return this.nowMs
  }
  epochMs(): number {
    return this.nowMs
  }
}

function twoThreads() {
  const clock = new HandClock()
  const memory = newBreakerMemory()
  const one = new BreakerTable(memory, clock)
  const other = new BreakerTable(memory, clock)
  return { clock, one: one.cell('openai|gpt-4o|0'), other: other.cell('openai|gpt-4o|0'), table: one }
}

function fail(cell: { failed(): void }, times: number): void {
  for (let time = 0; time < times; time += 1) cell.failed()
}

describe('a breaker', () => {
  test('opens for every thread when half of enough calls fail, and not before', () => {
    const { one, other } = twoThreads()
    for (let time = 0; time < 5; time += 1) one.succeeded()
    fail(other, 4)
    expect(one.admit()).toBe(true)
    fail(one, 1)
    expect(one.admit()).toBe(false)
    expect(other.admit()).toBe(false)
    expect(other.facts()).toMatchObject({ state: 'open', openings: 1 })
  })

  test('is not closed by a call that began before it opened', () => {
    const { one, other } = twoThreads()
    fail(one, 10)
    other.succeeded()
    expect(one.admit()).toBe(false)
  })

  test('lets exactly one probe through after its cool-down and closes when it succeeds', () => {
    const { clock, one, other } = twoThreads()
    fail(one, 10)
    clock.nowMs += 2_001
    expect([one.admit(), other.admit(), one.admit()]).toEqual([true, false, false])
    one.succeeded()
    expect([one.admit(), other.admit()]).toEqual([true, true])
    expect(one.facts().state).toBe('closed')
  })

  test('waits longer after each failed probe, up to a minute', () => {
    const { clock, one } = twoThreads()
    fail(one, 10)
    for (const coolDownMs of [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
      clock.nowMs += coolDownMs - 2
      expect(one.admit()).toBe(false)
      clock.nowMs += 3
      expect(one.admit()).toBe(true)
      one.failed()
    }
  })

  test('gives the probe to another when the one that had it left', () => {
    const { clock, one, other } = twoThreads()
    fail(one, 10)
    clock.nowMs += 2_001
    expect(one.admit()).toBe(true)
    one.abandoned()
    expect(other.admit()).toBe(true)
  })

  test('forgets a probe that never ended', () => {
    const { clock, one, other } = twoThreads()
    fail(one, 10)
    clock.nowMs += 2_001
    expect(one.admit()).toBe(true)
    clock.nowMs += 30_001
    expect(other.admit()).toBe(true)
  })

  test('is not opened by calls that started before it opened', () => {
    const { clock, one, other } = twoThreads()
    fail(one, 10)
    fail(other, 50)
    expect(one.facts().openings).toBe(1)
    clock.nowMs += 2_001
    expect(one.admit()).toBe(true)
  })

  test('forgets failures that are older than two windows', () => {
    const { clock, one } = twoThreads()
    fail(one, 9)
    clock.nowMs += 20_001
    fail(one, 1)
    expect(one.admit()).toBe(true)
  })

  test('is never moved by clients that leave', () => {
    const { one } = twoThreads()
    for (let leaver = 0; leaver < 10_000; leaver += 1) {
      expect(one.admit()).toBe(true)
      one.abandoned()
    }
    expect(one.facts()).toEqual({ state: 'closed', openings: 0, restMs: 0, waitMs: 0 })
  })

  test('rests as long as it is told, within a bound', () => {
    const { clock, one, other } = twoThreads()
    one.rest(5_000)
    expect(other.admit()).toBe(false)
    expect(other.facts().restMs).toBe(5_000)
    clock.nowMs += 5_001
    expect(other.admit()).toBe(true)
    one.rest(Number.MAX_SAFE_INTEGER)
    expect(one.facts().restMs).toBe(REST_MS_MAX)
  })

  test('works over the wrap of its 32-bit clock', () => {
    const { clock, one } = twoThreads()
    clock.nowMs = 2 ** 32 * 417 + 2 ** 31 - 500
    fail(one, 10)
    expect(one.admit()).toBe(false)
    clock.nowMs += 2_001
    expect(one.admit()).toBe(true)
  })

  test('keeps thousands of keys apart', () => {
    const { table } = twoThreads()
    for (let key = 0; key < 2_000; key += 2) fail(table.cell(`key ${key}`), 10)
    for (let key = 0; key < 2_000; key += 1) expect(table.cell(`key ${key}`).admit()).toBe(key % 2 === 1)
  })

  test('lets everything through when there are more keys than cells', () => {
    const { table } = twoThreads()
    for (let key = 0; key < 5_000; key += 1) table.cell(`key ${key}`)
    const last = table.cell('key 4999')
    fail(last, 20)
    expect(last.admit()).toBe(true)
  })
})

describe('a retry budget', () => {
  test('allows a fifth of the traffic and a few more', () => {
    const clock = new HandClock()
    const budget = new RetryBudget(clock)
    for (let call = 0; call < 100; call += 1) budget.called()
    let taken = 0
    while (budget.take()) taken += 1
    expect(taken).toBe(30)
  })

  test('comes back when its window has passed', () => {
    const clock = new HandClock()
    const budget = new RetryBudget(clock)
    while (budget.take());
    clock.nowMs += 20_000
    expect(budget.take()).toBe(true)
  })
})

test('back-off doubles up to its bound, and jitter is full', () => {
  expect([0, 1, 2].map(repeat => backOffMs(repeat, 0.5))).toEqual([50, 100, 200])
  expect(backOffMs(30, 1)).toBe(5_000)
  expect(backOffMs(3, 0)).toBe(0)
})

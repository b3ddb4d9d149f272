import { describe, expect, test } from 'vitest'
import type { BreakerCell } from '../../src/upstream/breaker.ts'
import { BreakerTable, newBreakerMemory } from '../../src/upstream/breaker-table.ts'
import { RetryBudget } from '../../src/upstream/retry-budget.ts'
import { type Lane, Tries, type TryFailure } from '../../src/upstream/tries.ts'

interface NamedLane extends Lane {
  readonly name: string
}

const clock = { monotonicMs: () => 0, epochMs: () => 1_790_000_000_000 }
const DOWN: TryFailure = { retry: true, laneOver: false, host: 'none', retryAfterMs: null }

function bench() {
  const table = new BreakerTable(newBreakerMemory(), clock)
  const lane = (name: string, host = 0): NamedLane & { readonly cell: BreakerCell } => ({
    name,
    cell: table.cell(name),
    budget: new RetryBudget(clock),
    host,
  })
  return lane
}

function namesOf(tries: Tries<NamedLane>, failure: TryFailure = DOWN): string[] {
  const names: string[] = []
  for (let next = tries.next(null); next !== null; next = tries.next(failure)) names.push(next.lane.name)
  return names
}

describe('tries', () => {
  test('go over every key of a target, repeat it as configured, then move to the next target', () => {
    const lane = bench()
    const targets = [[lane('a/1'), lane('a/2')], [lane('b')]]
    expect(namesOf(new Tries(targets, 2, () => 0.5))).toEqual(['a/1', 'a/2', 'a/1', 'a/2', 'b', 'b', 'b'])
  })

  test('stop at a failure that is the request’s own', () => {
    const lane = bench()
    const tries = new Tries([[lane('a')], [lane('b')]], 3, () => 0)
    expect(tries.next(null)!.lane.name).toBe('a')
    expect(tries.next({ ...DOWN, retry: false })).toBeNull()
  })

  test('do not repeat with a key that was refused', () => {
    const lane = bench()
    const one = lane('one')
    const tries = new Tries([[one, lane('two')]], 1, () => 0)
    expect(tries.next(null)!.lane.name).toBe('one')
    tries.close(one)
    expect(tries.next(DOWN)!.lane.name).toBe('two')
    expect(tries.next(DOWN)!.lane.name).toBe('two')
    expect(tries.next(DOWN)).toBeNull()
  })

  test('skip a lane whose breaker is open', () => {
    const lane = bench()
    const dead = lane('dead')
    for (let time = 0; time < 10; time += 1) dead.cell.failed()
    expect(namesOf(new Tries([[dead], [lane('alive')]], 0, () => 0))).toEqual(['alive'])
  })

  test('pause before a repeat, as long as the upstream asked, and not before another key', () => {
    const lane = bench()
    const tries = new Tries([[lane('one'), lane('two')]], 2, () => 0.5)
    tries.next(null)
    expect(tries.next({ ...DOWN, retryAfterMs: 3_000 })!.delayMs).toBe(0)
    expect(tries.next({ ...DOWN, retryAfterMs: 3_000 })!.delayMs).toBe(3_000)
    expect(tries.next(DOWN)!.delayMs).toBe(100)
  })

  test('do not wait longer than anybody would', () => {
    const lane = bench()
    const tries = new Tries([[lane('a')], [lane('b')]], 5, () => 0)
    tries.next(null)
    expect(tries.next({ ...DOWN, retryAfterMs: 60_000 })!.lane.name).toBe('b')
  })

  test('stop repeating when the budget of the origin is used up', () => {
    const lane = bench()
    const shared = lane('a')
    let repeats = 0
    for (let exchange = 0; exchange < 100; exchange += 1) {
      const tries = new Tries([[shared]], 3, () => 0)
      tries.next(null)
      while (tries.next(DOWN) !== null) repeats += 1
    }
    expect(repeats).toBe(30)
    expect(shared.cell.admit()).toBe(true)
  })

  test('know whether another one could follow', () => {
    const lane = bench()
    const tries = new Tries([[lane('a')], [lane('b')]], 0, () => 0)
    expect(tries.moreLeft).toBe(true)
    tries.next(null)
    expect(tries.moreLeft).toBe(true)
    tries.next(DOWN)
    expect(tries.moreLeft).toBe(false)
  })
})

// The slope that the soak judges memory by.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Sample, slopeMbPerMinute } from '../../bench/load/chaos/flatness.ts'

const EVERY_MS = 5_000
const MB_KB = 1_024

/** Two minutes of samples of `kb(minute)`. */
function samples(kb: (minutes: number, at: number) => number): Sample[] {
  return Array.from({ length: 24 }, (_, at) => [at * EVERY_MS, kb((at * EVERY_MS) / 60_000, at)])
}

describe('the slope of memory', () => {
  test('is what it grows by in a minute', () => {
    fc.assert(
      fc.property(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 0, max: 500 }), (slope, from) => {
        const found = slopeMbPerMinute(samples(minutes => (from + slope * minutes) * MB_KB))
        expect(found).toBeCloseTo(slope, 6)
      }),
    )
  })

  test('does not see the warm-up', () => {
    expect(slopeMbPerMinute(samples(minutes => Math.min(minutes, 0.6) * 100 * MB_KB))).toBe(0)
  })

  test('does not care for samples at a bad moment', () => {
    const steady = slopeMbPerMinute(samples((_, at) => (at % 5 === 0 ? 300 : 200) * MB_KB))
    expect(Math.abs(steady!)).toBeLessThan(1)
    const leaking = slopeMbPerMinute(
      samples((minutes, at) => ((at % 5 === 0 ? 300 : 200) + 10 * minutes) * MB_KB),
    )
    expect(leaking).toBeGreaterThan(8)
  })

  test('is unknown when there is too little to go by', () => {
    expect(slopeMbPerMinute([])).toBeNull()
    expect(slopeMbPerMinute(samples(() => 1).slice(0, 6))).toBeNull()
  })
})

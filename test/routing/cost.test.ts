import { describe, expect, test } from 'vitest'
import type { ModelPrice } from '../../src/routing/catalogue.ts'
import { costUsd, formatUsd } from '../../src/routing/cost.ts'
import type { Usage } from '../../src/translate/index.ts'

const PRICE: ModelPrice = {
  input: 3,
  output: 15,
  cacheRead: 0.3,
  cacheWrite: 3.75,
  cacheWriteLong: 6,
  source: 'https://example.com/prices',
  asOf: '2025-11-24',
}

function usage(parts: Partial<Usage>): Usage {
  return {
    inputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    cacheWriteLongTokens: null,
    outputTokens: 0,
    reasoningTokens: null,
    audioInputTokens: null,
    audioOutputTokens: null,
    estimated: false,
    ...parts,
  }
}

describe('the cost of an exchange', () => {
  test('is input and output at their prices', () => {
    expect(costUsd(usage({ inputTokens: 1_000_000, outputTokens: 100_000 }), PRICE)).toBeCloseTo(4.5, 12)
  })

  test('bills cached parts once, at their own prices', () => {
    const cached = usage({
      inputTokens: 1_000_000,
      cacheReadTokens: 500_000,
      cacheWriteTokens: 200_000,
      cacheWriteLongTokens: 100_000,
    })
    expect(costUsd(cached, PRICE)).toBeCloseTo(0.3 * 3 + 0.5 * 0.3 + 0.1 * 3.75 + 0.1 * 6, 12)
  })

  test('bills a part without a price as what it is a part of', () => {
    const plain = { ...PRICE, cacheRead: null, cacheWrite: null, cacheWriteLong: null }
    const cached = usage({ inputTokens: 1_000, cacheReadTokens: 400, cacheWriteTokens: 100 })
    expect(costUsd(cached, plain)).toBeCloseTo(0.003, 12)
  })

  test('is never negative, whatever a vendor counts', () => {
    expect(costUsd(usage({ inputTokens: 1, cacheReadTokens: 5 }), PRICE)).toBeGreaterThan(0)
  })

  test('is unknown without a price', () => {
    expect(costUsd(usage({ inputTokens: 5 }), null)).toBeNull()
  })

  test('is shown without an exponent', () => {
    expect([0.0000012, 1.5, 0, 1e-12].map(formatUsd)).toEqual(['0.0000012', '1.5', '0', '0'])
  })
})

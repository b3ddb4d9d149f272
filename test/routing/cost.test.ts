import { describe, expect, test } from 'vitest'
import { plainPrice } from '../../src/routing/catalogue.ts'
import { costUsd, formatUsd } from '../../src/routing/cost.ts'
import type { Usage } from '../../src/translate/index.ts'

const RATES = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75, cacheWriteLong: 6 }
const PRICE = plainPrice(RATES, 'https://example.com/prices')

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

  test('bills sound, pictures and reasoning at their own prices, and each token once', () => {
    const kinds = {
      ...PRICE,
      audioInput: 40,
      audioOutput: 80,
      imageInput: 10,
      imageOutput: 30,
      reasoning: 20,
    }
    const used = usage({
      inputTokens: 1_000,
      audioInputTokens: 100,
      imageInputTokens: 200,
      outputTokens: 1_000,
      audioOutputTokens: 300,
      imageOutputTokens: 100,
      reasoningTokens: 50,
    })
    const input = 700 * 3 + 100 * 40 + 200 * 10
    const output = 550 * 15 + 300 * 80 + 100 * 30 + 50 * 20
    expect(costUsd(used, kinds)).toBeCloseTo((input + output) / 1e6, 12)
    expect(costUsd(used, PRICE)).toBeCloseTo((1_000 * 3 + 1_000 * 15) / 1e6, 12)
  })

  test('bills no more tokens of a kind than there are', () => {
    const kinds = { ...PRICE, audioInput: 40, audioOutput: 80, reasoning: 20 }
    const used = usage({
      inputTokens: 100,
      cacheReadTokens: 90,
      audioInputTokens: 100,
      outputTokens: 10,
      audioOutputTokens: 7,
      reasoningTokens: 9,
    })
    expect(costUsd(used, kinds)).toBeCloseTo((90 * 0.3 + 10 * 40 + 7 * 80 + 3 * 20) / 1e6, 12)
  })

  test('of a long prompt is that of its tier, from the first token on', () => {
    const long = { aboveInputTokens: 200_000, input: 6, output: 22.5, cacheRead: 0.6, cacheWrite: 7.5 }
    const tiered = { ...PRICE, tiers: [{ ...long, cacheWriteLong: 12 }] }
    const at = (inputTokens: number) =>
      costUsd(usage({ inputTokens, cacheReadTokens: 1_000, outputTokens: 10 }), tiered)
    expect(at(200_000)).toBeCloseTo((199_000 * 3 + 1_000 * 0.3 + 10 * 15) / 1e6, 12)
    expect(at(200_001)).toBeCloseTo((199_001 * 6 + 1_000 * 0.6 + 10 * 22.5) / 1e6, 12)
  })

  test('of sound by the second and of searches is counted beside tokens', () => {
    const others = { ...PRICE, perSecond: 0.0001, perSearch: 0.002 }
    expect(costUsd(usage({ seconds: 90 }), others)).toBeCloseTo(0.009, 12)
    expect(costUsd(usage({ searches: 3, inputTokens: 1_000 }), others)).toBeCloseTo(0.006 + 0.003, 12)
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

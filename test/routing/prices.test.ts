// Prices of the file before those of the catalogue.

import { describe, expect, test } from 'vitest'
import { configuredPrice } from '../../src/routing/index.ts'
import type { Plan, ProviderPlan } from '../../src/common/config/index.ts'

const entry = (name: string, model: string, wildcardPrefix: string | null = null) =>
  ({ name, model, provider: 'openai', wildcardPrefix }) as ProviderPlan

const price = (input: number) => ({
  input,
  output: 0,
  cacheRead: null,
  cacheWrite: null,
  cacheWriteLong: null,
})

const plan = {
  features: {
    prices: { mine: price(1), 'corp/a': price(2), 'corp/*': price(3), bare: price(4), small: price(5) },
  },
} as unknown as Pick<Plan, 'features'>

describe('the configured price', () => {
  test.each([
    ['of an entry is the one under its name', entry('mine', 'gpt-4o'), 'gpt-4o', 1],
    ['of one model under a wildcard comes first', entry('corp', '*', 'corp'), 'a', 2],
    ['of a whole wildcard is that of its other models', entry('corp', '*', 'corp'), 'b', 3],
    ['of a named wildcard may stand in its entry', entry('bare', '*', 'bare'), 'x', 4],
    ['is not taken from an entry that has the name of a model', entry('other', 'small'), 'small', null],
  ])('%s', (_, provider, model, input) => {
    expect(configuredPrice(plan, provider, model)?.input ?? null).toBe(input)
  })

  test('is none in a plan without any', () => {
    expect(configuredPrice({}, entry('mine', 'a'), 'a')).toBeNull()
  })
})

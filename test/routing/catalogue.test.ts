import { expect, test } from 'vitest'
import { loadCatalogue } from '../../src/routing/catalogue.ts'

const catalogue = loadCatalogue()

test.each([
  ['gpt-4o-2024-08-06', 'gpt-4o'],
  ['openai/gpt-4o-mini', 'gpt-4o-mini'],
  ['gpt-4.1-nano-2025-04-14', 'gpt-4.1-nano'],
  ['claude-sonnet-4-5-20250929', 'claude-sonnet-4-5'],
  ['anthropic/claude-sonnet-4.5', 'claude-sonnet-4-5'],
  ['us.anthropic.claude-opus-4-1-20250805-v1:0', 'claude-opus-4-1'],
  ['claude-sonnet-4-5@20250929', 'claude-sonnet-4-5'],
  ['arn:aws:bedrock:us-east-1:42:inference-profile/eu.amazon.nova-pro-v1:0', 'nova-pro'],
  ['models/gemini-2.5-flash-lite', 'gemini-2.5-flash-lite'],
])('%s is found as %s', (asked, id) => {
  expect(catalogue.find(asked).id).toBe(id)
})

test('a name that only begins like an entry is another model', () => {
  expect(catalogue.find('o3x').id).toBeNull()
  expect(catalogue.find('gpt-4omega').id).not.toBe('gpt-4o')
})

test('an unknown model has conservative facts and no price', () => {
  const entry = catalogue.find('some-lab/some-model')
  expect(entry.price).toBeNull()
  expect(entry.facts.reasoning).toBe('none')
})

test('modalities of the entry are facts of the model', () => {
  expect(catalogue.find('o3-mini').facts.images).toBe(false)
  expect(catalogue.find('gemini-2.5-pro').facts.video).toBe(true)
})

test('every price names its source and its day', () => {
  const { price } = catalogue.find('claude-haiku-4-5')
  expect(price).toMatchObject({ input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 })
  expect(price!.source).toMatch(/^https:/)
  expect(price!.asOf).toMatch(/^\d{4}-\d\d-\d\d$/)
})

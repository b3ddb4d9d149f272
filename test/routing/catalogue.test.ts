import { readFileSync } from 'node:fs'
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

test.each([
  ['gemini-embedding-001', 0.15, ['text']],
  ['models/gemini-embedding-001', 0.15, ['text']],
  ['amazon.titan-embed-text-v2:0', 0.02, ['text']],
  ['cohere.embed-multilingual-v3', 0.1, ['text']],
  ['cohere.embed-v4:0', 0.12, ['text', 'image']],
  ['embed-v4.0', 0.12, ['text', 'image']],
  ['mistral-embed', 0.1, ['text']],
])('%s makes vectors, at a price', (id, input, takes) => {
  const entry = catalogue.find(id)
  expect(entry).toMatchObject({ input: takes, output: ['embeddings'], price: { input, output: 0 } })
})

test('what is not told in tokens has a price of its own kind, or none', () => {
  expect(catalogue.find('whisper-1').price).toMatchObject({ perSecond: 0.0001, input: 0 })
  expect(catalogue.find('rerank-v3.5').price).toMatchObject({ perSearch: 0.002 })
  expect(catalogue.find('gpt-4o-transcribe').price).toMatchObject({ input: 2.5, audioInput: 6 })
  expect(catalogue.find('gpt-image-1').price).toMatchObject({ input: 5, imageInput: 10, output: 40 })
  expect(catalogue.find('tts-1').price).toBeNull()
  expect(catalogue.find('dall-e-3').price).toBeNull()
})

test('long prompts have tiers', () => {
  expect(catalogue.find('gemini-2.5-pro').price!.tiers).toEqual([
    {
      aboveInputTokens: 200_000,
      input: 2.5,
      output: 15,
      cacheRead: 0.25,
      cacheWrite: null,
      cacheWriteLong: null,
    },
  ])
})

test('every entry is found by its own id and by the id it is sold as', () => {
  const raw = JSON.parse(readFileSync(new URL('../../config/models.json', import.meta.url), 'utf8'))
  const { models } = raw as { models: { id: string; soldAs?: string }[] }
  for (const { id, soldAs = id } of models) {
    expect([id, catalogue.find(id).id]).toEqual([id, id])
    expect([soldAs, catalogue.find(soldAs).id]).toEqual([soldAs, id])
  }
  expect(new Set(models.map(({ id }) => id)).size).toBe(models.length)
})

test('wildcards are listed by ids that vendors accept', () => {
  expect(catalogue.modelsOf('amazon_bedrock')).toContain('amazon.nova-pro-v1:0')
  expect(catalogue.modelsOf('amazon_bedrock')).not.toContain('nova-pro')
})

test('every price names its source and its day', () => {
  const { price } = catalogue.find('claude-haiku-4-5')
  expect(price).toMatchObject({ input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 })
  expect(price!.source).toMatch(/^https:/)
  expect(price!.asOf).toMatch(/^\d{4}-\d\d-\d\d$/)
})

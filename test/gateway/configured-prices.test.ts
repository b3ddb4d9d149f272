// A file with prices of its own, from the text to what an exchange costs and what the list of models says.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadPlan } from '../../src/common/config/index.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { Bench, chat } from './harness.ts'

let upstream: FakeUpstream
let bench: Bench
let folder: string

beforeEach(async () => {
  upstream = await startFakeUpstream()
  folder = mkdtempSync(join(tmpdir(), 'sluice-prices-'))
  const file = join(folder, 'config.yaml')
  writeFileSync(
    file,
    `version: v0.4.0
listeners: []
model_providers:
  - { model: openai/gpt-4o, base_url: "${upstream.origin}/v1", prices: { input: 10, output: 100, cache_read: 1 } }
  - { model: groq/*, base_url: "${upstream.origin}/v1" }
prices:
  groq/llama: { input: 2, output: 3 }
`,
  )
  bench = new Bench({ providers: [] })
  bench.engine.usePlan(loadPlan({ file, cwd: folder, env: {} }).plan)
  upstream.always(() => ({
    headers: ['content-type', 'application/json'],
    body: JSON.stringify({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
      usage: {
        prompt_tokens: 1_000_000,
        completion_tokens: 10_000,
        total_tokens: 1_010_000,
        prompt_tokens_details: { cached_tokens: 400_000 },
      },
    }),
  }))
})

afterEach(async () => {
  await bench.close()
  await upstream.close()
  rmSync(folder, { recursive: true })
  expect(bench.bugs).toEqual([])
})

/** Listeners of the bench's own plan are gone; what is left falls back to the first. */
async function costOf(model: string): Promise<string | null> {
  const reply = await bench.call('/v1/chat/completions', chat(model), ['x-gateway-cost', 'true'])
  expect(reply.status).toBe(200)
  return reply.header('x-gateway-cost')
}

test('the price of an entry wins over the catalogue', async () => {
  // 0.6 M fresh at 10, 0.4 M cached at 1, 0.01 M out at 100.
  expect(await costOf('openai/gpt-4o')).toBe('7.4')
})

test('a price of the top of the file is that of a model under a wildcard', async () => {
  expect(await costOf('groq/llama')).toBe('2.03')
  expect(bench.records[0]?.costUsd).toBeCloseTo(2.03)
})

test('the list of models tells the configured price, and that it is one', async () => {
  const reply = await bench.open('GET', '/v1/models/openai/gpt-4o', [], 0).reply.done
  expect(reply.json).toMatchObject({
    pricing: { prompt: '0.00001', completion: '0.0001', input_cache_read: '0.000001' },
    pricing_source: { configured: true, currency: 'USD' },
  })
})

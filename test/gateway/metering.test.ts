// What is booked when a client leaves or an upstream breaks: what was seen, completed by a guess that says so; and how
// every try is counted.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Log, ShardMetrics } from '../../src/telemetry/index.ts'
import { systemClock } from '../../src/common/clock.ts'
import { type FakeUpstream, startFakeUpstream, until } from '../support/fake-upstream/index.ts'
import { valuesOf } from '../telemetry/support.ts'
import { CALLERS, speaking } from './callers.ts'
import { Bench, chat, provider } from './harness.ts'

const CHAT = '/v1/chat/completions'

let upstream: FakeUpstream
let bench: Bench

beforeEach(async () => {
  upstream = await startFakeUpstream()
})

afterEach(async () => {
  await bench.close()
  await upstream.close()
})

describe('a client that leaves', () => {
  test.each(CALLERS.filter(({ streaming }) => streaming))(
    'in content, in $dialect, has used about what it got',
    async caller => {
      bench = new Bench({ providers: [speaking(caller.dialect, 'some/model', upstream.origin)] })
      upstream.behave({ frames: 60, frameBytes: 5, delayBetweenFramesMs: 2 })
      const { reply, sink } = bench.send(caller.path('some/model'), caller.body('some/model'))
      await until('some content came', () => (reply.text.match(/xxxx/g)?.length ?? 0) >= 30)
      const got = reply.text.match(/xxxx/g)!.length
      sink.gone()
      const [record] = bench.records
      expect(record).toMatchObject({ outcome: 'client-closed', usagePartial: true })
      expect(record!.usage!.estimated).toBe(true)
      expect(record!.usage!.inputTokens).toBeGreaterThan(0)
      // Within a factor of three, either way: a guess, and not a wild one.
      expect(record!.usage!.outputTokens).toBeGreaterThan(got / 3)
      expect(record!.usage!.outputTokens).toBeLessThan(got * 3)
    },
  )

  test('keeps the input that the upstream told at the start', async () => {
    bench = new Bench({ providers: [speaking('anthropic-messages', 'some/model', upstream.origin)] })
    upstream.behave({ hangAfterFrames: 6 })
    const { reply, sink } = bench.send('/v1/messages', {
      model: 'some/model',
      max_tokens: 10,
      stream: true,
      messages: [{ role: 'user', content: 'one two three four five' }],
    })
    await until('content came', () => reply.text.includes('two'))
    sink.gone()
    expect(bench.records[0]).toMatchObject({ usagePartial: true, usage: { inputTokens: 5 } })
  })

  test('before any content has used nothing that is known', async () => {
    bench = new Bench({ providers: [provider('openai/gpt-4o', upstream.origin)] })
    upstream.behave({ hangBeforeHeaders: true })
    const { sink } = bench.send(CHAT, chat('openai/gpt-4o', { stream: true }))
    await until('it was asked', () => upstream.requests.length === 1)
    sink.gone()
    expect(bench.records[0]).toMatchObject({ usage: null, usagePartial: false })
  })
})

test('a reply that breaks in content is booked with what was seen, and priced', async () => {
  bench = new Bench({ providers: [provider('openai/gpt-4o', upstream.origin)] })
  upstream.behave({ cutAfterBytes: 900 })
  await bench.call(CHAT, chat('openai/gpt-4o', { stream: true }))
  const [record] = bench.records
  expect(record).toMatchObject({ outcome: 'upstream-broke', usagePartial: true, usage: { estimated: true } })
  expect(record!.costUsd).toBeGreaterThan(0)
})

test('a reply that is complete is booked as told', async () => {
  bench = new Bench({ providers: [provider('openai/gpt-4o', upstream.origin)] })
  await bench.call(CHAT, chat('openai/gpt-4o', { stream: true }))
  expect(bench.records[0]).toMatchObject({
    usagePartial: false,
    usage: { inputTokens: 5, outputTokens: 6, estimated: false },
  })
})

test('every try is counted once, where it was made, and every repeat by its reason', async () => {
  const sound = await startFakeUpstream()
  bench = new Bench({
    providers: [
      provider('openai/gpt-4o', upstream.origin, { fallbacks: ['openai/gpt-4o-mini'] }),
      provider('openai/gpt-4o-mini', sound.origin),
    ],
    listener: { maxRetries: 1 },
  })
  upstream.script({ status: 429, headers: ['retry-after-ms', '1'], body: '{}' })
  upstream.script({ status: 500, body: '{}' })
  await bench.call(CHAT, chat('openai/gpt-4o'))
  const metrics = new ShardMetrics(new Log('silent', systemClock, {}, () => {}))
  const names = ['openai/gpt-4o', 'openai/gpt-4o-mini']
  metrics.useModels(names.map(name => ({ name, provider: 'openai', model: name })))
  for (const record of bench.records) metrics.settle(record)
  const snapshot = metrics.snapshot()
  const count = (metric: string, model: string, word: string) =>
    valuesOf(snapshot, metric, 'openai', model, word)?.[0]
  const attempts = 'sluice_upstream_attempts_total'
  expect(count(attempts, 'openai/gpt-4o', 'limited')).toBe(1)
  expect(count(attempts, 'openai/gpt-4o', 'upstream_error')).toBe(1)
  expect(count(attempts, 'openai/gpt-4o', 'ok')).toBeUndefined()
  expect(count(attempts, 'openai/gpt-4o-mini', 'ok')).toBe(1)
  const retries = 'sluice_upstream_retries_total'
  expect(count(retries, 'openai/gpt-4o', 'limited')).toBe(1)
  expect(count(retries, 'openai/gpt-4o', 'upstream_error')).toBe(1)
  expect(valuesOf(snapshot, 'sluice_llm_cost_usd_total', 'openai', 'openai/gpt-4o-mini')![0]).toBeGreaterThan(
    0,
  )
  await sound.close()
})

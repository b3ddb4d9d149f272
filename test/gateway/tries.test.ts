// What a try may take from an exchange and what it leaves: its time, its upstream's patience, and nothing else.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { HostPlan } from '../../src/common/config/index.ts'
import { breakerKey } from '../../src/upstream/index.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { Bench, chat, provider } from './harness.ts'

const CHAT = '/v1/chat/completions'
const NAME = 'openai/gpt-4o'
const JSON_TYPE = ['content-type', 'application/json']
const DOWN = { status: 500, headers: JSON_TYPE, body: '{"error":{"message":"down"}}' }

let first: FakeUpstream
let second: FakeUpstream
let bench: Bench

beforeEach(async () => {
  first = await startFakeUpstream()
  second = await startFakeUpstream()
})

afterEach(async () => {
  await bench.close()
  await first.close()
  await second.close()
})

function host(upstream: FakeUpstream, label = upstream.origin): HostPlan {
  return { label, origin: upstream.origin, pathPrefix: '/v1', weight: 1 }
}

const keys = (...secrets: string[]) => secrets.map(secret => ({ secret, weight: 1 }))

describe('an outage is not multiplied', () => {
  test('by the number of keys', async () => {
    bench = new Bench({
      providers: [provider(NAME, first.origin, { accessKeys: keys('a', 'b', 'c', 'd') })],
      patient: true,
    })
    first.always(() => DOWN)
    for (let call = 0; call < 100; call += 1) await bench.call(CHAT, chat(NAME))
    // Ten that are always allowed, and a fifth.
    expect(first.requests.length).toBeGreaterThan(100)
    expect(first.requests.length).toBeLessThanOrEqual(100 + 10 + 20)
  })

  test('by the number of hosts', async () => {
    const hosts = ['a', 'b', 'c', 'd', 'e', 'f'].map(label => host(first, label))
    bench = new Bench({ providers: [provider(NAME, first.origin, { hosts })], patient: true })
    first.always(() => DOWN)
    await bench.call(CHAT, chat(NAME))
    expect(first.requests).toHaveLength(3)
  })

  test('and many hosts that cannot be reached are no outage', async () => {
    const dead = await startFakeUpstream()
    await dead.close()
    const hosts = ['a', 'b', 'c', 'd', 'e', 'f'].map(label => host(dead, label))
    bench = new Bench({ providers: [provider(NAME, dead.origin, { hosts: [...hosts, host(second)] })] })
    for (let call = 0; call < 10; call += 1) {
      expect((await bench.call(CHAT, chat(NAME))).status).toBe(200)
    }
  })
})

describe('the time for the whole', () => {
  test('is that of all tries together, and one that had only the rest of it is held against nobody', async () => {
    bench = new Bench({
      providers: [
        provider(NAME, first.origin, { fallbacks: ['openai/other'] }),
        provider('openai/other', second.origin),
      ],
      listener: { timeoutMs: 1_200 },
      upstream: { headersMs: 700 },
    })
    first.behave({ hangBeforeHeaders: true })
    second.behave({ hangBeforeHeaders: true })
    const replies = await Promise.all(Array.from({ length: 10 }, () => bench.call(CHAT, chat(NAME))))
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 504))
    for (const { attempts, endedMs, startedMs } of bench.records) {
      expect(attempts).toBe(2)
      expect(endedMs - startedMs).toBeLessThan(1_900)
    }
    expect(bench.services.breakers.cell(breakerKey(NAME, 0)).facts().state).toBe('open')
    expect(bench.services.breakers.cell(breakerKey('openai/other', 0)).facts().state).toBe('closed')
  })

  test('counts from the first byte of the request on', async () => {
    bench = new Bench({ providers: [provider(NAME, first.origin)], listener: { timeoutMs: 900 } })
    first.behave({ hangBeforeHeaders: true })
    const { reply, sink } = bench.open('POST', CHAT, JSON_TYPE)
    await new Promise(done => setTimeout(done, 600))
    sink.body(Buffer.from(JSON.stringify(chat(NAME))))
    await reply.done
    const { endedMs, startedMs } = bench.records[0]!
    expect(endedMs - startedMs).toBeLessThan(1_400)
    expect(reply.status).toBe(504)
  })

  test('is over for a body that never ends, too', async () => {
    bench = new Bench({ providers: [provider(NAME, first.origin)], listener: { timeoutMs: 200 } })
    const { reply } = bench.open('POST', CHAT, JSON_TYPE)
    await reply.done
    expect(reply.status).toBe(408)
    expect(first.requests).toHaveLength(0)
    expect(bench.engine.active).toBe(0)
  })

  test('cuts a long answer off without holding it against who gives it', async () => {
    bench = new Bench({ providers: [provider(NAME, first.origin)], listener: { timeoutMs: 2_000 } })
    first.behave({ frames: 10_000, delayBetweenFramesMs: 10 })
    const replies = await Promise.all(
      Array.from({ length: 12 }, () => bench.call(CHAT, chat(NAME, { stream: true }))),
    )
    for (const reply of replies) expect(reply.text).toContain('"error"')
    expect(bench.records.every(record => record.outcome === 'timeout')).toBe(true)
    expect(bench.services.breakers.cell(breakerKey(NAME, 0)).facts().state).toBe('closed')
  })
})

describe('what must not happen twice', () => {
  test('does not, even where a kept-alive connection dies under it', async () => {
    bench = new Bench({ providers: [provider(NAME, first.origin)] })
    expect((await bench.call(CHAT, chat(NAME))).status).toBe(200)
    first.behave({ closeBeforeHeaders: true })
    const image = { model: NAME, prompt: 'a cat' }
    expect((await bench.call('/v1/images/generations', image)).status).toBe(502)
    expect(first.requests).toHaveLength(2)
    first.behave({})
    expect((await bench.call(CHAT, chat(NAME))).status).toBe(200)
    first.behave({ closeBeforeHeaders: true })
    // A call of a model is sent once more on a fresh connection; then it is told as it is.
    expect((await bench.call(CHAT, chat(NAME))).status).toBe(502)
    expect(first.requests).toHaveLength(5)
  })
})

test('what must not happen twice does where its operator says that it may', async () => {
  const image = { model: NAME, prompt: 'a cat' }
  for (const retryUnsafe of [false, true]) {
    bench = new Bench({
      providers: [
        provider(NAME, first.origin, { fallbacks: ['openai/other'], retryUnsafe }),
        provider('openai/other', second.origin, { retryUnsafe }),
      ],
    })
    first.always(() => DOWN)
    second.always(() => ({ headers: JSON_TYPE, body: '{"created":1,"data":[]}' }))
    expect((await bench.call('/v1/images/generations', image)).status).toBe(retryUnsafe ? 200 : 500)
    expect(second.requests).toHaveLength(retryUnsafe ? 1 : 0)
    await bench.close()
  }
})

describe('a caller’s own key', () => {
  test('that is limited or refused rests for no other caller', async () => {
    const hosts = [host(first, 'one'), host(second, 'two')]
    bench = new Bench({ providers: [provider(NAME, first.origin, { hosts, passthroughAuth: true })] })
    const spent = (status: number) => (request: { header(name: string): string | null }) =>
      request.header('authorization') === 'Bearer spent'
        ? { status, headers: [...JSON_TYPE, 'retry-after', '30'], body: '{"error":{"message":"no"}}' }
        : null
    for (const status of [429, 401, 403]) {
      first.always(spent(status))
      second.always(spent(status))
      for (let call = 0; call < 15; call += 1) {
        const refused = await bench.call(CHAT, chat(NAME), ['authorization', 'Bearer spent'])
        expect(refused.status).toBe(status)
      }
      const served = await bench.call(CHAT, chat(NAME), ['authorization', 'Bearer other'])
      expect(served.status).toBe(200)
    }
    for (const cell of bench.services.breakers.known().values()) {
      expect(cell.facts()).toMatchObject({ state: 'closed', restMs: 0 })
    }
  })
})

test('nothing of a failed try stays in the books of the next', async () => {
  bench = new Bench({
    providers: [
      provider(NAME, first.origin, {
        provider: 'anthropic',
        dialects: ['anthropic-messages'],
        fallbacks: ['openai/other'],
      }),
      provider('openai/other', second.origin),
    ],
  })
  first.always(() => DOWN)
  // A member that Messages cannot carry is a loss there and none where Chat is spoken.
  const body = chat(NAME, { logit_bias: { '50256': -100 } })
  const reply = await bench.call(CHAT, body)
  expect(reply.status).toBe(200)
  expect(reply.header('x-gateway-warnings')).toBeNull()
  expect(bench.records[0]).toMatchObject({ losses: 0, upstreamStatus: 200, provider: 'openai/other' })
  await second.close()
  await bench.call(CHAT, body)
  expect(bench.records[1]).toMatchObject({ upstreamStatus: null, losses: 0 })
})

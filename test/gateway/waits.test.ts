// Waits that only the gateway can judge: for the first content of a stream, for a start that is not late, and those
// that a provider has of its own.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { CALLERS, endings, flaw, speaking } from './callers.ts'
import { Bench, chat, provider } from './harness.ts'

const CHAT = '/v1/chat/completions'
const STREAMS = CALLERS.filter(({ streaming }) => streaming)

let upstream: FakeUpstream
let sound: FakeUpstream
let bench: Bench

beforeEach(async () => {
  upstream = await startFakeUpstream()
  sound = await startFakeUpstream()
})

afterEach(async () => {
  await bench.close()
  await upstream.close()
  await sound.close()
})

/** Pings without end, which is all that some upstreams have to say. */
function pinging(): void {
  upstream.always(() => ({
    headers: ['content-type', 'text/event-stream'],
    frames: Array.from({ length: 200 }, () => ': ping\n\n'),
    behaviour: { delayBetweenFramesMs: 20 },
  }))
}

describe('the time until the first content', () => {
  test.each(STREAMS)('is over in spite of pings, and $dialect goes to somebody else', async caller => {
    bench = new Bench({
      upstream: { firstContentMs: 200 },
      providers: [
        provider('openai/gpt-4o', upstream.origin, { fallbacks: ['openai/other'] }),
        provider('openai/other', sound.origin),
      ],
    })
    pinging()
    const reply = await bench.call(caller.path('openai/gpt-4o'), caller.body('openai/gpt-4o'))
    expect(flaw(reply, caller)).toBeNull()
    expect(bench.records[0]).toMatchObject({
      attempts: 2,
      failedTries: [{ result: 'timeout', followed: true }],
    })
  })

  test('is told in mid-stream when there is nobody else', async () => {
    bench = new Bench({
      upstream: { firstContentMs: 200 },
      providers: [provider('openai/gpt-4o', upstream.origin)],
    })
    pinging()
    const reply = await bench.call(CHAT, chat('openai/gpt-4o', { stream: true }))
    if (reply.status === 200)
      expect(endings(reply.text, 'openai-chat')).toEqual({ success: false, error: true })
    else expect(reply.status).toBe(504)
    expect(reply.text).toContain('first-content deadline')
    expect(bench.records[0]).toMatchObject({ outcome: 'timeout' })
  })

  test.each([{}, { stream: true }])(
    'does not run once content has come, nor for whole replies: %o',
    async more => {
      bench = new Bench({
        upstream: { firstContentMs: 150, betweenBytesMs: 2_000 },
        providers: [provider('openai/gpt-4o', upstream.origin)],
      })
      upstream.behave('stream' in more ? { delayBetweenFramesMs: 100 } : { delayBeforeHeadersMs: 400 })
      const reply = await bench.call(CHAT, chat('openai/gpt-4o', more))
      expect(reply.status).toBe(200)
      expect(bench.records[0]!.outcome).toBe('ok')
    },
  )
})

describe('streams that begin late', () => {
  test('are passed on, and open the breaker', async () => {
    bench = new Bench({
      upstream: { slowStartMs: 30 },
      providers: [provider('openai/gpt-4o', upstream.origin)],
    })
    upstream.behave({ delayBeforeHeadersMs: 60 })
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => bench.call(CHAT, chat('openai/gpt-4o', { stream: true }))),
    )
    expect(replies.map(({ status }) => status)).toEqual(new Array(10).fill(200))
    expect((await bench.call(CHAT, chat('openai/gpt-4o', { stream: true }))).status).toBe(503)
  })

  test('are those of streams: a whole reply takes as long as it takes', async () => {
    bench = new Bench({
      upstream: { slowStartMs: 30 },
      providers: [provider('openai/gpt-4o', upstream.origin)],
    })
    upstream.behave({ delayBeforeHeadersMs: 60 })
    for (let round = 0; round < 2; round += 1) {
      const calls = Array.from({ length: 10 }, () => bench.call(CHAT, chat('openai/gpt-4o')))
      for (const { status } of await Promise.all(calls)) expect(status).toBe(200)
    }
  })
})

test('a provider has waits of its own, and its neighbour has not', async () => {
  bench = new Bench({
    upstream: { headersMs: 5_000 },
    providers: [
      speaking('openai-chat', 'hasty/model', upstream.origin, { waits: { headersMs: 100 } }),
      speaking('openai-chat', 'calm/model', upstream.origin),
    ],
  })
  upstream.behave({ delayBeforeHeadersMs: 500 })
  expect((await bench.call(CHAT, chat('hasty/model'))).status).toBe(504)
  expect((await bench.call(CHAT, chat('calm/model'))).status).toBe(200)
})

// What a client sees, and what each upstream was asked, when upstreams fail.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream, until } from '../support/fake-upstream/index.ts'
import { Handles } from './handles.ts'
import { Bench, chat, provider } from './harness.ts'

const CHAT = '/v1/chat/completions'
const STREAM = { stream: true }

const handles = new Handles()

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
  await handles.noneLeft()
})

function twoProviders(more: { maxRetries?: number } = {}): void {
  bench = new Bench({
    providers: [
      provider('openai/gpt-4o', first.origin, { fallbacks: ['anthropic/claude-sonnet-4-5'] }),
      provider('anthropic/claude-sonnet-4-5', second.origin, {
        provider: 'anthropic',
        dialects: ['anthropic-messages'],
      }),
    ],
    listener: { maxRetries: 0, ...more },
    upstream: { headersMs: 1_000 },
  })
}

describe('a provider that fails is replaced by its fallback', () => {
  test.each([
    ['a refused connection', async () => first.close()],
    [
      'a reset before the head',
      async () => void first.always(() => ({ behaviour: { resetBeforeHeaders: true } })),
    ],
    [
      'status 500 with HTML',
      async () =>
        void first.always(() => ({
          status: 500,
          headers: ['content-type', 'text/html'],
          body: '<h1>no</h1>',
        })),
    ],
    ['status 503 without a body', async () => void first.always(() => ({ status: 503, body: '' }))],
    [
      'status 529',
      async () =>
        void first.always(() => ({
          status: 529,
          headers: ['content-type', 'application/json'],
          body: '{"error":{"message":"overloaded"}}',
        })),
    ],
    ['no head in time', async () => first.behave({ hangBeforeHeaders: true })],
    [
      'a body that is no reply',
      async () =>
        void first.always(() => ({ headers: ['content-type', 'application/json'], body: '{"choices' })),
    ],
  ])('after %s', async (_what, breakFirst) => {
    twoProviders()
    await breakFirst()
    for (const more of [{}, STREAM]) {
      const reply = await bench.call(CHAT, chat('openai/gpt-4o', more))
      expect(reply.status).toBe(200)
      expect(reply.text).toContain('five')
      expect(reply.ending).toBe('end')
      expect(bench.records.at(-1)).toMatchObject({
        attempts: 2,
        outcome: 'ok',
        provider: 'anthropic/claude-sonnet-4-5',
      })
    }
    expect(second.requests).toHaveLength(2)
    expect(second.requests[0]!.path).toBe('/v1/messages')
  })

  test('after an error event before any content, of which the client sees nothing', async () => {
    twoProviders()
    const role =
      'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
    const error = 'data: {"error":{"message":"overloaded","type":"server_error","code":"overloaded"}}\n\n'
    first.always(() => ({
      headers: ['content-type', 'text/event-stream'],
      frames: [Buffer.from(role), Buffer.from(error)],
    }))
    const reply = await bench.call(CHAT, chat('openai/gpt-4o', STREAM))
    expect(reply.text).not.toContain('overloaded')
    expect(reply.text).not.toContain('"c1"')
    expect(reply.text).toContain('data: [DONE]')
  })

  test('but not after content: then the client is told', async () => {
    twoProviders()
    first.behave({ cutAfterBytes: 600 })
    const reply = await bench.call(CHAT, chat('openai/gpt-4o', STREAM))
    expect(second.requests).toHaveLength(0)
    expect(reply.status).toBe(200)
    expect(reply.text).toContain('"error"')
    expect(reply.text).not.toContain('[DONE]')
    expect(bench.records[0]).toMatchObject({ outcome: 'upstream-broke', attempts: 1 })
  })
})

describe('a fault of the request', () => {
  test('is told at once and tried nowhere else', async () => {
    twoProviders({ maxRetries: 3 })
    first.always(() => ({
      status: 400,
      headers: ['content-type', 'application/json'],
      body: '{"error":{"message":"bad temperature","type":"invalid_request_error","param":"temperature","code":null}}',
    }))
    const reply = await bench.call(CHAT, chat('openai/gpt-4o'))
    expect(reply.status).toBe(400)
    expect(reply.json).toMatchObject({ error: { param: 'temperature' } })
    expect([first.requests.length, second.requests.length]).toEqual([1, 0])
  })
})

describe('max_retries', () => {
  test('repeats at the same provider, obeying retry-after-ms', async () => {
    bench = new Bench({ providers: [provider('openai/gpt-4o', first.origin)], listener: { maxRetries: 2 } })
    first.script({
      status: 429,
      headers: ['content-type', 'application/json', 'retry-after-ms', '60'],
      body: '{"error":{"message":"slow down"}}',
    })
    first.script({
      status: 500,
      headers: ['content-type', 'application/json'],
      body: '{"error":{"message":"oops"}}',
    })
    const startedMs = performance.now()
    const reply = await bench.call(CHAT, chat('openai/gpt-4o'))
    expect(reply.status).toBe(200)
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(60)
    expect(first.requests).toHaveLength(3)
  })

  test('shows the last failure when nothing helped', async () => {
    bench = new Bench({ providers: [provider('openai/gpt-4o', first.origin)], listener: { maxRetries: 1 } })
    first.always(() => ({
      status: 503,
      headers: ['content-type', 'application/json'],
      body: '{"error":{"message":"down for a moment"}}',
    }))
    const reply = await bench.call(CHAT, chat('openai/gpt-4o'))
    expect(reply.status).toBe(503)
    expect(reply.text).toContain('down for a moment')
    expect(first.requests).toHaveLength(2)
  })
})

describe('several keys', () => {
  const keys = ['dead', 'alive'].map(secret => ({ secret, weight: 1 }))

  test('a refused key rests and the next is used, and the client never hears of it', async () => {
    bench = new Bench({ providers: [provider('openai/gpt-4o', first.origin, { accessKeys: keys })] })
    first.always(request =>
      request.header('authorization') === 'Bearer dead'
        ? {
            status: 401,
            headers: ['content-type', 'application/json'],
            body: '{"error":{"message":"bad key","code":"invalid_api_key"}}',
          }
        : null,
    )
    for (let call = 0; call < 20; call += 1) {
      expect((await bench.call(CHAT, chat('openai/gpt-4o'))).status).toBe(200)
    }
    const dead = first.requests.filter(request => request.header('authorization') === 'Bearer dead')
    expect(dead).toHaveLength(1)
  })

  test('that all rest tell the client for how long, and that it is not an outage', async () => {
    bench = new Bench({ providers: [provider('openai/gpt-4o', first.origin, { accessKeys: keys })] })
    first.always(() => ({
      status: 429,
      headers: ['content-type', 'application/json', 'retry-after', '40'],
      body: '{"error":{"message":"slow down"}}',
    }))
    expect((await bench.call(CHAT, chat('openai/gpt-4o'))).status).toBe(429)
    const reply = await bench.call(CHAT, chat('openai/gpt-4o'))
    expect(reply.status).toBe(503)
    expect(reply.text).toContain('rests')
    expect(Number(reply.header('retry-after'))).toBeGreaterThan(30)
    expect(first.requests).toHaveLength(2)
  })

  test('the only key being refused is the gateway’s fault, not the client’s', async () => {
    bench = new Bench({ providers: [provider('openai/gpt-4o', first.origin, { accessKeys: [keys[0]!] })] })
    first.always(() => ({
      status: 401,
      headers: ['content-type', 'application/json'],
      body: '{"error":{"message":"bad key"}}',
    }))
    const reply = await bench.call(CHAT, chat('openai/gpt-4o'))
    expect(reply.status).toBe(502)
    expect(reply.text).not.toContain('dead')
  })
})

describe('the breaker', () => {
  test('stops calling a provider that keeps failing, and says so with a time', async () => {
    bench = new Bench({ providers: [provider('openai/gpt-4o', first.origin)] })
    first.always(() => ({ status: 500, headers: ['content-type', 'application/json'], body: '{}' }))
    for (let call = 0; call < 10; call += 1) await bench.call(CHAT, chat('openai/gpt-4o'))
    const reply = await bench.call(CHAT, chat('openai/gpt-4o'))
    expect(reply.status).toBe(503)
    expect(reply.header('retry-after')).not.toBeNull()
    expect(first.requests).toHaveLength(10)
  })

  test('is not opened by clients’ mistakes', async () => {
    bench = new Bench({ providers: [provider('openai/gpt-4o', first.origin)] })
    first.always(() => ({
      status: 400,
      headers: ['content-type', 'application/json'],
      body: '{"error":{"message":"no"}}',
    }))
    for (let call = 0; call < 30; call += 1) await bench.call(CHAT, chat('openai/gpt-4o'))
    first.always(null)
    expect((await bench.call(CHAT, chat('openai/gpt-4o'))).status).toBe(200)
  })

  test('is not opened by clients that leave, at whatever phase', async () => {
    bench = new Bench({ providers: [provider('openai/gpt-4o', first.origin)] })
    first.behave({ delayBeforeHeadersMs: 5, delayBetweenFramesMs: 5 })
    for (let round = 0; round < 20; round += 1) {
      const sent = Array.from({ length: 20 }, (_, at) =>
        bench.send(CHAT, chat('openai/gpt-4o', at % 2 === 0 ? STREAM : {})),
      )
      await new Promise(resolve => setTimeout(resolve, round))
      for (const { sink } of sent) sink.gone()
    }
    first.behave({})
    expect((await bench.call(CHAT, chat('openai/gpt-4o'))).status).toBe(200)
    expect(bench.records.filter(record => record.outcome === 'client-closed').length).toBeGreaterThan(100)
    await until('the pools are whole', () => bench.services.upstream.pools().every(pool => pool.busy === 0))
  })
})

test('a client that leaves while a repeat waits ends the exchange at once', async () => {
  bench = new Bench({ providers: [provider('openai/gpt-4o', first.origin)], listener: { maxRetries: 5 } })
  first.always(() => ({
    status: 429,
    headers: ['content-type', 'application/json', 'retry-after', '4'],
    body: '{}',
  }))
  const { sink } = bench.send(CHAT, chat('openai/gpt-4o'))
  await until(
    'the first try failed',
    () => first.requests.length === 1 && bench.services.upstream.pools()[0]!.busy === 0,
  )
  sink.gone()
  expect(bench.records[0]!.outcome).toBe('client-closed')
  expect(bench.engine.active).toBe(0)
})

test('each try has headers, key, model and body of its own', async () => {
  bench = new Bench({
    providers: [
      provider('openai/gpt-4o', first.origin, {
        accessKeys: [{ secret: 'key-one', weight: 1 }],
        headers: ['x-only-first', '1'],
        fallbacks: ['anthropic/claude-sonnet-4-5'],
      }),
      provider('anthropic/claude-sonnet-4-5', second.origin, {
        provider: 'anthropic',
        dialects: ['anthropic-messages'],
        accessKeys: [{ secret: 'key-two', weight: 1 }],
      }),
    ],
  })
  first.always(() => ({ status: 500, body: '' }))
  await bench.call(CHAT, chat('openai/gpt-4o', { max_completion_tokens: 50 }))
  const [request] = second.requests
  expect(request!.header('x-api-key')).toBe('key-two')
  expect(request!.header('authorization')).toBeNull()
  expect(request!.header('x-only-first')).toBeNull()
  const body = request!.json()
  expect(body).toMatchObject({ model: 'claude-sonnet-4-5', max_tokens: 50 })
  expect(body).not.toHaveProperty('max_completion_tokens')
})

test('a pool of our own that is full counts against nobody, and a fallback answers', async () => {
  bench = new Bench({
    providers: [
      provider('openai/gpt-4o', first.origin, { fallbacks: ['openai/gpt-4o-mini'] }),
      provider('openai/gpt-4o-mini', second.origin),
    ],
    client: { connectionsMax: 1 },
    upstream: { connectMs: 200 },
  })
  first.behave({ hangAfterHeaders: true })
  const holder = bench.send(CHAT, chat('openai/gpt-4o', STREAM))
  await until('the one connection is busy', () => first.requests.length === 1)
  for (let call = 0; call < 12; call += 1) {
    expect((await bench.call(CHAT, chat('openai/gpt-4o'))).status).toBe(200)
  }
  expect(second.requests).toHaveLength(12)
  holder.sink.gone()
  first.behave({})
  expect((await bench.call(CHAT, chat('openai/gpt-4o'))).status).toBe(200)
  expect(first.requests).toHaveLength(2)
})

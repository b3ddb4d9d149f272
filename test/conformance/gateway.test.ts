// Known faults of gateways that show on the wire, around what is translated: paths, header fields, types, warnings,
// errors, records. Each has a test that says what is right. Their numbers are in `gaps.ts`.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { Bench, chat, provider } from '../gateway/harness.ts'
import type { Loose } from './drive.ts'

const CHAT = '/v1/chat/completions'
const MESSAGES = '/v1/messages'
const RESPONSES = '/v1/responses'

let upstream: FakeUpstream
let bench: Bench

beforeEach(async () => {
  upstream = await startFakeUpstream()
  bench = new Bench({
    providers: [
      provider('openai/gpt-4o', upstream.origin, { headers: ['x-extra', 'configured'] }),
      provider('anthropic/claude', upstream.origin, {
        provider: 'anthropic',
        dialects: ['anthropic-messages'],
        accessKeys: [{ secret: 'key-of-ours', weight: 1 }],
      }),
      provider('bedrock/claude', upstream.origin, {
        provider: 'amazon_bedrock',
        dialects: ['bedrock-converse'],
        pathPrefix: '',
        accessKeys: [{ secret: 'key-of-ours', weight: 1 }],
      }),
    ],
  })
})

afterEach(async () => {
  await bench.close()
  await upstream.close()
})

const messages = (model: string, more: object = {}): object => ({
  ...chat(model, more as Loose),
  max_tokens: 50,
})
const CALLER = ['authorization', 'Bearer key-of-the-caller', 'cookie', 'a=b', 'accept-encoding', 'br, gzip']

describe('a request', () => {
  test('is served whatever query or slash its path ends with', async () => {
    for (const path of [`${MESSAGES}?beta=true`, `${MESSAGES}/`, `${MESSAGES}/?a=b`]) {
      expect((await bench.call(path, messages('openai/gpt-4o'))).status, path).toBe(200)
    }
  })

  test('never takes the caller`s key, cookies or encodings along, and always the configured fields', async () => {
    await bench.call(CHAT, chat('openai/gpt-4o'), [...CALLER, 'x-gateway-secret', 'x'])
    const [sent] = upstream.requests
    expect(sent!.header('authorization')).toBeNull()
    for (const name of ['cookie', 'x-gateway-secret']) expect(sent!.header(name), name).toBeNull()
    expect(sent!.header('accept-encoding')).toBe('identity')
    expect(sent!.header('x-extra')).toBe('configured')
  })

  test('keeps the caller`s version of Messages, and has one where the caller has none', async () => {
    await bench.call(MESSAGES, messages('anthropic/claude'), ['anthropic-version', '2026-10-21'])
    await bench.call(CHAT, chat('anthropic/claude'))
    expect(upstream.requests.map(sent => sent.header('anthropic-version'))).toEqual([
      '2026-10-21',
      '2023-06-01',
    ])
    expect(upstream.requests[1]!.header('x-api-key')).toBe('key-of-ours')
  })

  test('for Claude is spoken natively, whatever the client speaks', async () => {
    for (const [path, body] of [
      [CHAT, chat('anthropic/claude')],
      [RESPONSES, { model: 'anthropic/claude', input: 'hi' }],
      [MESSAGES, messages('anthropic/claude')],
    ] as const) {
      expect((await bench.call(path, body)).status).toBe(200)
    }
    expect(upstream.requests.map(sent => sent.path)).toEqual([MESSAGES, MESSAGES, MESSAGES])
  })

  test('with hosted tools that a route cannot read still reaches its provider', async () => {
    const tools = [{ type: 'file_search', vector_store_ids: ['v'] }, { type: 'computer_use_preview' }]
    const reply = await bench.call(RESPONSES, { model: 'anthropic/claude', input: 'hi', tools })
    expect(reply.status).toBe(200)
    expect(reply.header('x-gateway-warnings')).toContain('field=/tools/0;reason=hosted_tool')
  })
})

describe('a reply', () => {
  test('has the type of what is written, not of what was read', async () => {
    const streamed = await bench.call(CHAT, chat('bedrock/claude', { stream: true }))
    expect(upstream.requests[0]!.path).toContain('/converse-stream')
    expect(streamed.header('content-type')).toMatch(/^text\/event-stream/)
    expect(streamed.text).toMatch(/data: \[DONE\]\n\n$/)
    const whole = await bench.call(CHAT, chat('bedrock/claude'))
    expect(whole.header('content-type')).toMatch(/^application\/json/)
  })

  test('tells what was left out, and a strict caller is refused before anybody is called', async () => {
    const body = chat('anthropic/claude', { seed: 1, logit_bias: { '1': 2 } })
    const reply = await bench.call(CHAT, body)
    expect(reply.header('x-gateway-warnings')).toMatch(/drop;field=\/seed;reason=unsupported/)
    const strict = await bench.call(CHAT, body, ['x-gateway-strict', 'true'])
    expect(strict.status).toBe(400)
    expect(strict.text).toMatch(/\/seed.*\/logit_bias|\/logit_bias.*\/seed/)
    expect(upstream.requests).toHaveLength(1)
  })

  test('that cannot be read is the upstream`s fault', async () => {
    upstream.always(() => ({
      status: 200,
      headers: ['content-type', 'application/json'],
      body: '<html>words</html>',
    }))
    const reply = await bench.call(MESSAGES, messages('openai/gpt-4o'))
    expect(reply.status).toBe(502)
    expect((reply.json as Loose).type).toBe('error')
    expect(reply.text).not.toContain('words')
  })

  test('of an error has the form of its client`s dialect', async () => {
    upstream.always(() => ({
      status: 429,
      headers: ['content-type', 'application/json', 'retry-after', '7'],
      body: '{"error":{"message":"slow down","type":"rate_limit","code":"rate_limit_exceeded"}}',
    }))
    const told = await bench.call(MESSAGES, messages('openai/gpt-4o'))
    expect(told.status).toBe(429)
    expect(told.json).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } })
    expect(told.header('retry-after')).toBe('7')
    upstream.always(() => ({
      status: 529,
      headers: ['content-type', 'application/json'],
      body: '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
    }))
    const other = await bench.call(CHAT, chat('anthropic/claude'))
    expect((other.json as Loose).error.message).toContain('Overloaded')
    expect((other.json as Loose).type).toBeUndefined()
  })

  test('of the gateway itself is JSON in its client`s dialect', async () => {
    const unknown = await bench.call(MESSAGES, messages('nobody/nothing'))
    expect(unknown.header('content-type')).toMatch(/^application\/json/)
    expect(unknown.json).toMatchObject({ type: 'error', error: { type: 'not_found_error' } })
  })

  test('that breaks off in mid-stream ends in an error, and never in a good end', async () => {
    upstream.behave({ frames: 40, cutAfterBytes: 4_000 })
    const reply = await bench.call(MESSAGES, messages('openai/gpt-4o', { stream: true }))
    expect(reply.text).toMatch(/event: error/)
    expect(reply.text).not.toContain('message_stop')
  })
})

describe('a record', () => {
  test('counts what the upstream said, and holds neither bodies nor keys', async () => {
    const body = chat('anthropic/claude', { messages: [{ role: 'user', content: 'words of the caller' }] })
    for (const more of [{}, { stream: true }]) await bench.call(CHAT, { ...body, ...more }, CALLER)
    await bench.call(
      CHAT,
      Buffer.from('{"model":"anthropic/claude","messages":"words of the caller"}'),
      CALLER,
    )
    const shown = JSON.stringify(bench.records, (_, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString() : value,
    )
    expect(bench.records).toHaveLength(3)
    expect(bench.records.slice(0, 2).every(record => (record.usage?.outputTokens ?? 0) > 0)).toBe(true)
    for (const secret of ['words of the caller', 'key-of-the-caller', 'key-of-ours'])
      expect(shown).not.toContain(secret)
  })
})

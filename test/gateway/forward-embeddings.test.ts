// Embeddings at vendors that make them in a form of their own, through a running engine and with the official client.

import OpenAI from 'openai'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ProviderPlan } from '../../src/common/config/index.ts'
import {
  type FakeUpstream,
  type RecordedRequest,
  startFakeUpstream,
  until,
} from '../support/fake-upstream/index.ts'
import { benchFetch } from './forward-fetch.ts'
import { Bench, provider } from './harness.ts'

const JSON_TYPE = ['content-type', 'application/json']
const TITAN = 'bedrock/amazon.titan-embed-text-v2:0'

let upstream: FakeUpstream
let bench: Bench

beforeEach(async () => {
  upstream = await startFakeUpstream()
  bench = new Bench({
    providers: [
      vendor('gemini/gemini-embedding-001', 'gemini', ['openai-chat', 'gemini-generate'], {
        pathPrefix: '/v1beta/openai',
        dialectPrefixes: { 'gemini-generate': '/v1beta' },
      }),
      vendor(TITAN, 'amazon_bedrock', ['bedrock-converse'], { pathPrefix: '' }),
      vendor('bedrock/cohere.embed-english-v3', 'amazon_bedrock', ['bedrock-converse'], { pathPrefix: '' }),
    ],
  })
})

afterEach(async () => {
  await bench.close()
  await upstream.close()
  expect(bench.bugs).toEqual([])
})

function vendor(
  name: string,
  id: string,
  dialects: ProviderPlan['dialects'],
  more: Partial<ProviderPlan>,
): ProviderPlan {
  const accessKeys = [{ secret: `key-${id}`, weight: 1 }] as unknown as ProviderPlan['accessKeys']
  return provider(name, upstream.origin, { provider: id, dialects, accessKeys, ...more })
}

function client(): OpenAI {
  return new OpenAI({ apiKey: 'k', baseURL: 'http://gateway/v1', fetch: benchFetch(bench), maxRetries: 0 })
}

/** Titan's answer: the text's number as its vector. */
function titan(request: RecordedRequest) {
  const { inputText } = request.json() as { inputText: string }
  const embedding = [Number(inputText.slice(1)), 0.25]
  return { headers: JSON_TYPE, body: JSON.stringify({ embedding, inputTextTokenCount: 2 }) }
}

const TEXTS = Array.from({ length: 40 }, (_, at) => `t${at}`)

test('Gemini is asked in one batch and answers the client that wants base64', async () => {
  upstream.always(() => ({
    headers: JSON_TYPE,
    body: JSON.stringify({ embeddings: [{ values: [0.5, -1] }, { values: [2, 3] }] }),
  }))
  const reply = await client().embeddings.create({
    model: 'gemini/gemini-embedding-001',
    input: ['one', 'two'],
  })
  expect(reply.data.map(item => item.embedding)).toEqual([
    [0.5, -1],
    [2, 3],
  ])
  expect(reply.model).toBe('gemini/gemini-embedding-001')
  const [seen] = upstream.requests
  expect(seen?.path).toBe('/v1beta/models/gemini-embedding-001:batchEmbedContents')
  expect(seen?.header('x-goog-api-key')).toBe('key-gemini')
  expect(seen?.header('authorization')).toBeNull()
  expect(bench.records[0]).toMatchObject({
    outcome: 'ok',
    upstreamDialect: 'gemini-generate',
    usage: { estimated: true },
  })
})

test('Titan is asked once per text, a few at once, and the order is the caller’s', async () => {
  let running = 0
  let most = 0
  upstream.always(request => {
    running += 1
    most = Math.max(most, running)
    void until('it is sent', () => request.finishedAtMs !== null).then(() => (running -= 1))
    // The first texts take longest, so that replies come out of order.
    return { ...titan(request), behaviour: { delayBeforeHeadersMs: Math.max(0, 40 - request.index) } }
  })
  const reply = await client().embeddings.create({ model: TITAN, input: TEXTS, encoding_format: 'float' })
  expect(reply.data.map(item => item.index)).toEqual(TEXTS.map((_, at) => at))
  expect(reply.data.map(item => item.embedding[0])).toEqual(TEXTS.map((_, at) => at))
  expect(reply.usage.prompt_tokens).toBe(80)
  expect(most).toBeGreaterThan(1)
  expect(upstream.socketsEver).toBeLessThanOrEqual(8)
  const [seen] = upstream.requests
  expect(seen?.path).toBe('/model/amazon.titan-embed-text-v2%3A0/invoke')
  expect(seen?.header('authorization')).toBe('Bearer key-amazon_bedrock')
  expect(bench.records[0]).toMatchObject({ attempts: 1, usage: { inputTokens: 80, estimated: false } })
})

test('one text that is refused is the refusal of all, and the rest is not asked for', async () => {
  upstream.always(request => {
    if (request.index !== 5) return titan(request)
    const body = JSON.stringify({ message: 'Too many input tokens.' })
    return { status: 400, headers: [...JSON_TYPE, 'x-amzn-errortype', 'ValidationException'], body }
  })
  const reply = await bench.call('/v1/embeddings', { model: TITAN, input: TEXTS })
  expect(reply.status).toBe(400)
  expect(reply.json).toMatchObject({
    error: { message: 'Too many input tokens.', type: 'invalid_request_error' },
  })
  expect(upstream.requests.length).toBeLessThan(20)
})

test('a client that leaves stops every call', async () => {
  upstream.always(request => ({ ...titan(request), behaviour: { hangBeforeHeaders: true } }))
  const { sink } = bench.send('/v1/embeddings', { model: TITAN, input: TEXTS })
  await until('they are asked', () => upstream.requests.length === 8)
  sink.gone()
  await until('all are left', () => upstream.socketsOpen === 0)
  expect(upstream.requests).toHaveLength(8)
  expect(bench.records[0]?.outcome).toBe('client-closed')
})

test('Cohere’s tokens are told by a header', async () => {
  upstream.always(() => ({
    headers: [...JSON_TYPE, 'x-amzn-bedrock-input-token-count', '9'],
    body: JSON.stringify({ embeddings: { float: [[1], [2]] } }),
  }))
  const reply = await bench.call('/v1/embeddings', {
    model: 'bedrock/cohere.embed-english-v3',
    input: ['a', 'b'],
    user: 'u',
  })
  expect(reply.json).toMatchObject({ usage: { prompt_tokens: 9 } })
  expect(reply.header('x-gateway-warnings')).toContain('field=/user')
})

test('token ids are refused in the caller’s words before anything is sent', async () => {
  const reply = await bench.call('/v1/embeddings', { model: TITAN, input: [1, 2, 3] })
  expect(reply.status).toBe(400)
  expect(reply.json).toMatchObject({ error: { param: 'input' } })
  expect(upstream.requests).toEqual([])
})

test('a strict caller is refused what would be left out', async () => {
  const reply = await bench.call('/v1/embeddings', { model: TITAN, input: 'a', user: 'u' }, [
    'x-gateway-strict',
    'true',
  ])
  expect(reply.status).toBe(400)
  expect(upstream.requests).toEqual([])
})

test('each call of one text is signed for itself where calls are signed', async () => {
  await bench.close()
  const text = (secret: string) => ({ secret }) as unknown as null
  const auth: ProviderPlan['auth'] = {
    type: 'aws',
    region: 'eu-west-1',
    accessKeyId: text('AKID'),
    secretAccessKey: text('secret'),
    sessionToken: null,
    profile: null,
    roleArn: null,
  }
  bench = new Bench({
    providers: [
      vendor(TITAN, 'amazon_bedrock', ['bedrock-converse'], { pathPrefix: '', accessKeys: [], auth }),
    ],
  })
  upstream.always(titan)
  const reply = await bench.call('/v1/embeddings', { model: TITAN, input: ['t1', 't2', 't3'] })
  expect(reply.status).toBe(200)
  const signed = upstream.requests.map(seen => seen.header('authorization') ?? '')
  for (const one of signed)
    expect(one).toMatch(/^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-west-1\/bedrock\//)
  const signatures = signed.map(one => one.slice(one.indexOf('Signature=')))
  expect(new Set(signatures).size).toBe(3)
})

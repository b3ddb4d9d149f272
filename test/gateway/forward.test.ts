// Endpoints that are passed on as they are: what the upstream was sent, what the caller got, what was counted.

import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeUpstream, type ScriptedReply, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { benchFetch } from './forward-fetch.ts'
import { Bench, provider, type Reply } from './harness.ts'

const JSON_TYPE = ['content-type', 'application/json']

let upstream: FakeUpstream
let bench: Bench

beforeEach(async () => {
  upstream = await startFakeUpstream()
  bench = new Bench({ providers: [wildcard()] })
})

afterEach(async () => {
  await bench.close()
  await upstream.close()
  expect(bench.bugs).toEqual([])
})

function wildcard(name = 'openai', more: Parameters<typeof provider>[2] = {}) {
  return provider(`${name}/*`, upstream.origin, {
    provider: name,
    model: '*',
    wildcardPrefix: name,
    accessKeys: [{ secret: `sk-${name}`, weight: 1 }],
    ...more,
  })
}

/** Restarts the gateway with other providers. */
async function useProviders(...providers: ReturnType<typeof provider>[]): Promise<void> {
  await bench.close()
  bench = new Bench({ providers })
}

function answer(reply: ScriptedReply): void {
  upstream.always(() => reply)
}

function answerJson(document: unknown): string {
  const body = JSON.stringify(document, null, 1)
  answer({ headers: JSON_TYPE, body })
  return body
}

async function get(target: string, headers: readonly string[] = [], method = 'GET'): Promise<Reply> {
  const { reply, sink } = bench.open(method, target, headers, 0)
  sink.body(new Uint8Array(0))
  return reply.done
}

describe('a JSON body', () => {
  test.each([
    ['/v1/embeddings', { input: 'a', encoding_format: 'base64' }],
    ['/v1/completions', { prompt: 'a' }],
    ['/v1/moderations', { input: 'a' }],
    ['/v1/rerank', { query: 'a', documents: ['b'] }],
    ['/v1/images/generations', { prompt: 'a' }],
    ['/v1/images/edits', { prompt: 'a', images: [] }],
    ['/v1/audio/speech', { input: 'a', voice: 'alloy' }],
  ])(
    'of %s arrives with nothing changed but the name of the model, and so does its reply',
    async (path, rest) => {
      const body = answerJson({
        object: 'list',
        odd: [1.0e2, '\u00e9'],
        usage: { prompt_tokens: 7, total_tokens: 7 },
      })
      const sent = `{ "model" : "openai/some-model", ${JSON.stringify(rest).slice(1)}`
      const reply = await bench.call(path, Buffer.from(sent))
      expect(reply.status).toBe(200)
      expect(reply.text).toBe(body)
      expect(reply.header('content-type')).toBe('application/json')
      const [seen] = upstream.requests
      expect(seen?.path).toBe(path)
      expect(seen?.text()).toBe(sent.replace('openai/some-model', 'some-model'))
      expect(seen?.header('authorization')).toBe('Bearer sk-openai')
      expect(bench.records[0]).toMatchObject({
        handler: path,
        outcome: 'ok',
        modelAsked: 'openai/some-model',
        modelSent: 'some-model',
        usage: { inputTokens: 7, outputTokens: 0 },
      })
    },
  )

  test('is priced from the catalogue, and the price is told on request', async () => {
    answerJson({ data: [], usage: { prompt_tokens: 1_000_000, total_tokens: 1_000_000 } })
    const body = { model: 'openai/text-embedding-3-small', input: 'a' }
    const reply = await bench.call('/v1/embeddings', body, ['x-gateway-cost', 'true'])
    expect(reply.header('x-gateway-cost')).toBe('0.02')
    expect(bench.records[0]?.costUsd).toBeCloseTo(0.02)
  })

  test.each([
    [{ usage: { input_tokens: 3, output_tokens: 4, input_tokens_details: {} } }, 3, 4],
    [
      {
        usage: {
          type: 'tokens',
          input_tokens: 3,
          output_tokens: 4,
          input_token_details: { audio_tokens: 2 },
        },
      },
      3,
      4,
    ],
    [{ results: [], usage: { total_tokens: 9 } }, 9, 0],
    [{ results: [], meta: { billed_units: { search_units: 2 } } }, 0, 0],
    [{ text: 'a', usage: { type: 'duration', seconds: 12 } }, 0, 0],
    [{ results: [], meta: { tokens: { input_tokens: 5, output_tokens: 0 } } }, 5, 0],
  ])('has its usage read from %j', async (document, inputTokens, outputTokens) => {
    answerJson(document)
    await bench.call('/v1/rerank', { model: 'openai/m', query: 'a' })
    expect(bench.records[0]?.usage).toMatchObject({ inputTokens, outputTokens })
  })

  test('without a model goes to the only provider', async () => {
    answerJson({})
    await bench.call('/v1/moderations', { input: 'a' })
    expect(upstream.requests[0]?.text()).toBe('{"input":"a"}')
  })

  test('with a bare name that the catalogue does not know goes to the one wildcard', async () => {
    answerJson({})
    await bench.call('/v1/moderations', { input: 'a', model: 'omni-moderation-latest' })
    expect(upstream.requests[0]?.json()).toMatchObject({ model: 'omni-moderation-latest' })
  })

  test('names its fault in the usual form', async () => {
    const reply = await bench.call('/v1/embeddings', Buffer.from('[1]'))
    expect(reply.status).toBe(400)
    expect(reply.json).toMatchObject({ error: { type: 'invalid_request_error' } })
    const unknown = await bench.call('/v1/embeddings', { model: 'nobody/m', input: 'a' })
    expect(unknown.status).toBe(404)
    expect(unknown.json).toMatchObject({ error: { code: 'model_not_found' } })
  })
})

describe('a reply', () => {
  test('of sound passes byte for byte, with its type', async () => {
    const sound = Buffer.from(Uint8Array.from({ length: 100_000 }, (_, at) => (at * 31) % 256))
    answer({ headers: ['content-type', 'audio/mpeg'], frames: [sound.subarray(0, 7), sound.subarray(7)] })
    const body = { model: 'openai/tts-1', input: 'a', voice: 'b' }
    const reply = await bench.call('/v1/audio/speech', body, ['x-gateway-cost', 'true'])
    expect(reply.header('content-type')).toBe('audio/mpeg')
    expect(Buffer.concat(reply.pieces).equals(sound)).toBe(true)
    expect(reply.ending).toBe('end')
    expect(bench.records[0]).toMatchObject({ outcome: 'ok', usage: null })
  })

  test('that is an event stream passes byte for byte, and its last event tells the usage', async () => {
    const events = [
      'event: image_generation.partial_image\ndata: {"type":"image_generation.partial_image","b64_json":"AAAA"}\n\n',
      'event: image_generation.completed\ndata: {"type":"image_generation.completed","usage":{"input_tokens":2,"output_tokens":9}}\n\n',
    ]
    answer({ headers: ['content-type', 'text/event-stream'], frames: events })
    const reply = await bench.call('/v1/images/generations', {
      model: 'openai/gpt-image-1',
      prompt: 'a',
      stream: true,
    })
    expect(reply.text).toBe(events.join(''))
    expect(bench.records[0]).toMatchObject({ outcome: 'ok', usage: { inputTokens: 2, outputTokens: 9 } })
  })

  test('that breaks off is not passed for a whole one', async () => {
    answer({ headers: JSON_TYPE, frames: ['{"data":[', '1,'], behaviour: { delayBetweenFramesMs: 20 } })
    const reply = await bench.call('/v1/images/generations', { model: 'openai/m', prompt: 'a' })
    expect(reply.ending).toBe('abort')
    expect(bench.records[0]?.outcome).toBe('upstream-broke')
  })

  test('that is a list is the upstream’s business', async () => {
    const body = answerJson([{ index: 0, score: 0.5 }])
    const reply = await bench.call('/v1/rerank', { model: 'openai/m', query: 'a' })
    expect(reply.text).toBe(body)
    expect(bench.records[0]?.outcome).toBe('ok')
  })

  test('with an error passes with its status', async () => {
    const error = JSON.stringify({
      error: { message: 'no', type: 'invalid_request_error', code: null, param: null },
    })
    answer({ status: 400, headers: JSON_TYPE, body: error })
    const reply = await bench.call('/v1/embeddings', { model: 'openai/m', input: '' })
    expect([reply.status, reply.text]).toEqual([400, error])
  })
})

describe('older completions', () => {
  const frames = [
    'data: {"id":"c","object":"text_completion","choices":[{"index":0,"text":"one","logprobs":null,"finish_reason":null}]}\n\n',
    'data: {"id":"c","object":"text_completion","choices":[{"index":0,"text":" two","logprobs":null,"finish_reason":"stop"}]}\n\n',
    'data: {"id":"c","object":"text_completion","choices":[],"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}}\n\n',
    'data: [DONE]\n\n',
  ]

  test('stream with usage asked for, and hidden from a caller who did not ask', async () => {
    answer({ headers: ['content-type', 'text/event-stream'], frames })
    const reply = await bench.call('/v1/completions', { model: 'openai/m', prompt: 'a', stream: true })
    expect(upstream.requests[0]?.json()).toMatchObject({
      model: 'm',
      stream_options: { include_usage: true },
    })
    expect(reply.text).toBe(frames.filter((_, at) => at !== 2).join(''))
    const [record] = bench.records
    expect(record).toMatchObject({ streaming: true, usage: { inputTokens: 4, outputTokens: 2 } })
    expect(record?.firstContentMs).not.toBeNull()
  })

  test('show the usage to a caller who asked', async () => {
    answer({ headers: ['content-type', 'text/event-stream'], frames })
    const body = { model: 'openai/m', prompt: 'a', stream: true, stream_options: { include_usage: true } }
    expect((await bench.call('/v1/completions', body)).text).toBe(frames.join(''))
  })

  test('that break get the error form', async () => {
    answer({ headers: ['content-type', 'text/event-stream'], frames: frames.slice(0, 1) })
    const reply = await bench.call('/v1/completions', { model: 'openai/m', prompt: 'a', stream: true })
    expect(reply.text).toContain('data: {"error":')
    expect(reply.text).not.toContain('[DONE]')
  })
})

describe('files and batches', () => {
  test.each([
    ['GET', '/v1/files?limit=2&after=file-1'],
    ['GET', '/v1/files/file-abc'],
    ['GET', '/v1/files/file-abc/content'],
    ['DELETE', '/v1/files/file-abc'],
    ['GET', '/v1/batches?limit=1'],
    ['GET', '/v1/batches/batch_1'],
    ['POST', '/v1/batches/batch_1/cancel'],
  ])('%s %s goes to the only provider with path and query', async (method, target) => {
    const body = answerJson({ object: 'x', error: { message: 'part of the object' }, data: [] })
    const reply = await get(target, [], method)
    expect([reply.status, reply.text]).toEqual([200, body])
    const [seen] = upstream.requests
    expect([seen?.method, seen?.path]).toEqual([method, target])
    expect(seen?.header('authorization')).toBe('Bearer sk-openai')
    expect(bench.records[0]?.outcome).toBe('ok')
  })

  test('a batch is made with the bytes of the caller', async () => {
    answerJson({ id: 'batch_1' })
    const sent = '{ "input_file_id":"file-1", "endpoint":"/v1/chat/completions" }'
    await bench.call('/v1/batches', Buffer.from(sent))
    expect(upstream.requests[0]?.text()).toBe(sent)
  })

  test('of several providers the caller names one', async () => {
    await useProviders(wildcard('openai'), wildcard('groq', { pathPrefix: '/openai/v1' }))
    answerJson({})
    const refused = await get('/v1/files')
    expect(refused.status).toBe(400)
    expect(refused.text).toContain('x-gateway-provider: openai, groq')
    await get('/v1/files', ['x-gateway-provider', 'groq'])
    expect(upstream.requests.map(seen => [seen.path, seen.header('authorization')])).toEqual([
      ['/openai/v1/files', 'Bearer sk-groq'],
    ])
    expect(upstream.requests[0]?.header('x-gateway-provider')).toBeNull()
    const unknown = await get('/v1/files', ['x-gateway-provider', 'nobody'])
    expect(unknown.json).toMatchObject({ error: { code: 'provider_not_found' } })
  })

  test('the default provider needs no naming', async () => {
    await useProviders(
      wildcard('openai'),
      provider('groq/llama', upstream.origin, {
        provider: 'groq',
        pathPrefix: '/openai/v1',
        isDefault: true,
      }),
    )
    answerJson({})
    await get('/v1/files')
    expect(upstream.requests[0]?.path).toBe('/openai/v1/files')
  })

  test.each([
    '/v1/files/..',
    '/v1/files/%2e%2e',
    '/v1/files/a%2Fb',
    '/v1/files/a/b',
    '/v1/batches/'.concat('x'.repeat(300)),
  ])('an id that could be another path is none: %s', async target => {
    const { reply } = bench.open('GET', target, [], 0)
    expect((await reply.done).status).toBe(404)
    expect(upstream.requests).toEqual([])
  })

  test('a method that an endpoint has not is refused with those it has', async () => {
    const { reply } = bench.open('DELETE', '/v1/files', [], 0)
    const done = await reply.done
    expect([done.status, done.header('allow')]).toEqual([405, 'GET, POST'])
  })
})

describe('a provider without an OpenAI-compatible interface', () => {
  test('refuses in clear words', async () => {
    await useProviders(
      provider('anthropic/claude-sonnet-4-5', upstream.origin, {
        provider: 'anthropic',
        dialects: ['anthropic-messages'],
      }),
    )
    for (const path of ['/v1/embeddings', '/v1/images/generations']) {
      const reply = await bench.call(path, { model: 'anthropic/claude-sonnet-4-5', input: 'a' })
      expect(reply.status).toBe(404)
      expect(reply.text).toContain(`\`anthropic\` does not serve ${path}`)
    }
    expect((await get('/v1/files')).status).toBe(404)
    expect(upstream.requests).toEqual([])
  })
})

describe('what failed', () => {
  const down = { status: 503, headers: JSON_TYPE, body: '{"error":{"message":"down"}}' }

  async function fallbacks(): Promise<void> {
    await useProviders(
      provider('openai/m', upstream.origin, { fallbacks: ['groq/m'] }),
      provider('groq/m', upstream.origin, { provider: 'groq', pathPrefix: '/second' }),
    )
    upstream.always(request =>
      request.path.startsWith('/second') ? { headers: JSON_TYPE, body: '{}' } : down,
    )
  }

  test('is sent to the fallback where twice is no more than once', async () => {
    await fallbacks()
    const reply = await bench.call('/v1/embeddings', { model: 'openai/m', input: 'a' })
    expect(reply.status).toBe(200)
    expect(upstream.requests.map(seen => seen.path)).toEqual(['/v1/embeddings', '/second/embeddings'])
  })

  test('is not sent again where it may have had an effect', async () => {
    await fallbacks()
    const reply = await bench.call('/v1/images/generations', { model: 'openai/m', prompt: 'a' })
    expect(reply.status).toBe(503)
    expect(upstream.requests).toHaveLength(1)
  })

  test('without ever being sent is sent to the fallback in any case', async () => {
    const gone = await startFakeUpstream()
    await gone.close()
    await useProviders(
      provider('openai/m', gone.origin, { fallbacks: ['groq/m'] }),
      provider('groq/m', upstream.origin, { provider: 'groq' }),
    )
    answerJson({ data: [] })
    const reply = await bench.call('/v1/images/generations', { model: 'openai/m', prompt: 'a' })
    expect(reply.status).toBe(200)
  })
})

describe('the official client', () => {
  function client(): OpenAI {
    return new OpenAI({ apiKey: 'k', baseURL: 'http://gateway/v1', fetch: benchFetch(bench), maxRetries: 0 })
  }

  test('gets embeddings in the form it asks for unasked', async () => {
    const vector = Float32Array.from([0.5, -1.25, 3])
    answerJson({
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: Buffer.from(vector.buffer).toString('base64') }],
      usage: { prompt_tokens: 1, total_tokens: 1 },
    })
    const reply = await client().embeddings.create({ model: 'openai/text-embedding-3-small', input: 'a' })
    expect(reply.data[0]!.embedding).toEqual([0.5, -1.25, 3])
    expect(upstream.requests[0]?.json()).toMatchObject({ encoding_format: 'base64' })
  })

  test('lists files, reads one and deletes it', async () => {
    upstream.always(request => {
      if (request.path.endsWith('/content'))
        return { headers: ['content-type', 'application/octet-stream'], body: 'abc' }
      const file = { id: 'file-1', object: 'file', bytes: 3, created_at: 1, filename: 'a', purpose: 'batch' }
      if (request.method === 'DELETE') return { headers: JSON_TYPE, body: '{"id":"file-1","deleted":true}' }
      return { headers: JSON_TYPE, body: JSON.stringify({ object: 'list', data: [file], has_more: false }) }
    })
    const files = await client().files.list()
    expect(files.data[0]?.id).toBe('file-1')
    expect(await (await client().files.content('file-1')).text()).toBe('abc')
    expect((await client().files.delete('file-1')).deleted).toBe(true)
  })

  test('is given sound', async () => {
    answer({ headers: ['content-type', 'audio/mpeg'], body: Buffer.from([1, 2, 255, 0]) })
    const speech = await client().audio.speech.create({ model: 'openai/tts-1', voice: 'alloy', input: 'a' })
    expect([...new Uint8Array(await speech.arrayBuffer())]).toEqual([1, 2, 255, 0])
  })
})

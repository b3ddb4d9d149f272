// `/v1/models` and `/v1/models/{id}` as three official clients ask for them, and as their vendors would answer.

import Anthropic from '@anthropic-ai/sdk'
import { ApiError, GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { benchFetch } from './forward-fetch.ts'
import { Bench, provider, type Reply } from './harness.ts'

const ORIGIN = 'http://127.0.0.1:9'

let bench: Bench

beforeEach(() => {
  bench = new Bench({
    providers: [
      provider('openai/gpt-4o', ORIGIN),
      provider('anthropic/claude-sonnet-4-5', ORIGIN, {
        provider: 'anthropic',
        dialects: ['anthropic-messages'],
      }),
      provider('openai/text-embedding-3-small', ORIGIN),
      provider('mine/odd', ORIGIN, { provider: 'openai', model: 'odd' }),
      provider('secret/router', ORIGIN, { internal: true }),
      provider('groq/*', ORIGIN, { provider: 'groq', model: '*', wildcardPrefix: 'groq' }),
      provider('demo/echo', ORIGIN, { provider: 'demo', model: 'echo' }),
    ],
    aliases: { fast: 'openai/gpt-4o' },
  })
})

afterEach(async () => {
  vi.unstubAllGlobals()
  await bench.close()
  expect(bench.bugs).toEqual([])
})

const NAMES = [
  'openai/gpt-4o',
  'anthropic/claude-sonnet-4-5',
  'openai/text-embedding-3-small',
  'mine/odd',
  'demo/echo',
  'fast',
]

function get(target: string, headers: readonly string[] = []): Promise<Reply> {
  return bench.open('GET', target, headers, 0).reply.done
}

async function collected<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of pages) items.push(item)
  return items
}

function anthropic(
  options: Partial<ConstructorParameters<typeof Anthropic>[0]> = { apiKey: 'k' },
): Anthropic {
  return new Anthropic({ baseURL: 'http://gateway', fetch: benchFetch(bench), maxRetries: 0, ...options })
}

function gemini(): GoogleGenAI {
  vi.stubGlobal('fetch', benchFetch(bench))
  return new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: 'http://gateway' } })
}

function client(): OpenAI {
  return new OpenAI({ apiKey: 'k', baseURL: 'http://gateway/v1', fetch: benchFetch(bench), maxRetries: 0 })
}

describe('OpenAI’s client', () => {
  test('lists every model that is not internal, aliases last', async () => {
    const models = await collected(client().models.list())
    expect(models.map(model => model.id)).toEqual(NAMES)
    expect(models[0]).toMatchObject({ object: 'model', created: 0, owned_by: 'OpenAI' })
  })

  test('retrieves each listed model, and a model by its bare name', async () => {
    for (const name of NAMES) expect((await client().models.retrieve(name)).id).toBe(name)
    expect((await client().models.retrieve('gpt-4o')).id).toBe('gpt-4o')
  })

  test('is told of a model that is not there, with the nearest name', async () => {
    const error = await client()
      .models.retrieve('openai/gpt-4p')
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OpenAI.NotFoundError)
    expect((error as Error).message).toContain('Did you mean openai/gpt-4o')
    const internal = await client()
      .models.retrieve('secret/router')
      .catch((thrown: unknown) => thrown)
    expect(internal).toBeInstanceOf(OpenAI.NotFoundError)
  })
})

describe('Anthropic’s client', () => {
  test.each([
    ['a key', { apiKey: 'k' }],
    ['a token', { apiKey: null, authToken: 't' }],
  ])('with %s lists in its own shape, page by page', async (_how, credentials) => {
    const models = await collected(anthropic(credentials).models.list({ limit: 2 }))
    expect(models.map(model => model.id)).toEqual(NAMES)
    expect(bench.records).toHaveLength(3)
    expect(models[1]).toMatchObject({
      type: 'model',
      display_name: 'anthropic/claude-sonnet-4-5 (Anthropic)',
      max_input_tokens: 200_000,
      max_tokens: 64_000,
      capabilities: null,
      lifecycle: 'active',
    })
  })

  test('pages backwards', async () => {
    const page = await anthropic().models.list({ limit: 2, before_id: 'mine/odd' })
    expect(page.data.map(model => model.id)).toEqual(NAMES.slice(1, 3))
    expect(page.has_more).toBe(true)
    const first = await anthropic().models.list({ limit: 2, before_id: NAMES[1]! })
    expect([first.data.map(model => model.id), first.has_more]).toEqual([NAMES.slice(0, 1), false])
  })

  test('retrieves a model whose name has a slash', async () => {
    expect((await anthropic().models.retrieve('mine/odd')).max_input_tokens).toBeNull()
  })

  test.each([
    ['limit=0'],
    ['limit=1001'],
    ['limit=two'],
    ['after_id=nobody'],
    ['after_id=fast&before_id=fast'],
  ])('is refused the page %s in its own form', async query => {
    const reply = await get(`/v1/models?${query}`, ['anthropic-version', '2023-06-01'])
    expect(reply.status).toBe(400)
    expect(reply.json).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
  })

  test('is told of a model that is not there in its own form', async () => {
    const error = await anthropic()
      .models.retrieve('nobody')
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Anthropic.NotFoundError)
  })
})

describe('what a wildcard covers and no list names', () => {
  const id = 'groq/gpt-4o-of-tomorrow'

  test('is retrieved by every client, as it can be called', async () => {
    expect(await client().models.retrieve(id)).toMatchObject({ id, owned_by: 'groq' })
    expect(await anthropic().models.retrieve(id)).toMatchObject({ id, type: 'model' })
    expect(await gemini().models.get({ model: id })).toMatchObject({ name: `models/${id}` })
  })
})

describe('Google’s client', () => {
  test('is told of a model that is not there in its own form', async () => {
    const thrown = await gemini()
      .models.get({ model: 'nobody' })
      .catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(ApiError)
    expect(thrown).toMatchObject({ status: 404, message: expect.stringContaining('"status":"NOT_FOUND"') })
  })

  test('lists in its own shape, page by page', async () => {
    const pager = await gemini().models.list({ config: { pageSize: 4 } })
    const models = await collected(pager)
    expect(models.map(model => model.name)).toEqual(NAMES.map(name => `models/${name}`))
    expect(bench.records).toHaveLength(2)
    expect(models[0]).toMatchObject({
      displayName: 'openai/gpt-4o (OpenAI)',
      inputTokenLimit: 128_000,
      outputTokenLimit: 16_384,
      supportedActions: ['generateContent', 'streamGenerateContent', 'countTokens'],
    })
    expect(models[2]?.supportedActions).toEqual([])
  })

  test('retrieves a model whose name has a slash', async () => {
    const model = await gemini().models.get({ model: 'models/anthropic/claude-sonnet-4-5' })
    expect(model).toMatchObject({ name: 'models/anthropic/claude-sonnet-4-5', inputTokenLimit: 200_000 })
  })

  test('is refused a page that is none in its own form', async () => {
    const reply = await get('/v1beta/models?pageToken=nobody')
    expect(reply.status).toBe(400)
    expect(reply.json).toMatchObject({ error: { status: 'INVALID_ARGUMENT' } })
  })

  test.each([
    ['/v1/models?key=k', []],
    ['/v1/models', ['x-goog-api-key', 'k']],
    ['/v1beta/models', []],
  ])('is known at %s by %j', async (target, headers) => {
    expect((await get(target, headers)).json).toHaveProperty('models')
  })
})

describe('an entry', () => {
  async function entry(name: string): Promise<Record<string, unknown>> {
    return (await get(`/v1/models/${name}`)).json as Record<string, unknown>
  }

  test('tells context, modalities and prices from the catalogue, with their source and day', async () => {
    expect(await entry('openai/gpt-4o')).toMatchObject({
      context_length: 128_000,
      max_output_tokens: 16_384,
      architecture: { input_modalities: ['text', 'image', 'document'], output_modalities: ['text'] },
      pricing: { prompt: '0.0000025', completion: '0.00001', input_cache_read: '0.00000125' },
      pricing_source: { currency: 'USD', as_of: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) as string },
    })
  })

  test('of an alias says what it stands for and what that can do', async () => {
    expect(await entry('fast')).toMatchObject({
      id: 'fast',
      alias_of: 'openai/gpt-4o',
      context_length: 128_000,
    })
  })

  test('of an unknown model claims nothing', async () => {
    const found = await entry('mine/odd')
    expect(found).toMatchObject({ context_length: null, max_output_tokens: null })
    expect(Object.keys(found)).not.toContain('pricing')
  })

  test('of the demonstration says that it is one, to whoever asks', async () => {
    expect(await entry('demo/echo')).toMatchObject({
      demo: true,
      description: expect.stringContaining('echoes') as string,
    })
    expect((await anthropic().models.retrieve('demo/echo')).display_name).toContain('demonstration')
    expect((await gemini().models.get({ model: 'models/demo/echo' })).description).toContain('echoes')
  })
})

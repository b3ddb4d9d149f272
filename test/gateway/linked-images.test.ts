// Pictures named by address, for models that take them by value only: fetched where the configuration allows it, told
// apart from what a caller may not ask for, in every dialect of a caller.

import { createServer, type Server } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createImageFetcher, type ImageFetcher, isPublicAddress } from '../../src/upstream/index.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { Bench, provider, type Reply } from './harness.ts'

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
const BASE64 = PNG.toString('base64')

let pictures: Server
let asked: string[]
let images: ImageFetcher
let upstream: FakeUpstream
let bench: Bench
let origin: string

const local: LookupFunction = (_host, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}

beforeEach(async () => {
  asked = []
  pictures = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (request.url?.startsWith('/gone') === true) response.statusCode = 404
    response.end(PNG)
  })
  await new Promise<void>(resolve => pictures.listen(0, '127.0.0.1', resolve))
  origin = `http://pictures.example:${(pictures.address() as AddressInfo).port}`
  upstream = await startFakeUpstream()
  images = createImageFetcher({ lookup: local, allowed: () => true })
  bench = open(images)
})

afterEach(async () => {
  await bench.close()
  await upstream.close()
  await images.close()
  pictures.closeAllConnections()
  await new Promise(resolve => pictures.close(resolve))
  expect(bench.bugs).toEqual([])
})

function open(fetcher: ImageFetcher | null): Bench {
  const bedrock = provider('amazon_bedrock/claude-sonnet-4-5', upstream.origin, {
    name: 'bedrock',
    provider: 'amazon_bedrock',
    dialects: ['bedrock-converse'],
    pathPrefix: '',
  })
  return new Bench({
    providers: [
      bedrock,
      { ...bedrock, name: 'several', fallbacks: ['bedrock'] },
      { ...bedrock, name: 'blind', model: 'nova-micro' },
      provider('ollama/llava', upstream.origin, { name: 'ollama', provider: 'ollama' }),
      provider('gemini/gemini-2.5-pro', upstream.origin, {
        name: 'gemini',
        provider: 'gemini',
        dialects: ['gemini-generate'],
      }),
      provider('anthropic/claude-sonnet-4-5', upstream.origin, {
        name: 'claude',
        provider: 'anthropic',
        dialects: ['anthropic-messages'],
      }),
    ],
    ...(fetcher === null ? {} : { images: fetcher }),
  })
}

function chat(model: string, ...urls: string[]): Promise<Reply> {
  const parts = urls.map(url => ({ type: 'image_url', image_url: { url } }))
  const content = [{ type: 'text', text: 'what is this?' }, ...parts]
  return call('/v1/chat/completions', { model, messages: [{ role: 'user', content }] })
}

function call(path: string, body: unknown): Promise<Reply> {
  return bench.call(path, Buffer.from(JSON.stringify(body)), ['content-type', 'application/json'])
}

/** What the upstream was sent in place of pictures. */
function sent(): unknown[] {
  const found: unknown[] = []
  JSON.parse(upstream.requests.at(-1)!.text(), (key, value) => {
    if (key === 'image' || key === 'image_url') found.push(value)
    return value
  })
  return found
}

const CONVERSE = {
  headers: ['content-type', 'application/json'],
  body: '{"output":{"message":{"role":"assistant","content":[{"text":"a"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}',
}
const INLINE = { format: 'png', source: { bytes: BASE64 } }

describe('a picture named by address', () => {
  test.each<[string, string, (url: string) => unknown]>([
    [
      'Chat',
      '/v1/chat/completions',
      url => ({
        model: 'bedrock',
        messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
      }),
    ],
    [
      'Responses',
      '/v1/responses',
      url => ({
        model: 'bedrock',
        input: [{ role: 'user', content: [{ type: 'input_image', image_url: url }] }],
      }),
    ],
    [
      'Messages',
      '/v1/messages',
      url => ({
        model: 'bedrock',
        max_tokens: 9,
        messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url } }] }],
      }),
    ],
    [
      'Gemini',
      '/v1beta/models/bedrock:generateContent',
      url => ({
        contents: [{ role: 'user', parts: [{ fileData: { fileUri: url, mimeType: 'image/jpeg' } }] }],
      }),
    ],
  ])('is fetched for a %s client and given to the model by value', async (_client, path, body) => {
    const reply = await call(path, body(`${origin}/a.png?x=1`))
    expect([reply.status, reply.text]).toEqual([200, expect.any(String)])
    expect(asked).toEqual(['/a.png?x=1'])
    expect(sent()).toEqual([INLINE])
  })

  test('in a tool’s result is fetched, too', async () => {
    const reply = await call('/v1/messages', {
      model: 'bedrock',
      max_tokens: 9,
      tools: [{ name: 'look', input_schema: { type: 'object' } }],
      messages: [
        { role: 'user', content: 'look' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'look', input: {} }] },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 't1',
              content: [{ type: 'image', source: { type: 'url', url: `${origin}/t.png` } }],
            },
          ],
        },
      ],
    })
    expect(reply.status).toBe(200)
    expect(sent()).toEqual([INLINE])
  })

  test('is fetched once, however often it is named', async () => {
    expect((await chat('bedrock', `${origin}/a.png`, `${origin}/b.png`, `${origin}/a.png`)).status).toBe(200)
    expect(asked.sort()).toEqual(['/a.png', '/b.png'])
    expect(sent()).toEqual([INLINE, INLINE, INLINE])
  })

  test('is fetched once, however many targets are tried', async () => {
    let calls = 0
    upstream.always(() => (++calls === 1 ? { status: 503, body: '' } : CONVERSE))
    expect((await chat('several', `${origin}/a.png`)).status).toBe(200)
    expect(calls).toBe(2)
    expect(asked).toEqual(['/a.png'])
    expect(sent()).toEqual([INLINE])
  })

  test('is fetched for a host that takes data addresses only', async () => {
    expect((await chat('ollama', `${origin}/a.png`)).status).toBe(200)
    expect(sent()).toEqual([{ url: `data:image/png;base64,${BASE64}` }])
  })

  test('is fetched for Gemini, which wants to be told its type', async () => {
    expect((await chat('gemini', `${origin}/no-ending`)).status).toBe(200)
    expect(asked).toEqual(['/no-ending'])
    expect(upstream.requests[0]!.text()).toContain(`"inlineData":{"mimeType":"image/png","data":"${BASE64}"}`)
  })

  test('that is a file of Gemini’s is left to Gemini', async () => {
    const url = 'https://generativelanguage.googleapis.com/v1beta/files/abc'
    expect((await chat('gemini', url)).status).toBe(200)
    expect(asked).toEqual([])
    expect(upstream.requests[0]!.text()).toContain(url)
  })

  test('is left to an upstream that fetches itself', async () => {
    expect((await chat('claude', `${origin}/a.png`)).status).toBe(200)
    expect(asked).toEqual([])
    expect(upstream.requests[0]!.text()).toContain(`${origin}/a.png`)
  })

  test('is not fetched for a model that sees nothing', async () => {
    const reply = await chat('blind', `${origin}/a.png`)
    expect(reply.status).toBe(400)
    expect(asked).toEqual([])
  })

  test('is not fetched when it stands in a text', async () => {
    const messages = [{ role: 'user', content: `see the image at ${origin}/a.png` }]
    expect((await call('/v1/chat/completions', { model: 'bedrock', messages })).status).toBe(200)
    expect(asked).toEqual([])
  })
})

describe('a caller is told', () => {
  test('which member names what cannot be had, and nothing is sent', async () => {
    const reply = await chat('several', `${origin}/a.png`, `${origin}/gone.png?secret=1`)
    expect(reply.status).toBe(400)
    const { error } = reply.json as { error: { message: string } }
    expect(error).toMatchObject({
      param: 'messages[0].content[2]',
      code: 'image_not_fetched',
      type: 'invalid_request_error',
    })
    expect(error.message).toContain(`the image at ${new URL(origin).host} was answered with status 404`)
    expect(reply.text).not.toContain('secret')
    expect(upstream.requests).toEqual([])
    expect(bench.records[0]).toMatchObject({ status: 400, errorKind: 'bad-request' })
  })

  test.each([
    ['/v1/messages', { error: { type: 'invalid_request_error' }, type: 'error' }],
    ['/v1beta/models/bedrock:generateContent', { error: { status: 'INVALID_ARGUMENT', code: 400 } }],
  ])('in its own form: %s', async (path, form) => {
    await bench.close()
    bench = open(createImageFetcher({ allowed: isPublicAddress }))
    const url = 'http://169.254.169.254/latest/meta-data/'
    const body =
      path === '/v1/messages'
        ? {
            model: 'bedrock',
            max_tokens: 9,
            messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url } }] }],
          }
        : { contents: [{ role: 'user', parts: [{ fileData: { fileUri: url, mimeType: 'image/png' } }] }] }
    const reply = await call(path, body)
    expect(reply.status).toBe(400)
    expect(reply.json).toMatchObject(form)
    expect(reply.text).toContain('the image at 169.254.169.254 is not at a public address')
    expect(upstream.requests).toEqual([])
  })

  test('that there are too many', async () => {
    const urls = Array.from({ length: 21 }, (_, at) => `${origin}/${at}.png`)
    const reply = await chat('bedrock', ...urls)
    expect(reply.status).toBe(400)
    expect(reply.json).toMatchObject({ error: { param: 'messages[0].content[21]' } })
    expect(asked).toEqual([])
  })

  test('that the model takes them by value only, where nothing is fetched', async () => {
    await bench.close()
    bench = open(null)
    for (const model of ['bedrock', 'ollama']) {
      const reply = await chat(model, `${origin}/a.png`)
      expect(reply.status).toBe(400)
      expect(reply.text).toContain('by value')
    }
    expect(asked).toEqual([])
    expect(upstream.requests).toEqual([])
  })
})

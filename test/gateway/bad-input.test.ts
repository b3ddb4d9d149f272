// What every ingress says to input it cannot serve: the right status, in the caller's own error form, naming the
// problem; and the engine goes on.

import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DialectId } from '../../src/translate/index.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { Bench, provider, type Reply } from './harness.ts'

interface Ingress {
  readonly path: string
  readonly dialect: DialectId
  readonly body: Record<string, unknown>
}

const TURN = [{ role: 'user', content: 'hello' }]
const CONTENTS = [{ role: 'user', parts: [{ text: 'hello' }] }]
const INGRESSES: readonly Ingress[] = [
  { path: '/v1/chat/completions', dialect: 'openai-chat', body: { model: 'openai/gpt-4o', messages: TURN } },
  { path: '/v1/responses', dialect: 'openai-responses', body: { model: 'openai/gpt-4o', input: 'hello' } },
  {
    path: '/v1/messages',
    dialect: 'anthropic-messages',
    body: { model: 'openai/gpt-4o', max_tokens: 10, messages: TURN },
  },
  {
    path: '/v1/messages/count_tokens',
    dialect: 'anthropic-messages',
    body: { model: 'openai/gpt-4o', messages: TURN },
  },
  {
    path: '/model/openai%2Fgpt-4o/converse',
    dialect: 'bedrock-converse',
    body: { messages: [{ role: 'user', content: [{ text: 'hello' }] }] },
  },
  {
    path: '/model/openai%2Fgpt-4o/converse-stream',
    dialect: 'bedrock-converse',
    body: { messages: [{ role: 'user', content: [{ text: 'hello' }] }] },
  },
  {
    path: '/v1beta/models/openai%2Fgpt-4o:generateContent',
    dialect: 'gemini-generate',
    body: { contents: CONTENTS },
  },
  {
    path: '/v1beta/models/openai%2Fgpt-4o:streamGenerateContent?alt=sse',
    dialect: 'gemini-generate',
    body: { contents: CONTENTS },
  },
  {
    path: '/v1beta/models/openai%2Fgpt-4o:countTokens',
    dialect: 'gemini-generate',
    body: { contents: CONTENTS },
  },
]

let upstream: FakeUpstream
let bench: Bench

beforeAll(async () => {
  upstream = await startFakeUpstream()
  bench = new Bench({ providers: [provider('openai/gpt-4o', upstream.origin)] })
})

afterAll(async () => {
  await bench.close()
  await upstream.close()
})

/** The message of an error in the dialect's own form; fails when it has another. */
function messageOf(reply: Reply, dialect: DialectId): string {
  expect(reply.header('content-type')).toMatch(/^application\/json/)
  const body = reply.json as {
    error: { message: string; type?: string; code?: unknown; status?: string }
    type?: string
    message?: string
  }
  switch (dialect) {
    case 'openai-chat':
    case 'openai-responses':
      expect(Object.keys(body.error).sort()).toEqual(['code', 'message', 'param', 'type'])
      return body.error.message
    case 'anthropic-messages':
      expect(body.type).toBe('error')
      expect(typeof body.error.type).toBe('string')
      return body.error.message
    case 'bedrock-converse':
      expect(reply.header('x-amzn-errortype')).not.toBeNull()
      return body.message!
    case 'gemini-generate':
      expect(body.error.code).toBe(reply.status)
      expect(typeof body.error.status).toBe('string')
      return body.error.message
  }
}

const bytes = (text: string): Uint8Array => Buffer.from(text)
const deep = (brackets: number): Uint8Array => bytes(`{"a":${'['.repeat(brackets)}${']'.repeat(brackets)}}`)

describe.each(INGRESSES)('$path', ({ path, dialect, body }) => {
  test.each<[string, Uint8Array, number, RegExp, readonly string[]]>([
    ['an empty body', bytes(''), 400, /empty/, []],
    ['what is not JSON', bytes('hello'), 400, /JSON/, []],
    ['half a JSON document', bytes('{"model":'), 400, /JSON/, []],
    ['JSON that is no object', bytes('[1,2]'), 400, /object/, []],
    ['100,000 brackets', deep(100_000), 400, /deep|nest/, []],
    ['text that is not UTF-8', Buffer.from('7b2261223a22c3287d', 'hex'), 400, /UTF-8|JSON/, []],
    ['a gzip body that is none', bytes('{}'), 400, /gzip/, ['content-encoding', 'gzip']],
    ['an unknown coding', bytes('{}'), 415, /gzip, deflate, br/, ['content-encoding', 'zstd']],
    [
      'a small bomb',
      gzipSync(Buffer.alloc(2_000_000, 0x20)),
      413,
      /1000000 bytes/,
      ['content-encoding', 'gzip'],
    ],
  ])('%s', async (_what, sent, status, message, headers) => {
    const reply = await bench.call(path, sent, headers)
    expect(reply.status).toBe(status)
    expect(messageOf(reply, dialect)).toMatch(message)
    expect(reply.header('x-request-id')).not.toBeNull()
  })

  test('another content type', async () => {
    const { reply, sink } = bench.open('POST', path, ['content-type', 'text/plain'])
    sink.body(bytes('{}'))
    await reply.done
    expect(reply.status).toBe(415)
    expect(messageOf(reply, dialect)).toContain('application/json')
  })

  test('another method', async () => {
    const { reply } = bench.open('DELETE', path, [])
    await reply.done
    expect(reply.status).toBe(405)
    expect(reply.header('allow')).toBe('POST')
    messageOf(reply, dialect)
  })

  test('a model that does not exist, naming those that do', async () => {
    const unknown = path.includes('%2F')
      ? bench.call(path.replace('gpt-4o', 'gpt-5o'), body)
      : bench.call(path, { ...body, model: 'openai/gpt-5o' })
    const reply = await unknown
    expect([400, 404]).toContain(reply.status)
    expect(messageOf(reply, dialect)).toMatch(/gpt-5o.*openai\/gpt-4o/)
  })

  test('compressed bodies that are sound are served', async () => {
    const plain = Buffer.from(JSON.stringify(body))
    for (const [coding, packed] of [
      ['gzip', gzipSync(plain)],
      ['br', brotliCompressSync(plain)],
    ] as const) {
      const reply = await bench.call(path, packed, ['content-encoding', coding])
      expect(reply.status, reply.text).toBe(200)
    }
  })
})

test('an unknown path is a 404 in the dialect of its family, listing what exists', async () => {
  for (const [path, dialect] of [
    ['/v1/messages/batches/x', 'anthropic-messages'],
    ['/v1/nothing', 'openai-chat'],
    ['/model/x/nothing', 'bedrock-converse'],
    ['/v1beta/models/x:nothing', 'gemini-generate'],
  ] as const) {
    const { reply } = bench.open('POST', path, [])
    await reply.done
    expect(reply.status).toBe(404)
    expect(messageOf(reply, dialect)).toContain('POST /v1/chat/completions')
  }
})

test.each([
  ['/v1/chat/completions', { model: 'openai/gpt-4o', messages: 'x' }],
  ['/v1/messages', { model: 'openai/gpt-4o', max_tokens: 'many', messages: TURN }],
  ['/v1/responses', { model: 'openai/gpt-4o', input: 7 }],
])('a member of the wrong kind on %s is named with its path', async (path, body) => {
  const translated = new Bench({
    providers: [provider('openai/gpt-4o', upstream.origin, { dialects: ['gemini-generate'] })],
  })
  const reply = await translated.call(path, body)
  expect(reply.status).toBe(400)
  expect(reply.text).toMatch(/messages|max_tokens|input/)
  await translated.close()
})

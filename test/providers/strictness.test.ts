// The strict personalities are worth something only if they refuse: one bad request for every rule they know.

import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { responsesFaults } from '../support/fake-upstream/personalities/bodies.ts'
import { HOSTS, strict } from '../support/fake-upstream/personalities/index.ts'

type Json = Record<string, unknown>

const USER = { role: 'user', content: 'hi' }
const CHAT: Json = { model: 'm', messages: [USER] }
const MESSAGES: Json = { model: 'm', max_tokens: 5, messages: [USER] }
const CONVERSE: Json = { messages: [{ role: 'user', content: [{ text: 'hi' }] }] }
const GEMINI: Json = { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }
const ANSWER = { role: 'assistant', content: 'x' }
const RESULT = { role: 'tool', tool_call_id: 'call_1', content: 'x' }
const TOOL = { name: 'f', input_schema: { type: 'object' } }
const TOOL_USE = { toolUse: { toolUseId: 't1', name: 'f', input: {} } }
const BEARER = { authorization: 'Bearer k' }
const ANTHROPIC = { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' }

let upstream: FakeUpstream

beforeEach(async () => {
  upstream = await startFakeUpstream()
})

afterEach(() => upstream.close())

/** Exactly these fields: `fetch` would add some of its own. */
function answer(
  host: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Json,
): Promise<readonly [number, string]> {
  upstream.always(strict(host, { key: 'k', secrets: ['sk-caller'] }))
  const text = JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const sent = request(
      upstream.origin + path,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': text.length, ...headers },
      },
      reply => {
        const pieces: Buffer[] = []
        reply.on('data', (piece: Buffer) => pieces.push(piece))
        reply.on('end', () => resolve([reply.statusCode!, Buffer.concat(pieces).toString()]))
      },
    )
    sent.on('error', reject)
    sent.end(text)
  })
}

test('a sound request is accepted', async () => {
  expect((await answer('openai', '/v1/chat/completions', BEARER, CHAT))[0]).toBe(200)
  expect((await answer('anthropic', '/v1/messages', ANTHROPIC, MESSAGES))[0]).toBe(200)
})

describe('paths and credentials', () => {
  test.each([
    ['openai', '/chat/completions', BEARER, 404, /no endpoint/],
    ['groq', '/v1/chat/completions', BEARER, 404, /no endpoint/],
    ['azure_openai', '/openai/v1/chat/completions', BEARER, 401, /api-key is not the key/],
    [
      'openai',
      '/v1/chat/completions',
      { authorization: 'Bearer sk-caller' },
      401,
      /authorization is not the key/,
    ],
    ['openai', '/v1/chat/completions', { ...BEARER, 'x-api-key': 'k' }, 401, /x-api-key is foreign/],
    ['ollama', '/v1/chat/completions', BEARER, 401, /host without keys/],
  ] as const)('%s %s', async (host, path, headers, status, message) => {
    const [found, text] = await answer(host, path, headers, CHAT)
    expect(found).toBe(status)
    expect(text).toMatch(message)
  })

  test.each([
    ['an unknown field', { ...BEARER, 'x-gateway-strict': 'true' }, CHAT, /foreign field x-gateway-strict/],
    [
      'a field of another dialect',
      { ...BEARER, 'anthropic-version': '1' },
      CHAT,
      /foreign field anthropic-version/,
    ],
    ['a secret of the caller', BEARER, { ...CHAT, user: 'sk-caller' }, /a secret of the caller/],
  ])('%s', async (_what, headers, body, message) => {
    const [status, text] = await answer(
      'openai',
      '/v1/chat/completions',
      headers as Record<string, string>,
      body,
    )
    expect(status).toBe(400)
    expect(text).toMatch(message)
  })
})

function bodyFaults(host: string, body: Json, headers: Record<string, string> = {}): string {
  const endpoint = HOSTS[host]![0]!
  const asked = {
    path: '/model/a%3A0/converse',
    header: (name: string) => headers[name] ?? null,
  }
  return endpoint.faults(body, asked as never).join('; ')
}

describe('bodies', () => {
  const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }
  const thinking = (signature: string): Json => ({
    ...MESSAGES,
    messages: [USER, { role: 'assistant', content: [{ type: 'thinking', thinking: 'x', signature }] }, USER],
  })

  const answers = (input: readonly Json[]): string => responsesFaults({ model: 'm', input }).join('; ')

  test('Responses refuse calls without an output, outputs without a call, and ids of another kind', () => {
    const item = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }
    expect(answers([item])).toMatch(/No tool output found for function call c/)
    expect(answers([{ type: 'function_call_output', call_id: 'c', output: '' }])).toMatch(/without its call/)
    expect(answers([{ ...item, id: 'call_1' }])).toMatch(/begins with 'fc'/)
    expect(responsesFaults({ model: 'm', input: 'x', max_output_tokens: 5 })).toEqual([
      'max_output_tokens: expected a value >= 16',
    ])
  })

  test.each<readonly [string, Json, RegExp]>([
    ['mistral', { ...CHAT, user: 'u' }, /unknown member user/],
    ['mistral', { ...CHAT, messages: [{ role: 'assistant', tool_calls: [call] }] }, /length of 9/],
    ['mistral', { ...CHAT, messages: [{ role: 'developer', content: 'x' }] }, /role/],
    ['groq', { ...CHAT, logprobs: true }, /logprobs/],
    ['groq', { ...CHAT, messages: [{ ...USER, name: 'ada' }] }, /name is unsupported/],
    ['xai', { ...CHAT, web_search_options: {} }, /web_search_options/],
    ['xai', { ...CHAT, model: 'grok-4', stop: ['x'] }, /stop is not supported/],
    ['xai', { ...CHAT, model: 'grok-4', frequency_penalty: 1 }, /frequency_penalty is not supported/],
    ['deepseek', { ...CHAT, response_format: { type: 'json_schema' } }, /unavailable/],
    ['ollama', { ...CHAT, tool_choice: 'auto' }, /tool_choice/],
    ['openai', { ...CHAT, max_tokens: 1, max_completion_tokens: 1 }, /two limits/],
    ['openai', { ...CHAT, stream_options: {} }, /without stream/],
    [
      'openai',
      { ...CHAT, messages: [USER, { role: 'tool', tool_call_id: 'x', content: '' }] },
      /answers no call/,
    ],
    ['mistral', { ...CHAT, messages: [{ ...USER, name: 'ada' }] }, /unknown member messages\.name/],
    [
      'mistral',
      { ...CHAT, messages: [USER, { ...ANSWER, refusal: null }] },
      /unknown member messages\.refusal/,
    ],
    [
      'mistral',
      { ...CHAT, messages: [USER, { role: 'assistant', tool_calls: [call] }, RESULT, USER] },
      /Unexpected role 'user' after role 'tool'/,
    ],
    ['openai', { ...CHAT, messages: [USER, { role: 'assistant', tool_calls: [call] }] }, /no answer/],
    ['openai', { ...CHAT, messages: [{ role: 'assistant', content: null }] }, /says nothing/],
    ['openai', { ...CHAT, messages: [{ role: 'user', content: null }] }, /content is null/],
    ['openai', { ...CHAT, messages: [{ ...ANSWER, tool_calls: [] }] }, /too short/],
    ['openai', { ...CHAT, tool_choice: 'auto' }, /tool_choice is only allowed/],
    ['openai', { ...CHAT, tools: [] }, /tools must not be empty/],
    ['openai', { ...CHAT, tools: [{ type: 'function', function: { name: 'a b' } }] }, /name of a function/],
    ['openai', { ...CHAT, temperature: 3 }, /temperature must be/],
    ['openai', { ...CHAT, top_logprobs: 2 }, /top_logprobs without/],
    ['anthropic', MESSAGES, /anthropic-version/],
    ['anthropic', { ...MESSAGES, temperature: 1.5 }, /temperature must be/],
    ['anthropic', { ...MESSAGES, thinking: { type: 'enabled', budget_tokens: 3 } }, /equal to 1024/],
    [
      'anthropic',
      { ...MESSAGES, messages: [USER, { role: 'assistant', content: 'x ' }] },
      /trailing whitespace/,
    ],
    ['anthropic', { ...MESSAGES, tools: [{ name: 'f', input_schema: {} }] }, /input_schema\.type/],
    ['anthropic', { ...MESSAGES, tools: [TOOL, TOOL] }, /must be unique/],
    ['anthropic', { ...MESSAGES, tools: [{ ...TOOL, parameters: {} }] }, /unknown member tools\.parameters/],
    ['anthropic', { ...MESSAGES, tool_choice: { type: 'auto' } }, /while providing tools/],
    [
      'anthropic',
      { ...MESSAGES, tools: [TOOL], tool_choice: { type: 'any' }, thinking: { type: 'adaptive' } },
      /forces tool use/,
    ],
    [
      'anthropic',
      { ...MESSAGES, messages: [{ role: 'user', content: [{ type: 'text', text: 'x', id: 'y' }] }] },
      /unknown member text\.id/,
    ],
    [
      'anthropic',
      { ...MESSAGES, system: Array(5).fill({ type: 'text', text: 'x', cache_control: {} }) },
      /maximum of 4/,
    ],
    ['anthropic', { ...MESSAGES, max_tokens: undefined }, /max_tokens/],
    ['anthropic', { ...MESSAGES, frequency_penalty: 1 }, /unknown member/],
    ['anthropic', thinking('not base64!'), /Invalid `signature`/],
    ['anthropic', { ...MESSAGES, messages: [{ role: 'assistant', content: 'x' }] }, /first message/],
    [
      'anthropic',
      {
        ...MESSAGES,
        messages: [USER, { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f' }] }, USER],
      },
      /tool_use without a tool_result/,
    ],
    ['vertex_claude', MESSAGES, /Extra inputs.*anthropic_version/s],
    [
      'chatgpt',
      { model: 'm', input: 'x', store: true, temperature: 1 },
      /Store.*Stream.*list.*Instructions.*temperature/s,
    ],
    ['amazon_bedrock', { ...CONVERSE, model: 'm' }, /unknown member model/],
    ['amazon_bedrock', { ...CONVERSE, inferenceConfig: { topK: 1 } }, /unknown member inferenceConfig\.topK/],
    ['amazon_bedrock', { ...CONVERSE, inferenceConfig: { temperature: 2 } }, /temperature must be/],
    ['amazon_bedrock', { ...CONVERSE, toolConfig: { tools: [] } }, /length of at least 1/],
    [
      'amazon_bedrock',
      { messages: [...(CONVERSE['messages'] as Json[]), { role: 'assistant', content: [TOOL_USE] }] },
      /toolConfig field must be defined/,
    ],
    [
      'amazon_bedrock',
      {
        ...CONVERSE,
        toolConfig: { tools: [{ toolSpec: { name: 'a.b', description: '', inputSchema: {} } }] },
      },
      /pattern.*length of at least 1.*must be object/,
    ],
    [
      'amazon_bedrock',
      { messages: [...(CONVERSE['messages'] as Json[]), ...(CONVERSE['messages'] as Json[])] },
      /alternate/,
    ],
    ['amazon_bedrock', { messages: [{ role: 'user', content: [{ text: '' }] }] }, /blank/],
    [
      'vertex',
      { ...GEMINI, generationConfig: { max_tokens: 1 } },
      /unknown member generationConfig\.max_tokens/,
    ],
    [
      'vertex',
      { contents: [{ role: 'user', parts: [{ text: 'x', type: 'text' }] }] },
      /unknown member parts\.type/,
    ],
    [
      'vertex',
      {
        ...GEMINI,
        tools: [{ functionDeclarations: [{ name: 'f', parameters: { additionalProperties: false } }] }],
      },
      /unknown member schema\.additionalProperties/,
    ],
    ['vertex', { ...GEMINI, tools: [{ functionDeclarations: [{ name: '1 f' }] }] }, /Invalid function name/],
    ['vertex', { contents: [{ role: 'assistant', parts: [{ text: 'x' }] }] }, /valid role/],
    ['vertex', { contents: [{ role: 'user', parts: [{ functionResponse: {} }] }] }, /must equal/],
  ])('%s refuses %j', (host, body, message) => {
    expect(bodyFaults(host, body)).toMatch(message)
  })

  test('a signature of Anthropic’s form is taken', () => {
    const headers = { 'anthropic-version': '2023-06-01' }
    expect(bodyFaults('anthropic', thinking('c2lnbmF0dXJl'), headers)).toBe('')
  })
})

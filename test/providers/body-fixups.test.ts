// What each host and model is peculiar about, on both ways a body can take: relayed from a client of the upstream's own
// dialect, and written for a client of another.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Bench, type Reply } from '../gateway/harness.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { planOf } from './hosts.ts'

type Json = Record<string, unknown>

const MESSAGES = [{ role: 'user', content: 'hi' }]
const CHAT = '/v1/chat/completions'
const RESPONSES = '/v1/responses'
const ANTHROPIC = '/v1/messages'

let upstream: FakeUpstream
let bench: Bench | null = null

beforeEach(async () => {
  upstream = await startFakeUpstream()
})

afterEach(async () => {
  await bench?.close()
  await upstream.close()
})

async function call(
  entry: Json,
  path: string,
  body: unknown,
  headers: readonly string[] = [],
): Promise<{ reply: Reply; sent: string; json: Json }> {
  const plan = planOf({ access_key: 'k', ...entry, name: 'm' })
  bench = new Bench({ providers: [{ ...plan, origin: upstream.origin }] })
  const reply = await bench.call(path, body, headers)
  const last = upstream.requests.at(-1)
  return { reply, sent: last?.text() ?? '', json: last === undefined ? {} : (last.json() as Json) }
}

/** Members of a relayed Chat body before and after; everything else must be the same bytes. */
async function relayed(entry: Json, before: string, after: string): Promise<string | null> {
  const model = String(entry['model']).slice(String(entry['model']).indexOf('/') + 1)
  const written = (members: string): string =>
    `{"model": "${model}" , "messages":${JSON.stringify(MESSAGES)}${members}, "x_own": 1e2}`
  const { reply, sent } = await call(entry, CHAT, Buffer.from(written(before).replace(model, 'm')))
  expect(sent).toBe(written(after))
  expect(reply.status).toBe(200)
  return reply.header('x-gateway-warnings')
}

const REASONING =
  ',"max_tokens":9,"temperature":0.2,"top_p":0.5,"stop":["x"],"presence_penalty":1,"frequency_penalty":1,"logprobs":true,"top_logprobs":2,"logit_bias":{"1":2}'

describe('a relayed body changes in exactly these members', () => {
  test.each([
    ['xai', { model: 'xai/grok-4' }, ',"web_search_options":{},"n":1', ',"n":1'],
    ['OpenAI o-series', { model: 'openai/o3' }, REASONING, ',"max_completion_tokens":9'],
    [
      'OpenAI o-series through an aggregator',
      { model: 'openrouter/openai/o3-mini' },
      REASONING,
      ',"max_completion_tokens":9',
    ],
    ['gpt-5', { model: 'openai/gpt-5-mini' }, REASONING, ',"max_completion_tokens":9'],
    ['gpt-4o, which takes everything', { model: 'openai/gpt-4o' }, REASONING, REASONING],
    ['groq', { model: 'groq/llama-3.3-70b' }, ',"logprobs":true,"logit_bias":{"1":2},"seed":1', ',"seed":1'],
    ['deepseek', { model: 'deepseek/deepseek-chat' }, ',"max_completion_tokens":9', ',"max_tokens":9'],
    [
      'ollama',
      { model: 'ollama/llama3.2', base_url: 'http://h' },
      ',"tool_choice":"required","parallel_tool_calls":false,"max_completion_tokens":9',
      ',"max_tokens":9',
    ],
    [
      'gemini',
      { model: 'gemini/gemini-2.5-pro' },
      ',"store":true,"metadata":{"a":"b"},"service_tier":"flex","logit_bias":{"1":2},"seed":3',
      ',"seed":3',
    ],
    [
      'kimi-k3',
      { model: 'moonshotai/kimi-k3' },
      ',"temperature":0.1,"top_p":0.1,"n":2,"presence_penalty":1,"frequency_penalty":1,"reasoning_effort":"medium"',
      ',"reasoning_effort":"high"',
    ],
    [
      'kimi-k3 with an effort it does not know',
      { model: 'moonshotai/kimi-k3' },
      ',"reasoning_effort":"xhigh"',
      '',
    ],
    [
      'kimi-k3 through an aggregator, which knows better',
      { model: 'openrouter/moonshotai/kimi-k3' },
      ',"temperature":0.1,"reasoning_effort":"medium"',
      ',"temperature":0.1,"reasoning_effort":"medium"',
    ],
    [
      'kimi-for-coding',
      {
        model: 'house/kimi-for-coding',
        base_url: 'https://api.kimi.com/coding',
        provider_interface: 'openai',
      },
      ',"reasoning_effort":"low","web_search_options":{},"service_tier":"flex","store":true',
      '',
    ],
    ['together_ai', { model: 'together_ai/m-1' }, ',"max_completion_tokens":9', ',"max_tokens":9'],
    ['qwen', { model: 'qwen/m-1', base_url: 'http://h' }, ',"max_completion_tokens":9', ',"max_tokens":9'],
    ['zhipu', { model: 'zhipu/m-1' }, ',"max_completion_tokens":9', ',"max_tokens":9'],
    ['xiaomi', { model: 'xiaomi/m-1' }, ',"max_completion_tokens":9', ',"max_tokens":9'],
    [
      'a host of one’s own, which takes what it takes',
      { model: 'house/m-1', base_url: 'http://h', provider_interface: 'openai' },
      ',"max_completion_tokens":9,"store":true',
      ',"max_completion_tokens":9,"store":true',
    ],
  ])('%s', async (_what, entry, before, after) => {
    await relayed(entry, before, after)
  })

  test('mistral, which knows no other members', async () => {
    const { sent, reply } = await call(
      { model: 'mistral/mistral-large' },
      CHAT,
      Buffer.from(
        '{"model":"m","messages":[{"role":"developer","content":"x"},{"role":"user","content":"hi"}],"max_completion_tokens":9,"seed":7,"user":"u","store":true,"service_tier":"flex","stream":true,"stream_options":{"include_usage":true},"safe_prompt":true}',
      ),
    )
    expect(sent).toBe(
      '{"model":"mistral-large","messages":[{"role":"system","content":"x"},{"role":"user","content":"hi"}],"max_tokens":9,"random_seed":7,"stream":true,"safe_prompt":true}',
    )
    expect(reply.header('x-gateway-warnings')).toBe(
      'drop;field=/user;reason=unknown_member, drop;field=/store;reason=unknown_member, drop;field=/service_tier;reason=unknown_member',
    )
  })

  test('mistral, where the role is spelled with an escape', async () => {
    const { sent } = await call(
      { model: 'mistral/mistral-large' },
      CHAT,
      Buffer.from(
        '{"model":"m","messages":[{"role":"dev\\u0065loper","content":"x"},{"role":"user","content":"hi"}]}',
      ),
    )
    expect(sent).toContain('[{"role":"system","content":"x"},')
  })

  test('mistral, which wants no names of messages and nothing else that OpenAI puts into an answer', async () => {
    const answer = '"role":"assistant","content":"a","refusal":null,"annotations":[],"audio":null'
    const { sent } = await call(
      { model: 'mistral/mistral-large' },
      CHAT,
      Buffer.from(
        `{"model":"m","messages":[{"role":"user","name":"ada","content":"hi"},{${answer}},{"role":"user","content":"b"}]}`,
      ),
    )
    const [first, second] = ['{"role":"user","content":"hi"}', '{"role":"assistant","content":"a"}']
    const last = '{"role":"user","content":"b"}'
    expect(sent).toBe(`{"model":"mistral-large","messages":[${first},${second},${last}]}`)
  })

  test('xai, whose reasoning models have no penalties and no stop, and whose others have', async () => {
    const asked = '"messages":[{"role":"user","content":"hi"}],"temperature":0.5'
    const more = ',"frequency_penalty":0.1,"presence_penalty":0.1,"stop":["x"]'
    const body = Buffer.from(`{"model":"m",${asked}${more}}`)
    const reasoning = await call({ model: 'xai/grok-3-mini' }, CHAT, body)
    expect(reasoning.sent).toBe(`{"model":"grok-3-mini",${asked}}`)
    const other = await call({ model: 'xai/grok-3' }, CHAT, body)
    expect(other.sent).toBe(`{"model":"grok-3",${asked}${more}}`)
  })

  test('groq, which wants no names of messages', async () => {
    const { sent } = await call(
      { model: 'groq/llama' },
      CHAT,
      Buffer.from('{"model":"m","messages":[{"role":"user","name":"ada","content":"hi"}]}'),
    )
    expect(sent).toBe('{"model":"llama","messages":[{"role":"user","content":"hi"}]}')
  })

  test('Claude models at Kimi’s coding plan, which do not think', async () => {
    const { json, reply } = await call(
      { model: 'anthropic/kimi-for-coding', base_url: 'https://api.kimi.com/coding' },
      ANTHROPIC,
      {
        model: 'm',
        max_tokens: 5_000,
        thinking: { type: 'enabled', budget_tokens: 2_000 },
        messages: MESSAGES,
      },
    )
    expect(json).not.toHaveProperty('thinking')
    expect(reply.header('x-gateway-warnings')).toContain('/thinking')
    expect(upstream.requests[0]!.header('user-agent')).toBe('KimiCLI/1.3')
  })
})

describe('what a repair costs', () => {
  test('is told in a header', async () => {
    expect(await relayed({ model: 'xai/grok-4' }, ',"web_search_options":{}', '')).toBe(
      'drop;field=/web_search_options;reason=unsupported_by_provider',
    )
  })

  test('is nothing where the member said nothing', async () => {
    expect(await relayed({ model: 'openai/o3' }, ',"temperature":1,"logprobs":false', '')).toBeNull()
  })

  test('is refused to a strict caller before anything is sent', async () => {
    const body = { model: 'm', messages: MESSAGES, temperature: 0.2 }
    const { reply } = await call({ model: 'openai/o3' }, CHAT, body, ['x-gateway-strict', 'true'])
    expect(reply.status).toBe(400)
    expect(reply.text).toContain('/temperature')
    expect(upstream.requests).toHaveLength(0)
  })
})

describe('a body whose repair is deep inside is written anew', () => {
  test('mistral takes ids of nine letters', async () => {
    const id = 'call_abcdefghijklmnop'
    const { json } = await call({ model: 'mistral/mistral-large' }, CHAT, {
      model: 'm',
      messages: [
        ...MESSAGES,
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: id, content: 'x' },
      ],
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }],
    })
    const messages = json['messages'] as Json[]
    const sent = (messages[1]!['tool_calls'] as Json[])[0]!['id'] as string
    expect(sent).toMatch(/^[A-Za-z0-9]{9}$/)
    expect(messages[2]!['tool_call_id']).toBe(sent)
  })

  test('deepseek knows no json_schema', async () => {
    const { json, reply } = await call({ model: 'deepseek/deepseek-chat' }, CHAT, {
      model: 'm',
      messages: MESSAGES,
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' } } },
    })
    expect((json['response_format'] as Json | undefined)?.['type']).not.toBe('json_schema')
    expect(reply.header('x-gateway-warnings')).not.toBeNull()
  })

  test('cache_control stays for Claude behind an aggregator and goes everywhere else', async () => {
    const marked = {
      model: 'm',
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral' } }] },
      ],
    }
    const kept = await call({ model: 'openrouter/anthropic/claude-sonnet-4-5' }, CHAT, marked)
    expect(kept.sent).toContain('cache_control')
    await bench!.close()
    const gone = await call({ model: 'openai/gpt-4o' }, CHAT, marked)
    expect(gone.sent).not.toContain('cache_control')
  })
})

describe('a subscription of ChatGPT', () => {
  test('is sent what it takes, and relays streams', async () => {
    const { json, reply } = await call({ model: 'chatgpt/gpt-5' }, RESPONSES, {
      model: 'm',
      input: 'one two',
      stream: true,
      store: true,
      max_output_tokens: 9,
      instructions: 'Be brief.',
    })
    expect(json).toMatchObject({
      store: false,
      stream: true,
      input: [{ type: 'message', role: 'user', content: 'one two' }],
      instructions: expect.stringMatching(/^You are Codex.*\n\nBe brief\.$/s),
    })
    expect(json).not.toHaveProperty('max_output_tokens')
    expect(reply.text).toContain('response.completed')
    expect(reply.header('x-gateway-warnings')).toBe(
      'map;field=/store;reason=unsupported_by_provider, drop;field=/max_output_tokens;reason=unsupported_by_provider',
    )
  })

  test.each([
    [RESPONSES, { model: 'm', input: 'one two' }],
    [CHAT, { model: 'm', messages: [{ role: 'user', content: 'one two' }] }],
  ])('gives a whole reply at %s, though it only streams', async (path, body) => {
    const { json, reply } = await call({ model: 'chatgpt/gpt-5' }, path, body)
    expect(json).toMatchObject({ store: false, stream: true })
    expect(reply.header('content-type')).toBe('application/json')
    expect(JSON.stringify(reply.json)).toContain('two')
  })
})

describe('Claude on Vertex AI', () => {
  test('is named by the path alone and told the version in the body', async () => {
    const { sent } = await call(
      { model: 'vertex/claude-sonnet-4-5', project: 'p' },
      ANTHROPIC,
      Buffer.from('{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}'),
    )
    expect(sent).toBe(
      '{"max_tokens":5,"messages":[{"role":"user","content":"hi"}],"anthropic_version":"vertex-2023-10-16"}',
    )
  })
})

describe('a written body has none of it either', () => {
  const GEMINI_BODY = {
    contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
    generationConfig: {
      temperature: 0.2,
      topP: 0.5,
      maxOutputTokens: 9,
      stopSequences: ['x'],
      presencePenalty: 1,
      seed: 3,
    },
  }
  const RESPONSES_BODY = {
    model: 'm',
    input: 'hi',
    max_output_tokens: 9,
    temperature: 0.2,
    reasoning: { effort: 'medium' },
    store: true,
    user: 'u',
    service_tier: 'flex',
    metadata: { a: 'b' },
  }

  test.each([
    [
      'o3',
      { model: 'openrouter/openai/o3', upstream_api: 'openai-chat' },
      ['temperature', 'top_p', 'stop', 'max_tokens'],
      ['max_completion_tokens'],
    ],
    [
      'mistral',
      { model: 'mistral/mistral-large' },
      ['seed', 'max_completion_tokens', 'stream_options'],
      ['max_tokens', 'random_seed'],
    ],
    [
      'kimi-k3',
      { model: 'moonshotai/kimi-k3' },
      ['temperature', 'top_p', 'presence_penalty'],
      ['max_tokens'],
    ],
    ['groq', { model: 'groq/llama' }, ['logprobs'], ['max_completion_tokens']],
    ['deepseek', { model: 'deepseek/deepseek-chat' }, ['max_completion_tokens'], ['max_tokens']],
    [
      'ollama',
      { model: 'ollama/llama3.2', base_url: 'http://h' },
      ['max_completion_tokens', 'tool_choice'],
      ['max_tokens'],
    ],
    [
      'a host of one’s own',
      { model: 'house/m', base_url: 'http://h', provider_interface: 'openai' },
      ['max_completion_tokens', 'store'],
      ['max_tokens'],
    ],
  ])('%s, from Gemini', async (_what, entry, absent, present) => {
    const { json } = await call(entry, '/v1beta/models/m:generateContent', GEMINI_BODY)
    for (const name of absent) expect(json).not.toHaveProperty(name)
    for (const name of present) expect(json).toHaveProperty(name)
  })

  test.each([
    ['gemini', { model: 'gemini/gemini-2.5-pro' }, ['store', 'metadata', 'service_tier', 'logit_bias']],
    [
      'mistral',
      { model: 'mistral/mistral-large' },
      ['store', 'metadata', 'service_tier', 'user', 'reasoning_effort'],
    ],
    [
      'kimi-for-coding',
      { model: 'moonshotai/kimi-for-coding' },
      ['store', 'service_tier', 'reasoning_effort', 'stream_options'],
    ],
    ['kimi-k3', { model: 'moonshotai/kimi-k3' }, ['temperature']],
    ['xai', { model: 'xai/grok-4', upstream_api: 'openai-chat' }, ['web_search_options']],
  ])('%s, from Responses', async (_what, entry, absent) => {
    const { json, reply } = await call(entry, RESPONSES, RESPONSES_BODY)
    for (const name of absent) expect(json).not.toHaveProperty(name)
    expect(reply.status).toBe(200)
  })

  test('a repair after writing is told like any loss, and refused to a strict caller', async () => {
    const { reply } = await call({ model: 'moonshotai/kimi-k3' }, RESPONSES, RESPONSES_BODY)
    expect(reply.header('x-gateway-warnings')).toContain(
      'drop;field=/temperature;reason=unsupported_by_provider',
    )
    const before = upstream.requests.length
    await bench!.close()
    const strict = await call(
      { model: 'moonshotai/kimi-k3' },
      RESPONSES,
      { model: 'm', input: 'hi', temperature: 0.2 },
      ['x-gateway-strict', 'true'],
    )
    expect(strict.reply.status).toBe(400)
    expect(upstream.requests).toHaveLength(before)
  })
})

describe('streams', () => {
  test('are asked for usage at hosts that know the question, and nowhere else', async () => {
    const body = { model: 'm', messages: MESSAGES, stream: true }
    for (const [entry, asked] of [
      [{ model: 'openai/gpt-4o' }, true],
      [{ model: 'mistral/mistral-large' }, false],
      [{ model: 'house/m', base_url: 'http://h', provider_interface: 'openai' }, true],
      [
        { model: 'house/m', base_url: 'http://h', provider_interface: 'openai', stream_options: false },
        false,
      ],
    ] as const) {
      const { json } = await call(entry, CHAT, body)
      expect('stream_options' in json).toBe(asked)
      await bench!.close()
      bench = null
    }
  })
})

test('a fallback is sent nothing of what the first provider’s host wanted', async () => {
  const first = planOf({
    model: 'mistral/mistral-large',
    name: 'a',
    access_key: 'k-a',
    base_url: 'http://h',
  })
  const second = planOf({ model: 'openai/gpt-4o', name: 'b', access_key: 'k-b' })
  const failing = await startFakeUpstream({ behaviour: { status: 503 } })
  bench = new Bench({
    providers: [
      { ...first, origin: failing.origin, fallbacks: ['b'] },
      { ...second, origin: upstream.origin },
    ],
  })
  const body = '{"model":"a","messages":[{"role":"user","content":"hi"}],"seed":7,"user":"u"}'
  const reply = await bench.call(CHAT, Buffer.from(body))
  expect(reply.status).toBe(200)
  expect(failing.requests[0]!.text()).toBe(
    '{"model":"mistral-large","messages":[{"role":"user","content":"hi"}],"random_seed":7}',
  )
  expect(upstream.requests[0]!.text()).toBe(body.replace('"a"', '"gpt-4o"'))
  expect(upstream.requests[0]!.headers.join(' ')).not.toContain('k-a')
  expect(reply.header('x-gateway-warnings')).toBeNull()
  await failing.close()
})

// What is counted of a body, in each dialect.

import { Tiktoken } from 'js-tiktoken/lite'
import cl100k from 'js-tiktoken/ranks/cl100k_base'
import o200k from 'js-tiktoken/ranks/o200k_base'
import { describe, expect, test } from 'vitest'
import { countBody } from '../../src/compute/counting/count.ts'
import type { TokenCount } from '../../src/compute/index.ts'
import type { DialectId } from '../../src/translate/index.ts'
import { dialects, prompts } from '../translate/harness.ts'

const o200kReference = new Tiktoken(o200k)
const cl100kReference = new Tiktoken(cl100k)

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const count = (model: string, dialect: DialectId, body: unknown): Promise<TokenCount> =>
  countBody(model, dialect, bytesOf(body))
const tokens = (text: string): number => o200kReference.encode(text, [], []).length

/** The two examples of OpenAI's cookbook, with the counts its API answered. */
const JARGON = [
  {
    role: 'system',
    content:
      'You are a helpful, pattern-following assistant that translates corporate jargon into plain English.',
  },
  { role: 'system', name: 'example_user', content: 'New synergies will help drive top-line growth.' },
  {
    role: 'system',
    name: 'example_assistant',
    content: 'Things working well together will increase revenue.',
  },
  {
    role: 'system',
    name: 'example_user',
    content:
      "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
  },
  {
    role: 'system',
    name: 'example_assistant',
    content: "Let's talk later when we're less busy about how to do better.",
  },
  {
    role: 'user',
    content: "This late pivot means we don't have time to boil the ocean for the client deliverable.",
  },
]

const WEATHER_TOOL = {
  name: 'get_current_weather',
  description: 'Get the current weather in a given location',
  parameters: {
    type: 'object',
    properties: {
      location: { type: 'string', description: 'The city and state, e.g. San Francisco, CA' },
      unit: {
        type: 'string',
        description: 'The unit of temperature to return',
        enum: ['celsius', 'fahrenheit'],
      },
    },
    required: ['location'],
  },
}

const WEATHER = [
  {
    role: 'system',
    content: 'You are a helpful assistant that can answer to questions about the weather.',
  },
  { role: 'user', content: "What's the weather like in San Francisco?" },
]

describe('a Chat body', () => {
  test.each([
    ['gpt-3.5-turbo', 129, 'cl100k_base'],
    ['gpt-4-0613', 129, 'cl100k_base'],
    ['gpt-4o', 124, 'o200k_base'],
    ['gpt-4o-mini', 124, 'o200k_base'],
  ])('counts for %s what the vendor’s API answered', async (model, want, encoding) => {
    const messages = JARGON
    expect(await count(model, 'openai-chat', { model, messages })).toEqual({
      tokens: want,
      estimated: false,
      encoding,
    })
  })

  test.each([
    ['gpt-4', 105],
    ['gpt-4o', 101],
  ])('with a tool counts for %s what the vendor’s API answered', async (model, want) => {
    const tools = [{ type: 'function', function: WEATHER_TOOL }]
    const counted = await count(model, 'openai-chat', { messages: WEATHER, tools })
    expect(counted.tokens).toBe(want)
    expect(counted.estimated).toBe(false)
    const legacy = await count(model, 'openai-chat', { messages: WEATHER, functions: [WEATHER_TOOL] })
    expect(legacy).toEqual(counted)
  })

  test('counts parts as it counts a string', async () => {
    const plain = await count('gpt-4o', 'openai-chat', { messages: [{ role: 'user', content: 'two words' }] })
    const parts = [{ type: 'text', text: 'two words' }]
    expect(await count('gpt-4o', 'openai-chat', { messages: [{ role: 'user', content: parts }] })).toEqual(
      plain,
    )
    expect(plain.tokens).toBe(3 + 1 + 2 + 3)
  })

  test('counts special tokens as the text they are', async () => {
    const content = '<|endoftext|><|im_start|>'
    const counted = await count('gpt-4o', 'openai-chat', { messages: [{ role: 'user', content }] })
    expect(counted.tokens).toBe(7 + tokens(content))
    expect(tokens(content)).toBeGreaterThan(8)
  })

  test('counts an image of low detail exactly, one given by address as a guess', async () => {
    const ask = (detail: string): Promise<TokenCount> => {
      const image = { type: 'image_url', image_url: { url: 'https://example.org/a.png', detail } }
      return count('gpt-4o', 'openai-chat', { messages: [{ role: 'user', content: [image] }] })
    }
    expect(await ask('low')).toMatchObject({ tokens: 7 + 85, estimated: false })
    expect(await ask('high')).toMatchObject({ tokens: 7 + 765, estimated: true })
  })

  test('with calls, their results or a schema beyond the cookbook is an estimate that counts their text', async () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"a":1}' } }
    const messages = [{ role: 'assistant', content: null, tool_calls: [call] }]
    const counted = await count('gpt-4o', 'openai-chat', { messages })
    expect(counted).toMatchObject({
      estimated: true,
      tokens: 3 + tokens('assistant') + 3 + tokens('weather') + tokens('{"a":1}') + 3,
    })
    const nested = { a: { type: 'object', properties: { b: { type: 'integer', minimum: 3 } } } }
    const made = { name: 'f', description: 'd', parameters: { type: 'object', properties: nested } }
    const tooled = await count('gpt-4o', 'openai-chat', {
      messages: [],
      tools: [{ type: 'function', function: made }],
    })
    const text = tokens('f:d') + tokens('a:object:') + tokens('b:integer:') + tokens('{"minimum":3}')
    expect(tooled).toMatchObject({ estimated: true, tokens: 7 + 3 + 3 + 3 + 3 + 12 + text })
  })

  test('of a plain completion counts its text and nothing else', async () => {
    const prompt = 'Once upon a time'
    const want = cl100kReference.encode(prompt).length
    expect(await count('gpt-3.5-turbo-instruct', 'openai-chat', { prompt })).toEqual({
      tokens: want,
      estimated: false,
      encoding: 'cl100k_base',
    })
  })
})

describe('the same conversation', () => {
  const chat = {
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'How far is the moon?' },
    ],
  }
  const bodies: Readonly<Record<DialectId, unknown>> = {
    'openai-chat': chat,
    'openai-responses': { instructions: 'Be brief.', input: 'How far is the moon?' },
    'anthropic-messages': {
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'How far is the moon?' }] }],
    },
    'gemini-generate': {
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [{ role: 'user', parts: [{ text: 'How far is the moon?' }] }],
    },
    'bedrock-converse': {
      system: [{ text: 'Be brief.' }, { cachePoint: { type: 'default' } }],
      messages: [{ role: 'user', content: [{ text: 'How far is the moon?' }] }],
    },
  }

  test.each(Object.keys(bodies) as DialectId[])('costs the same in %s', async dialect => {
    const want = await count('gpt-4o', 'openai-chat', chat)
    expect(want).toMatchObject({ tokens: 3 * 3 + 2 + 3 + 6, estimated: false })
    expect(await count('gpt-4o', dialect, bodies[dialect])).toEqual(want)
    // The tokenizer of other vendors is not published.
    expect(await count('claude-sonnet-4-5', dialect, bodies[dialect])).toEqual({ ...want, estimated: true })
  })
})

describe('a Messages body', () => {
  test('counts tools with the instructions that come with them', async () => {
    const tool = {
      name: 'get_weather',
      description: 'Get the weather',
      input_schema: { type: 'object', properties: { place: { type: 'string' } } },
    }
    const body = { messages: [{ role: 'user', content: 'Hi' }], tools: [tool] }
    const text = tokens(tool.name) + tokens(tool.description) + tokens(JSON.stringify(tool.input_schema))
    expect((await count('claude-x', 'anthropic-messages', body)).tokens).toBe(8 + 346 + text)
    const forced = { ...body, tool_choice: { type: 'any' } }
    expect((await count('claude-x', 'anthropic-messages', forced)).tokens).toBe(8 + 313 + text)
    expect((await count('mistral-large', 'anthropic-messages', body)).tokens).toBe(8 + text)
  })

  test('counts calls, results and thinking, but no signature, id or base64', async () => {
    const long = 'Zm9v'.repeat(2_000)
    const use = { type: 'tool_use', id: long, name: 'f', input: { a: 1 } }
    const body = {
      messages: [
        { role: 'assistant', content: [{ type: 'thinking', thinking: 'hm', signature: long }, use] },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: long, content: [{ type: 'text', text: 'ok' }] }],
        },
      ],
    }
    const want = 3 + 1 + 1 + (3 + 1 + tokens('{"a":1}')) + (3 + 1 + 1) + 3
    expect((await count('claude-x', 'anthropic-messages', body)).tokens).toBe(want)
  })

  test('counts text documents as text and others by their bytes', async () => {
    const ask = (source: unknown): Promise<TokenCount> =>
      count('claude-x', 'anthropic-messages', {
        messages: [{ role: 'user', content: [{ type: 'document', source }] }],
      })
    const text = await ask({ type: 'text', media_type: 'text/plain', data: 'some plain words' })
    expect(text.tokens).toBe(7 + 3)
    const data = 'AAAA'.repeat(1_000)
    expect((await ask({ type: 'base64', media_type: 'application/pdf', data })).tokens).toBe(7 + 30)
    expect((await ask({ type: 'url', url: 'https://example.org/a.pdf' })).tokens).toBe(7 + 1_500)
  })
})

describe('a countTokens body of Gemini', () => {
  test('may wrap the request it is about', async () => {
    const contents = [{ parts: [{ text: 'two words' }] }]
    const plain = await count('gemini-2.5-pro', 'gemini-generate', { contents })
    expect(plain.tokens).toBe(3 + 1 + 2 + 3)
    const wrapped = { generateContentRequest: { model: 'models/gemini-2.5-pro', contents } }
    expect(await count('gemini-2.5-pro', 'gemini-generate', wrapped)).toEqual(plain)
  })
})

describe('a body that is not what it should be', () => {
  /** More tokens than any frame around them. */
  const WORDS = 'all the words that anybody ever wrote into a body without looking at its documentation first'
  const quoted = JSON.stringify(WORDS)
  const ODD: readonly (readonly [string, string])[] = [
    ['no JSON', `${WORDS} {not json`],
    ['a list', `[${quoted}, 3, null, [${quoted}]]`],
    ['a string', quoted],
    ['messages of the wrong kind', `{"messages": ${quoted}, "contents": ${quoted}, "input": [[${quoted}]]}`],
    ['messages that are no objects', `{"messages": [1, null, [[${quoted}]]], "contents": [[${quoted}]]}`],
    ['an unknown body', `{"something": {"else": [${quoted}]}}`],
    ['members named like those of objects', `{"__proto__": {"messages": []}, "constructor": ${quoted}}`],
    ['tools of the wrong kind', `{"tools": ${quoted}, "toolConfig": ${quoted}}`],
  ]

  test.each(ODD.flatMap(([what, text]) => dialects.map(({ id }) => [what, id, text] as const)))(
    '%s, in %s, is an estimate of the text in it',
    async (_what, dialect, text) => {
      const counted = await countBody('gpt-4o', dialect, new TextEncoder().encode(text))
      expect(counted.tokens).toBeGreaterThanOrEqual(tokens(WORDS))
      expect(counted.estimated).toBe(true)
    },
  )

  test.each(dialects.map(({ id }) => id))('that is empty counts nothing, in %s', async dialect => {
    for (const text of ['', 'null', '{}', '[]', '{"messages":[],"contents":[]}']) {
      const counted = await countBody('gpt-4o', dialect, new TextEncoder().encode(text))
      expect(counted.tokens).toBe(0)
    }
  })

  test('that is deeper than any stack is counted', async () => {
    const deep = `${'['.repeat(200_000)}${quoted}${']'.repeat(200_000)}`
    const places: readonly (readonly [DialectId, string])[] = [
      ['openai-chat', deep],
      ['openai-chat', `{"messages":[{"role":"user","content":${deep}}]}`],
      ['openai-chat', `{"tools":[{"function":{"name":"f","parameters":${deep}}}]}`],
      ['anthropic-messages', `{"messages":[{"content":[{"type":"tool_use","name":"f","input":${deep}}]}]}`],
      ['gemini-generate', `{"contents":[{"parts":[{"functionCall":{"name":"f","args":${deep}}}]}]}`],
      ['bedrock-converse', `{"messages":[{"content":[{"toolUse":{"name":"f","input":${deep}}}]}]}`],
      ['openai-responses', `{"input":${deep}}`],
    ]
    for (const [dialect, text] of places) {
      const counted = await countBody('gpt-4o', dialect, new TextEncoder().encode(text))
      expect(counted.tokens).toBeGreaterThanOrEqual(tokens(WORDS))
      expect(counted.estimated).toBe(true)
    }
  })

  test('that nests schemas deeper than the bound is counted', async () => {
    let schema: unknown = { type: 'string', description: 'innermost words' }
    for (let depth = 0; depth < 1_000; depth++) schema = { type: 'object', properties: { a: schema } }
    const tools = [{ type: 'function', function: { name: 'f', description: 'd', parameters: schema } }]
    const counted = await count('gpt-4o', 'openai-chat', { tools })
    expect(counted.estimated).toBe(true)
    expect(counted.tokens).toBeGreaterThan(1_000)
  })

  test('that is no UTF-8 is counted as what readers of UTF-8 make of it', async () => {
    const body = Buffer.concat([
      Buffer.from('{"messages":[{"role":"user","content":"'),
      Buffer.from([0xff, 0xfe, 0x80]),
      Buffer.from('"}]}'),
    ])
    const counted = await countBody('gpt-4o', 'openai-chat', body)
    expect(counted.tokens).toBe(7 + tokens('\ufffd\ufffd\ufffd'))
  })

  test('with half a surrogate pair, escaped, is counted', async () => {
    const body = new TextEncoder().encode('{"messages":[{"role":"user","content":"a\\ud800b"}]}')
    expect((await countBody('gpt-4o', 'openai-chat', body)).tokens).toBe(7 + tokens('a\ufffdb'))
  })
})

describe('every fixture of a prompt', () => {
  const cases = dialects.flatMap(({ id }) => prompts(id).map(fixture => [id, fixture.name, fixture] as const))

  test.each(cases)(
    '%s/%s costs more than nothing and less than its bytes',
    async (dialect, _name, fixture) => {
      const counted = await countBody('gpt-4o', dialect, fixture.bytes)
      expect(counted.tokens).toBeGreaterThan(0)
      // References to media outside the body cost tokens that are not in its bytes.
      expect(counted.tokens).toBeLessThan(fixture.bytes.length + 10_000)
    },
  )
})

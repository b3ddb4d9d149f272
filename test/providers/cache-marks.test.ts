// Marks for prompt caches: where they go, and every reason for which they do not.

import { describe, expect, test } from 'vitest'
import type { ProviderPlan } from '../../src/common/config/index.ts'
import { addCacheMarks } from '../../src/providers/index.ts'
import type { DialectId } from '../../src/translate/index.ts'
import { Bench, provider } from '../gateway/harness.ts'
import { startFakeUpstream } from '../support/fake-upstream/index.ts'

const LONG = 'word '.repeat(1_000)
const MARK = { type: 'ephemeral' }

function host(vendor: string, more: Partial<ProviderPlan> = {}): ProviderPlan {
  return provider('p/m', 'https://h', { provider: vendor, cacheMarks: true, ...more })
}

/** The body before and after, and that nothing but marks was put in. */
function marked(
  of: ProviderPlan,
  dialect: DialectId,
  body: unknown,
  model = 'claude-sonnet-4-5',
  marks = true,
) {
  const bytes = Buffer.from(JSON.stringify(body))
  return JSON.parse(Buffer.from(addCacheMarks(of, model, dialect, marks, bytes)).toString()) as unknown
}

describe('Messages', () => {
  const messages = [
    { role: 'user', content: 'one' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'two' },
        { type: 'text', text: 'three' },
      ],
    },
  ]
  const lastMarked = [
    messages[0],
    {
      role: 'user',
      content: [
        { type: 'text', text: 'two' },
        { type: 'text', text: 'three', cache_control: MARK },
      ],
    },
  ]

  test('are marked behind the system text and the last message; a text becomes a block', () => {
    expect(marked(host('anthropic'), 'anthropic-messages', { system: LONG, messages })).toEqual({
      system: [{ type: 'text', text: LONG, cache_control: MARK }],
      messages: lastMarked,
    })
  })

  test('are marked behind the tools where there is no system text', () => {
    const tools = [{ name: 'a' }, { name: 'b', description: LONG }]
    expect(marked(host('anthropic'), 'anthropic-messages', { tools, messages })).toEqual({
      tools: [tools[0], { ...tools[1], cache_control: MARK }],
      messages: lastMarked,
    })
  })

  test.each([
    ['empty text', [{ type: 'text', text: '' }]],
    ['thinking', [{ type: 'thinking', thinking: LONG, signature: 's' }]],
    ['nothing', []],
  ])('are not marked at %s', (_what, content) => {
    const body = {
      messages: [
        { role: 'user', content: LONG },
        { role: 'assistant', content },
      ],
    }
    expect(marked(host('anthropic'), 'anthropic-messages', body)).toEqual(body)
  })

  test('keep every other byte', () => {
    const text = `{ "messages" : [ {"role":"user", "content":[ {"text":${JSON.stringify(LONG)} ,"type":"text"} ]} ], "n":1e2 }`
    const after = addCacheMarks(host('anthropic'), 'claude-x', 'anthropic-messages', true, Buffer.from(text))
    expect(Buffer.from(after).toString()).toBe(
      text.replace('"type":"text"}', '"type":"text","cache_control":{"type":"ephemeral"}}'),
    )
  })
})

describe('Chat', () => {
  const body = {
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'developer', content: [{ type: 'text', text: LONG }] },
      { role: 'system', content: 'later' },
    ],
  }

  test.each(['digitalocean', 'openrouter', 'edenai'])(
    'is marked on the first system message at %s',
    vendor => {
      expect(marked(host(vendor), 'openai-chat', body, 'anthropic/claude-sonnet-4-5')).toEqual({
        messages: [
          body.messages[0],
          { role: 'developer', content: [{ type: 'text', text: LONG, cache_control: MARK }] },
          body.messages[2],
        ],
      })
    },
  )

  test('is marked on the first message where there is no system message', () => {
    const plain = { messages: [{ role: 'user', content: LONG }] }
    expect(marked(host('openrouter'), 'openai-chat', plain)).toEqual({
      messages: [{ role: 'user', content: [{ type: 'text', text: LONG, cache_control: MARK }] }],
    })
  })

  test('is not marked for other models or at other hosts', () => {
    expect(marked(host('openrouter'), 'openai-chat', body, 'openai/gpt-4o')).toEqual(body)
    expect(marked(host('openai'), 'openai-chat', body)).toEqual(body)
  })
})

test('Converse is given cache points behind the system text and the last message', () => {
  const body = { system: [{ text: LONG }], messages: [{ role: 'user', content: [{ text: 'a' }] }] }
  const point = { cachePoint: { type: 'default' } }
  expect(marked(host('amazon_bedrock'), 'bedrock-converse', body)).toEqual({
    system: [{ text: LONG }, point],
    messages: [{ role: 'user', content: [{ text: 'a' }, point] }],
  })
})

describe('nothing is marked', () => {
  const body = { system: LONG, messages: [{ role: 'user', content: 'a' }] }

  test.each([
    ['unless the provider says so', host('anthropic', { cacheMarks: false }), body, true],
    ['in a short prompt', host('anthropic'), { system: 'short', messages: body.messages }, true],
    ['for a model that caches by itself', host('anthropic'), body, false],
    [
      'where the caller marked something',
      host('anthropic'),
      { ...body, system: [{ type: 'text', text: LONG, cache_control: MARK }] },
      true,
    ],
  ])('%s', (_what, of, before, marks) => {
    expect(marked(of, 'anthropic-messages', before, 'claude-sonnet-4-5', marks)).toEqual(before)
  })

  test('in a call that says x-plano-cache: off, and something in one that does not', async () => {
    const upstream = await startFakeUpstream()
    const entry = provider('anthropic/claude-sonnet-4-5', upstream.origin, {
      provider: 'anthropic',
      dialects: ['anthropic-messages'],
      cacheMarks: true,
    })
    const bench = new Bench({ providers: [entry] })
    const written = { model: entry.name, max_tokens: 5, ...body }
    await bench.call('/v1/messages', written, ['x-plano-cache', 'OFF'])
    await bench.call('/v1/messages', written)
    await bench.call('/v1/chat/completions', {
      model: entry.name,
      messages: [
        { role: 'system', content: LONG },
        { role: 'user', content: 'a' },
      ],
    })
    expect(upstream.requests.map(request => request.text().split('"cache_control"').length - 1)).toEqual([
      0, 2, 2,
    ])
    await bench.close()
    await upstream.close()
  })
})

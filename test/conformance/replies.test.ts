// Known faults of gateways in whole replies: each has a test that says what is right. Their numbers are in `gaps.ts`.

import { describe, expect, test } from 'vitest'
import type { DialectId } from '../../src/translate/dialect.ts'
import { contextFor } from '../translate/harness.ts'
import { askWishing, fold, type Loose, messagesStream, block, tell } from './drive.ts'

const MESSAGES = 'anthropic-messages'
const CONVERSE = 'bedrock-converse'
const CHAT = 'openai-chat'
const RESPONSES = 'openai-responses'
const GEMINI = 'gemini-generate'

const choice = (message: object, finish: string | null = 'stop', more: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish, ...more }],
  usage: { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 },
})

const messagesReply = (content: readonly object[], stop: string | null = 'end_turn', usage: object = {}) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content,
  stop_reason: stop,
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 4, ...usage },
})

const converseReply = (content: readonly object[], stop = 'end_turn', usage: object = {}) => ({
  output: { message: { role: 'assistant', content } },
  stopReason: stop,
  usage: { inputTokens: 10, outputTokens: 4, totalTokens: 14, ...usage },
  metrics: { latencyMs: 1 },
})

const responsesReply = (output: readonly object[], more: object = {}) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'gpt',
  status: 'completed',
  output,
  usage: { input_tokens: 10, output_tokens: 4, total_tokens: 14 },
  ...more,
})

const said = (text: string) => ({ type: 'text', text })

describe('a reply that is not quite as documented', () => {
  test.each<[string, object]>([
    ['without usage, created or role', { choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }] }],
    ['with null usage', { ...choice({ content: 'hi' }), usage: null }],
    ['with content in parts', choice({ content: [said('h'), said('i')] })],
    ['with an unknown finish reason', choice({ content: 'hi' }, 'eos')],
    [
      'with numbers as floats',
      { ...choice({ content: 'hi' }), created: 1.5, usage: { prompt_tokens: 10.0, completion_tokens: 4.0 } },
    ],
  ])('%s is read', (_, reply) => {
    const { facts, body } = tell(MESSAGES, CHAT, reply as Loose)
    expect(facts.state).toBe('complete')
    expect(body.content).toEqual([said('hi')])
    expect(body.stop_reason).toBe('end_turn')
  })

  test('has ids made for calls that lack them', () => {
    const { body } = tell(
      MESSAGES,
      CHAT,
      choice({ content: null, tool_calls: [{ function: { name: 'f', arguments: '{}' } }] }),
    )
    expect(body.content[0]).toMatchObject({ type: 'tool_use', name: 'f', input: {} })
    expect(body.content[0].id).toMatch(/^[A-Za-z0-9_-]+$/)
  })

  test('of Bedrock keeps what it says beside new blocks and reasons', () => {
    const content = [
      { reasoningContent: { reasoningText: { text: 'Hm.', signature: 's' } } },
      { citationsContent: { content: [{ text: 'Oslo' }], citations: [] } },
      { cachePoint: { type: 'default' } },
      { brandNew: { x: 1 } },
      { text: ' it is' },
    ]
    const { body, facts } = tell(CHAT, CONVERSE, converseReply(content, 'brand_new_reason'))
    expect(facts.state).toBe('complete')
    expect(body.choices[0].message).toMatchObject({ content: 'Oslo it is', reasoning_content: 'Hm.' })
  })

  test('that is no reply at all is the upstream`s fault, and its text is not shown', () => {
    for (const client of [CHAT, RESPONSES, MESSAGES, CONVERSE, GEMINI] as const) {
      const { facts, shown } = tell(client, client === CHAT ? MESSAGES : CHAT, '{"html":"secret words"')
      expect(facts.state).toBe('failed')
      expect(facts.error).toMatchObject({
        kind: expect.stringMatching(/upstream|incomplete_stream/),
        status: 502,
      })
      expect(shown).not.toContain('secret words')
    }
  })
})

describe('the content of a reply', () => {
  test('keeps thoughts out of what is said', () => {
    const { body } = tell(
      CHAT,
      MESSAGES,
      messagesReply([{ type: 'thinking', thinking: 'Hm.', signature: 's' }, said('hi')]),
    )
    expect(body.choices[0].message).toMatchObject({ content: 'hi', reasoning_content: 'Hm.' })
  })

  test('is joined by nothing', () => {
    for (const [upstream, reply] of [
      [MESSAGES, messagesReply([said('Os'), said('lo')])],
      [CONVERSE, converseReply([{ text: 'Os' }, { text: 'lo' }])],
    ] as const) {
      expect(tell(CHAT, upstream, reply).body.choices[0].message.content).toBe('Oslo')
    }
  })

  test('shows a refusal as one', () => {
    const { body } = tell(MESSAGES, CHAT, choice({ content: null, refusal: 'I will not.' }))
    expect(body.content).toEqual([said('I will not.')])
    expect(body.stop_reason).toBe('refusal')
    const chained = tell(RESPONSES, CHAT, choice({ content: null, refusal: 'I will not.' }))
    expect(chained.body.output[0].content[0]).toEqual({ type: 'refusal', refusal: 'I will not.' })
    expect(tell(CONVERSE, CHAT, choice({ content: null, refusal: 'I will not.' })).shown).toContain(
      'I will not.',
    )
  })

  test('survives broken arguments of a call', () => {
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{"a":' } }
    const { body, facts } = tell(MESSAGES, CHAT, choice({ content: null, tool_calls: [call] }, 'tool_calls'))
    expect(facts.state).toBe('complete')
    expect(body.content[0].input).toEqual({ __raw: '{"a":' })
  })

  test('never shows what ran at the vendor as a call of the client', () => {
    const { body } = tell(
      CHAT,
      MESSAGES,
      messagesReply([
        { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
        { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
        said('found'),
      ]),
    )
    expect(body.choices[0].message.tool_calls).toBeUndefined()
    expect(body.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'found' } })
  })

  test('gives custom tools their input and their kind back', () => {
    const { context } = askWishing(RESPONSES, MESSAGES, { tools: [{ type: 'custom', name: 'sql' }] })
    const call = { type: 'tool_use', id: 'toolu_1', name: 'sql', input: { input: 'SELECT 1' } }
    const { body } = tell(RESPONSES, MESSAGES, messagesReply([call], 'tool_use'), context)
    expect(body.output[0]).toMatchObject({
      type: 'custom_tool_call',
      name: 'sql',
      input: 'SELECT 1',
      call_id: 'toolu_1',
    })
  })
})

describe('the counts of a reply', () => {
  const cached = { cache_read_input_tokens: 100, cache_creation_input_tokens: 20 }

  test('include the cached part where the client`s dialect includes it', () => {
    expect(tell(CHAT, MESSAGES, messagesReply([said('hi')], 'end_turn', cached)).body.usage).toMatchObject({
      prompt_tokens: 130,
      total_tokens: 134,
      prompt_tokens_details: { cached_tokens: 100 },
    })
    const bedrock = { cacheReadInputTokens: 100, cacheWriteInputTokens: 20 }
    expect(
      tell(RESPONSES, CONVERSE, converseReply([{ text: 'hi' }], 'end_turn', bedrock)).body.usage,
    ).toMatchObject({
      input_tokens: 130,
      input_tokens_details: { cached_tokens: 100 },
    })
  })

  test('exclude it where the client`s dialect excludes it', () => {
    const usage = { prompt_tokens: 130, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 100 } }
    const { body } = tell(MESSAGES, CHAT, { ...choice({ content: 'hi' }), usage })
    expect(body.usage).toMatchObject({ input_tokens: 30, cache_read_input_tokens: 100, output_tokens: 4 })
  })

  test('are known to who meters them, cached parts and all', () => {
    const { facts } = tell(MESSAGES, MESSAGES, messagesReply([said('hi')], 'end_turn', cached))
    expect(facts.usage).toMatchObject({
      inputTokens: 130,
      cacheReadTokens: 100,
      cacheWriteTokens: 20,
      outputTokens: 4,
    })
    expect(tell(CHAT, MESSAGES, { ...messagesReply([said('hi')]), usage: null }).facts.usage).toBeNull()
  })
})

describe('the finish of a reply', () => {
  const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }

  test.each<[DialectId, Loose, DialectId, (body: Loose) => unknown, unknown]>([
    [
      CHAT,
      choice({ content: null, tool_calls: [call] }, 'stop'),
      MESSAGES,
      body => body.stop_reason,
      'tool_use',
    ],
    [CHAT, choice({ content: 'x' }, 'length'), MESSAGES, body => body.stop_reason, 'max_tokens'],
    [CHAT, choice({ content: 'x' }, 'content_filter'), MESSAGES, body => body.stop_reason, 'refusal'],
    [
      MESSAGES,
      messagesReply([said('x')], 'model_context_window_exceeded'),
      CHAT,
      body => body.choices[0].finish_reason,
      'length',
    ],
    [MESSAGES, messagesReply([said('x')], 'brand_new'), CHAT, body => body.choices[0].finish_reason, 'stop'],
    [
      MESSAGES,
      messagesReply([said('x')], 'stop_sequence'),
      CONVERSE,
      body => body.stopReason,
      'stop_sequence',
    ],
    [MESSAGES, messagesReply([said('x')], 'pause_turn'), CHAT, body => body.choices[0].finish_reason, 'stop'],
    [
      CONVERSE,
      converseReply([{ text: 'x' }], 'stop_sequence'),
      MESSAGES,
      body => body.stop_reason,
      'stop_sequence',
    ],
    [
      CONVERSE,
      converseReply([{ text: 'x' }], 'model_context_window_exceeded'),
      CHAT,
      body => body.choices[0].finish_reason,
      'length',
    ],
    [
      CONVERSE,
      converseReply([{ text: 'x' }], 'guardrail_intervened'),
      CHAT,
      body => body.choices[0].finish_reason,
      'content_filter',
    ],
    [
      CONVERSE,
      converseReply([{ text: 'x' }], 'malformed_tool_use'),
      CHAT,
      body => body.choices[0].finish_reason,
      'stop',
    ],
    [
      CHAT,
      choice({ content: 'x' }, 'length'),
      RESPONSES,
      body => [body.status, body.incomplete_details],
      ['incomplete', { reason: 'max_output_tokens' }],
    ],
    [
      CHAT,
      choice({ content: 'x' }, 'content_filter'),
      RESPONSES,
      body => [body.status, body.incomplete_details],
      ['incomplete', { reason: 'content_filter' }],
    ],
    [CHAT, choice({ content: 'x' }, 'length'), GEMINI, body => body.candidates[0].finishReason, 'MAX_TOKENS'],
  ])('of %s is told in the words of the client (%#)', (upstream, reply, client, seen, wanted) => {
    expect(seen(tell(client, upstream, reply).body)).toEqual(wanted)
  })
})

describe('the envelope of a reply', () => {
  test('has an id of the client`s kind and the model that was asked for', () => {
    const context = contextFor(MESSAGES, CHAT)
    context.modelShown = 'asked'
    const { body } = tell(MESSAGES, CHAT, choice({ content: 'hi' }), context)
    expect(body.id).toMatch(/^msg_/)
    expect(body.model).toBe('asked')
    const bedrock = contextFor(CHAT, CONVERSE)
    bedrock.modelShown = 'claude'
    const shown = tell(CHAT, CONVERSE, converseReply([{ text: 'hi' }]), bedrock).body
    expect(shown.id).toMatch(/^chatcmpl-/)
    expect(shown.model).toBe('claude')
  })

  test('of Responses repeats the request, and counts what its client requires', () => {
    const { context } = askWishing(RESPONSES, CHAT, { temperature: 0.5, metadata: { a: 'b' } })
    const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }
    const { body } = tell(
      RESPONSES,
      CHAT,
      choice({ content: 'x', reasoning_content: 'Hm.', tool_calls: [call] }, 'tool_calls'),
      context,
    )
    expect(body).toMatchObject({ temperature: 0.5, metadata: { a: 'b' }, status: 'completed' })
    expect(body.output.map((item: Loose) => item.type)).toEqual(['reasoning', 'message', 'function_call'])
    expect(body.output[2]).toMatchObject({ call_id: 'call_1' })
    expect(body.output[2].id).toMatch(/^fc_/)
    expect(body.usage).toMatchObject({
      input_tokens_details: { cached_tokens: 0 },
      output_tokens_details: { reasoning_tokens: 0 },
    })
  })

  test('of Responses is read whatever it repeats', () => {
    const repeated = {
      text: { format: { type: 'json_schema', name: 'w', schema: {} } },
      reasoning: { effort: 'xhigh' },
      tool_choice: { type: 'function', name: 'f' },
      temperature: null,
      instructions: [{ role: 'developer', content: 'x' }],
    }
    const items = [
      { type: 'mcp_list_tools', id: 'm', server_label: 's', tools: [] },
      {
        type: 'message',
        id: 'i',
        role: 'assistant',
        status: 'completed',
        content: [
          {
            type: 'output_text',
            text: 'hi',
            annotations: [{ type: 'container_file_citation', file_id: 'f' }],
            logprobs: [{ token: 'hi', logprob: -1, bytes: null, top_logprobs: [] }],
          },
        ],
      },
    ]
    const { body, facts } = tell(CHAT, RESPONSES, responsesReply(items, repeated))
    expect(facts.state).toBe('complete')
    expect(body.choices[0].message.content).toBe('hi')
  })
})

test('an upstream that only streams serves a client that asked for the whole', () => {
  const blocks = [
    ...block(0, said(''), { type: 'text_delta', text: 'Os' }, { type: 'text_delta', text: 'lo' }),
    ...block(
      1,
      { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} },
      { type: 'input_json_delta', partial_json: '{"a":1}' },
    ),
  ]
  const end = { delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 7 } }
  const { body } = fold(CHAT, MESSAGES, messagesStream(blocks, end))
  expect(body.choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: { content: 'Oslo', tool_calls: [{ function: { name: 'f', arguments: '{"a":1}' } }] },
  })
  expect(body.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 7 })
  expect(fold(CHAT, MESSAGES, messagesStream(blocks, null)).facts.state).toBe('failed')
})

test('a body that comes in pieces is read when it has ended', () => {
  const reply = JSON.stringify(choice({ content: 'hi' }))
  for (const cut of [1, 40, reply.length - 1]) {
    const whole = tell(MESSAGES, CHAT, reply)
    const torn = tell(MESSAGES, CHAT, reply.slice(0, cut))
    expect(whole.facts.state).toBe('complete')
    expect(torn.facts.state).toBe('failed')
  }
})

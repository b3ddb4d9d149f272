// Known faults of gateways in streams: each has a test that says what is right. Their numbers are in `gaps.ts`.

import { describe, expect, test } from 'vitest'
import type { DialectId } from '../../src/translate/dialect.ts'
import { writeFrame } from '../../src/translate/framing/event-stream.ts'
import { ByteOut } from '../../src/translate/bytes/byte-out.ts'
import { bytes, contextFor, framed, text as textOf, translateReply } from '../translate/harness.ts'
import {
  askWishing,
  block,
  chunks,
  events,
  frames,
  type Loose,
  messagesStream,
  stream,
  usageChunk,
} from './drive.ts'

const MESSAGES = 'anthropic-messages'
const CONVERSE = 'bedrock-converse'
const CHAT = 'openai-chat'
const RESPONSES = 'openai-responses'
const GEMINI = 'gemini-generate'

const types = (list: readonly Loose[]): string[] => list.map(event => event.type ?? Object.keys(event)[0])
const said = (text: string) => ({ type: 'text_delta', text })
const empty = { type: 'text', text: '' }
const call = (index: number, id: string, name: string, args: string) => ({
  index,
  id,
  type: 'function',
  function: { name, arguments: args },
})
const USAGE = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 }
const ended = (reason: string, output = 4) => ({
  delta: { stop_reason: reason, stop_sequence: null },
  usage: { output_tokens: output },
})

describe('a Messages client', () => {
  test('is told that a message begins before anything else', () => {
    const { events: seen } = stream(
      MESSAGES,
      CHAT,
      chunks({ role: 'assistant', content: '' }, { content: 'hi' }, { finish: 'stop' }, '[DONE]'),
    )
    expect(types(seen)[0]).toBe('message_start')
  })

  test('is given blocks with numbers of their own, each closed before the next', () => {
    const { events: seen } = stream(
      MESSAGES,
      CHAT,
      chunks(
        { content: 'hi' },
        { tool_calls: [call(0, 'a', 'f', '{}')] },
        { tool_calls: [call(1, 'b', 'g', '{}')] },
        { finish: 'tool_calls' },
        '[DONE]',
      ),
    )
    const blocks = seen.filter(event => /content_block_(start|stop)/.test(event.type))
    expect(blocks.map(event => [event.type.slice(14), event.index])).toEqual([
      ['start', 0],
      ['stop', 0],
      ['start', 1],
      ['stop', 1],
      ['start', 2],
      ['stop', 2],
    ])
  })

  test('is given every call of a delta, with the arguments that came with its name', () => {
    const both = { tool_calls: [call(0, 'a', 'f', '{"x":1}'), call(1, 'b', 'g', '{"y":2}')] }
    const { events: seen } = stream(MESSAGES, CHAT, chunks(both, { finish: 'tool_calls' }, '[DONE]'))
    const args = seen
      .filter(event => event.delta?.type === 'input_json_delta')
      .map(event => event.delta.partial_json)
    expect(args).toEqual(['{"x":1}', '{"y":2}'])
    expect(seen.filter(event => event.content_block?.type === 'tool_use')).toHaveLength(2)
  })

  test('is given content, finish and usage of one chunk', () => {
    const { events: seen } = stream(
      MESSAGES,
      CHAT,
      chunks({ content: 'hi', finish: 'length', usage: USAGE }, '[DONE]'),
    )
    expect(seen.some(event => event.delta?.text === 'hi')).toBe(true)
    const last = seen.find(event => event.type === 'message_delta')
    expect(last).toMatchObject({ delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: 4 } })
  })

  test('is given the usage of a chunk that trails', () => {
    const { events: seen } = stream(
      MESSAGES,
      CHAT,
      chunks({ content: 'hi' }, { finish: 'stop' }, usageChunk(USAGE), '[DONE]'),
    )
    const last = seen.filter(event => event.type === 'message_delta')
    expect(last).toHaveLength(1)
    expect(last[0].usage).toMatchObject({ input_tokens: 9, output_tokens: 4 })
    expect(types(seen).at(-1)).toBe('message_stop')
  })

  test('is given thoughts as thoughts', () => {
    for (const member of ['reasoning_content', 'reasoning']) {
      const { events: seen } = stream(
        MESSAGES,
        CHAT,
        chunks({ [member]: 'Hm.' }, { content: 'hi' }, { finish: 'stop' }, '[DONE]'),
      )
      expect(seen.find(event => event.content_block)?.content_block.type).toBe('thinking')
      expect(seen.some(event => event.delta?.thinking === 'Hm.')).toBe(true)
    }
  })

  test('is told of errors and torn streams, never of an end', () => {
    for (const tail of [`data: {"error":{"message":"x","type":"server_error"}}\n\n`, '', 'data: {"cho']) {
      const { events: seen, facts } = stream(MESSAGES, CHAT, chunks({ content: 'hi' }) + tail)
      expect(facts.state).toBe('failed')
      expect(types(seen).at(-1)).toBe('error')
      expect(types(seen)).not.toContain('message_stop')
    }
  })

  test('is given the counts of Bedrock, which come after its end', () => {
    const source = frames(
      ['messageStart', { role: 'assistant' }],
      ['contentBlockDelta', { contentBlockIndex: 2, delta: { text: 'hi' } }],
      ['contentBlockStop', { contentBlockIndex: 2 }],
      ['messageStop', { stopReason: 'end_turn' }],
      [
        'metadata',
        { usage: { inputTokens: 9, outputTokens: 4, totalTokens: 13 }, metrics: { latencyMs: 1 } },
      ],
    )
    const context = contextFor(MESSAGES, CONVERSE)
    context.modelShown = 'asked'
    const { events: seen } = stream(MESSAGES, CONVERSE, source, context)
    expect(seen.find(event => event.type === 'message_delta').usage).toMatchObject({
      input_tokens: 9,
      output_tokens: 4,
    })
    expect(seen.find(event => event.type === 'content_block_start')).toMatchObject({ index: 0 })
    expect(seen[0].message.model).toBe('asked')
    expect(types(seen).at(-1)).toBe('message_stop')
  })
})

describe('a Responses client', () => {
  const source = chunks(
    { content: 'hi' },
    { tool_calls: [call(0, 'call_a', 'f', '{"a":1}')] },
    { tool_calls: [call(1, 'call_b', 'g', '{"b":2}')] },
    { finish: 'tool_calls' },
    usageChunk(USAGE),
    '[DONE]',
  )

  test('is given an item for each thing, with numbers and ids of their own', () => {
    const { events: seen } = stream(RESPONSES, CHAT, source)
    const added = seen.filter(event => event.type === 'response.output_item.added')
    expect(added.map(event => [event.output_index, event.item.type])).toEqual([
      [0, 'message'],
      [1, 'function_call'],
      [2, 'function_call'],
    ])
    expect(new Set(added.map(event => event.item.id)).size).toBe(3)
    const done = seen.find(event => event.type === 'response.completed').response.output
    expect(done.map((item: Loose) => item.arguments)).toEqual([undefined, '{"a":1}', '{"b":2}'])
  })

  test('is given the events of content parts, thoughts and refusals', () => {
    const { events: seen } = stream(
      RESPONSES,
      CHAT,
      chunks({ reasoning_content: 'Hm.' }, { content: 'hi' }, { finish: 'stop' }, '[DONE]'),
    )
    expect(types(seen)).toEqual(
      expect.arrayContaining([
        'response.content_part.added',
        'response.content_part.done',
        'response.output_text.done',
      ]),
    )
    expect(types(seen).some(type => /^response\.reasoning/.test(type))).toBe(true)
    const item = seen.find(
      event => event.type === 'response.output_item.done' && event.item.type === 'message',
    ).item
    expect(item.content[0]).toMatchObject({ type: 'output_text', text: 'hi' })
    const refused = stream(RESPONSES, CHAT, chunks({ refusal: 'No.' }, { finish: 'stop' }, '[DONE]'))
    expect(types(refused.events)).toContain('response.refusal.delta')
  })

  test('is told the usage, and that an answer is incomplete', () => {
    const last = (finish: string) =>
      stream(RESPONSES, CHAT, chunks({ content: 'hi' }, { finish }, usageChunk(USAGE), '[DONE]')).events.at(
        -1,
      )
    expect(last('stop')).toMatchObject({
      type: 'response.completed',
      response: { usage: { input_tokens: 9, output_tokens: 4 } },
    })
    expect(last('length')).toMatchObject({
      type: 'response.incomplete',
      response: { incomplete_details: { reason: 'max_output_tokens' } },
    })
    expect(last('content_filter')).toMatchObject({
      type: 'response.incomplete',
      response: { incomplete_details: { reason: 'content_filter' } },
    })
  })

  test('is repeated what it asked for, and nothing is invented', () => {
    const { context } = askWishing(RESPONSES, CHAT, { top_p: 0.5 })
    const { events: seen, shown } = stream(RESPONSES, CHAT, source, context)
    expect(seen[0].response).toMatchObject({ top_p: 0.5 })
    expect(seen[0].response.store).not.toBe(true)
    expect(seen.map(event => event.sequence_number)).toEqual(seen.map((_, index) => index))
    expect(stream(RESPONSES, CHAT, source, context).shown).toBe(shown)
  })

  test('is given all that Claude says', () => {
    const { events: seen } = stream(
      RESPONSES,
      MESSAGES,
      messagesStream(
        [
          ...block(
            0,
            { type: 'thinking', thinking: '', signature: '' },
            { type: 'thinking_delta', thinking: 'Hm.' },
            { type: 'signature_delta', signature: 's' },
          ),
          ...block(1, empty, said('hi')),
        ],
        ended('end_turn'),
      ),
    )
    const { response } = seen.at(-1)
    expect(response.output.map((item: Loose) => item.type)).toEqual(['reasoning', 'message'])
    expect(response.output[1].content[0].text).toBe('hi')
  })
})

describe('a Chat client', () => {
  const tool = block(0, empty, said('hi')).concat(
    block(
      1,
      { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} },
      { type: 'input_json_delta', partial_json: '{"a":1}' },
    ),
  )
  const shown = () => stream(CHAT, MESSAGES, messagesStream([{ type: 'ping' }, ...tool], ended('tool_use')))

  test('is told [DONE] once, and last', () => {
    const { events: seen } = shown()
    expect(seen.filter(event => event === '[DONE]')).toHaveLength(1)
    expect(seen.at(-1)).toBe('[DONE]')
  })

  test('is told one finish reason, the one that was said, and no empty chunks', () => {
    const { events: seen } = shown()
    const reasons = seen.flatMap(event => event.choices?.[0]?.finish_reason ?? [])
    expect(reasons).toEqual(['tool_calls'])
    const hollow = seen.filter(
      event =>
        event.choices?.length === 1 &&
        Object.keys(event.choices[0].delta).length === 0 &&
        event.choices[0].finish_reason === null,
    )
    expect(hollow).toEqual([])
  })

  test('is told usage and finish although the last event counts output only', () => {
    const { events: seen } = shown()
    expect(seen.at(-2).usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 })
    expect(seen.at(-2).choices).toEqual([])
  })

  test('is given calls numbered from 0, and one id and model throughout', () => {
    const { events: seen } = shown()
    const calls = seen.flatMap(event => event.choices?.[0]?.delta.tool_calls ?? [])
    expect(new Set(calls.map(made => made.index))).toEqual(new Set([0]))
    const heads = new Set(
      seen.filter(event => event !== '[DONE]').map(event => `${event.id} ${event.model} ${event.created}`),
    )
    expect(heads.size).toBe(1)
    expect([...heads][0]).not.toContain('unknown')
  })

  test('of Bedrock is told [DONE], and usage without a choice', () => {
    const { events: seen } = stream(
      CHAT,
      CONVERSE,
      frames(
        ['messageStart', { role: 'assistant' }],
        ['contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: 'Hm.' } } }],
        ['contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { signature: 's' } } }],
        ['contentBlockStop', { contentBlockIndex: 0 }],
        ['contentBlockDelta', { contentBlockIndex: 1, delta: { text: 'hi' } }],
        ['contentBlockDelta', { contentBlockIndex: 1, delta: { citation: { title: 't', location: {} } } }],
        ['contentBlockStop', { contentBlockIndex: 1 }],
        ['messageStop', { stopReason: 'end_turn' }],
        [
          'metadata',
          { usage: { inputTokens: 9, outputTokens: 4, totalTokens: 13 }, metrics: { latencyMs: 1 } },
        ],
      ),
    )
    expect(seen.at(-1)).toBe('[DONE]')
    expect(seen.at(-2)).toMatchObject({ choices: [], usage: { prompt_tokens: 9 } })
    const deltas = seen.flatMap(event => event.choices?.map((choice: Loose) => choice.delta) ?? [])
    expect(deltas.map(delta => delta.reasoning_content ?? '').join('')).toBe('Hm.')
    expect(deltas.map(delta => delta.content ?? '').join('')).toBe('hi')
  })
})

describe('a Bedrock stream', () => {
  const begun =
    'event messageStart {"role":"assistant"}\nevent contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"hi"}}'

  test('that ends with an exception is told as a failure of its kind', () => {
    for (const [name, kind] of [
      ['throttlingException', 'rate_limit'],
      ['modelStreamErrorException', 'upstream'],
      ['serviceUnavailableException', 'overloaded'],
      ['validationException', 'invalid'],
    ] as const) {
      const { facts, events: seen } = stream(
        MESSAGES,
        CONVERSE,
        `${begun}\nexception ${name} {"message":"x"}`,
      )
      expect(facts.state).toBe('failed')
      expect(facts.error?.kind).toBe(kind)
      expect(types(seen).at(-1)).toBe('error')
    }
  })

  test('with a damaged frame fails, and none of its bytes reach the client', () => {
    const out = new ByteOut()
    writeFrame(out, 'event', 'contentBlockDelta', '{"contentBlockIndex":0,"delta":{"text":"secret"}}')
    const broken = out.take()
    broken[broken.length - 10]! ^= 1
    const { bytes: shown, facts } = translateReply(CHAT, CONVERSE, true, [framed(begun), broken])
    expect(facts.state).toBe('failed')
    expect(textOf(shown)).not.toContain('secret')
    expect(textOf(shown)).toContain('"error"')
  })
})

const PING = 'event: ping\ndata: {"type":"ping"}\n\n'

describe('server-sent events', () => {
  const plain = chunks({ content: 'hé' }, { finish: 'stop' }, '[DONE]')
  /** Comments keep a connection alive; they reach the client as what its dialect has for that. */
  const shown = (pieces: readonly Uint8Array[]) =>
    textOf(translateReply(MESSAGES, CHAT, true, pieces).bytes).replaceAll(PING, '')

  test.each<[string, (text: string) => string]>([
    ['without a space', text => text.replaceAll('data: ', 'data:')],
    ['with CR only', text => text.replaceAll('\n', '\r')],
    ['with CRLF', text => text.replaceAll('\n', '\r\n')],
    ['with a byte order mark', text => `\ufeff${text}`],
    [
      'with comments, ids and retry times',
      text => `: hi\n\nid: 1\nretry: 5\n${text.replaceAll('data:', ': x\ndata:')}`,
    ],
    ['with data in several lines', text => text.replaceAll('"choices"', '\ndata: "choices"')],
    ['without the last line end', text => text.trimEnd()],
  ])('%s say the same', (_, change) => {
    const source = bytes(change(plain))
    const whole = stream(MESSAGES, CHAT, plain).shown.replaceAll(PING, '')
    expect(shown([source])).toBe(whole)
    const single = Array.from(source, byte => Uint8Array.of(byte))
    expect(shown(single)).toBe(whole)
  })

  test('behind [DONE] mean nothing', () => {
    const { events: seen, facts } = stream(MESSAGES, CHAT, plain + chunks({ content: 'more' }))
    expect(facts.state).toBe('complete')
    expect(JSON.stringify(seen)).not.toContain('more')
    expect(types(seen).at(-1)).toBe('message_stop')
  })

  test('with an event of 5 MiB pass', () => {
    const long = 'x'.repeat(5 * 1024 * 1024)
    const { facts, events: seen } = stream(
      MESSAGES,
      CHAT,
      chunks({ content: long }, { finish: 'stop' }, '[DONE]'),
    )
    expect(facts.state).toBe('complete')
    expect(seen.find(event => event.delta?.text)?.delta.text).toBe(long)
  })

  test('that stop without a word are no end, in any dialect', () => {
    for (const [upstream, source] of [
      [CHAT, chunks({ content: 'hi' })],
      [MESSAGES, messagesStream(block(0, empty, said('hi')), null)],
      [RESPONSES, events({ type: 'response.created', response: { id: 'r', model: 'm', output: [] } })],
      [GEMINI, 'data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\n\n'],
      [CONVERSE, 'event messageStart {"role":"assistant"}'],
    ] as readonly (readonly [DialectId, string])[]) {
      for (const client of [CHAT, MESSAGES, RESPONSES, GEMINI, CONVERSE] as const) {
        expect(stream(client, upstream, source).facts.state, `${upstream} to ${client}`).toBe('failed')
      }
    }
  })
})

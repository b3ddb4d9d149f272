// The conformance checklist: its first half: bytes, calls, counts, ends, framing. The rest is in
// `conversations.test.ts`; points that whole suites of their own hold
// (official clients, faults of the network, endpoints, round trips) are looked up in `coverage.test.ts`.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type DialectId, DIALECTS, PATH_DIALECTS } from '../../src/translate/dialect.ts'
import { DIALECT_TABLE } from '../../src/translate/dialects.ts'
import { scanRequest, spliceRequest } from '../../src/translate/index.ts'
import { bytes, collected, prompts, replies, streams, text, translateReply } from '../translate/harness.ts'
import { relay } from '../translate/relay-fixtures.ts'
import { chunks, type Loose, stream, tell, usageChunk } from './drive.ts'

const CHAT = 'openai-chat'
const RESPONSES = 'openai-responses'
const MESSAGES = 'anthropic-messages'
const CONVERSE = 'bedrock-converse'
const GEMINI = 'gemini-generate'

const PAIRS = DIALECTS.flatMap(client => DIALECTS.map(upstream => [client, upstream] as const))

// K1
describe('the same dialect on both sides', () => {
  test.each(DIALECTS)('%s: nothing of a request changes but the model', dialect => {
    for (const { name, bytes: source } of prompts(dialect)) {
      const sent = spliceRequest(
        scanRequest(dialect, source),
        PATH_DIALECTS.has(dialect) ? {} : { model: 'other' },
      )
      const model = /("model"\s*:\s*)"[^"]*"/
      const wanted = PATH_DIALECTS.has(dialect) ? text(source) : text(source).replace(model, '$1"other"')
      expect(text(sent), name).toBe(wanted)
    }
  })

  test.each(DIALECTS)('%s: nothing of a reply or a stream changes', dialect => {
    for (const { name, bytes: source } of streams(dialect)) {
      expect(Buffer.compare(relay(dialect, [source], 'open').bytes, source), name).toBe(0)
    }
    for (const { name, bytes: source } of replies(dialect)) {
      expect(text(relay(dialect, [source], 'end', { streaming: false }).bytes), name).toBe(text(source))
    }
  })
})

// K2
test.each(PAIRS)('every prompt, reply and stream of %s and %s has a golden file', (client, upstream) => {
  const folder = resolve(import.meta.dirname, `../golden/${client}.${upstream}`)
  const files = [
    ...prompts(client).map(({ name }) => `prompt.${name}.txt`),
    ...replies(upstream).map(({ name }) => `reply.${name}.txt`),
    ...streams(upstream).map(({ name }) => `stream.${name}.txt`),
  ]
  expect(files.length).toBeGreaterThan(20)
  expect(files.filter(file => !existsSync(resolve(folder, file)))).toEqual([])
})

// K4
describe('parallel calls', () => {
  const call = (index: number | undefined, id: string, name: string, args: unknown): object => ({
    ...(index === undefined ? {} : { index }),
    id,
    type: 'function',
    function: { name, arguments: args },
  })
  const more = (index: number, args: string): object => ({
    tool_calls: [{ index, function: { arguments: args } }],
  })
  const end = { finish: 'tool_calls' }
  const three = ['f {"a":1}', 'g {"b":2}', 'h {}']

  test.each<[string, readonly object[], readonly string[]]>([
    ['none', [{ content: 'hi' }, { finish: 'stop' }], []],
    ['one', [{ tool_calls: [call(0, 'a', 'f', '{"a":1}')] }, end], ['f {"a":1}']],
    [
      'three, whole in a delta each',
      [
        { tool_calls: [call(0, 'a', 'f', '{"a":1}')] },
        { tool_calls: [call(1, 'b', 'g', '{"b":2}')] },
        { tool_calls: [call(2, 'c', 'h', '')] },
        end,
      ],
      three,
    ],
    [
      'three in one delta',
      [
        { tool_calls: [call(0, 'a', 'f', '{"a":1}'), call(1, 'b', 'g', '{"b":2}'), call(2, 'c', 'h', '{}')] },
        end,
      ],
      three,
    ],
    [
      'three without numbers',
      [
        {
          tool_calls: [
            call(undefined, 'a', 'f', '{"a":1}'),
            call(undefined, 'b', 'g', '{"b":2}'),
            call(undefined, 'c', 'h', ''),
          ],
        },
        end,
      ],
      three,
    ],
    [
      'three that all say 0',
      [
        { tool_calls: [call(0, 'a', 'f', '{"a":1}')] },
        { tool_calls: [call(0, 'b', 'g', '{"b":2}')] },
        { tool_calls: [call(0, 'c', 'h', '{}')] },
        end,
      ],
      three,
    ],
    [
      'interleaved',
      [
        { tool_calls: [call(0, 'a', 'f', '')] },
        { tool_calls: [call(1, 'b', 'g', '')] },
        more(0, '{"a"'),
        more(1, '{"b"'),
        more(0, ':1}'),
        more(1, ':2}'),
        end,
      ],
      three.slice(0, 2),
    ],
    [
      'followed by text',
      [{ tool_calls: [call(0, 'a', 'f', '{"a":1}')] }, { content: 'more' }, end],
      ['f {"a":1}'],
    ],
    [
      'with arguments that are an object',
      [{ tool_calls: [call(0, 'a', 'f', { a: 1 })] }, end],
      ['f {"a":1}'],
    ],
  ])('%s: every client sees them, their names and their arguments', (_, deltas, wanted) => {
    const source = bytes(chunks(...(deltas as Loose[]), '[DONE]'))
    for (const client of DIALECTS) {
      const written = translateReply(client, CHAT, true, [source])
      const turn = collected(DIALECT_TABLE[client]!, true, [written.bytes])
      const calls = turn.choices[0]!.parts.filter(part => part.kind === 'call')
      expect(
        calls.map(part => `${part.call!.name} ${part.input}`),
        client,
      ).toEqual(wanted)
      expect(new Set(calls.map(part => part.call!.id)).size, client).toBe(wanted.length)
    }
  })
})

// K5
describe('usage', () => {
  const counts = { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 }
  const rich = {
    ...counts,
    prompt_tokens_details: { cached_tokens: 8, cache_write_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 3 },
  }

  test.each<[string, string, object | null]>([
    [
      'in the last chunk',
      chunks({ content: 'x' }, { finish: 'stop', usage: counts }, '[DONE]'),
      { inputTokens: 20, outputTokens: 5 },
    ],
    [
      'in a trailing chunk',
      chunks({ content: 'x' }, { finish: 'stop' }, usageChunk(counts), '[DONE]'),
      { inputTokens: 20, outputTokens: 5 },
    ],
    [
      'before the finish',
      chunks({ content: 'x', usage: counts }, { finish: 'stop' }, '[DONE]'),
      { inputTokens: 20, outputTokens: 5 },
    ],
    [
      'cached, written and of reasoning',
      chunks({ content: 'x' }, { finish: 'stop' }, usageChunk(rich), '[DONE]'),
      { inputTokens: 20, cacheReadTokens: 8, cacheWriteTokens: 4, reasoningTokens: 3 },
    ],
    ['null', chunks({ content: 'x' }, { finish: 'stop', usage: null }, '[DONE]'), null],
    ['missing', chunks({ content: 'x' }, { finish: 'stop' }, '[DONE]'), null],
  ])('%s is known, and told to every client', (_, source, wanted) => {
    for (const client of DIALECTS) {
      const written = translateReply(client, CHAT, true, [bytes(source)])
      if (wanted === null) expect(written.facts.usage).toBeNull()
      else expect(written.facts.usage).toMatchObject(wanted)
      const turn = collected(DIALECT_TABLE[client]!, true, [written.bytes])
      if (wanted !== null) expect(turn.usageTold, client).toMatchObject({ inputTokens: 20, outputTokens: 5 })
    }
  })

  test('of Messages, whose first event counts input and whose last counts output, is both', () => {
    const { events, facts } = stream(
      CHAT,
      MESSAGES,
      text(streams(MESSAGES).find(({ name }) => name === 'text')!.bytes),
    )
    expect(facts.usage!.inputTokens).toBeGreaterThan(0)
    expect(events.at(-2).usage.prompt_tokens).toBe(facts.usage!.inputTokens)
    expect(events.at(-2).usage.completion_tokens).toBe(facts.usage!.outputTokens)
  })
})

// K6
describe('the finish', () => {
  const chat = (finish: string | null) => ({
    choices: [{ message: { content: 'x' }, finish_reason: finish }],
  })
  const claude = (word: string | null) => ({
    type: 'message',
    content: [{ type: 'text', text: 'x' }],
    stop_reason: word,
    usage: {},
  })
  const bedrock = (word: string) => ({
    output: { message: { role: 'assistant', content: [{ text: 'x' }] } },
    stopReason: word,
  })
  const google = (word: string) => ({
    candidates: [{ content: { parts: [{ text: 'x' }] }, finishReason: word }],
  })
  const openai = (status: string, reason?: string) => ({
    id: 'r',
    status,
    incomplete_details: reason === undefined ? null : { reason },
    output: [
      {
        type: 'message',
        id: 'm',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'x', annotations: [] }],
      },
    ],
  })
  const seen: Readonly<Record<DialectId, (body: Loose) => string>> = {
    [CHAT]: reply => reply.choices[0].finish_reason,
    [RESPONSES]: reply => reply.incomplete_details?.reason ?? reply.status,
    [MESSAGES]: reply => reply.stop_reason,
    [CONVERSE]: reply => reply.stopReason,
    [GEMINI]: reply => reply.candidates[0].finishReason,
  }
  const NATURAL = ['stop', 'completed', 'end_turn', 'end_turn', 'STOP']
  const LENGTH = ['length', 'max_output_tokens', 'max_tokens', 'max_tokens', 'MAX_TOKENS']
  const WINDOW = [
    'length',
    'max_output_tokens',
    'model_context_window_exceeded',
    'model_context_window_exceeded',
    'MAX_TOKENS',
  ]
  const POLICY = [
    'content_filter',
    'content_filter',
    'refusal',
    /content_filtered|guardrail_intervened/,
    /SAFETY|OTHER|PROHIBITED_CONTENT/,
  ]
  const STOP_TEXT = ['stop', 'completed', 'stop_sequence', 'stop_sequence', 'STOP']

  /** In the order of the dialects. */
  test.each<[DialectId, string, object, readonly (string | RegExp)[]]>([
    [CHAT, 'stop', chat('stop'), NATURAL],
    [CHAT, 'length', chat('length'), LENGTH],
    [CHAT, 'content_filter', chat('content_filter'), POLICY],
    [CHAT, 'an unknown word', chat('eos_token'), NATURAL],
    [CHAT, 'tool_calls without a call', chat('tool_calls'), NATURAL],
    [RESPONSES, 'completed', openai('completed'), NATURAL],
    [RESPONSES, 'max_output_tokens', openai('incomplete', 'max_output_tokens'), LENGTH],
    [RESPONSES, 'content_filter', openai('incomplete', 'content_filter'), POLICY],
    [MESSAGES, 'end_turn', claude('end_turn'), NATURAL],
    [MESSAGES, 'max_tokens', claude('max_tokens'), LENGTH],
    [MESSAGES, 'stop_sequence', claude('stop_sequence'), STOP_TEXT],
    [MESSAGES, 'model_context_window_exceeded', claude('model_context_window_exceeded'), WINDOW],
    [MESSAGES, 'an unknown word', claude('brand_new'), NATURAL],
    [CONVERSE, 'end_turn', bedrock('end_turn'), NATURAL],
    [CONVERSE, 'max_tokens', bedrock('max_tokens'), LENGTH],
    [CONVERSE, 'stop_sequence', bedrock('stop_sequence'), STOP_TEXT],
    [CONVERSE, 'guardrail_intervened', bedrock('guardrail_intervened'), POLICY],
    [CONVERSE, 'content_filtered', bedrock('content_filtered'), POLICY],
    [CONVERSE, 'model_context_window_exceeded', bedrock('model_context_window_exceeded'), WINDOW],
    [GEMINI, 'STOP', google('STOP'), NATURAL],
    [GEMINI, 'MAX_TOKENS', google('MAX_TOKENS'), LENGTH],
    ...['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'LANGUAGE'].map(
      word =>
        [GEMINI, word, google(word), POLICY.with(4, /SAFETY|OTHER|[A-Z_]+/)] as [
          DialectId,
          string,
          object,
          readonly (string | RegExp)[],
        ],
    ),
  ])('%s %s is told to every client in its words', (upstream, _, reply, wanted) => {
    for (const [index, client] of DIALECTS.entries()) {
      const word = wanted[index]!
      const shown = seen[client](tell(client, upstream, reply as Loose).body)
      if (typeof word === 'string') expect(shown, client).toBe(word)
      else expect(shown, client).toMatch(word)
    }
  })

  test('that never comes fails the reply', () => {
    for (const client of DIALECTS) {
      expect(stream(client, CHAT, chunks({ content: 'x' })).facts.state, client).toBe('failed')
    }
  })
})

// K8
describe('framing', () => {
  const sources = ([CHAT, RESPONSES, MESSAGES, GEMINI] as const).map(
    dialect => [dialect, text(streams(dialect).find(({ name }) => name === 'text')!.bytes)] as const,
  )

  test.each<[string, (source: string) => string]>([
    ['CR', source => source.replaceAll(/\r?\n/g, '\r')],
    ['CRLF', source => source.replaceAll(/\r?\n/g, '\r\n')],
    ['a byte order mark', source => `\ufeff${source}`],
    ['no space', source => source.replaceAll(/^(data|event): /gm, '$1:')],
    ['data in several lines', source => source.replaceAll(/^(data: ?\{)/gm, '$1\ndata: ')],
    ['a last line without an end', source => source.trimEnd()],
  ])('with %s is read in every dialect, also one byte at a time', (_, change) => {
    for (const [upstream, source] of sources) {
      const wanted = text(translateReply(CHAT, upstream, true, [bytes(source)]).bytes)
      const changed = bytes(change(source))
      expect(text(translateReply(CHAT, upstream, true, [changed]).bytes), upstream).toBe(wanted)
      const single = Array.from(changed, byte => Uint8Array.of(byte))
      expect(text(translateReply(CHAT, upstream, true, single).bytes), upstream).toBe(wanted)
    }
  })

  test('cuts inside a character and inside an escape change nothing', () => {
    const source = bytes(
      chunks({ content: 'é€😀' }, { content: 'x' }, { finish: 'stop' }, '[DONE]').replace(
        '"x"',
        '"\\ud83d\\ude00\\n"',
      ),
    )
    for (let cut = 0; cut <= source.length; cut += 1) {
      const { bytes: out } = translateReply(MESSAGES, CHAT, true, [
        source.subarray(0, cut),
        source.subarray(cut),
      ])
      const turn = collected(DIALECT_TABLE[MESSAGES]!, true, [out])
      if (turn.choices[0]!.textOf('text') !== 'é€😀😀\n') expect(cut).toBe('a cut that changes nothing')
    }
  })
})

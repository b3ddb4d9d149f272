// The conformance checklist, its second half: what a conversation carries from turn to turn, and what it may hold.

import { describe, expect, test } from 'vitest'
import { type DialectId, DIALECTS } from '../../src/translate/dialect.ts'
import { DIALECT_TABLE } from '../../src/translate/dialects.ts'
import { ableTarget, bytes } from '../translate/harness.ts'
import { ask, type Loose, tell } from './drive.ts'
import { asking, body, loop, message, PDF, PNG, text as said, tools } from './features/bodies.ts'

const CHAT = 'openai-chat'
const RESPONSES = 'openai-responses'
const MESSAGES = 'anthropic-messages'
const CONVERSE = 'bedrock-converse'
const GEMINI = 'gemini-generate'

const FOREIGN = DIALECTS.flatMap(client =>
  DIALECTS.filter(upstream => upstream !== client).map(upstream => [client, upstream] as const),
)

// K10
describe('thoughts in a loop of three turns', () => {
  const call = { name: 'weather', args: { city: 'Oslo' } }
  const VALUE = 'c2lnbmF0dXJl'
  const upstreams: readonly (readonly [DialectId, string, object])[] = [
    [
      MESSAGES,
      VALUE,
      {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'm',
        usage: { input_tokens: 1, output_tokens: 1 },
        stop_reason: 'tool_use',
        content: [
          { type: 'thinking', thinking: 'Hm.', signature: VALUE },
          { type: 'tool_use', id: 'toolu_1', name: call.name, input: call.args },
        ],
      },
    ],
    [
      CONVERSE,
      VALUE,
      {
        stopReason: 'tool_use',
        usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
        output: {
          message: {
            role: 'assistant',
            content: [
              { reasoningContent: { reasoningText: { text: 'Hm.', signature: VALUE } } },
              { toolUse: { toolUseId: 'tooluse_1', name: call.name, input: call.args } },
            ],
          },
        },
      },
    ],
    [
      GEMINI,
      VALUE,
      {
        candidates: [
          {
            finishReason: 'STOP',
            content: {
              role: 'model',
              parts: [
                { text: 'Hm.', thought: true },
                { functionCall: { id: 'g1', name: call.name, args: call.args }, thoughtSignature: VALUE },
              ],
            },
          },
        ],
      },
    ],
    [
      RESPONSES,
      VALUE,
      {
        id: 'resp_1',
        object: 'response',
        status: 'completed',
        model: 'm',
        output: [
          {
            type: 'reasoning',
            id: 'rs_1',
            summary: [{ type: 'summary_text', text: 'Hm.' }],
            encrypted_content: VALUE,
          },
          {
            type: 'function_call',
            id: 'fc_1',
            call_id: 'call_1',
            name: call.name,
            arguments: '{"city":"Oslo"}',
            status: 'completed',
          },
        ],
      },
    ],
    [
      CHAT,
      'Hm.',
      {
        choices: [
          {
            finish_reason: 'tool_calls',
            message: {
              role: 'assistant',
              content: null,
              reasoning_content: 'Hm.',
              tool_calls: [
                {
                  id: 'call_1',
                  type: 'function',
                  function: { name: call.name, arguments: '{"city":"Oslo"}' },
                },
              ],
            },
          },
        ],
      },
    ],
  ]

  /** The next request of a client that keeps what it was given and answers the call. */
  function next(client: DialectId, reply: Loose): Loose {
    const wishes: Readonly<Record<DialectId, object>> = {
      [CHAT]: { reasoning_effort: 'low', include_reasoning: true },
      [RESPONSES]: { reasoning: { effort: 'low' }, include: ['reasoning.encrypted_content'] },
      [MESSAGES]: { thinking: { type: 'adaptive' }, max_tokens: 9000 },
      [CONVERSE]: { additionalModelRequestFields: { thinking: { type: 'adaptive' } } },
      [GEMINI]: { generationConfig: { thinkingConfig: { thinkingLevel: 'LOW', includeThoughts: true } } },
    }
    const question = message(client, 'user', [said(client, 'How is the weather?')])
    const all = { ...tools(client, ['weather']), ...wishes[client] } as Loose
    switch (client) {
      case CHAT: {
        const made = reply.choices[0].message
        return body(
          client,
          [question, made, { role: 'tool', tool_call_id: made.tool_calls[0].id, content: 'sunny' }],
          all,
        )
      }
      case RESPONSES: {
        const made = reply.output.find((item: Loose) => item.type === 'function_call')
        return body(
          client,
          [
            question,
            ...reply.output,
            { type: 'function_call_output', call_id: made.call_id, output: 'sunny' },
          ],
          all,
        )
      }
      case MESSAGES: {
        const made = reply.content.find((item: Loose) => item.type === 'tool_use')
        const result = { type: 'tool_result', tool_use_id: made.id, content: 'sunny' }
        return body(
          client,
          [question, { role: 'assistant', content: reply.content }, message(client, 'user', [result])],
          all,
        )
      }
      case CONVERSE: {
        const made = reply.output.message.content.find((item: Loose) => item.toolUse).toolUse
        const result = { toolResult: { toolUseId: made.toolUseId, content: [{ text: 'sunny' }] } }
        return body(client, [question, reply.output.message, message(client, 'user', [result])], all)
      }
      case GEMINI: {
        const made = reply.candidates[0].content.parts.find((item: Loose) => item.functionCall).functionCall
        const result = { functionResponse: { id: made.id, name: made.name, response: { output: 'sunny' } } }
        return body(client, [question, reply.candidates[0].content, message(client, 'user', [result])], all)
      }
    }
  }

  const facts = { replayReasoning: true }
  const cases = DIALECTS.flatMap(client =>
    upstreams.map(([upstream, value, reply]) => [client, upstream, value, reply] as const),
  )

  test.each(cases)(
    'go from %s back to %s, which issued them, and after a switch to nobody else',
    (client, upstream, value, reply) => {
      const first = ask(client, upstream, next(client, seedReply(client)), { facts })
      const shown = tell(
        client,
        upstream,
        reply as Loose,
        Object.assign(first.context, { nowS: 1, idSeed: 'x' }),
      ).body
      const history = next(client, shown)
      const again = ask(client, upstream, history, { facts })
      expect(again.raw).toContain(value)
      if (value !== VALUE) return
      for (const other of DIALECTS) {
        const target = ableTarget(other, facts)
        if (target.family === ableTarget(upstream).family) continue
        const switched = ask(client, other, history, { facts })
        expect(switched.raw, other).not.toContain(VALUE)
        expect(switched.raw, other).not.toMatch(/gw1\.|Z3cxL/)
      }
    },
  )

  /** Any first reply with a call, in the client's own dialect. */
  function seedReply(client: DialectId): Loose {
    return upstreams.find(([dialect]) => dialect === client)![2]
  }
})

// K11
describe('ids and names of tools', () => {
  const names = ['a'.repeat(100), 'with.dots', 'wetter_für_köln', '9starts', 'two words']

  test.each(FOREIGN.filter(([client]) => client !== GEMINI && client !== CONVERSE))(
    'of %s are legal for %s, told apart, and come back as they were',
    (client, upstream) => {
      const { body: sent, context } = ask(
        client,
        upstream,
        asking(client, [said(client, 'hi')], tools(client, names)),
      )
      const list: string[] = [...JSON.stringify(sent).matchAll(/"name":"([^"]+)"/g)].map(([, name]) => name!)
      expect(new Set(list).size).toBe(names.length)
      const rule = upstream === GEMINI ? /^[a-zA-Z_][\w.:-]{0,127}$/ : /^[a-zA-Z0-9_-]{1,128}$/
      for (const name of list) expect(name).toMatch(rule)
      expect(list.map(name => context.names.toClient(name).name)).toEqual(names)
    },
  )

  test.each(FOREIGN)('of calls from %s match their results at %s', (client, upstream) => {
    const { raw } = ask(client, upstream, loop(client, { ids: ['functions.f:0', 'x'.repeat(100)] }))
    const prompt = DIALECT_TABLE[upstream]!.readPrompt(bytes(raw))
    const parts = prompt.turns.flatMap(turn => turn.parts)
    const calls = parts.flatMap(part => (part.kind === 'call' ? [part.id] : []))
    const results = parts.flatMap(part => (part.kind === 'result' ? [part.callId] : []))
    expect(calls).toHaveLength(2)
    expect(new Set(calls).size).toBe(2)
    expect(results).toEqual(calls)
  })
})

// K12
describe('images and documents', () => {
  const image = (url: string) => asking(CHAT, [{ type: 'image_url', image_url: { url } }])
  const file = (name: string, mime: string, data: string) =>
    asking(CHAT, [{ type: 'file', file: { filename: name, file_data: `data:${mime};base64,${data}` } }])
  const odd = `data:image/png,${encodeURIComponent('\u0089PNG')}`

  test.each(DIALECTS)('reach %s by value, or are refused by name', upstream => {
    for (const url of [`data:image/png;base64,${PNG}`, `data:image/jpg;base64,${PNG}`]) {
      expect(ask(CHAT, upstream, image(url)).raw).toContain(PNG)
    }
    expect(ask(CHAT, upstream, image(`data:image/jpg;base64,${PNG}`)).raw).not.toMatch(/image\/jpg/)
    expect(ask(CHAT, upstream, file('a.pdf', 'application/pdf', PDF)).raw).toContain(PDF)
    expect(ask(CHAT, upstream, file('a.txt', 'text/plain', btoa('Oslo'))).raw).toMatch(/Oslo|T3Nsbw==/)
    const refusal = /^messages\[0\]\.content\[0\]/
    if (upstream === CONVERSE)
      expect(() => ask(CHAT, upstream, image('https://example.com/a.png'))).toThrow(refusal)
    else
      expect(ask(CHAT, upstream, image('https://example.com/a.png')).raw).toContain(
        'https://example.com/a.png',
      )
    if (upstream === MESSAGES || upstream === CONVERSE) {
      expect(ask(CHAT, upstream, image(odd)).raw).toContain(btoa('\u00c2\u0089PNG'))
      expect(() => ask(CHAT, upstream, file('a.xyz', 'application/x-unknown', 'AAAA'))).toThrow(
        /messages\[0\]|files/,
      )
    }
  })

  test.each(DIALECTS)('inside results reach %s', upstream => {
    const result = [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }]
    expect(ask(MESSAGES, upstream, loop(MESSAGES, { result })).raw).toContain(PNG)
  })
})

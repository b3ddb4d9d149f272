// The small pieces between dialects: names, ids, envelopes, warnings, custom input, serial parts.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TurnCollector } from '../../src/translate/collect.ts'
import { DIALECT_TABLE } from '../../src/translate/dialects.ts'
import { CustomInput } from '../../src/translate/custom-input.ts'
import { formatWarnings, LossList, memberPath } from '../../src/translate/loss.ts'
import { mentionsEnvelope, unwrapOpaque, wrapOpaque } from '../../src/translate/opaque.ts'
import { openReply, translatePrompt } from '../../src/translate/pair.ts'
import { boundlessSchema, isStrictSchema, objectSchema } from '../../src/translate/schema.ts'
import { SerialSink } from '../../src/translate/serial.ts'
import { CALL_ID_RULES, callIdFor, NAME_RULES, ToolNames } from '../../src/translate/tool-names.ts'
import { CheckingSink } from '../../src/translate/turn-check.ts'
import { finish } from '../../src/translate/turn.ts'
import { ableTarget, bytes, collected, contextFor, text, translateReply } from './harness.ts'

describe('tool names', () => {
  test('any set of names maps to legal, different names and back', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1, maxLength: 200 })), list => {
        for (const rule of Object.values(NAME_RULES)) {
          const names = new ToolNames(rule)
          const mapped = list.map(name => names.toTarget(name))
          expect(new Set(mapped).size).toBe(list.length)
          for (const [index, name] of mapped.entries()) {
            expect(name).toMatch(rule.pattern)
            expect(name.length).toBeLessThanOrEqual(rule.lengthMax)
            expect(names.toClient(name)).toEqual({ name: list[index], namespace: null })
          }
        }
      }),
    )
  })

  test('ids are kept when legal and otherwise the same in every turn', () => {
    expect(callIdFor('toolu_01', CALL_ID_RULES['anthropic-messages'])).toBe('toolu_01')
    const mapped = callIdFor('functions.f:0', CALL_ID_RULES['anthropic-messages'])
    expect(mapped).toMatch(/^[A-Za-z0-9_-]+$/)
    expect(callIdFor('functions.f:0', CALL_ID_RULES['anthropic-messages'])).toBe(mapped)
  })
})

describe('opaque material', () => {
  test('comes back from any client as it was', () => {
    const kinds = fc.constantFrom('signature' as const, 'redacted' as const, 'encrypted' as const)
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        kinds,
        fc.option(fc.string({ minLength: 1, unit: 'grapheme' })),
        (value, kind, id) => {
          const opaque = { family: 'google', kind, id, value }
          const shown = wrapOpaque(opaque, 'anthropic-messages')
          expect(unwrapOpaque(shown, 'anthropic-messages', 'signature')).toEqual(opaque)
          expect(mentionsEnvelope(bytes(`{"signature":"${shown}"}`))).toBe(true)
        },
      ),
    )
  })

  test('a value without envelope belongs to the client dialect itself', () => {
    expect(unwrapOpaque('c2ln', 'anthropic-messages', 'signature').family).toBe('anthropic')
    expect(mentionsEnvelope(bytes('{"signature":"c2ln", "g":"gw2."}'))).toBe(false)
  })
})

describe('warnings', () => {
  test('are printed in the agreed form', () => {
    const losses = new LossList()
    losses.add('drop', '/seed', 'unsupported')
    losses.add('drop', '/seed', 'unsupported')
    losses.add('map', '/messages/0/content', 'search_result_as_text')
    expect(formatWarnings(losses.items)).toBe(
      'drop;field=/seed;reason=unsupported, map;field=/messages/0/content;reason=search_result_as_text',
    )
    expect(formatWarnings([])).toBeNull()
  })

  test('stay within 2 KB of header-safe ASCII whatever the members are called', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { minLength: 1, maxLength: 60 }),
        names => {
          const header = formatWarnings(
            names.map(name => ({ action: 'drop' as const, field: `/${name}`, reason: 'x' })),
          )
          expect(header).toMatch(/^[ -~]+$/)
          expect(header!.length).toBeLessThanOrEqual(2048)
        },
      ),
    )
  })

  test('a strict caller is refused with every field named', () => {
    const body = bytes('{"model":"m","messages":[{"role":"user","content":"hi"}],"seed":1,"logprobs":true}')
    const target = ableTarget('anthropic-messages')
    expect(() => translatePrompt('openai-chat', 'anthropic-messages', body, target, true)).toThrow(
      /logprobs.*seed/,
    )
    expect(translatePrompt('openai-chat', 'anthropic-messages', body, target, false).losses).toHaveLength(2)
    expect(memberPath('/messages/3/content/0')).toBe('messages[3].content[0]')
  })
})

describe('custom input', () => {
  test('is taken out of its wrapper under any cuts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat({ max: 40 })), (input, cuts) => {
        const json = JSON.stringify({ input })
        const custom = new CustomInput()
        let out = ''
        let at = 0
        for (const cut of [...cuts, json.length]) {
          out += custom.feed(json.slice(at, at + cut))
          at += cut
        }
        expect(out + custom.end()).toBe(input)
      }),
    )
  })

  test('what has another form is shown as it is', () => {
    const custom = new CustomInput()
    expect(custom.feed('{"other":1}') + custom.end()).toBe('{"other":1}')
  })
})

describe('schemas', () => {
  test('bounds move into descriptions and the rest keeps its spelling', () => {
    const schema =
      '{"type":"object","properties":{"minimum":{"type":"number","minimum":1.0,"description":"d"}}}'
    expect(boundlessSchema(schema)).toBe(
      '{"type":"object","properties":{"minimum":{"type":"number","description":"d; minimum: 1.0"}},"additionalProperties":false}',
    )
  })

  test('parameters always are an object', () => {
    expect(objectSchema(null)).toBe('{"type":"object","properties":{}}')
    expect(objectSchema('{"properties":{"a":{}}}')).toBe('{"type":"object","properties":{"a":{}}}')
    expect(
      isStrictSchema('{"type":"object","properties":{"a":{}},"required":["a"],"additionalProperties":false}'),
    ).toBe(true)
    expect(isStrictSchema('{"type":"object","properties":{"a":{}}}')).toBe(false)
  })
})

test('parts that run side by side come out one at a time, in their order', () => {
  const collector = new TurnCollector()
  const open: number[] = []
  const checking = new CheckingSink(collector)
  const watching = new Proxy(checking, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (name === 'callStart' || name === 'partStart') open.push(args[1] as number)
        if (name === 'partEnd') open.splice(open.indexOf(args[1] as number), 1)
        expect(open.length).toBeLessThanOrEqual(1)
        return value.apply(target, args)
      }
    },
  })
  const serial = new SerialSink(watching)
  const call = (id: string) => ({ id, itemId: null, name: 'f', namespace: null, custom: false })
  serial.start({ id: 'x', model: 'm', createdS: null, tier: null, usage: null })
  serial.callStart(0, 0, call('a'))
  serial.input(0, 0, '{"a":"}')
  serial.callStart(0, 1, call('b'))
  serial.input(0, 1, '{"b":')
  serial.partStart(0, 2, 'text')
  serial.text(0, 2, 'done')
  serial.input(0, 0, '"}')
  serial.input(0, 1, '1}')
  for (const part of [0, 1, 2]) serial.partEnd(0, part, true)
  serial.finish(0, finish('calls', null))
  serial.end()
  expect(collector.choices[0]!.parts.map(part => part.input || part.text)).toEqual([
    '{"a":"}"}',
    '{"b":1}',
    'done',
  ])
})

describe('stand-ins', () => {
  const body = bytes(
    '{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}}',
  )

  test('structured output by a forced tool comes back as text', () => {
    const target = ableTarget('anthropic-messages', { jsonSchema: false })
    const written = translatePrompt('openai-chat', 'anthropic-messages', body, target, false)
    expect(text(written.body)).toContain('"tool_choice":{"type":"tool","name":"json_response"}')
    const pieces: string[] = []
    const out = { write: (piece: Uint8Array) => pieces.push(text(piece)) }
    const reply =
      '{"id":"msg_1","type":"message","model":"c","content":[{"type":"text","text":"Sure:"},{"type":"tool_use","id":"t","name":"json_response","input":{"a": 1.0}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}'
    const path = openReply({
      client: 'openai-chat',
      upstream: 'anthropic-messages',
      streaming: false,
      context: written.context,
      out,
    })
    path.write(bytes(reply))
    path.end()
    expect(JSON.parse(pieces.join('')).choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: '{"a":1.0}' },
    })
  })

  test('a custom tool goes out as a function and its calls come back as custom', () => {
    const asked = bytes(
      '{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"custom","custom":{"name":"run"}}]}',
    )
    const written = translatePrompt(
      'openai-chat',
      'anthropic-messages',
      asked,
      ableTarget('anthropic-messages'),
      false,
    )
    const context = Object.assign(contextFor('openai-chat', 'anthropic-messages'), {
      customTools: written.context.customTools,
    })
    const pieces: string[] = []
    const out = { write: (piece: Uint8Array) => pieces.push(text(piece)) }
    const path = openReply({
      client: 'openai-chat',
      upstream: 'anthropic-messages',
      streaming: false,
      context,
      out,
    })
    path.write(
      bytes(
        '{"id":"msg_1","type":"message","content":[{"type":"tool_use","id":"t","name":"run","input":{"input":"ls\\n"}}],"stop_reason":"tool_use"}',
      ),
    )
    path.end()
    expect(JSON.parse(pieces.join('')).choices[0].message.tool_calls).toEqual([
      { id: 't', type: 'custom', custom: { name: 'run', input: 'ls\n' } },
    ])
  })
})

test('a blocked prompt stays blocked when a later frame names no reason', () => {
  const frame = (blockReason: unknown): string =>
    `data: ${JSON.stringify({ promptFeedback: { blockReason }, usageMetadata: {}, modelVersion: 'g' })}\n\n`
  const blocked = bytes(frame('PROHIBITED_CONTENT') + frame(undefined))
  const shown = translateReply('gemini-generate', 'gemini-generate', true, [blocked])
  expect(shown.facts.state).toBe('complete')
  expect(text(shown.bytes)).toContain('"blockReason":"PROHIBITED_CONTENT"')
  expect(collected(DIALECT_TABLE['gemini-generate']!, true, [shown.bytes]).error).toBeNull()
})

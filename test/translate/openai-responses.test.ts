// What Responses has and other dialects have not: state at the vendor, items with ids, events with numbers. The
// official client is one judge of the streams we write, a strict reading of the protocol the other.

import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { ByteOut } from '../../src/translate/bytes/byte-out.ts'
import { openReply, translatePrompt } from '../../src/translate/pair.ts'
import { TranslateError } from '../../src/translate/translate-error.ts'
import { unwrapOpaque } from '../../src/translate/opaque.ts'
import { openaiResponses } from '../../src/translate/openai-responses/dialect.ts'
import {
  ableTarget,
  bytes,
  collected,
  contextFor,
  dialects,
  replies,
  streams,
  text,
  translateReply,
} from './harness.ts'

const CLIENT = 'openai-responses'

// biome-ignore lint/suspicious/noExplicitAny: responses are looked into
type Json = Record<string, any>

/** The events of a stream we wrote. */
function eventsOf(stream: Uint8Array): Json[] {
  return text(stream)
    .split('\n\n')
    .flatMap(frame => {
      const [name, data] = frame.split('\n')
      if (name === undefined || !name.startsWith('event: ')) return []
      const event = JSON.parse(data!.slice('data: '.length)) as Json
      expect(name).toBe(`event: ${event['type']}`)
      return [event]
    })
}

/** Reads events as the protocol orders them; returns the response its items add up to. */
function strictly(events: readonly Json[]): Json {
  let response: Json = {}
  const items: Json[] = []
  const done = new Set<number>()
  for (const [index, event] of events.entries()) {
    expect(event['sequence_number']).toBe(index)
    const type = event['type'] as string
    if (index === 0) expect(type).toBe('response.created')
    if (event['response'] !== undefined) {
      expect(response['id'] ?? event['response'].id).toBe(event['response'].id)
      response = event['response']
    }
    const place = event['output_index'] as number
    if (type === 'response.output_item.added') {
      expect(place).toBe(items.length)
      items.push(structuredClone(event['item']))
    } else if (type === 'response.output_item.done') {
      expect(done.has(place)).toBe(false)
      done.add(place)
      const { id, type: kind, call_id } = items[place]!
      expect(event['item']).toMatchObject(
        call_id === undefined ? { id, type: kind } : { id, type: kind, call_id },
      )
      expect(settled(event['item'])).toEqual(settled(items[place]!))
      items[place] = event['item']
    } else if (place !== undefined) {
      expect(done.has(place)).toBe(false)
      expect(event['item_id']).toBe(items[place]!['id'])
      accumulate(items[place]!, event)
    }
  }
  const last = events.at(-1)!['type'] as string
  if (last === 'response.completed' || last === 'response.incomplete') {
    expect(done.size).toBe(items.length)
    expect(response['output']).toEqual(items)
    expect(last).toBe(`response.${response['status']}`)
  }
  return response
}

/** What only the end of an item tells. */
function settled(item: Json): Json {
  const { status: _status, encrypted_content: _secret, content, ...rest } = structuredClone(item)
  for (const part of content ?? []) for (const token of part.logprobs ?? []) strip(token)
  return content === undefined ? rest : { ...rest, content }
}

function strip(token: Json): void {
  delete token['bytes']
  for (const top of token['top_logprobs'] ?? []) delete top.bytes
}

function accumulate(item: Json, event: Json): void {
  const part = item['content']?.[event['content_index']] ?? item['summary']?.[event['summary_index']]
  switch (event['type']) {
    case 'response.content_part.added':
      expect(event['content_index']).toBe(item['content'].length)
      item['content'].push(event['part'])
      return
    case 'response.reasoning_summary_part.added':
      expect(event['summary_index']).toBe(item['summary'].length)
      item['summary'].push(event['part'])
      return
    case 'response.output_text.delta':
      part.text += event['delta']
      part.logprobs.push(...event['logprobs'])
      return
    case 'response.reasoning_summary_text.delta':
      part.text += event['delta']
      return
    case 'response.refusal.delta':
      part.refusal += event['delta']
      return
    case 'response.function_call_arguments.delta':
      item['arguments'] += event['delta']
      return
    case 'response.custom_tool_call_input.delta':
      item['input'] += event['delta']
      return
    case 'response.output_text.annotation.added':
      expect(event['annotation_index']).toBe(part.annotations.length)
      part.annotations.push(event['annotation'])
      return
    case 'response.output_text.done':
    case 'response.reasoning_summary_text.done':
      expect(event['text']).toBe(part.text)
      return
    case 'response.refusal.done':
      expect(event['refusal']).toBe(part.refusal)
      return
    case 'response.function_call_arguments.done':
      expect(event).toMatchObject({ name: item['name'], arguments: item['arguments'] })
      return
    case 'response.custom_tool_call_input.done':
      expect(event['input']).toBe(item['input'])
      return
    case 'response.content_part.done':
    case 'response.reasoning_summary_part.done':
      for (const token of event['part'].logprobs ?? []) strip(token)
      expect(event['part']).toEqual(part)
      return
    default:
      throw new Error(`unexpected ${event['type']}`)
  }
}

/** The official client, answered with the given bytes. */
function client(answer: Uint8Array, type: string): OpenAI {
  const fetch = async (): Promise<Response> =>
    new Response(new Blob([answer.slice()]), { headers: { 'content-type': type } })
  return new OpenAI({ apiKey: 'none', baseURL: 'http://localhost/v1', maxRetries: 0, fetch })
}

const streaming = (answer: Uint8Array) =>
  client(answer, 'text/event-stream').responses.stream({ model: 'm', input: 'x' })

for (const upstream of dialects) {
  describe(`a stream written from ${upstream.id}`, () => {
    test.each(streams(upstream.id))('$name keeps the order of events, and its items add up', fixture => {
      const { bytes: stream, facts } = translateReply(CLIENT, upstream.id, true, [fixture.bytes])
      const events = eventsOf(stream)
      if (events[0]?.['type'] === 'error') {
        expect(facts.state).toBe('failed')
        expect(events[0]).toMatchObject({ sequence_number: 0, message: expect.any(String) })
      } else strictly(events)
    })

    test.each(streams(upstream.id))(
      '$name reaches the official client as the whole reply does',
      async fixture => {
        const { bytes: stream, facts } = translateReply(CLIENT, upstream.id, true, [fixture.bytes])
        const events = eventsOf(stream)
        if (events[0]?.['type'] === 'error') {
          await expect(streaming(stream).finalResponse()).rejects.toThrow(OpenAI.OpenAIError)
          return
        }
        const seen: string[] = []
        const running = streaming(stream)
        running.on('event', event => seen.push(event.type))
        const final = await running.finalResponse()
        expect(seen).toEqual(events.map(event => event['type']))
        // This client takes over the final response only when it is completed.
        if (seen.at(-1) !== 'response.completed') return
        const whole = events.at(-1)!['response'] as Json
        expect(facts.state).toBe('complete')
        expect(final).toMatchObject({ id: whole['id'], status: 'completed', usage: whole['usage'] })
        expect(final.output.map(item => item.type)).toEqual(whole['output'].map((item: Json) => item['type']))
        const said = collected(openaiResponses, true, [stream]).choice(0)
        expect(final.output_text ?? textIn(final.output)).toBe(said.textOf('text'))
      },
    )
  })
}

function textIn(output: readonly Json[]): string {
  const parts = output.flatMap(item => (item['type'] === 'message' ? item['content'] : []))
  return parts.map((part: Json) => (part['type'] === 'output_text' ? part['text'] : '')).join('')
}

test.each(replies('anthropic-messages'))('whole $name reads well to the official client', async fixture => {
  const { bytes: body } = translateReply(CLIENT, 'anthropic-messages', false, [fixture.bytes])
  const response = await client(body, 'application/json').responses.create({ model: 'm', input: 'x' })
  expect(response.output_text).toBe(collected(openaiResponses, false, [body]).choice(0).textOf('text'))
})

const asked = (members: string): Uint8Array => bytes(`{"model":"asked-model","input":"x",${members}}`)

function refusal(body: Uint8Array): TranslateError['reply'] {
  try {
    translatePrompt(CLIENT, 'anthropic-messages', body, ableTarget('anthropic-messages'), false)
  } catch (error) {
    if (error instanceof TranslateError) return error.reply
    throw error
  }
  throw new Error('the prompt was not refused')
}

describe('a prompt', () => {
  test.each([
    ['"previous_response_id":"resp_1"', 'previous_response_id'],
    ['"conversation":"conv_1"', 'conversation'],
    ['"background":true', 'background'],
    ['"prompt":{"id":"pmpt_1"}', 'prompt'],
  ])('that needs state at the vendor is refused elsewhere: %s', (members, param) => {
    expect(refusal(asked(members))).toMatchObject({ kind: 'unsupported', status: 400, param })
  })

  test.each([
    ['{"model":"m"}', 'input'],
    ['{"model":"m","input":[]}', 'input'],
    ['{"model":"m","input":7}', 'input'],
    ['{"model":"m","input":[{"type":"function_call","name":"f","arguments":"{}"}]}', 'input[0].call_id'],
    ['{"model":"m","input":[{"role":"tool","content":"x"}]}', 'input[0].role'],
    [
      '{"model":"m","input":[{"role":"user","content":[{"type":"input_image"}]}]}',
      'input[0].content[0].image_url',
    ],
    ['{"model":"m","input":[{"role":"user","content":[{"type":"input_file"}]}]}', 'input[0].content[0]'],
    ['{"model":"m","input":"x","tool_choice":"sometimes"}', 'tool_choice'],
    ['{"model":"m","input":"x","reasoning":{"effort":"extreme"}}', 'reasoning.effort'],
    ['{"model":"m","input":"x","text":{"format":{"type":"xml"}}}', 'text.format.type'],
    [
      '{"model":"m","input":"x","tools":[{"type":"function","name":"f","parameters":true}]}',
      'tools[0].parameters',
    ],
    ['{"model":"m","input":"x","max_output_tokens":0}', 'max_output_tokens'],
    ['{"model":"m","input":"x","top_logprobs":21}', 'top_logprobs'],
  ])('of the wrong shape is refused by its path: %s', (body, param) => {
    expect(refusal(bytes(body))).toMatchObject({ kind: 'invalid', status: 400, param })
  })

  test('with nothing left to send is refused', () => {
    const body = bytes('{"model":"m","messages":[{"role":"user","content":""}]}')
    const target = ableTarget(CLIENT)
    expect(() => translatePrompt('openai-chat', CLIENT, body, target, false)).toThrow('no turn with content')
  })

  test('brings signatures of calls back to where they belong, before or after the call', () => {
    const call = '{"type":"function_call","call_id":"call_1","name":"f","arguments":"{}"}'
    const signature =
      '{"id":"rs_gw1.1","type":"reasoning","summary":[],"encrypted_content":"gw1.Z29vZ2xl.sY2FsbF8x.dGhvdWdodA"}'
    for (const items of [`${call},${signature}`, `${signature},${call}`]) {
      const prompt = openaiResponses.readPrompt(
        bytes(`{"model":"m","input":[{"role":"user","content":"x"},${items}]}`),
      )
      expect(prompt.turns[1]!.parts).toHaveLength(1)
      expect(prompt.turns[1]!.parts[0]).toMatchObject({
        kind: 'call',
        signature: { family: 'google', kind: 'signature', id: null, value: 'thought' },
      })
    }
  })

  test('that asks only how reasoning is shown does not turn it on elsewhere', () => {
    const body = asked('"reasoning":{"summary":"auto"}')
    const written = translatePrompt(
      CLIENT,
      'anthropic-messages',
      body,
      ableTarget('anthropic-messages'),
      false,
    )
    expect(text(written.body)).not.toContain('thinking')
    expect(written.losses).toContainEqual({
      action: 'drop',
      field: '/reasoning/summary',
      reason: 'unsupported',
    })
  })

  test('of another dialect is not stored, and reasoning material is asked for to be carried', () => {
    const body = bytes('{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}')
    const written = translatePrompt('anthropic-messages', CLIENT, body, ableTarget(CLIENT), false)
    expect(JSON.parse(text(written.body))).toMatchObject({
      store: false,
      include: ['reasoning.encrypted_content'],
      max_output_tokens: 16,
    })
    expect(written.losses).toEqual([{ action: 'map', field: '/max_tokens', reason: 'below_minimum' }])
  })
})

/** Sends a prompt on its way and answers it. */
function answered(body: Uint8Array, upstream: 'openai-chat' | 'anthropic-messages', reply: string): Json {
  const { context } = translatePrompt(CLIENT, upstream, body, ableTarget(upstream), false)
  context.idSeed = 'exchange-1'
  const out = new ByteOut()
  const sink = { write: (piece: Uint8Array) => out.bytes(piece) }
  const path = openReply({ client: CLIENT, upstream, streaming: false, context, out: sink })
  path.write(bytes(reply))
  path.end()
  return JSON.parse(text(out.take())) as Json
}

const THOUGHT =
  '{"id":"msg_1","type":"message","model":"c","content":[{"type":"thinking","thinking":"Hm.","signature":"sig"},{"type":"text","text":"Yes."}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}'

describe('a reply', () => {
  test('repeats what was asked for, and claims no storage that does not exist', () => {
    const response = answered(
      asked(
        '"instructions":"Be brief.","temperature":0.5,"metadata":{"a":"b"},"store":true,"text":{"verbosity":"low"},"tools":[{"type":"function","name":"f","parameters":{"x":1.0},"strict":false}],"max_output_tokens":99,"user":"u"',
      ),
      'anthropic-messages',
      THOUGHT,
    )
    expect(response).toMatchObject({
      object: 'response',
      model: 'asked-model',
      instructions: 'Be brief.',
      temperature: 0.5,
      top_p: 1,
      metadata: { a: 'b' },
      store: false,
      text: { verbosity: 'low' },
      tools: [{ name: 'f' }],
      max_output_tokens: 99,
      user: 'u',
    })
  })

  test('shows reasoning material only to those who asked for it', () => {
    const silent = answered(asked('"stream":false'), 'anthropic-messages', THOUGHT)
    expect(silent['output'][0]).toEqual({
      id: expect.stringMatching(/^rs_gw1\./),
      type: 'reasoning',
      summary: [{ type: 'summary_text', text: 'Hm.' }],
      status: 'completed',
    })
    const told = answered(asked('"include":["reasoning.encrypted_content"]'), 'anthropic-messages', THOUGHT)
    const opaque = unwrapOpaque(told['output'][0].encrypted_content, CLIENT, 'encrypted')
    expect(opaque).toEqual({ family: 'anthropic', kind: 'signature', id: null, value: 'sig' })
  })

  test('gives tools their namespaces back', () => {
    const body = asked(
      '"tools":[{"type":"namespace","name":"crm","tools":[{"type":"function","name":"find"}]}]',
    )
    const reply =
      '{"id":"chatcmpl-1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"crm__find","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}'
    expect(answered(body, 'openai-chat', reply)['output'][0]).toMatchObject({
      type: 'function_call',
      namespace: 'crm',
      name: 'find',
      call_id: 'call_1',
    })
  })

  test('carries the signature of a call in an item of its own behind it', () => {
    const context = contextFor(CLIENT, 'gemini-generate')
    const out = new ByteOut()
    const writer = openaiResponses.replyWriter(out, context)
    writer.start({ id: 'r', model: 'm', createdS: 1, tier: null, usage: null })
    writer.callStart(0, 0, { id: 'call_1', itemId: null, name: 'f', namespace: null, custom: false })
    writer.opaque(0, 0, { family: 'google', kind: 'signature', id: null, value: 'thought' })
    writer.partEnd(0, 0, true)
    writer.finish(0, { reason: 'calls', stopText: null, detail: null, word: 'STOP' })
    writer.end()
    const { output } = JSON.parse(text(out.take())) as Json
    expect(output.map((item: Json) => item['type'])).toEqual(['function_call', 'reasoning'])
    const prompt = openaiResponses.readPrompt(bytes(JSON.stringify({ model: 'm', input: output })))
    expect(prompt.turns[0]!.parts).toMatchObject([
      { kind: 'call', signature: { family: 'google', value: 'thought' } },
    ])
  })

  test('that failed tells when to try again', () => {
    const failed = streams(CLIENT).find(fixture => fixture.name === 'failed')!
    const { facts } = translateReply('openai-chat', CLIENT, true, [failed.bytes])
    expect(facts.error).toMatchObject({ kind: 'rate_limit', status: 429, retryAfterMs: 1250 })
  })

  test('that is torn tells what had come, as incomplete', () => {
    const { bytes: stream } = translateReply(CLIENT, 'openai-chat', true, [
      bytes('data: {"id":"x","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n'),
    ])
    const { response } = eventsOf(stream).at(-1)!
    expect(response).toMatchObject({ status: 'failed', error: { code: 'server_error' }, usage: null })
    expect(response.output).toMatchObject([{ status: 'incomplete', content: [{ text: 'a' }] }])
  })

  test('with a call that cannot be read has failed', () => {
    for (const write of [openaiResponses.replyWriter, openaiResponses.streamWriter]) {
      const out = new ByteOut()
      const writer = write(out, contextFor(CLIENT, 'gemini-generate'))
      writer.start({ id: 'r', model: 'm', createdS: 1, tier: null, usage: null })
      writer.finish(0, {
        reason: 'malformed-call',
        stopText: null,
        detail: null,
        word: 'MALFORMED_FUNCTION_CALL',
      })
      writer.end()
      expect(text(out.take())).toMatch(/"status":"failed","error":\{"code":"server_error"/)
    }
  })
})

// What only generateContent has: a stream in two forms, signatures on any part, calls without ids, schemas of its own,
// arguments in pieces, the model in the path. The vendor's own client judges what we write.

import { type Content, type GenerateContentResponse, GoogleGenAI } from '@google/genai'
import { describe, expect, test } from 'vitest'
import { ByteOut } from '../../src/translate/bytes/byte-out.ts'
import type { DialectId } from '../../src/translate/dialect.ts'
import { mentionsEnvelope } from '../../src/translate/opaque.ts'
import { openReply, readPrompt, translatePrompt, writePrompt } from '../../src/translate/pair.ts'
import { targetFacts, UNKNOWN_MODEL } from '../../src/translate/target.ts'
import { TranslateError } from '../../src/translate/translate-error.ts'
import {
  ableTarget,
  bytes,
  collected,
  contextFor,
  dialects,
  replies,
  streams,
  summary,
  text,
  translateReply,
} from './harness.ts'

const GEMINI = 'gemini-generate'
const gemini = dialects.find(dialect => dialect.id === GEMINI)!

function prompt(body: unknown, client: DialectId = GEMINI) {
  return readPrompt(client, bytes(JSON.stringify(body)), { model: 'asked', stream: false })
}

/** The body written for an upstream, as plain values. */
// biome-ignore lint/suspicious/noExplicitAny: bodies of several dialects are looked into
function written(body: unknown, client: DialectId, upstream: DialectId, target = ableTarget(upstream)): any {
  return JSON.parse(text(writePrompt(prompt(body, client), upstream, target, false).body))
}

function user(...parts: unknown[]) {
  return { contents: [{ role: 'user', parts }] }
}

/** The vendor's client, talking to what we wrote. */
function official(body: Uint8Array): GoogleGenAI {
  const reply = async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  return new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: 'http://localhost', fetch: reply } })
}

async function streamed(body: Uint8Array): Promise<GenerateContentResponse[]> {
  const chunks: GenerateContentResponse[] = []
  const stream = await official(body).models.generateContentStream({
    model: 'm',
    contents: 'hi',
    config: { automaticContinuation: false },
  })
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

interface Seen {
  text: string
  thoughts: string
  calls: unknown[]
  finish: string | null
  usage: unknown
}

function seenIn(chunks: readonly GenerateContentResponse[]): Seen {
  const seen: Seen = { text: '', thoughts: '', calls: [], finish: null, usage: null }
  for (const chunk of chunks) {
    const candidate = chunk.candidates?.[0]
    for (const part of candidate?.content?.parts ?? []) {
      if (part.functionCall !== undefined)
        seen.calls.push([part.functionCall.id, part.functionCall.name, part.functionCall.args])
      else if (part.thought === true) seen.thoughts += part.text ?? ''
      else seen.text += part.text ?? ''
    }
    if (candidate?.finishReason !== undefined) seen.finish = candidate.finishReason
    const told = chunk.usageMetadata
    if (told !== undefined)
      seen.usage = [told.promptTokenCount, told.candidatesTokenCount ?? 0, told.thoughtsTokenCount ?? 0]
  }
  return seen
}

const WORDS: Readonly<Record<string, string>> = { length: 'MAX_TOKENS', filter: 'SAFETY', other: 'OTHER' }

/** The same of a turn that our reader of the upstream collected. */
function expectedOf(upstream: (typeof dialects)[number], stream: Uint8Array): Seen {
  const turn = collected(upstream, true, [stream])
  const [choice] = turn.choices
  const usage = turn.usageTold ?? turn.head?.usage ?? null
  const thoughts = usage?.reasoningTokens ?? 0
  return {
    text: choice!.parts
      .filter(part => part.kind === 'text' || part.kind === 'refusal')
      .map(part => part.text)
      .join(''),
    thoughts: choice!.parts
      .filter(part => part.kind === 'reasoning')
      .map(part => part.sections.join('\n\n'))
      .join(''),
    calls: choice!.parts
      .filter(part => part.kind === 'call' && part.complete)
      .map(part => [part.call!.id, part.call!.name, JSON.parse(part.input)]),
    finish: WORDS[choice!.finish!.reason] ?? 'STOP',
    usage: usage === null ? [0, 0, 0] : [usage.inputTokens, usage.outputTokens - thoughts, thoughts],
  }
}

describe('the official client reads what we write', () => {
  const upstreams = dialects.filter(({ id }) => id === 'openai-chat' || id === 'anthropic-messages')
  const cases = upstreams.flatMap(upstream =>
    streams(upstream.id)
      .filter(({ name }) =>
        ['text', 'tools', 'reasoning', 'length', 'interleaved', 'redacted'].includes(name),
      )
      .map(fixture => ({ upstream, fixture, title: `${upstream.id} ${fixture.name}` })),
  )

  test.each(cases)('streamed from $title', async ({ upstream, fixture }) => {
    const { bytes: body } = translateReply(GEMINI, upstream.id, true, [fixture.bytes])
    expect(seenIn(await streamed(body))).toEqual(expectedOf(upstream, fixture.bytes))
  })

  test.each(
    streams(GEMINI).filter(({ name }) => ['text', 'tools', 'thinking', 'partial-args'].includes(name)),
  )('streamed from its own $name', async fixture => {
    const { bytes: body } = translateReply(GEMINI, GEMINI, true, [fixture.bytes])
    const seen = seenIn(await streamed(body))
    const expected = expectedOf(gemini, fixture.bytes)
    expect({ ...seen, calls: seen.calls.length }).toEqual({ ...expected, calls: expected.calls.length })
  })

  test('pings of an upstream are not shown to it, though a comment would be no obstacle', async () => {
    const [fixture] = streams('anthropic-messages').filter(({ name }) => name === 'text')
    const { bytes: body } = translateReply(GEMINI, 'anthropic-messages', true, [fixture!.bytes])
    expect(text(fixture!.bytes)).toContain('event: ping')
    expect(text(body)).toMatch(/^(?:data: .*\r\n\r\n)+$/)
    const commented = bytes(text(body).replaceAll('\r\n\r\n', '\r\n\r\n: keep-alive\r\n\r\n'))
    for (const sent of [body, commented]) {
      expect(seenIn(await streamed(sent)).text).toBe('Hello! über 😀')
    }
  })

  test('an error in the middle of a stream is thrown with its status', async () => {
    const [fixture] = streams('anthropic-messages').filter(({ name }) => name === 'error')
    const { bytes: body } = translateReply(GEMINI, 'anthropic-messages', true, [fixture!.bytes])
    await expect(streamed(body)).rejects.toMatchObject({ name: 'ApiError', status: 503 })
  })

  test('a torn stream is thrown, not taken for complete', async () => {
    const [fixture] = streams('openai-chat').filter(({ name }) => name === 'text')
    const { bytes: body } = translateReply(GEMINI, 'openai-chat', true, [fixture!.bytes.subarray(0, 700)])
    await expect(streamed(body)).rejects.toMatchObject({ name: 'ApiError', status: 502 })
  })

  test.each(['text', 'tools', 'length'])('whole %s', async name => {
    const [fixture] = replies('anthropic-messages').filter(reply => reply.name === name)
    const { bytes: body } = translateReply(GEMINI, 'anthropic-messages', false, [fixture!.bytes])
    const reply = await official(body).models.generateContent({ model: 'm', contents: 'hi' })
    const turn = collected(dialects.find(({ id }) => id === 'anthropic-messages')!, false, [fixture!.bytes])
    expect(reply.text ?? '').toBe(turn.choices[0]!.textOf('text'))
    expect(reply.functionCalls?.map(call => call.name) ?? []).toEqual(
      turn.choices[0]!.parts.flatMap(part => (part.call === null ? [] : [part.call.name])),
    )
    expect(reply.usageMetadata?.totalTokenCount).toBe(
      turn.usageTold!.inputTokens + turn.usageTold!.outputTokens,
    )
  })

  test('its chat keeps a streamed turn, and sends it back as one turn for any upstream', async () => {
    const [fixture] = streams('anthropic-messages').filter(({ name }) => name === 'tools')
    const { bytes: body } = translateReply(GEMINI, 'anthropic-messages', true, [fixture!.bytes])
    const chat = official(body).chats.create({ model: 'm' })
    for await (const _ of await chat.sendMessageStream({ message: 'Weather?' }));
    const history: Content[] = chat.getHistory(true)
    expect(history.filter(content => content.role === 'model').length).toBeGreaterThan(1)
    const results = ['get_weather', 'clock'].map((name, index) => ({
      functionResponse: { id: `toolu_${[9, 10][index]}`, name, response: { output: 'ok' } },
    }))
    const back = written(
      { contents: [...history, { role: 'user', parts: results }] },
      GEMINI,
      'anthropic-messages',
    )
    expect(back.messages.map((message: { role: string }) => message.role)).toEqual([
      'user',
      'assistant',
      'user',
    ])
    expect(back.messages[1].content.map((block: { type: string }) => block.type)).toEqual([
      'text',
      'tool_use',
      'tool_use',
    ])
    const thinking = { generationConfig: { thinkingConfig: { includeThoughts: true } } }
    const kept = written(
      { contents: [...history, { role: 'user', parts: results }], ...thinking },
      GEMINI,
      'anthropic-messages',
    )
    expect(kept.messages[1].content[0]).toEqual({
      type: 'thinking',
      thinking: 'Need weather.',
      signature: expect.any(String),
    })
    expect(kept.messages[1].content[0].signature).not.toContain('gw1')
  })
})

describe('a stream as one JSON array', () => {
  function asArray(upstream: DialectId, body: Uint8Array, cut: number | null = null) {
    const context = contextFor(GEMINI, upstream)
    context.streamForm = 'array'
    const pieces = cut === null ? [body] : [body.subarray(0, cut), body.subarray(cut)]
    return translateReply(GEMINI, upstream, true, pieces, context)
  }

  for (const upstream of dialects) {
    test.each(streams(upstream.id))(`from ${upstream.id} holds what the events of $name hold`, fixture => {
      const events = text(translateReply(GEMINI, upstream.id, true, [fixture.bytes]).bytes)
      const frames = events.split('\r\n\r\n').filter(frame => frame.startsWith('data: '))
      const elements: unknown = JSON.parse(text(asArray(upstream.id, fixture.bytes).bytes))
      expect(elements).toEqual(frames.map(frame => JSON.parse(frame.slice('data: '.length))))
    })
  }

  test('is whole JSON wherever the upstream breaks off, and an error ends it', () => {
    for (const upstream of dialects) {
      for (const fixture of streams(upstream.id)) {
        for (let length = 0; length < fixture.bytes.length; length += 13) {
          const { bytes: body, facts } = asArray(upstream.id, fixture.bytes.subarray(0, length))
          const elements = JSON.parse(text(body)) as { error?: unknown }[]
          expect(facts.state !== 'complete').toBe(elements.at(-1)?.error !== undefined)
        }
      }
    }
  })

  test('is read back, in any two pieces, as the turn it was', () => {
    const [fixture] = streams('openai-chat').filter(({ name }) => name === 'tools')
    const body = asArray('openai-chat', fixture!.bytes).bytes
    const whole = summary(collected(gemini, true, [body]))
    for (let cut = 0; cut <= body.length; cut++) {
      const torn = collected(gemini, true, [body.subarray(0, cut), body.subarray(cut)])
      expect(summary(torn)).toEqual(whole)
    }
  })

  test('is incomplete without its closing bracket', () => {
    const [fixture] = streams(GEMINI).filter(({ name }) => name === 'array')
    const { facts } = translateReply('openai-chat', GEMINI, true, [fixture!.bytes.subarray(0, -1)])
    expect(facts.error?.kind).toBe('incomplete_stream')
  })

  test('may be a bare error, as servers answer that never began to stream', () => {
    const body = bytes('\ufeff\n{"error":{"code":404,"message":"no such model","status":"NOT_FOUND"}}')
    const { facts } = translateReply('openai-chat', GEMINI, true, [body])
    expect(facts.error).toMatchObject({ kind: 'not_found', status: 404, message: 'no such model' })
  })
})

describe('signatures', () => {
  const [tools] = replies(GEMINI).filter(({ name }) => name === 'tools')
  const [thinking] = replies(GEMINI).filter(({ name }) => name === 'thinking')

  /** The contents that Gemini gets when a client of another dialect sends a reply back. */
  function sentBack(client: DialectId, reply: Uint8Array, body: (shown: never) => unknown): Content[] {
    const shown = JSON.parse(text(translateReply(client, GEMINI, false, [reply]).bytes)) as never
    return written(body(shown), client, GEMINI).contents
  }

  function chatBody(shown: { choices: { message: { tool_calls?: { id: string }[] } }[] }): unknown {
    const { message } = shown.choices[0]!
    const results = (message.tool_calls ?? []).map(({ id }) => ({
      role: 'tool',
      tool_call_id: id,
      content: 'ok',
    }))
    return {
      model: 'm',
      messages: [{ role: 'user', content: 'go' }, message, ...results, { role: 'user', content: 'on' }],
    }
  }

  function messagesBody(shown: { content: { type: string; id: string }[] }): unknown {
    const results = shown.content
      .filter(({ type }) => type === 'tool_use')
      .map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'ok' }))
    const last = [...results, { type: 'text', text: 'on' }]
    return {
      model: 'm',
      max_tokens: 9,
      messages: [
        { role: 'user', content: 'go' },
        { role: 'assistant', content: shown.content },
        { role: 'user', content: last },
      ],
    }
  }

  const clients = [
    ['openai-chat', chatBody],
    ['anthropic-messages', messagesBody],
  ] as const

  test.each(clients)('of a call come back to it by way of %s', (client, body) => {
    const contents = sentBack(client, tools!.bytes, body)
    expect(contents[1]!.parts).toEqual([
      { text: 'Looking.' },
      { functionCall: { name: 'get_weather', args: { city: 'Oslo' } }, thoughtSignature: 'c2lnLTE=' },
      { functionCall: { name: 'get_weather', args: { city: 'Rome' } } },
      { functionCall: { id: 'fc-9', name: 'get_time', args: {} } },
    ])
    expect(contents[2]!.parts!.map(part => part.functionResponse?.id ?? part.text)).toEqual([
      undefined,
      undefined,
      'fc-9',
      'on',
    ])
  })

  test.each(clients)('of an answer come back to its text by way of %s', (client, body) => {
    const [, turn] = sentBack(client, thinking!.bytes, body)
    expect(turn!.parts!.find(part => part.text === 'Take the train.')).toEqual({
      text: 'Take the train.',
      thoughtSignature: 'c2lnLWFuc3dlcg==',
    })
  })

  test('of another vendor hide in base64, are found there, and go to nobody else', () => {
    const [reply] = replies('anthropic-messages').filter(({ name }) => name === 'tools')
    const body = translateReply(GEMINI, 'anthropic-messages', false, [reply!.bytes]).bytes
    const shown = JSON.parse(text(body)) as { candidates: { content: Content }[] }
    const { content } = shown.candidates[0]!
    const signature = content.parts![0]!.thoughtSignature!
    expect(signature).toMatch(/^[A-Za-z0-9+/]+=*$/)
    expect(mentionsEnvelope(body)).toBe(true)
    // Clients of some languages decode the bytes and encode them in the other alphabet.
    const other = signature.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
    content.parts![0]!.thoughtSignature = other
    const contents = [{ role: 'user', parts: [{ text: 'go' }] }, content]
    const config = { thinkingConfig: { includeThoughts: true } }
    const home = written({ contents, generationConfig: config }, GEMINI, 'anthropic-messages')
    expect(home.messages[1].content[0]).toMatchObject({ type: 'thinking', thinking: 'Need weather.' })
    const away = written({ contents }, GEMINI, GEMINI)
    expect(JSON.stringify(away)).not.toContain('Need weather.')
    expect(JSON.stringify(away)).not.toContain(signature)
  })

  test('are asked to be skipped once per step where the model checks them', () => {
    const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })
    const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: 'ok' })
    const body = {
      model: 'm',
      messages: [
        { role: 'user', content: 'go' },
        { role: 'assistant', content: null, tool_calls: [call('a'), call('b')] },
        result('a'),
        result('b'),
      ],
    }
    const signatures = (target = ableTarget(GEMINI)) =>
      written(body, 'openai-chat', GEMINI, target).contents[1].parts.map(
        (part: { thoughtSignature?: string }) => part.thoughtSignature ?? null,
      )
    expect(signatures()).toEqual(['skip_thought_signature_validator', null])
    expect(signatures(ableTarget(GEMINI, { reasoning: 'budget' }))).toEqual([null, null])
  })
})

test('a citation whose offsets count from another part is found by its words, or shown without a place', () => {
  const reply = (quote: string) => ({
    candidates: [
      {
        content: { parts: [{ text: 'Thinking of Zoë.', thought: true }, { text: 'Zoë won the Prix.' }] },
        finishReason: 'STOP',
        groundingMetadata: {
          groundingChunks: [{ web: { uri: 'https://example.com', title: 'T' } }],
          groundingSupports: [
            { segment: { startIndex: 99, endIndex: 107, text: quote }, groundingChunkIndices: [0] },
          ],
        },
      },
    ],
  })
  const places = (quote: string) =>
    collected(gemini, false, [bytes(JSON.stringify(reply(quote)))]).choices[0]!.parts[1]!.citations.map(
      ({ url, start, end }) => [url, start, end],
    )
  expect(places('the Prix')).toEqual([['https://example.com', 8, 16]])
  expect(places('a Grand Prix')).toEqual([['https://example.com', null, null]])
})

describe('calls without ids', () => {
  test('are told apart by their order, and results of one name answer them in turn', () => {
    const call = (city: string) => ({ functionCall: { name: 'f', args: { city } } })
    const result = (output: string) => ({ functionResponse: { name: 'f', response: { output } } })
    const body = {
      contents: [
        { role: 'user', parts: [{ text: 'go' }] },
        { role: 'model', parts: [call('Oslo'), call('Rome')] },
        { role: 'user', parts: [result('cold'), result('warm')] },
      ],
    }
    const { messages } = written(body, GEMINI, 'openai-chat')
    const [oslo, rome] = messages[1].tool_calls
    expect(oslo.id).not.toBe(rome.id)
    expect(messages.slice(2)).toEqual([
      { role: 'tool', tool_call_id: oslo.id, content: 'cold' },
      { role: 'tool', tool_call_id: rome.id, content: 'warm' },
    ])
    expect(written(body, GEMINI, 'openai-chat')).toEqual(written(body, GEMINI, 'openai-chat'))
    expect(written(body, GEMINI, GEMINI).contents).toEqual(body.contents)
  })
})

test('schemas are written in the form the target takes', () => {
  const schema = { type: 'object', properties: { a: { type: ['string', 'null'] } }, required: ['a'] }
  const body = {
    model: 'm',
    messages: [{ role: 'user', content: 'go' }],
    tools: [{ type: 'function', function: { name: 'f', parameters: schema } }],
    response_format: { type: 'json_schema', json_schema: { name: 'r', schema } },
  }
  const old = targetFacts('m', 'google', { schemaForm: 'openapi' })
  const expected = {
    type: 'OBJECT',
    properties: { a: { type: 'STRING', nullable: true } },
    required: ['a'],
  }
  const sent = written(body, 'openai-chat', GEMINI, old)
  expect(sent.tools[0].functionDeclarations[0].parameters).toEqual(expected)
  expect(sent.generationConfig.responseSchema).toEqual(expected)
  expect(sent.generationConfig.responseJsonSchema).toBeUndefined()
})

describe('arguments in pieces', () => {
  const frame = (call: object, finish = '') =>
    `data: {"candidates":[{"content":{"parts":[{"functionCall":${JSON.stringify(call)}}]}${finish}}]}\n\n`
  const start = frame({ name: 'f', id: 'i', willContinue: true })
  const failed = (...pieces: object[]) => {
    const body = start + pieces.map(piece => frame({ partialArgs: [piece], willContinue: true })).join('')
    return translateReply('openai-chat', GEMINI, true, [bytes(body)]).facts.error?.message
  }

  test('whose paths lead nowhere break the reply', () => {
    expect(failed({ jsonPath: '$.a[5]', stringValue: 'x' })).toContain('pieces that do not fit')
    expect(failed({ jsonPath: 'a', stringValue: 'x' })).toContain('pieces that do not fit')
    expect(failed({ jsonPath: `$${'.a'.repeat(100)}`, numberValue: 1 })).toContain('pieces that do not fit')
    expect(failed({ jsonPath: '$.a', numberValue: 1 }, { jsonPath: '$.a.b', numberValue: 2 })).toContain(
      'ended before it was complete',
    )
  })

  test('that a limit cuts off are delivered to text dialects as far as they came', () => {
    const cut =
      start +
      frame(
        { partialArgs: [{ jsonPath: '$.a', stringValue: 'x' }], willContinue: true },
        ',"finishReason":"MAX_TOKENS"',
      )
    const turn = collected(gemini, true, [bytes(cut)])
    expect(turn.choices[0]!.parts[0]).toMatchObject({ input: '{"a":"x"}', complete: false })
    const { bytes: body } = translateReply(GEMINI, GEMINI, true, [bytes(cut)])
    expect(text(body)).not.toContain('functionCall')
    expect(text(body)).toContain('MAX_TOKENS')
  })
})

describe('bodies', () => {
  test.each([
    [{ contents: [] }, 'contents'],
    [{}, 'contents'],
    [user({ inline_data: { mime_type: 'image/png' } }), 'contents[0].parts[0].inline_data.data'],
    [user({ text: 7 }), 'contents[0].parts[0].text'],
    [user({}), 'contents[0].parts[0]'],
    [{ contents: [{ role: 'assistant', parts: [{ text: 'x' }] }] }, 'contents[0].role'],
    [
      { ...user({ text: 'x' }), generationConfig: { maxOutputTokens: 0 } },
      'generationConfig.maxOutputTokens',
    ],
    [
      { ...user({ text: 'x' }), generation_config: { thinking_config: { thinking_level: 'HUGE' } } },
      'generation_config.thinking_config.thinking_level',
    ],
    [
      { ...user({ text: 'x' }), toolConfig: { functionCallingConfig: { mode: 'SOMETIMES' } } },
      'toolConfig.functionCallingConfig.mode',
    ],
  ])('that are wrong are refused by the path of the member: %j', (body, path) => {
    let thrown: unknown = null
    try {
      prompt(body)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(TranslateError)
    expect((thrown as TranslateError).reply).toMatchObject({ kind: 'invalid', param: path })
  })

  test('take model and streaming from the path, and write neither', () => {
    const read = readPrompt(GEMINI, bytes(JSON.stringify({ ...user({ text: 'x' }), model: 'models/y' })), {
      model: 'asked',
      stream: true,
    })
    expect([read.model, read.stream]).toEqual(['asked', true])
    const chat = JSON.parse(text(writePrompt(read, 'openai-chat', ableTarget('openai-chat'), false).body))
    expect([chat.model, chat.stream]).toEqual(['target-model', true])
    const { body } = translatePrompt(
      'openai-chat',
      GEMINI,
      bytes('{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}'),
      ableTarget(GEMINI),
      false,
    )
    expect(text(body)).toBe('{"contents":[{"role":"user","parts":[{"text":"x"}]}]}')
  })

  test('of strict callers are refused what other vendors cannot honour', () => {
    const body = bytes(JSON.stringify({ ...user({ text: 'x' }), safetySettings: [] }))
    expect(() => translatePrompt(GEMINI, 'openai-chat', body, ableTarget('openai-chat'), true)).toThrow(
      '/safetySettings (safety_setting_of_another_vendor)',
    )
  })
})

describe('reasoning wishes', () => {
  const ask = (effort: string, facts: Partial<typeof UNKNOWN_MODEL>) => {
    const body = { model: 'm', messages: [{ role: 'user', content: 'x' }], reasoning_effort: effort }
    const target = targetFacts('m', 'google', { facts: { ...UNKNOWN_MODEL, ...facts } })
    return written(body, 'openai-chat', GEMINI, target).generationConfig?.thinkingConfig ?? null
  }

  test('become a budget or a level, as the model understands', () => {
    const budget = { reasoning: 'budget', efforts: ['none', 'low', 'high'] } as const
    expect(ask('low', budget)).toEqual({ thinkingBudget: 1024, includeThoughts: true })
    expect(ask('none', budget)).toEqual({ thinkingBudget: 0 })
    expect(ask('none', { ...budget, reasoningCanBeOff: false })).toBeNull()
    const level = { reasoning: 'level', efforts: ['low', 'high'] } as const
    expect(ask('minimal', level)).toEqual({ thinkingLevel: 'LOW', includeThoughts: true })
    expect(ask('max', level)).toEqual({ thinkingLevel: 'HIGH', includeThoughts: true })
    expect(ask('none', level)).toEqual({ thinkingLevel: 'LOW' })
    expect(ask('high', { reasoning: 'none' })).toBeNull()
  })
})

test('results with media follow their response as parts where the model takes none inside', () => {
  const body = {
    model: 'm',
    max_tokens: 9,
    messages: [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'shot', input: {} }] },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 't',
            content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }],
          },
        ],
      },
    ],
  }
  const target = ableTarget(GEMINI, { resultImages: false })
  expect(written(body, 'anthropic-messages', GEMINI, target).contents[2].parts).toEqual([
    { functionResponse: { id: 't', name: 'shot', response: { output: '' } } },
    { text: 'Returned by the call of shot above:' },
    { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
  ])
})

test('a reply that opens with white space or a byte order mark is read in either form', () => {
  const [fixture] = streams(GEMINI).filter(({ name }) => name === 'text')
  const plain = summary(collected(gemini, true, [fixture!.bytes]))
  const marked = new Uint8Array([0xef, 0xbb, 0xbf, 0x0a, ...fixture!.bytes])
  expect(summary(collected(gemini, true, [marked.subarray(0, 2), marked.subarray(2)]))).toEqual(plain)
})

test('an element of five mebibytes passes, and one beyond the bound ends the turn', () => {
  const frame = (units: number) =>
    `[{"candidates":[{"content":{"parts":[{"text":"${'x'.repeat(units)}"}]},"finishReason":"STOP"}]}]`
  const read = (body: string) => {
    const out = new ByteOut()
    const sink = { write: (chunk: Uint8Array) => out.bytes(chunk) }
    const context = contextFor('openai-chat', GEMINI)
    const path = openReply({ client: 'openai-chat', upstream: GEMINI, streaming: true, context, out: sink })
    const all = bytes(body)
    for (let at = 0; at < all.length; at += 64 * 1024) path.write(all.subarray(at, at + 64 * 1024))
    path.end()
    return path.facts
  }
  expect(read(frame(5 * 1024 * 1024)).state).toBe('complete')
  expect(read(frame(33 * 1024 * 1024)).error?.message).toContain('too long')
})

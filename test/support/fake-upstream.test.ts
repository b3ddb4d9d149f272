// The fake upstream is a judge of our code; here the official clients judge it. (The AWS client insists on HTTP/2,
// which the fake upstream does not speak, so its codec stands in for it.)

import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream, tokensOf, until } from './fake-upstream/index.ts'

const toUtf8 = (bytes: Uint8Array | string): string => Buffer.from(bytes as Uint8Array).toString()
const fromUtf8 = (text: string): Uint8Array => Buffer.from(text)

let upstream: FakeUpstream
beforeEach(async () => {
  upstream = await startFakeUpstream({ models: ['m-1', 'm-2'] })
})
afterEach(() => upstream.close())

const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
}
const QUESTION = 'please use weather for Oslo'
const INPUT = { city: QUESTION, days: 7 }

describe('openai-chat, judged by the openai client', () => {
  const open = (): OpenAI => new OpenAI({ apiKey: 'k', baseURL: `${upstream.origin}/v1`, maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: 'one two three' }]

  test('answers whole, with true usage', async () => {
    const reply = await open().chat.completions.create({ model: 'm', messages })
    expect(reply.choices[0]?.message.content).toBe('echo: one two three')
    expect(reply.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 })
  })

  test('streams the same words, with usage when asked', async () => {
    const stream = await open().chat.completions.create({
      model: 'm',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let usage: unknown = null
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      usage = chunk.usage ?? usage
    }
    expect(text).toBe('echo: one two three')
    expect(usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 4 })
  })

  test('calls a tool, takes its result, and obeys the limit', async () => {
    const client = open()
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: schema } }]
    const first = await client.chat.completions
      .stream({ model: 'm', tools, messages: [{ role: 'user', content: QUESTION }] })
      .finalChatCompletion()
    const call = first.choices[0]!.message.tool_calls![0]!
    expect(call.type === 'function' && JSON.parse(call.function.arguments)).toEqual(INPUT)
    expect(first.choices[0]?.finish_reason).toBe('tool_calls')
    const second = await client.chat.completions.create({
      model: 'm',
      tools,
      messages: [
        { role: 'user', content: QUESTION },
        first.choices[0]!.message,
        { role: 'tool', tool_call_id: call.id, content: 'sunny' },
      ],
    })
    expect(second.choices[0]?.message.content).toBe('result: sunny')
    const cut = await client.chat.completions.create({ model: 'm', messages, max_completion_tokens: 2 })
    expect(cut.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'echo: one ' } })
  })

  test('lists models and answers errors in its form', async () => {
    const client = open()
    expect((await client.models.list()).data.map(model => model.id)).toEqual(['m-1', 'm-2'])
    const asked = client.chat.completions.create(
      { model: 'm', messages },
      { headers: { 'x-fake': 'status=429' } },
    )
    await expect(asked).rejects.toThrow(OpenAI.RateLimitError)
  })
})

describe('openai-responses, judged by the openai client', () => {
  test('answers whole and streamed', async () => {
    const client = new OpenAI({ apiKey: 'k', baseURL: `${upstream.origin}/v1`, maxRetries: 0 })
    const whole = await client.responses.create({ model: 'm', input: 'one two' })
    expect(whole.output_text).toBe('echo: one two')
    expect(whole.usage).toMatchObject({ input_tokens: 2, output_tokens: 3 })
    const streamed = await client.responses.stream({ model: 'm', input: 'one two' }).finalResponse()
    expect(streamed.output).toMatchObject([{ content: [{ text: 'echo: one two' }] }])
    const tools = [{ type: 'function' as const, name: 'weather', parameters: schema, strict: false }]
    const called = await client.responses.stream({ model: 'm', input: QUESTION, tools }).finalResponse()
    const [item] = called.output
    expect(item?.type === 'function_call' && JSON.parse(item.arguments)).toEqual(INPUT)
  })
})

describe('anthropic-messages, judged by the anthropic client', () => {
  const open = (): Anthropic => new Anthropic({ apiKey: 'k', baseURL: upstream.origin, maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: 'one two three' }]

  test('answers whole and streamed, with true usage', async () => {
    const client = open()
    const whole = await client.messages.create({ model: 'm', max_tokens: 99, messages })
    expect(whole.content[0]).toMatchObject({ type: 'text', text: 'echo: one two three' })
    expect(whole.usage).toMatchObject({ input_tokens: 3, output_tokens: 4 })
    const streamed = await client.messages.stream({ model: 'm', max_tokens: 99, messages }).finalMessage()
    expect(streamed.content).toEqual(whole.content)
    expect(streamed.usage).toMatchObject({ input_tokens: 3, output_tokens: 4 })
    expect(streamed.stop_reason).toBe('end_turn')
  })

  test('calls a tool and counts tokens', async () => {
    const client = open()
    const tools = [{ name: 'weather', input_schema: schema as Anthropic.Tool.InputSchema }]
    const asked = {
      model: 'm',
      max_tokens: 99,
      tools,
      messages: [{ role: 'user' as const, content: QUESTION }],
    }
    const reply = await client.messages.stream(asked).finalMessage()
    expect(reply.content[0]).toMatchObject({ type: 'tool_use', name: 'weather', input: INPUT })
    expect(reply.stop_reason).toBe('tool_use')
    const count = await client.messages.countTokens({ model: 'm', messages, system: 'four five' })
    expect(count.input_tokens).toBe(5)
  })

  test('answers errors in its form', async () => {
    const asked = open().messages.create(
      { model: 'm', max_tokens: 9, messages },
      { headers: { 'x-fake': 'status=400' } },
    )
    await expect(asked).rejects.toThrow(Anthropic.BadRequestError)
  })
})

describe('gemini-generate, judged by the google client', () => {
  test('answers whole and streamed, and calls a tool', async () => {
    const client = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: upstream.origin } })
    const whole = await client.models.generateContent({ model: 'm', contents: 'one two' })
    expect(whole.text).toBe('echo: one two')
    expect(whole.usageMetadata).toMatchObject({ promptTokenCount: 2, candidatesTokenCount: 3 })
    let text = ''
    for await (const chunk of await client.models.generateContentStream({
      model: 'm',
      contents: 'one two',
    })) {
      text += chunk.text ?? ''
    }
    expect(text).toBe('echo: one two')
    const tools = [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: schema }] }]
    const called = await client.models.generateContent({ model: 'm', contents: QUESTION, config: { tools } })
    expect(called.functionCalls?.[0]).toMatchObject({ name: 'weather', args: INPUT })
  })
})

describe('bedrock-converse, judged by the AWS event stream codec', () => {
  const ask = (path: string, text: string): Promise<Response> =>
    fetch(`${upstream.origin}/model/m%3A1/${path}`, {
      method: 'POST',
      body: JSON.stringify({
        messages: [{ role: 'user', content: [{ text }] }],
        toolConfig: { tools: [{ toolSpec: { name: 'weather', inputSchema: { json: schema } } }] },
      }),
    })

  /** Every message of the binary stream: its event type and payload. */
  async function eventsOf(reply: Response): Promise<{ type: unknown; payload: Record<string, unknown> }[]> {
    const codec = new EventStreamCodec(toUtf8, fromUtf8)
    const bytes = new Uint8Array(await reply.arrayBuffer())
    const events: { type: unknown; payload: Record<string, unknown> }[] = []
    for (let at = 0; at < bytes.length; ) {
      const length = new DataView(bytes.buffer, at).getUint32(0)
      const { body, headers } = codec.decode(bytes.subarray(at, at + length))
      expect(headers[':message-type']?.value).toBe('event')
      events.push({ type: headers[':event-type']?.value, payload: JSON.parse(toUtf8(body)) })
      at += length
    }
    return events
  }

  test('answers whole, and as a binary event stream with true usage', async () => {
    const whole = (await (await ask('converse', 'one two')).json()) as Record<string, unknown>
    expect(whole).toMatchObject({
      output: { message: { content: [{ text: 'echo: one two' }] } },
      usage: { inputTokens: 2, outputTokens: 3 },
    })
    const events = await eventsOf(await ask('converse-stream', 'one two'))
    expect(events[0]).toEqual({ type: 'messageStart', payload: { role: 'assistant' } })
    expect(events.filter(event => event.type === 'contentBlockDelta')).toHaveLength(3)
    expect(events.at(-1)).toMatchObject({ type: 'metadata', payload: { usage: { inputTokens: 2 } } })
  })

  test('calls a tool', async () => {
    const events = await eventsOf(await ask('converse-stream', QUESTION))
    const deltas = events.filter(event => event.type === 'contentBlockDelta')
    const fragments = deltas.map(event => (event.payload as { delta: { toolUse: { input: string } } }).delta)
    expect(JSON.parse(fragments.map(delta => delta.toolUse.input).join(''))).toEqual(INPUT)
    expect(events.find(event => event.type === 'messageStop')?.payload).toEqual({ stopReason: 'tool_use' })
  })
})

describe('the fake upstream', () => {
  const post = (fake: string, body: unknown = { model: 'm', messages: [] }): Promise<Response> =>
    fetch(`${upstream.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-fake': fake },
      body: JSON.stringify(body),
    })

  test('records what came in, and who left before the end', async () => {
    await post('', { model: 'm', messages: [{ role: 'user', content: 'hi' }] })
    const leaver = new AbortController()
    const left = fetch(`${upstream.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-fake': 'hangBeforeHeaders' },
      body: '{}',
      signal: leaver.signal,
    }).catch(() => null)
    await until('it came', () => upstream.requests.length === 2)
    leaver.abort()
    await left
    await until('it left', () => upstream.requests[1]!.aborted)
    const [first, second] = upstream.requests
    expect(first).toMatchObject({ method: 'POST', path: '/v1/chat/completions', aborted: false })
    expect(first?.json().messages).toHaveLength(1)
    expect(first?.finishedAtMs).toBeGreaterThan(first!.arrivedAtMs)
    expect(second?.abortedAtMs).toBeGreaterThan(second!.arrivedAtMs)
    expect(second?.finishedAtMs).toBeNull()
  })

  test('plays scripts once, in order, and standing ones until told otherwise', async () => {
    upstream.script({ status: 503, body: 'a' })
    upstream.script(request => ({ body: request.path }))
    upstream.always({ body: 'z' })
    const texts: string[] = []
    for (let at = 0; at < 3; at++) texts.push(await (await post('')).text())
    upstream.always(null)
    texts.push((await post('')).headers.get('content-type')!)
    expect(texts).toEqual(['a', '/v1/chat/completions', 'z', 'application/json'])
  })

  test('repeats recorded bytes verbatim, also while it cuts them up', async () => {
    const bytes = Uint8Array.from({ length: 999 }, (_, at) => (at * 37) % 256)
    for (const behaviour of [{}, { splitBytes: 13 }]) {
      upstream.script({ frames: [bytes.subarray(0, 500), bytes.subarray(500)], behaviour })
      expect(new Uint8Array(await (await post('')).arrayBuffer())).toEqual(bytes)
    }
  })

  test('names the key it does not know', async () => {
    const reply = await post('nonsense=1')
    expect(reply.status).toBe(400)
    expect(await reply.text()).toContain("knows no 'nonsense'")
  })

  test('counts words as tokens', () => {
    expect(tokensOf('  one two\nthree ')).toBe(3)
    expect(tokensOf('')).toBe(0)
  })
})

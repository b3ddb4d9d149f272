// The whole process behind both acceptors: official clients, bytes that arrive as they were sent, clients that leave,
// and readers that are slow.

import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream, until } from '../support/fake-upstream/index.ts'
import { type GatewayProcess, startGateway } from '../support/gateway.ts'

/** More would only fill the memory the kernel has for sockets; the load bench runs 200. */
const SLOW_READERS = 40
/** Several times what the kernel holds of one answer, so that a reader that stops is felt by its upstream. */
const ANSWER_BYTES = 30_000_000
const FRAME_BYTES = 50_000
/** `server.reply_pending_bytes_max` is 256 KiB; the rest is what lies in pieces between the two sockets. */
const READER_BYTES_MAX = 1_500_000
/** What a process that has just begun to work grows by anyway: compiled code, and what is not collected yet. */
const WARM_UP_BYTES_MAX = 80_000_000

describe.each(['uws', 'node'] as const)('behind the %s acceptor', kind => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess

  beforeAll(async () => {
    upstream = await startFakeUpstream()
    const { origin } = upstream
    gateway = await startGateway({
      server: `  acceptor: ${kind}`,
      yaml: `model_providers:
  - { model: openai/gpt-4o, access_key: key-of-the-gateway, base_url: "${origin}/v1", default: true }
  - { model: anthropic/claude-sonnet-4-5, access_key: key-of-the-gateway, base_url: "${origin}" }`,
    })
    expect(gateway.output()).toContain(`${kind} acceptor`)
  })

  afterAll(async () => {
    await gateway?.stop('SIGKILL')
    await upstream?.close()
  })

  test('the official openai client talks, streams, calls tools and lists models', async () => {
    const client = new OpenAI({ baseURL: `${gateway.origin}/v1`, apiKey: 'key-of-the-client', maxRetries: 0 })
    const ask = { model: 'openai/gpt-4o', messages: [{ role: 'user' as const, content: 'one two three' }] }
    const whole = await client.chat.completions.create(ask)
    expect(whole.choices[0]!.message.content).toBe('echo: one two three')
    expect(upstream.requests.at(-1)!.header('authorization')).toBe('Bearer key-of-the-gateway')

    let text = ''
    let chunksWithUsage = 0
    for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? ''
      if (chunk.choices.length === 0) chunksWithUsage += 1
    }
    expect(text).toBe('echo: one two three')
    expect(chunksWithUsage, 'usage that the client did not ask for is not shown').toBe(0)
    expect(upstream.requests.at(-1)!.json()).toMatchObject({ stream_options: { include_usage: true } })

    const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
    const called = await client.chat.completions.create({
      ...ask,
      tools: [{ type: 'function', function: { name: 'get_weather', parameters } }],
      tool_choice: 'required',
    })
    expect(called.choices[0]!.finish_reason).toBe('tool_calls')
    const names = (await client.models.list()).data.map(model => model.id)
    expect(names).toContain('openai/gpt-4o')
    expect(names).toContain('anthropic/claude-sonnet-4-5')
  })

  test('the official anthropic client talks and streams', async () => {
    const client = new Anthropic({ baseURL: gateway.origin, apiKey: 'key-of-the-client', maxRetries: 0 })
    const ask = {
      model: 'anthropic/claude-sonnet-4-5',
      max_tokens: 100,
      messages: [{ role: 'user' as const, content: 'one two three' }],
    }
    const whole = await client.messages.create(ask)
    expect(whole.content).toMatchObject([{ type: 'text', text: 'echo: one two three' }])
    const streamed = await client.messages.stream(ask).finalMessage()
    expect(streamed.content).toMatchObject([{ type: 'text', text: 'echo: one two three' }])
    expect(streamed.usage.output_tokens).toBe(4)
    expect(upstream.requests.at(-1)!.header('x-api-key')).toBe('key-of-the-gateway')
  })

  test('a relayed body changes in its model and nowhere else, the reply not at all', async () => {
    const reply =
      '{ "choices" :[{"index":0,"message":{"role":"assistant","content":"\\u00e9"},"finish_reason":"stop"}],\n"new":1.50 }'
    upstream.script({ headers: ['content-type', 'application/json'], body: reply })
    const body = `{"unknown":[1e2, 12345678901234567890],  "model" : "openai/gpt-4o","messages":[{"content":"\\u0041","role":"user"}],"seed":1.0}`
    const response = await fetch(`${gateway.origin}/v1/chat/completions/?x=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'mine-1' },
      body,
    })
    expect(await response.text()).toBe(reply)
    expect(response.headers.get('x-request-id')).toBe('mine-1')
    expect(upstream.requests.at(-1)!.text()).toBe(body.replace('openai/gpt-4o', 'gpt-4o'))
  })

  test.each([
    ['before the head', { hangBeforeHeaders: true }],
    ['in mid-stream', { neverEnding: true, delayBetweenFramesMs: 5 }],
  ])('a client that leaves %s is seen to leave by the upstream', async (_when, behaviour) => {
    upstream.behave(behaviour)
    const seen = upstream.requestsEver
    const socket = connect(Number(new URL(gateway.origin).port), '127.0.0.1')
    const body = JSON.stringify({ model: 'openai/gpt-4o', stream: true, messages: [] })
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    await until('the request arrived', () => upstream.requestsEver > seen)
    await new Promise(resolve => setTimeout(resolve, 30))
    socket.destroy()
    await until('the upstream saw it', () => upstream.requests[seen]!.aborted)
    upstream.behave({})
  })

  test('slow readers pause their own upstreams only, and memory stays bounded', async () => {
    upstream.behave({ frames: ANSWER_BYTES / FRAME_BYTES, frameBytes: FRAME_BYTES, separateWrites: true })
    const before = residentBytes(gateway)
    const readers = Array.from({ length: SLOW_READERS }, () => slowReader(gateway.origin))
    await until('they have their heads', () => readers.every(reader => reader.answered), 60_000)
    let sent = -1
    await until(
      'their upstreams stand still',
      () => {
        const before = sent
        sent = upstream.requests.reduce((sum, request) => sum + request.bytesSent, 0)
        return sent === before && upstream.requests.filter(request => request.stalled).length >= SLOW_READERS
      },
      60_000,
    )
    expect(upstream.requests.filter(request => request.stalled && request.finishedAtMs !== null)).toEqual([])
    const fast = await fetch(`${gateway.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'openai/gpt-4o', stream: true, messages: [] }),
    })
    const bytes = (await fast.arrayBuffer()).byteLength
    expect(bytes).toBeGreaterThan(ANSWER_BYTES)
    const grownBytes = residentBytes(gateway) - before
    expect(grownBytes).toBeLessThan(WARM_UP_BYTES_MAX + SLOW_READERS * READER_BYTES_MAX)
    for (const reader of readers) reader.leave()
    upstream.behave({})
    await until('nothing runs any more', () =>
      upstream.requests.every(request => request.finishedAtMs !== null || request.aborted),
    )
  }, 120_000)
})

function residentBytes(gateway: GatewayProcess): number {
  const status = readFileSync(`/proc/${gateway.process.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024
}

/** Reads the head and then nothing. */
function slowReader(origin: string) {
  const reader = { answered: false, leave: () => void request.destroy() }
  const request = httpRequest(`${origin}/v1/chat/completions`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json' },
  })
  request.on('error', () => {})
  request.on('response', response => {
    response.pause()
    reader.answered = true
  })
  request.end(JSON.stringify({ model: 'openai/gpt-4o', stream: true, messages: [] }))
  return reader
}

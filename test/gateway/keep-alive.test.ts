// Signs of life for clients of silent streams: when they come, when they must not, and that nobody books them.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Roll } from '../../src/common/roll.ts'
import type { Exchange } from '../../src/gateway/exchange.ts'
import { Lookout } from '../../src/gateway/lookout.ts'
import type { PlanView } from '../../src/gateway/plan-view.ts'
import { type FakeUpstream, startFakeUpstream, until } from '../support/fake-upstream/index.ts'
import { Bench, chat, type EngineOptions, provider } from './harness.ts'

const CHAT = '/v1/chat/completions'
const COMMENT = ': keep-alive\n\n'
const PING = 'event: ping\ndata: {"type":"ping"}\n\n'
/** Longer than three intervals, with the sweeps that go with them. */
const SILENCE_MS = 700
const KEEP_ALIVE_MS = 100

let upstream: FakeUpstream
let bench: Bench

beforeEach(async () => {
  upstream = await startFakeUpstream()
})

afterEach(async () => {
  await bench.close()
  await upstream.close()
})

function open(options: Partial<EngineOptions> = {}, keepAliveMs = KEEP_ALIVE_MS): void {
  bench = new Bench({
    providers: [
      provider('openai/gpt-4o', upstream.origin),
      provider('anthropic/claude-sonnet-4-5', upstream.origin, {
        provider: 'anthropic',
        dialects: ['anthropic-messages'],
      }),
      provider('gemini/gemini-2.5-flash', upstream.origin, {
        provider: 'gemini',
        dialects: ['gemini-generate'],
        dialectPrefixes: { 'gemini-generate': '/v1beta' },
      }),
    ],
    listener: { keepAliveMs },
    ...options,
  })
}

const MESSAGES_BODY = {
  model: 'anthropic/claude-sonnet-4-5',
  max_tokens: 10,
  stream: true,
  messages: [{ role: 'user', content: 'one two three' }],
}

function countOf(text: string, sign: string): number {
  return text.split(sign).length - 1
}

describe('a stream that falls silent', () => {
  test('is shown to live, in the way of its dialect, whether relayed or translated', async () => {
    open()
    upstream.behave({ delayBetweenFramesMs: SILENCE_MS / 3 })
    const [relayed, translated, messages] = await Promise.all([
      bench.call(CHAT, chat('openai/gpt-4o', { stream: true })),
      bench.call(CHAT, chat('anthropic/claude-sonnet-4-5', { stream: true })),
      bench.call('/v1/messages', MESSAGES_BODY),
    ])
    for (const reply of [relayed, translated]) {
      expect(countOf(reply!.text, COMMENT)).toBeGreaterThanOrEqual(2)
      expect(reply!.text).toContain('data: [DONE]')
    }
    expect(countOf(messages!.text, PING)).toBeGreaterThanOrEqual(2)
    expect(messages!.text).not.toContain(': keep-alive')
  })

  test('books nothing of it', async () => {
    open()
    await bench.call(CHAT, chat('openai/gpt-4o', { stream: true }))
    upstream.behave({ delayBetweenFramesMs: 250 })
    const reply = await bench.call(CHAT, chat('openai/gpt-4o', { stream: true }))
    expect(reply.text).toContain(COMMENT)
    const [quick, slow] = bench.records
    expect(slow!.bytesOut).toBe(Buffer.byteLength(reply.text.replaceAll(COMMENT, '')))
    expect(slow!.usage).toEqual(quick!.usage)
    expect(slow!.outcome).toBe('ok')
  })

  test('is still given up in its time', async () => {
    open({ upstream: { betweenBytesMs: SILENCE_MS } })
    upstream.behave({ hangAfterFrames: 3 })
    const reply = await bench.call(CHAT, chat('openai/gpt-4o', { stream: true }))
    expect(countOf(reply.text, COMMENT)).toBeGreaterThanOrEqual(2)
    expect(reply.text).toContain('"error"')
    expect(bench.records[0]!.outcome).toBe('timeout')
    const { length } = reply.pieces
    await new Promise(done => setTimeout(done, 3 * KEEP_ALIVE_MS))
    expect(reply.pieces).toHaveLength(length)
  })

  test('gets no more once its client has left', async () => {
    open()
    upstream.behave({ hangAfterFrames: 3 })
    const { reply, sink } = bench.send(CHAT, chat('openai/gpt-4o', { stream: true }))
    await until('a sign', () => reply.text.includes(COMMENT))
    sink.gone()
    const { length } = reply.pieces
    await new Promise(done => setTimeout(done, 3 * KEEP_ALIVE_MS))
    expect(reply.pieces).toHaveLength(length)
  })

  test('gets none while its client does not take what is there', async () => {
    open()
    upstream.behave({ hangAfterFrames: 3 })
    const { reply, sink } = bench.send(CHAT, chat('openai/gpt-4o', { stream: true }))
    Object.assign(reply, { pendingBytes: 1 })
    await until('the stream began', () => reply.pieces.length > 0)
    await new Promise(done => setTimeout(done, SILENCE_MS))
    expect(reply.text).not.toContain(COMMENT)
    Object.assign(reply, { pendingBytes: 0 })
    await until('a sign', () => reply.text.includes(COMMENT))
    sink.gone()
  })

  test('gets none where the listener wants none', async () => {
    open({}, 0)
    upstream.behave({ delayBetweenFramesMs: 250 })
    const reply = await bench.call(CHAT, chat('openai/gpt-4o', { stream: true }))
    expect(reply.text).not.toContain(COMMENT)
  })
})

describe('there is no sign of life', () => {
  test('before the head, because its status is not known', async () => {
    open()
    upstream.behave({ delayBeforeHeadersMs: SILENCE_MS })
    const reply = await bench.call(CHAT, chat('openai/gpt-4o', { stream: true }))
    expect(reply.text.startsWith('data: ')).toBe(true)
  })

  test('before the first content while another try could follow', async () => {
    open({
      providers: [
        provider('openai/gpt-4o', upstream.origin, { fallbacks: ['openai/other'] }),
        provider('openai/other', upstream.origin),
      ],
    })
    upstream.behave({ delayBetweenFramesMs: SILENCE_MS / 2 })
    const reply = await bench.call(CHAT, chat('openai/gpt-4o', { stream: true }))
    const first = reply.text.indexOf('echo')
    expect(first).toBeGreaterThan(0)
    expect(reply.text.slice(0, first)).not.toContain(COMMENT)
    expect(reply.text.slice(first)).toContain(COMMENT)
  })

  test('in a document, however slowly it comes', async () => {
    open()
    upstream.behave({ dripMs: 4 })
    const reply = await bench.call(CHAT, chat('openai/gpt-4o'))
    expect(reply.status).toBe(200)
    expect(() => reply.json).not.toThrow()
  })

  test('for clients of Gemini, in either form of its streams', async () => {
    open()
    upstream.behave({ delayBetweenFramesMs: SILENCE_MS / 2 })
    const body = { contents: [{ role: 'user', parts: [{ text: 'one two' }] }] }
    const path = '/v1beta/models/gemini-2.5-flash:streamGenerateContent'
    const [events, array] = await Promise.all([bench.call(`${path}?alt=sse`, body), bench.call(path, body)])
    expect(events!.text).toMatch(/^data: /)
    expect(events!.text).not.toMatch(/^:|ping/m)
    expect(Array.isArray(array!.json)).toBe(true)
  })
})

describe('the one timer', () => {
  const view = (keepAliveMsMin: number | null) => ({ keepAliveMsMin }) as PlanView
  const clock = { monotonicMs: () => 0, epochMs: () => 0 }

  beforeEach(() => {
    open()
    vi.useFakeTimers()
  })
  afterEach(() => vi.useRealTimers())

  function setup() {
    const running = new Roll<Exchange>()
    const looks: number[] = []
    const exchange = {
      place: -1,
      guard: (step: () => void) => step(),
      look: (nowMs: number) => void looks.push(nowMs),
    } as unknown as Exchange
    return { running, looks, exchange, lookout: new Lookout(clock, running) }
  }

  test('runs while exchanges do, and looks at each of them once a second at most', () => {
    const { running, looks, exchange, lookout } = setup()
    lookout.use(view(15_000))
    expect(vi.getTimerCount()).toBe(0)
    running.add(exchange)
    lookout.start()
    lookout.start()
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(3_000)
    expect(looks).toHaveLength(3)
    running.remove(exchange)
    vi.advanceTimersByTime(1_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('looks more often where an interval is short, and follows a change of the plan', () => {
    const { running, looks, exchange, lookout } = setup()
    lookout.use(view(null))
    running.add(exchange)
    lookout.start()
    vi.advanceTimersByTime(1_000)
    expect(looks).toHaveLength(1)
    lookout.use(view(400))
    vi.advanceTimersByTime(1_000)
    expect(looks).toHaveLength(11)
    expect(vi.getTimerCount()).toBe(1)
  })
})

// Which form a client asked for, and what is refused instead of lost.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { Bench, chat, provider } from './harness.ts'

const STREAM = '/v1beta/models/gemini%2Fgemini-2.5-flash:streamGenerateContent'
const HELLO = { contents: [{ role: 'user', parts: [{ text: 'one two three' }] }] }

let upstream: FakeUpstream
let bench: Bench

beforeEach(async () => {
  upstream = await startFakeUpstream()
})

afterEach(async () => {
  await bench.close()
  await upstream.close()
})

test.each([
  ['relayed', 'gemini-generate', '/v1beta'],
  ['translated', 'openai-chat', '/v1'],
] as const)(
  'a Gemini stream, %s, is events when asked for and one array otherwise',
  async (_how, dialect, root) => {
    bench = new Bench({
      providers: [
        provider('gemini/gemini-2.5-flash', upstream.origin, {
          provider: dialect === 'gemini-generate' ? 'gemini' : 'custom',
          dialects: [dialect],
          pathPrefix: root,
        }),
      ],
    })
    const events = await bench.call(`${STREAM}?alt=sse`, HELLO)
    expect(events.header('content-type')).toMatch(/^text\/event-stream/)
    expect(events.text).toMatch(/^data: \{/)
    const array = await bench.call(STREAM, HELLO)
    expect(array.header('content-type')).toBe('application/json')
    const parts = array.json as { candidates?: { content: { parts: { text: string }[] } }[] }[]
    const text = parts.map(part => part.candidates?.[0]?.content?.parts?.[0]?.text ?? '').join('')
    expect(text).toBe('echo: one two three')
  },
)

test.each([
  ['the caller', {}, ['x-gateway-strict', 'true']],
  ['the configuration', { strict: true }, []],
])(
  'what would be lost is refused when %s is strict, naming the member, before any call',
  async (_who, more, headers) => {
    bench = new Bench({
      providers: [
        provider('claude/claude-sonnet-4-5', upstream.origin, {
          provider: 'anthropic',
          dialects: ['anthropic-messages'],
          ...more,
        }),
      ],
    })
    const prompt = chat('claude/claude-sonnet-4-5', { seed: 7 })
    const refused = await bench.call('/v1/chat/completions', prompt, headers)
    expect(refused.status).toBe(400)
    expect(refused.text).toContain('seed')
    expect(upstream.requests).toHaveLength(0)
    if (headers.length === 0) return
    const lossy = await bench.call('/v1/chat/completions', prompt)
    expect(lossy.status).toBe(200)
    expect(lossy.header('x-gateway-warnings')).toContain('field=/seed')
  },
)

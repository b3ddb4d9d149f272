// Recorded streams of every dialect, cut at every byte by an upstream that then closes: the client is never given
// the ending of a success, and always the error form of its dialect. Relayed, and through the pivot.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DialectId } from '../../src/translate/index.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { Handles } from './handles.ts'
import { Bench, provider, type Reply } from './harness.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures')

interface Client {
  readonly path: string
  readonly body: Record<string, unknown>
  /** The event that only a stream that ended well contains. */
  readonly success: (event: EventSourceMessage) => boolean
  readonly error: (event: EventSourceMessage) => boolean
}

const MESSAGES = [{ role: 'user', content: 'hello' }]

function client(dialect: DialectId, model: string): Client {
  switch (dialect) {
    case 'openai-chat':
      return {
        path: '/v1/chat/completions',
        body: { model, stream: true, messages: MESSAGES },
        success: event => event.data === '[DONE]',
        error: event => event.data.startsWith('{"error":{"message":'),
      }
    case 'openai-responses':
      return {
        path: '/v1/responses',
        body: { model, stream: true, input: 'hello' },
        success: event => /^response\.(?:completed|incomplete)$/.test(event.event ?? ''),
        error: event => event.event === 'error' || event.event === 'response.failed',
      }
    case 'anthropic-messages':
      return {
        path: '/v1/messages',
        body: { model, stream: true, max_tokens: 100, messages: MESSAGES },
        success: event => event.event === 'message_stop',
        error: event => event.event === 'error' && event.data.startsWith('{"type":"error"'),
      }
    default:
      throw new Error(`no client for ${dialect}`)
  }
}

function streams(dialect: DialectId, names: readonly string[]): [string, Buffer][] {
  const folder = join(FIXTURES, dialect, 'streams')
  const files = readdirSync(folder).filter(file => names.includes(file.replace(/\.sse$/, '')))
  expect(files).toHaveLength(names.length)
  return files.map(file => [`${dialect}/${file}`, readFileSync(join(folder, file))])
}

const RECORDED: readonly (readonly [string, DialectId, Buffer])[] = [
  ...streams('openai-chat', ['text', 'tools', 'reasoning', 'length']).map(
    ([name, bytes]) => [name, 'openai-chat', bytes] as const,
  ),
  ...streams('anthropic-messages', ['text', 'tools', 'redacted']).map(
    ([name, bytes]) => [name, 'anthropic-messages', bytes] as const,
  ),
]

const handles = new Handles()

let upstream: FakeUpstream
let bench: Bench

beforeAll(async () => {
  upstream = await startFakeUpstream({ record: false })
  bench = new Bench({
    patient: true,
    providers: [
      provider('relay/model', upstream.origin, { provider: 'custom' }),
      provider('claude/model', upstream.origin, { provider: 'custom', dialects: ['anthropic-messages'] }),
      provider('chat/model', upstream.origin, { provider: 'custom', dialects: ['openai-chat'] }),
    ],
  })
})

afterAll(async () => {
  await bench.close()
  await upstream.close()
  await handles.noneLeft()
})

/** True when the client was told the truth about a reply that broke. */
function honest(reply: Reply, { success, error }: Client): string | null {
  if (reply.status >= 500) return null
  const events: EventSourceMessage[] = []
  createParser({ onEvent: event => events.push(event) }).feed(reply.text)
  if (events.some(success)) return 'it looks complete'
  if (reply.ending === 'abort') return null
  return events.some(error) ? null : 'it ended without a word'
}

/** Where the dialect's own ending begins; from there on a cut loses nothing the client needs. */
function endingAt(dialect: DialectId, bytes: Buffer): number {
  if (dialect === 'anthropic-messages') return bytes.lastIndexOf('"message_stop"')
  // A Chat stream that ends after its last finish reason is complete (see src/translate/README.md).
  return bytes.indexOf('\n\n', bytes.lastIndexOf('"finish_reason":"'))
}

async function cutEverywhere(dialect: DialectId, bytes: Buffer, who: Client): Promise<void> {
  const ending = endingAt(dialect, bytes)
  let begun = 0
  for (let from = 0; from < ending; from += CONCURRENT) {
    const offsets = Array.from({ length: Math.min(CONCURRENT, ending - from) }, (_, step) => from + step)
    for (const offset of offsets) {
      upstream.script({
        headers: ['content-type', 'text/event-stream'],
        frames: offset === 0 ? [] : [bytes.subarray(0, offset)],
      })
    }
    const replies = await Promise.all(offsets.map(() => bench.call(who.path, who.body)))
    for (const reply of replies) expect(honest(reply, who), reply.text.slice(-300)).toBeNull()
    begun += replies.filter(reply => reply.status === 200).length
  }
  // Most cuts come after the first content: those clients were in the middle of a stream.
  expect(begun).toBeGreaterThan(ending / 2)
}

/** Requests under way at once. */
const CONCURRENT = 32

describe('a stream cut at any byte is never passed on as complete', () => {
  for (const [name, dialect, bytes] of RECORDED) {
    const relayed = dialect === 'openai-chat' ? 'relay/model' : 'claude/model'
    test(`${name}, relayed`, () => cutEverywhere(dialect, bytes, client(dialect, relayed)))
    const other = dialect === 'openai-chat' ? 'anthropic-messages' : 'openai-chat'
    const translated = dialect === 'openai-chat' ? 'chat/model' : 'claude/model'
    test(`${name}, to ${other}`, () => cutEverywhere(dialect, bytes, client(other, translated)))
    test(`${name}, to openai-responses`, () =>
      cutEverywhere(dialect, bytes, client('openai-responses', translated)))
  }
})

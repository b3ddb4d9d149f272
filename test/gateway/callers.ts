// One caller per dialect and form, for tests in which an upstream misbehaves: how it asks, which upstream of its own
// dialect it is relayed to, and how it knows a good reply, an error and a broken stream when it sees one.

import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { expect } from 'vitest'
import type { ProviderPlan } from '../../src/common/config/index.ts'
import type { DialectId } from '../../src/translate/index.ts'
import { provider, type Reply } from './harness.ts'

export interface Caller {
  readonly dialect: DialectId
  readonly streaming: boolean
  path(model: string): string
  body(model: string): Record<string, unknown>
}

/** What an upstream echoes back, word by word. */
export const SAID = 'one two three four five'

const TURN = [{ role: 'user', content: SAID }]

function caller(dialect: DialectId, streaming: boolean): Caller {
  const named = (model: string, rest: Record<string, unknown>): Record<string, unknown> => ({
    model,
    ...(streaming ? { stream: true } : {}),
    ...rest,
  })
  switch (dialect) {
    case 'openai-chat':
      return {
        dialect,
        streaming,
        path: () => '/v1/chat/completions',
        body: model => named(model, { messages: TURN }),
      }
    case 'openai-responses':
      return { dialect, streaming, path: () => '/v1/responses', body: model => named(model, { input: SAID }) }
    case 'anthropic-messages':
      return {
        dialect,
        streaming,
        path: () => '/v1/messages',
        body: model => named(model, { max_tokens: 100, messages: TURN }),
      }
    case 'bedrock-converse':
      return {
        dialect,
        streaming,
        path: model => `/model/${encodeURIComponent(model)}/converse${streaming ? '-stream' : ''}`,
        body: () => ({ messages: [{ role: 'user', content: [{ text: SAID }] }] }),
      }
    case 'gemini-generate': {
      const method = streaming ? 'streamGenerateContent?alt=sse' : 'generateContent'
      return {
        dialect,
        streaming,
        path: model => `/v1beta/models/${encodeURIComponent(model)}:${method}`,
        body: () => ({ contents: [{ role: 'user', parts: [{ text: SAID }] }] }),
      }
    }
  }
}

export const DIALECT_IDS: readonly DialectId[] = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'bedrock-converse',
  'gemini-generate',
]

export const CALLERS: readonly Caller[] = DIALECT_IDS.flatMap(dialect => [
  caller(dialect, false),
  caller(dialect, true),
])

/** An entry whose upstream speaks `dialect` and nothing else. */
export function speaking(
  dialect: DialectId,
  name: string,
  origin: string,
  more: Partial<ProviderPlan> = {},
): ProviderPlan {
  const prefixes: Partial<Record<DialectId, string>> = {
    'bedrock-converse': '',
    'gemini-generate': '/v1beta',
  }
  return provider(name, origin, {
    provider: 'custom',
    custom: true,
    dialects: [dialect],
    pathPrefix: prefixes[dialect] ?? '/v1',
    ...more,
  })
}

/** The dialect that a caller is translated to when it is not relayed. */
export function otherDialect(dialect: DialectId): DialectId {
  return dialect === 'openai-chat' ? 'anthropic-messages' : 'openai-chat'
}

/** The message of an error reply in the dialect's own form; fails when it has another. */
export function errorMessage(reply: Reply, dialect: DialectId): string {
  expect(reply.ending, 'an error is a whole reply').toBe('end')
  expect(reply.header('content-type')).toMatch(/^application\/json/)
  const body = reply.json as {
    error: { message: string; type?: unknown; code?: unknown; status?: unknown }
    type?: string
    message?: string
  }
  switch (dialect) {
    case 'openai-chat':
    case 'openai-responses':
      expect(typeof body.error.message).toBe('string')
      expect(typeof body.error.type).toBe('string')
      return body.error.message
    case 'anthropic-messages':
      expect(body.type).toBe('error')
      expect(typeof body.error.type).toBe('string')
      return body.error.message
    case 'bedrock-converse':
      expect(reply.header('x-amzn-errortype')).not.toBeNull()
      return body.message!
    case 'gemini-generate':
      expect(body.error.code).toBe(reply.status)
      expect(typeof body.error.status).toBe('string')
      return body.error.message
  }
}

function eventsOf(text: string): EventSourceMessage[] {
  const events: EventSourceMessage[] = []
  createParser({ onEvent: event => events.push(event) }).feed(text)
  return events
}

/** Why this is not the complete answer to what was asked, or null. */
export function flaw(reply: Reply, { dialect, streaming }: Caller): string | null {
  const { text } = reply
  if (reply.status !== 200) return `status ${reply.status}: ${text.slice(0, 300)}`
  if (reply.ending !== 'end') return 'the connection was cut'
  if (!text.includes('five')) return `the last word is missing: ${text.slice(-300)}`
  if (streaming) return endings(text, dialect).success ? null : `no ending: ${text.slice(-300)}`
  JSON.parse(text)
  return null
}

/** How a stream ended, in the words of its dialect. */
export function endings(text: string, dialect: DialectId): { success: boolean; error: boolean } {
  if (dialect === 'bedrock-converse') {
    return { success: /messageStop/.test(text), error: /exception/i.test(text) }
  }
  const events = eventsOf(text)
  const some = (holds: (event: EventSourceMessage) => boolean): boolean => events.some(holds)
  switch (dialect) {
    case 'openai-chat':
      return {
        success: some(({ data }) => data === '[DONE]'),
        error: some(({ data }) => data.startsWith('{"error":')),
      }
    case 'openai-responses':
      return {
        success: some(({ event }) => event === 'response.completed'),
        error: some(({ event }) => event === 'error' || event === 'response.failed'),
      }
    case 'anthropic-messages':
      return {
        success: some(({ event }) => event === 'message_stop'),
        error: some(({ event }) => event === 'error'),
      }
    case 'gemini-generate':
      return {
        success: some(({ data }) => data.includes('"finishReason"')),
        error: some(({ data }) => data.startsWith('{"error":')),
      }
  }
}

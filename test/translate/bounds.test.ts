// Numbers at and beyond the bounds that the references of the dialects state: a reader refuses what every host of its
// dialect refuses, naming the member the client wrote; a writer sends nothing outside its own dialect's range.

import { describe, expect, test } from 'vitest'
import { readPrompt } from '../../src/translate/pair.ts'
import { TranslateError } from '../../src/translate/translate-error.ts'
import type { DialectId } from '../../src/translate/dialect.ts'

const bytes = (body: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(body))

const BODIES = {
  'openai-chat': { model: 'm', messages: [{ role: 'user', content: 'x' }] },
  'openai-responses': { model: 'm', input: 'x' },
  'anthropic-messages': { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'x' }] },
  'bedrock-converse': { messages: [{ role: 'user', content: [{ text: 'x' }] }] },
  'gemini-generate': { contents: [{ parts: [{ text: 'x' }] }] },
} as const satisfies Record<DialectId, object>

function refusal(dialect: DialectId, members: object): unknown {
  try {
    readPrompt(dialect, bytes({ ...BODIES[dialect], ...members }))
    return null
  } catch (error) {
    if (!(error instanceof TranslateError)) throw error
    return error.reply
  }
}

const within = (config: object): object => ({ generationConfig: { responseLogprobs: true, ...config } })

const ALTERNATIVES: readonly [DialectId, string, (count: number) => object][] = [
  ['openai-chat', 'top_logprobs', count => ({ logprobs: true, top_logprobs: count })],
  ['openai-responses', 'top_logprobs', count => ({ top_logprobs: count })],
  ['gemini-generate', 'generationConfig.logprobs', count => within({ logprobs: count })],
]

describe.each(ALTERNATIVES)('%s, alternatives per token in %s', (dialect, param, asking) => {
  test.each([-1, 1.5, 21, 4096, 2 ** 31, 2 ** 53, 1e21])('%d is refused', count => {
    expect(refusal(dialect, asking(count))).toMatchObject({ kind: 'invalid', status: 400, param })
  })

  test.each([0, 1, 20])('%d is read', count => {
    expect(readPrompt(dialect, bytes({ ...BODIES[dialect], ...asking(count) })).logprobs).toBe(
      dialect === 'openai-responses' && count === 0 ? null : count,
    )
  })
})

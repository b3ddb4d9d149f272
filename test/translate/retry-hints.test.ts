// How long to wait, in every form that vendors say it.

import { describe, expect, test } from 'vitest'
import { readError } from '../../src/translate/index.ts'

const DATE = 'Thu, 26 Nov 2026 12:00:00 GMT'
const NOW_S = Date.parse(DATE) / 1_000
const BODY = new TextEncoder().encode('{"error":{"message":"slow down"}}')

function hint(fields: Readonly<Record<string, string>>, withDate = true): number | null {
  const headers = Object.entries({ ...fields, ...(withDate ? { date: DATE } : {}) }).flat()
  return readError('openai-chat', 429, headers, BODY).retryAfterMs
}

describe('a wait is read from', () => {
  test.each([
    ['retry-after-ms', { 'retry-after-ms': '1250.5' }, 1_251],
    ['retry-after-ms before retry-after', { 'retry-after-ms': '70', 'retry-after': '30' }, 70],
    ['retry-after in seconds', { 'retry-after': '30' }, 30_000],
    ['retry-after as a date', { 'retry-after': 'Thu, 26 Nov 2026 12:00:42 GMT' }, 42_000],
    [
      'the reset of what OpenAI says is used up',
      {
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '6m0.5s',
        'x-ratelimit-remaining-tokens': '100',
        'x-ratelimit-reset-tokens': '9m',
      },
      360_500,
    ],
    [
      'the latest of several',
      {
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '120ms',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '2s',
      },
      2_000,
    ],
    [
      'the reset of Anthropic, a date',
      {
        'anthropic-ratelimit-input-tokens-remaining': '0',
        'anthropic-ratelimit-input-tokens-reset': '2026-11-26T12:00:15Z',
      },
      15_000,
    ],
    [
      'seconds without a unit, with a fraction',
      { 'x-ratelimit-remaining-tokens-minute': '0', 'x-ratelimit-reset-tokens-minute': '33.25' },
      33_250,
    ],
    [
      'a time since 1970 in milliseconds',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String((NOW_S + 7) * 1_000) },
      7_000,
    ],
    [
      'a time since 1970 in seconds',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW_S + 7) },
      7_000,
    ],
    ['the draft standard', { 'ratelimit-remaining': '0', 'ratelimit-reset': '12' }, 12_000],
    ['limits by size', { 'ratelimitbysize-remaining': '0', 'ratelimitbysize-reset': '41' }, 41_000],
  ])('%s', (_what, fields, waitMs) => {
    expect(hint(fields)).toBe(waitMs)
  })

  test('the body and the words of Gemini and OpenAI, where no field says it', () => {
    const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
    const retryInfo = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.07s' }
    const gemini = { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'm', details: [retryInfo] } }
    expect(readError('gemini-generate', 429, [], encode(gemini)).retryAfterMs).toBe(34_070)
    const openai = { error: { message: 'Rate limit reached. Please try again in 1.25s. Visit …' } }
    expect(readError('openai-chat', 429, [], encode(openai)).retryAfterMs).toBe(1_250)
  })
})

describe('no wait is read from', () => {
  test.each([
    ['a bucket that is not empty', { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '30' }],
    [
      'a time since 1970 that is over',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW_S - 1) },
    ],
    ['words', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': 'soon', 'retry-after': 'later' }],
    ['a negative number', { 'retry-after': '-5', 'retry-after-ms': '-1' }],
  ])('%s', (_what, fields) => {
    expect(hint(fields)).toBeNull()
  })

  test('a date where nothing says what time it is', () => {
    expect(hint({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW_S + 7) }, false)).toBeNull()
  })
})

test('a quota that is used up for weeks is not taken for one that has no reset', () => {
  expect(hint({ 'retry-after': String(30 * 24 * 3_600) })).toBe(24 * 3_600 * 1_000)
})

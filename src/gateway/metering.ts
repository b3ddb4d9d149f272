// What a call is booked with when it ends early. Owns the guess: an upstream tells the tokens at the end of its reply,
// and whoever leaves before has used some all the same. A guess says that it is one.

import type { ExchangeRecord } from '../telemetry/index.ts'
import type { DialectId, Usage } from '../translate/index.ts'
import type { Exchange } from './exchange.ts'

/** The usual figure for prose; the JSON around it makes the guess rather high than low. */
const BYTES_PER_TOKEN = 4

/**
 * What a token takes in a stream of short frames, its envelope included. The frames of real vendors vary by a factor of
 * two either way: they join tokens, and they pad.
 */
const STREAM_BYTES_PER_TOKEN: Readonly<Record<DialectId, number>> = {
  'openai-chat': 200,
  'openai-responses': 220,
  'anthropic-messages': 110,
  'bedrock-converse': 180,
  'gemini-generate': 100,
}

/** Whether the record's usage must be completed: the reply ended before its upstream had said everything. */
export function endedEarly(record: ExchangeRecord, complete: boolean): boolean {
  return !complete && record.outcome !== 'ok'
}

/** Bytes tell tokens only where they are text: sound, pictures, vectors and files are counted by no such rule. */
export function guessable({ endpoint: { forward } }: Exchange): boolean {
  return forward === null || forward.streamOptions
}

/** What was seen until the early end, completed; null when nothing was. */
export function partialUsage(record: ExchangeRecord, told: Usage | null, streamed: boolean): Usage | null {
  if (record.firstContentMs === null) return told
  const perToken = streamed ? STREAM_BYTES_PER_TOKEN[record.clientDialect!] : BYTES_PER_TOKEN
  const output = Math.ceil(record.bytesOut / perToken)
  if (told === null) return guessed(Math.ceil(record.bytesIn / BYTES_PER_TOKEN), output)
  // Some tell the input first and count the output from one.
  return told.outputTokens >= output ? told : { ...told, outputTokens: output, estimated: true }
}

function guessed(inputTokens: number, outputTokens: number): Usage {
  return {
    inputTokens,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    cacheWriteLongTokens: null,
    outputTokens,
    reasoningTokens: null,
    audioInputTokens: null,
    audioOutputTokens: null,
    estimated: true,
  }
}

// Usage as Responses, Converse and Gemini spell it.

import { countOf, listOf, type Members, membersOf } from '../bytes/json-look.ts'
import type { Usage } from '../usage.ts'

function usageOf(inputTokens: number, outputTokens: number, more: Partial<Usage>): Usage {
  return {
    inputTokens,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    cacheWriteLongTokens: null,
    outputTokens,
    reasoningTokens: null,
    audioInputTokens: null,
    audioOutputTokens: null,
    estimated: false,
    ...more,
  }
}

export function responsesUsage(value: unknown): Usage | null {
  const usage = membersOf(value)
  if (usage === null) return null
  const input = membersOf(usage['input_tokens_details'])
  const inputTokens = countOf(usage['input_tokens']) ?? 0
  const cacheReadTokens = Math.min(countOf(input?.['cached_tokens']) ?? 0, inputTokens)
  return usageOf(inputTokens, countOf(usage['output_tokens']) ?? 0, {
    cacheReadTokens,
    cacheWriteTokens: Math.min(countOf(input?.['cache_write_tokens']) ?? 0, inputTokens - cacheReadTokens),
    cacheWriteLongTokens: countOf(membersOf(input?.['cache_write_tokens_details'])?.['ttl_12h_tokens']),
    reasoningTokens: countOf(membersOf(usage['output_tokens_details'])?.['reasoning_tokens']),
  })
}

export function converseUsage(value: unknown): Usage | null {
  const usage = membersOf(value)
  if (usage === null) return null
  const cacheReadTokens = countOf(usage['cacheReadInputTokens']) ?? 0
  const cacheWriteTokens = countOf(usage['cacheWriteInputTokens']) ?? 0
  const uncached = countOf(usage['inputTokens']) ?? 0
  return usageOf(uncached + cacheReadTokens + cacheWriteTokens, countOf(usage['outputTokens']) ?? 0, {
    cacheReadTokens,
    cacheWriteTokens,
    cacheWriteLongTokens: longWrites(usage),
  })
}

function longWrites(usage: Members): number | null {
  let long: number | null = null
  for (const entry of listOf(usage['cacheDetails'])) {
    const detail = membersOf(entry)
    if (detail?.['ttl'] === '1h') long = (long ?? 0) + (countOf(detail['inputTokens']) ?? 0)
  }
  return long
}

export function geminiUsage(value: unknown): Usage | null {
  const usage = membersOf(value)
  if (usage === null) return null
  const thoughts = countOf(usage['thoughtsTokenCount'])
  const inputTokens =
    (countOf(usage['promptTokenCount']) ?? 0) + (countOf(usage['toolUsePromptTokenCount']) ?? 0)
  return usageOf(inputTokens, (countOf(usage['candidatesTokenCount']) ?? 0) + (thoughts ?? 0), {
    cacheReadTokens: Math.min(countOf(usage['cachedContentTokenCount']) ?? 0, inputTokens),
    reasoningTokens: thoughts,
    audioInputTokens: audioOf(usage['promptTokensDetails']),
    audioOutputTokens: audioOf(usage['candidatesTokensDetails']),
  })
}

function audioOf(details: unknown): number | null {
  for (const entry of listOf(details)) {
    const detail = membersOf(entry)
    if (detail?.['modality'] === 'AUDIO') return countOf(detail['tokenCount'])
  }
  return null
}

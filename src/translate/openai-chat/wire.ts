// Words of Chat Completions: the members we know, the finish reasons, the service tiers, the order of a stream.

import { countOf, membersOf } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { GrammarTable } from '../grammar.ts'
import type { ServiceTier } from '../prompt.ts'
import type { Finish, StopReason, TokenLogprob } from '../turn.ts'
import type { Usage } from '../usage.ts'
import { wordTable } from '../word-table.ts'

export const BODY_MEMBERS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'max_completion_tokens',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'n',
  'stop',
  'presence_penalty',
  'frequency_penalty',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'seed',
  'reasoning_effort',
  'verbosity',
  'response_format',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'modalities',
  'audio',
  'prediction',
  'web_search_options',
  'moderation',
  'prompt_cache_key',
  'prompt_cache_options',
  'safety_identifier',
  'user',
  'metadata',
  'service_tier',
  'store',
  'stream',
  'stream_options',
  'functions',
  'function_call',
  'include_reasoning',
])

export const MESSAGE_MEMBERS: ReadonlySet<string> = new Set([
  'role',
  'content',
  'name',
  'refusal',
  'tool_calls',
  'tool_call_id',
  'function_call',
  'audio',
  'reasoning_content',
  'reasoning',
  'reasoning_details',
])

export const PART_MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'text',
  'refusal',
  'image_url',
  'input_audio',
  'file',
  'cache_control',
  'prompt_cache_breakpoint',
])

export const TIERS: Readonly<Record<string, ServiceTier>> = wordTable({
  auto: 'auto',
  default: 'standard',
  flex: 'flex',
  scale: 'scale',
  priority: 'fast',
  fast: 'fast',
})

export const TIER_WORDS: Readonly<Record<ServiceTier, string>> = {
  auto: 'auto',
  standard: 'default',
  flex: 'flex',
  scale: 'scale',
  fast: 'priority',
  faster: 'priority',
  reserved: 'scale',
}

const REASONS: Readonly<Record<string, StopReason>> = wordTable({
  stop: 'stop',
  length: 'length',
  model_length: 'length',
  tool_calls: 'calls',
  function_call: 'calls',
  content_filter: 'filter',
})

/** Unknown words of compatible hosts mean a natural end. */
export function reasonOf(word: string): StopReason {
  return REASONS[word] ?? 'stop'
}

export function finishWord(finish: Finish): string {
  switch (finish.reason) {
    case 'calls':
      return 'tool_calls'
    case 'length':
    case 'context-window':
    case 'continuation':
      return 'length'
    case 'filter':
      return 'content_filter'
    case 'refusal':
      return finish.detail === null ? 'stop' : 'content_filter'
    default:
      return 'stop'
  }
}

export type ChatState = 'idle' | 'open' | 'finished' | 'done'
export type ChatSymbol = 'delta' | 'finish' | 'usage' | 'done'

/**
 * Order of a stream. `finished` means that every choice that began has finished; compatible hosts may end the body
 * there, and may send further empty deltas and usage.
 */
export const CHAT_GRAMMAR: GrammarTable<ChatState, ChatSymbol> = {
  idle: { delta: 'open', finish: 'finished', usage: 'idle' },
  open: { delta: 'open', finish: 'finished', usage: 'open', done: 'done' },
  finished: { delta: 'open', finish: 'finished', usage: 'finished', done: 'done' },
  done: {},
}

/** Usage as Chat hosts spell it, with the variants of compatible hosts. Null when there is none. */
export function readUsage(value: unknown): Usage | null {
  const usage = membersOf(value)
  if (usage === null) return null
  const input = membersOf(usage['prompt_tokens_details'])
  const output = membersOf(usage['completion_tokens_details'])
  const inputTokens = countOf(usage['prompt_tokens']) ?? 0
  const cached =
    countOf(input?.['cached_tokens']) ??
    countOf(usage['prompt_cache_hit_tokens']) ??
    countOf(usage['cached_tokens']) ??
    countOf(usage['cache_read_input_tokens']) ??
    0
  const cacheReadTokens = Math.min(cached, inputTokens)
  return {
    inputTokens,
    cacheReadTokens,
    cacheWriteTokens: Math.min(countOf(input?.['cache_write_tokens']) ?? 0, inputTokens - cacheReadTokens),
    cacheWriteLongTokens: null,
    outputTokens: countOf(usage['completion_tokens']) ?? 0,
    reasoningTokens: countOf(output?.['reasoning_tokens']),
    audioInputTokens: countOf(input?.['audio_tokens']),
    audioOutputTokens: countOf(output?.['audio_tokens']),
    estimated: false,
  }
}

export function usageJson(usage: Usage): string {
  const out = new JsonOut()
  out.object().member('prompt_tokens', usage.inputTokens).member('completion_tokens', usage.outputTokens)
  out.member('total_tokens', usage.inputTokens + usage.outputTokens)
  out.key('prompt_tokens_details').object().member('cached_tokens', usage.cacheReadTokens)
  if (usage.cacheWriteTokens > 0) out.member('cache_write_tokens', usage.cacheWriteTokens)
  out.memberIf('audio_tokens', usage.audioInputTokens).endObject()
  if (usage.reasoningTokens !== null || usage.audioOutputTokens !== null) {
    out.key('completion_tokens_details').object()
    out.memberIf('reasoning_tokens', usage.reasoningTokens).memberIf('audio_tokens', usage.audioOutputTokens)
    out.endObject()
  }
  return out.endObject().text
}

/** Log probabilities of one choice or delta, as this dialect prints them. */
export function logprobsJson(tokens: readonly TokenLogprob[]): string {
  const out = new JsonOut()
  out.object()
  for (const refusal of [false, true]) {
    const some = tokens.filter(token => token.refusal === refusal)
    out.key(refusal ? 'refusal' : 'content')
    if (some.length === 0) {
      out.value(null)
      continue
    }
    out.array()
    for (const token of some) {
      writeToken(out, token).key('top_logprobs').array()
      for (const top of token.top) writeToken(out, top).endObject()
      out.endArray().endObject()
    }
    out.endArray()
  }
  return out.endObject().text
}

function writeToken(out: JsonOut, token: { readonly token: string; readonly logprob: number }): JsonOut {
  const bytes = Array.from(new TextEncoder().encode(token.token))
  return out
    .object()
    .member('token', token.token)
    .member('logprob', token.logprob)
    .memberRaw('bytes', JSON.stringify(bytes))
}

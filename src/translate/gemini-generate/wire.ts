// Words of generateContent: the members we know, the finish reasons, usage, the order of a stream.

import { countOf, listOf, type Members, membersOf } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { GrammarTable } from '../grammar.ts'
import type { ServiceTier } from '../prompt.ts'
import type { Finish, StopReason } from '../turn.ts'
import type { Usage } from '../usage.ts'
import { both } from './spelling.ts'
import { wordTable } from '../word-table.ts'

/** `model` stands in the path; clients that repeat it in the body say nothing new. */
export const BODY_MEMBERS = both([
  'model',
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'safetySettings',
  'modelArmorConfig',
  'generationConfig',
  'cachedContent',
  'labels',
  'serviceTier',
  'store',
  'continuationToken',
])

export const CONFIG_MEMBERS = both([
  'temperature',
  'topP',
  'topK',
  'candidateCount',
  'maxOutputTokens',
  'stopSequences',
  'presencePenalty',
  'frequencyPenalty',
  'seed',
  'responseLogprobs',
  'logprobs',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'thinkingConfig',
  'responseModalities',
])

export const THINKING_MEMBERS = both(['includeThoughts', 'thinkingBudget', 'thinkingLevel'])

export const CONTENT_MEMBERS = both(['role', 'parts'])

/** Members that say what a part is, and those beside them that we understand. */
export const PART_MEMBERS = both([
  'text',
  'thought',
  'thoughtSignature',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'mediaResolution',
])

export const DECLARATION_MEMBERS = both(['name', 'description', 'parameters', 'parametersJsonSchema'])

export const TIERS: Readonly<Record<string, ServiceTier>> = wordTable({
  unspecified: 'auto',
  standard: 'standard',
  flex: 'flex',
  priority: 'fast',
})

export const TIER_WORDS: Readonly<Record<ServiceTier, string>> = {
  auto: 'unspecified',
  standard: 'standard',
  flex: 'flex',
  fast: 'priority',
  faster: 'priority',
  scale: 'priority',
  reserved: 'priority',
}

/** The value that the reference names for calls whose signature is not known, such as those of another model. */
export const UNKNOWN_SIGNATURE = 'skip_thought_signature_validator'

/** In place of a call's id: the signature belongs to the text of the answer. */
export const SIGNED_TEXT = 'text'

/**
 * Ids of calls that came without one. Results name their tool here, so an id is made for the dialects that need
 * one, told by its form, and left out again when the call goes back.
 */
export const MADE_ID_PREFIX = 'call_g'
export const MADE_ID_DIGITS = 24
const MADE_ID = /^call_g[0-9a-f]{24}$/

export function isMadeId(id: string): boolean {
  return MADE_ID.test(id)
}

const REASONS: Readonly<Record<string, StopReason>> = wordTable({
  STOP: 'stop',
  MAX_TOKENS: 'length',
  CONTINUATION: 'continuation',
  SAFETY: 'filter',
  RECITATION: 'filter',
  LANGUAGE: 'filter',
  BLOCKLIST: 'filter',
  PROHIBITED_CONTENT: 'filter',
  SPII: 'filter',
  IMAGE_SAFETY: 'filter',
  IMAGE_PROHIBITED_CONTENT: 'filter',
  IMAGE_RECITATION: 'filter',
  MALFORMED_FUNCTION_CALL: 'malformed-call',
  UNEXPECTED_TOOL_CALL: 'malformed-call',
  TOO_MANY_TOOL_CALLS: 'malformed-call',
  MALFORMED_RESPONSE: 'malformed-call',
  NO_IMAGE: 'other',
  IMAGE_OTHER: 'other',
  OTHER: 'other',
})

/** Said in chunks that do not finish by servers that print default values. */
export const UNSPECIFIED = 'FINISH_REASON_UNSPECIFIED'

/** What ended a candidate. Unknown words are new reasons, which are not a natural end. */
export function finishOf(word: string | null, explanation: string | null): Finish {
  const reason = word === null ? 'stop' : (REASONS[word] ?? 'other')
  const detail = explanation === null ? null : { category: null, explanation }
  return { reason, stopText: null, detail, word }
}

export function finishWord(finish: Finish): string {
  switch (finish.reason) {
    case 'length':
    case 'context-window':
    // The official client asks again by itself when it reads CONTINUATION: only this vendor can mean it.
    case 'continuation':
      return 'MAX_TOKENS'
    case 'filter':
      return 'SAFETY'
    case 'refusal':
      return finish.detail === null ? 'STOP' : 'SAFETY'
    case 'malformed-call':
      return 'MALFORMED_FUNCTION_CALL'
    case 'other':
      return 'OTHER'
    default:
      return 'STOP'
  }
}

/** Counts as this dialect tells them: thoughts beside the output, tool results beside the prompt. */
export function readUsage(value: unknown): Usage | null {
  const usage = membersOf(value)
  if (usage === null) return null
  const inputTokens =
    (countOf(usage['promptTokenCount']) ?? 0) + (countOf(usage['toolUsePromptTokenCount']) ?? 0)
  const thoughts = countOf(usage['thoughtsTokenCount'])
  const pictures = modalityTokens(usage, 'candidatesTokensDetails', 'IMAGE')
  return {
    inputTokens,
    cacheReadTokens: Math.min(countOf(usage['cachedContentTokenCount']) ?? 0, inputTokens),
    cacheWriteTokens: 0,
    cacheWriteLongTokens: null,
    outputTokens: (countOf(usage['candidatesTokenCount']) ?? 0) + (thoughts ?? 0),
    reasoningTokens: thoughts,
    audioInputTokens: modalityTokens(usage, 'promptTokensDetails', 'AUDIO'),
    audioOutputTokens: modalityTokens(usage, 'candidatesTokensDetails', 'AUDIO'),
    ...(pictures === null ? {} : { imageOutputTokens: pictures }),
    estimated: false,
  }
}

function modalityTokens(usage: Members, name: string, modality: string): number | null {
  let tokens: number | null = null
  for (const entry of listOf(usage[name])) {
    const members = membersOf(entry)
    if (members?.['modality'] === modality) tokens = (tokens ?? 0) + (countOf(members['tokenCount']) ?? 0)
  }
  return tokens
}

/** Clients want the members also when the upstream told nothing. */
export function usageJson(usage: Usage | null): string {
  if (usage === null) return '{"promptTokenCount":0,"candidatesTokenCount":0,"totalTokenCount":0}'
  const thoughts = Math.min(usage.reasoningTokens ?? 0, usage.outputTokens)
  const out = new JsonOut().object().member('promptTokenCount', usage.inputTokens)
  if (usage.cacheReadTokens > 0) out.member('cachedContentTokenCount', usage.cacheReadTokens)
  out.member('candidatesTokenCount', usage.outputTokens - thoughts)
  if (usage.reasoningTokens !== null) out.member('thoughtsTokenCount', thoughts)
  out.member('totalTokenCount', usage.inputTokens + usage.outputTokens)
  writeAudio(out, 'promptTokensDetails', usage.audioInputTokens)
  writeAudio(out, 'candidatesTokensDetails', usage.audioOutputTokens)
  return out.endObject().text
}

function writeAudio(out: JsonOut, name: string, tokens: number | null): void {
  if (tokens !== null) out.memberRaw(name, `[{"modality":"AUDIO","tokenCount":${tokens}}]`)
}

export type GeminiState = 'idle' | 'open' | 'finished' | 'done'
export type GeminiSymbol = 'content' | 'finish' | 'done'

/**
 * Order of a stream. There is no last event: the body may end once every candidate that began has said why it
 * finished, or the prompt was blocked. Older models repeat their finish reason with every chunk, so content may
 * follow it. A chunk without candidates is no step.
 */
export const GEMINI_GRAMMAR: GrammarTable<GeminiState, GeminiSymbol> = {
  idle: { content: 'open', finish: 'finished' },
  open: { content: 'open', finish: 'finished' },
  finished: { content: 'open', finish: 'finished', done: 'done' },
  done: {},
}

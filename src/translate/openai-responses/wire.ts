// Words of Responses: the members we know, what a status means, usage both ways, the order of a stream.

import { countOf, type Members, membersOf, textOf } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { GrammarTable } from '../grammar.ts'
import type { ServiceTier } from '../prompt.ts'
import { type Finish, finish, type StopReason, type TokenLogprob } from '../turn.ts'
import type { Usage } from '../usage.ts'

export const BODY_MEMBERS: ReadonlySet<string> = new Set([
  'model',
  'input',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'temperature',
  'top_p',
  'top_logprobs',
  'reasoning',
  'text',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'include',
  'store',
  'background',
  'previous_response_id',
  'conversation',
  'prompt',
  'truncation',
  'context_management',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'service_tier',
  'safety_identifier',
  'user',
  'metadata',
  'moderation',
  'access_programs',
  'image',
  'stream',
  'stream_options',
])

export const REASONING_MEMBERS: ReadonlySet<string> = new Set(['effort', 'summary', 'generate_summary'])
export const TEXT_MEMBERS: ReadonlySet<string> = new Set(['format', 'verbosity'])

/** Members of items that are read, or that say nothing to anyone but the host that made the item. */
export const ITEM_MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'id',
  'status',
  'role',
  'content',
  'phase',
  'call_id',
  'name',
  'namespace',
  'arguments',
  'input',
  'output',
  'summary',
  'encrypted_content',
])

export const PART_MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'text',
  'annotations',
  'logprobs',
  'refusal',
  'image_url',
  'detail',
  'file_id',
  'file_data',
  'file_url',
  'filename',
  'input_audio',
  'prompt_cache_breakpoint',
])

export const TOOL_MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'name',
  'description',
  'parameters',
  'strict',
  'format',
])

/** Members of a request that its reply repeats. */
export const ECHO_MEMBERS = [
  'background',
  'conversation',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'parallel_tool_calls',
  'previous_response_id',
  'prompt',
  'prompt_cache_key',
  'reasoning',
  'safety_identifier',
  'store',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
] as const

export const ENCRYPTED_REASONING = 'reasoning.encrypted_content'
export const TEXT_LOGPROBS = 'message.output_text.logprobs'

export const TIERS: ReadonlyMap<string, ServiceTier> = new Map([
  ['auto', 'auto'],
  ['default', 'standard'],
  ['flex', 'flex'],
  ['scale', 'scale'],
  ['priority', 'fast'],
  ['fast', 'fast'],
  ['ultrafast', 'faster'],
])

export const TIER_WORDS: Readonly<Record<ServiceTier, string>> = {
  auto: 'auto',
  standard: 'default',
  flex: 'flex',
  scale: 'scale',
  fast: 'priority',
  faster: 'ultrafast',
  reserved: 'scale',
}

/**
 * Start of the id of a reasoning item that no host issued. It carries the mark of our envelopes, so that a body
 * that brings such an item back is never relayed: its id would be looked up at a vendor that does not know it.
 */
export const OWN_REASONING_ID = 'rs_gw1.'

/** What ended a reply, from its status and its content: the dialect has no finish reason. */
export function finishOf(response: Members, called: boolean, refused: boolean): Finish {
  const status = textOf(response['status'])
  if (status !== 'incomplete') {
    return finish(called ? 'calls' : refused ? 'refusal' : 'stop', status === '' ? 'completed' : status)
  }
  const word = textOf(membersOf(response['incomplete_details'])?.['reason'])
  return finish(word === '' ? 'pause' : (INCOMPLETE.get(word) ?? 'other'), word === '' ? status : word)
}

const INCOMPLETE: ReadonlyMap<string, StopReason> = new Map([
  ['max_output_tokens', 'length'],
  ['content_filter', 'filter'],
])

export type EndStatus = 'completed' | 'incomplete' | 'failed'

export interface Ending {
  readonly status: EndStatus
  /** `incomplete_details.reason`, or null when there is none. */
  readonly reason: string | null
}

const COMPLETED: Ending = { status: 'completed', reason: null }
const TOO_LONG: Ending = { status: 'incomplete', reason: 'max_output_tokens' }
const FILTERED: Ending = { status: 'incomplete', reason: 'content_filter' }

export function endingOf(finish: Finish): Ending {
  switch (finish.reason) {
    case 'length':
    case 'context-window':
    case 'continuation':
      return TOO_LONG
    case 'filter':
      return FILTERED
    case 'refusal':
      return finish.detail === null ? COMPLETED : FILTERED
    case 'pause':
      return { status: 'incomplete', reason: null }
    case 'malformed-call':
      return { status: 'failed', reason: null }
    default:
      return COMPLETED
  }
}

export type StreamState = 'idle' | 'open' | 'done'
export type StreamSymbol = 'created' | 'progress' | 'item_added' | 'item' | 'end' | 'failed'

/** Order of a stream. Every item is `item_added` before any other event names it; `end` comes once and last. */
export const STREAM_GRAMMAR: GrammarTable<StreamState, StreamSymbol> = {
  idle: { created: 'open', failed: 'done' },
  open: { progress: 'open', item_added: 'open', item: 'open', end: 'done', failed: 'done' },
  done: {},
}

export type ItemState = 'message' | 'part' | 'said' | 'reasoning' | 'call' | 'called' | 'hosted' | 'done'
export type ItemSymbol = 'part_added' | 'delta' | 'said' | 'part_done' | 'item_done'

/**
 * Order inside one item; its first state is its kind. Messages have one content part open at a time; hosts leave
 * the part events of reasoning out. Items run side by side.
 */
export const ITEM_GRAMMAR: GrammarTable<ItemState, ItemSymbol> = {
  message: { part_added: 'part', item_done: 'done' },
  part: { delta: 'part', said: 'said', part_done: 'message' },
  said: { part_done: 'message' },
  reasoning: {
    part_added: 'reasoning',
    delta: 'reasoning',
    said: 'reasoning',
    part_done: 'reasoning',
    item_done: 'done',
  },
  call: { delta: 'call', said: 'called', item_done: 'done' },
  called: { item_done: 'done' },
  hosted: { delta: 'hosted', said: 'hosted', part_added: 'hosted', part_done: 'hosted', item_done: 'done' },
  done: {},
}

/** Null when there is none. */
export function readUsage(value: unknown): Usage | null {
  const usage = membersOf(value)
  if (usage === null) return null
  const input = membersOf(usage['input_tokens_details'])
  const inputTokens = countOf(usage['input_tokens']) ?? 0
  const cacheReadTokens = Math.min(countOf(input?.['cached_tokens']) ?? 0, inputTokens)
  const long = countOf(membersOf(input?.['cache_write_tokens_details'])?.['ttl_12h_tokens'])
  return {
    inputTokens,
    cacheReadTokens,
    cacheWriteTokens: Math.min(countOf(input?.['cache_write_tokens']) ?? 0, inputTokens - cacheReadTokens),
    cacheWriteLongTokens: long,
    outputTokens: countOf(usage['output_tokens']) ?? 0,
    reasoningTokens: countOf(membersOf(usage['output_tokens_details'])?.['reasoning_tokens']),
    audioInputTokens: null,
    audioOutputTokens: null,
    estimated: false,
  }
}

/** Clients want every member, also when the upstream told nothing. */
export function usageJson(usage: Usage | null): string {
  const inputTokens = usage?.inputTokens ?? 0
  const outputTokens = usage?.outputTokens ?? 0
  const out = new JsonOut().object().member('input_tokens', inputTokens).key('input_tokens_details').object()
  out.member('cached_tokens', usage?.cacheReadTokens ?? 0)
  if (usage !== null && usage.cacheWriteTokens > 0) {
    out.member('cache_write_tokens', usage.cacheWriteTokens)
    const long = usage.cacheWriteLongTokens
    if (long !== null) {
      out.key('cache_write_tokens_details').object()
      out.member('ttl_30m_tokens', Math.max(0, usage.cacheWriteTokens - long))
      out.member('ttl_12h_tokens', long).endObject()
    }
  }
  out.endObject().member('output_tokens', outputTokens).key('output_tokens_details').object()
  out.member('reasoning_tokens', usage?.reasoningTokens ?? 0).endObject()
  return out.member('total_tokens', inputTokens + outputTokens).endObject().text
}

const encoder = new TextEncoder()

/** Log probabilities as a list. Finished parts tell the bytes of each token, deltas do not. */
export function logprobsJson(tokens: readonly TokenLogprob[], bytes: boolean): string {
  const out = new JsonOut().array()
  for (const token of tokens) {
    writeToken(out, token, bytes).key('top_logprobs').array()
    for (const top of token.top) writeToken(out, top, bytes).endObject()
    out.endArray().endObject()
  }
  return out.endArray().text
}

function writeToken(
  out: JsonOut,
  token: { readonly token: string; readonly logprob: number },
  bytes: boolean,
): JsonOut {
  out.object().member('token', token.token).member('logprob', token.logprob)
  if (bytes) out.memberRaw('bytes', JSON.stringify(Array.from(encoder.encode(token.token))))
  return out
}

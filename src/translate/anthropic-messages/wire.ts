// Words of Messages: the members we know, the stop reasons, usage, the order of a stream.

import { countOf, type Members, membersOf } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { GrammarTable } from '../grammar.ts'
import type { CacheMark } from '../prompt.ts'
import type { Finish, StopReason } from '../turn.ts'
import type { Usage } from '../usage.ts'
import { wordTable } from '../word-table.ts'

export const BODY_MEMBERS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'max_tokens',
  'system',
  'stop_sequences',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'thinking',
  'output_config',
  'output_format',
  'tools',
  'tool_choice',
  'cache_control',
  'metadata',
  'service_tier',
])

export const MESSAGE_MEMBERS: ReadonlySet<string> = new Set(['role', 'content'])

export const BLOCK_MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'text',
  'citations',
  'cache_control',
  'source',
  'title',
  'context',
  'content',
  'thinking',
  'signature',
  'data',
  'id',
  'name',
  'input',
  'tool_use_id',
  'is_error',
])

export const TOOL_MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'name',
  'description',
  'input_schema',
  'strict',
  'cache_control',
])

/** Built-in tools that the client runs, by the start of their type. The others run at the vendor. */
export const CLIENT_TOOLS = ['bash_', 'text_editor_', 'memory_', 'computer_', 'browser_toolset_'] as const

const REASONS: Readonly<Record<string, StopReason>> = wordTable({
  end_turn: 'stop',
  stop_sequence: 'stop-text',
  max_tokens: 'length',
  tool_use: 'calls',
  pause_turn: 'pause',
  refusal: 'refusal',
  model_context_window_exceeded: 'context-window',
})

/** What ended a reply. Unknown words mean a natural end. A refusal here is always a classifier's. */
export function finishOf(word: string | null, stopText: string | null, details: Members | null): Finish {
  const reason = word === null ? 'stop' : (REASONS[word] ?? 'stop')
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
  const detail =
    reason === 'refusal'
      ? { category: text(details?.['category']), explanation: text(details?.['explanation']) }
      : null
  return { reason, stopText, detail, word }
}

export function stopWord(finish: Finish): string {
  switch (finish.reason) {
    case 'stop-text':
      // Some models do not tell which text it was.
      return 'stop_sequence'
    case 'calls':
      return 'tool_use'
    case 'length':
    case 'continuation':
      return 'max_tokens'
    case 'context-window':
      return 'model_context_window_exceeded'
    case 'filter':
    case 'refusal':
      return 'refusal'
    case 'pause':
      return 'pause_turn'
    default:
      return 'end_turn'
  }
}

/** The members that tell why a reply ended, without braces. */
export function stopMembers(out: JsonOut, finish: Finish): void {
  const word = stopWord(finish)
  out.member('stop_reason', word).member('stop_sequence', word === 'stop_sequence' ? finish.stopText : null)
  if (word !== 'refusal') return
  out.key('stop_details').object().member('type', 'refusal')
  out.member('category', finish.detail?.category ?? null)
  out.member('explanation', finish.detail?.explanation ?? null).endObject()
}

/** Counts as this dialect tells them, possibly in pieces: later members overwrite earlier ones, never add. */
export class UsageCounts {
  private input = 0
  private read = 0
  private write = 0
  private writeLong: number | null = null
  private output = 0
  private thinking: number | null = null
  told = false

  merge(usage: Members): void {
    this.told = true
    this.input = countOf(usage['input_tokens']) ?? this.input
    this.read = countOf(usage['cache_read_input_tokens']) ?? this.read
    this.write = countOf(usage['cache_creation_input_tokens']) ?? this.write
    this.writeLong =
      countOf(membersOf(usage['cache_creation'])?.['ephemeral_1h_input_tokens']) ?? this.writeLong
    this.output = countOf(usage['output_tokens']) ?? this.output
    this.thinking = countOf(membersOf(usage['output_tokens_details'])?.['thinking_tokens']) ?? this.thinking
  }

  get usage(): Usage {
    return {
      inputTokens: this.input + this.read + this.write,
      cacheReadTokens: this.read,
      cacheWriteTokens: this.write,
      cacheWriteLongTokens: this.writeLong,
      outputTokens: this.output,
      reasoningTokens: this.thinking,
      audioInputTokens: null,
      audioOutputTokens: null,
      estimated: false,
    }
  }
}

export function usageJson(usage: Usage | null): string {
  const out = new JsonOut().object()
  if (usage === null) return out.member('input_tokens', 0).member('output_tokens', 0).endObject().text
  const uncached = Math.max(0, usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens)
  out.member('input_tokens', uncached).member('output_tokens', usage.outputTokens)
  out.member('cache_read_input_tokens', usage.cacheReadTokens)
  out.member('cache_creation_input_tokens', usage.cacheWriteTokens)
  if (usage.cacheWriteLongTokens !== null) {
    out.key('cache_creation').object()
    out.member('ephemeral_5m_input_tokens', Math.max(0, usage.cacheWriteTokens - usage.cacheWriteLongTokens))
    out.member('ephemeral_1h_input_tokens', usage.cacheWriteLongTokens).endObject()
  }
  if (usage.reasoningTokens !== null) {
    out.key('output_tokens_details').object().member('thinking_tokens', usage.reasoningTokens).endObject()
  }
  return out.endObject().text
}

/** A cache mark as this dialect spells it. */
export function cacheControl(mark: CacheMark): string {
  return mark === 'long' ? '{"type":"ephemeral","ttl":"1h"}' : '{"type":"ephemeral"}'
}

export type MessagesState = 'idle' | 'between' | 'block' | 'ending' | 'done'
export type MessagesSymbol =
  | 'message_start'
  | 'block_start'
  | 'block_delta'
  | 'block_stop'
  | 'message_delta'
  | 'message_stop'

/** Order of a stream: one block open at a time; at least one `message_delta`; `ping` and unknown events anywhere. */
export const MESSAGES_GRAMMAR: GrammarTable<MessagesState, MessagesSymbol> = {
  idle: { message_start: 'between' },
  between: { block_start: 'block', message_delta: 'ending' },
  block: { block_delta: 'block', block_stop: 'between' },
  ending: { message_delta: 'ending', message_stop: 'done' },
  done: {},
}

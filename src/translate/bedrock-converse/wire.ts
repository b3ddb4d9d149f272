// Words of Converse: the members we know, formats of media, the stop reasons, usage, the order of a stream.

import { countOf, listOf, type Members, membersOf } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { GrammarTable } from '../grammar.ts'
import type { CacheMark, Extra, MediaKind, Prompt, ServiceTier } from '../prompt.ts'
import type { Finish, StopReason } from '../turn.ts'
import type { Usage } from '../usage.ts'
import { wordTable } from '../word-table.ts'

export const BODY_MEMBERS: ReadonlySet<string> = new Set([
  'messages',
  'system',
  'inferenceConfig',
  'toolConfig',
  'outputConfig',
  'additionalModelRequestFields',
  'guardrailConfig',
  'requestMetadata',
  'serviceTier',
])

export const MESSAGE_MEMBERS: ReadonlySet<string> = new Set(['role', 'content'])
export const INFERENCE_MEMBERS: ReadonlySet<string> = new Set([
  'maxTokens',
  'temperature',
  'topP',
  'stopSequences',
])
export const TOOL_CONFIG_MEMBERS: ReadonlySet<string> = new Set(['tools', 'toolChoice'])
export const TOOL_MEMBERS: ReadonlySet<string> = new Set(['name', 'description', 'inputSchema', 'strict'])
/** A tool of which nothing has been said yet. */
export const BARE_TOOL = {
  namespace: null,
  description: null,
  schema: null,
  schemaForm: 'json-schema',
  strict: null,
  grammar: null,
  hosted: null,
  cache: null,
  extra: [],
} as const

export const OUTPUT_MEMBERS: ReadonlySet<string> = new Set(['textFormat', 'effort'])

/** The member in which vendors' own fields stand. */
export const VENDOR_FIELDS = 'additionalModelRequestFields'
/** Which members of the model's own reply shall be repeated; `/stop_sequence` is the one we understand. */
export const RESPONSE_PATHS = 'additionalModelResponseFieldPaths'
export const STOP_SEQUENCE_PATH = '/stop_sequence'

/** Members whose own members are kept as `<member>/<name>`, which is also their pointer. */
export const NESTED_MEMBERS = ['inferenceConfig', 'toolConfig', 'outputConfig', VENDOR_FIELDS] as const
export type NestedMember = (typeof NESTED_MEMBERS)[number]

/** What a Converse client said and the pivot has no place for. `member` null: beside the nested members. */
export function ownMembers(prompt: Prompt, member: NestedMember | null): Extra[] {
  if (prompt.dialect !== 'bedrock-converse') return []
  const all = [...prompt.vendorWishes, ...prompt.extra]
  if (member !== null) {
    const prefix = `${member}/`
    return all
      .filter(extra => extra.name.startsWith(prefix))
      .map(extra => ({ name: extra.name.slice(prefix.length), json: extra.json }))
  }
  const nested = (name: string): boolean => NESTED_MEMBERS.some(known => name.startsWith(`${known}/`))
  return all.filter(extra => extra.name !== RESPONSE_PATHS && !nested(extra.name))
}

/** Writes an object that has been begun, unless nothing stands in it. */
export function memberUnlessEmpty(out: JsonOut, name: NestedMember, made: JsonOut): void {
  const json = made.endObject().text
  if (json !== '{}') out.memberRaw(name, json)
}

/** Formats by media type. Where several types name one format, the first gives the type of the way back. */
const FORMATS: Readonly<Record<MediaKind, readonly (readonly [format: string, ...mimes: string[]])[]>> = {
  image: [
    ['png', 'image/png'],
    ['jpeg', 'image/jpeg'],
    ['gif', 'image/gif'],
    ['webp', 'image/webp'],
  ],
  document: [
    ['pdf', 'application/pdf'],
    ['csv', 'text/csv'],
    ['doc', 'application/msword'],
    ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ['xls', 'application/vnd.ms-excel'],
    ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    ['html', 'text/html'],
    ['txt', 'text/plain', 'application/json'],
    ['md', 'text/markdown'],
  ],
  audio: [
    ['mp3', 'audio/mpeg', 'audio/mp3'],
    ['wav', 'audio/wav', 'audio/x-wav'],
    ['aac', 'audio/aac'],
    ['flac', 'audio/flac'],
    ['m4a', 'audio/m4a', 'audio/x-m4a'],
    ['mp4', 'audio/mp4'],
    ['ogg', 'audio/ogg'],
    ['opus', 'audio/opus'],
    ['pcm', 'audio/pcm', 'audio/l16'],
    ['webm', 'audio/webm'],
    ['mka', 'audio/x-matroska'],
  ],
  video: [
    ['mp4', 'video/mp4'],
    ['mov', 'video/quicktime'],
    ['mkv', 'video/x-matroska'],
    ['webm', 'video/webm'],
    ['flv', 'video/x-flv'],
    ['mpeg', 'video/mpeg'],
    ['mpg', 'video/mpg'],
    ['wmv', 'video/x-ms-wmv'],
    ['three_gp', 'video/3gpp'],
  ],
}

/** Formats of one kind, for messages. */
export function formatsOf(media: MediaKind): string {
  return FORMATS[media].map(([format]) => format).join(', ')
}

/** The format for a media type; any text is `txt`. Null when this dialect cannot name it. */
export function formatOfMime(media: MediaKind, mime: string | null): string | null {
  if (mime === null) return null
  const known = FORMATS[media].find(([, ...mimes]) => mimes.includes(mime))
  if (known !== undefined) return known[0]
  return media === 'document' && mime.startsWith('text/') ? 'txt' : null
}

/** The media type of a format. A format we do not know keeps its own name behind the kind. */
export function mimeOfFormat(media: MediaKind, format: string): string {
  const known = FORMATS[media].find(([name]) => name === format)
  return known?.[1] ?? `${media === 'document' ? 'application' : media}/${format}`
}

export function cachePoint(mark: CacheMark): string {
  return mark === 'long'
    ? '{"cachePoint":{"type":"default","ttl":"1h"}}'
    : '{"cachePoint":{"type":"default"}}'
}

export const TIERS: Readonly<Record<string, ServiceTier>> = wordTable({
  default: 'standard',
  flex: 'flex',
  priority: 'fast',
  reserved: 'reserved',
})

const REASONS: Readonly<Record<string, StopReason>> = wordTable({
  end_turn: 'stop',
  stop_sequence: 'stop-text',
  max_tokens: 'length',
  tool_use: 'calls',
  guardrail_intervened: 'filter',
  content_filtered: 'filter',
  malformed_model_output: 'malformed-call',
  malformed_tool_use: 'malformed-call',
  model_context_window_exceeded: 'context-window',
})

/** What ended a reply. Unknown words mean a natural end. `fields` may tell which stop text matched. */
export function finishOf(word: string | null, fields: Members | null): Finish {
  const reason = word === null ? 'stop' : (REASONS[word] ?? 'stop')
  const stopText = fields?.['stop_sequence']
  return {
    reason,
    stopText: reason === 'stop-text' && typeof stopText === 'string' ? stopText : null,
    detail: null,
    word,
  }
}

/** The word for a finish: the upstream's own where it is one of this dialect and still true. */
export function stopWord(finish: Finish): string {
  if (finish.word !== null && REASONS[finish.word] === finish.reason) return finish.word
  switch (finish.reason) {
    case 'stop-text':
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
      return 'content_filtered'
    case 'malformed-call':
      return 'malformed_tool_use'
    default:
      return 'end_turn'
  }
}

/** Counts as Converse tells them: its input excludes what a cache gave or took. Its own total is not used. */
export function readUsage(value: unknown): Usage | null {
  const usage = membersOf(value)
  if (usage === null) return null
  const read = countOf(usage['cacheReadInputTokens']) ?? 0
  const write = countOf(usage['cacheWriteInputTokens']) ?? 0
  let long: number | null = null
  for (const detail of listOf(usage['cacheDetails'])) {
    const members = membersOf(detail)
    if (members?.['ttl'] === '1h') long = (long ?? 0) + (countOf(members['inputTokens']) ?? 0)
    else long ??= 0
  }
  return {
    inputTokens: (countOf(usage['inputTokens']) ?? 0) + read + write,
    cacheReadTokens: read,
    cacheWriteTokens: write,
    cacheWriteLongTokens: long === null ? null : Math.min(long, write),
    outputTokens: countOf(usage['outputTokens']) ?? 0,
    reasoningTokens: null,
    audioInputTokens: null,
    audioOutputTokens: null,
    estimated: false,
  }
}

/** Clients want the member in every reply: zeros when the upstream told nothing. */
export function usageJson(usage: Usage | null): string {
  const out = new JsonOut().object()
  if (usage === null) {
    return out.member('inputTokens', 0).member('outputTokens', 0).member('totalTokens', 0).endObject().text
  }
  const { cacheReadTokens: read, cacheWriteTokens: write, cacheWriteLongTokens: long } = usage
  out.member('inputTokens', Math.max(0, usage.inputTokens - read - write))
  out.member('outputTokens', usage.outputTokens)
  out.member('totalTokens', usage.inputTokens + usage.outputTokens)
  out.member('cacheReadInputTokens', read).member('cacheWriteInputTokens', write)
  if (long !== null && write > 0) {
    out.key('cacheDetails').array()
    if (long > 0) out.object().member('ttl', '1h').member('inputTokens', long).endObject()
    if (write > long)
      out
        .object()
        .member('ttl', '5m')
        .member('inputTokens', write - long)
        .endObject()
    out.endArray()
  }
  return out.endObject().text
}

/** Members of a reply that only this dialect has: shown again to its own clients. */
export const REPLY_EXTRAS = [
  'metrics',
  'additionalModelResponseFields',
  'trace',
  'performanceConfig',
  'serviceTier',
] as const
export type ReplyExtra = (typeof REPLY_EXTRAS)[number]

export type ConverseState = 'idle' | 'between' | 'block' | 'stopped' | 'done'
export type ConverseSymbol =
  | 'messageStart'
  | 'contentBlockStart'
  | 'contentBlockDelta'
  | 'contentBlockStop'
  | 'messageStop'
  | 'metadata'

/**
 * Order of a stream: one block open at a time. Only calls, results of hosted tools and images announce their block;
 * text and reasoning begin with their first delta, so that an empty text block is a stop alone.
 */
export const CONVERSE_GRAMMAR: GrammarTable<ConverseState, ConverseSymbol> = {
  idle: { messageStart: 'between' },
  between: {
    contentBlockStart: 'block',
    contentBlockDelta: 'block',
    contentBlockStop: 'between',
    messageStop: 'stopped',
  },
  block: { contentBlockDelta: 'block', contentBlockStop: 'between' },
  stopped: { metadata: 'done' },
  done: {},
}

// Marks for prompt caches in prompts that have none, where a vendor caches only what is marked. Off unless the provider
// says `cache_marks: true`; a caller's `x-plano-cache: off` wins. Owns where the marks go; every other byte of the body
// stays. Facts: `translation` specification, section 2.7.

import type { ProviderPlan } from '../common/config/plan.ts'
import {
  type DialectId,
  elementRanges,
  insertMember,
  memberRanges,
  type NamedRange,
  spliceBytes,
  type ValueRange,
} from '../translate/index.ts'
import { isClaude } from './paths.ts'

/** No vendor caches less; a guess at four bytes a token is good enough to leave short prompts alone. */
const TOKENS_MIN = 1_024
const BYTES_PER_TOKEN = 4
/** Marks of five minutes; a longer life costs more and is the caller's to ask for. */
const MARK = '{"type":"ephemeral"}'
const CACHE_POINT = '{"cachePoint":{"type":"default"}}'

type Splice = ReturnType<typeof insertMember>

/** Aggregators that hand marks of Chat bodies on to Claude. */
const CHAT_HOSTS: ReadonlySet<string> = new Set(['digitalocean', 'openrouter', 'edenai'])

/** The body with marks, or the same bytes where none are wanted. `marks` says whether the model caches by marks. */
export function addCacheMarks(
  provider: ProviderPlan,
  model: string,
  dialect: DialectId,
  marks: boolean,
  bytes: Uint8Array,
): Uint8Array {
  if (provider.cacheMarks !== true || !marks || bytes.length < TOKENS_MIN * BYTES_PER_TOKEN) return bytes
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (text.includes('"cache_control"') || text.includes('"cachePoint"')) return bytes
  const members = new Map(memberRanges(bytes).map(member => [member.name, member]))
  switch (dialect) {
    case 'anthropic-messages':
      return spliceBytes(bytes, [...systemMark(bytes, members), ...lastMessageMark(bytes, members)])
    case 'openai-chat':
      if (!CHAT_HOSTS.has(provider.provider) || !isClaude(model)) return bytes
      return spliceBytes(bytes, firstMessageMark(bytes, members))
    case 'bedrock-converse':
      return spliceBytes(bytes, converseMarks(bytes, members))
    default:
      return bytes
  }
}

type Members = ReadonlyMap<string, NamedRange>

function systemMark(bytes: Uint8Array, members: Members): Splice[] {
  const system = members.get('system')
  const marked = system === undefined ? [] : contentMark(bytes, system)
  if (marked.length > 0) return marked
  const tool = members.has('tools') ? elementRanges(bytes, members.get('tools')!.from).at(-1) : undefined
  return tool === undefined ? [] : [insertMember(bytes, tool, `"cache_control":${MARK}`)]
}

function lastMessageMark(bytes: Uint8Array, members: Members): Splice[] {
  const message = members.has('messages')
    ? elementRanges(bytes, members.get('messages')!.from).at(-1)
    : undefined
  if (message === undefined) return []
  const content = memberRanges(bytes, message.from).find(member => member.name === 'content')
  return content === undefined ? [] : contentMark(bytes, content)
}

/** The first system message, else the first message. */
function firstMessageMark(bytes: Uint8Array, members: Members): Splice[] {
  const messages = members.has('messages') ? elementRanges(bytes, members.get('messages')!.from) : []
  const read = messages.map(message => new Map(memberRanges(bytes, message.from).map(one => [one.name, one])))
  const isSystem = (message: Members): boolean =>
    /^"(?:system|developer)"$/.test(textOf(bytes, message.get('role') ?? null))
  const content = (read.find(isSystem) ?? read[0])?.get('content')
  return content === undefined ? [] : contentMark(bytes, content)
}

/** Marks the last part; a text becomes a part first. Empty text and thinking are never marked. */
function contentMark(bytes: Uint8Array, content: ValueRange): Splice[] {
  const { from, to } = content
  if (bytes[from] === 0x22) {
    if (to - from === 2) return []
    const text = `[{"type":"text","text":${textOf(bytes, content)},"cache_control":${MARK}}]`
    return [{ from, to, text }]
  }
  const part = elementRanges(bytes, from).at(-1)
  if (part === undefined) return []
  const members = new Map(memberRanges(bytes, part.from).map(member => [member.name, member]))
  const type = textOf(bytes, members.get('type') ?? null)
  if (/thinking/.test(type) || (type === '"text"' && textOf(bytes, members.get('text') ?? null) === '""'))
    return []
  return [insertMember(bytes, part, `"cache_control":${MARK}`)]
}

/** A cache point is an element of its own behind what it covers. */
function converseMarks(bytes: Uint8Array, members: Members): Splice[] {
  const message = members.has('messages')
    ? elementRanges(bytes, members.get('messages')!.from).at(-1)
    : undefined
  const content =
    message === undefined
      ? undefined
      : memberRanges(bytes, message.from).find(member => member.name === 'content')
  return [members.get('system'), content].flatMap(list => {
    const last = list === undefined ? undefined : elementRanges(bytes, list.from).at(-1)
    return last === undefined ? [] : [{ from: last.to, to: last.to, text: `,${CACHE_POINT}` }]
  })
}

function textOf(bytes: Uint8Array, range: ValueRange | null): string {
  return range === null ? '' : Buffer.from(bytes.subarray(range.from, range.to)).toString('utf8')
}

// Which paths the gateway serves, on which dialect. Owns path matching; refuses to look at bodies.
// Matching is on the normalised path: query and trailing slash are no obstacle, percent-escapes are decoded in
// captured segments only.

import type { DialectId } from '../translate/index.ts'
import { type Forward, FORWARDED, type Method } from './forwarded.ts'

export type Operation =
  | 'generate'
  | 'count-tokens'
  | 'forward'
  | 'embed'
  | 'list-models'
  | 'show-model'
  | 'health'

export interface Endpoint {
  readonly operation: Operation
  /** Allowed methods; HEAD goes with GET. */
  readonly methods: readonly Method[]
  /** As shown in a 404 that lists what exists. */
  readonly pattern: string
  /** Dialect spoken on the path; null where the caller's headers decide (model lists, health). */
  readonly dialect: DialectId | null
  /** Streaming is asked for by the path itself (true, false), or by a member of the body (null). */
  readonly streaming: boolean | null
  /** How it is forwarded, for operations that are. */
  readonly forward: Forward | null
}

export interface EndpointMatch {
  readonly endpoint: Endpoint
  /** Captured model id, decoded, or null when the body names it. */
  readonly model: string | null
}

const CHAT = '/v1/chat/completions'
const RESPONSES = '/v1/responses'
const MESSAGES = '/v1/messages'
const COUNT_TOKENS = '/v1/messages/count_tokens'
const MODELS = '/v1/models'
const GEMINI_MODELS = '/v1beta/models'
const HEALTH = '/healthz'

function post(
  operation: Operation,
  pattern: string,
  dialect: DialectId,
  streaming: boolean | null,
): Endpoint {
  return { operation, methods: ['POST'], pattern, dialect, streaming, forward: null }
}

function get(operation: Operation, pattern: string): Endpoint {
  return { operation, methods: ['GET'], pattern, dialect: null, streaming: false, forward: null }
}

/** Forwarded endpoints speak as OpenAI does, also in their errors. */
function forwarded(forward: Forward): Endpoint {
  const operation = forward.suffix === '/embeddings' ? 'embed' : 'forward'
  const { methods, suffix } = forward
  return { operation, methods, pattern: `/v1${suffix}`, dialect: 'openai-chat', streaming: null, forward }
}

/** Paths without a captured segment. */
const FIXED: ReadonlyMap<string, Endpoint> = new Map(
  [
    post('generate', CHAT, 'openai-chat', null),
    post('generate', RESPONSES, 'openai-responses', null),
    post('generate', MESSAGES, 'anthropic-messages', null),
    post('count-tokens', COUNT_TOKENS, 'anthropic-messages', false),
    get('list-models', MODELS),
    get('list-models', GEMINI_MODELS),
    get('health', HEALTH),
    ...FORWARDED.filter(forward => !forward.suffix.includes('{')).map(forwarded),
  ].map(endpoint => [endpoint.pattern, endpoint]),
)

const SHOW_MODEL = get('show-model', '/v1/models/{model}')
/** Forwarded paths with a captured segment, by their segments. */
const CAPTURING: readonly { readonly segments: readonly string[]; readonly endpoint: Endpoint }[] =
  FORWARDED.filter(forward => forward.suffix.includes('{')).map(forward => ({
    segments: forward.suffix.split('/').slice(1),
    endpoint: forwarded(forward),
  }))
const CONVERSE = post('generate', '/model/{model}/converse', 'bedrock-converse', false)
const CONVERSE_STREAM = post('generate', '/model/{model}/converse-stream', 'bedrock-converse', true)
const GENERATE = post('generate', '/v1beta/models/{model}:generateContent', 'gemini-generate', false)
const STREAM_GENERATE = post(
  'generate',
  '/v1beta/models/{model}:streamGenerateContent',
  'gemini-generate',
  true,
)
const GEMINI_COUNT = post('count-tokens', '/v1beta/models/{model}:countTokens', 'gemini-generate', false)

const GEMINI_METHODS: ReadonlyMap<string, Endpoint> = new Map([
  ['generateContent', GENERATE],
  ['streamGenerateContent', STREAM_GENERATE],
  ['countTokens', GEMINI_COUNT],
])

/** Every endpoint, for messages and documentation. */
export const ENDPOINTS: readonly Endpoint[] = [
  ...FIXED.values(),
  SHOW_MODEL,
  CONVERSE,
  CONVERSE_STREAM,
  GENERATE,
  STREAM_GENERATE,
  GEMINI_COUNT,
  ...CAPTURING.map(({ endpoint }) => endpoint),
]

/** `/a/b/?x=1` → `/a/b`. The root stays `/`. */
export function normalPath(target: string): string {
  const query = target.indexOf('?')
  let end = query < 0 ? target.length : query
  while (end > 1 && target.charCodeAt(end - 1) === 0x2f) end -= 1
  return end === target.length ? target : target.slice(0, end)
}

/** The endpoint of a normalised path whatever the method, or null. */
export function matchEndpoint(path: string): EndpointMatch | null {
  const fixed = FIXED.get(path)
  if (fixed !== undefined) return { endpoint: fixed, model: null }
  if (path.startsWith('/model/')) return matchConverse(path)
  return matchCapturing(path) ?? matchModels(path)
}

/** Ids of files and batches, as vendors make them: nothing that could become another path. */
const OBJECT_ID = /^(?!\.+$)[A-Za-z0-9._:~-]{1,256}$/

function matchCapturing(path: string): EndpointMatch | null {
  if (!path.startsWith('/v1/')) return null
  const segments = path.slice('/v1/'.length).split('/')
  for (const { segments: pattern, endpoint } of CAPTURING) {
    const same = (part: string, at: number): boolean =>
      part === '{id}' ? OBJECT_ID.test(segments[at]!) : part === segments[at]
    if (pattern.length === segments.length && pattern.every(same)) return { endpoint, model: null }
  }
  return null
}

function matchConverse(path: string): EndpointMatch | null {
  const slash = path.lastIndexOf('/')
  const tail = path.slice(slash)
  const endpoint = tail === '/converse' ? CONVERSE : tail === '/converse-stream' ? CONVERSE_STREAM : null
  if (endpoint === null) return null
  const model = decodeSegment(path.slice('/model/'.length, slash))
  return model === null ? null : { endpoint, model }
}

/** `/{v}/models/{model}:{method}` of Gemini, and `/v1/models/{model}`, where a model id may hold slashes. */
function matchModels(path: string): EndpointMatch | null {
  const models = path.indexOf('/models/')
  if (models < 1) return null
  const version = path.slice(1, models)
  if (!/^v\d+(?:(?:alpha|beta)\d*)?$/.test(version)) return null
  const rest = path.slice(models + '/models/'.length)
  const colon = rest.lastIndexOf(':')
  const method = colon < 0 ? undefined : GEMINI_METHODS.get(rest.slice(colon + 1))
  if (method !== undefined) {
    const model = decodeSegment(rest.slice(0, colon))
    return model === null ? null : { endpoint: method, model }
  }
  if (version !== 'v1' && version !== 'v1beta') return null
  const model = decodeSegment(rest)
  return model === null ? null : { endpoint: SHOW_MODEL, model }
}

function decodeSegment(segment: string): string | null {
  if (segment === '') return null
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return null
  }
}

/** The dialect in which a path's errors are written when no endpoint matched. */
export function dialectOfPath(path: string): DialectId {
  if (path.startsWith(MESSAGES)) return 'anthropic-messages'
  if (path.startsWith(RESPONSES)) return 'openai-responses'
  if (path.startsWith('/model/')) return 'bedrock-converse'
  if (/^\/v\d+(?:alpha|beta)\d*\//.test(path) || /:[a-zA-Z]+$/.test(path)) return 'gemini-generate'
  return 'openai-chat'
}

// tidy: long because it is a table
// One row per vendor: where its endpoints are, how it is shown a key, and what it is strict about. From the vendors'
// own references, not from the product's tables, so that a mistake there is found here.

import type { DialectId } from '../../../../src/translate/index.ts'
import type { Json, RecordedRequest } from '../types.ts'
import {
  chatFaults,
  converseFaults,
  foreign,
  geminiFaults,
  messagesFaults,
  responsesFaults,
} from './bodies.ts'

export type CredentialStyle = 'bearer' | 'x-api-key' | 'api-key' | 'x-goog-api-key' | 'sigv4' | 'none'

export interface Endpoint {
  readonly dialect: DialectId
  /** Of the whole path and query. */
  readonly path: RegExp
  readonly credential: CredentialStyle
  readonly faults: (body: Json, request: RecordedRequest) => readonly string[]
  /** What the vendor answers to a body it does not like. */
  readonly status: number
}

const set = (names: string): ReadonlySet<string> => new Set(names.trim().split(/\s+/))

/** Members without `refused`. */
function chatWithout(...refused: readonly string[]): Endpoint['faults'] {
  return body => [
    ...chatFaults(body),
    ...refused.filter(name => name in body).map(name => `${name} is not supported`),
  ]
}

function anyChat(body: Json): readonly string[] {
  return chatFaults(body)
}

function chat(path: RegExp, more: Partial<Endpoint> = {}): Endpoint {
  return {
    dialect: 'openai-chat',
    path,
    credential: 'bearer',
    faults: chatWithout('max_completion_tokens'),
    status: 400,
    ...more,
  }
}

function responses(path: RegExp, more: Partial<Endpoint> = {}): Endpoint {
  return {
    dialect: 'openai-responses',
    path,
    credential: 'bearer',
    faults: responsesFaults,
    status: 400,
    ...more,
  }
}

function messages(path: RegExp, more: Partial<Endpoint> = {}): Endpoint {
  return {
    dialect: 'anthropic-messages',
    path,
    credential: 'bearer',
    faults: plainMessages,
    status: 400,
    ...more,
  }
}

function plainMessages(body: Json, request: RecordedRequest): readonly string[] {
  const faults = [...messagesFaults(body)]
  if (typeof body.model !== 'string' || body.model === '') faults.push('model: field required')
  if (!/^\d{4}-\d\d-\d\d$/.test(request.header('anthropic-version') ?? '')) {
    faults.push('anthropic-version: header is required')
  }
  return faults
}

function vertexClaude(body: Json, request: RecordedRequest): readonly string[] {
  const faults = [...messagesFaults(body, ['anthropic_version'])]
  if ('model' in body) faults.push('model: Extra inputs are not permitted')
  if (body.anthropic_version !== 'vertex-2023-10-16') faults.push('anthropic_version: field required')
  const streamed = request.path.endsWith(':streamRawPredict')
  if ((body.stream === true) !== streamed) faults.push('stream and method do not fit')
  return faults
}

const MISTRAL = set(`
  model messages stream temperature top_p max_tokens stop random_seed response_format tools tool_choice
  parallel_tool_calls presence_penalty frequency_penalty n prediction prompt_mode safe_prompt`)

/** Members of a message; anything else is a 422 as well. */
const MISTRAL_MESSAGE = set('role content tool_calls prefix tool_call_id name')

function mistral(body: Json): readonly string[] {
  const faults = chatFaults(body, MISTRAL)
  let before = ''
  for (const message of body.messages ?? []) {
    faults.push(...foreign(message, MISTRAL_MESSAGE, 'messages.'))
    if (message.role === 'user' && 'name' in message) faults.push('unknown member messages.name')
    if (message.role === 'user' && before === 'tool') faults.push("Unexpected role 'user' after role 'tool'")
    before = message.role
    if (message.role === 'developer') faults.push('role: input should be system, user, assistant or tool')
    const ids = [...(message.tool_calls ?? []).map((call: Json) => call.id), message.tool_call_id]
    if (ids.some(id => id !== undefined && !/^[a-zA-Z0-9]{9}$/.test(id))) {
      faults.push('Tool call id must be a-z, A-Z, 0-9, with a length of 9')
    }
  }
  return faults
}

function deepseek(body: Json): readonly string[] {
  const faults = [...chatWithout('max_completion_tokens')(body, null as never)]
  if (body.response_format?.type === 'json_schema')
    faults.push('This response_format type is unavailable now')
  if ((body.messages ?? []).some((message: Json) => message.role === 'developer')) {
    faults.push('unknown variant `developer`')
  }
  return faults
}

function groq(body: Json): readonly string[] {
  const faults = [...chatWithout('logprobs', 'top_logprobs', 'logit_bias')(body, null as never)]
  if ((body.messages ?? []).some((message: Json) => 'name' in message))
    faults.push('messages[].name is unsupported')
  return faults
}

function xai(body: Json): readonly string[] {
  const faults = chatWithout('web_search_options')(body, null as never)
  const reasons = /^grok-(?:4|3-mini|code)(?!.*non-reasoning)/.test(body.model)
  const refused = reasons ? ['presence_penalty', 'frequency_penalty', 'stop'] : []
  return [...faults, ...refused.filter(name => name in body).map(name => `${name} is not supported`)]
}

function chatgpt(body: Json, request: RecordedRequest): readonly string[] {
  const faults = [...responsesFaults(body)]
  if (body.store !== false) faults.push('Store must be set to false')
  if (body.stream !== true) faults.push('Stream must be set to true')
  if (!Array.isArray(body.input)) faults.push('Input must be a list')
  if (typeof body.instructions !== 'string') faults.push('Instructions are required')
  for (const name of ['max_output_tokens', 'temperature', 'top_p', 'metadata', 'user', 'truncation']) {
    if (name in body) faults.push(`Unsupported parameter: ${name}`)
  }
  if (request.header('originator') === null) faults.push('originator is missing')
  if (request.header('chatgpt-account-id') === null) faults.push('chatgpt-account-id is missing')
  return faults
}

function bedrock(body: Json, request: RecordedRequest): readonly string[] {
  const model = /^\/model\/([^/]+)\//.exec(request.path)?.[1] ?? ''
  return [...converseFaults(body), ...(/[:/]/.test(model) ? ['the model in the path is not encoded'] : [])]
}

const OPENAI_V1 = [chat(/^\/v1\/chat\/completions$/, { faults: anyChat }), responses(/^\/v1\/responses$/)]
/** Vendors that document only the older name of the limit. */
const OLD_LIMIT_V1 = [chat(/^\/v1\/chat\/completions$/)]
/** Vendors that take either name of the limit, or whose host nobody knows. */
const PLAIN_V1 = [chat(/^\/v1\/chat\/completions$/, { faults: anyChat })]
const VERTEX = '^/v1/projects/[^/]+/locations/[^/]+/publishers'

export const HOSTS: Readonly<Record<string, readonly Endpoint[]>> = {
  openai: OPENAI_V1,
  anthropic: [messages(/^\/v1\/messages(?:\?beta=true)?$/, { credential: 'x-api-key' })],
  gemini: [
    chat(/^\/v1beta\/openai\/chat\/completions$/, {
      faults: chatWithout('store', 'metadata', 'service_tier', 'logit_bias'),
    }),
    {
      dialect: 'gemini-generate',
      path: /^\/v1beta\/models\/[^/:]+:(?:generateContent|streamGenerateContent\?alt=sse)$/,
      credential: 'x-goog-api-key',
      faults: geminiFaults,
      status: 400,
    },
  ],
  groq: [chat(/^\/openai\/v1\/chat\/completions$/, { faults: groq }), responses(/^\/openai\/v1\/responses$/)],
  deepseek: [chat(/^\/v1\/chat\/completions$/, { faults: deepseek })],
  mistral: [chat(/^\/v1\/chat\/completions$/, { faults: mistral, status: 422 })],
  digitalocean: PLAIN_V1,
  vercel: [...OPENAI_V1, messages(/^\/v1\/messages(?:\?beta=true)?$/)],
  openrouter: [
    chat(/^\/api\/v1\/chat\/completions$/, { faults: anyChat }),
    responses(/^\/api\/v1\/responses$/),
    messages(/^\/api\/v1\/messages(?:\?beta=true)?$/),
  ],
  edenai: [chat(/^\/v3\/chat\/completions$/, { faults: anyChat })],
  xai: [chat(/^\/v1\/chat\/completions$/, { faults: xai }), responses(/^\/v1\/responses$/)],
  together_ai: OLD_LIMIT_V1,
  moonshotai: OLD_LIMIT_V1,
  zhipu: [chat(/^\/api\/paas\/v4\/chat\/completions$/)],
  xiaomi: OLD_LIMIT_V1,
  chatgpt: [responses(/^\/backend-api\/codex\/responses$/, { faults: chatgpt })],
  azure_openai: [
    chat(/^\/openai\/v1\/chat\/completions$/, { credential: 'api-key', faults: anyChat }),
    responses(/^\/openai\/v1\/responses$/, { credential: 'api-key' }),
  ],
  azure_dated: [
    chat(/^\/openai\/deployments\/[^/]+\/chat\/completions\?api-version=2024-10-21$/, {
      credential: 'api-key',
      faults: anyChat,
    }),
    responses(/^\/openai\/responses\?api-version=2024-10-21$/, { credential: 'api-key' }),
  ],
  ollama: [
    chat(/^\/v1\/chat\/completions$/, {
      credential: 'none',
      faults: chatWithout('max_completion_tokens', 'tool_choice', 'parallel_tool_calls'),
    }),
  ],
  qwen: [chat(/^\/compatible-mode\/v1\/chat\/completions$/)],
  amazon_bedrock: [
    {
      dialect: 'bedrock-converse',
      path: /^\/model\/[^/]+\/converse(?:-stream)?$/,
      credential: 'bearer',
      faults: bedrock,
      status: 400,
    },
  ],
  bedrock_signed: [
    {
      dialect: 'bedrock-converse',
      path: /^\/model\/[^/]+\/converse(?:-stream)?$/,
      credential: 'sigv4',
      faults: bedrock,
      status: 400,
    },
  ],
  vertex: [
    {
      dialect: 'gemini-generate',
      path: new RegExp(`${VERTEX}/google/models/[^/:]+:(?:generateContent|streamGenerateContent\\?alt=sse)$`),
      credential: 'bearer',
      faults: geminiFaults,
      status: 400,
    },
  ],
  vertex_claude: [
    messages(new RegExp(`${VERTEX}/anthropic/models/[^/:]+:(?:rawPredict|streamRawPredict)$`), {
      faults: vertexClaude,
    }),
  ],
  github: [chat(/^\/inference\/chat\/completions$/, { faults: anyChat })],
  meta: [chat(/^\/compat\/v1\/chat\/completions$/, { faults: anyChat })],
  minimax: PLAIN_V1,
  astraflow: PLAIN_V1,
  astraflow_cn: PLAIN_V1,
  plano: PLAIN_V1,
  custom: PLAIN_V1,
}

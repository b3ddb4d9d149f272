// What is peculiar to a host, whatever the model: members it refuses, names it uses, whose reasoning material it can
// take back. Data; a host without peculiarities has no row. Facts: `translation` specification, section 2.6, and the
// vendors' API references.

import type { ProviderPlan } from '../common/config/plan.ts'
import type { DialectId, IdRule, ModelFacts, TargetFacts } from '../translate/index.ts'

export interface HostTraits {
  /** Chat: the member that bounds the output. */
  readonly limitMember: TargetFacts['limitMember']
  readonly systemRole: TargetFacts['systemRole']
  /** OpenAI itself or Azure: members that compatible hosts refuse may be sent. */
  readonly firstParty: boolean
  /** The host knows `stream_options`. */
  readonly streamOptions: boolean
  /** Chat members it knows, where it refuses all others; null where it ignores what it does not know. */
  readonly knownMembers: readonly string[] | null
  /** Chat members it refuses; a body loses them, and the loss is reported. */
  readonly refusedMembers: readonly string[]
  /** Chat members it knows by another name. */
  readonly renamedMembers: Readonly<Record<string, string>>
  /** Members of a Chat message it refuses. */
  readonly refusedInMessages: readonly string[]
  /** The host knows the role `developer`. */
  readonly developerRole: boolean
  /** A Chat body that holds one of these texts is written anew, because the repair is deep inside it. */
  readonly rewriteAt: readonly string[]
  /** Ids of calls it accepts, when that is less than its dialect allows. */
  readonly callIds: IdRule | null
  /** What the host cannot do, whatever its models can. */
  readonly facts: Partial<ModelFacts>
}

const PLAIN: HostTraits = {
  limitMember: 'max_tokens',
  systemRole: 'system',
  firstParty: false,
  streamOptions: true,
  knownMembers: null,
  refusedMembers: [],
  renamedMembers: {},
  refusedInMessages: [],
  developerRole: true,
  rewriteAt: [],
  callIds: null,
  facts: {},
}

const FIRST_PARTY: HostTraits = { ...PLAIN, limitMember: 'max_completion_tokens', firstParty: true }
const OPENAI_LIKE: HostTraits = { ...PLAIN, limitMember: 'max_completion_tokens' }
/** Vendors that know only the older name of the limit. */
const OLD_LIMIT: HostTraits = { ...PLAIN, renamedMembers: { max_completion_tokens: 'max_tokens' } }

/** Mistral answers 422 to anything else. */
const MISTRAL_MEMBERS = [
  'model',
  'messages',
  'stream',
  'temperature',
  'top_p',
  'max_tokens',
  'stop',
  'random_seed',
  'response_format',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'presence_penalty',
  'frequency_penalty',
  'n',
  'prediction',
  'prompt_mode',
  'safe_prompt',
]

const TRAITS: Readonly<Record<string, HostTraits>> = {
  openai: FIRST_PARTY,
  azure_openai: FIRST_PARTY,
  chatgpt: FIRST_PARTY,
  demo: OPENAI_LIKE,
  xai: { ...OPENAI_LIKE, refusedMembers: ['web_search_options'], facts: { webSearch: null } },
  vercel: OPENAI_LIKE,
  openrouter: OPENAI_LIKE,
  groq: {
    ...OPENAI_LIKE,
    refusedMembers: ['logprobs', 'top_logprobs', 'logit_bias'],
    refusedInMessages: ['name'],
    facts: { logprobs: false, logitBias: false },
  },
  mistral: {
    ...PLAIN,
    streamOptions: false,
    knownMembers: MISTRAL_MEMBERS,
    // What people append to their messages is a whole answer of OpenAI's, and any member too many is a 422.
    refusedInMessages: ['name', 'refusal', 'annotations', 'audio'],
    renamedMembers: { max_completion_tokens: 'max_tokens', seed: 'random_seed' },
    developerRole: false,
    rewriteAt: ['"tool_calls"', '"tool_call_id"'],
    callIds: { pattern: /^[A-Za-z0-9]{9}$/, lengthMax: 9 },
    facts: { logprobs: false, logitBias: false, customTools: false },
  },
  deepseek: {
    ...OLD_LIMIT,
    developerRole: false,
    rewriteAt: ['"json_schema"'],
    facts: { jsonSchema: false },
  },
  ollama: {
    ...OLD_LIMIT,
    refusedMembers: ['tool_choice', 'parallel_tool_calls'],
    rewriteAt: ['"image_url"'],
    facts: { imageUrls: false, parallelSwitch: false, forcedToolChoice: false },
  },
  gemini: {
    ...PLAIN,
    refusedMembers: ['store', 'metadata', 'service_tier', 'logit_bias'],
    facts: { logitBias: false },
  },
  together_ai: OLD_LIMIT,
  qwen: OLD_LIMIT,
  zhipu: OLD_LIMIT,
  moonshotai: OLD_LIMIT,
  xiaomi: OLD_LIMIT,
}

/** What is known of a provider; a host of the operator's own that says "like OpenAI" is not OpenAI. */
export function hostTraits(provider: ProviderPlan): HostTraits {
  const { streamOptions } = provider
  const known =
    provider.custom === true && provider.provider === 'openai' ? PLAIN : (TRAITS[provider.provider] ?? PLAIN)
  return streamOptions === undefined || streamOptions === known.streamOptions
    ? known
    : { ...known, streamOptions }
}

/** Hosts whose Chat dialect passes cache marks on to Claude models behind them. */
const PASS_CACHE_MARKS: ReadonlySet<string> = new Set(['digitalocean', 'openrouter', 'edenai', 'vercel'])

export function passesCacheMarks(provider: string, dialect: DialectId): boolean {
  return dialect === 'anthropic-messages' || dialect === 'bedrock-converse' || PASS_CACHE_MARKS.has(provider)
}

/**
 * Who issued, and can read, opaque reasoning material met at this provider. Material of another family is never
 * sent there. An unknown host is a family of its own.
 */
export function reasoningFamily(provider: string, dialect: DialectId): string {
  if (provider === 'anthropic' || provider === 'openai') return provider
  if (provider === 'azure_openai' || provider === 'chatgpt') return 'openai'
  if (provider === 'gemini' || provider === 'vertex') {
    return dialect === 'anthropic-messages' ? 'vertex-anthropic' : 'google'
  }
  if (provider === 'amazon_bedrock') return 'bedrock'
  return provider
}

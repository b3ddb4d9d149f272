// What is peculiar to a host, whatever the model: members it refuses, names it uses, whose reasoning material it can
// take back. Data; a host without peculiarities has no row. Facts: `translation` specification, section 2.6, and the
// vendors' API references.

import type { DialectId, IdRule, ModelFacts, TargetFacts } from '../translate/index.ts'

export interface HostTraits {
  /** Chat: the member that bounds the output. */
  readonly limitMember: TargetFacts['limitMember']
  readonly systemRole: TargetFacts['systemRole']
  /** OpenAI itself or Azure: members that compatible hosts refuse may be sent. */
  readonly firstParty: boolean
  /** The host knows `stream_options`. */
  readonly streamOptions: boolean
  /** Chat members it refuses; a relayed body loses them, and the loss is reported. */
  readonly refusedMembers: readonly string[]
  /** Chat members it knows by another name. */
  readonly renamedMembers: Readonly<Record<string, string>>
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
  refusedMembers: [],
  renamedMembers: {},
  callIds: null,
  facts: {},
}

const FIRST_PARTY: HostTraits = { ...PLAIN, limitMember: 'max_completion_tokens', firstParty: true }
const OPENAI_LIKE: HostTraits = { ...PLAIN, limitMember: 'max_completion_tokens' }

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
    facts: { logprobs: false, logitBias: false },
  },
  mistral: {
    ...PLAIN,
    streamOptions: false,
    refusedMembers: ['user', 'store', 'service_tier', 'stream_options', 'logprobs', 'logit_bias', 'metadata'],
    renamedMembers: { max_completion_tokens: 'max_tokens', seed: 'random_seed' },
    callIds: { pattern: /^[A-Za-z0-9]{9}$/, lengthMax: 9 },
    facts: { seed: false, logprobs: false, logitBias: false, customTools: false },
  },
  deepseek: {
    ...PLAIN,
    renamedMembers: { max_completion_tokens: 'max_tokens' },
    facts: { jsonSchema: false },
  },
  ollama: {
    ...PLAIN,
    facts: { imageUrls: false, parallelSwitch: false, forcedToolChoice: false },
  },
  gemini: {
    ...PLAIN,
    refusedMembers: ['store', 'metadata', 'service_tier', 'logit_bias'],
    facts: { logitBias: false },
  },
}

export function hostTraits(provider: string): HostTraits {
  return TRAITS[provider] ?? PLAIN
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

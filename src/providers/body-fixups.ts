// What must change in a finished body before a host takes it: the host's own traits, and what its model does not know.
// The same repair is made in relayed and in written bodies, after the final provider is known, so no caller and no
// earlier candidate leaves anything behind. Facts: `translation` specification, section 2.6.

import type { ProviderPlan } from '../common/config/plan.ts'
import {
  type BodyFixups,
  ByteSearch,
  type Change,
  type DialectId,
  type ModelFacts,
  NO_FIXUPS,
} from '../translate/index.ts'
import { type HostTraits, hostTraits, passesCacheMarks } from './traits.ts'

/** Members that only sampling models know. */
const SAMPLING = ['temperature', 'top_p']
const PENALTIES = ['presence_penalty', 'frequency_penalty']

/** What a member says when it says nothing: leaving that out is no loss. */
const QUIET: BodyFixups['quiet'] = {
  // Usage comes without asking at hosts that do not know the question.
  stream_options: null,
  temperature: ['1', '1.0'],
  top_p: ['1', '1.0'],
  n: ['1'],
  presence_penalty: ['0', '0.0'],
  frequency_penalty: ['0', '0.0'],
  logprobs: ['false'],
  logit_bias: ['{}'],
  tool_choice: ['"auto"'],
  parallel_tool_calls: ['true'],
  service_tier: ['"auto"'],
  store: ['false'],
  metadata: ['{}'],
  truncation: ['"disabled"'],
  background: ['false'],
}

const KIMI_K3_REFUSED = [...SAMPLING, 'n', ...PENALTIES]
const KIMI_K3_EFFORTS: Readonly<Record<string, string>> = {
  none: 'low',
  minimal: 'low',
  low: 'low',
  medium: 'high',
  high: 'high',
  max: 'max',
}
const KIMI_CODING_REFUSED = [
  'stream_options',
  'reasoning_effort',
  'web_search_options',
  'service_tier',
  'store',
]

/** What a subscription's Responses endpoint answers 400 to. */
const CHATGPT_REFUSED = [
  'max_output_tokens',
  ...SAMPLING,
  'top_logprobs',
  'metadata',
  'user',
  'truncation',
  'background',
]
/** The endpoint wants instructions; the caller's own come behind. */
const CHATGPT_INSTRUCTIONS =
  "You are Codex, a coding agent running in the Codex CLI on a user's computer, and you answer what you are asked."

const VERTEX_ANTHROPIC_VERSION = '"vertex-2023-10-16"'

/** Null where the body is taken as it is. `facts` are null for a model that nobody knows. */
export function bodyFixups(
  provider: ProviderPlan,
  model: string,
  dialect: DialectId,
  facts: ModelFacts | null,
): BodyFixups | null {
  switch (dialect) {
    case 'openai-chat':
      return chatFixups(provider, model, facts)
    case 'openai-responses':
      return responsesFixups(provider, facts)
    case 'anthropic-messages':
      return messagesFixups(provider, model)
    default:
      return null
  }
}

/** A body of the host's own dialect may go there with at most its outer members changed. */
export function relayable(
  provider: ProviderPlan,
  dialect: DialectId,
  streaming: boolean,
  body: Uint8Array,
): boolean {
  // A subscription only streams; whoever wants a whole reply is given the stream's sum.
  if (provider.provider === 'chatgpt') return streaming
  if (dialect !== 'openai-chat') return true
  const { rewriteAt } = hostTraits(provider)
  if (rewriteAt.some(text => mentions(body, text))) return false
  return passesCacheMarks(provider.provider, dialect) || !mentions(body, '"cache_control"')
}

const outerOnly = new WeakMap<BodyFixups, BodyFixups>()

/** The repairs without those inside messages, where the body has nothing there to repair: looking costs less. */
export function neededFixups(fixups: BodyFixups, body: Uint8Array): BodyFixups {
  const inner = [...fixups.messageDrop, ...Object.keys(fixups.messageRoles)]
  if (inner.length === 0) return fixups
  if (inner.some(name => mentions(body, `"${name}"`))) return fixups
  if (Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes('\\u')) return fixups
  let outer = outerOnly.get(fixups)
  if (outer === undefined) {
    outer = { ...fixups, messageDrop: new Set(), messageRoles: {} }
    outerOnly.set(fixups, outer)
  }
  return outer
}

/** One for each text that traits name: a few dozen in all. */
const searches = new Map<string, ByteSearch>()

function mentions(bytes: Uint8Array, text: string): boolean {
  let search = searches.get(text)
  if (search === undefined) {
    search = new ByteSearch(text)
    searches.set(text, search)
  }
  return search.in(bytes)
}

function chatFixups(provider: ProviderPlan, model: string, facts: ModelFacts | null): BodyFixups | null {
  const traits = hostTraits(provider)
  const drop = new Set(traits.refusedMembers)
  const rename: Record<string, string> = { ...traits.renamedMembers }
  const change: Record<string, Change> = {}
  if (!traits.streamOptions) drop.add('stream_options')
  for (const name of unknownToModel(provider, facts)) drop.add(name)
  if (facts?.sampling === 'none' && traits.limitMember === 'max_completion_tokens') {
    rename['max_tokens'] = 'max_completion_tokens'
  }
  if (isKimiForCoding(provider, model)) for (const name of KIMI_CODING_REFUSED) drop.add(name)
  else if (provider.provider === 'moonshotai' && model === 'kimi-k3') {
    for (const name of KIMI_K3_REFUSED) drop.add(name)
    change['reasoning_effort'] = kimiEffort
  }
  return fixupsOf(traits, drop, rename, change)
}

function fixupsOf(
  traits: HostTraits,
  drop: ReadonlySet<string>,
  rename: Readonly<Record<string, string>>,
  change: Readonly<Record<string, Change>>,
): BodyFixups | null {
  const { knownMembers, refusedInMessages, developerRole } = traits
  const messageRoles: Readonly<Record<string, string>> = developerRole ? {} : { developer: 'system' }
  const idle =
    drop.size + Object.keys(rename).length + Object.keys(change).length + refusedInMessages.length === 0 &&
    knownMembers === null &&
    developerRole
  if (idle) return null
  return {
    only: knownMembers === null ? null : new Set(knownMembers),
    drop,
    rename,
    change,
    messageDrop: new Set(refusedInMessages),
    messageRoles,
    quiet: QUIET,
  }
}

/** What a model without sampling refuses; others are the vendor's own business to judge. */
function unknownToModel(provider: ProviderPlan, facts: ModelFacts | null): readonly string[] {
  if (facts === null) return []
  if (facts.sampling !== 'none') {
    // xAI's reasoning models sample, and answer 400 to these; other hosts pass over what a model does not have.
    if (provider.provider !== 'xai' || facts.penalties) return []
    return [...PENALTIES, ...(facts.stopsMax > 0 ? [] : ['stop'])]
  }
  return [
    ...SAMPLING,
    ...(facts.penalties ? [] : PENALTIES),
    ...(facts.logprobs ? [] : ['logprobs', 'top_logprobs']),
    ...(facts.logitBias ? [] : ['logit_bias']),
    ...(facts.stopsMax > 0 ? [] : ['stop']),
  ]
}

function kimiEffort(json: string | null): string | null {
  const effort = json === null ? null : (JSON.parse(json) as unknown)
  const known = typeof effort === 'string' ? KIMI_K3_EFFORTS[effort] : undefined
  return known === undefined ? null : JSON.stringify(known)
}

function isKimiForCoding(provider: ProviderPlan, model: string): boolean {
  return model === 'kimi-for-coding' || provider.origin === 'https://api.kimi.com'
}

function responsesFixups(provider: ProviderPlan, facts: ModelFacts | null): BodyFixups | null {
  const unknown = facts?.sampling === 'none' ? [...SAMPLING, 'top_logprobs'] : []
  if (provider.provider !== 'chatgpt') {
    return unknown.length === 0 ? null : { ...NO_FIXUPS, drop: new Set(unknown), quiet: QUIET }
  }
  return {
    ...NO_FIXUPS,
    drop: new Set([...unknown, ...CHATGPT_REFUSED]),
    change: {
      store: () => 'false',
      stream: () => 'true',
      input: asList,
      instructions: withBaseInstructions,
    },
    quiet: { ...QUIET, stream: null, input: null, instructions: null },
  }
}

/** A text or a single item becomes a list of one. */
function asList(json: string | null): string | null {
  if (json === null || json.startsWith('[')) return json
  if (json.startsWith('{')) return `[${json}]`
  return `[{"type":"message","role":"user","content":${json}}]`
}

function withBaseInstructions(json: string | null): string {
  const own = json === null ? null : (JSON.parse(json) as unknown)
  if (typeof own !== 'string' || own === '') return JSON.stringify(CHATGPT_INSTRUCTIONS)
  return own.startsWith(CHATGPT_INSTRUCTIONS) ? json! : JSON.stringify(`${CHATGPT_INSTRUCTIONS}\n\n${own}`)
}

function messagesFixups(provider: ProviderPlan, model: string): BodyFixups | null {
  if (provider.provider === 'vertex') {
    return {
      ...NO_FIXUPS,
      drop: new Set(['model']),
      change: { anthropic_version: () => VERTEX_ANTHROPIC_VERSION },
      quiet: { model: null, anthropic_version: null },
    }
  }
  return isKimiForCoding(provider, model) ? { ...NO_FIXUPS, drop: new Set(['thinking']) } : null
}

// What a prompt writer must know about the model it writes for. Data: the integrator fills it from the model
// catalogue and the provider's configuration; no translator looks at a model's name.

import type { Effort, SchemaForm } from './prompt.ts'
import type { IdRule } from './tool-names.ts'

/** How a model is told to reason. */
export type ReasoningStyle =
  | 'none'
  /** A word (`reasoning_effort`, `reasoning.effort`). */
  | 'effort'
  /** A number of tokens. */
  | 'budget'
  /** The model decides; a word may guide it. */
  | 'adaptive'
  /** Gemini's thinking level. */
  | 'level'

export interface ModelFacts {
  /** Upper bound of output tokens, or null when unknown. */
  readonly outputTokensMax: number | null
  /** `one`: temperature or top_p, not both. */
  readonly sampling: 'all' | 'one' | 'none'
  readonly topK: boolean
  readonly seed: boolean
  readonly penalties: boolean
  readonly logitBias: boolean
  readonly logprobs: boolean
  /** How many stop texts the target takes; 0 for none. */
  readonly stopsMax: number
  readonly choicesMax: number
  readonly reasoning: ReasoningStyle
  /** Efforts the model takes, in rising order. */
  readonly efforts: readonly Effort[]
  readonly reasoningCanBeOff: boolean
  /** Readable reasoning of earlier turns is wanted back (Chat hosts). */
  readonly replayReasoning: boolean
  readonly verbosity: boolean
  readonly images: boolean
  /** Images by address, not only by value. */
  readonly imageUrls: boolean
  readonly documents: boolean
  readonly audio: boolean
  readonly video: boolean
  readonly tools: boolean
  readonly customTools: boolean
  readonly strictTools: boolean
  readonly forcedToolChoice: boolean
  readonly parallelSwitch: boolean
  /** Images inside tool results. */
  readonly resultImages: boolean
  readonly jsonSchema: boolean
  readonly jsonObject: boolean
  /** System text after the first turn. */
  readonly midSystem: boolean
  /** The last turn may be the model's, to be continued. */
  readonly prefill: boolean
  readonly cacheMarks: boolean
  /** Type of the hosted web search tool in the target's dialect, or null. */
  readonly webSearch: string | null
  /** Converse: whose names the model's own fields have (`additionalModelRequestFields`); null for none we know. */
  readonly vendorFields: 'anthropic' | 'amazon' | 'openai' | null
}

/** Every capability of an unknown model: say little, refuse little. */
export const UNKNOWN_MODEL: ModelFacts = {
  outputTokensMax: null,
  sampling: 'all',
  topK: true,
  seed: true,
  penalties: true,
  logitBias: true,
  logprobs: true,
  stopsMax: 4,
  choicesMax: 1,
  reasoning: 'none',
  efforts: [],
  reasoningCanBeOff: true,
  replayReasoning: false,
  verbosity: false,
  images: true,
  imageUrls: true,
  documents: true,
  audio: false,
  video: false,
  tools: true,
  customTools: false,
  strictTools: true,
  forcedToolChoice: true,
  parallelSwitch: true,
  resultImages: true,
  jsonSchema: true,
  jsonObject: true,
  midSystem: false,
  prefill: false,
  cacheMarks: true,
  webSearch: null,
  vendorFields: null,
}

export interface TargetFacts {
  /** Model name as the upstream wants it in the body. */
  readonly model: string
  /** Who issues and can use opaque reasoning material there: `anthropic`, `bedrock:<account>`, `openai`, ... */
  readonly family: string
  readonly facts: ModelFacts
  /** Chat hosts: the member that bounds the output. */
  readonly limitMember: 'max_completion_tokens' | 'max_tokens'
  /** Chat and Responses hosts: the role of leading instructions. */
  readonly systemRole: 'system' | 'developer'
  /** The host is first-party OpenAI or Azure: members that other hosts refuse may be sent. */
  readonly firstParty: boolean
  /** Faster and dearer service tiers may be asked for. */
  readonly dearTiers: boolean
  /** Gemini hosts: schemas are given as JSON Schema, or as the older OpenAPI subset where that is all they take. */
  readonly schemaForm: SchemaForm
  /** Ids of calls the host takes, where it takes fewer than its dialect; null for the dialect's own rule. */
  readonly callIds: IdRule | null
}

export function targetFacts(model: string, family: string, more: Partial<TargetFacts> = {}): TargetFacts {
  return {
    model,
    family,
    facts: more.facts ?? UNKNOWN_MODEL,
    limitMember: more.limitMember ?? 'max_completion_tokens',
    systemRole: more.systemRole ?? 'system',
    firstParty: more.firstParty ?? false,
    dearTiers: more.dearTiers ?? false,
    schemaForm: more.schemaForm ?? 'json-schema',
    callIds: more.callIds ?? null,
  }
}

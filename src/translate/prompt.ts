// The canonical request. Every record has one shape: what the client did not say is null or empty. JSON that
// belongs to the customer (schemas, tool arguments, members we do not know) stays compact JSON text and is never
// parsed and printed again, so numbers keep their spelling and members their order.
//
// `at` is the JSON pointer in the client's own body; losses and refusals name it.

import type { DialectId } from './dialect.ts'

/** A member we do not know. Only the dialect it came from may emit it again. */
export interface Extra {
  readonly name: string
  readonly json: string
}

/** A cache mark sits after the element that owns it. Short: 5 or 30 minutes; long: 1 or 12 hours. */
export type CacheMark = 'short' | 'long'

/** Material that only its issuer can use: a signature, encrypted or redacted reasoning. */
export interface Opaque {
  /** Who can use it: `anthropic`, `openai`, `google`, `bedrock`, ... Compared with `TargetFacts.family`. */
  readonly family: string
  readonly kind: 'signature' | 'redacted' | 'encrypted'
  /** Id of the item it belongs to, where the issuer wants it back, or null. */
  readonly id: string | null
  readonly value: string
}

export type MediaKind = 'image' | 'audio' | 'video' | 'document'

export type MediaSource =
  | { readonly kind: 'base64'; readonly data: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'file'; readonly id: string; readonly dialect: DialectId }
  | { readonly kind: 's3'; readonly uri: string; readonly owner: string | null }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'parts'; readonly parts: readonly Part[] }

/** Where a span of text comes from. */
export interface Citation {
  readonly kind: 'url' | 'char' | 'page' | 'block' | 'file'
  readonly url: string | null
  readonly title: string | null
  readonly quote: string | null
  /** Half-open range; in the text of its part for `url`, in the document for the others. Null: the whole part. */
  readonly start: number | null
  readonly end: number | null
  readonly documentIndex: number | null
  /** The citation as its own dialect spelled it; only that dialect emits it again. */
  readonly dialect: DialectId
  readonly json: string
}

interface PartBase {
  readonly at: string
  readonly cache: CacheMark | null
  readonly extra: readonly Extra[]
}

export interface TextPart extends PartBase {
  readonly kind: 'text'
  readonly text: string
  readonly citations: readonly Citation[]
  readonly signature: Opaque | null
}

export interface RefusalPart extends PartBase {
  readonly kind: 'refusal'
  readonly text: string
}

export interface MediaPart extends PartBase {
  readonly kind: 'media'
  readonly media: MediaKind
  /** Lower case media type, or null when the client did not say. `image/jpg` is written `image/jpeg`. */
  readonly mime: string | null
  readonly source: MediaSource
  readonly name: string | null
  readonly title: string | null
  readonly context: string | null
  readonly cite: boolean
  /** `auto`, `low`, `high`, `original`, or null. */
  readonly detail: string | null
}

/** A search result given by the client, to be cited. */
export interface SearchResultPart extends PartBase {
  readonly kind: 'search-result'
  readonly title: string
  readonly url: string
  readonly parts: readonly Part[]
  readonly cite: boolean
}

export interface ReasoningPart extends PartBase {
  readonly kind: 'reasoning'
  /** Readable sections in order; empty when only opaque material exists. */
  readonly sections: readonly string[]
  readonly opaque: Opaque | null
}

export interface CallPart extends PartBase {
  readonly kind: 'call'
  readonly id: string
  /** Id of the item that carries the call, where the dialect has one beside the call's own. */
  readonly itemId: string | null
  readonly name: string
  readonly namespace: string | null
  /** JSON text of the arguments, verbatim from text dialects, compact from object dialects; plain text if `custom`. */
  readonly input: string
  readonly custom: boolean
  readonly signature: Opaque | null
}

export interface ResultPart extends PartBase {
  readonly kind: 'result'
  readonly callId: string
  /** Name of the tool, found in the history by the reader, or null. */
  readonly name: string | null
  readonly parts: readonly Part[]
  /** Set when the client gave a JSON object instead of parts (Converse json, Gemini response). */
  readonly json: string | null
  readonly failed: boolean
  readonly custom: boolean
}

/** What only one dialect can say: traces of hosted tools, compaction, references to stored items. */
export interface VendorPart extends PartBase {
  readonly kind: 'vendor'
  readonly dialect: DialectId
  /** The discriminator in its dialect, for messages. */
  readonly type: string
  readonly json: string
  /** Plain text worth keeping for other dialects, or null. */
  readonly text: string | null
  /** True when leaving it out destroys the meaning: other dialects must refuse. */
  readonly essential: boolean
}

export type Part =
  | TextPart
  | RefusalPart
  | MediaPart
  | SearchResultPart
  | ReasoningPart
  | CallPart
  | ResultPart
  | VendorPart

/** Tool results sit in user turns. Readers keep the client's turns apart; writers that need it merge them. */
export type TurnRole = 'system' | 'user' | 'model'

export interface PromptTurn {
  readonly role: TurnRole
  /** System turns only: the client said `developer`. */
  readonly developer: boolean
  /** Name of the participant, or null. */
  readonly name: string | null
  readonly id: string | null
  readonly phase: string | null
  readonly parts: readonly Part[]
  readonly at: string
  readonly extra: readonly Extra[]
}

/** JSON Schema as the customer wrote it, or Gemini's OpenAPI subset. */
export type SchemaForm = 'json-schema' | 'openapi'

export interface Tool {
  readonly kind: 'function' | 'custom' | 'hosted'
  readonly name: string
  readonly namespace: string | null
  readonly description: string | null
  /** JSON text, or null for a function without parameters. */
  readonly schema: string | null
  readonly schemaForm: SchemaForm
  readonly strict: boolean | null
  /** Custom tools: grammar in which the input must be written. */
  readonly grammar: { readonly syntax: string; readonly definition: string } | null
  /** Hosted tools: the whole entry as its dialect spelled it. */
  readonly hosted: { readonly dialect: DialectId; readonly type: string; readonly json: string } | null
  readonly cache: CacheMark | null
  readonly at: string
  readonly extra: readonly Extra[]
}

export interface ToolChoice {
  /** `one` forces the tool `names[0]`; `subset` allows `names` only. */
  readonly mode: 'auto' | 'none' | 'any' | 'one' | 'subset'
  readonly names: readonly string[]
  /** Subset only: one of them must be called. */
  readonly forced: boolean
}

export interface OutputFormat {
  readonly kind: 'text' | 'json' | 'schema' | 'enum'
  readonly name: string | null
  readonly description: string | null
  readonly schema: string | null
  readonly schemaForm: SchemaForm
  readonly strict: boolean | null
}

/** Words of OpenAI's dialects; the others have none. */
export const VERBOSITIES: readonly string[] = ['low', 'medium', 'high']
export const DETAILS: readonly string[] = ['auto', 'low', 'high', 'original']

export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
export type Effort = (typeof EFFORTS)[number]

export interface ReasoningWish {
  /** `adaptive`: the model decides, `effort` may guide it. `between-tools`: only between calls. */
  readonly mode: 'off' | 'adaptive' | 'budget' | 'effort' | 'between-tools'
  readonly effort: Effort | null
  readonly budgetTokens: number | null
  /** How readable the reasoning shall be; null when the client did not say. */
  readonly show: 'none' | 'auto' | 'summary' | 'detailed' | null
}

export type ServiceTier = 'auto' | 'standard' | 'flex' | 'fast' | 'faster' | 'scale' | 'reserved'

/** A member we know and only hosts of the client's own dialect honour. */
export interface VendorWish extends Extra {
  /** Left out, the prompt means something else: other dialects must refuse. */
  readonly essential: boolean
}

/** One prompt. A class so that every instance has the same shape; readers fill it, guards and filters may edit it. */
export class Prompt {
  readonly dialect: DialectId
  model: string
  stream: boolean
  /** Leading system turns, in order. Later ones stay in `turns`. */
  instructions: PromptTurn[]
  turns: PromptTurn[]
  tools: Tool[]
  toolChoice: ToolChoice | null
  parallelCalls: boolean | null

  outputTokensMax: number | null
  choices: number | null
  stop: string[]
  verbosity: string | null
  modalities: string[]
  /** Wishes for spoken output, as JSON of the client's dialect. */
  audio: string | null
  format: OutputFormat | null
  /** How many alternatives per token; 0 for the chosen one only; null for no log probabilities. */
  logprobs: number | null
  prediction: string | null

  temperature: number | null
  topP: number | null
  topK: number | null
  /** Spelled as sent: 64-bit numbers survive. */
  seed: string | null
  presencePenalty: number | null
  frequencyPenalty: number | null
  logitBias: string | null
  reasoning: ReasoningWish | null

  /** Top-level wish for automatic cache marks. */
  cacheAuto: CacheMark | null
  cacheKey: string | null
  /** Named cache resource of one vendor. */
  cacheResource: string | null

  userId: string | null
  metadata: { readonly name: string; readonly value: string }[]
  tier: ServiceTier | null
  /** Safety settings of one vendor, as JSON; other vendors cannot honour them. */
  safety: Extra[]
  store: boolean | null
  previousId: string | null
  conversation: string | null
  background: boolean
  /** Streams only: the client wants to be told its usage. True in dialects that always tell. */
  wantUsage: boolean
  /** The client can take reasoning material in a member its dialect does not define. */
  wantReasoningDetails: boolean
  /** The client asked for encrypted reasoning to carry itself. */
  wantEncryptedReasoning: boolean
  /** Members to repeat in the reply, as JSON text, in the client's own names (Responses). */
  echo: Extra[]
  /** Anthropic's beta features the client asked for, where its dialect asks for them outside the body. */
  betas: readonly string[]
  /** Known members without a place above; nested ones are named `reasoning/mode`. Only the own dialect writes them. */
  vendorWishes: VendorWish[]
  extra: Extra[]

  constructor(dialect: DialectId, model: string) {
    this.dialect = dialect
    this.model = model
    this.stream = false
    this.instructions = []
    this.turns = []
    this.tools = []
    this.toolChoice = null
    this.parallelCalls = null
    this.outputTokensMax = null
    this.choices = null
    this.stop = []
    this.verbosity = null
    this.modalities = []
    this.audio = null
    this.format = null
    this.logprobs = null
    this.prediction = null
    this.temperature = null
    this.topP = null
    this.topK = null
    this.seed = null
    this.presencePenalty = null
    this.frequencyPenalty = null
    this.logitBias = null
    this.reasoning = null
    this.cacheAuto = null
    this.cacheKey = null
    this.cacheResource = null
    this.userId = null
    this.metadata = []
    this.tier = null
    this.safety = []
    this.store = null
    this.previousId = null
    this.conversation = null
    this.background = false
    this.wantUsage = false
    this.wantReasoningDetails = false
    this.wantEncryptedReasoning = false
    this.echo = []
    this.betas = []
    this.vendorWishes = []
    this.extra = []
  }
}

const NONE: readonly never[] = []

export function textPart(
  text: string,
  at: string,
  cache: CacheMark | null = null,
  citations: readonly Citation[] = NONE,
  signature: Opaque | null = null,
  extra: readonly Extra[] = NONE,
): TextPart {
  return { kind: 'text', text, at, cache, extra, citations, signature }
}

export function refusalPart(text: string, at: string, extra: readonly Extra[] = NONE): RefusalPart {
  return { kind: 'refusal', text, at, cache: null, extra }
}

/** A media part with nothing but its source; callers spread it once to say more. */
export function mediaPart(
  media: MediaKind,
  mime: string | null,
  source: MediaSource,
  at: string,
  more: Partial<Pick<MediaPart, 'name' | 'title' | 'context' | 'cite' | 'detail' | 'cache' | 'extra'>> = {},
): MediaPart {
  return {
    kind: 'media',
    media,
    mime,
    source,
    at,
    cache: more.cache ?? null,
    extra: more.extra ?? NONE,
    name: more.name ?? null,
    title: more.title ?? null,
    context: more.context ?? null,
    cite: more.cite ?? false,
    detail: more.detail ?? null,
  }
}

export function reasoningPart(
  sections: readonly string[],
  opaque: Opaque | null,
  at: string,
  extra: readonly Extra[] = NONE,
): ReasoningPart {
  return { kind: 'reasoning', sections, opaque, at, cache: null, extra }
}

export function callPart(
  call: {
    id: string
    name: string
    input: string
    custom?: boolean
    itemId?: string | null
    namespace?: string | null
    signature?: Opaque | null
  },
  at: string,
  cache: CacheMark | null = null,
  extra: readonly Extra[] = NONE,
): CallPart {
  return {
    kind: 'call',
    id: call.id,
    itemId: call.itemId ?? null,
    name: call.name,
    namespace: call.namespace ?? null,
    input: call.input,
    custom: call.custom ?? false,
    signature: call.signature ?? null,
    at,
    cache,
    extra,
  }
}

export function resultPart(
  result: {
    callId: string
    name: string | null
    parts: readonly Part[]
    json?: string | null
    failed?: boolean
    custom?: boolean
  },
  at: string,
  cache: CacheMark | null = null,
  extra: readonly Extra[] = NONE,
): ResultPart {
  return {
    kind: 'result',
    callId: result.callId,
    name: result.name,
    parts: result.parts,
    json: result.json ?? null,
    failed: result.failed ?? false,
    custom: result.custom ?? false,
    at,
    cache,
    extra,
  }
}

export function vendorPart(
  dialect: DialectId,
  type: string,
  json: string,
  at: string,
  text: string | null = null,
  essential = false,
): VendorPart {
  return { kind: 'vendor', dialect, type, json, text, essential, at, cache: null, extra: NONE }
}

export function promptTurn(
  role: TurnRole,
  parts: readonly Part[],
  at: string,
  more: Partial<Pick<PromptTurn, 'developer' | 'name' | 'id' | 'phase' | 'extra'>> = {},
): PromptTurn {
  return {
    role,
    developer: more.developer ?? false,
    name: more.name ?? null,
    id: more.id ?? null,
    phase: more.phase ?? null,
    parts,
    at,
    extra: more.extra ?? NONE,
  }
}

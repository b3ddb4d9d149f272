// `GET /v1/models` and `/v1/models/{id}` in the shape of whoever asks, with what the catalogue knows. Owns shapes and
// pages; what is listed is the plan's.
// Facts: `wire-formats` specification, sections 1.6 and 1.7.

import type { Plan } from '../common/config/index.ts'
import { GatewayError } from '../common/errors.ts'
import { type HeaderList, headerValue } from '../common/headers.ts'
import {
  type Catalogue,
  type CatalogueEntry,
  CONFIGURED,
  configuredPrice,
  type FoundModel,
  findModel,
  type ModelIndex,
  type ModelPrice,
  type PriceTier,
  type TokenPrices,
} from '../routing/index.ts'
import type { DialectId } from '../translate/index.ts'

/** One line of the public list. */
export interface PublicModel {
  readonly id: string
  /** Shown as `owned_by` and as part of the display name. */
  readonly ownedBy: string
}

/** Everything a list can say about a model. */
export interface ModelCard extends PublicModel {
  /** What an alias stands for, or null. */
  readonly aliasOf: string | null
  /** It only echoes. */
  readonly demo: boolean
  /** It makes vectors, not turns. */
  readonly embeds: boolean
  readonly entry: CatalogueEntry
  /** That of the file, else that of the catalogue. */
  readonly price: ModelPrice | null
}

/** What is listed, and where a name leads. */
export interface ModelSource {
  readonly publicModels: readonly PublicModel[]
  readonly models: ModelIndex
  readonly plan: Pick<Plan, 'aliases' | 'features'>
}

/** Seconds since 1970; the reference answers 0, and a made-up date would be worse. */
const CREATED = 0
const CREATED_TEXT = '1970-01-01T00:00:00Z'

/** The most entries of a page, and of a list that is not asked for in pages. */
const PAGE_MAX = 1_000

const DEMO_TEXT = 'A demonstration that ships with the gateway: it echoes what it is sent and asks no model.'

/** Vendors price a million tokens; lists that tools read, one. */
const TOKENS_PER_PRICE = 1_000_000
/** Decimals of a price per token: a thousandth of the smallest unit of any price list. */
const PRICE_DECIMALS = 12

/** Who asks: told by Gemini's version segment in the path, by headers, or by Gemini's key in the query. */
export function listDialect(headers: HeaderList, path: string, query = ''): DialectId {
  if (path.startsWith('/v1beta/')) return 'gemini-generate'
  if (headerValue(headers, 'anthropic-version') !== null || headerValue(headers, 'x-api-key') !== null)
    return 'anthropic-messages'
  if (headerValue(headers, 'x-goog-api-key') !== null || headerValue(headers, 'x-goog-api-client') !== null)
    return 'gemini-generate'
  return /(?:^|&)key=/.test(query) ? 'gemini-generate' : 'openai-chat'
}

/** The cards of a plan's list, in its order; made once per plan. */
export function modelCards(source: ModelSource, catalogue: Catalogue): readonly ModelCard[] {
  let cards = made.get(source)
  if (cards === undefined) {
    cards = source.publicModels.map(model => cardOf(model, source, catalogue))
    made.set(source, cards)
  }
  return cards
}

const made = new WeakMap<ModelSource, readonly ModelCard[]>()

/** The card of a listed model, of another name for one, or of what a wildcard covers; throws `model-not-found`. */
export function modelCard(source: ModelSource, catalogue: Catalogue, id: string): ModelCard {
  const listed = modelCards(source, catalogue).find(card => card.id === id)
  if (listed !== undefined) return listed
  const found = source.models.exact.get(id)
  const name = found === undefined ? null : nameOf(found)
  const owner = modelCards(source, catalogue).find(card => card.id === name)
  if (owner !== undefined) return { ...owner, id }
  const meant = findModel(source.models, id)
  // Under a wildcard whatever can be called can be looked up, also what no list names.
  if (!('unknown' in meant)) return cardOf({ id, ownedBy: meant.provider.provider }, source, catalogue)
  throw unknownModel(id, meant.unknown, source.publicModels)
}

/** The name under which a bare id is listed. */
function nameOf({ provider, upstreamModel }: FoundModel): string {
  return provider.wildcardPrefix === null ? provider.name : `${provider.wildcardPrefix}/${upstreamModel}`
}

function cardOf(model: PublicModel, source: ModelSource, catalogue: Catalogue): ModelCard {
  const found = source.models.exact.get(model.id) ?? source.models.under(model.id)
  const sent = found?.upstreamModel ?? model.id
  const demo = found?.provider.provider === 'demo'
  const entry = catalogue.find(demo ? '' : sent)
  const aliasOf = source.plan.aliases[model.id] ?? null
  const own =
    found === null || found === undefined ? null : configuredPrice(source.plan, found.provider, sent)
  const embeds = entry.output.includes('embeddings') || /embed/i.test(sent)
  return { ...model, aliasOf, demo, embeds, entry, price: own ?? entry.price }
}

/** A list as `query` asks for it. Throws `bad-request` for a page there is not. */
export function modelList(dialect: DialectId, cards: readonly ModelCard[], query: string): unknown {
  const asked = new URLSearchParams(query)
  if (dialect === 'gemini-generate') return geminiList(cards, asked)
  if (dialect === 'anthropic-messages') return anthropicList(cards, asked)
  return { object: 'list', data: cards.map(openAiEntry) }
}

export function modelEntry(dialect: DialectId, card: ModelCard): unknown {
  if (dialect === 'anthropic-messages') return anthropicEntry(card)
  return dialect === 'gemini-generate' ? geminiEntry(card) : openAiEntry(card)
}

function anthropicList(cards: readonly ModelCard[], asked: URLSearchParams): unknown {
  const limit = pageSize(asked.get('limit'), 'limit')
  const [after, before] = [asked.get('after_id'), asked.get('before_id')]
  if (after !== null && before !== null)
    throw badPage('after_id', 'it cannot be given together with before_id')
  let from = after === null ? 0 : place(cards, after, 'after_id') + 1
  let to = Math.min(cards.length, from + limit)
  let more = to < cards.length
  if (before !== null) {
    to = place(cards, before, 'before_id')
    from = Math.max(0, to - limit)
    more = from > 0
  }
  const page = cards.slice(from, to)
  return {
    data: page.map(anthropicEntry),
    has_more: more,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  }
}

function geminiList(cards: readonly ModelCard[], asked: URLSearchParams): unknown {
  const limit = pageSize(asked.get('pageSize'), 'pageSize')
  const token = asked.get('pageToken')
  // A token is the last name of the page before, so that it means the same after a reload.
  const from = token === null || token === '' ? 0 : place(cards, token, 'pageToken') + 1
  const page = cards.slice(from, from + limit)
  const more = from + limit < cards.length
  return { models: page.map(geminiEntry), ...(more ? { nextPageToken: page.at(-1)!.id } : {}) }
}

function pageSize(text: string | null, param: string): number {
  if (text === null || text === '') return PAGE_MAX
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1) throw badPage(param, `it must be 1 to ${PAGE_MAX}`)
  const size = Number(text)
  // Gemini brings down what is too much, Anthropic refuses it.
  if (size > PAGE_MAX && param === 'limit') throw badPage(param, `it must be 1 to ${PAGE_MAX}`)
  return Math.min(size, PAGE_MAX)
}

function place(cards: readonly ModelCard[], id: string, param: string): number {
  const at = cards.findIndex(card => card.id === id)
  if (at === -1) throw badPage(param, 'it names no model of this list')
  return at
}

function badPage(param: string, why: string): GatewayError {
  return new GatewayError('bad-request', `${param}: ${why}`, { param })
}

function openAiEntry(card: ModelCard): unknown {
  const { entry } = card
  return {
    id: card.id,
    object: 'model',
    created: CREATED,
    owned_by: card.ownedBy,
    ...described(card),
    context_length: entry.contextTokens,
    max_output_tokens: entry.facts.outputTokensMax,
    ...known(card),
  }
}

function anthropicEntry(card: ModelCard): unknown {
  return {
    type: 'model',
    id: card.id,
    display_name: displayName(card),
    created_at: CREATED_TEXT,
    // What the vendor says there of its own models is more than the catalogue knows.
    capabilities: null,
    lifecycle: 'active',
    deprecated_at: null,
    retires_at: null,
    line: null,
    max_input_tokens: card.entry.contextTokens,
    max_tokens: card.entry.facts.outputTokensMax,
    ...described(card),
    ...known(card),
  }
}

function geminiEntry(card: ModelCard): unknown {
  const { entry } = card
  const answers = !card.embeds && entry.output.includes('text')
  const methods = answers ? ['generateContent', 'streamGenerateContent', 'countTokens'] : []
  return {
    name: `models/${card.id}`,
    displayName: displayName(card),
    ...described(card),
    ...(entry.contextTokens === null ? {} : { inputTokenLimit: entry.contextTokens }),
    ...(entry.facts.outputTokensMax === null ? {} : { outputTokenLimit: entry.facts.outputTokensMax }),
    supportedGenerationMethods: methods,
    ...known(card),
  }
}

function displayName(card: ModelCard): string {
  return `${card.id} (${card.demo ? 'demonstration, no model' : card.ownedBy})`
}

function described(card: ModelCard): Record<string, unknown> {
  return {
    ...(card.demo ? { description: DEMO_TEXT, demo: true } : {}),
    ...(card.aliasOf === null ? {} : { alias_of: card.aliasOf }),
  }
}

/** What no vendor's list says: modalities and prices, in the words that tools know from routers of models. */
function known(card: ModelCard): Record<string, unknown> {
  const { entry, price } = card
  const output = card.embeds ? ['embeddings'] : entry.output
  const architecture = { input_modalities: entry.input, output_modalities: output }
  const facts = entry.id === null ? {} : { architecture }
  if (price === null) return facts
  const source = price.source === CONFIGURED ? { configured: true } : { url: price.source, as_of: price.asOf }
  return {
    ...facts,
    pricing: {
      ...pricesOf(price),
      ...(price.audioInput === null ? {} : { audio: perToken(price.audioInput) }),
      ...(price.audioOutput === null ? {} : { audio_output: perToken(price.audioOutput) }),
      ...(price.imageInput === null ? {} : { image_token: perToken(price.imageInput) }),
      ...(price.imageOutput === null ? {} : { image_output: perToken(price.imageOutput) }),
      ...(price.reasoning === null ? {} : { internal_reasoning: perToken(price.reasoning) }),
      ...(price.perSecond === null ? {} : { second: decimal(price.perSecond) }),
      ...(price.perSearch === null ? {} : { search: decimal(price.perSearch) }),
      ...(price.tiers.length === 0 ? {} : { tiers: price.tiers.map(tierOf) }),
    },
    pricing_source: { ...source, currency: 'USD' },
  }
}

function tierOf(tier: PriceTier): Record<string, unknown> {
  return { above_prompt_tokens: tier.aboveInputTokens, ...pricesOf(tier) }
}

function pricesOf(prices: TokenPrices): Record<string, string> {
  return {
    prompt: perToken(prices.input),
    completion: perToken(prices.output),
    ...(prices.cacheRead === null ? {} : { input_cache_read: perToken(prices.cacheRead) }),
    ...(prices.cacheWrite === null ? {} : { input_cache_write: perToken(prices.cacheWrite) }),
    ...(prices.cacheWriteLong === null ? {} : { input_cache_write_1h: perToken(prices.cacheWriteLong) }),
  }
}

function perToken(perMillion: number): string {
  return decimal(perMillion / TOKENS_PER_PRICE)
}

function decimal(usd: number): string {
  return usd.toFixed(PRICE_DECIMALS).replace(/\.?0+$/, '')
}

/** Names shown in an error; more would be noise. */
const NAMES_SHOWN_MAX = 12

/** The error of a model that nothing serves, naming what exists. */
export function unknownModel(
  asked: string | null,
  nearest: readonly string[],
  models: readonly PublicModel[],
): GatewayError {
  const names = models.slice(0, NAMES_SHOWN_MAX).map(model => model.id)
  const more = models.length > names.length ? `, and ${models.length - names.length} more at /v1/models` : ''
  const exists = names.length === 0 ? 'no model is configured' : `available: ${names.join(', ')}${more}`
  const guess = nearest.length === 0 ? '' : ` Did you mean ${nearest.join(' or ')}?`
  const what =
    asked === null || asked === ''
      ? 'the request names no model and no default model is configured'
      : `the model \`${printable(asked)}\` does not exist here`
  return new GatewayError('model-not-found', `${what}; ${exists}.${guess}`, {
    param: 'model',
    code: 'model_not_found',
  })
}

/** The error of a bare id that several providers have. */
export function ambiguousModel(asked: string, names: readonly string[]): GatewayError {
  return new GatewayError(
    'bad-request',
    `several providers have a model \`${printable(asked)}\`; name one: ${names.slice(0, NAMES_SHOWN_MAX).join(', ')}`,
    { param: 'model', code: 'ambiguous_model' },
  )
}

/** Caller's text in a message: short, printable. */
function printable(text: string): string {
  const clean = text.replace(/[\x00-\x1f\x7f`]/g, '?')
  return clean.length > 100 ? `${clean.slice(0, 100)}…` : clean
}

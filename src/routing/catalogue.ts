// The model catalogue: what is known of models as data (`config/models.json`). Owns matching an id to an entry;
// refuses to guess: a model that no entry matches has the conservative facts of an unknown one and no price.
// The trick: ids are brought to one spelling first (case, dots, vendor and region prefixes), then the longest entry
// that the id begins with, up to a separator, wins.

import { readFileSync } from 'node:fs'
import { type ModelFacts, UNKNOWN_MODEL } from '../translate/index.ts'

/** US dollars per million tokens; null where the vendor names none of its own. */
export interface TokenPrices {
  readonly input: number
  readonly output: number
  readonly cacheRead: number | null
  readonly cacheWrite: number | null
  /** Cache writes with the long lifetime. */
  readonly cacheWriteLong: number | null
}

/** What calls with a longer prompt cost, all of their tokens. */
export interface PriceTier extends TokenPrices {
  readonly aboveInputTokens: number
}

export interface ModelPrice extends TokenPrices {
  /** Kinds of tokens with a price of their own; null where they cost what others do. */
  readonly reasoning: number | null
  readonly audioInput: number | null
  readonly audioOutput: number | null
  readonly imageInput: number | null
  readonly imageOutput: number | null
  /** From the shortest prompts to the longest; empty for one price. */
  readonly tiers: readonly PriceTier[]
  /** US dollars for what is not counted in tokens. */
  readonly perSecond: number | null
  readonly perSearch: number | null
  /** Where the figures were read. */
  readonly source: string
  /** The day they were read, `YYYY-MM-DD`. */
  readonly asOf: string
}

export interface CatalogueEntry {
  /** Id as in the catalogue; null for a model that no entry matches. */
  readonly id: string | null
  readonly facts: ModelFacts
  readonly contextTokens: number | null
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly price: ModelPrice | null
}

interface RawModel {
  readonly id: string
  readonly provider?: string
  /** The vendor's full id, where `id` is only its beginning. */
  readonly soldAs?: string
  readonly profile?: string
  readonly contextTokens?: number
  readonly outputTokensMax?: number
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly price?: RawPrice
}

interface RawTokenPrices {
  readonly input?: number
  readonly output?: number
  readonly cacheRead?: number
  readonly cacheWrite?: number
  readonly cacheWriteLong?: number
}

interface RawPrice extends RawTokenPrices {
  readonly reasoning?: number
  readonly audioInput?: number
  readonly audioOutput?: number
  readonly imageInput?: number
  readonly imageOutput?: number
  readonly tiers?: readonly (RawTokenPrices & { readonly aboveInputTokens: number })[]
  readonly perSecond?: number
  readonly perSearch?: number
  readonly source: string
  /** In place of the day of the whole file. */
  readonly asOf?: string
}

export interface RawCatalogue {
  readonly pricesAsOf: string
  readonly profiles: Readonly<Record<string, Partial<ModelFacts>>>
  readonly models: readonly RawModel[]
}

const UNKNOWN_ENTRY: CatalogueEntry = {
  id: null,
  facts: UNKNOWN_MODEL,
  contextTokens: null,
  input: ['text'],
  output: ['text'],
  price: null,
}

/** Answers remembered; ids come from configurations and wildcards, so the set is small, but callers could invent. */
const REMEMBERED_MAX = 4_096

export class Catalogue {
  private readonly entries: ReadonlyMap<string, CatalogueEntry>
  private readonly found: Map<string, CatalogueEntry> = new Map()
  private readonly sold: ReadonlyMap<string, readonly string[]>

  constructor(raw: RawCatalogue) {
    this.sold = soldBy(raw.models)
    this.entries = new Map(raw.models.map(model => [plainId(model.id), entryOf(model, raw)]))
  }

  /** The entry of a model id in any vendor's spelling; an unknown model gets the conservative one. */
  find(model: string): CatalogueEntry {
    let entry = this.found.get(model)
    if (entry === undefined) {
      entry = this.search(plainId(model))
      if (this.found.size >= REMEMBERED_MAX) this.found.clear()
      this.found.set(model, entry)
    }
    return entry
  }

  /** Ids that the catalogue knows at a provider, in its order. */
  modelsOf(provider: string): readonly string[] {
    return this.sold.get(provider) ?? []
  }

  private search(id: string): CatalogueEntry {
    for (let end = id.length; end > 0; end -= 1) {
      if (end < id.length && !isSeparator(id.charCodeAt(end))) continue
      const entry = this.entries.get(id.slice(0, end))
      if (entry !== undefined) return entry
    }
    return UNKNOWN_ENTRY
  }
}

function soldBy(models: readonly RawModel[]): ReadonlyMap<string, readonly string[]> {
  const sold = new Map<string, string[]>()
  for (const { id, provider, soldAs = id } of models) {
    if (provider === undefined) continue
    const ids = sold.get(provider)
    if (ids === undefined) sold.set(provider, [soldAs])
    else ids.push(soldAs)
  }
  return sold
}

function isSeparator(code: number): boolean {
  return code === 0x2d || code === 0x3a || code === 0x40 || code === 0x5f
}

/** Bedrock's region and vendor in front of a model id. */
const BEDROCK_PREFIX =
  /^(?:(?:us|eu|ap|apac|au|ca|jp|sa|me|af|us-gov|global)\.)?(?:anthropic|amazon|meta|mistral|cohere|deepseek|openai|qwen|ai21)\./

/** One spelling for all: last path segment, lower case, dashes for dots. */
function plainId(model: string): string {
  const lower = model.toLowerCase()
  const last = lower.slice(lower.lastIndexOf('/') + 1)
  return last.replace(BEDROCK_PREFIX, '').replaceAll('.', '-')
}

function entryOf(model: RawModel, raw: RawCatalogue): CatalogueEntry {
  const profile = model.profile === undefined ? {} : raw.profiles[model.profile]
  if (profile === undefined)
    throw new Error(`the catalogue has no profile ${model.profile} (model ${model.id})`)
  const takes = (kind: string): boolean => model.input.includes(kind)
  return {
    id: model.id,
    facts: {
      ...UNKNOWN_MODEL,
      ...profile,
      outputTokensMax: model.outputTokensMax ?? null,
      images: takes('image'),
      documents: takes('document'),
      audio: takes('audio'),
      video: takes('video'),
    },
    contextTokens: model.contextTokens ?? null,
    input: model.input,
    output: model.output,
    price: priceOf(model, raw.pricesAsOf),
  }
}

function priceOf(model: RawModel, asOf: string): ModelPrice | null {
  const { price } = model
  if (price === undefined) return null
  const tiers = (price.tiers ?? []).map(tier => ({
    ...tokenPrices(tier),
    aboveInputTokens: tier.aboveInputTokens,
  }))
  return {
    ...tokenPrices(price),
    reasoning: price.reasoning ?? null,
    audioInput: price.audioInput ?? null,
    audioOutput: price.audioOutput ?? null,
    imageInput: price.imageInput ?? null,
    imageOutput: price.imageOutput ?? null,
    tiers: tiers.sort((a, b) => a.aboveInputTokens - b.aboveInputTokens),
    perSecond: price.perSecond ?? null,
    perSearch: price.perSearch ?? null,
    source: price.source,
    asOf: price.asOf ?? asOf,
  }
}

function tokenPrices(raw: RawTokenPrices): TokenPrices {
  return {
    input: raw.input ?? 0,
    output: raw.output ?? 0,
    cacheRead: raw.cacheRead ?? null,
    cacheWrite: raw.cacheWrite ?? null,
    cacheWriteLong: raw.cacheWriteLong ?? null,
  }
}

/** A price as a configuration writes it: for tokens alone. */
export function plainPrice(prices: TokenPrices, source: string): ModelPrice {
  const { input, output, cacheRead, cacheWrite, cacheWriteLong } = prices
  return {
    input,
    output,
    cacheRead,
    cacheWrite,
    cacheWriteLong,
    reasoning: null,
    audioInput: null,
    audioOutput: null,
    imageInput: null,
    imageOutput: null,
    tiers: [],
    perSecond: null,
    perSearch: null,
    source,
    asOf: '',
  }
}

let shipped: Catalogue | null = null

/** The catalogue that ships with the package, read once per thread. */
export function loadCatalogue(): Catalogue {
  shipped ??= readCatalogue()
  return shipped
}

/** Ids the shipped catalogue knows at a provider. */
export function knownModels(provider: string): readonly string[] {
  return loadCatalogue().modelsOf(provider)
}

/** Found from the sources and from the build alike. */
function readCatalogue(): Catalogue {
  for (const path of ['../../config/models.json', '../../../config/models.json']) {
    const url = new URL(path, import.meta.url)
    let text: string
    try {
      text = readFileSync(url, 'utf8')
    } catch {
      continue
    }
    return new Catalogue(JSON.parse(text) as RawCatalogue)
  }
  throw new Error('config/models.json is missing from the installation')
}

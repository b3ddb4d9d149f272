// The model catalogue: what is known of models as data (`config/models.json`). Owns matching an id to an entry;
// refuses to guess: a model that no entry matches has the conservative facts of an unknown one and no price.
// The trick: ids are brought to one spelling first (case, dots, vendor and region prefixes), then the longest entry
// that the id begins with, up to a separator, wins.

import { readFileSync } from 'node:fs'
import { type ModelFacts, UNKNOWN_MODEL } from '../translate/index.ts'

/** US dollars per million tokens; null where the vendor names none of its own. */
export interface ModelPrice {
  readonly input: number
  readonly output: number
  readonly cacheRead: number | null
  readonly cacheWrite: number | null
  /** Cache writes with the long lifetime. */
  readonly cacheWriteLong: number | null
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
  readonly profile?: string
  readonly contextTokens?: number
  readonly outputTokensMax?: number
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly price?: {
    readonly input: number
    readonly output?: number
    readonly cacheRead?: number
    readonly cacheWrite?: number
    readonly cacheWriteLong?: number
    readonly source: string
  }
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
  for (const { id, provider } of models) {
    if (provider === undefined) continue
    const ids = sold.get(provider)
    if (ids === undefined) sold.set(provider, [id])
    else ids.push(id)
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
  return {
    input: price.input,
    output: price.output ?? 0,
    cacheRead: price.cacheRead ?? null,
    cacheWrite: price.cacheWrite ?? null,
    cacheWriteLong: price.cacheWriteLong ?? null,
    source: price.source,
    asOf,
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

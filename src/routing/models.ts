// Which provider entry a model name means. Built once per plan; a lookup is two map reads for a name that exists.
//
// Order: alias (one hop), full name, bare model id, `vendor/model` under another spelling of the vendor, wildcard
// with the longest prefix, and for a prefix that nobody knows the bare id behind it. A bare id never crosses from one
// known vendor to another.

import { nearestNames } from '../common/nearest.ts'
import { type Plan, type ProviderPlan, vendorNamed } from '../common/config/index.ts'
import { knownModels } from './catalogue.ts'

export interface FoundModel {
  readonly provider: ProviderPlan
  /** Model id to send. */
  readonly upstreamModel: string
}

export interface UnknownModel {
  /** Nearest names that exist. */
  readonly unknown: string[]
}

/** One line of `/v1/models`. */
export interface PublicModel {
  readonly id: string
  readonly ownedBy: string
}

/** A guess longer than this is no guess. */
const NEAREST_MAX = 3
/** Some clients write this instead of leaving the model out. */
const NO_MODEL = 'none'

export class ModelIndex {
  /** Aliases, names and bare ids. */
  readonly exact = new Map<string, FoundModel>()
  /** Wildcards by prefix. */
  readonly wildcards = new Map<string, ProviderPlan>()
  /** Served when none is named. */
  readonly fallback: FoundModel | null
  /** Names for guesses. */
  readonly names: readonly string[]

  constructor(plan: Plan) {
    const listed = plan.providers.filter(provider => provider.wildcardPrefix === null)
    for (const provider of listed) this.add(provider.name, entry(provider))
    // The first entry of a bare id keeps it; a full name of another entry is stronger.
    for (const provider of listed) {
      this.add(provider.model, entry(provider))
      this.add(`${provider.provider}/${provider.model}`, entry(provider))
    }
    for (const provider of plan.providers) {
      if (provider.wildcardPrefix === null) continue
      // Of two equal wildcards the later one wins, as it always did.
      this.wildcards.set(provider.wildcardPrefix, provider)
    }
    for (const [alias, name] of Object.entries(plan.aliases)) {
      const target = listed.find(provider => provider.name === name)
      if (target !== undefined) this.exact.set(alias, entry(target))
    }
    for (const { id } of expandedModels(plan)) this.add(id.slice(id.indexOf('/') + 1), this.under(id))
    const chosen = listed.find(provider => provider.isDefault)
    this.fallback = chosen === undefined ? null : entry(chosen)
    this.names = [...publicModels(plan).map(model => model.id), ...Object.keys(plan.aliases)]
  }

  private add(name: string, found: FoundModel | null): void {
    if (found !== null && !this.exact.has(name)) this.exact.set(name, found)
  }

  /** The wildcard with the longest prefix of `asked`; the id behind the first slash goes upstream as it is. */
  under(asked: string): FoundModel | null {
    const first = asked.indexOf('/')
    for (let end = asked.lastIndexOf('/'); end > 0; end = asked.lastIndexOf('/', end - 1)) {
      const provider = this.wildcards.get(asked.slice(0, end))
      if (provider === undefined || end === asked.length - 1) continue
      return { provider, upstreamModel: asked.slice(first + 1) }
    }
    return null
  }
}

export function buildModelIndex(plan: Plan): ModelIndex {
  return new ModelIndex(plan)
}

export function findModel(index: ModelIndex, asked: string | null): FoundModel | UnknownModel {
  if (asked === null || asked === '' || asked === NO_MODEL) {
    return index.exact.get(NO_MODEL) ?? index.fallback ?? { unknown: [] }
  }
  const exact = index.exact.get(asked) ?? index.under(asked)
  if (exact !== null) return exact
  const slash = asked.indexOf('/')
  if (slash > 0) {
    const found = underOtherSpelling(index, asked.slice(0, slash), asked.slice(slash + 1))
    if (found !== null) return found
  }
  return { unknown: nearestNames(asked, index.names, NEAREST_MAX) }
}

function underOtherSpelling(index: ModelIndex, prefix: string, id: string): FoundModel | null {
  const vendor = vendorNamed(prefix)
  if (vendor === null) return index.exact.get(id) ?? null
  if (vendor.id === prefix) return null
  const name = `${vendor.id}/${id}`
  return index.exact.get(name) ?? index.under(name)
}

/** What `/v1/models` lists: every entry under its name, and the known models of wildcards. */
export function publicModels(plan: Plan): PublicModel[] {
  const listed = plan.providers
    .filter(provider => provider.wildcardPrefix === null && !provider.internal)
    .map(provider => ({ id: provider.name, ownedBy: provider.provider }))
  const names = new Set(listed.map(model => model.id))
  return [...listed, ...expandedModels(plan).filter(model => !names.has(model.id))]
}

/** Known models of wildcards that answer to their vendor's own name, without those listed one by one. */
function expandedModels(plan: Plan): PublicModel[] {
  const models: PublicModel[] = []
  const explicit = new Set(
    plan.providers.filter(one => one.wildcardPrefix === null).map(one => `${one.provider}/${one.model}`),
  )
  for (const provider of plan.providers) {
    if (provider.wildcardPrefix !== provider.provider || provider.internal) continue
    for (const model of knownModels(provider.provider)) {
      const id = `${provider.wildcardPrefix}/${model}`
      if (!explicit.has(id)) models.push({ id, ownedBy: provider.provider })
    }
  }
  return models
}

function entry(provider: ProviderPlan): FoundModel {
  return { provider, upstreamModel: provider.model }
}

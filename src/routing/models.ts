// Which provider entry a model name means. Built once per plan; a lookup is two map reads for a name that exists.
//
// Order: alias (one hop), full name, bare model id, `vendor/model` under another spelling of the vendor, wildcard
// with the longest prefix, and for a prefix that nobody knows the bare id behind it. A bare id never crosses from one
// known vendor to another, and one that several entries have means none of them. Internal entries are invisible.

import type { Plan, ProviderPlan } from '../common/config/index.ts'
// Not through the door: a shard would load the schema and the YAML reader with it.
import { vendorNamed } from '../common/config/vendors.ts'
import { nearestNames } from '../common/nearest.ts'
import { knownModels } from './catalogue.ts'

export interface FoundModel {
  readonly provider: ProviderPlan
  /** Model id to send. */
  readonly upstreamModel: string
}

export interface UnknownModel {
  /** Nearest names that exist; for a bare id of several entries, the full names of all. */
  readonly unknown: string[]
  /** The name is a bare id that several entries have. */
  readonly ambiguous: boolean
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
/** Owner of an alias in lists. */
const ALIAS_OWNER = 'alias'

export class ModelIndex {
  /** Aliases, names and bare ids. */
  readonly exact: Map<string, FoundModel> = new Map()
  /** Bare ids of several entries → their full names. */
  readonly ambiguous: Map<string, string[]> = new Map()
  /** Wildcards by prefix. */
  readonly wildcards: Map<string, ProviderPlan> = new Map()
  /** Served when none is named. */
  readonly fallback: FoundModel | null
  /** Names for guesses. */
  readonly names: readonly string[]

  constructor(plan: Plan) {
    const visible = plan.providers.filter(provider => !provider.internal)
    const listed = visible.filter(provider => provider.wildcardPrefix === null)
    for (const provider of listed) this.exact.set(provider.name, entry(provider))
    for (const provider of listed) this.add(`${provider.provider}/${provider.model}`, entry(provider))
    this.addBareIds(listed)
    for (const provider of visible) {
      // Of two equal wildcards the later one wins, as it always did.
      if (provider.wildcardPrefix !== null) this.wildcards.set(provider.wildcardPrefix, provider)
    }
    for (const [alias, name] of Object.entries(plan.aliases)) {
      const target = listed.find(provider => provider.name === name)
      if (target !== undefined) this.exact.set(alias, entry(target))
    }
    // A bare name of a wildcard's model means the earliest wildcard that covers it, unless an entry has it.
    for (const { id } of expandedModels(plan)) this.add(id.slice(id.indexOf('/') + 1), this.under(id))
    const chosen = listed.find(provider => provider.isDefault)
    this.fallback = chosen === undefined ? null : entry(chosen)
    this.names = publicModels(plan).map(model => model.id)
  }

  private addBareIds(listed: readonly ProviderPlan[]): void {
    const owners = new Map<string, ProviderPlan[]>()
    for (const provider of listed) {
      const known = owners.get(provider.model)
      if (known === undefined) owners.set(provider.model, [provider])
      else known.push(provider)
    }
    for (const [id, providers] of owners) {
      if (providers.length === 1) this.add(id, entry(providers[0]!))
      else if (!this.exact.has(id)) {
        this.ambiguous.set(
          id,
          providers.map(provider => provider.name),
        )
      }
    }
  }

  private add(name: string, found: FoundModel | null): void {
    if (found !== null && !this.exact.has(name) && !this.ambiguous.has(name)) this.exact.set(name, found)
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
    return index.exact.get(NO_MODEL) ?? index.fallback ?? { unknown: [], ambiguous: false }
  }
  const exact = index.exact.get(asked) ?? index.under(asked)
  if (exact !== null) return exact
  const several = index.ambiguous.get(asked)
  if (several !== undefined) return { unknown: [...several], ambiguous: true }
  const slash = asked.indexOf('/')
  if (slash > 0) {
    const found = underOtherSpelling(index, asked.slice(0, slash), asked.slice(slash + 1))
    if (found !== null) return found
  }
  return { unknown: nearestNames(asked, index.names, NEAREST_MAX), ambiguous: false }
}

function underOtherSpelling(index: ModelIndex, prefix: string, id: string): FoundModel | UnknownModel | null {
  const vendor = vendorNamed(prefix)
  if (vendor === null) {
    const several = index.ambiguous.get(id)
    if (several !== undefined) return { unknown: [...several], ambiguous: true }
    return index.exact.get(id) ?? null
  }
  if (vendor.id === prefix) return null
  const name = `${vendor.id}/${id}`
  return index.exact.get(name) ?? index.under(name)
}

/** What `/v1/models` lists: entries in the order of the file, known models of wildcards by id, then aliases. */
export function publicModels(plan: Plan): PublicModel[] {
  const listed = plan.providers
    .filter(provider => provider.wildcardPrefix === null && !provider.internal)
    .map(provider => ({ id: provider.name, ownedBy: ownerOf(provider) }))
  const names = new Set(listed.map(model => model.id))
  const expanded = expandedModels(plan).filter(model => !names.has(model.id))
  const aliases = Object.keys(plan.aliases).map(id => ({ id, ownedBy: ALIAS_OWNER }))
  return [...listed, ...expanded, ...aliases.filter(model => !names.has(model.id))]
}

/** Known models of wildcards that answer to their vendor's own name, without those listed one by one. */
function expandedModels(plan: Plan): PublicModel[] {
  const seen = new Set(
    plan.providers
      .filter(provider => provider.wildcardPrefix === null)
      .map(provider => `${provider.provider}/${provider.model}`),
  )
  const models: PublicModel[] = []
  for (const provider of plan.providers) {
    if (provider.wildcardPrefix !== provider.provider || provider.internal) continue
    const ids = [...knownModels(provider.provider)].sort()
    for (const model of ids) {
      const id = `${provider.wildcardPrefix}/${model}`
      if (seen.has(id)) continue
      seen.add(id)
      models.push({ id, ownedBy: ownerOf(provider) })
    }
  }
  return models
}

function ownerOf(provider: ProviderPlan): string {
  return vendorNamed(provider.provider)?.label ?? provider.provider
}

function entry(provider: ProviderPlan): FoundModel {
  return { provider, upstreamModel: provider.model }
}

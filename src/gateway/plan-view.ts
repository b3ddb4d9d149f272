// A plan made ready for the hot path: lookups are maps, per-listener constants are computed once. One per plan
// and shard; an exchange pins the view it started with.

import type { ListenerPlan, Plan } from '../common/config/index.ts'
import {
  bodyFixups,
  type HostTraits,
  hostTraits,
  passesCacheMarks,
  reasoningFamily,
} from '../providers/index.ts'
import { buildModelIndex, type ModelIndex, type ModelPrice, publicModels } from '../routing/index.ts'
import { type BodyFixups, type DialectId, type TargetFacts, targetFacts } from '../translate/index.ts'
import { type Deadlines, RetryBudget } from '../upstream/index.ts'
import type { PublicModel } from './model-lists.ts'
import type { Services } from './services.ts'
import type { GatewayLane, Target } from './stages/route.ts'

export interface ListenerView {
  readonly plan: ListenerPlan
  readonly deadlines: Deadlines
}

/** Characters of the plan hash shown in replies: enough to tell plans apart, short on every reply. */
const HASH_SHOWN_CHARS = 12

/** Facts kept per provider, model and dialect; wildcards could otherwise fill memory with invented names. */
const FACTS_KEPT_MAX = 2_048

export class PlanView {
  readonly plan: Plan
  readonly hash: string
  readonly models: ModelIndex
  readonly publicModels: readonly PublicModel[]
  private readonly listeners: ReadonlyMap<string, ListenerView>
  private readonly services: Services
  private readonly budgets: Map<string, RetryBudget> = new Map()
  private readonly facts: Map<string, TargetFacts> = new Map()
  private readonly fixups: Map<string, BodyFixups | null> = new Map()

  constructor(plan: Plan, services: Services) {
    this.plan = plan
    this.services = services
    this.hash = plan.hash.slice(0, HASH_SHOWN_CHARS)
    this.models = buildModelIndex(plan)
    this.publicModels = publicModels(plan)
    this.listeners = new Map(plan.listeners.map(listener => [listener.name, listenerView(listener, plan)]))
  }

  /** The view of a listener; connections of a listener that a reload removed fall back to the first. */
  listener(name: string): ListenerView {
    return this.listeners.get(name) ?? this.listeners.values().next().value!
  }

  /** A target with each of its keys, those with more weight more often first. */
  lanes(target: Target, random: () => number): GatewayLane[] {
    const { provider } = target
    const keys = shuffled(provider.accessKeys, random)
    const budget = this.budget(provider.origin)
    const siblings = Math.max(0, keys.length - 1)
    if (keys.length === 0) return [{ target, key: null, siblings, budget, cell: this.cell(provider.name, 0) }]
    return keys.map(({ index, secret }) => ({
      target,
      key: secret,
      siblings,
      budget,
      cell: this.cell(provider.name, index),
    }))
  }

  /** The configured price of a target, else the catalogue's. */
  price(target: Target): ModelPrice | null {
    const { provider, model } = target
    const prices = this.plan.features?.prices ?? {}
    const own = prices[provider.name] ?? prices[`${provider.provider}/${model}`] ?? prices[model]
    if (own === undefined) return this.services.catalogue.find(model).price
    return { ...own, cacheWriteLong: null, source: 'configuration', asOf: '' }
  }

  traits(target: Target): HostTraits {
    return hostTraits(target.provider)
  }

  /** What must change in a finished body before the target takes it; null for most. */
  bodyFixups(target: Target, dialect: DialectId): BodyFixups | null {
    const { provider, model } = target
    const key = `${provider.name}\n${model}\n${dialect}`
    let fixups = this.fixups.get(key)
    if (fixups === undefined) {
      const { id, facts } = this.services.catalogue.find(model)
      fixups = bodyFixups(provider, model, dialect, id === null ? null : facts)
      if (this.fixups.size >= FACTS_KEPT_MAX) this.fixups.clear()
      this.fixups.set(key, fixups)
    }
    return fixups
  }

  /** What a prompt writer must know of a target. */
  targetFacts(target: Target, dialect: DialectId): TargetFacts {
    const { provider, model } = target
    const key = `${provider.name}\n${model}\n${dialect}`
    let facts = this.facts.get(key)
    if (facts === undefined) {
      const traits = hostTraits(provider)
      const known = this.services.catalogue.find(model).facts
      const marks = known.cacheMarks && passesCacheMarks(provider.provider, dialect)
      facts = targetFacts(model, reasoningFamily(provider.provider, dialect), {
        facts: { ...known, ...traits.facts, cacheMarks: marks },
        limitMember: traits.limitMember,
        systemRole: traits.systemRole,
        firstParty: traits.firstParty,
        callIds: traits.callIds,
      })
      if (this.facts.size >= FACTS_KEPT_MAX) this.facts.clear()
      this.facts.set(key, facts)
    }
    return facts
  }

  private cell(provider: string, key: number) {
    return this.services.breakers.cell(`${provider}\n${key}`)
  }

  private budget(origin: string): RetryBudget {
    let budget = this.budgets.get(origin)
    if (budget === undefined) {
      budget = new RetryBudget(this.services.clock)
      this.budgets.set(origin, budget)
    }
    return budget
  }
}

interface IndexedKey {
  readonly index: number
  readonly secret: string
}

/** Keys in random order; the chance to be first is the share of the weight. */
function shuffled(
  keys: readonly { readonly secret: string; readonly weight: number }[],
  random: () => number,
): readonly IndexedKey[] {
  const indexed = keys.map(({ secret, weight }, index) => ({ index, secret, weight }))
  if (indexed.length < 2) return indexed
  // Efraimidis and Spirakis: sorting by random^(1/weight) draws without replacement in proportion to the weights.
  return indexed
    .map(key => ({ key, rank: random() ** (1 / key.weight) }))
    .sort((one, other) => other.rank - one.rank)
    .map(({ key }) => key)
}

function listenerView(listener: ListenerPlan, plan: Plan): ListenerView {
  const { connectMs, headersMs, firstByteMs, betweenBytesMs } = plan.upstream
  return {
    plan: listener,
    deadlines: { connectMs, headersMs, firstByteMs, betweenBytesMs, totalMs: listener.timeoutMs },
  }
}

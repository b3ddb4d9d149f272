// A target made ready for the hot path: its lanes, price and peculiarities, computed once per plan and shard.

import {
  bodyFixups,
  type HostTraits,
  hostTraits,
  passesCacheMarks,
  reasoningFamily,
} from '../providers/index.ts'
// Not through the door: a shard would load the schema and the YAML reader with it.
import { atHosts } from '../common/config/hosts.ts'
import type { ModelPrice } from '../routing/index.ts'
import { type BodyFixups, type DialectId, type TargetFacts, targetFacts } from '../translate/index.ts'
import { LaneBreaker, type RetryBudget } from '../upstream/index.ts'
import type { Services } from './services.ts'
import type { GatewayLane, Target } from './stages/route.ts'

export class TargetView {
  readonly traits: HostTraits
  readonly price: ModelPrice | null
  private readonly target: Target
  private readonly services: Services
  /** One lane per host and key, in the order of the file; made when first asked for. */
  private made: WeightedLanes | null = null
  private readonly budgetOf: (origin: string) => RetryBudget
  private readonly fixups: Map<DialectId, BodyFixups | null> = new Map()
  private readonly facts: Map<DialectId, TargetFacts> = new Map()

  constructor(
    target: Target,
    services: Services,
    budgetOf: (origin: string) => RetryBudget,
    ownPrice: ModelPrice | null,
  ) {
    const { provider } = target
    this.target = target
    this.services = services
    this.budgetOf = budgetOf
    this.traits = hostTraits(provider)
    this.price = ownPrice ?? services.catalogue.find(target.model).price
  }

  /** The lanes in the order of trying: those with more weight more often first. */
  lanes(random: () => number): readonly GatewayLane[] {
    this.made ??= this.makeLanes()
    const { lanes, weights } = this.made
    return lanes.length < 2 ? lanes : shuffled(lanes, weights, random)
  }

  private makeLanes(): WeightedLanes {
    const { provider, model } = this.target
    const keys = provider.accessKeys.length === 0 ? [KEYLESS] : provider.accessKeys
    const hosts = atHosts(provider)
    const lanes: GatewayLane[] = []
    const weights: number[] = []
    for (const [host, at] of hosts.entries()) {
      const target = { provider: at, model }
      const budget = this.budgetOf(at.origin)
      for (const [key, { secret, weight }] of keys.entries()) {
        const cell = new LaneBreaker(this.services.breakers, {
          entry: provider.name,
          key,
          host: at.hosts?.[0]?.label ?? null,
          // Whoever asks a wildcard for a model names it, and others ask for others.
          model: provider.wildcardPrefix === null ? null : model,
        })
        const otherLanes = hosts.length * keys.length > 1
        lanes.push({ target, cell, budget, host, key: secret, otherKeys: keys.length > 1, otherLanes })
        weights.push(weight * (at.hosts?.[0]?.weight ?? 1))
      }
    }
    return { lanes, weights }
  }

  /** What must change in a finished body before the target takes it; null for most. */
  bodyFixups(dialect: DialectId): BodyFixups | null {
    let fixups = this.fixups.get(dialect)
    if (fixups === undefined) {
      const { provider, model } = this.target
      const { id, facts } = this.services.catalogue.find(model)
      fixups = bodyFixups(provider, model, dialect, id === null ? null : facts)
      this.fixups.set(dialect, fixups)
    }
    return fixups
  }

  /** What a prompt writer must know of the target. */
  targetFacts(dialect: DialectId): TargetFacts {
    let facts = this.facts.get(dialect)
    if (facts === undefined) {
      const { provider, model } = this.target
      const { traits } = this
      const known = this.services.catalogue.find(model).facts
      const marks = known.cacheMarks && passesCacheMarks(provider.provider, dialect)
      facts = targetFacts(model, reasoningFamily(provider.provider, dialect), {
        facts: { ...known, ...traits.facts, cacheMarks: marks },
        limitMember: traits.limitMember,
        systemRole: traits.systemRole,
        firstParty: traits.firstParty,
        callIds: traits.callIds,
      })
      this.facts.set(dialect, facts)
    }
    return facts
  }
}

interface WeightedLanes {
  readonly lanes: readonly GatewayLane[]
  readonly weights: readonly number[]
}

const KEYLESS = { secret: null, weight: 1 }

/** Lanes in random order; the chance to be first is the share of the weight. */
function shuffled(
  lanes: readonly GatewayLane[],
  weights: readonly number[],
  random: () => number,
): readonly GatewayLane[] {
  // Efraimidis and Spirakis: sorting by random^(1/weight) draws without replacement in proportion to the weights.
  return lanes
    .map((lane, at) => ({ lane, rank: random() ** (1 / weights[at]!) }))
    .sort((one, other) => other.rank - one.rank)
    .map(({ lane }) => lane)
}

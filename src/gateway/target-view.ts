// A target made ready for the hot path: its lanes, price and peculiarities, computed once per plan and shard.

import {
  bodyFixups,
  type HostTraits,
  hostTraits,
  passesCacheMarks,
  reasoningFamily,
} from '../providers/index.ts'
import type { ModelPrice } from '../routing/index.ts'
import { type BodyFixups, type DialectId, type TargetFacts, targetFacts } from '../translate/index.ts'
import { breakerKey, type RetryBudget } from '../upstream/index.ts'
import type { Services } from './services.ts'
import type { GatewayLane, Target } from './stages/route.ts'

export class TargetView {
  readonly traits: HostTraits
  readonly price: ModelPrice | null
  private readonly target: Target
  private readonly services: Services
  /** One lane per key, in the order of the file. */
  private readonly lanesByKey: readonly GatewayLane[]
  private readonly weights: readonly number[]
  private readonly fixups: Map<DialectId, BodyFixups | null> = new Map()
  private readonly facts: Map<DialectId, TargetFacts> = new Map()

  constructor(target: Target, services: Services, budget: RetryBudget, ownPrice: ModelPrice | null) {
    const { provider } = target
    const { accessKeys } = provider
    this.target = target
    this.services = services
    this.traits = hostTraits(provider)
    this.price = ownPrice ?? services.catalogue.find(target.model).price
    const keys = accessKeys.length === 0 ? [null] : accessKeys.map(key => key.secret)
    this.weights = accessKeys.map(key => key.weight)
    this.lanesByKey = keys.map((key, index) => ({
      target,
      key,
      siblings: keys.length - 1,
      budget,
      cell: services.breakers.cell(breakerKey(provider.name, index)),
    }))
  }

  /** The lanes in the order of trying: those with more weight more often first. */
  lanes(random: () => number): readonly GatewayLane[] {
    return this.lanesByKey.length < 2 ? this.lanesByKey : shuffled(this.lanesByKey, this.weights, random)
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

// Which upstreams and keys are not called just now: for the metrics and for `/readyz`. The breakers are shared by all
// shards, so they are read once, here, and not summed over shards. Keys are shown by their place in the file; of the
// models of wildcards, which callers name, `/readyz` tells the names and metrics the number.

import type { Clock } from './common/clock.ts'
import { atHosts, hostLabel, type Plan } from './common/config/index.ts'
import { METRICS, type MetricSpec, type Snapshot } from './telemetry/index.ts'
import { BreakerTable, breakerKey, type BreakerFacts, LaneBreaker } from './upstream/index.ts'

interface Lane extends BreakerFacts {
  readonly entry: string
  readonly key: number
  readonly host: string
  /** The entry has other hosts, so messages name this one. */
  readonly oneOfMany: boolean
  /** What its breakers are called. */
  readonly way: string
  /** Models of a wildcard that are not called just now, in words. */
  readonly models: readonly string[]
}

const STATE_VALUES = { closed: 0, 'half-open': 1, open: 2 } as const
const SECOND_MS = 1_000

/** Lines of a report: an outage of everything is told by its first lines. */
const TROUBLES_MAX = 100

export class LaneReport {
  private readonly breakers: BreakerTable

  constructor(memory: SharedArrayBuffer, clock: Clock) {
    this.breakers = new BreakerTable(memory, clock)
  }

  snapshot(plan: Plan): Snapshot {
    const lanes = this.lanes(plan)
    const rows = ({ name }: MetricSpec, value: (lane: Lane) => number): Snapshot[number] => ({
      name,
      rows: lanes.map(lane => ({
        labels: [lane.entry, String(lane.key), lane.host],
        values: [value(lane)],
      })),
    })
    return [
      rows(METRICS.breakerState, ({ state }) => STATE_VALUES[state]),
      rows(METRICS.breakerOpenings, ({ openings }) => openings),
      rows(METRICS.breakerModels, ({ models }) => models.length),
      rows(METRICS.keyRest, ({ restMs }) => restMs / SECOND_MS),
    ]
  }

  /** What is not called just now, in words; empty when everything is. */
  troubles(plan: Plan): readonly string[] {
    const found: string[] = []
    for (const lane of this.lanes(plan)) {
      const { entry, key, host, oneOfMany, models } = lane
      const place = oneOfMany ? `${entry}, key ${key}, host ${host}` : `${entry}, key ${key}`
      const words = wordsOf(lane)
      if (words !== null) found.push(`${place}: ${words}`)
      for (const model of models) found.push(`${place}, ${model}`)
    }
    return found.slice(0, TROUBLES_MAX)
  }

  private lanes(plan: Plan): readonly Lane[] {
    const lanes: Lane[] = []
    const names = new Set<string>()
    const models = this.models(plan)
    for (const provider of plan.providers) {
      const { accessKeys, name: entry } = provider
      const hosts = atHosts(provider)
      for (let key = 0; key < Math.max(1, accessKeys.length); key += 1) {
        names.add(breakerKey(entry, key))
        for (const at of hosts) {
          const place = at.hosts?.[0]?.label ?? null
          const way = breakerKey(entry, key, place)
          names.add(way)
          const facts = new LaneBreaker(this.breakers, { entry, key, host: place, model: null }).facts()
          lanes.push({
            entry,
            key,
            host: hostLabel(at),
            oneOfMany: hosts.length > 1,
            way,
            models: models.get(way) ?? [],
            ...facts,
          })
        }
      }
    }
    this.breakers.keepOnly(names)
    return lanes
  }

  private models(plan: Plan): ReadonlyMap<string, string[]> {
    const ways = new Set<string>()
    for (const provider of plan.providers) {
      if (provider.wildcardPrefix === null) continue
      for (let key = 0; key < Math.max(1, provider.accessKeys.length); key += 1) {
        for (const at of atHosts(provider)) {
          ways.add(breakerKey(provider.name, key, at.hosts?.[0]?.label ?? null))
        }
      }
    }
    const byWay = new Map<string, string[]>()
    for (const { way, model, ...facts } of ways.size === 0 ? [] : this.breakers.modelTroubles(ways)) {
      const found = byWay.get(way) ?? []
      byWay.set(way, found)
      found.push(`model ${model}: ${wordsOf(facts)}`)
    }
    return byWay
  }
}

/** Null when there is nothing to tell. */
function wordsOf({ restMs, state }: BreakerFacts): string | null {
  if (restMs > 0) return `rests for ${Math.ceil(restMs / SECOND_MS)} s`
  return state === 'closed' ? null : `breaker ${state}`
}

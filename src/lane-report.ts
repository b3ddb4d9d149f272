// Which upstreams and keys are not called just now: for the metrics and for `/readyz`. The breakers are shared by all
// shards, so they are read once, here, and not summed over shards. Keys are shown by their place in the file.

import type { Clock } from './common/clock.ts'
import type { Plan } from './common/config/index.ts'
import { METRICS, type MetricSpec, type Snapshot } from './telemetry/index.ts'
import { BreakerTable, breakerKey, type BreakerFacts } from './upstream/index.ts'

interface Lane extends BreakerFacts {
  readonly entry: string
  readonly key: number
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
      rows: lanes.map(lane => ({ labels: [lane.entry, String(lane.key)], values: [value(lane)] })),
    })
    return [
      rows(METRICS.breakerState, ({ state }) => STATE_VALUES[state]),
      rows(METRICS.breakerOpenings, ({ openings }) => openings),
      rows(METRICS.keyRest, ({ restMs }) => restMs / SECOND_MS),
    ]
  }

  /** What is not called just now, in words; empty when everything is. */
  troubles(plan: Plan): readonly string[] {
    const found: string[] = []
    for (const { entry, key, state, restMs } of this.lanes(plan)) {
      if (found.length === TROUBLES_MAX) break
      if (restMs > 0) found.push(`${entry}, key ${key}: rests for ${Math.ceil(restMs / SECOND_MS)} s`)
      else if (state !== 'closed') found.push(`${entry}, key ${key}: breaker ${state}`)
    }
    return found
  }

  private lanes(plan: Plan): readonly Lane[] {
    const lanes: Lane[] = []
    const keys = new Set<string>()
    for (const { name, accessKeys } of plan.providers) {
      for (let key = 0; key < Math.max(1, accessKeys.length); key += 1) {
        keys.add(breakerKey(name, key))
        lanes.push({ entry: name, key, ...this.breakers.cell(breakerKey(name, key)).facts() })
      }
    }
    this.breakers.keepOnly(keys)
    return lanes
  }
}

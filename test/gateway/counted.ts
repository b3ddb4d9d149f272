// What the metrics say of a bench, as short lines: `tries <entry> <result>` → how many. Only what moved is in it, so that
// a test which expects a whole object also says that nothing else did.

import { systemClock } from '../../src/common/clock.ts'
import { LaneReport } from '../../src/lane-report.ts'
import { METRICS, type MetricRows, type Snapshot } from '../../src/telemetry/index.ts'
import type { Bench } from './harness.ts'

export type Counted = Readonly<Record<string, number>>

/** Metric, its word here, and which labels are said. */
const COUNTERS: readonly (readonly [{ readonly name: string }, string, readonly number[]])[] = [
  [METRICS.attempts, 'tries', [1, 2]],
  [METRICS.retries, 'retries', [1, 2]],
  [METRICS.exchanges, 'exchanges', [1]],
  [METRICS.llmRequests, 'calls', [1, 2, 3]],
  [METRICS.rateLimited, 'limited by us', [1]],
  [METRICS.usagePartial, 'partial', [1]],
  [METRICS.llmUsageMissing, 'usage missing', [1]],
  [METRICS.httpInFlight, 'in flight', []],
]
const BREAKERS: readonly (readonly [{ readonly name: string }, string, readonly number[]])[] = [
  [METRICS.breakerState, 'breaker', [0, 1]],
  [METRICS.breakerOpenings, 'openings', [0, 1]],
  [METRICS.keyRest, 'rests', [0, 1]],
]

function read(snapshot: Snapshot, tables: typeof COUNTERS): Counted {
  const found: Record<string, number> = {}
  for (const [{ name }, word, labels] of tables) {
    const rows = snapshot.find((metric: MetricRows) => metric.name === name)?.rows ?? []
    for (const row of rows) {
      const line = [word, ...labels.map(at => row.labels[at])].join(' ')
      const value = row.values[0]!
      if (value !== 0) found[line] = (found[line] ?? 0) + value
    }
  }
  return found
}

export function counted(bench: Bench): Counted {
  const resent = bench.services.upstream.pools().reduce((sum, pool) => sum + pool.resent, 0)
  return { ...read(bench.metrics.snapshot(), COUNTERS), ...(resent === 0 ? {} : { resent }) }
}

/** State of every breaker that is not closed (1 half-open, 2 open), openings, and seconds for which keys rest. */
export function breakersOf(bench: Bench): Counted {
  return read(new LaneReport(bench.breakerMemory, systemClock).snapshot(bench.plan), BREAKERS)
}

// What a shard is asked at a scrape instead of counting it all the time: connections, pools, the compute pool.

import { METRICS, type Snapshot, ValueFamily } from '../telemetry/index.ts'

/** What a pool towards an upstream holds. */
export interface PoolFacts {
  readonly origin: string
  readonly connecting: number
  readonly busy: number
  readonly idle: number
  readonly queued: number
  readonly opened: number
  readonly resent: number
}

/** What a compute pool has done and holds. */
export interface ComputeFacts {
  /** Counts that were exact. */
  readonly counted: number
  /** Counts that fell back to the byte estimate. */
  readonly estimated: number
  /** Tasks that wait or run. */
  readonly queued: number
}

export interface GaugeReadings {
  readonly connections: ReadonlyMap<string, number>
  readonly pools: readonly PoolFacts[]
  readonly compute: ComputeFacts
  readonly linesDropped: number
}

export class ShardGauges {
  private readonly shard: string

  constructor(shard: string) {
    this.shard = shard
  }

  read({ connections, pools, compute, linesDropped }: GaugeReadings): Snapshot {
    const held = new ValueFamily(METRICS.connections)
    for (const [listener, count] of connections) held.of(this.shard, listener).add(count)
    const counts = new ValueFamily(METRICS.tokenCounts)
    counts.of('counted').add(compute.counted)
    counts.of('estimated').add(compute.estimated)
    const queue = new ValueFamily(METRICS.tokenQueue)
    queue.of(this.shard).add(compute.queued)
    const dropped = new ValueFamily(METRICS.logDropped)
    dropped.of('shard').add(linesDropped)
    return [...[held, counts, queue, dropped].map(family => family.rows()), ...poolRows(pools)]
  }
}

function poolRows(pools: readonly PoolFacts[]): Snapshot {
  const byState = new ValueFamily(METRICS.upstreamConnections)
  const queued = new ValueFamily(METRICS.upstreamQueued)
  const opened = new ValueFamily(METRICS.upstreamOpened)
  const resent = new ValueFamily(METRICS.upstreamResent)
  const active = new ValueFamily(METRICS.activeCalls)
  for (const pool of pools) {
    byState.of(pool.origin, 'connecting').add(pool.connecting)
    byState.of(pool.origin, 'busy').add(pool.busy)
    byState.of(pool.origin, 'idle').add(pool.idle)
    queued.of(pool.origin).add(pool.queued)
    opened.of(pool.origin).add(pool.opened)
    resent.of(pool.origin).add(pool.resent)
    active.of().add(pool.busy)
  }
  return [byState, queued, opened, resent, active].map(family => family.rows())
}

// The books of the whole process: what living shards count, what dead ones had counted, and what only the supervisor
// sees. A shard that does not answer in time is represented by what it said last, and a dead one by its last word, so
// that sums over shards never go back.

import type { Plan } from '../common/config/index.ts'
import { VERSION } from '../common/version.ts'
import {
  METRIC_BY_NAME,
  METRICS,
  processRows,
  type Snapshot,
  SnapshotSum,
  ValueFamily,
} from '../telemetry/index.ts'
import type { ShardEnd, ShardLink } from './shard-link.ts'

/** The states a shard can be in, so that each has a sample also when no shard is in it. */
const STATES = ['starting', 'ready', 'draining', 'ending', 'waiting', 'stuck'] as const

export class Ledger {
  private readonly last: Map<ShardLink, Snapshot> = new Map()
  private departed = new SnapshotSum()
  private readonly restarts = new ValueFamily(METRICS.shardRestarts)
  private readonly cuts = new ValueFamily(METRICS.shardCuts)
  private reading: Promise<Snapshot> | null = null

  /** Scrapes at the same time share one reading. */
  read(links: readonly ShardLink[], plan: Plan, states: readonly { state: string }[]): Promise<Snapshot> {
    this.reading ??= this.collect(links, plan, states).finally(() => (this.reading = null))
    return this.reading
  }

  restarted(reason: string): void {
    this.restarts.of(reason).add(1)
  }

  /** A shard has ended; its counts stay, its gauges go. */
  close(link: ShardLink, { reason, cut }: ShardEnd): void {
    if (cut > 0) this.cuts.of(reason).add(cut)
    const last = this.last.get(link)
    this.last.delete(link)
    if (last === undefined) return
    this.departed.add(last.filter(({ name }) => METRIC_BY_NAME.get(name)?.type !== 'gauge'))
  }

  private async collect(
    links: readonly ShardLink[],
    plan: Plan,
    states: readonly { state: string }[],
  ): Promise<Snapshot> {
    const serving = links.filter(link => link.state === 'ready' || link.state === 'draining')
    const answers = await Promise.all(serving.map(link => this.ask(link)))
    const silent = answers.filter(answered => !answered).length
    const sum = new SnapshotSum()
    sum.add(this.departed.snapshot())
    for (const snapshot of this.last.values()) sum.add(snapshot)
    sum.add(processRows())
    sum.add(this.own(plan, states, silent))
    return sum.snapshot()
  }

  private async ask(link: ShardLink): Promise<boolean> {
    try {
      const snapshot = await link.snapshot()
      if (link.state !== 'ended') this.last.set(link, snapshot)
      return true
    } catch {
      return false
    }
  }

  private own(plan: Plan, states: readonly { state: string }[], silent: number): Snapshot {
    const shards = new ValueFamily(METRICS.shards)
    for (const state of STATES) shards.of(state)
    for (const { state } of states) shards.of(state).add(1)
    const values: [ValueFamily, string[], number][] = [
      [new ValueFamily(METRICS.shardsSilent), [], silent],
      [new ValueFamily(METRICS.planInfo), [plan.hash], 1],
      [new ValueFamily(METRICS.planEpoch), [], plan.epoch],
      [new ValueFamily(METRICS.buildInfo), [VERSION, 'unknown'], 1],
    ]
    for (const [family, labels, value] of values) family.of(...labels).add(value)
    return [shards, this.restarts, this.cuts, ...values.map(([family]) => family)].map(family =>
      family.rows(),
    )
  }
}

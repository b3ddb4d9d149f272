// What a scenario is: a load that the generator puts on one peer, and the columns its figures appear in. A scenario
// runs wholly inside the generator process; the orchestrator only decides which peer is next.

import { type CheckKind, type Expected, expect } from '../checks.ts'
import type { Models } from '../dialects.ts'
import { type Call, closedLoop } from '../drive.ts'
import type { Command } from '../replies.ts'
import { type RequestFacts, requestBytes, SMALL_BYTES } from '../requests.ts'

export interface PeerFacts extends RequestFacts {
  readonly name: string
  readonly check: CheckKind
  /** Models by the dialect of the upstream behind them; null for a peer that only relays. */
  readonly models: Models | null
  /** Roots of its process tree; empty for the direct call. */
  readonly pids: readonly number[]
  readonly adminPort: number | null
}

export interface Job {
  readonly scenario: string
  readonly peer: PeerFacts
  /** The upstream itself, for comparisons within one scenario. */
  readonly direct: PeerFacts
  readonly settings: Settings
}

export interface Settings {
  readonly seconds: number
  readonly warmSeconds: number
  readonly connections: number
  readonly quick: boolean
  /** All pairs of dialects instead of those with Chat on one side. */
  readonly allPairs: boolean
  /** Length given on the command line, or null. */
  readonly secondsAsked: number | null
  /** Of everything that is dealt at random. */
  readonly seed: number
}

/** Figures by column key; null where a peer has no such figure. */
export type Measures = Record<string, number | null>

export interface JobResult {
  readonly measures: Measures
  /** Why requests failed, when some did. */
  readonly reason: string
  /** What a scenario that judges found wrong: the run fails, and its figures are shown all the same. */
  readonly breach?: string
}

export interface Column {
  readonly key: string
  readonly title: string
  readonly unit: string
  readonly digits: number
  /** `added`: minus the direct call's figure of the same round, in the table only. */
  readonly added?: boolean
  /** Peer whose figure is the divisor of the ratio shown. */
  readonly ratioTo: 'nginx' | 'direct' | null
}

export interface Scenario {
  readonly name: string
  readonly title: string
  readonly columns: readonly Column[]
  /** The peer starts anew for every round: memory that an earlier load left behind would hide what this one takes. */
  readonly fresh?: boolean
  /**
   * It starts a Sluice and upstreams of its own, so it runs for that peer alone, and only when it is asked for by name:
   * it judges, and compares with nobody.
   */
  readonly own?: boolean
  /** Longest run, milliseconds, when it is longer than usual; `--seconds` comes on top. */
  readonly msMax?: number
  run(job: Job): Promise<JobResult>
}

export function call(peer: PeerFacts, command: Command, bytes: number = SMALL_BYTES): Call {
  const expected: Expected = expect(command, peer.check)
  return { port: peer.port, bytes: requestBytes(peer, command, bytes), expected }
}

export function windowOf(job: Job): { warmMs: number; measureMs: number; pids: readonly number[] } {
  const { settings, peer } = job
  return { warmMs: settings.warmSeconds * 1000, measureMs: settings.seconds * 1000, pids: peer.pids }
}

/** Load for a peer that has just started: heaps and pools reach their working size before memory is read. */
export async function warm(job: Job): Promise<void> {
  const window = { warmMs: 0, measureMs: job.settings.quick ? 400 : 1_500, pids: [] }
  await closedLoop(call(job.peer, { kind: 'chat', waitMs: 0 }), job.settings.connections, window)
  await closedLoop(call(job.peer, { kind: 'stream', frames: 52, paceMs: 0 }), 16, window)
}

/** Null instead of a division by nothing. */
export function per(total: number | null, count: number): number | null {
  return total === null || count === 0 ? null : total / count
}

export const ERRORS: Column = { key: 'errors', title: 'errors', unit: '', digits: 0, ratioTo: null }
export const WRONG: Column = { key: 'wrong', title: 'wrong bytes', unit: 'replies', digits: 0, ratioTo: null }

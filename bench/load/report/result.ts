// What a run found: raw measures of every round, and the medians, added latencies and ratios made of them.

import type { MachineFacts } from '../measure/machine.ts'
import type { Column, Measures, Scenario } from '../scenarios/index.ts'

export const RESULT_FORMAT = 1
const DIRECT = 'direct'

export interface Run {
  readonly scenario: string
  readonly peer: string
  readonly round: number
  readonly measures: Measures
  /** Why requests failed, when some did. */
  readonly reason: string
}

/** scenario → column → peer → figure. */
export type Figures = Record<string, Record<string, Record<string, number | null>>>

export interface Failure {
  readonly scenario: string
  readonly peer: string
  readonly message: string
}

export interface Result {
  readonly format: typeof RESULT_FORMAT
  readonly startedAt: string
  readonly tookSeconds: number
  readonly machine: MachineFacts
  readonly loadBefore: readonly number[]
  readonly loadAfter: readonly number[]
  readonly stolenPercent: number
  readonly settings: Readonly<Record<string, unknown>>
  readonly versions: Readonly<Record<string, string>>
  /** Peers that could not take part, and why. */
  readonly absent: Readonly<Record<string, string>>
  /** Medians over the rounds. `added` columns hold the difference to the direct call, and for it the plain value. */
  readonly figures: Figures
  /** Figure divided by the figure of the column's yardstick. */
  readonly ratios: Figures
  readonly failures: readonly Failure[]
  readonly runs: readonly Run[]
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Errors are never averaged away: their column shows the sum over the rounds. */
const SUMMED = new Set(['errors', 'wrong'])

export function figuresOf(runs: readonly Run[], scenarios: readonly Scenario[]): Figures {
  const figures: Figures = {}
  for (const scenario of scenarios) {
    const own = runs.filter(run => run.scenario === scenario.name)
    if (own.length === 0) continue
    const peers = [...new Set(own.map(run => run.peer))]
    figures[scenario.name] = Object.fromEntries(
      scenario.columns.map(column => [
        column.key,
        Object.fromEntries(peers.map(peer => [peer, figureOf(own, column, peer)])),
      ]),
    )
  }
  return figures
}

function figureOf(runs: readonly Run[], column: Column, peer: string): number | null {
  const values: number[] = []
  for (const run of runs) {
    if (run.peer !== peer) continue
    const value = run.measures[column.key] ?? null
    const base = column.added === true && peer !== DIRECT ? directOf(runs, run.round, column.key) : 0
    if (value !== null && base !== null) values.push(value - base)
  }
  return SUMMED.has(column.key) && values.length > 0
    ? values.reduce((sum, value) => sum + value)
    : median(values)
}

function directOf(runs: readonly Run[], round: number, key: string): number | null {
  return runs.find(run => run.peer === DIRECT && run.round === round)?.measures[key] ?? null
}

export function ratiosOf(figures: Figures, scenarios: readonly Scenario[]): Figures {
  const ratios: Figures = {}
  for (const scenario of scenarios) {
    const columns = figures[scenario.name]
    if (columns === undefined) continue
    ratios[scenario.name] = Object.fromEntries(
      scenario.columns
        .filter(column => column.ratioTo !== null)
        .map(column => [column.key, ratiosOfColumn(columns[column.key]!, column)]),
    )
  }
  return ratios
}

function ratiosOfColumn(
  byPeer: Record<string, number | null>,
  column: Column,
): Record<string, number | null> {
  const base = byPeer[column.ratioTo!] ?? null
  return Object.fromEntries(
    Object.entries(byPeer)
      .filter(([peer]) => !(column.added === true && peer === DIRECT))
      // A yardstick of nothing, or less (two latencies whose difference drowned in noise), measures nothing.
      .map(([peer, value]) => [peer, value === null || base === null || base <= 0 ? null : value / base]),
  )
}

// The terminal report: one table, peers side by side, and under it what failed and which goals were reached.

import type { Column, Scenario } from '../scenarios/index.ts'
import type { Verdict } from './goals.ts'
import type { Result } from './result.ts'

const ABSENT = '–'
const GAP = '  '

export function tableText(result: Result, scenarios: readonly Scenario[], peers: readonly string[]): string {
  const rows: string[][] = [['', ...peers]]
  for (const scenario of scenarios) {
    if (result.figures[scenario.name] === undefined) continue
    rows.push([scenario.title])
    for (const column of scenario.columns) {
      rows.push([label(column), ...peers.map(peer => cell(result, scenario.name, column, peer))])
    }
  }
  return align(rows)
}

function label(column: Column): string {
  return `  ${column.title}${column.unit === '' ? '' : `, ${column.unit}`}`
}

function cell(result: Result, scenario: string, column: Column, peer: string): string {
  const value = result.figures[scenario]?.[column.key]?.[peer] ?? null
  if (value === null) return ABSENT
  const text = number(value, column.digits)
  // The direct call adds nothing to itself; what it shows is the value that was subtracted.
  if (column.added === true && peer === 'direct') return `[${text}]`
  const ratio = result.ratios[scenario]?.[column.key]?.[peer] ?? null
  if (ratio === null || peer === column.ratioTo) return text
  return `${text} (${number(ratio, ratio < 10 ? 2 : 0)}×)`
}

export function number(value: number, digits: number): string {
  const [whole, rest] = Math.abs(value).toFixed(digits).split('.')
  const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, ',')
  const text = rest === undefined ? grouped : `${grouped}.${rest}`
  return value < 0 && Number(text.replaceAll(',', '')) !== 0 ? `-${text}` : text
}

/** First column to the left, the others to the right; a row with one cell is a heading and takes no room. */
export function align(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    if (row.length === 1) continue
    row.forEach((text, at) => {
      widths[at] = Math.max(widths[at] ?? 0, text.length)
    })
  }
  return rows
    .map(row =>
      row.length === 1
        ? row[0]!
        : row
            .map((text, at) => (at === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[at]!)))
            .join(GAP)
            .trimEnd(),
    )
    .join('\n')
}

export function verdictText(all: readonly Verdict[]): string {
  const rows = all.map(({ goal, value, reached }) => [
    `  ${goal.title}`,
    value === null ? ABSENT : number(value, goal.most < 10 ? 2 : 0),
    `≤ ${goal.most} ${goal.unit}`,
    reached === null ? 'not measured' : reached ? 'reached' : 'MISSED',
  ])
  return align(rows)
}

/** Errors and wrong bytes by peer and scenario, and jobs that did not end. Empty when all went well. */
export function attentionText(result: Result): string {
  const lines = result.failures.map(
    ({ scenario, peer, message }) => `  ${scenario}, ${peer}: failed: ${message}`,
  )
  for (const run of result.runs) {
    const errors = run.measures['errors'] ?? 0
    const wrong = run.measures['wrong'] ?? 0
    if (errors + wrong === 0) continue
    const why = run.reason === '' ? '' : ` (${run.reason})`
    lines.push(
      `  ${run.scenario}, ${run.peer}, round ${run.round}: ${errors} errors, ${wrong} wrong replies${why}`,
    )
  }
  return lines.join('\n')
}

export function headText(result: Result): string {
  const { machine } = result
  const load = (values: readonly number[]): string => values.map(value => value.toFixed(2)).join(' ')
  return [
    `${machine.cpuModel}, ${machine.cores} cores${machine.virtual ? ' (virtual)' : ''}, ${machine.memoryMb} MB, ` +
      `Linux ${machine.kernel}, Node ${machine.node}${machine.commit === null ? '' : `, commit ${machine.commit}`}`,
    `load average before ${load(result.loadBefore)}, after ${load(result.loadAfter)}; ` +
      `${result.stolenPercent.toFixed(1)} % of the CPU time stolen by the host`,
    `peers: ${Object.entries(result.versions)
      .map(([peer, version]) => `${peer} ${version}`)
      .join(', ')}`,
    ...Object.entries(result.absent).map(([peer, why]) => `without ${peer}: ${why}`),
  ].join('\n')
}

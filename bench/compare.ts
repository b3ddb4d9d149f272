// Compares a result of `npm run bench` with the committed baseline, by ratios to the yardstick of each column: absolute
// figures move with the machine, ratios taken in one run much less.
// Usage: node dist/bench/compare.js [RESULT.json] [--baseline FILE] [--write] [--gate]

import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type Figures, RESULT_FORMAT, type Result } from './load/report/result.ts'
import { align, number } from './load/report/table.ts'
import { SCENARIOS } from './load/scenarios/index.ts'

/** dist/bench → the project. */
const ROOT = resolve(import.meta.dirname, '../..')
const BASELINE = resolve(ROOT, 'bench/baseline.json')
const LATEST = resolve(ROOT, 'bench/results/latest.json')
/** Below this a change is noise on a shared machine. */
const MOVED_PERCENT = 5
const OURS = 'sluice'

/** What is kept of a result: everything but the single rounds. */
export type Baseline = Omit<Result, 'runs'>

export interface Move {
  readonly scenario: string
  readonly title: string
  readonly before: number
  readonly after: number
  readonly percent: number
  readonly worse: boolean
}

export interface Comparison {
  readonly moves: readonly Move[]
  readonly compared: number
  /** Columns that only one of the two has. */
  readonly missing: readonly string[]
}

/** Ratios of one peer that moved by more than `percentMin`, the worst first. */
export function compare(
  before: Figures,
  after: Figures,
  peer: string = OURS,
  percentMin: number = MOVED_PERCENT,
): Comparison {
  const moves: Move[] = []
  const missing: string[] = []
  let compared = 0
  for (const scenario of SCENARIOS) {
    for (const column of scenario.columns) {
      if (column.ratioTo === null) continue
      const old = before[scenario.name]?.[column.key]?.[peer] ?? null
      const now = after[scenario.name]?.[column.key]?.[peer] ?? null
      const title = `${column.title}, × ${column.ratioTo}`
      if (old === null && now === null) continue
      if (old === null || now === null || old === 0) {
        missing.push(`${scenario.name}: ${title}`)
        continue
      }
      compared += 1
      const percent = (now / old - 1) * 100
      if (Math.abs(percent) <= percentMin) continue
      // Shares of the direct call's throughput are better when larger; everything else is a cost.
      const worse = column.ratioTo === 'direct' ? now < old : now > old
      moves.push({ scenario: scenario.name, title, before: old, after: now, percent, worse })
    }
  }
  const badness = (move: Move): number => (move.worse ? 1 : -1) * Math.abs(move.percent)
  return { moves: moves.sort((a, b) => badness(b) - badness(a)), compared, missing }
}

export function comparisonText({ moves, compared, missing }: Comparison): string {
  const rows = moves.map(move => [
    `${move.scenario}: ${move.title}`,
    number(move.before, 2),
    number(move.after, 2),
    `${move.percent > 0 ? '+' : ''}${move.percent.toFixed(0)} %`,
    move.worse ? 'worse' : 'better',
  ])
  const head = `${compared} ratios compared, ${moves.length} moved by more than ${MOVED_PERCENT} %`
  const table = rows.length === 0 ? [] : [align([['', 'baseline', 'now', '', ''], ...rows])]
  const rest = missing.length === 0 ? [] : [`only in one of the two: ${missing.join('; ')}`]
  return [head, ...table, ...rest].join('\n')
}

function read<T extends Baseline>(file: string): T {
  const result = JSON.parse(readFileSync(file, 'utf8')) as T
  if (result.format !== RESULT_FORMAT)
    throw new Error(`${file} has format ${result.format}, not ${RESULT_FORMAT}`)
  return result
}

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      baseline: { type: 'string', default: BASELINE },
      write: { type: 'boolean', default: false },
      gate: { type: 'boolean', default: false },
    },
  })
  const result = read<Result>(positionals[0] ?? LATEST)
  if (values.write) {
    const { runs: _, ...kept } = result
    writeFileSync(values.baseline, `${JSON.stringify(kept, null, 2)}\n`)
    process.stdout.write(`${values.baseline} written\n`)
    return 0
  }
  const baseline = read<Baseline>(values.baseline)
  const comparison = compare(baseline.ratios, result.ratios)
  process.stdout.write(
    `baseline of ${baseline.startedAt} on ${baseline.machine.cpuModel}, commit ${baseline.machine.commit}\n` +
      `${comparisonText(comparison)}\n`,
  )
  if (comparison.compared === 0) return 1
  return values.gate && comparison.moves.some(move => move.worse) ? 1 : 0
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  process.exitCode = main()
}

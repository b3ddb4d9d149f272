// How long a changed configuration takes to be everywhere, under load, and what it costs in memory: 64 streaming
// clients, 300 reloads, every tenth file wrong.
//   node dist/bench/load/reload.js [clients] [reloads]
// Fails when an exchange failed, was served by two plans, or by one that was not in use.

import { resolve } from 'node:path'
import { runReloads } from '../../test/support/reload-run.ts'

/** dist/bench/load → the project. */
const ROOT = resolve(import.meta.dirname, '../../..')
const CLIENTS = 64
const RELOADS = 300
const SHARDS = 2

const [clients = CLIENTS, reloads = RELOADS] = process.argv.slice(2).map(Number)
const run = await runReloads({ clients, reloads, shards: SHARDS, root: ROOT })
const switches = run.switches.flatMap(({ switchMs }) => (switchMs === null ? [] : [switchMs]))
const answers = run.switches.map(({ answerMs }) => answerMs)

console.log(`${run.exchanges} streamed exchanges by ${clients} clients on ${run.sockets} connections`)
console.log(
  `${run.faults.length} failed or mixed; ${run.settledExchanges} began and were answered between two switches`,
)
console.log(`all shards on one plan: ${spread(switches)} (${switches.length} switches, ${SHARDS} shards)`)
console.log(`reload asked to answered: ${spread(answers)}`)
console.log(
  `resident memory: ${run.rssMb.early} MB after a third of the reloads, ${run.rssMb.late} MB at the end`,
)
for (const fault of run.faults.slice(0, 10)) console.log(`  ${fault}`)
process.exitCode = run.faults.length === 0 && run.exitCode === 0 ? 0 : 1

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0)
  return `median ${at(0.5)} ms, 99 % ${at(0.99)} ms, most ${at(1)} ms`
}

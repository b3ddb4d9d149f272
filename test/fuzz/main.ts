// Runs the fuzz targets one after another: `npm run fuzz -- [--seconds N] [--seed N] [name…]`.
// The seconds are shared out by weight; the seed is printed and replays the run. Without `--seed` it is another one
// each time; the gate gives the seed of its commit.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

export interface FuzzOptions {
  readonly seconds: number
  readonly seed: number
}

export interface FuzzResult {
  readonly iterations: number
}

interface FuzzTarget {
  /** How many parts of the time it takes where others take one; targets with many readers take more. */
  readonly weight?: number
  run(options: FuzzOptions): Promise<FuzzResult>
}

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 0x7fffffff) },
  },
  allowPositionals: true,
})
const seed = Number(values.seed)
const names = readdirSync(import.meta.dirname)
  .filter(name => name.endsWith('.fuzz.js'))
  .map(name => name.slice(0, -'.fuzz.js'.length))
  .filter(name => positionals.length === 0 || positionals.includes(name))
if (names.length === 0) {
  console.error('no such fuzz target')
  process.exit(2)
}
/** Less is not worth the start of a target. */
const SECONDS_MIN = 1
const targets: { readonly name: string; readonly target: FuzzTarget }[] = []
for (const name of names) {
  const url = pathToFileURL(join(import.meta.dirname, `${name}.fuzz.js`)).href
  targets.push({ name, target: (await import(url)) as FuzzTarget })
}
const weights = targets.reduce((sum, { target }) => sum + (target.weight ?? 1), 0)
console.log(`fuzzing ${names.join(', ')} for ${values.seconds} s, seed ${seed}`)
let failed = 0
for (const { name, target } of targets) {
  const seconds = Math.max(SECONDS_MIN, (Number(values.seconds) * (target.weight ?? 1)) / weights)
  try {
    const { iterations } = await target.run({ seconds, seed })
    if (iterations === 0) throw new Error('the target ran no iteration')
    console.log(`${name}: ${iterations} iterations in ${seconds.toFixed(1)} s, nothing found`)
  } catch (error) {
    failed += 1
    console.error(`${name}: FAILED with seed ${seed}`)
    console.error(error)
  }
}
process.exit(failed === 0 ? 0 : 1)

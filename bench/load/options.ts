// The command line of `npm run bench`.

import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SCENARIOS } from './scenarios/index.ts'
import { TARGETS } from './targets/index.ts'

/** Any number does; a fixed one makes two runs deal the same faults to the same calls, as far as timing allows. */
const SEED = '20261126'

export interface Options {
  readonly quick: boolean
  readonly allPairs: boolean
  readonly only: readonly string[]
  readonly peers: readonly string[]
  /** Peers to install from their registries first. */
  readonly install: readonly string[]
  readonly seconds: number
  /** The same where the command line says it, else null. */
  readonly secondsAsked: number | null
  readonly warmSeconds: number
  /** Of everything that is dealt at random. */
  readonly seed: number
  readonly connections: number
  readonly repeat: number
  readonly jsonFile: string | null
  readonly pin: boolean
  readonly profile: boolean
  readonly cacheFolder: string
  readonly help: boolean
}

export const USAGE = `npm run bench -- [flags]
  --quick               a short run of everything (about a minute): shows that it works, not how fast
  --all-pairs           scenario translated: all twenty pairs, not only those with Chat on one side
  --only a,b            scenarios: ${SCENARIOS.map(scenario => scenario.name).join(', ')}
  --peers a,b           peers: ${TARGETS.map(target => target.name).join(', ')} (default: all found)
  --with portkey,litellm  install these from npm and PyPI into the cache folder first
  --seconds N           length of a measured window (3; quick 0.6; chaos 600, quick 120)
  --seed N              of what chaos and failover deal at random (${SEED})
  --connections N       connections under full load (64)
  --repeat N            rounds of which the median is taken (3; quick 1)
  --json FILE           where the result goes (bench/results/<time>.json; always also latest.json there)
  --pin                 taskset: the peer on CPU 0, generator and upstream on the others
  --profile             run Sluice alone with --cpu-prof through one scenario (--only, default chat) and
                        print where its time went
  --cache FOLDER        where --with installs (~/.cache/sluice-bench)`

const FLAGS = {
  quick: { type: 'boolean', default: false },
  'all-pairs': { type: 'boolean', default: false },
  only: { type: 'string', default: '' },
  peers: { type: 'string', default: '' },
  with: { type: 'string', default: '' },
  seconds: { type: 'string' },
  seed: { type: 'string', default: SEED },
  connections: { type: 'string', default: '64' },
  repeat: { type: 'string' },
  json: { type: 'string' },
  pin: { type: 'boolean', default: false },
  profile: { type: 'boolean', default: false },
  cache: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

/** Throws an Error that a person can act on. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({ args: [...args], options: FLAGS, strict: true })
  const { quick } = values
  const scenarioNames = SCENARIOS.map(scenario => scenario.name)
  const targetNames = TARGETS.map(target => target.name)
  return {
    quick,
    allPairs: values['all-pairs'],
    only: names('only', values.only, scenarioNames),
    peers: names('peers', values.peers, targetNames),
    install: names('with', values.with, targetNames),
    seconds: positive('seconds', values.seconds ?? (quick ? '0.6' : '3')),
    secondsAsked: values.seconds === undefined ? null : positive('seconds', values.seconds),
    warmSeconds: quick ? 0.3 : 1,
    seed: whole('seed', values.seed),
    connections: whole('connections', values.connections),
    repeat: whole('repeat', values.repeat ?? (quick ? '1' : '3')),
    jsonFile: values.json ?? null,
    pin: values.pin,
    profile: values.profile,
    cacheFolder: values.cache ?? join(homedir(), '.cache', 'sluice-bench'),
    help: values.help,
  }
}

function names(flag: string, text: string, known: readonly string[]): string[] {
  const given = text
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
  const strange = given.find(name => !known.includes(name))
  if (strange !== undefined) throw new Error(`--${flag}: ${strange} is none of ${known.join(', ')}`)
  return given
}

function positive(flag: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${flag}: ${text} is not a number above zero`)
  return value
}

function whole(flag: string, text: string): number {
  const value = positive(flag, text)
  if (!Number.isInteger(value)) throw new Error(`--${flag}: ${text} is not a whole number`)
  return value
}

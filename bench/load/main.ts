// `npm run bench`: finds the peers, starts them side by side, lets the generator load them in turn, and reports.
// Owns the order of things; what is measured is in scenarios/, how in measure/, against whom in targets/.

import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pause } from './drive.ts'
import { type BusySample, machineFacts, sampleBusy, stolenPercent } from './measure/machine.ts'
import { rssKb } from './measure/proc.ts'
import { type Options, parseOptions, USAGE } from './options.ts'
import { profileText, readProfiles, summarise } from './profile.ts'
import { verdicts } from './report/goals.ts'
import { type Failure, figuresOf, RESULT_FORMAT, type Result, ratiosOf, type Run } from './report/result.ts'
import { attentionText, headText, tableText, verdictText } from './report/table.ts'
import { SCENARIOS, type Scenario, type Settings } from './scenarios/index.ts'
import { type Pins, Session } from './session.ts'
import { TARGETS, type Target } from './targets/index.ts'
import { versionOf } from './targets/target.ts'

/** dist/bench/load → the project. */
const ROOT = resolve(import.meta.dirname, '../../..')
const RESULTS = join(ROOT, 'bench/results')
const SETTLE_MS = 500
const KB_PER_MB = 1024
const PROFILE_FUNCTIONS = 40
const PROFILE_SECONDS_LEAST = 5
/** Fine enough that a request of 30 µs shows; below this the sampling itself shows. */
const PROFILE_INTERVAL_US = 200

interface Entrant {
  readonly target: Target
  readonly version: string
}

class Bench {
  readonly options: Options
  readonly session: Session
  readonly settings: Settings
  readonly runs: Run[]
  readonly failures: Failure[]
  readonly absent: Record<string, string>

  constructor(options: Options) {
    this.options = options
    this.session = new Session(options.cacheFolder, pins(options.pin))
    const { seconds, secondsAsked, warmSeconds, connections, quick, allPairs, seed } = options
    this.settings = { seconds, secondsAsked, warmSeconds, connections, quick, allPairs, seed }
    this.runs = []
    this.failures = []
    this.absent = {}
  }

  async entrants(): Promise<Entrant[]> {
    const { peers, install, cacheFolder } = this.options
    const found: Entrant[] = []
    for (const target of TARGETS) {
      const asked = peers.length === 0 || peers.includes(target.name) || install.includes(target.name)
      if (!asked) continue
      let state = await target.find(cacheFolder)
      if ('missing' in state && install.includes(target.name) && target.install !== undefined) {
        say(`installing ${target.name} into ${cacheFolder}`)
        await target.install(cacheFolder)
        state = await target.find(cacheFolder)
      }
      if ('missing' in state) this.absent[target.name] = state.missing
      else found.push({ target, version: state.version })
    }
    return found
  }

  /** Starts every peer as often as there are rounds, keeps the last, and notes how long each start took. */
  async startAll(entrants: readonly Entrant[]): Promise<Entrant[]> {
    const standing: Entrant[] = []
    for (const entrant of entrants) {
      const { target, version } = entrant
      say(`starting ${target.name} ${version}`)
      try {
        const timed = this.wants('start') && target.name !== 'direct'
        for (let round = 1; round <= (timed ? this.options.repeat : 1); round += 1) {
          const peer = await this.session.startPeer(target, version)
          if (!timed) continue
          await pause(SETTLE_MS)
          const measures = { readyMs: peer.readyMs, rssIdleMb: rssKb(peer.pids) / KB_PER_MB }
          this.runs.push({ scenario: 'start', peer: target.name, round, measures, reason: '' })
        }
        standing.push(entrant)
      } catch (error) {
        this.absent[target.name] = reasonOf(error)
        this.failures.push({ scenario: 'start', peer: target.name, message: reasonOf(error) })
      }
    }
    return standing
  }

  wants(scenario: string): boolean {
    return this.options.only.length === 0 || this.options.only.includes(scenario)
  }

  /** Rounds of one scenario lie close together in time, and each begins with another peer. */
  async runAll(entrants: readonly Entrant[]): Promise<void> {
    await this.rehearse(entrants)
    for (const scenario of SCENARIOS) {
      if (scenario.name === 'start' || !this.wants(scenario.name)) continue
      if (scenario.own === true && !this.options.only.includes(scenario.name)) continue
      for (let round = 1; round <= this.options.repeat; round += 1) {
        for (let turn = 0; turn < entrants.length; turn += 1) {
          const entrant = entrants[(turn + round - 1) % entrants.length]!
          if (scenario.own === true && (entrant.target.name !== 'sluice' || round > 1)) continue
          const seeded = scenario.own === true ? `, seed ${this.settings.seed}` : ''
          say(`${scenario.name}, round ${round} of ${this.options.repeat}: ${entrant.target.name}${seeded}`)
          await this.runOne(scenario, entrant, round)
        }
      }
    }
  }

  /** Every peer answers for a moment before anything is measured: JIT, pools, page faults. */
  async rehearse(entrants: readonly Entrant[]): Promise<void> {
    const settings = { ...this.settings, seconds: this.settings.warmSeconds }
    for (const { target } of entrants) {
      say(`warming up ${target.name}`)
      await this.session.run('stream', this.session.peers.get(target.name)!, settings).catch(() => {})
      await this.session.run('chat', this.session.peers.get(target.name)!, settings).catch(() => {})
    }
  }

  async runOne(scenario: Scenario, { target, version }: Entrant, round: number): Promise<void> {
    const peerName = target.name
    try {
      if (scenario.fresh === true) await this.session.startPeer(target, version)
      const peer = this.session.peers.get(peerName)
      if (peer === undefined) throw new Error('it is not running any more')
      const { measures, reason, breach } = await this.session.run(scenario.name, peer, this.settings)
      this.runs.push({ scenario: scenario.name, peer: peerName, round, measures, reason })
      if (breach !== undefined)
        this.failures.push({ scenario: scenario.name, peer: peerName, message: breach })
    } catch (error) {
      this.failures.push({ scenario: scenario.name, peer: peerName, message: reasonOf(error) })
    }
  }

  result(entrants: readonly Entrant[], startedAt: Date, before: BusySample): Result {
    const after = sampleBusy()
    const figures = figuresOf(this.runs, SCENARIOS)
    const { seconds, warmSeconds, connections, quick } = this.settings
    return {
      format: RESULT_FORMAT,
      startedAt: startedAt.toISOString(),
      tookSeconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
      machine: machineFacts(),
      loadBefore: before.load,
      loadAfter: after.load,
      stolenPercent: stolenPercent(before, after),
      settings: {
        seconds,
        warmSeconds,
        connections,
        quick,
        repeat: this.options.repeat,
        pin: this.options.pin,
      },
      versions: Object.fromEntries(entrants.map(({ target, version }) => [target.name, version])),
      absent: this.absent,
      figures,
      ratios: ratiosOf(figures, SCENARIOS),
      failures: this.failures,
      runs: this.runs,
    }
  }
}

function pins(wanted: boolean): Pins {
  if (!wanted) return { peer: null, others: null }
  const cores = availableParallelism()
  if (cores < 2 || versionOf('taskset', ['--version'], /(\d+\.\d+)/) === null) {
    say('--pin needs taskset and two cores; running without')
    return { peer: null, others: null }
  }
  return { peer: '0', others: `1-${cores - 1}` }
}

const showsProgress = process.stderr.isTTY === true

function say(text: string): void {
  process.stderr.write(showsProgress ? `\r\x1b[K${text}` : `${text}\n`)
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.trim() : String(error)
}

function write(result: Result, jsonFile: string | null): string {
  const text = `${JSON.stringify(result, null, 1)}\n`
  const file = resolve(jsonFile ?? join(RESULTS, `${result.startedAt.replaceAll(':', '-')}.json`))
  for (const path of [join(RESULTS, 'latest.json'), file]) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  return file
}

function print(result: Result, file: string): void {
  const peers = TARGETS.map(target => target.name).filter(name => name in result.versions)
  const attention = attentionText(result)
  const sections = [
    headText(result),
    tableText(result, SCENARIOS, peers),
    '(n×): nginx = 1 for cost and latency, direct = 1 for throughput. [n]: the direct call itself.',
    ...(attention === '' ? [] : [`Attention:\n${attention}`]),
    ...('sluice' in result.versions
      ? [`Goals:\n${verdictText(verdicts(result.figures, result.ratios, 'sluice'))}`]
      : []),
    `${result.tookSeconds} s; written to ${file}`,
  ]
  if (showsProgress) process.stderr.write('\r\x1b[K')
  process.stdout.write(`${sections.join('\n\n')}\n`)
}

async function compete(options: Options): Promise<number> {
  const bench = new Bench(options)
  const startedAt = new Date()
  const before = sampleBusy()
  const found = await bench.entrants()
  try {
    await bench.session.open()
    const standing = await bench.startAll(found)
    await bench.runAll(standing)
    const result = bench.result(standing, startedAt, before)
    print(result, write(result, options.jsonFile))
    const measured = standing.length > 0 && result.runs.length > 0
    return measured && result.failures.length === 0 ? 0 : 1
  } finally {
    await bench.session.close()
  }
}

/** Sluice alone under one load with V8's sampling profiler; one profile per thread. */
async function profile(options: Options): Promise<number> {
  const bench = new Bench(options)
  const target = TARGETS.find(({ name }) => name === 'sluice')!
  const state = await target.find(options.cacheFolder)
  if ('missing' in state) throw new Error(state.missing)
  const folder = join(RESULTS, `profile-${new Date().toISOString().replaceAll(':', '-')}`)
  const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${PROFILE_INTERVAL_US}`]
  const scenario = options.only[0] ?? 'chat'
  try {
    await bench.session.open()
    const peer = await bench.session.startPeer(target, state.version, flags)
    const settings = { ...bench.settings, seconds: Math.max(PROFILE_SECONDS_LEAST, options.seconds) }
    say(`${scenario} for ${settings.seconds} s under the profiler`)
    const { measures } = await bench.session.run(scenario, peer, settings)
    await bench.session.stopPeer('sluice')
    if (showsProgress) process.stderr.write('\r\x1b[K')
    const profiles = readProfiles(folder)
    if (profiles.length === 0) throw new Error(`Sluice wrote no profile into ${folder}`)
    for (const { file, profile } of profiles) {
      process.stdout.write(`${profileText(file, summarise([profile]), PROFILE_FUNCTIONS)}\n\n`)
    }
    process.stdout.write(`measured under the profiler: ${JSON.stringify(measures)}\nprofiles in ${folder}\n`)
    return 0
  } finally {
    await bench.session.close()
  }
}

async function main(): Promise<number> {
  if (process.platform !== 'linux') throw new Error('the benchmark reads /proc and so needs Linux')
  const options = parseOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(`${USAGE}\n`)
    return 0
  }
  return options.profile ? profile(options) : compete(options)
}

for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130))
main().then(
  code => process.exit(code),
  error => {
    process.stderr.write(`\n${reasonOf(error)}\n`)
    process.exit(1)
  },
)

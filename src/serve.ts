// Serving in the foreground: load the configuration, start what it needs, say what is served, wait for the end.
// Used by `npm start` and by `sluice serve`. What a person reads goes to standard error; standard output is the
// log's alone.

import { chooseAcceptor, type DemoThread, spawnShard, startDemoThread } from '../workers/boot.ts'
import { type AdminHealth, type AdminServer, openAdmin } from './admin/index.ts'
import { systemClock } from './common/clock.ts'
import {
  ConfigErrors,
  type LoadedPlan,
  type LoadOptions,
  maskedPlan,
  type Plan,
  withDemo,
} from './common/config/index.ts'
import { VERSION } from './common/version.ts'
import { inlineMore } from './compiler.ts'
import { LiveConfig, terminalGone } from './live-config.ts'
import { loadChecked } from './load-checked.ts'
import { Supervisor } from './shards/index.ts'
import {
  Log,
  type LogLevel,
  LogWriter,
  METRICS,
  metricsPage,
  readLogLevel,
  SnapshotSum,
} from './telemetry/index.ts'
import { LaneReport } from './lane-report.ts'
import { newBreakerMemory } from './upstream/index.ts'

export interface ServeOptions {
  /** Configuration file, or null to look for one and then in the environment. */
  readonly file: string | null
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Exit codes of the process; documented in the README. */
export const EXIT_CODES = {
  /** Ended as asked; nothing was cut. */
  ok: 0,
  /** The configuration is wrong. */
  config: 1,
  /** It could not start for another reason: a port, a certificate, a thread. */
  start: 2,
  /** Ended as asked; running exchanges were cut. */
  cut: 3,
  /** A bug in the supervisor. */
  bug: 4,
} as const

/** Whoever waits longer than this is told for what. */
const PROGRESS_EVERY_MS = 1_000

/** What is left of the log gets this long when the process ends. */
const LOG_FLUSH_MS_MAX = 500

/** Serves until a signal; resolves with the exit code when everything has ended. */
export async function serve(options: ServeOptions): Promise<number> {
  const files = new Set<string>()
  const source: LoadOptions = { ...options, onFile: file => files.add(file) }
  const readAtMs = systemClock.epochMs()
  let loaded: LoadedPlan
  try {
    loaded = await loadChecked(source)
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error
    say(error.message)
    return EXIT_CODES.config
  }
  const { level, fault } = readLogLevel(options.env['LOG_LEVEL'])
  if (fault !== null) say(fault)
  const service = new Service({ options, loaded, files, readAtMs }, level)
  const code = await service.run()
  // What a log that nobody reads has not taken would keep the process alive for ever.
  if (!service.flushed) process.exit(code)
  return code
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** The configuration as it was read, and from where. */
interface Read {
  readonly options: LoadOptions
  readonly loaded: LoadedPlan
  readonly files: Iterable<string>
  readonly readAtMs: number
}

/** The process: everything that lives from its start to its end. */
class Service {
  /** The log has been written to its end. */
  flushed: boolean
  private readonly read: Read
  private readonly level: LogLevel
  private readonly writer: LogWriter
  private readonly log: Log
  private supervisor: Supervisor | null = null
  private admin: AdminServer | null = null
  private demo: DemoThread | null = null
  private config: LiveConfig | null = null
  private readonly shared: SharedArrayBuffer
  private readonly lanes: LaneReport
  /** What a start that takes long is waiting for. */
  private waitingFor: string
  private signals: number
  private onSignal: () => void

  constructor(read: Read, level: LogLevel) {
    this.read = read
    this.level = level
    this.shared = newBreakerMemory()
    this.lanes = new LaneReport(this.shared, systemClock)
    this.writer = new LogWriter(process.stdout)
    this.log = new Log(level, systemClock, {}, line => this.writer.write(`${line}\n`, 1))
    this.flushed = true
    this.waitingFor = 'the threads'
    this.signals = 0
    this.onSignal = () => {}
  }

  async run(): Promise<number> {
    const stopped = new Promise<void>(resolve => (this.onSignal = resolve))
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.signalled(signal))
    process.on('SIGHUP', () => this.hungUp())
    process.on('uncaughtException', error => void this.crash(error))
    // Whoever read the lines may leave; that is no reason to end.
    process.stderr.on('error', () => {})
    const progress = setInterval(
      () => say(`still starting: waiting for ${this.waitingFor}`),
      PROGRESS_EVERY_MS,
    )
    let failure: Error | null = null
    try {
      await this.start()
    } catch (error) {
      failure = error as Error
    }
    clearInterval(progress)
    // A signal during the start ends the start, which is then no failure.
    if (failure !== null) {
      await this.close()
      if (this.signals > 0) return EXIT_CODES.ok
      say(`cannot start: ${failure.message}`)
      return EXIT_CODES.start
    }
    await stopped
    return this.stop()
  }

  // ── start ───────────────────────────────────────────────────────────────────────────────────────────────

  private async start(): Promise<void> {
    const plan = await this.finishedPlan(this.read.loaded)
    const { kind, reason, sharing } = await chooseAcceptor(plan.server)
    const shards = sharing ? plan.server.shards : 1
    this.supervisor = new Supervisor({
      plan,
      shards,
      acceptor: kind,
      exclusive: !sharing,
      spawn: spawnShard,
      shared: this.shared,
      logLevel: this.level,
      log: this.log,
      writeLines: (text, lines, taken) => this.writer.write(text, lines, taken),
      clock: systemClock,
    })
    this.config = new LiveConfig({
      ...this.read,
      plan,
      finish: loaded => this.finishedPlan(loaded),
      use: next => this.usePlan(next),
      log: this.log,
      clock: systemClock,
      say,
    })
    const { config } = this
    this.waitingFor = 'the admin listener'
    this.admin = await openAdmin({
      address: plan.admin.address,
      port: plan.admin.port,
      token: () => config.plan.admin.token?.secret ?? null,
      source: {
        health: () => this.health(),
        metrics: () => this.metrics(),
        config: () => this.shownConfig(),
        history: () => config.history(),
        reload: () => config.reloadAsked(),
        rollback: hash => config.rollbackAsked(hash),
      },
    })
    this.waitingFor = `${shards} shard${shards === 1 ? '' : 's'}`
    if (this.signals > 0) throw new Error('told to stop')
    // The catalogue behind the lines is read while the shards read their code.
    const [{ startLines }] = await Promise.all([import('./start-lines.ts'), this.supervisor.start()])
    inlineMore()
    const ports = new Map(this.supervisor.listeners.map(({ name, port }) => [name, port]))
    const facts = { plan, notes: this.read.loaded.notes, version: VERSION, ports, shards, acceptor: kind }
    for (const line of startLines({ ...facts, adminPort: this.admin.port })) say(line)
    if (reason !== null) say(`  note       ${reason}`)
    if (shards < plan.server.shards) {
      say(
        `  note       one shard instead of ${plan.server.shards}: threads cannot share a port with the ${kind} acceptor on Node ${process.versions.node}`,
      )
    }
    say(`ready in ${Math.round(performance.now())} ms`)
    await config.start()
  }

  private async usePlan(next: Plan): Promise<{ plan: Plan; switchMs: number }> {
    const { supervisor } = this
    if (supervisor === null) throw new Error('the gateway is starting')
    const plan = await supervisor.usePlan(next)
    return { plan, switchMs: Math.round(supervisor.switchMs) }
  }

  /** The plan with what only a running process knows: where the demo provider listens. */
  private async finishedPlan({ plan, demoWanted }: LoadedPlan): Promise<Plan> {
    if (!demoWanted) return plan
    this.waitingFor = 'the demo provider'
    this.demo ??= await startDemoThread(error => {
      this.log.write('error', 'the demo provider has ended', { error: error.message })
    })
    return withDemo(plan, this.demo.origin)
  }

  // ── what the admin listener shows ───────────────────────────────────────────────────────────────────────

  private health(): AdminHealth {
    const { supervisor } = this
    const config = this.config?.health() ?? null
    if (supervisor === null || supervisor.phase === 'starting') {
      return { alive: true, ready: false, reasons: [`starting: waiting for ${this.waitingFor}`], config }
    }
    const facts = supervisor.facts()
    const reasons = facts
      .filter(({ state }) => state !== 'ready')
      .map(
        ({ shard, state, lastEnd }) => `shard ${shard} is ${state}${lastEnd === null ? '' : ` (${lastEnd})`}`,
      )
    const alive = facts.every(({ state }) => state !== 'stuck')
    if (supervisor.phase !== 'serving') reasons.unshift('draining')
    const ready = supervisor.phase === 'serving' && facts.some(({ state }) => state === 'ready')
    return { alive, ready, reasons, config, upstreams: this.lanes.troubles(supervisor.plan) }
  }

  private async metrics(): Promise<{ contentType: string; text: string }> {
    const sum = new SnapshotSum()
    if (this.supervisor !== null) {
      sum.add(await this.supervisor.snapshot())
      sum.add(this.lanes.snapshot(this.supervisor.plan))
    }
    if (this.config !== null) sum.add(this.config.snapshot())
    const dropped = { labels: ['supervisor'], values: [this.writer.dropped] }
    sum.add([{ name: METRICS.logDropped.name, rows: [dropped] }])
    return metricsPage(sum.snapshot())
  }

  private shownConfig(): unknown {
    const { loaded } = this.read
    const plan = this.supervisor?.plan ?? loaded.plan
    const sources = this.config?.sources ?? loaded.notes.sources
    return { hash: plan.hash, epoch: plan.epoch, sources, plan: maskedPlan(plan) }
  }

  // ── end ─────────────────────────────────────────────────────────────────────────────────────────────────

  private signalled(signal: string): void {
    this.signals += 1
    this.onSignal()
    if (this.signals > 1) void this.endAtOnce()
    else if (this.supervisor?.phase === 'serving') {
      say(`${signal}: draining for at most ${this.supervisor.plan.server.drainMs} ms; again to end at once`)
    } else void this.supervisor?.endNow()
  }

  /** SIGHUP: read the configuration again; or the terminal is gone, which is an end like any other. */
  private hungUp(): void {
    if (terminalGone()) this.signalled('SIGHUP')
    else if (this.supervisor?.phase === 'serving') void this.config?.reload('signal')
  }

  private async stop(): Promise<number> {
    this.config?.close()
    const cut = await this.supervisor!.drain()
    await this.close()
    say(cut === 0 ? 'ended; nothing was cut' : `ended; ${cut} exchange${cut === 1 ? ' was' : 's were'} cut`)
    return cut === 0 ? EXIT_CODES.ok : EXIT_CODES.cut
  }

  private async close(): Promise<void> {
    this.config?.close()
    await this.supervisor?.endNow()
    await Promise.allSettled([this.admin?.close(), this.demo?.end()])
    this.flushed = await this.writer.drained(LOG_FLUSH_MS_MAX)
  }

  /** The second signal. */
  private async endAtOnce(): Promise<void> {
    const cut = this.supervisor?.cutIfEnded ?? 0
    await this.exit(cut === 0 ? EXIT_CODES.ok : EXIT_CODES.cut)
  }

  /** The supervisor itself met an error nobody caught. */
  private async crash(error: Error): Promise<void> {
    say(`the supervisor failed: ${error.stack ?? error.message}`)
    await this.exit(EXIT_CODES.bug)
  }

  /**
   * Ends the process with shards still running. They close their native servers first: with one left open the
   * runtime would abort instead of exiting.
   */
  private async exit(code: number): Promise<void> {
    const ended = await (this.supervisor?.endNow() ?? Promise.resolve(true))
    if (ended) process.exit(code)
    process.kill(process.pid, 'SIGKILL')
  }
}

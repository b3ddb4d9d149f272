// The configuration of a running process: who may ask for another (the file itself, SIGHUP, the admin listener), what is
// read for it, and which files are watched. Owns the join between the loader, the shards' reloader and the watch;
// refuses to know how a plan gets into use.

import { openSync, closeSync } from 'node:fs'
import type { ChangeAnswer } from './admin/index.ts'
import type { Clock } from './common/clock.ts'
import { issueText, type LoadedPlan, type LoadOptions, type Plan } from './common/config/index.ts'
import { loadChecked } from './load-checked.ts'
import { FileWatch, NoSuchPlan, Reloader, type ReloadReport, type ReloadSource } from './shards/index.ts'
import type { Log, Snapshot } from './telemetry/index.ts'

export interface LiveConfigParts {
  readonly options: LoadOptions
  /** What the process started with, and the plan made of it. */
  readonly loaded: LoadedPlan
  readonly plan: Plan
  /** Every file that was read for it. */
  readonly files: Iterable<string>
  /** When reading began, milliseconds since 1970. */
  readonly readAtMs: number
  /** Adds what only a running process knows. */
  readonly finish: (loaded: LoadedPlan) => Promise<Plan>
  readonly use: (plan: Plan) => Promise<{ readonly plan: Plan; readonly switchMs: number }>
  readonly log: Log
  readonly clock: Clock
  /** A line for people. */
  readonly say: (line: string) => void
}

export class LiveConfig {
  private readonly parts: LiveConfigParts
  private readonly reloader: Reloader
  private readonly watch: FileWatch
  private files: Set<string>
  private latest: LoadedPlan

  constructor(parts: LiveConfigParts) {
    const { plan, log, clock, use, loaded, files } = parts
    this.parts = parts
    this.files = new Set(files)
    this.latest = loaded
    this.reloader = new Reloader({ plan, load: () => this.load(), use, log, clock })
    this.watch = new FileWatch({ changed: () => this.noticed() })
  }

  /** Changes of the files are obeyed from now on. */
  start(): Promise<void> {
    return this.watch.watch(this.files, this.parts.readAtMs)
  }

  close(): void {
    this.watch.close()
  }

  get plan(): Plan {
    return this.reloader.plan
  }

  /** Where the configuration came from. */
  get sources(): readonly string[] {
    return this.latest.notes.sources
  }

  health(): unknown {
    return this.reloader.health()
  }

  history(): unknown {
    return { history: this.reloader.reports() }
  }

  snapshot(): Snapshot {
    return this.reloader.snapshot()
  }

  async reload(source: Exclude<ReloadSource, 'file'>): Promise<ReloadReport> {
    const report = await this.reloader.reload(source)
    this.tell(report)
    return report
  }

  private async noticed(): Promise<void> {
    const report = await this.reloader.noticed(() => this.watch.isNew())
    if (report !== null) this.tell(report)
  }

  async reloadAsked(): Promise<ChangeAnswer> {
    const report = await this.reload('request')
    return answer(report, this.latest.notes.warnings.map(issueText))
  }

  async rollbackAsked(hash: string | null): Promise<ChangeAnswer> {
    try {
      const report = await this.reloader.rollback(hash)
      this.tell(report)
      return answer(report, [])
    } catch (error) {
      if (!(error instanceof NoSuchPlan)) throw error
      return { result: 'unknown', document: { result: 'unknown', error: error.message } }
    }
  }

  private async load(): Promise<Plan> {
    const { options, clock, finish } = this.parts
    const readAtMs = clock.epochMs()
    const files = new Set<string>()
    const before = await this.watch.contents()
    try {
      const loaded = await loadChecked({ ...options, onFile: file => files.add(file) })
      const plan = await finish(loaded)
      this.files = files
      this.latest = loaded
      return plan
    } catch (error) {
      // What a wrong file does not name may still be what makes it right again.
      for (const file of files) this.files.add(file)
      throw error
    } finally {
      await this.watch.watch(this.files, readAtMs, before)
    }
  }

  /** What a person at the terminal should see; the log has it all. */
  private tell({ source, result, hash, restart, errors }: ReloadReport): void {
    const { say } = this.parts
    if (result === 'used') say(`configuration changed (${source}): plan ${hash!.slice(0, HASH_CHARS)}`)
    if (result === 'refused' || result === 'failed') {
      say(`the configuration was not changed (${source}); the plan in use stays:`)
      for (const error of errors) say(`  ${error}`)
    }
    if (restart.length > 0) say(`  takes effect after a restart: ${restart.join(', ')}`)
  }
}

/** As in reply headers. */
const HASH_CHARS = 12

function answer(report: ReloadReport, warnings: readonly string[]): ChangeAnswer {
  const { result } = report
  const error = report.errors.length === 0 ? {} : { error: report.errors.join('\n') }
  const document = {
    ...report,
    ...error,
    warnings: result === 'used' || result === 'unchanged' ? warnings : [],
  }
  return { result: result === 'started' ? 'unchanged' : result, document }
}

/**
 * A process that was started from a terminal gets SIGHUP when the terminal closes. Only then can it no longer be opened.
 */
export function terminalGone(): boolean {
  if (process.stderr.isTTY !== true) return false
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return false
  } catch {
    return true
  }
}

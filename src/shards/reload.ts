// Changing the configuration while it is in use: one attempt at a time, whoever asks for it. Owns the order (load,
// compare, switch), what is remembered of each attempt, and the way back. An attempt that fails changes nothing: the
// plan in use stays, and why is told wherever somebody may look. Reading files and checking them is passed in.

import type { Clock } from '../common/clock.ts'
import type { Plan } from '../common/config/index.ts'
// Not through the door: a shard would load the schema and the YAML reader with it.
import { ConfigErrors, issueText } from '../common/config/issues.ts'
import { type Log, METRICS, type Snapshot, ValueFamily } from '../telemetry/index.ts'
import { changedPaths, restartPaths } from './plan-changes.ts'

export type ReloadSource = 'start' | 'file' | 'signal' | 'request' | 'rollback'

/** `refused`: the configuration is wrong. `failed`: it is right and could not be used, as when a port is taken. */
export type ReloadResult = 'started' | 'used' | 'unchanged' | 'refused' | 'failed'

/** One attempt; plain data without any secret. */
export interface ReloadReport {
  readonly at: string
  readonly source: ReloadSource
  readonly result: ReloadResult
  /** Of the plan it was about; null when there was none to speak of. */
  readonly hash: string | null
  /** Of the plan in use after it. */
  readonly epoch: number
  /** Key paths that differ from the plan that was in use. */
  readonly changed: readonly string[]
  /** Keys that take effect only when the process starts anew. */
  readonly restart: readonly string[]
  readonly errors: readonly string[]
  /** From the turn until the last shard had left the old plan; null without a switch. */
  readonly switchMs: number | null
  /** How often the same was found in a row. */
  readonly times: number
}

/** The state of the configuration, for whoever asks whether all is well. */
export interface ConfigHealth {
  /** The newest configuration is in use. */
  readonly ok: boolean
  readonly hash: string
  readonly epoch: number
  /** Why the newest one is not. */
  readonly errors: readonly string[]
  readonly restart: readonly string[]
}

export interface ReloaderOptions {
  /** What the process started with. */
  readonly plan: Plan
  /** Reads and checks everything. Throws {@link ConfigErrors}. */
  readonly load: () => Promise<Plan>
  readonly use: (plan: Plan) => Promise<{ readonly plan: Plan; readonly switchMs: number }>
  readonly log: Log
  readonly clock: Clock
}

/** Attempts that are remembered, and with them the plans to go back to. */
const HISTORY_MAX = 20
/** Errors kept per attempt. */
const ERRORS_MAX = 50
/** A shorter piece of a hash names too many. */
const HASH_CHARS_MIN = 6
const MS_PER_S = 1_000

interface Remembered {
  readonly report: ReloadReport
  /** The plan that came into use, else null. */
  readonly plan: Plan | null
}

/** An attempt that waits for its turn. */
interface Waiting {
  /** Somebody asked for it; else files were only seen to have changed. */
  asked: boolean
  /** Null when nothing had to be tried. */
  readonly done: Promise<ReloadReport | null>
}

/** Why a way back does not exist. */
export class NoSuchPlan extends Error {
  override readonly name = 'NoSuchPlan'
}

export class Reloader {
  private readonly options: ReloaderOptions
  private readonly history: Remembered[]
  private readonly reloads = new ValueFamily(METRICS.configReloads)
  private current: Plan
  private errors: readonly string[] = []
  private usableAtMs: number
  private running: Promise<unknown> = Promise.resolve()
  private waiting: Waiting | null = null

  constructor(options: ReloaderOptions) {
    const { plan, clock } = options
    this.options = options
    this.current = plan
    this.usableAtMs = clock.epochMs()
    this.history = []
    for (const result of ['used', 'unchanged', 'refused', 'failed'] as const) this.reloads.of(result)
    this.remember(this.report('start', 'started', plan, {}), plan)
  }

  get plan(): Plan {
    return this.current
  }

  /** Never rejects. Whoever asks while an attempt waits for its turn shares it. */
  async reload(source: ReloadSource): Promise<ReloadReport> {
    const waiting = this.turnOf(source, async () => true)
    waiting.asked = true
    return (await waiting.done)!
  }

  /**
   * For whoever noticed that files have changed: one content is tried once. Null when an attempt has read it since,
   * whoever asked for that one; else a change and a request that come together would undo what came between them.
   */
  noticed(isNew: () => Promise<boolean>): Promise<ReloadReport | null> {
    return this.turnOf('file', isNew).done
  }

  /** Back to the plan before the one in use, or to a named one. Rejects with {@link NoSuchPlan}. */
  async rollback(hash: string | null): Promise<ReloadReport> {
    return this.inTurn(() => this.use('rollback', this.earlier(hash)))
  }

  /** Newest first. */
  reports(): ReloadReport[] {
    return this.history.map(({ report }) => report).reverse()
  }

  health(): ConfigHealth {
    const { hash, epoch } = this.current
    const restart = restartPaths(this.options.plan, this.current)
    return { ok: this.errors.length === 0, hash, epoch, errors: this.errors, restart }
  }

  snapshot(): Snapshot {
    const at = new ValueFamily(METRICS.configReloadedAt)
    at.of().add(this.usableAtMs / MS_PER_S)
    const ok = new ValueFamily(METRICS.configOk)
    ok.of().add(this.errors.length === 0 ? 1 : 0)
    return [this.reloads, at, ok].map(family => family.rows())
  }

  private turnOf(source: ReloadSource, isNew: () => Promise<boolean>): Waiting {
    if (this.waiting !== null) return this.waiting
    const done = this.inTurn(async () => {
      this.waiting = null
      return waiting.asked || (await isNew()) ? this.attempt(source) : null
    })
    const waiting: Waiting = { asked: false, done }
    this.waiting = waiting
    return waiting
  }

  private inTurn<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.running.then(step)
    this.running = turn.catch(() => undefined)
    return turn
  }

  private async attempt(source: ReloadSource): Promise<ReloadReport> {
    let plan: Plan
    try {
      plan = await this.options.load()
    } catch (error) {
      const errors = error instanceof ConfigErrors ? error.issues.map(issueText) : [(error as Error).message]
      return this.ended(this.report(source, 'refused', null, { errors }))
    }
    return this.use(source, plan)
  }

  private async use(source: ReloadSource, plan: Plan): Promise<ReloadReport> {
    const changed = changedPaths(this.current, plan)
    // Of two equal wildcards the later one wins: order is behaviour, although no key differs.
    if (changed.length === 0 && plan.hash !== this.current.hash) changed.push('(order of entries)')
    if (changed.length === 0) return this.ended(this.report(source, 'unchanged', this.current, {}))
    try {
      const { plan: used, switchMs } = await this.options.use(plan)
      this.current = used
      return this.ended(this.report(source, 'used', used, { changed, switchMs }), used)
    } catch (error) {
      return this.ended(this.report(source, 'failed', plan, { changed, errors: [(error as Error).message] }))
    }
  }

  private ended(report: ReloadReport, plan: Plan | null = null): ReloadReport {
    const { source, result, hash, epoch, changed, restart, errors } = report
    const { log, clock } = this.options
    const usable = result === 'used' || result === 'unchanged'
    this.reloads.of(result).add(1)
    this.errors = errors
    if (usable) this.usableAtMs = clock.epochMs()
    if (result !== 'unchanged') this.remember(report, plan)
    if (usable)
      log.write('info', 'configuration loaded', {
        source,
        result,
        hash,
        epoch,
        changed: changed.join(', '),
        restart: restart.join(', '),
      })
    else {
      const what = result === 'refused' ? 'configuration refused' : 'configuration could not be used'
      log.write('error', `${what}; the plan in use stays`, {
        source,
        hash: this.current.hash,
        errors: errors.join('\n'),
      })
    }
    return report
  }

  private report(
    source: ReloadSource,
    result: ReloadResult,
    plan: Plan | null,
    more: Partial<Pick<ReloadReport, 'changed' | 'errors' | 'switchMs'>>,
  ): ReloadReport {
    const all = more.errors ?? []
    const left = all.length - ERRORS_MAX
    return {
      at: new Date(this.options.clock.epochMs()).toISOString(),
      source,
      result,
      hash: plan?.hash ?? null,
      epoch: this.current.epoch,
      changed: more.changed ?? [],
      restart: plan === null ? [] : restartPaths(this.options.plan, plan),
      errors: left > 0 ? [...all.slice(0, ERRORS_MAX), `and ${left} more`] : all,
      switchMs: more.switchMs ?? null,
      times: 1,
    }
  }

  /** A file that stays wrong must not push out the plans one could go back to. */
  private remember(report: ReloadReport, plan: Plan | null): void {
    const last = this.history.at(-1)
    const { result, errors } = report
    if (last?.report.result === result && plan === null && last.report.errors.join() === errors.join()) {
      this.history.pop()
      this.history.push({ report: { ...report, times: last.report.times + 1 }, plan })
      return
    }
    this.history.push({ report, plan })
    if (this.history.length > HISTORY_MAX) this.history.shift()
  }

  private earlier(hash: string | null): Plan {
    const plans = this.history.flatMap(({ plan }) => (plan === null ? [] : [plan])).reverse()
    if (hash === null) {
      const before = plans.find(plan => plan.epoch < this.current.epoch && plan.hash !== this.current.hash)
      if (before === undefined) throw new NoSuchPlan('there is no earlier plan to go back to')
      return before
    }
    const found = hash.length < HASH_CHARS_MIN ? [] : plans.filter(plan => plan.hash.startsWith(hash))
    const [plan] = found
    if (plan !== undefined && found.every(other => other.hash === plan.hash)) return plan
    const known = [...new Set(plans.map(one => one.hash.slice(0, SHOWN_CHARS)))].join(', ')
    throw new NoSuchPlan(`no plan or more than one is called so; there is ${known}`)
  }
}

/** As in reply headers. */
const SHOWN_CHARS = 12

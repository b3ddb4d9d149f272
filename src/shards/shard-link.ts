// One shard from the supervisor's side: its thread, its control port, and what it has been asked. Owns questions and
// their bounds: whoever asks gets an answer, an error, or a time-out with a name, also when the thread dies.

import { unreachable } from '../common/assert.ts'
import type { Plan } from '../common/config/index.ts'
// Not through the door: a shard would load the schema and the YAML reader with it.
import { callersPlan } from '../common/config/secret.ts'
import type { Snapshot } from '../telemetry/index.ts'
import type { FromShard, ListenerFacts, ShardStart } from './messages.ts'
import { Pulse } from './pulse.ts'
import type { ShardThread, SpawnShard, ThreadEnd } from './thread.ts'

/** Reading a plan and opening its ports; a thread that takes longer is in trouble. */
const PREPARE_MS_MAX = 10_000

/** Settling listeners is a few calls; the turn itself waits for nobody. */
const SWITCH_MS_MAX = 5_000

/** Prometheus itself waits ten seconds for everything. */
const SNAPSHOT_MS_MAX = 1_000

/** Loading the code and opening the ports, on a machine that does other things too. */
const START_MS_MAX = 20_000

/** `ending`: it has said its last word, its thread has not ended yet. */
export type LinkState = 'starting' | 'ready' | 'draining' | 'ending' | 'ended'

/** What a link tells its owner. */
export interface LinkEvents {
  lines(text: string, lines: number, taken: () => void): void
  ended(link: ShardLink, why: ShardEnd): void
}

export interface ShardEnd {
  readonly reason: 'drained' | 'told' | 'crashed' | 'failed' | 'unresponsive' | 'exit'
  readonly message: string
  /** Exchanges that were cut. */
  readonly cut: number
}

interface Question {
  readonly resolve: (answer: FromShard) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

export class ShardLink {
  readonly shard: number
  state: LinkState
  /** Of the plan it serves. */
  epoch: number
  listeners: readonly ListenerFacts[]
  readonly startedMs: number
  private readonly pulse: Pulse
  private readonly thread: ShardThread
  private readonly events: LinkEvents
  private readonly questions: Map<string, Question> = new Map()
  private snapshots = 0
  private lastBeats = -1
  private silentTicks = 0
  private end: ShardEnd | null
  private gone: (() => void) | null

  constructor(start: ShardStart, spawn: SpawnShard, events: LinkEvents, startedMs: number) {
    this.shard = start.shard
    this.state = 'starting'
    this.epoch = start.plan.epoch
    this.listeners = []
    this.startedMs = startedMs
    this.pulse = new Pulse(start.pulse)
    this.events = events
    this.end = null
    this.gone = null
    this.thread = spawn({ ...start, plan: callersPlan(start.plan) })
    this.thread.onMessage(message => this.receive(message))
    this.thread.onEnd(end => this.threadEnded(end))
  }

  /** Exchanges that were running at its last beat. */
  get active(): number {
    return this.pulse.active
  }

  /** Resolves when it serves; rejects with why it does not. */
  ready(): Promise<void> {
    if (this.state === 'ready') return Promise.resolve()
    return this.ask('ready', START_MS_MAX).then(() => undefined)
  }

  /** Resolves when the plan can be switched to; rejects with what is in its way. */
  async prepare(change: number, plan: Plan): Promise<void> {
    this.thread.post({ kind: 'prepare', change, plan: callersPlan(plan) })
    const answer = await this.ask(`prepared ${change}`, PREPARE_MS_MAX)
    if (answer.kind === 'prepared' && answer.error !== null) throw new Error(answer.error)
  }

  /** After the turn: resolves when its listeners are settled, with how long after the turn it left the old plan. */
  async switchTo(change: number): Promise<number> {
    this.thread.post({ kind: 'switch', change })
    const answer = await this.ask(`switched ${change}`, SWITCH_MS_MAX)
    return answer.kind === 'switched' ? answer.afterMs : 0
  }

  discard(): void {
    if (this.state !== 'ended') this.thread.post({ kind: 'discard' })
  }

  async snapshot(): Promise<Snapshot> {
    const id = (this.snapshots += 1)
    this.thread.post({ kind: 'snapshot', id })
    const answer = await this.ask(`snapshot ${id}`, SNAPSHOT_MS_MAX)
    return answer.kind === 'snapshot' ? answer.snapshot : []
  }

  drain(waitMs: number): void {
    if (this.state !== 'ready') {
      this.endNow()
      return
    }
    this.state = 'draining'
    this.thread.post({ kind: 'drain', waitMs })
  }

  endNow(): void {
    if (this.state !== 'ended') this.thread.post({ kind: 'end' })
  }

  /** Resolves true when the thread has ended, false when it has not by then. */
  async endedWithin(waitMs: number): Promise<boolean> {
    if (this.state === 'ended') return true
    return new Promise(resolve => {
      const timer = setTimeout(() => resolve(false), waitMs)
      const before = this.gone
      this.gone = () => {
        before?.()
        clearTimeout(timer)
        resolve(true)
      }
    })
  }

  /** Called at a steady pace; returns for how many calls in a row the shard has given no sign of life. */
  tick(): number {
    const { beats } = this.pulse
    const alive = beats !== this.lastBeats || this.state === 'starting'
    this.lastBeats = beats
    this.silentTicks = alive ? 0 : this.silentTicks + 1
    return this.silentTicks
  }

  /** Ends a thread that gives no sign of life. Rejects when that cannot be done without the process. */
  async evict(): Promise<void> {
    const { active } = this
    this.end = { reason: 'unresponsive', message: 'its event loop does not turn', cut: active }
    await this.thread.evict(place => {
      this.end = { reason: 'unresponsive', message: `stuck in ${place}`, cut: active }
    })
  }

  private receive(message: FromShard): void {
    switch (message.kind) {
      case 'ready':
        this.state = 'ready'
        this.listeners = message.listeners
        this.answer('ready', message)
        return
      case 'failed':
        this.end = { reason: 'failed', message: message.message, cut: 0 }
        return
      case 'prepared':
        this.answer(`prepared ${message.change}`, message)
        return
      case 'switched':
        this.epoch = message.epoch
        this.listeners = message.listeners
        this.answer(`switched ${message.change}`, message)
        return
      case 'snapshot':
        this.answer(`snapshot ${message.id}`, message)
        return
      case 'lines':
        this.events.lines(message.text, message.lines, () => {
          if (this.state !== 'ended') this.thread.post({ kind: 'lines-taken' })
        })
        return
      case 'ending':
        this.state = 'ending'
        this.end = { reason: message.reason, message: message.message, cut: message.cut }
        return
      default:
        unreachable(message)
    }
  }

  private threadEnded({ code, error }: ThreadEnd): void {
    const unannounced = { reason: 'exit', message: error ?? `exit code ${code}`, cut: this.active } as const
    const end: ShardEnd = this.end ?? unannounced
    this.state = 'ended'
    for (const question of this.questions.values()) {
      clearTimeout(question.timer)
      question.reject(new Error(end.message === '' ? `shard ${this.shard} has ended` : end.message))
    }
    this.questions.clear()
    this.gone?.()
    this.events.ended(this, end)
  }

  private ask(what: string, waitMs: number): Promise<FromShard> {
    if (this.state === 'ended') return Promise.reject(new Error(`shard ${this.shard} has ended`))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.questions.delete(what)
        reject(new Error(`shard ${this.shard} was not ${what} within ${waitMs} ms`))
      }, waitMs)
      this.questions.set(what, { resolve, reject, timer })
    })
  }

  private answer(what: string, message: FromShard): void {
    const question = this.questions.get(what)
    if (question === undefined) return
    this.questions.delete(what)
    clearTimeout(question.timer)
    question.resolve(message)
  }
}

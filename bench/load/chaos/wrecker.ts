// An upstream that fails at random: a share of its calls in one of the ways of `faults.ts`, and now and then all of
// them for a while, by resets or by refusing connections. Owns the dice and the memory of what each request was given,
// which is what the books are held against.

import {
  FAKE_DIALECTS,
  type FakeUpstream,
  type RecordedRequest,
  type ScriptedReply,
  startFakeUpstream,
  wordsOf,
} from '../../../test/support/fake-upstream/index.ts'
import type { DialectId } from '../../../src/translate/index.ts'
import { DEAD_KEY } from './entries.ts'
import { FAULTS, type FaultName, HARMLESS, wreck } from './faults.ts'
import { pick, type Random, seeded } from './random.ts'

/** Short ones are got over by trying again, long ones open breakers. */
const OUTAGE_MS_MIN = 500
const OUTAGE_MS_MAX = 12_000
/** Mean time between outages. */
const OUTAGE_EVERY_MS = 20_000
/** Between two looks at whether an outage is due. */
const OUTAGE_LOOK_MS = 50
/** A share of the sound streams comes at the pace of a model, so that callers can leave in the middle. */
const PACED_SHARE = 0.1
const PACED_MS = 8

/** What one request of a caller was given, over all of its tries at this upstream. */
export interface Served {
  calls: number
  /** Calls that were given something else than their answer. */
  faults: number
  /** What was dealt, in order, for a report. */
  readonly dealt: string[]
  /** Sound answers: a request that was sent again may have been answered twice. */
  readonly sound: SoundAnswer[]
}

export interface SoundAnswer {
  readonly model: string
  readonly dialect: DialectId
  readonly bytes: Buffer
}

/** From when to when an upstream refused connections, which it cannot count. */
export interface Refusal {
  readonly fromMs: number
  toMs: number
}

export class Wrecker {
  readonly upstream: FakeUpstream
  readonly refusals: Refusal[] = []
  /** Calls by model. */
  readonly calls: Map<string, number> = new Map()
  readonly faultsGiven: Map<FaultName, number> = new Map()
  outages = 0
  private readonly served: Map<string, Served> = new Map()
  private readonly random: Random
  private readonly share: number
  private resetUntilMs = 0
  private nextOutageMs: number
  private readonly watch: NodeJS.Timeout
  private outage: Promise<void> = Promise.resolve()

  private constructor(upstream: FakeUpstream, seed: number, share: number) {
    this.upstream = upstream
    this.random = seeded(seed)
    this.share = share
    this.nextOutageMs = performance.now() + this.random() * 2 * OUTAGE_EVERY_MS
    this.watch = setInterval(() => this.look(), OUTAGE_LOOK_MS)
    upstream.always(request => this.reply(request))
  }

  static async start(seed: number, share: number): Promise<Wrecker> {
    return new Wrecker(await startFakeUpstream({ record: false }), seed, share)
  }

  /** What a request was given; it is forgotten by that. */
  take(id: string): Served {
    const served = this.served.get(id) ?? nothing()
    this.served.delete(id)
    return served
  }

  refusedBetween(fromMs: number, toMs: number): boolean {
    return this.refusals.some(refusal => refusal.fromMs < toMs && refusal.toMs > fromMs)
  }

  /** No more outages; one that is under way ends. */
  async calm(): Promise<void> {
    clearInterval(this.watch)
    await this.outage
  }

  async close(): Promise<void> {
    await this.calm()
    await this.upstream.close()
  }

  private reply(request: RecordedRequest): ScriptedReply | null {
    const path = request.path.split('?')[0]!
    // Hosts speak more than one dialect; the path tells which.
    const fake = Object.values(FAKE_DIALECTS).find(one => one.matches('POST', path))!
    const dialect = fake.id
    const prompt = fake.readPrompt(path, request.json())
    const text = prompt.lastUserText ?? ''
    const served = this.note(text.slice(0, text.indexOf(' ')), prompt.model)
    const said = `echo: ${text}`
    const turn = {
      id: `fake${served.calls}`,
      model: prompt.model,
      pieces: wordsOf(said),
      call: null,
      inputTokens: wordsOf(text).length,
      outputTokens: wordsOf(said).length,
      finish: 'stop',
    } as const
    const frames = prompt.stream ? fake.streamFrames(turn, prompt) : null
    const pieces: Uint8Array[] =
      frames === null
        ? [Buffer.from(JSON.stringify(fake.wholeReply(turn)))]
        : [...frames.before, ...frames.content, ...frames.after]
    const headers = ['content-type', frames === null ? 'application/json' : fake.streamType]
    const sound = frames === null ? { headers, body: pieces[0]! } : { headers, frames: pieces }
    const fault = this.fault(request)
    if (fault !== null) this.faultsGiven.set(fault, (this.faultsGiven.get(fault) ?? 0) + 1)
    if (fault !== null && !HARMLESS.has(fault)) served.faults += 1
    else served.sound.push({ model: prompt.model, dialect, bytes: Buffer.concat(pieces) })
    const paced = fault === null && this.random() < PACED_SHARE
    served.dealt.push(`${prompt.model}: ${fault ?? (paced ? 'paced' : 'sound')}`)
    if (fault === null) {
      if (!paced) return sound
      return { ...sound, behaviour: { delayBetweenFramesMs: PACED_MS } }
    }
    const middle = frames === null ? 60 : sizeOf(frames.before) + sizeOf(frames.content) * this.random()
    return wreck(dialect, fault, sound, Math.floor(middle), frames?.before ?? null)
  }

  private note(id: string, model: string): Served {
    this.calls.set(model, (this.calls.get(model) ?? 0) + 1)
    let served = this.served.get(id)
    if (served === undefined) {
      served = nothing()
      this.served.set(id, served)
    }
    served.calls += 1
    return served
  }

  private fault(request: RecordedRequest): FaultName | null {
    const shown = request.header('authorization') ?? request.header('x-api-key') ?? ''
    if (shown.includes(DEAD_KEY)) return 'dead-key'
    if (performance.now() < this.resetUntilMs) return 'reset'
    return this.random() < this.share ? pick(FAULTS, this.random) : null
  }

  private look(): void {
    const nowMs = performance.now()
    if (nowMs < this.nextOutageMs) return
    this.outages += 1
    const lastsMs = OUTAGE_MS_MIN + this.random() * (OUTAGE_MS_MAX - OUTAGE_MS_MIN)
    this.nextOutageMs = nowMs + lastsMs + this.random() * 2 * OUTAGE_EVERY_MS
    if (this.random() < 0.5) this.resetUntilMs = nowMs + lastsMs
    else this.outage = this.refuse(lastsMs)
  }

  /** Nobody listens; connections there are were cut. */
  private async refuse(lastsMs: number): Promise<void> {
    const refusal: Refusal = { fromMs: performance.now(), toMs: Number.POSITIVE_INFINITY }
    this.refusals.push(refusal)
    await this.upstream.pause()
    await new Promise(done => setTimeout(done, lastsMs))
    await this.upstream.resume()
    refusal.toMs = performance.now()
  }
}

function nothing(): Served {
  return { calls: 0, faults: 0, dealt: [], sound: [] }
}

function sizeOf(frames: readonly Uint8Array[]): number {
  return frames.reduce((sum, { length }) => sum + length, 0)
}

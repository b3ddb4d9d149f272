// An upstream that fails at random: a share of its calls in one of the ways below, and now and then all of them for a
// while. Owns the dice and the memory of what each request was given, which is what the books are held against.

import {
  eventMessage,
  FAKE_DIALECTS,
  type FakeUpstream,
  type RecordedRequest,
  type ScriptedReply,
  startFakeUpstream,
  wordsOf,
} from '../../../test/support/fake-upstream/index.ts'
import type { DialectId } from '../../../src/translate/index.ts'
import { pick, type Random, seeded } from './random.ts'

const FAULTS = [
  'reset',
  'close',
  'hang',
  'limited',
  'page',
  'empty',
  'overloaded',
  'not-http',
  'coded',
  'early-error',
  'cut',
  'false-end',
  'silence',
  'drip',
] as const
type FaultName = (typeof FAULTS)[number]

/** These hurt nobody: the reply arrives whole. */
const HARMLESS: ReadonlySet<FaultName> = new Set(['drip'])
const OUTAGE_MS = 1_500
/** Mean time between outages. */
const OUTAGE_EVERY_MS = 15_000

export interface Served {
  calls: number
  /** Calls that were given something else than their answer. */
  faults: number
}

export class Wrecker {
  readonly upstream: FakeUpstream
  /** By the first word of a request. */
  readonly served: Map<string, Served> = new Map()
  calls = 0
  private readonly random: Random
  private readonly share: number
  private downUntilMs = 0
  private nextOutageMs: number

  private constructor(upstream: FakeUpstream, seed: number, share: number) {
    this.upstream = upstream
    this.random = seeded(seed)
    this.share = share
    this.nextOutageMs = performance.now() + this.random() * 2 * OUTAGE_EVERY_MS
    upstream.always(request => this.reply(request))
  }

  static async start(seed: number, share: number): Promise<Wrecker> {
    return new Wrecker(await startFakeUpstream({ record: false }), seed, share)
  }

  private reply(request: RecordedRequest): ScriptedReply | null {
    const path = request.path.split('?')[0]!
    // Hosts speak more than one dialect; the path tells which.
    const fake = Object.values(FAKE_DIALECTS).find(one => one.matches('POST', path))!
    const dialect = fake.id
    const prompt = fake.readPrompt(path, request.json())
    const text = prompt.lastUserText ?? ''
    const served = this.note(text.slice(0, text.indexOf(' ')))
    const said = `echo: ${text}`
    const turn = {
      id: `fake${this.calls}`,
      model: prompt.model,
      pieces: wordsOf(said),
      call: null,
      inputTokens: wordsOf(text).length,
      outputTokens: wordsOf(said).length,
      finish: 'stop',
    } as const
    const frames = prompt.stream ? fake.streamFrames(turn, prompt) : null
    const sound: ScriptedReply =
      frames === null
        ? { headers: JSON_TYPE, body: JSON.stringify(fake.wholeReply(turn)) }
        : {
            headers: ['content-type', fake.streamType],
            frames: [...frames.before, ...frames.content, ...frames.after],
          }
    const fault = this.fault()
    if (fault === null) return sound
    if (!HARMLESS.has(fault)) served.faults += 1
    const middle = frames === null ? 60 : sizeOf(frames.before) + sizeOf(frames.content) * this.random()
    return wreck(dialect, fault, sound, Math.floor(middle), frames?.before ?? null)
  }

  private note(id: string): Served {
    this.calls += 1
    let served = this.served.get(id)
    if (served === undefined) {
      served = { calls: 0, faults: 0 }
      this.served.set(id, served)
    }
    served.calls += 1
    return served
  }

  private fault(): FaultName | null {
    const nowMs = performance.now()
    if (nowMs > this.nextOutageMs) {
      this.downUntilMs = nowMs + OUTAGE_MS
      this.nextOutageMs = nowMs + OUTAGE_MS + this.random() * 2 * OUTAGE_EVERY_MS
    }
    if (nowMs < this.downUntilMs) return 'reset'
    return this.random() < this.share ? pick(FAULTS, this.random) : null
  }
}

const JSON_TYPE: readonly string[] = ['content-type', 'application/json']

function sizeOf(frames: readonly Uint8Array[]): number {
  return frames.reduce((sum, { length }) => sum + length, 0)
}

function errorFrame(dialect: DialectId): Uint8Array {
  const event = (name: string, data: unknown): Uint8Array =>
    Buffer.from(`${name}data: ${JSON.stringify(data)}\n\n`)
  switch (dialect) {
    case 'anthropic-messages':
      return event('event: error\n', {
        type: 'error',
        error: { type: 'overloaded_error', message: 'overloaded' },
      })
    case 'gemini-generate':
      return event('', { error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } })
    case 'bedrock-converse':
      return eventMessage(
        [':exception-type', 'serviceUnavailableException', ':message-type', 'exception'],
        Buffer.from('{"message":"overloaded"}'),
      )
    case 'openai-responses':
      return event('event: error\n', {
        type: 'error',
        code: 'server_is_overloaded',
        message: 'overloaded',
        param: null,
        sequence_number: 9,
      })
    default:
      return event('', {
        error: { message: 'overloaded', type: 'server_error', param: null, code: 'overloaded' },
      })
  }
}

function wreck(
  dialect: DialectId,
  fault: FaultName,
  sound: ScriptedReply,
  middle: number,
  before: readonly Uint8Array[] | null,
): ScriptedReply {
  const fake = FAKE_DIALECTS[dialect]
  switch (fault) {
    case 'reset':
      return { behaviour: { resetBeforeHeaders: true } }
    case 'close':
      return { behaviour: { closeBeforeHeaders: true } }
    case 'hang':
      return { behaviour: { hangBeforeHeaders: true } }
    case 'limited':
      return {
        status: 429,
        headers: [...JSON_TYPE, 'retry-after-ms', '20'],
        body: JSON.stringify(fake.errorReply(429, 'slow down')),
      }
    case 'page':
      return { status: 500, headers: ['content-type', 'text/html'], body: '<h1>broken</h1>' }
    case 'empty':
      return { status: 503, headers: [], body: '' }
    case 'overloaded':
      return { status: 529, headers: JSON_TYPE, body: JSON.stringify(fake.errorReply(529, 'overloaded')) }
    case 'not-http':
      return { behaviour: { garbage: true } }
    case 'coded':
      return { ...sound, behaviour: { gzip: true } }
    case 'early-error':
      if (before === null) return { status: 500, headers: JSON_TYPE, body: '{}' }
      return { headers: sound.headers!, frames: [...before, errorFrame(dialect)] }
    case 'cut':
      return { ...sound, behaviour: { cutAfterBytes: middle, cut: 'reset' } }
    case 'false-end':
      return { ...sound, behaviour: { cutAfterBytes: middle, cut: 'end' } }
    case 'silence':
      if (before === null) return { behaviour: { hangBeforeHeaders: true } }
      return { ...sound, behaviour: { hangAfterFrames: before.length + 2 } }
    case 'drip':
      return { ...sound, behaviour: { splitBytes: 97 } }
  }
}

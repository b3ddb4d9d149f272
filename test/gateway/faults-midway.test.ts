// The fault matrix behind the first content: what a client is told when its stream breaks, what is counted of it, and
// that nobody else is asked. And faults of which a client notices nothing: drips, and keys of which half are dead.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DialectId } from '../../src/translate/index.ts'
import { FAKE_DIALECTS, type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { DIALECT_IDS, endings, flaw, speaking } from './callers.ts'
import { breakersOf, counted } from './counted.ts'
import {
  ask,
  BREAKER_CALLS,
  benchFor,
  callersOf,
  poolsAreWhole,
  TIMES,
  upstreamOf,
  WAYS,
} from './faults-bench.ts'
import { type Said, statusIn, WAIT_MS } from './faults.ts'
import { Handles } from './handles.ts'
import { Bench } from './harness.ts'

const handles = new Handles()

let broken: FakeUpstream
let sound: FakeUpstream

beforeEach(async () => {
  broken = await startFakeUpstream()
  sound = await startFakeUpstream()
})

afterEach(async () => {
  await broken.close()
  await sound.close()
  await handles.noneLeft()
})

const BROKE = {
  outcome: 'upstream-broke',
  errorKind: 'upstream-broke',
  result: 'broken',
  calls: '2xx stream',
} as const

/** What it is, how the upstream does it (null: it falls silent), and what is said of it. */
const BREAKS: readonly (readonly [string, 'reset' | 'fin' | 'end' | null, Said])[] = [
  ['a reset', 'reset', BROKE],
  ['a close', 'fin', BROKE],
  ['a false ending', 'end', { ...BROKE, errorKind: 'incomplete_stream' }],
  [
    'silence',
    null,
    { outcome: 'timeout', errorKind: 'upstream-timeout', result: 'timeout', calls: '2xx timeout' },
  ],
]
/** An event that was torn is a broken one to whoever has to read it. */
const TORN: Said = {
  outcome: 'upstream-error',
  errorKind: 'upstream',
  result: 'upstream_error',
  calls: '2xx stream',
}

describe.each(DIALECT_IDS)('%s', dialect => {
  describe.each(WAYS)('%s', way => {
    const origins = () => ({ broken: broken.origin, sound: sound.origin })

    test.each(BREAKS)('after content, %s is told in mid-stream and nobody else is asked', async (...row) => {
      const [, how, said] = row
      const half = halfOf(upstreamOf(dialect, way))
      broken.behave(how === null ? { hangAfterFrames: half.frames } : { cut: how, cutAfterBytes: half.bytes })
      const more = {
        patient: false,
        upstream: { ...TIMES, ...(how === null ? { betweenBytesMs: WAIT_MS } : {}) },
      }
      const bench = benchFor(dialect, way, origins(), more)
      const [stream] = callersOf(dialect, { streamsOnly: true })
      const calls = Array.from({ length: BREAKER_CALLS }, () => ask(bench, stream!, 'broken/first'))
      const seen = await Promise.all(calls)
      const torn = way === 'translated' && how === 'end' && seen[0]!.record.errorKind === TORN.errorKind
      const { outcome, errorKind, result, calls: counts } = torn ? TORN : said
      for (const { reply, record } of seen) {
        expect(reply.status).toBe(200)
        expect(reply.text).toContain('one')
        expect(endings(reply.text, dialect)).toEqual({ success: false, error: true })
        expect(record).toMatchObject({ attempts: 1, outcome, errorKind, usagePartial: true })
      }
      expect([broken.requestsEver, sound.requestsEver]).toEqual([BREAKER_CALLS, 0])
      expect(counted(bench)).toEqual({
        [`tries broken/first ${result}`]: BREAKER_CALLS,
        [`exchanges ${outcome}`]: BREAKER_CALLS,
        [`calls broken/first ${counts}`]: BREAKER_CALLS,
        'partial broken/first': BREAKER_CALLS,
      })
      expect(breakersOf(bench)).toEqual({ 'breaker broken/first 0': 2, 'openings broken/first 0': 1 })
      await poolsAreWhole(bench)
      await bench.close()
    })

    test('a reply that drips is waited for', async () => {
      broken.behave({ splitBytes: 3 })
      const bench = benchFor(dialect, way, origins())
      const callers = callersOf(dialect)
      const seen = await Promise.all(callers.map(caller => ask(bench, caller, 'broken/first')))
      for (const { caller, reply, record } of seen) {
        expect(flaw(reply, caller)).toBeNull()
        expect(record).toMatchObject({ attempts: 1, outcome: 'ok' })
      }
      expect([broken.requestsEver, sound.requestsEver]).toEqual([callers.length, 0])
      expect(counted(bench)).toEqual({
        'tries broken/first ok': callers.length,
        'exchanges ok': callers.length,
        'calls broken/first 2xx none': callers.length,
      })
      await bench.close()
    })

    test('all tries together get the time of one exchange', async () => {
      broken.behave({ hangBeforeHeaders: true })
      const timeoutMs = 3 * WAIT_MS
      const upstream = upstreamOf(dialect, way)
      const bench = new Bench({
        patient: true,
        listener: { timeoutMs },
        upstream: { ...TIMES, headersMs: 2 * WAIT_MS },
        providers: [
          speaking(upstream, 'broken/first', broken.origin, { fallbacks: ['broken/second'] }),
          speaking(upstream, 'broken/second', broken.origin),
        ],
      })
      const startMs = performance.now()
      const callers = callersOf(dialect)
      const seen = await Promise.all(callers.map(caller => ask(bench, caller, 'broken/first')))
      expect(performance.now() - startMs).toBeLessThan(timeoutMs + SLACK_MS)
      for (const { reply, record } of seen) {
        expect(reply.status).toBe(statusIn(dialect, 504))
        expect(record).toMatchObject({ attempts: 2, outcome: 'timeout' })
      }
      expect(broken.requestsEver).toBe(2 * callers.length)
      expect(counted(bench)).toEqual({
        'tries broken/first timeout': callers.length,
        'retries broken/first timeout': callers.length,
        'tries broken/second timeout': callers.length,
        'exchanges timeout': callers.length,
        'calls broken/second error timeout': callers.length,
      })
      await bench.close()
    })

    test('half of the keys being dead is nothing a client notices', async () => {
      const keys = ['dead-1', 'alive-1', 'dead-2', 'alive-2'].map(secret => ({ secret, weight: 1 }))
      const upstream = upstreamOf(dialect, way)
      refuseDeadKeys(upstream)
      const bench = new Bench({
        providers: [speaking(upstream, 'keys/four', broken.origin, { accessKeys: keys })],
      })
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const caller of callersOf(dialect)) {
          const { reply, record } = await ask(bench, caller, 'keys/four')
          expect(flaw(reply, caller)).toBeNull()
          expect(record.outcome).toBe('ok')
        }
      }
      const answered = ROUNDS * callersOf(dialect).length
      const refused = broken.requestsEver - answered
      expect(refused, 'each dead key is tried once and then rests').toBe(2)
      expect(counted(bench)).toEqual({
        'tries keys/four ok': answered,
        'tries keys/four refused': refused,
        'retries keys/four refused': refused,
        'exchanges ok': answered,
        'calls keys/four 2xx none': answered,
      })
      // The dead ones rest, and no breaker opened.
      expect(Object.keys(breakersOf(bench)).sort()).toEqual(['rests keys/four 0', 'rests keys/four 2'])
      await bench.close()
    })
  })
})

/** With four keys of one weight, a dead one is left out of 80 calls by chance once in ten thousand million times. */
const ROUNDS = 40
/** Two sweeps, and the hiccups of a busy machine. */
const SLACK_MS = 1_000

function refuseDeadKeys(dialect: DialectId): void {
  const body = JSON.stringify(FAKE_DIALECTS[dialect].errorReply(401, 'no such key'))
  broken.always(request =>
    request.headers.some(field => field.includes('dead-'))
      ? { status: 401, headers: ['content-type', 'application/json'], body }
      : null,
  )
}

/** Frames and bytes up to the middle of the content of a stream that echoes what every caller says. */
function halfOf(dialect: DialectId): { readonly frames: number; readonly bytes: number } {
  const turn = {
    id: 'fake1',
    model: 'first',
    pieces: ['echo: ', 'one ', 'two ', 'three ', 'four ', 'five'],
    call: null,
    inputTokens: 5,
    outputTokens: 6,
    finish: 'stop',
  } as const
  const prompt = { stream: true, streamUsage: true } as Parameters<
    (typeof FAKE_DIALECTS)['openai-chat']['streamFrames']
  >[1]
  const { before: start, content } = FAKE_DIALECTS[dialect].streamFrames(turn, prompt)
  const frames = [...start, ...content.slice(0, 4)]
  return { frames: frames.length, bytes: frames.reduce((sum, { length }) => sum + length, 0) }
}

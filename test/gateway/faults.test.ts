// The fault matrix: every way an upstream goes wrong, for every dialect, whole and streamed, relayed and translated.
// Each row says what a client without a fallback sees and what the record says of it, and that a client with one sees
// nothing at all. At the end no socket and no timer is left.

import { readFileSync } from 'node:fs'
import type { LookupFunction } from 'node:net'
import { createServer, type Server, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ExchangeRecord } from '../../src/telemetry/index.ts'
import type { DialectId } from '../../src/translate/index.ts'
import { FAKE_DIALECTS, type FakeUpstream, startFakeUpstream, until } from '../support/fake-upstream/index.ts'
import {
  type Caller,
  CALLERS,
  DIALECT_IDS,
  endings,
  errorMessage,
  flaw,
  otherDialect,
  speaking,
} from './callers.ts'
import { type Fault, FAULTS, GOOGLE_LIMIT, statusIn, type Verdict } from './faults.ts'
import { Bench, type EngineOptions, type Reply } from './harness.ts'

/** Time-outs short enough to be waited for, and far above what a sound upstream of this machine takes. */
const WAIT_MS = 300
const TIMES = { connectMs: WAIT_MS, headersMs: WAIT_MS, firstByteMs: WAIT_MS, betweenBytesMs: WAIT_MS }

type Way = 'relayed' | 'translated'
const WAYS: readonly Way[] = ['relayed', 'translated']

let broken: FakeUpstream
let sound: FakeUpstream
let before: string[]

function resources(): string[] {
  return process.getActiveResourcesInfo().filter(name => /TCP|Timeout|Immediate|Req/.test(name))
}

beforeAll(() => {
  before = resources()
})

beforeEach(async () => {
  broken = await startFakeUpstream()
  sound = await startFakeUpstream()
})

afterEach(async () => {
  await broken.close()
  await sound.close()
})

afterAll(async () => {
  await until('no socket and no timer is left', () => resources().length <= before.length)
  expect(resources().sort()).toEqual(before.sort())
})

interface Seen {
  readonly caller: Caller
  readonly reply: Reply
  readonly record: ExchangeRecord
}

/** One entry that is broken, and one that is broken with a sound one behind it. */
function benchFor(dialect: DialectId, way: Way, origin: string, more: Partial<EngineOptions> = {}): Bench {
  const upstream = way === 'relayed' ? dialect : otherDialect(dialect)
  return new Bench({
    patient: true,
    upstream: TIMES,
    ...more,
    providers: [
      speaking(upstream, 'broken/alone', origin),
      speaking(upstream, 'broken/first', origin, { fallbacks: ['sound/second'] }),
      speaking('openai-chat', 'sound/second', sound.origin),
    ],
  })
}

async function ask(bench: Bench, caller: Caller, model: string): Promise<Seen> {
  const id = `ask-${caller.dialect}-${caller.streaming}-${model.replace('/', '-')}`
  const reply = await bench.call(caller.path(model), caller.body(model), ['x-request-id', id])
  const record = bench.records.find(({ requestId }) => requestId === id)!
  return { caller, reply, record }
}

function callersOf(dialect: DialectId, fault: { readonly streamsOnly?: boolean }): readonly Caller[] {
  return CALLERS.filter(
    caller => caller.dialect === dialect && (caller.streaming || fault.streamsOnly !== true),
  )
}

/** A client of the upstream's own dialect gets its status as it came. */
function kept(status: number): readonly number[] {
  return status === 503 ? [529] : []
}

async function toldTheTruth(
  bench: Bench,
  callers: readonly Caller[],
  verdict: Verdict & Pick<Fault, 'translated'>,
  way: Way = 'relayed',
): Promise<Seen[]> {
  const seen = await Promise.all(callers.map(caller => ask(bench, caller, 'broken/alone')))
  for (const { caller, reply, record } of seen) {
    const { outcome, errorKind, translated } = verdict
    const said = way === 'translated' && record.errorKind === translated?.errorKind
    expect(record, `${record.outcome} ${record.errorKind} ${reply.text}`).toMatchObject({
      attempts: 1,
      ...(said ? translated : { outcome, errorKind }),
    })
    // With nobody else to ask, a stream may have begun before it broke; then it says so in mid-stream.
    if (caller.streaming && reply.status === 200) {
      expect(endings(reply.text, caller.dialect)).toEqual({ success: false, error: true })
      continue
    }
    expect([statusIn(caller.dialect, verdict.status), ...kept(verdict.status)], reply.text).toContain(
      reply.status,
    )
    expect(errorMessage(reply, caller.dialect)).not.toMatch(/<h1>|\[object/)
  }
  return seen
}

/** How long the client is told to wait, milliseconds, wherever its dialect says it. */
function hintOf(reply: Reply): number | null {
  const seconds = reply.header('retry-after') ?? /"retryDelay": ?"(\d+)s"/.exec(reply.text)?.[1] ?? null
  return seconds === null ? null : Number(seconds) * 1_000
}

async function sawNothing(bench: Bench, callers: readonly Caller[]): Promise<void> {
  const seen = await Promise.all(callers.map(caller => ask(bench, caller, 'broken/first')))
  for (const { caller, reply, record } of seen) {
    expect(flaw(reply, caller)).toBeNull()
    expect(record).toMatchObject({ attempts: 2, outcome: 'ok', provider: 'sound/second', errorKind: null })
  }
}

function isWhole(bench: Bench): boolean {
  return bench.services.upstream
    .pools()
    .every(({ busy, connecting, queued }) => busy + connecting + queued === 0)
}

async function both(
  dialect: DialectId,
  way: Way,
  origin: string,
  fault: Verdict & Partial<Fault>,
  more: Partial<EngineOptions> = {},
): Promise<void> {
  const bench = benchFor(dialect, way, origin, more)
  try {
    const callers = callersOf(dialect, fault)
    const alone = await toldTheTruth(bench, callers, fault, way)
    if (fault.retryAfterMs !== undefined) {
      for (const { reply } of alone) {
        if (way === 'relayed') {
          for (let at = 0; at < fault.fields!.length; at += 2) {
            const name = fault.fields![at]!
            if (name !== 'date') expect(reply.header(name)).toBe(fault.fields![at + 1])
          }
        } else expect(hintOf(reply)).toBe(fault.retryAfterMs)
      }
    }
    await sawNothing(bench, callers)
    expect(bench.engine.active).toBe(0)
    expect(bench.bugs).toEqual([])
    await until('the pools are whole', () => isWhole(bench))
  } finally {
    await bench.close()
  }
}

describe.each(DIALECT_IDS)('%s', dialect => {
  describe.each(WAYS)('%s', way => {
    test.each<[string, Fault]>(FAULTS.map(fault => [fault.name, fault]))('%s', async (_name, fault) => {
      fault.breakIt(broken, way === 'relayed' ? dialect : otherDialect(dialect))
      await both(dialect, way, broken.origin, fault)
      const callers = callersOf(dialect, fault)
      expect(broken.requestsEver, 'calls of the broken upstream').toBe(2 * callers.length)
      expect(sound.requestsEver, 'calls of the sound one').toBe(callers.length)
    })

    test('a connection that is refused', async () => {
      await broken.close()
      await both(dialect, way, broken.origin, UNREACHABLE)
      broken = await startFakeUpstream()
    })

    test('a name that nobody knows', async () => {
      const more = { client: { lookup: NOBODY } }
      const bench = benchFor(dialect, way, 'http://nobody.invalid:80', more)
      const seen = await toldTheTruth(bench, callersOf(dialect, {}), UNREACHABLE)
      for (const { reply } of seen) expect(reply.text).toContain('ENOTFOUND')
      await sawNothing(bench, callersOf(dialect, {}))
      await bench.close()
    })
  })
})

const UNREACHABLE = { status: 502, outcome: 'upstream-unreachable', errorKind: 'upstream-connect' } as const

/** Knows addresses, and no name. */
const NOBODY: LookupFunction = (name, _options, callback) => {
  const error: NodeJS.ErrnoException = new Error(`getaddrinfo ENOTFOUND ${name}`)
  error.code = 'ENOTFOUND'
  callback(error, '', 4)
}

describe.each(DIALECT_IDS)('%s', dialect => {
  test(GOOGLE_LIMIT.name, async () => {
    GOOGLE_LIMIT.breakIt(broken, 'gemini-generate')
    const bench = new Bench({
      patient: true,
      providers: [speaking('gemini-generate', 'broken/alone', broken.origin)],
    })
    const seen = await toldTheTruth(bench, callersOf(dialect, {}), GOOGLE_LIMIT)
    for (const { reply } of seen) {
      expect(hintOf(reply)).toBe(GOOGLE_LIMIT.retryAfterMs)
    }
    await bench.close()
  })

  test('a certificate for another name', async () => {
    const folder = join(import.meta.dirname, '../fixtures/tls')
    const file = (name: string): string => readFileSync(join(folder, name), 'utf8')
    const secure = await startFakeUpstream({ tls: { key: file('other.key'), cert: file('other.pem') } })
    const more = { client: { ca: file('authority.pem') }, upstream: { ...TIMES, connectMs: 3_000 } }
    await both(dialect, 'relayed', secure.origin.replace('127.0.0.1', 'localhost'), UNREACHABLE, more)
    expect(secure.requestsEver).toBe(0)
    await secure.close()
  })

  test('a handshake that is never answered', async () => {
    const silent: Server = createServer(socket => void socket.resume().on('error', () => {}))
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const slow = { status: 504, outcome: 'timeout', errorKind: 'upstream-timeout' } as const
    await both(dialect, 'relayed', `https://127.0.0.1:${port}`, slow)
    await new Promise(resolve => silent.close(resolve))
  })
})

describe.each(DIALECT_IDS)('%s', dialect => {
  const streams = callersOf(dialect, { streamsOnly: true })

  describe.each(WAYS)('%s', way => {
    test.each<[string, 'reset' | 'fin' | 'end' | null, Omit<Verdict, 'status'>]>([
      ['a reset', 'reset', { outcome: 'upstream-broke', errorKind: 'upstream-broke' }],
      ['a close', 'fin', { outcome: 'upstream-broke', errorKind: 'upstream-broke' }],
      ['a false ending', 'end', { outcome: 'upstream-broke', errorKind: 'incomplete_stream' }],
      ['silence', null, { outcome: 'timeout', errorKind: 'upstream-timeout' }],
    ])('after content, %s is told in mid-stream and nobody else is asked', async (_name, how, said) => {
      const upstream = way === 'relayed' ? dialect : otherDialect(dialect)
      const half = halfOf(upstream)
      broken.behave(how === null ? { hangAfterFrames: half.frames } : { cut: how, cutAfterBytes: half.bytes })
      const bench = benchFor(dialect, way, broken.origin)
      for (const caller of streams) {
        const { reply, record } = await ask(bench, caller, 'broken/first')
        expect(reply.status).toBe(200)
        expect(reply.text).toContain('one')
        expect(endings(reply.text, dialect)).toEqual({ success: false, error: true })
        // An event that was torn is a broken one to whoever has to read it.
        const torn = way === 'translated' && how === 'end' && record.errorKind === 'upstream'
        expect(record).toMatchObject(torn ? { attempts: 1 } : { attempts: 1, ...said })
      }
      expect(sound.requestsEver).toBe(0)
      await bench.close()
    })

    test('a reply that drips is waited for', async () => {
      broken.behave({ splitBytes: 3 })
      const bench = benchFor(dialect, way, broken.origin)
      const callers = callersOf(dialect, {})
      const seen = await Promise.all(callers.map(caller => ask(bench, caller, 'broken/first')))
      for (const { caller, reply, record } of seen) {
        expect(flaw(reply, caller)).toBeNull()
        expect(record).toMatchObject({ attempts: 1, outcome: 'ok' })
      }
      await bench.close()
    })

    test('all tries together get the time of one exchange', async () => {
      broken.behave({ hangBeforeHeaders: true })
      const more = { listener: { timeoutMs: 450 }, upstream: { ...TIMES, headersMs: 300 } }
      const upstream = way === 'relayed' ? dialect : otherDialect(dialect)
      const bench = new Bench({
        patient: true,
        ...more,
        providers: [
          speaking(upstream, 'broken/first', broken.origin, { fallbacks: ['broken/second'] }),
          speaking(upstream, 'broken/second', broken.origin),
        ],
      })
      const startMs = performance.now()
      const callers = callersOf(dialect, {})
      const seen = await Promise.all(callers.map(caller => ask(bench, caller, 'broken/first')))
      expect(performance.now() - startMs).toBeLessThan(450 + SLACK_MS)
      for (const { reply, record } of seen) {
        expect(reply.status).toBe(statusIn(dialect, 504))
        expect(record).toMatchObject({ attempts: 2, outcome: 'timeout' })
      }
      await bench.close()
    })
  })

  test('half of the keys being dead is nothing a client notices', async () => {
    const alive = new Set(['alive-1', 'alive-2'])
    const keys = ['dead-1', 'alive-1', 'dead-2', 'alive-2'].map(secret => ({ secret, weight: 1 }))
    broken.always(request => {
      const field = request.headers.find(
        (_, at) => at % 2 === 1 && /(dead|alive)-\d/.test(request.headers[at]!),
      )
      if (alive.has(/(?:dead|alive)-\d/.exec(field ?? '')?.[0] ?? '')) return null
      const body = JSON.stringify(FAKE_DIALECTS[dialect].errorReply(401, 'no such key'))
      return { status: 401, headers: ['content-type', 'application/json'], body }
    })
    const bench = new Bench({
      providers: [speaking(dialect, 'keys/four', broken.origin, { accessKeys: keys })],
    })
    for (let round = 0; round < 10; round += 1) {
      for (const caller of callersOf(dialect, {})) {
        const { reply, record } = await ask(bench, caller, 'keys/four')
        expect(flaw(reply, caller)).toBeNull()
        expect(record.outcome).toBe('ok')
        bench.records.length = 0
      }
    }
    expect(broken.requestsEver, 'each dead key is tried once and then rests').toBeLessThanOrEqual(22)
    await bench.close()
  })
})

/** Two sweeps, and the hiccups of a busy machine. */
const SLACK_MS = 400

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

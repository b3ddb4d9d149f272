// What is done with every fault of the matrix: callers with nobody else to turn to, callers with a fallback, and enough
// of them that a breaker must have an opinion; and what the clients, the upstreams and the metrics must say of it.

import { expect } from 'vitest'
import type { ExchangeRecord } from '../../src/telemetry/index.ts'
import type { DialectId } from '../../src/translate/index.ts'
import { until } from '../support/fake-upstream/index.ts'
import { type Caller, CALLERS, endings, errorMessage, flaw, otherDialect, speaking } from './callers.ts'
import { breakersOf, counted } from './counted.ts'
import { type Fault, type Said, statusIn, type Verdict } from './faults.ts'
import { Bench, type EngineOptions, type Reply } from './harness.ts'

/** Nobody waits for these: a row about a time-out makes its own one short. */
export const TIMES = { connectMs: 5_000, headersMs: 5_000, firstByteMs: 5_000, betweenBytesMs: 5_000 }
/** As many outcomes as a breaker wants to see before it judges. */
export const BREAKER_CALLS = 10

export type Way = 'relayed' | 'translated'
export const WAYS: readonly Way[] = ['relayed', 'translated']

export interface Seen {
  readonly caller: Caller
  readonly reply: Reply
  readonly record: ExchangeRecord
}

/** Where an upstream is broken and where one is sound. */
export interface Origins {
  readonly broken: string
  readonly sound: string
}

export function upstreamOf(dialect: DialectId, way: Way): DialectId {
  return way === 'relayed' ? dialect : otherDialect(dialect)
}

/** One entry that is broken, and one that is broken with a sound one behind it. Breakers do not open. */
export function benchFor(
  dialect: DialectId,
  way: Way,
  { broken, sound }: Origins,
  more: Partial<EngineOptions> & Pick<Fault, 'speaks'> = {},
): Bench {
  const { speaks: upstream = upstreamOf(dialect, way), ...options } = more
  return new Bench({
    patient: true,
    upstream: TIMES,
    ...options,
    providers: [
      speaking(upstream, 'broken/alone', broken),
      speaking(upstream, 'broken/first', broken, { fallbacks: ['sound/second'] }),
      speaking('openai-chat', 'sound/second', sound),
    ],
  })
}

let asked = 0

export async function ask(bench: Bench, caller: Caller, model: string): Promise<Seen> {
  asked += 1
  const id = `ask-${asked}`
  const reply = await bench.call(caller.path(model), caller.body(model), ['x-request-id', id])
  const record = bench.records.find(({ requestId }) => requestId === id)!
  return { caller, reply, record }
}

export function callersOf(dialect: DialectId, fault: Pick<Fault, 'streamsOnly'> = {}): readonly Caller[] {
  return CALLERS.filter(
    caller => caller.dialect === dialect && (caller.streaming || fault.streamsOnly !== true),
  )
}

/** A client of the upstream's own dialect gets its status as it came. */
function kept(status: number): readonly number[] {
  return status === 503 ? [529] : []
}

/** Which of the two things that a fault may be called it was called here. */
function saidOf(record: ExchangeRecord, fault: Verdict & Pick<Fault, 'translated'>, way: Way): Said {
  const { translated } = fault
  return way === 'translated' && record.errorKind === translated?.errorKind ? translated : fault
}

async function toldTheTruth(
  bench: Bench,
  callers: readonly Caller[],
  fault: Verdict & Partial<Fault>,
  way: Way,
): Promise<readonly Seen[]> {
  const seen = await Promise.all(callers.map(caller => ask(bench, caller, 'broken/alone')))
  for (const { caller, reply, record } of seen) {
    const { outcome, errorKind, result } = saidOf(record, fault, way)
    expect(record, `${record.outcome} ${record.errorKind} ${reply.text}`).toMatchObject({
      attempts: 1,
      outcome,
      errorKind,
    })
    for (const failed of record.failedTries ?? []) expect(failed).toMatchObject({ result, followed: false })
    // With nobody else to ask, a stream may have begun before it broke; then it says so in mid-stream.
    if (caller.streaming && reply.status === 200) {
      expect(endings(reply.text, caller.dialect)).toEqual({ success: false, error: true })
      continue
    }
    expect([statusIn(caller.dialect, fault.status), ...kept(fault.status)], reply.text).toContain(
      reply.status,
    )
    expect(errorMessage(reply, caller.dialect)).not.toMatch(/<h1>|\[object/)
    if (fault.message !== undefined) expect(errorMessage(reply, caller.dialect)).toMatch(fault.message)
    toldWhen(reply, fault, way)
  }
  return seen
}

function toldWhen(reply: Reply, { retryAfterMs, fields }: Partial<Fault>, way: Way): void {
  if (retryAfterMs === undefined) return
  if (way === 'translated' || fields!.length === 0) {
    expect(hintOf(reply)).toBe(retryAfterMs)
    return
  }
  for (let at = 0; at < fields!.length; at += 2) {
    const name = fields![at]!
    if (name !== 'date') expect(reply.header(name)).toBe(fields![at + 1])
  }
}

/** How long the client is told to wait, milliseconds, wherever its dialect says it. */
function hintOf(reply: Reply): number | null {
  const seconds = reply.header('retry-after') ?? /"retryDelay": ?"(\d+)s"/.exec(reply.text)?.[1] ?? null
  return seconds === null ? null : Number(seconds) * 1_000
}

async function sawNothing(bench: Bench, callers: readonly Caller[]): Promise<readonly Seen[]> {
  const seen = await Promise.all(callers.map(caller => ask(bench, caller, 'broken/first')))
  for (const { caller, reply, record } of seen) {
    expect(flaw(reply, caller)).toBeNull()
    expect(record).toMatchObject({ attempts: 2, outcome: 'ok', provider: 'sound/second', errorKind: null })
  }
  return seen
}

function add(to: Record<string, number>, line: string): void {
  to[line] = (to[line] ?? 0) + 1
}

/** Every counter that must have moved, and by how much; any other one is a mistake. */
function moved(
  alone: readonly Seen[],
  first: readonly Seen[],
  fault: Verdict & Partial<Fault>,
  way: Way,
): Record<string, number> {
  const lines: Record<string, number> = {}
  for (const { record, reply } of alone) {
    const said = saidOf(record, fault, way)
    // A stream that has begun may have told usage by then.
    if (record.usagePartial) {
      expect(reply.status).toBe(200)
      add(lines, 'partial broken/alone')
    }
    add(lines, `tries broken/alone ${said.result}`)
    add(lines, `exchanges ${said.outcome}`)
    add(lines, `calls broken/alone ${said.calls}`)
  }
  for (const { record } of first) {
    // What the failed try was called can only be seen here.
    const { result } = record.failedTries![0]!
    expect([fault.result, fault.translated?.result]).toContain(result)
    add(lines, `tries broken/first ${result}`)
    add(lines, `retries broken/first ${result}`)
    add(lines, 'tries sound/second ok')
    add(lines, 'exchanges ok')
    add(lines, 'calls sound/second 2xx none')
  }
  return lines
}

export async function poolsAreWhole(bench: Bench): Promise<void> {
  await until('the pools are whole', () =>
    bench.services.upstream.pools().every(({ busy, connecting, queued }) => busy + connecting + queued === 0),
  )
}

/** A row of the matrix. Its calls of the broken upstream: two for each caller, and {@link BREAKER_CALLS}. */
export async function proveRow(
  dialect: DialectId,
  way: Way,
  origins: Origins,
  fault: Verdict & Partial<Fault>,
  more: Partial<EngineOptions> = {},
): Promise<void> {
  const options = { ...more, upstream: { ...TIMES, ...fault.upstream, ...more.upstream } }
  const speaks = fault.speaks ?? upstreamOf(dialect, way)
  const bench = benchFor(dialect, way, origins, { ...options, speaks })
  try {
    const callers = callersOf(dialect, fault)
    const [alone, first] = await Promise.all([
      toldTheTruth(bench, callers, fault, way),
      sawNothing(bench, callers),
      breakerJudges(dialect, speaks, origins, fault, options),
    ])
    expect(counted(bench)).toEqual(moved(alone, first, fault, way))
    expect(bench.engine.active).toBe(0)
    expect(bench.bugs).toEqual([])
    await poolsAreWhole(bench)
  } finally {
    await bench.close()
  }
}

/** Faults of the upstream open its breaker, once; what is not its fault does not. */
async function breakerJudges(
  dialect: DialectId,
  speaks: DialectId,
  { broken }: Origins,
  fault: Verdict & Partial<Fault>,
  more: Partial<EngineOptions>,
): Promise<void> {
  const bench = new Bench({
    ...more,
    providers: [speaking(speaks, 'broken/alone', broken)],
  })
  try {
    const caller = callersOf(dialect, fault).at(-1)!
    const calls = Array.from({ length: BREAKER_CALLS }, () => ask(bench, caller, 'broken/alone'))
    await Promise.all(calls)
    const open = { 'breaker broken/alone 0': 2, 'openings broken/alone 0': 1 }
    expect(breakersOf(bench)).toEqual(fault.opens ? open : {})
    await poolsAreWhole(bench)
  } finally {
    await bench.close()
  }
}

// What one exchange adds to the books, and the line it leaves.

import { describe, expect, test } from 'vitest'
import type { ExchangeRecord, Outcome } from '../../src/telemetry/index.ts'
import { METRICS } from '../../src/telemetry/index.ts'
import { counted, goodRecord, settled, valuesOf } from './support.ts'

const MODEL = 'openai/gpt-4o-mini'

describe('a model call that went well', () => {
  test('counts once as request, call, exchange and bytes', () => {
    const snapshot = settled(counted().metrics, goodRecord())
    const value = (name: string, ...labels: string[]) => valuesOf(snapshot, name, ...labels)
    expect(value('brightstaff_http_requests_total', 'llm_chat', 'POST', '2xx')).toEqual([1])
    expect(value('brightstaff_llm_upstream_requests_total', 'openai', MODEL, '2xx', 'none')).toEqual([1])
    expect(value('sluice_exchanges_total', '/v1/chat/completions', 'ok')).toEqual([1])
    expect(value('sluice_body_bytes_total', 'in')).toEqual([100])
    expect(value('sluice_body_bytes_total', 'out')).toEqual([900])
    expect(value('brightstaff_http_in_flight_requests', 'llm_chat')).toEqual([0])
  })

  test('adds its tokens by kind and counts as a hit of the prompt cache', () => {
    const snapshot = settled(counted().metrics, goodRecord())
    const tokens = (kind: string) => valuesOf(snapshot, 'brightstaff_llm_tokens_total', 'openai', MODEL, kind)
    expect(tokens('prompt')).toEqual([20])
    expect(tokens('completion')).toEqual([11])
    expect(tokens('cache_read')).toEqual([5])
    expect(valuesOf(snapshot, 'brightstaff_prompt_cache_requests_total', 'openai', MODEL, 'hit')).toEqual([1])
  })

  test('measures from the right moments', () => {
    const snapshot = settled(counted().metrics, goodRecord())
    const sum = (name: string, ...labels: string[]) => valuesOf(snapshot, name, ...labels)?.at(-1)
    const call = ['openai', MODEL, 'llm', '2xx']
    expect(sum('brightstaff_http_request_duration_seconds', 'llm_chat')).toBeCloseTo(0.45)
    expect(sum('brightstaff_llm_upstream_duration_seconds', 'openai', MODEL)).toBeCloseTo(1.99)
    expect(sum('brightstaff_llm_time_to_first_token_seconds', 'openai', MODEL)).toBeCloseTo(0.49)
    expect(sum('request_latency', ...call)).toBe(2_000)
    expect(sum('time_to_first_token', ...call)).toBe(500)
    expect(sum('time_per_output_token', ...call)).toBe(150)
    expect(sum('tokens_per_second', ...call)).toBeCloseTo(1000 / 150)
  })

  test('that was not streamed has no first token and no pace', () => {
    const snapshot = settled(counted().metrics, goodRecord({ streaming: false }))
    expect(valuesOf(snapshot, 'time_to_first_token', 'openai', MODEL, 'llm', '2xx')?.at(-1)).toBe(0)
    expect(valuesOf(snapshot, 'time_per_output_token', 'openai', MODEL, 'llm', '2xx')?.at(-1)).toBe(0)
  })

  test('with one token or none divides by nothing', () => {
    const usage = { ...goodRecord().usage!, outputTokens: 1 }
    const snapshot = settled(counted().metrics, goodRecord({ usage, firstContentMs: 3_000 }))
    const pace = valuesOf(snapshot, 'tokens_per_second', 'openai', MODEL, 'llm', '2xx')
    expect(pace?.every(Number.isFinite)).toBe(true)
    expect(pace?.at(-1)).toBe(0)
  })

  test('without usage is counted as missing it', () => {
    const snapshot = settled(counted().metrics, goodRecord({ usage: null }))
    expect(valuesOf(snapshot, 'brightstaff_llm_tokens_usage_missing_total', 'openai', MODEL)).toEqual([1])
  })
})

describe('how a call failed is told by', () => {
  const cases: [Outcome, Partial<ExchangeRecord>, string, string][] = [
    ['timeout', { upstreamStatus: null, errorKind: 'upstream-timeout' }, 'error', 'timeout'],
    ['upstream-unreachable', { upstreamStatus: null, errorKind: 'upstream-connect' }, 'error', 'connect'],
    ['upstream-broke', { errorKind: 'upstream-broke' }, '2xx', 'stream'],
    ['upstream-broke', { errorKind: 'upstream-protocol' }, '2xx', 'parse'],
    ['upstream-error', { upstreamStatus: 429 }, '4xx', 'none'],
    ['upstream-error', {}, '2xx', 'stream'],
    ['client-closed', {}, '2xx', 'client_closed'],
    ['cut', { errorKind: 'draining' }, '2xx', 'other'],
  ]
  test.each(cases)('%s %o as %s/%s', (outcome, change, status, error) => {
    const snapshot = settled(counted().metrics, goodRecord({ outcome, ...change }))
    const name = 'brightstaff_llm_upstream_requests_total'
    expect(valuesOf(snapshot, name, 'openai', MODEL, status, error)).toEqual([1])
  })
})

describe('labels stay bounded', () => {
  test('whatever model, method or path a client makes up', () => {
    const { metrics } = counted()
    for (let at = 0; at < 500; at += 1) {
      const provider = `made-up-${at}`
      const change = { provider, modelAsked: provider, modelSent: provider, method: `M${at}` }
      settled(metrics, goodRecord({ ...change, handler: 'not_found', status: 404 + (at % 2) }))
    }
    const snapshot = metrics.snapshot()
    for (const { name, rows } of snapshot) expect(rows.length, name).toBeLessThan(12)
    const other = valuesOf(snapshot, 'brightstaff_http_requests_total', 'not_found', 'OTHER', '4xx')
    expect(other).toEqual([500])
  })

  test('and a status that is none is its own class', () => {
    const record = goodRecord({ status: 0, upstreamStatus: null, outcome: 'client-closed' })
    const snapshot = settled(counted().metrics, record)
    expect(valuesOf(snapshot, 'brightstaff_http_requests_total', 'llm_chat', 'POST', 'other')).toEqual([1])
  })

  test('and every metric that is counted has been declared', () => {
    const declared = new Set<string>(Object.values(METRICS).map(spec => spec.name))
    const names = settled(counted().metrics, goodRecord()).map(metric => metric.name)
    expect(names.filter(name => !declared.has(name))).toEqual([])
  })
})

describe('the line of an exchange', () => {
  test('is written at debug when all went well', () => {
    const quiet = counted('info')
    settled(quiet.metrics, goodRecord())
    expect(quiet.lines).toEqual([])
    const loud = counted('debug')
    settled(loud.metrics, goodRecord())
    expect(JSON.parse(loud.lines[0]!)).toEqual({
      time: '2026-11-26T12:00:00.000Z',
      level: 'debug',
      msg: 'exchange',
      shard: '1',
      requestId: 'r-1',
      listener: 'llm',
      endpoint: '/v1/chat/completions',
      method: 'POST',
      status: 200,
      outcome: 'ok',
      provider: 'openai/gpt-4o-mini',
      model: 'gpt-4o-mini',
      upstreamStatus: 200,
      attempts: 1,
      streaming: true,
      ms: 2000,
      firstByteMs: 450,
      firstContentMs: 500,
      bytesIn: 100,
      bytesOut: 900,
      inputTokens: 20,
      outputTokens: 11,
    })
  })

  test('is written by default when it failed, at the level of its kind', () => {
    const { metrics, lines } = counted('info')
    settled(metrics, goodRecord({ outcome: 'upstream-broke', errorKind: 'upstream-broke' }))
    settled(metrics, goodRecord({ outcome: 'internal', errorKind: 'internal' }))
    settled(metrics, goodRecord({ outcome: 'upstream-error', upstreamStatus: 503 }))
    settled(metrics, goodRecord({ outcome: 'refused', errorKind: 'model-not-found' }))
    expect(lines.map(line => (JSON.parse(line) as { level: string }).level)).toEqual([
      'warn',
      'error',
      'warn',
      'info',
    ])
  })
})

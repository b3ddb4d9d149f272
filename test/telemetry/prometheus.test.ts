// Sums of snapshots and the page they become, read back by a parser that is not ours to please.

import { describe, expect, test } from 'vitest'
import { bucketsOf, parseExposition } from '../../bench/load/measure/exposition.ts'
import { metricsPage, processRows, SnapshotSum } from '../../src/telemetry/index.ts'
import { counted, goodRecord, settled, valuesOf } from './support.ts'

describe('the sum of two shards', () => {
  test('adds counters, gauges and every bucket', () => {
    const one = settled(counted().metrics, goodRecord())
    const two = settled(counted().metrics, goodRecord({ endedMs: 60_000 }))
    const sum = new SnapshotSum()
    sum.add(one)
    sum.add(two)
    const merged = sum.snapshot()
    expect(valuesOf(merged, 'sluice_exchanges_total', '/v1/chat/completions', 'ok')).toEqual([2])
    const latency = valuesOf(merged, 'request_latency', 'openai', 'openai/gpt-4o-mini', 'llm', '2xx')!
    expect(latency.at(-1)).toBe(2_000 + 59_000)
    expect(latency.slice(0, -1).reduce((total, count) => total + count, 0)).toBe(2)
    // What was added stays as it was.
    expect(valuesOf(one, 'sluice_exchanges_total', '/v1/chat/completions', 'ok')).toEqual([1])
  })

  test('of nothing is nothing', () => {
    expect(new SnapshotSum().snapshot()).toEqual([])
  })
})

describe('the page', () => {
  test('says what was counted, with help and type', async () => {
    const { text, contentType } = await metricsPage(settled(counted().metrics, goodRecord()))
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(text).toContain('# TYPE brightstaff_http_requests_total counter')
    expect(text).toContain('# HELP time_to_first_token Milliseconds')
    const samples = parseExposition(text)
    const found = samples.find(sample => sample.name === 'brightstaff_llm_upstream_requests_total')
    expect(found).toEqual({
      name: 'brightstaff_llm_upstream_requests_total',
      labels: { provider: 'openai', model: 'openai/gpt-4o-mini', status_class: '2xx', error_class: 'none' },
      value: 1,
    })
  })

  test('has cumulative buckets that end in +Inf and agree with the count', async () => {
    const { metrics } = counted()
    for (const endedMs of [1_001, 1_200, 9_000, 90_000_000]) settled(metrics, goodRecord({ endedMs }))
    const samples = parseExposition((await metricsPage(metrics.snapshot())).text)
    const buckets = bucketsOf(samples, 'request_latency')
    expect(buckets.at(-1)).toEqual([Number.POSITIVE_INFINITY, 4])
    expect(buckets.find(([bound]) => bound === 1)).toEqual([1, 1])
    expect(buckets.find(([bound]) => bound === 250)).toEqual([250, 2])
    const rising = buckets.every(([, count], at) => at === 0 || count >= buckets[at - 1]![1])
    expect(rising).toBe(true)
    expect(samples.find(sample => sample.name === 'request_latency_count')?.value).toBe(4)
  })

  test('escapes what label values may hold', async () => {
    const { metrics } = counted()
    metrics.useModels([{ name: 'odd', provider: 'a"b', model: 'c\\d\ne' }])
    const { text } = await metricsPage(settled(metrics, goodRecord({ provider: 'odd' })))
    expect(text).toContain('provider="a\\"b",model="c\\\\d\\ne"')
  })

  test('tells of the process', async () => {
    const samples = parseExposition((await metricsPage(processRows())).text)
    const value = (name: string) => samples.find(sample => sample.name === name)?.value ?? 0
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e6)
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0)
    expect(Math.abs(value('process_start_time_seconds') - Date.now() / 1000)).toBeLessThan(3_600)
  })
})

// What the process says about upstreams and keys that are not called just now.

import { expect, test } from 'vitest'
import type { Plan } from '../../src/common/config/index.ts'
import { LaneReport } from '../../src/lane-report.ts'
import { BreakerTable, breakerKey, LaneBreaker, newBreakerMemory } from '../../src/upstream/index.ts'
import { provider } from '../gateway/harness.ts'
import { valuesOf } from '../telemetry/support.ts'

const clock = { monotonicMs: () => 0, epochMs: () => 1_790_000_000_000 }
const keys = ['sk-first', 'sk-second'].map(secret => ({ secret, weight: 1 }))
const plan = {
  providers: [
    provider('openai/gpt-4o', 'http://one', { accessKeys: keys }),
    provider('openai/other', 'http://two'),
  ],
} as unknown as Plan

test('open breakers and resting keys are told by place, never by their text, whichever shard found out', () => {
  const memory = newBreakerMemory()
  const shard = new BreakerTable(memory, clock)
  const report = new LaneReport(memory, clock)
  expect(report.troubles(plan)).toEqual([])
  shard.cell(breakerKey('openai/gpt-4o', 1)).rest(4_200)
  for (let call = 0; call < 10; call += 1) shard.cell(breakerKey('openai/other', 0)).failed()
  expect(report.troubles(plan)).toEqual([
    'openai/gpt-4o, key 1: rests for 5 s',
    'openai/other, key 0: breaker open',
  ])
  const snapshot = report.snapshot(plan)
  expect(valuesOf(snapshot, 'sluice_breaker_state', 'openai/gpt-4o', '0', 'one')).toEqual([0])
  expect(valuesOf(snapshot, 'sluice_breaker_state', 'openai/other', '0', 'two')).toEqual([2])
  expect(valuesOf(snapshot, 'sluice_breaker_openings_total', 'openai/other', '0', 'two')).toEqual([1])
  expect(valuesOf(snapshot, 'sluice_key_rest_seconds', 'openai/gpt-4o', '1', 'one')).toEqual([4.2])
  expect(JSON.stringify(snapshot)).not.toContain('sk-')
})

test('hosts and models of wildcards are named, each with what holds it back', () => {
  const host = (label: string) => ({ label, origin: `http://${label}`, pathPrefix: '/v1', weight: 1 })
  const several = {
    providers: [
      provider('openai/gpt-4o', 'http://one', { hosts: [host('one'), host('two')] }),
      provider('openai/*', 'http://three', { model: '*', wildcardPrefix: 'openai' }),
    ],
  } as unknown as Plan
  const memory = newBreakerMemory()
  const shard = new BreakerTable(memory, clock)
  const report = new LaneReport(memory, clock)
  const lane = (entry: string, at: string | null, model: string | null) =>
    new LaneBreaker(shard, { entry, key: 0, host: at, model })
  for (let call = 0; call < 10; call += 1) {
    lane('openai/gpt-4o', 'two', null).failed()
    lane('openai/*', null, 'gpt-broken').failed()
  }
  lane('openai/*', null, 'gpt-busy').rest(2_000)
  expect(report.troubles(several)).toEqual([
    'openai/gpt-4o, key 0, host two: breaker open',
    expect.stringMatching(/^openai\/\*, key 0, model gpt-b(?:roken: breaker open|usy: rests for 2 s)$/),
    expect.stringMatching(/^openai\/\*, key 0, model gpt-b(?:roken: breaker open|usy: rests for 2 s)$/),
  ])
  const snapshot = report.snapshot(several)
  expect(valuesOf(snapshot, 'sluice_breaker_state', 'openai/gpt-4o', '0', 'one')).toEqual([0])
  expect(valuesOf(snapshot, 'sluice_breaker_state', 'openai/gpt-4o', '0', 'two')).toEqual([2])
  expect(valuesOf(snapshot, 'sluice_breaker_models', 'openai/*', '0', 'three')).toEqual([2])
  // Callers name models; a series for each would never end.
  expect(JSON.stringify(snapshot)).not.toContain('gpt-b')
})

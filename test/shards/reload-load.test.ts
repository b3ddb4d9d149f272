// The configuration changes a hundred times, wrongly every tenth, while clients stream: nobody notices.
// `bench/load/reload.ts` is the long form.

import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parseExposition } from '../../bench/load/measure/exposition.ts'
import { runReloads } from '../support/reload-run.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const RELOADS = 100
/** What the issue of a plan may take on all shards; one switch in ten may meet a busy machine. */
const SWITCH_MS_MAX = 100
/** Buffers and compiled code come and go; a plan that is kept by mistake would be a hundred plans. */
const GROWTH_MB_MAX = 48

test('a hundred reloads under load fail, mix and cut nothing', { timeout: 120_000 }, async () => {
  const run = await runReloads({ clients: 32, reloads: RELOADS, shards: 2, root: ROOT })
  expect(run.faults).toEqual([])
  expect(run.exchanges).toBeGreaterThan(RELOADS)
  expect(run.settledExchanges, 'exchanges in which only one plan may answer').toBeGreaterThan(50)
  expect(run.sockets, 'no connection was dropped').toBe(32)

  const refused = run.switches.filter(one => one.result === 'refused')
  expect(refused).toHaveLength(RELOADS / 10)
  const wrong = run.history.find(one => one.result === 'refused')!
  expect(wrong.errors[0]).toMatch(
    /gateway\.yaml:\d+:\d+ model_provider: E01 .*did you mean `model_providers`/,
  )
  const slow = run.switches.filter(one => (one.switchMs ?? 0) > SWITCH_MS_MAX)
  expect(slow.length).toBeLessThan(RELOADS / 10)

  const samples = parseExposition(run.metrics)
  const value = (name: string, labels: Record<string, string> = {}) =>
    samples
      .filter(sample => sample.name === name)
      .filter(sample => Object.entries(labels).every(([key, text]) => sample.labels[key] === text))
      .reduce((sum, sample) => sum + sample.value, 0)
  expect(value('sluice_config_reloads_total', { result: 'failed' })).toBe(0)
  expect(value('sluice_config_reloads_total', { result: 'used' })).toBe(RELOADS - RELOADS / 10)
  expect(value('sluice_plan_epoch')).toBe(1 + RELOADS - RELOADS / 10)
  expect(run.rssMb.late - run.rssMb.early).toBeLessThan(GROWTH_MB_MAX)
  expect(run.exitCode).toBe(0)
})

// Large prompts beside small ones: ten of 1 MB and ten of 100 KB a second, 200 of 1 KB. What the large ones do to the
// small ones, and to the peer's event loop where it reports one.

import { openLoop } from '../drive.ts'
import { get } from '../get.ts'
import { parseExposition, quantileBetween, type Sample } from '../measure/exposition.ts'
import { call, ERRORS, type Job, type JobResult, per, type Scenario, WRONG, windowOf } from './scenario.ts'

const LARGE_BYTES = 1024 * 1024
const MIDDLE_BYTES = 100 * 1024
const LARGE_PER_SECOND = 10
const MIDDLE_PER_SECOND = 10
const SMALL_PER_SECOND = 200
const CHAT = { kind: 'chat', waitMs: 0 } as const
/** Histogram of how late each shard's event loop was, seconds. */
const LOOP_DELAY = 'sluice_loop_delay_seconds'
const MS = 1000

async function scrape(job: Job): Promise<Sample[]> {
  if (job.peer.adminPort === null) return []
  return parseExposition(await get(job.peer.adminPort, '/metrics'))
}

async function run(job: Job): Promise<JobResult> {
  const { peer } = job
  const others = { ...windowOf(job), pids: [] }
  const large = openLoop(call(peer, CHAT, LARGE_BYTES), LARGE_PER_SECOND, others)
  const middle = openLoop(call(peer, CHAT, MIDDLE_BYTES), MIDDLE_PER_SECOND, others)
  const small = openLoop(call(peer, CHAT), SMALL_PER_SECOND, windowOf(job))
  const before = await scrape(job)
  const loads = await Promise.all([small, middle, large])
  const delay = quantileBetween(before, await scrape(job), LOOP_DELAY, 0.99)
  const sum = (field: 'errors' | 'wrong'): number => loads.reduce((total, load) => total + load[field], 0)
  const requests = loads.reduce((total, load) => total + load.requests, 0)
  return {
    measures: {
      smallP99: loads[0].latency.quantile(0.99),
      middleP50: loads[1].latency.quantile(0.5),
      largeP50: loads[2].latency.quantile(0.5),
      largeP99: loads[2].latency.quantile(0.99),
      loopDelayP99: delay === null ? null : delay * MS,
      cpuUs: per(loads[0].cpuUs, requests),
      errors: sum('errors'),
      wrong: sum('wrong'),
    },
    reason: loads.map(load => load.reason).find(reason => reason !== '') ?? '',
  }
}

export const prompts: Scenario = {
  name: 'prompts',
  title: 'prompts of 1 MB, 100 KB and 1 KB mixed',
  columns: [
    { key: 'smallP99', title: '1 KB p99', unit: 'ms', digits: 2, ratioTo: 'nginx' },
    { key: 'middleP50', title: '100 KB p50', unit: 'ms', digits: 2, ratioTo: 'nginx' },
    { key: 'largeP50', title: '1 MB p50', unit: 'ms', digits: 2, ratioTo: 'nginx' },
    { key: 'largeP99', title: '1 MB p99', unit: 'ms', digits: 2, ratioTo: 'nginx' },
    { key: 'loopDelayP99', title: 'loop delay p99', unit: 'ms', digits: 1, ratioTo: null },
    { key: 'cpuUs', title: 'CPU per request of the mix', unit: 'µs', digits: 0, ratioTo: 'nginx' },
    ERRORS,
    WRONG,
  ],
  run,
}

// Added latency at half load: each peer gets half of the requests per second that it just showed it can do, in an open
// loop, and so does the upstream by itself at the same rate.

import { closedLoop, openLoop } from '../drive.ts'
import { call, ERRORS, type Job, type JobResult, per, type Scenario, WRONG, windowOf } from './scenario.ts'

const CHAT = { kind: 'chat', waitMs: 0 } as const

function less(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b
}

async function run(job: Job): Promise<JobResult> {
  const window = windowOf(job)
  const target = call(job.peer, CHAT)
  const full = await closedLoop(target, job.settings.connections, {
    ...window,
    measureMs: window.measureMs / 2,
  })
  const perSecond = full.requests / full.seconds / 2
  if (perSecond === 0)
    return { measures: { perSecond, errors: full.errors, wrong: full.wrong }, reason: full.reason }
  // The direct call has nothing to be compared with.
  const compared = job.peer.port !== job.direct.port
  const alone = await openLoop(call(job.direct, CHAT), perSecond, { ...window, pids: [] })
  const half = await openLoop(target, perSecond, window)
  return {
    measures: {
      perSecond: half.requests / half.seconds,
      p50Added: compared ? less(half.latency.quantile(0.5), alone.latency.quantile(0.5)) : null,
      p99Added: compared ? less(half.latency.quantile(0.99), alone.latency.quantile(0.99)) : null,
      cpuUs: per(half.cpuUs, half.requests),
      errors: full.errors + half.errors,
      wrong: full.wrong + half.wrong,
    },
    reason: full.reason || half.reason,
  }
}

export const half: Scenario = {
  name: 'half',
  title: '1 KB chat, open loop at half load',
  columns: [
    { key: 'perSecond', title: 'requests/s given', unit: '', digits: 0, ratioTo: null },
    { key: 'p50Added', title: 'added p50', unit: 'ms', digits: 3, ratioTo: 'nginx' },
    { key: 'p99Added', title: 'added p99', unit: 'ms', digits: 3, ratioTo: 'nginx' },
    { key: 'cpuUs', title: 'CPU per request', unit: 'µs', digits: 1, ratioTo: 'nginx' },
    ERRORS,
    WRONG,
  ],
  run,
}

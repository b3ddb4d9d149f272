// Clients that leave: before the answer began and in the middle of a stream. What a leaver costs, whether the upstream
// hears of it, and whether the peer answers as before afterwards.

import { checkFor } from '../checks.ts'
import { Connection, type Listener } from '../connection.ts'
import { closedLoop, pause } from '../drive.ts'
import { get } from '../get.ts'
import { cpuBetween, sampleCpu } from '../measure/proc.ts'
import type { Command } from '../replies.ts'
import { call, ERRORS, type Job, type JobResult, per, type Scenario, WRONG } from './scenario.ts'

const LEAVERS = 1_000
const LEAVERS_QUICK = 200
/** So many leave together. */
const GROUP = 50
const STAY_MS = 20
/** The upstream's answer would take this long; nobody waits for it. */
const ANSWER_MS = 10_000
/** By then the upstream must have heard that a client left. */
const HEARD_MS = 500
const PHASES: readonly Command[] = [
  { kind: 'chat', waitMs: ANSWER_MS },
  { kind: 'stream', frames: ANSWER_MS / 10, paceMs: 10 },
]
const NOBODY: Listener = { first: () => {}, data: () => {}, done: () => {} }

interface UpstreamCounters {
  readonly streams: number
  readonly requests: number
  readonly aborted: number
}

async function counters(job: Job): Promise<UpstreamCounters> {
  return JSON.parse(await get(job.direct.port, '/counters')) as UpstreamCounters
}

async function run(job: Job): Promise<JobResult> {
  const { peer, settings } = job
  const count = settings.quick ? LEAVERS_QUICK : LEAVERS
  const started = await counters(job)
  const before = sampleCpu(peer.pids)
  for (let gone = 0; gone < count; gone += GROUP) {
    const group = Array.from({ length: GROUP }, (_, at) => {
      const target = call(peer, PHASES[at % PHASES.length]!)
      const connection = new Connection({ port: target.port })
      connection.request(target.bytes, checkFor(target.expected), NOBODY)
      return connection
    })
    await pause(STAY_MS)
    for (const connection of group) connection.leave()
  }
  await pause(HEARD_MS)
  const cpuUs = peer.pids.length === 0 ? null : cpuBetween(before, sampleCpu(peer.pids))
  const ended = await counters(job)
  const after = await closedLoop(call(peer, { kind: 'chat', waitMs: 0 }), 16, {
    warmMs: 0,
    measureMs: settings.quick ? 300 : 1_000,
    pids: [],
  })
  return {
    measures: {
      cpuUs: per(cpuUs, count),
      stillRunning: ended.streams - started.streams,
      heard: ended.aborted - started.aborted,
      requestsAfter: after.requests / after.seconds,
      errors: after.errors,
      wrong: after.wrong,
    },
    reason: after.reason,
  }
}

export const leavers: Scenario = {
  name: 'leavers',
  title: 'clients that leave',
  columns: [
    { key: 'cpuUs', title: 'CPU per leaver', unit: 'µs', digits: 0, ratioTo: 'nginx' },
    { key: 'stillRunning', title: 'upstream answers still running', unit: '', digits: 0, ratioTo: null },
    { key: 'requestsAfter', title: 'requests/s afterwards', unit: '', digits: 0, ratioTo: 'direct' },
    { ...ERRORS, title: 'errors afterwards' },
    WRONG,
  ],
  run,
}

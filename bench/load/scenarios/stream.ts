// Streams of 52 frames under full load, and the time to the first byte of streams that trickle.

import { closedLoop } from '../drive.ts'
import { call, ERRORS, type Job, type JobResult, per, type Scenario, WRONG, windowOf } from './scenario.ts'

const FRAMES = 52
/** Fewer than for plain chat: each stream is half a hundred writes. */
const STREAM_CONNECTIONS = 16
/** Frames of a first-byte stream: few and slow, so that frame 1 travels alone. */
const TRICKLE = { kind: 'stream', frames: 6, paceMs: 4 } as const
const TRICKLE_CONNECTIONS = 4

async function runStream(job: Job): Promise<JobResult> {
  const target = call(job.peer, { kind: 'stream', frames: FRAMES, paceMs: 0 })
  const loaded = await closedLoop(target, STREAM_CONNECTIONS, windowOf(job))
  return {
    measures: {
      streamsPerSecond: loaded.requests / loaded.seconds,
      cpuUs: per(loaded.cpuUs, loaded.requests),
      p99: loaded.latency.quantile(0.99),
      errors: loaded.errors,
      wrong: loaded.wrong,
    },
    reason: loaded.reason,
  }
}

async function runFirstByte(job: Job): Promise<JobResult> {
  const loaded = await closedLoop(call(job.peer, TRICKLE), TRICKLE_CONNECTIONS, windowOf(job))
  return {
    measures: {
      p50: loaded.firstByte.quantile(0.5),
      p99: loaded.firstByte.quantile(0.99),
      errors: loaded.errors,
      wrong: loaded.wrong,
    },
    reason: loaded.reason,
  }
}

export const stream: Scenario = {
  name: 'stream',
  title: `streams of ${FRAMES} frames, full load`,
  columns: [
    { key: 'streamsPerSecond', title: 'streams/s', unit: '', digits: 0, ratioTo: 'direct' },
    { key: 'cpuUs', title: 'CPU per stream', unit: 'µs', digits: 0, ratioTo: 'nginx' },
    { key: 'p99', title: 'whole stream p99', unit: 'ms', digits: 2, ratioTo: 'nginx' },
    ERRORS,
    WRONG,
  ],
  run: runStream,
}

export const firstByte: Scenario = {
  name: 'first-byte',
  title: 'time to first byte of a stream',
  columns: [
    { key: 'p50', title: 'added p50', unit: 'ms', digits: 3, added: true, ratioTo: 'nginx' },
    { key: 'p99', title: 'added p99', unit: 'ms', digits: 3, added: true, ratioTo: 'nginx' },
    ERRORS,
    WRONG,
  ],
  run: runFirstByte,
}

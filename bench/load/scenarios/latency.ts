// 1 KB chat at 1, 16 and 64 connections, raw client: what a hop through the peer adds, and its CPU at each level.

import { closedLoop } from '../drive.ts'
import {
  type Column,
  call,
  ERRORS,
  type Job,
  type JobResult,
  type Measures,
  per,
  type Scenario,
  WRONG,
  windowOf,
} from './scenario.ts'

const LEVELS = [1, 16, 64] as const

async function run(job: Job): Promise<JobResult> {
  const measures: Measures = { errors: 0, wrong: 0 }
  let reason = ''
  const target = call(job.peer, { kind: 'chat', waitMs: 0 })
  for (const level of LEVELS) {
    const loaded = await closedLoop(target, level, windowOf(job))
    measures[`p50At${level}`] = loaded.latency.quantile(0.5)
    measures[`p99At${level}`] = loaded.latency.quantile(0.99)
    measures[`cpuUsAt${level}`] = per(loaded.cpuUs, loaded.requests)
    measures[`perSecondAt${level}`] = loaded.requests / loaded.seconds
    measures['errors']! += loaded.errors
    measures['wrong']! += loaded.wrong
    reason ||= loaded.reason
  }
  return { measures, reason }
}

function columnsAt(level: number): Column[] {
  const at = level === 1 ? 'at 1 connection' : `at ${level} connections`
  return [
    { key: `p50At${level}`, title: `added p50 ${at}`, unit: 'ms', digits: 3, added: true, ratioTo: 'nginx' },
    { key: `p99At${level}`, title: `added p99 ${at}`, unit: 'ms', digits: 3, added: true, ratioTo: 'nginx' },
    { key: `cpuUsAt${level}`, title: `CPU per request ${at}`, unit: 'µs', digits: 1, ratioTo: 'nginx' },
    { key: `perSecondAt${level}`, title: `requests/s ${at}`, unit: '', digits: 0, ratioTo: 'direct' },
  ]
}

export const latency: Scenario = {
  name: 'latency',
  title: '1 KB chat, closed loop',
  columns: [...LEVELS.flatMap(columnsAt), ERRORS, WRONG],
  run,
}

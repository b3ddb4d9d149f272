// 1,000 streams that sent one frame and then nothing: memory per open stream, and whether all of them are still alive.

import { checkFor } from '../checks.ts'
import { Connection, type Listener } from '../connection.ts'
import { type Call, pause } from '../drive.ts'
import { cpuBetween, rssKb, sampleCpu } from '../measure/proc.ts'
import { call, ERRORS, type Job, type JobResult, type Scenario, WRONG, warm } from './scenario.ts'

const STREAMS = 1_000
const STREAMS_QUICK = 200
/** Opened in groups, so that no listen queue overflows. */
const GROUP = 50
const OPEN_WAIT_MS_MAX = 20_000
/** Streams already open when counting starts: they use up what earlier load left free. */
export const BASE = 100
export const SETTLE_MS = 1_500

export interface Held {
  readonly connections: Connection[]
  opened: number
  errors: number
  wrong: number
  reason: string
}

export async function open(target: Call, count: number): Promise<Held> {
  const held: Held = { connections: [], opened: 0, errors: 0, wrong: 0, reason: '' }
  for (let at = 0; at < count; at += 1) {
    const connection = new Connection({ port: target.port })
    const check = checkFor(target.expected)
    const listener: Listener = {
      first: () => (held.opened += 1),
      data: () => {
        if (!check.clean()) held.wrong += 1
      },
      done: () => {
        held.errors += 1
        held.reason ||= connection.reason
      },
    }
    held.connections.push(connection)
    connection.request(target.bytes, check, listener)
    if (at % GROUP === GROUP - 1) await allOpen(held, at + 1)
  }
  await allOpen(held, count)
  return held
}

async function allOpen(held: Held, count: number): Promise<void> {
  const giveUpMs = performance.now() + OPEN_WAIT_MS_MAX
  while (held.opened + held.errors < count && performance.now() < giveUpMs) await pause(2)
}

export function leave(held: Held): void {
  for (const connection of held.connections) connection.leave()
}

async function run(job: Job): Promise<JobResult> {
  const { peer, settings } = job
  const count = settings.quick ? STREAMS_QUICK : STREAMS
  const target = call(job.peer, { kind: 'hold' })
  await warm(job)
  const base = await open(target, BASE)
  await pause(SETTLE_MS)
  const emptyKb = rssKb(peer.pids)
  const held = await open(target, count)
  await pause(SETTLE_MS)
  const fullKb = rssKb(peer.pids)
  const before = sampleCpu(peer.pids)
  const startMs = performance.now()
  await pause(settings.quick ? 500 : 2_000)
  const cpuUs = cpuBetween(before, sampleCpu(peer.pids))
  const seconds = (performance.now() - startMs) / 1000
  const lost = held.errors + (count - held.opened) + base.errors + (BASE - base.opened)
  leave(held)
  leave(base)
  const tree = peer.pids.length > 0
  return {
    measures: {
      kbPerStream: tree ? (fullKb - emptyKb) / count : null,
      cpuMsPerSecond: tree ? cpuUs / 1000 / seconds : null,
      errors: lost,
      wrong: held.wrong + base.wrong,
    },
    reason: held.reason || base.reason,
  }
}

export const held: Scenario = {
  name: 'held',
  title: '1,000 idle open streams',
  fresh: true,
  columns: [
    { key: 'kbPerStream', title: 'memory per stream', unit: 'KB', digits: 1, ratioTo: 'nginx' },
    { key: 'cpuMsPerSecond', title: 'CPU while idle', unit: 'ms/s', digits: 2, ratioTo: null },
    ERRORS,
    WRONG,
  ],
  run,
}

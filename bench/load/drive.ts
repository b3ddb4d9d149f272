// The two ways of loading a peer: closed loop (so many connections, each sends again when answered) and open loop (so
// many requests a second, however long the answers take). Owns warm-up, the measured window and what is counted in it.

import { type Check, checkFor, type Expected } from './checks.ts'
import { Connection, type Listener, type Outcome } from './connection.ts'
import { Histogram } from './measure/histogram.ts'
import { cpuBetween, sampleCpu } from './measure/proc.ts'

export interface Call {
  readonly port: number
  readonly bytes: Buffer
  readonly expected: Expected
}

export interface Loaded {
  readonly seconds: number
  readonly requests: number
  readonly errors: number
  readonly wrong: number
  /** Of the first failure; empty when there was none. */
  readonly reason: string
  readonly latency: Histogram
  readonly firstByte: Histogram
  /** Of the peer's process tree, in the window; null without a tree. */
  readonly cpuUs: number | null
}

interface Window {
  readonly warmMs: number
  readonly measureMs: number
  /** Roots of the peer's process tree. */
  readonly pids: readonly number[]
}

/** After the window closes, answers under way get this long before they count as errors. */
const FINISH_MS_MAX = 15_000
/** Pause before a failed connection tries again, so that a dead peer is not hammered. */
const AFTER_ERROR_MS = 5
/** Open loop: connections beyond this are not opened; requests wait in line instead, and their wait counts. */
const OPEN_LOOP_CONNECTIONS_MAX = 512

/** Counts what happens inside the window and nothing before or after it. */
export class Tally {
  readonly latency = new Histogram()
  readonly firstByte = new Histogram()
  requests = 0
  errors = 0
  wrong = 0
  reason = ''
  counting = false

  count(outcome: Outcome, reason: string): void {
    if (!this.counting) {
      // An error before or after the window is still an error of this run.
      if (outcome === 'ok') return
    } else if (outcome === 'ok') this.requests += 1
    if (outcome === 'wrong') this.wrong += 1
    if (outcome === 'error') this.errors += 1
    if (outcome !== 'ok' && this.reason === '') this.reason = outcome === 'wrong' ? 'wrong bytes' : reason
  }

  result(seconds: number, cpuUs: number | null): Loaded {
    const { requests, errors, wrong, reason, latency, firstByte } = this
    return { seconds, requests, errors, wrong, reason, latency, firstByte, cpuUs }
  }
}

export const pause = (ms: number): Promise<void> => new Promise(done => setTimeout(done, ms))

/** Warm-up, then the window, with the peer's CPU read in the very turns in which counting starts and stops. */
export async function measured(
  window: Window,
  counting: (on: boolean) => void,
): Promise<{ seconds: number; cpuUs: number | null }> {
  await pause(window.warmMs)
  const before = sampleCpu(window.pids)
  const startMs = performance.now()
  counting(true)
  await pause(window.measureMs)
  counting(false)
  const seconds = (performance.now() - startMs) / 1000
  const cpuUs = window.pids.length === 0 ? null : cpuBetween(before, sampleCpu(window.pids))
  return { seconds, cpuUs }
}

class Lane implements Listener {
  readonly call: Call
  readonly tally: Tally
  readonly connection: Connection
  readonly check: Check
  /** Called when the lane is free again. */
  readonly free: (lane: Lane, nowMs: number, failed: boolean) => void
  sentMs: number

  constructor(call: Call, tally: Tally, free: (lane: Lane, nowMs: number, failed: boolean) => void) {
    this.call = call
    this.tally = tally
    this.free = free
    this.connection = new Connection({ port: call.port })
    this.check = checkFor(call.expected)
    this.sentMs = 0
  }

  send(sinceMs: number): void {
    this.sentMs = sinceMs
    this.connection.request(this.call.bytes, this.check, this)
  }

  first(nowMs: number): void {
    if (this.tally.counting) this.tally.firstByte.record(nowMs - this.sentMs)
  }

  data(): void {}

  done(outcome: Outcome, nowMs: number): void {
    if (this.tally.counting && outcome === 'ok') this.tally.latency.record(nowMs - this.sentMs)
    this.tally.count(outcome, this.connection.reason)
    this.free(this, nowMs, outcome === 'error')
  }
}

async function drained(lanes: readonly Lane[], tally: Tally): Promise<void> {
  const giveUpMs = performance.now() + FINISH_MS_MAX
  while (lanes.some(lane => lane.connection.busy) && performance.now() < giveUpMs) await pause(2)
  for (const lane of lanes) {
    if (lane.connection.busy) tally.count('error', 'no answer in time')
    lane.connection.leave()
  }
}

export async function closedLoop(call: Call, connections: number, window: Window): Promise<Loaded> {
  const tally = new Tally()
  let stopped = false
  const lanes = Array.from(
    { length: connections },
    () =>
      new Lane(call, tally, (lane, nowMs, failed) => {
        if (stopped) return
        if (failed) setTimeout(() => stopped || lane.send(performance.now()), AFTER_ERROR_MS)
        else lane.send(nowMs)
      }),
  )
  for (const lane of lanes) lane.send(performance.now())
  const { seconds, cpuUs } = await measured(window, on => (tally.counting = on))
  stopped = true
  await drained(lanes, tally)
  return tally.result(seconds, cpuUs)
}

/**
 * Latency runs from the turn in which a request was due, also when it had to wait for a free connection; a slow peer
 * cannot slow its own load down.
 */
export async function openLoop(call: Call, perSecond: number, window: Window): Promise<Loaded> {
  const tally = new Tally()
  const idle: Lane[] = []
  const all: Lane[] = []
  const line: number[] = []
  const free = (lane: Lane, _nowMs: number, failed: boolean): void => {
    const sinceMs = line.shift()
    if (sinceMs === undefined) idle.push(lane)
    else if (failed) setTimeout(() => lane.send(sinceMs), AFTER_ERROR_MS)
    else lane.send(sinceMs)
  }
  const dispatch = (sinceMs: number): void => {
    let lane = idle.pop()
    if (lane === undefined && all.length < OPEN_LOOP_CONNECTIONS_MAX) {
      lane = new Lane(call, tally, free)
      all.push(lane)
    }
    if (lane === undefined) line.push(sinceMs)
    else lane.send(sinceMs)
  }
  let owed = 0
  let lastMs = performance.now()
  const timer = setInterval(() => {
    const nowMs = performance.now()
    owed += ((nowMs - lastMs) * perSecond) / 1000
    lastMs = nowMs
    for (; owed >= 1; owed -= 1) dispatch(nowMs)
  }, 1)
  const { seconds, cpuUs } = await measured(window, on => (tally.counting = on))
  clearInterval(timer)
  await drained(all, tally)
  return tally.result(seconds, cpuUs)
}

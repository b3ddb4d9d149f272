// 100 streams at once, frames 20 ms apart, spread evenly over the 20 ms: CPU per frame when every frame travels alone.

import { type Check, checkFor, type Expected } from '../checks.ts'
import { Connection, type Listener, type Outcome } from '../connection.ts'
import { type Call, measured, pause, Tally } from '../drive.ts'
import { Histogram } from '../measure/histogram.ts'
import { call, ERRORS, type Job, type JobResult, per, type Scenario, WRONG, windowOf } from './scenario.ts'

const STREAMS = 100
export const PACE_MS = 20
/** Streams outlive the window by this much; the window must not see their endings. */
const MARGIN_MS = 400
const FINISH_MS_MAX = 10_000
const LF = 10

interface Frames {
  count: number
  readonly gaps: Histogram
}

/** Counts empty lines, each of which ends a frame, and the gaps between reads. */
class PacedStream implements Listener {
  readonly connection: Connection
  readonly check: Check
  readonly tally: Tally
  readonly frames: Frames
  endedLine: boolean
  lastMs: number
  finished: boolean

  constructor(port: number, expected: Expected, tally: Tally, frames: Frames) {
    this.connection = new Connection({ port })
    this.check = checkFor(expected)
    this.tally = tally
    this.frames = frames
    this.endedLine = false
    this.lastMs = 0
    this.finished = false
  }

  first(): void {}

  data(bytes: Buffer, nowMs: number): void {
    let found = this.endedLine && bytes[0] === LF ? 1 : 0
    for (let at = bytes.indexOf('\n\n'); at >= 0; at = bytes.indexOf('\n\n', at + 2)) found += 1
    this.endedLine = bytes[bytes.length - 1] === LF && bytes[bytes.length - 2] !== LF
    if (this.tally.counting) {
      this.frames.count += found
      if (this.lastMs > 0) this.frames.gaps.record(nowMs - this.lastMs)
    }
    this.lastMs = nowMs
  }

  done(outcome: Outcome): void {
    this.finished = true
    this.tally.count(outcome, this.connection.reason)
  }
}

type Window = ReturnType<typeof windowOf>

async function run(job: Job): Promise<JobResult> {
  const window = windowOf(job)
  return runPaced(call(job.peer, { kind: 'stream', frames: pacedFrames(window), paceMs: PACE_MS }), window)
}

/** Frames of a stream that outlives the window. */
export function pacedFrames(window: Window): number {
  const wholeMs = STREAMS * (PACE_MS / STREAMS) + window.warmMs + window.measureMs + MARGIN_MS
  return Math.ceil(wholeMs / PACE_MS)
}

export async function runPaced(target: Call, window: Window): Promise<JobResult> {
  const tally = new Tally()
  const frames: Frames = { count: 0, gaps: new Histogram() }
  const streams: PacedStream[] = []
  const startMs = performance.now()
  for (let at = 0; at < STREAMS; at += 1) {
    const stream = new PacedStream(target.port, target.expected, tally, frames)
    streams.push(stream)
    stream.connection.request(target.bytes, stream.check, stream)
    const nextMs = startMs + ((at + 1) * PACE_MS) / STREAMS
    while (performance.now() < nextMs) await new Promise(done => setImmediate(done))
  }
  const { seconds, cpuUs } = await measured(window, on => (tally.counting = on))
  const giveUpMs = performance.now() + FINISH_MS_MAX
  while (streams.some(stream => !stream.finished) && performance.now() < giveUpMs) await pause(5)
  for (const stream of streams) {
    if (!stream.finished) tally.count('error', 'stream did not end')
    stream.connection.leave()
  }
  return {
    measures: {
      cpuUs: per(cpuUs, frames.count),
      framesPerSecond: frames.count / seconds,
      gapP99: frames.gaps.quantile(0.99),
      errors: tally.errors,
      wrong: tally.wrong,
    },
    reason: tally.reason,
  }
}

export const paced: Scenario = {
  name: 'paced',
  title: `${STREAMS} streams, a frame each ${PACE_MS} ms`,
  columns: [
    { key: 'cpuUs', title: 'CPU per frame', unit: 'µs', digits: 1, ratioTo: 'nginx' },
    { key: 'framesPerSecond', title: 'frames/s', unit: '', digits: 0, ratioTo: null },
    { key: 'gapP99', title: 'gap between reads p99', unit: 'ms', digits: 1, ratioTo: null },
    ERRORS,
    WRONG,
  ],
  run,
}

// 200 readers that take 1 KB a second of a 5 MB answer, beside one that reads as fast as it can. A peer that buffers for
// slow readers holds up to a gigabyte here.

import { type Check, checkFor } from '../checks.ts'
import { Connection, type Listener, type Outcome } from '../connection.ts'
import { closedLoop, pause } from '../drive.ts'
import { rssKb } from '../measure/proc.ts'
import { call, ERRORS, type Job, type JobResult, type Scenario, WRONG, warm, windowOf } from './scenario.ts'

const READERS = 200
const READERS_QUICK = 50
const ANSWER_BYTES = 5 * 1024 * 1024
const SIP_BYTES = 1024
const SIP_EACH_MS = 1_000
/** Readers connect over this long, and then the peer has this long to fill whatever it fills. */
const OPEN_MS = 1_000
const SETTLE_MS = 1_500
/** One in ten readers is there before memory is read for the first time: they use up what earlier load left free. */
const BASE_SHARE = 10
const MB = 1024 * 1024
const BULK = { kind: 'bulk', bytes: ANSWER_BYTES } as const

class SlowReader implements Listener {
  readonly connection: Connection
  readonly check: Check
  outcome: Outcome | null
  bytes: number

  constructor(port: number, check: Check) {
    this.connection = new Connection({ port, sipBytes: SIP_BYTES })
    this.check = check
    this.outcome = null
    this.bytes = 0
  }

  first(): void {}

  data(bytes: Buffer): void {
    this.bytes += bytes.length
  }

  done(outcome: Outcome): void {
    this.outcome = outcome
  }
}

async function run(job: Job): Promise<JobResult> {
  const { peer, settings } = job
  const count = settings.quick ? READERS_QUICK : READERS
  const target = call(peer, BULK)
  await warm(job)
  await closedLoop(target, 1, { warmMs: 0, measureMs: 300, pids: [] })
  const readers: SlowReader[] = []
  const sips = setInterval(() => {
    for (const reader of readers) reader.connection.resume()
  }, SIP_EACH_MS)
  let emptyKb = 0
  for (let at = 0; at < count; at += 1) {
    if (at === count / BASE_SHARE) {
      await pause(SETTLE_MS)
      emptyKb = rssKb(peer.pids)
    }
    const reader = new SlowReader(peer.port, checkFor({ ...target.expected, kind: 'bytes' }))
    readers.push(reader)
    reader.connection.request(target.bytes, reader.check, reader)
    await pause(OPEN_MS / count)
  }
  await pause(SETTLE_MS)
  const fast = await closedLoop(target, 1, windowOf(job))
  const fullKb = rssKb(peer.pids)
  clearInterval(sips)
  const lost = readers.filter(reader => reader.outcome === 'error' || reader.bytes === 0).length
  const wrong = peer.check === 'bytes' ? readers.filter(reader => !reader.check.clean()).length : 0
  for (const reader of readers) reader.connection.leave()
  return {
    measures: {
      kbPerReader: peer.pids.length === 0 ? null : (fullKb - emptyKb) / (count - count / BASE_SHARE),
      fastMbPerSecond: (fast.requests * target.expected.body.length) / MB / fast.seconds,
      fastP99: fast.latency.quantile(0.99),
      errors: lost + fast.errors,
      wrong: wrong + fast.wrong,
    },
    reason: fast.reason || (readers.find(reader => reader.outcome === 'error')?.connection.reason ?? ''),
  }
}

export const slow: Scenario = {
  name: 'slow',
  title: '200 readers at 1 KB/s of 5 MB beside a fast one',
  fresh: true,
  columns: [
    { key: 'kbPerReader', title: 'memory per slow reader', unit: 'KB', digits: 1, ratioTo: 'nginx' },
    { key: 'fastMbPerSecond', title: 'fast reader', unit: 'MB/s', digits: 0, ratioTo: 'direct' },
    { key: 'fastP99', title: 'fast 5 MB answer p99', unit: 'ms', digits: 1, ratioTo: 'nginx' },
    ERRORS,
    WRONG,
  ],
  run,
}

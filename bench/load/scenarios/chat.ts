// 1 KB chat under full load, driven by autocannon: throughput, CPU per request, memory under and after load.

import autocannon from 'autocannon'
import { expect } from '../checks.ts'
import { pause } from '../drive.ts'
import { cpuBetween, rssKb, sampleCpu } from '../measure/proc.ts'
import { bodyText } from '../replies.ts'
import { requestBody, requestHeaders, SMALL_BYTES } from '../requests.ts'
import { ERRORS, type Job, type JobResult, type PeerFacts, per, type Scenario, WRONG } from './scenario.ts'

/** Time for a peer to give memory back before "after" is read. */
const AFTER_MS = 1_000
const CHAT = { kind: 'chat', waitMs: 0 } as const
/** autocannon stops at the first sample after its time is up; short ones let it run for fractions of a second. */
const SAMPLE_MS = 100
const KB_PER_MB = 1024

async function shoot(peer: PeerFacts, connections: number, seconds: number): Promise<autocannon.Result> {
  const expected = expect(CHAT, peer.check)
  const body = expected.body.toString()
  return autocannon({
    url: `http://127.0.0.1:${peer.port}${peer.path}`,
    method: 'POST',
    headers: requestHeaders(peer),
    body: requestBody(peer, CHAT, SMALL_BYTES),
    connections,
    duration: seconds,
    sampleInt: SAMPLE_MS,
    excludeErrorStats: true,
    verifyBody: reply =>
      peer.check === 'bytes' ? String(reply) === body : sameText(String(reply), expected.text),
  })
}

function sameText(reply: string, text: string): boolean {
  try {
    return bodyText(reply) === text
  } catch {
    return false
  }
}

async function run({ peer, settings }: Job): Promise<JobResult> {
  await shoot(peer, settings.connections, settings.warmSeconds)
  const before = sampleCpu(peer.pids)
  const startMs = performance.now()
  let loadedKb = 0
  const watch = setInterval(() => (loadedKb = Math.max(loadedKb, rssKb(peer.pids))), 500)
  const result = await shoot(peer, settings.connections, settings.seconds)
  const cpuUs = peer.pids.length === 0 ? null : cpuBetween(before, sampleCpu(peer.pids))
  const seconds = (performance.now() - startMs) / 1000
  clearInterval(watch)
  await pause(AFTER_MS)
  const requests = result['2xx']
  const mb = (kb: number): number | null => (peer.pids.length === 0 ? null : kb / KB_PER_MB)
  return {
    measures: {
      requestsPerSecond: requests / seconds,
      cpuUs: per(cpuUs, requests),
      rssLoadedMb: mb(loadedKb),
      rssAfterMb: mb(rssKb(peer.pids)),
      errors: result.errors + result.non2xx,
      wrong: result.mismatches,
    },
    reason: result.non2xx > 0 ? `${result.non2xx} replies without 2xx` : '',
  }
}

export const chat: Scenario = {
  name: 'chat',
  title: '1 KB chat, full load',
  columns: [
    { key: 'requestsPerSecond', title: 'requests/s', unit: '', digits: 0, ratioTo: 'direct' },
    { key: 'cpuUs', title: 'CPU per request', unit: 'µs', digits: 1, ratioTo: 'nginx' },
    { key: 'rssLoadedMb', title: 'RSS under load', unit: 'MB', digits: 0, ratioTo: null },
    { key: 'rssAfterMb', title: 'RSS after', unit: 'MB', digits: 0, ratioTo: null },
    ERRORS,
    WRONG,
  ],
  run,
}

// A soak: 64 callers of all dialects, some of whom leave early, in front of three upstreams that fail at random by their
// seeds. Not a measurement but a judgement: nothing wrong, nothing invented, nothing unexplained, memory flat, nothing
// left over, and the books equal to what the upstreams counted. Any breach fails the run.

import { Agent } from 'node:http'
import { BREACHES, Books } from '../chaos/books.ts'
import { ask, type Leave, type Wish } from '../chaos/caller.ts'
import { ENTRIES, providersText } from '../chaos/entries.ts'
import { type Sample, slopeMbPerMinute } from '../chaos/flatness.ts'
import { type Held, OwnGateway, total } from '../chaos/gateway.ts'
import { pick, type Random, seeded } from '../chaos/random.ts'
import { Stalls } from '../chaos/stalls.ts'
import { Wrecker } from '../chaos/wrecker.ts'
import { DIALECTS } from '../dialects.ts'
import { pause } from '../drive.ts'
import type { Job, JobResult, Measures, Scenario } from './scenario.ts'

const CALLERS = 64
const UPSTREAMS = 3
/** Pause between two calls of a caller: 64 of them without one would measure the machine. */
const THINK_MS = 20
const SECONDS = 600
const SECONDS_QUICK = 120
const REHEARSAL_SECONDS = 2
/** The sweep that notices what has ended comes every 50 ms. */
const REHEARSAL_PAUSE_MS = 1_000
const FAULT_SHARE = 0.2
const LEAVER_SHARE = 0.05
/** Leavers leave within this, or once this much of a body has come, whichever of the two was dealt. */
const LEAVES_MS_MAX = 120
const LEAVES_BYTES_MAX = 2_000
/** Each costs a collection of everything, some 20 ms in which nobody is served. */
const RSS_EVERY_MS = 5_000
const SETTLE_EVERY_MS = 500
/** The log is written in batches; the last one gets this long. */
const BOOKS_MS = 1_500
/**
 * Growth of resident memory, behind collections, that is still called flat in a run of at least `SLOPE_SECONDS_LONG`: at
 * the some 200 requests per second of this load it is a leak of 90 bytes per request.
 */
const SLOPE_MB_PER_MINUTE_MAX = 1
const SLOPE_SECONDS_LONG = 300
/** In a shorter run heaps, code and pools are still on the way to their size. */
const SLOPE_MB_PER_MINUTE_SHORT_MAX = 8
/** Shorter than this there are too few samples, and nobody judges. */
const SLOPE_SECONDS_MIN = 60
/** How long what is left may take to go once everybody has hung up. */
const LEFT_MS_MAX = 10_000
const LEFT_POLL_MS = 500
/** A shard may be between two sweeps or about to write its log. */
const TIMERS_SLACK = 1

const WORDS = ['one', 'two', 'three', 'größer', '数字', '"quoted"', 'back\\slash', '<tag>', '🙂', '{brace}']

class Soak {
  readonly gateway: OwnGateway
  readonly books: Books
  readonly rss: Sample[] = []
  private readonly seed: number
  private asked = 0

  constructor(gateway: OwnGateway, books: Books, seed: number) {
    this.gateway = gateway
    this.books = books
    this.seed = seed
    gateway.onBooked = booked => books.booked(booked)
  }

  async run(seconds: number): Promise<void> {
    const endMs = performance.now() + seconds * 1_000
    const agent = new Agent({ keepAlive: true, maxSockets: CALLERS })
    const watch = setInterval(() => void this.sampleMemory(), RSS_EVERY_MS)
    const settling = setInterval(() => this.books.settle(false), SETTLE_EVERY_MS)
    await Promise.all(
      Array.from({ length: CALLERS }, (_, at) => this.caller(agent, seeded(this.seed * CALLERS + at), endMs)),
    )
    clearInterval(watch)
    agent.destroy()
    await pause(BOOKS_MS)
    clearInterval(settling)
    this.books.settle(true)
  }

  private async sampleMemory(): Promise<void> {
    const kb = await this.gateway.residentKb()
    this.rss.push([performance.now(), kb])
  }

  private async caller(agent: Agent, random: Random, endMs: number): Promise<void> {
    while (performance.now() < endMs) {
      const wish = this.wish(random)
      this.books.asked(wish)
      this.books.answered(wish, await ask(this.gateway.port, agent, wish))
      await pause(THINK_MS * random() * 2)
    }
  }

  private wish(random: Random): Wish {
    this.asked += 1
    const id = `chaos-${this.asked}`
    const words = Array.from({ length: 3 + Math.floor(random() * 30) }, () => pick(WORDS, random))
    const wish = {
      id,
      dialect: pick(DIALECTS, random),
      streaming: random() < 0.7,
      model: pick(ENTRIES, random).name,
      text: `${id} ${words.join(' ')}`,
      usageAsked: random() < 0.5,
    }
    return random() < LEAVER_SHARE ? { ...wish, leaves: leave(random) } : wish
  }
}

function leave(random: Random): Leave {
  return random() < 0.5
    ? { when: 'time', ms: random() * LEAVES_MS_MAX }
    : { when: 'bytes', bytes: Math.floor(random() * LEAVES_BYTES_MAX) }
}

async function run(job: Job): Promise<JobResult> {
  const { quick, secondsAsked, seed } = job.settings
  const seconds = secondsAsked ?? (quick ? SECONDS_QUICK : SECONDS)
  const wreckers = await Promise.all(
    Array.from({ length: UPSTREAMS }, (_, at) => Wrecker.start(seed * UPSTREAMS + at, FAULT_SHARE)),
  )
  const origins = wreckers.map(({ upstream }) => upstream.origin)
  const stalls = new Stalls()
  const gateway = await OwnGateway.start(providersText(origins), 'timeout: 20s, max_retries: 1')
  try {
    const soak = new Soak(gateway, new Books(wreckers, stalls), seed)
    // What is loaded at first need (threads of the compute pool among it) is there before anything is counted.
    await soak.run(REHEARSAL_SECONDS)
    for (const { upstream } of wreckers) upstream.dropConnections()
    await pause(REHEARSAL_PAUSE_MS)
    await gateway.samples()
    const before = await gateway.held()
    soak.rss.length = 0
    await soak.run(seconds)
    await Promise.all(wreckers.map(wrecker => wrecker.calm()))
    const samples = await gateway.samples()
    soak.books.compareTotals(samples)
    for (const { upstream } of wreckers) upstream.dropConnections()
    const left = await leftOver(gateway, before)
    const stopped = await gateway.stop()
    if (!stopped) left.push('it did not end by itself when it was told to')
    return report(soak, wreckers, samples, left, { seed, seconds })
  } finally {
    stalls.stop()
    await gateway.stop()
    await Promise.all(wreckers.map(wrecker => wrecker.close()))
  }
}

/** What is held although everybody has hung up, in words. */
async function leftOver(gateway: OwnGateway, before: Held): Promise<string[]> {
  const endMs = performance.now() + LEFT_MS_MAX
  for (;;) {
    const [samples, held] = [await gateway.samples(), await gateway.held()]
    const left: string[] = []
    const none = (name: string, what: string, state?: string): void => {
      const count = total(samples, name, labels => state === undefined || labels['state'] === state)
      if (count !== 0) left.push(`${count} ${what}`)
    }
    none('brightstaff_http_in_flight_requests', 'exchanges in flight')
    none('sluice_client_connections', 'connections of clients')
    none('sluice_upstream_queued', 'calls that wait for a connection')
    for (const state of ['connecting', 'busy', 'idle']) {
      none('sluice_upstream_connections', `connections to upstreams (${state})`, state)
    }
    const opened = held.files.filter(file => !before.files.includes(file))
    if (held.files.length > before.files.length) left.push(`opened and not closed: ${opened.join(' ')}`)
    for (const [thread, { timers, sockets }] of held.threads) {
      const then = before.threads.get(thread) ?? { timers: 0, sockets: 0 }
      if (timers > then.timers + TIMERS_SLACK)
        left.push(`thread ${thread}: ${timers} timers, ${then.timers} before`)
      if (sockets > then.sockets) left.push(`thread ${thread}: ${sockets} sockets, ${then.sockets} before`)
    }
    if (held.threads.size < 2) left.push('no shard told what it holds')
    if (left.length === 0 || performance.now() > endMs) return left
    await pause(LEFT_POLL_MS)
  }
}

function report(
  { books, gateway, rss }: Soak,
  wreckers: readonly Wrecker[],
  samples: Parameters<typeof total>[0],
  left: readonly string[],
  { seed, seconds }: { readonly seed: number; readonly seconds: number },
): JobResult {
  const { verdicts, found } = books
  const slope = slopeMbPerMinute(rss)
  const slopeMax = seconds >= SLOPE_SECONDS_LONG ? SLOPE_MB_PER_MINUTE_MAX : SLOPE_MB_PER_MINUTE_SHORT_MAX
  const pairs = books.pairs.size
  const measures: Measures = {
    seed,
    requests: Object.values(verdicts).reduce((sum, count) => sum + count),
    ok: verdicts.ok,
    told: verdicts.told,
    left: verdicts.left,
    faults: wreckers.reduce(
      (sum, wrecker) => sum + [...wrecker.faultsGiven.values()].reduce((a, b) => a + b, 0),
      0,
    ),
    outages: wreckers.reduce((sum, { outages }) => sum + outages, 0),
    retried: total(samples, 'sluice_upstream_retries_total'),
    openings: total(samples, 'sluice_breaker_openings_total'),
    pairs,
    compared: books.compared,
    attempts: total(samples, 'sluice_upstream_attempts_total'),
    seen: wreckers.reduce((sum, { calls }) => sum + [...calls.values()].reduce((a, b) => a + b, 0), 0),
    stalled: books.stalled,
    ...found,
    bugs: gateway.bugs.length,
    leftOver: left.length,
    slope,
    slopeMax,
  }
  const breaches = [...BREACHES, 'bugs', 'leftOver'].filter(key => (measures[key] ?? 0) > 0)
  const steep = seconds >= SLOPE_SECONDS_MIN && (slope === null || slope > slopeMax)
  if (breaches.length === 0 && !steep) return { measures, reason: '' }
  const lines = [
    ...breaches.map(key => `${key} ${measures[key]}`),
    ...(steep ? [`memory grows by ${slope?.toFixed(2)} MB per minute, ${slopeMax} is the bound`] : []),
    `seed ${seed}, ${books.again} sent again, ${books.unseen} and ${books.leftUnseen} tries unseen`,
    ...books.examples,
    ...left,
    ...gateway.bugs.slice(0, 1),
  ]
  return { measures, reason: '', breach: lines.join('\n    ') }
}

function column(key: string, title: string, unit = '', digits = 0) {
  return { key, title, unit, digits, ratioTo: null }
}

export const chaos: Scenario = {
  name: 'chaos',
  title: `soak: ${CALLERS} callers, three upstreams that fail at random`,
  columns: [
    column('seed', 'seed'),
    column('requests', 'requests'),
    column('ok', 'answered'),
    column('told', 'told of an error'),
    column('left', 'left by their callers'),
    column('pairs', 'pairs and forms answered, of 50'),
    column('compared', 'relayed and compared byte for byte'),
    column('faults', 'faults dealt'),
    column('outages', 'outages'),
    column('retried', 'tries after a failed one'),
    column('openings', 'breakers opened'),
    column('attempts', 'tries booked'),
    column('seen', 'calls the upstreams counted'),
    column('stalled', 'time-outs by stalls of the load generator'),
    column('wrong', 'wrong bytes', 'replies'),
    column('invented', 'invented endings', 'replies'),
    column('unexplained', 'unexplained errors'),
    column('missing', 'exchanges without a line'),
    column('outcomesOff', 'outcomes off'),
    column('attemptsOff', 'attempts off the books'),
    column('tokensOff', 'token counts off'),
    column('costOff', 'costs off'),
    column('leftOver', 'sockets, files and timers left'),
    column('slope', 'memory slope', 'MB/min', 2),
    column('slopeMax', 'its bound', 'MB/min', 0),
  ],
  own: true,
  msMax: (SECONDS + 120) * 1_000,
  run,
}

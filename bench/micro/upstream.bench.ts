// CPU time of an upstream client by itself, against the fake upstream in a process of its own:
//   npm run build && node dist/bench/micro/upstream.bench.js [--seconds N] [--kinds http1,undici,tls1,http2]
// `tls1` and `http2` are the client that negotiates, against an upstream in TLS that answers both the same way.
// Per whole exchange (1 KB answer, 16 at once), per stream of 52 frames, and per paced frame (100 streams, a frame
// every 20 ms each). What is measured is this process: user and system time from `process.cpuUsage`. Last, what 1,000
// open and silent streams hold, and over how many connections they came.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  createUpstreamClient,
  type UpstreamCall,
  type UpstreamClient,
  type UpstreamHandler,
} from '../../src/upstream/index.ts'

const DEADLINES = {
  connectMs: 5_000,
  headersMs: 30_000,
  firstByteMs: 30_000,
  betweenBytesMs: 30_000,
  totalMs: 600_000,
}
const WARM_UP_MS = 1_000
const PACED_STREAMS = 100
const FRAME_GAP_MS = 20

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    kinds: { type: 'string', default: 'http1,undici,tls1,http2' },
    rounds: { type: 'string', default: '3' },
  },
})
const seconds = Number(values.seconds)

interface Scenario {
  readonly name: string
  readonly fake: string
  readonly stream: boolean
  readonly atOnce: number
  /** What one unit is: a finished call, or a frame seen in the bytes. */
  readonly unit: 'call' | 'frame'
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'whole 1 KB', fake: 'frames=1;frameBytes=620', stream: false, atOnce: 16, unit: 'call' },
  { name: '52-frame stream', fake: 'frames=49;frameBytes=20', stream: true, atOnce: 16, unit: 'call' },
  {
    name: 'paced frame',
    fake: `frames=100000;frameBytes=20;delayBetweenFramesMs=${FRAME_GAP_MS};separateWrites`,
    stream: true,
    atOnce: PACED_STREAMS,
    unit: 'frame',
  },
]

const FRAME_START = Buffer.from('data: ')

/** Keeps one call running, over and over, until told to stop. */
class Loop implements UpstreamHandler {
  calls = 0
  frames = 0
  failures = 0
  private running = true
  private call: UpstreamCall | null = null
  private readonly client: UpstreamClient
  private readonly origin: string
  private readonly scenario: Scenario
  private readonly body: Buffer

  constructor(client: UpstreamClient, origin: string, scenario: Scenario) {
    this.client = client
    this.origin = origin
    this.scenario = scenario
    const content = 'x'.repeat(900)
    this.body = Buffer.from(
      JSON.stringify({ model: 'm', stream: scenario.stream, messages: [{ role: 'user', content }] }),
    )
    this.next()
  }

  next(): void {
    if (!this.running) return
    this.call = this.client.send(
      {
        origin: this.origin,
        method: 'POST',
        path: '/v1/chat/completions',
        headers: [
          'content-type',
          'application/json',
          'authorization',
          'Bearer sk-0123456789',
          'x-fake',
          this.scenario.fake,
          'accept',
          '*/*',
        ],
        body: this.body,
        deadlines: DEADLINES,
      },
      this,
    )
  }

  stop(): void {
    this.running = false
    this.call?.abort()
  }

  head(): void {}

  data(chunk: Uint8Array): void {
    if (this.scenario.unit === 'frame') {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
      for (let at = bytes.indexOf(FRAME_START); at !== -1; at = bytes.indexOf(FRAME_START, at + 6))
        this.frames += 1
    }
  }

  end(): void {
    this.calls += 1
    this.next()
  }

  fail(): void {
    this.failures += 1
    setImmediate(() => this.next())
  }
}

async function startUpstream(program: string): Promise<{ process: ChildProcess; origin: string }> {
  const main = fileURLToPath(new URL(`../../test/support/${program}`, import.meta.url))
  const child = spawn(process.execPath, [main, '--quiet'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  return { process: child, origin: line.toString().trim() }
}

interface Result {
  readonly microsPerUnit: number
  readonly unitsPerSecond: number
  readonly failures: number
}

type Kind = 'http1' | 'undici' | 'tls1' | 'http2'

function clientOf(kind: Kind, connectionsMax: number): UpstreamClient {
  if (kind === 'http1' || kind === 'undici') return createUpstreamClient({ kind, connectionsMax })
  const ca = readFileSync('test/fixtures/tls/authority.pem', 'utf8')
  return createUpstreamClient({ kind: kind === 'tls1' ? 'http1' : 'negotiated', ca, connectionsMax })
}

async function measure(kind: Kind, origin: string, scenario: Scenario): Promise<Result> {
  const client = clientOf(kind, 256)
  const loops = Array.from({ length: scenario.atOnce }, () => new Loop(client, origin, scenario))
  const units = (): number =>
    loops.reduce((sum, loop) => sum + (scenario.unit === 'call' ? loop.calls : loop.frames), 0)
  await new Promise(resolve => setTimeout(resolve, WARM_UP_MS))
  const unitsBefore = units()
  const cpuBefore = process.cpuUsage()
  const startedMs = performance.now()
  await new Promise(resolve => setTimeout(resolve, seconds * 1_000))
  const cpu = process.cpuUsage(cpuBefore)
  const tookMs = performance.now() - startedMs
  const done = units() - unitsBefore
  for (const loop of loops) loop.stop()
  const failures = loops.reduce((sum, loop) => sum + loop.failures, 0)
  await client.close()
  return {
    microsPerUnit: (cpu.user + cpu.system) / done,
    unitsPerSecond: (done / tookMs) * 1_000,
    failures,
  }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!
}

const OPEN_STREAMS = 1_000
const OPEN: Scenario = {
  name: 'open',
  fake: 'hang;hangAfterFrames=1;frames=2',
  stream: true,
  atOnce: 1,
  unit: 'call',
}

interface Held {
  readonly kilobytesPerStream: number
  readonly connections: number
  readonly cpuMs: number
}

/** What streams hold that are open and say nothing, and what opening them took. */
async function hold(kind: Kind, origin: string): Promise<Held> {
  const client = clientOf(kind, OPEN_STREAMS)
  const first = new Loop(client, origin, OPEN)
  await new Promise(resolve => setTimeout(resolve, WARM_UP_MS))
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  const cpuBefore = process.cpuUsage()
  const loops = Array.from({ length: OPEN_STREAMS - 1 }, () => new Loop(client, origin, OPEN))
  await new Promise(resolve => setTimeout(resolve, 4 * WARM_UP_MS))
  const cpu = process.cpuUsage(cpuBefore)
  globalThis.gc?.()
  const bytes = process.memoryUsage().rss - before
  const connections = client.pools()[0]!.opened
  for (const loop of [first, ...loops]) loop.stop()
  await client.close()
  return {
    kilobytesPerStream: bytes / 1_024 / (OPEN_STREAMS - 1),
    connections,
    cpuMs: (cpu.user + cpu.system) / 1_000,
  }
}

const kinds = values.kinds.split(',') as Kind[]
const plain = await startUpstream('fake-upstream/main.js')
const secure = await startUpstream('tls-upstream-main.js')
const originOf = (kind: Kind): string => (kind === 'tls1' || kind === 'http2' ? secure.origin : plain.origin)
console.log(`node ${process.version}, ${seconds} s per run, medians of ${values.rounds}`)
for (const scenario of SCENARIOS) {
  const results = new Map<Kind, Result[]>(kinds.map(kind => [kind, []]))
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const kind of kinds) results.get(kind)!.push(await measure(kind, originOf(kind), scenario))
  }
  for (const [kind, runs] of results) {
    const micros = median(runs.map(run => run.microsPerUnit))
    const rate = median(runs.map(run => run.unitsPerSecond))
    const failures = runs.reduce((sum, run) => sum + run.failures, 0)
    console.log(
      `${scenario.name.padEnd(16)} ${kind.padEnd(7)} ${micros.toFixed(1).padStart(7)} µs CPU  ${rate.toFixed(0).padStart(7)}/s  ${failures} failures`,
    )
  }
}
for (const kind of kinds) {
  const { kilobytesPerStream, connections, cpuMs } = await hold(kind, originOf(kind))
  console.log(
    `${`${OPEN_STREAMS} silent`.padEnd(16)} ${kind.padEnd(7)} ${kilobytesPerStream.toFixed(1).padStart(7)} KB each  ${connections} connections  ${cpuMs.toFixed(0)} ms CPU to open`,
  )
}
plain.process.kill()
secure.process.kill()
process.exit(0)

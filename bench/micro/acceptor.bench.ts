// CPU time of an acceptor by itself, its engine answering from memory and its clients in a process of their own:
//   npm run build && node dist/bench/micro/acceptor.bench.js [--seconds N] [--kinds uws,node,bare]
// Per whole exchange (an SDK's header block, 1 KB prompt and answer, 16 connections), per stream of 52 frames
// (a frame per loop turn), per paced frame (100 streams, 20 ms apart), and memory per open stream (1,000 silent
// ones). `bare` is the native server with no contract around it: the floor.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openAcceptor } from '../../src/acceptor/index.ts'
import { loadNative } from '../../src/acceptor/native.ts'
import type { BodyMode, Engine, ReplySink, RequestSink } from '../../src/gateway/index.ts'

const WARM_UP_MS = 1_000
const FRAMES = 52
const FRAME_GAP_MS = 20
const FRAME = Buffer.from(`data: {"choices":[{"delta":{"content":"${'x'.repeat(120)}"}}]}\n\n`)
const ANSWER = Buffer.from(JSON.stringify({ answer: 'x'.repeat(1_000) }))
const PROMPT = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x'.repeat(900) }] })
const REPLY_FIELDS = [
  'content-type',
  'application/json',
  'x-request-id',
  'req_0123456789',
  'x-plan',
  'abcdef',
]

const BOUNDS = {
  headerBytesMax: 65_536,
  headersWaitMsMax: 30_000,
  bodyWaitMsMax: 30_000,
  idleMsMax: 60_000,
  replyPendingBytesMax: 262_144,
}

type Scenario = 'whole' | 'stream' | 'paced' | 'silent'

const CONNECTIONS: Readonly<Record<Scenario, number>> = { whole: 16, stream: 16, paced: 100, silent: 1_000 }

/** What the official JavaScript client for chat completions sends. */
function requestBytes(scenario: Scenario): Buffer {
  return Buffer.from(
    [
      `POST /v1/chat/completions?${scenario} HTTP/1.1`,
      'host: 127.0.0.1:8080',
      'connection: keep-alive',
      'authorization: Bearer sk-0123456789abcdef0123456789abcdef',
      'content-type: application/json',
      'accept: application/json',
      'user-agent: OpenAI/JS 6.30.1',
      'x-stainless-lang: js',
      'x-stainless-package-version: 6.30.1',
      'x-stainless-os: Linux',
      'x-stainless-arch: x64',
      'x-stainless-runtime: node',
      'x-stainless-retry-count: 0',
      'accept-encoding: gzip, deflate',
      `content-length: ${PROMPT.length}`,
      '',
      PROMPT,
    ].join('\r\n'),
  )
}

class Answer implements RequestSink {
  readonly bodyMode: BodyMode = 'whole'
  readonly bodyBytesMax = 1_000_000
  private readonly reply: ReplySink
  private readonly scenario: Scenario
  private frames = 0
  private timer: NodeJS.Timeout | null = null

  constructor(reply: ReplySink, scenario: Scenario) {
    this.reply = reply
    this.scenario = scenario
  }

  body(): void {
    if (this.scenario === 'whole') setImmediate(whole, this.reply)
    else {
      this.reply.head(200, REPLY_FIELDS, null)
      if (this.scenario === 'stream') setImmediate(() => this.next())
      else this.reply.write(FRAME)
      if (this.scenario === 'paced') this.timer = setInterval(() => this.reply.write(FRAME), FRAME_GAP_MS)
    }
  }

  private next(): void {
    this.reply.write(FRAME)
    this.frames += 1
    if (this.frames === FRAMES) this.reply.end()
    else setImmediate(() => this.next())
  }

  chunk(): boolean {
    return true
  }

  bodyEnd(): void {}
  bodyFailed(): void {}
  drained(): void {}

  gone(): void {
    if (this.timer !== null) clearInterval(this.timer)
  }
}

/** As a relay answers: the head, then the bytes of the upstream's reply in one piece, then the end. */
function whole(reply: ReplySink): void {
  reply.head(200, REPLY_FIELDS, ANSWER.length)
  reply.write(ANSWER)
  reply.end()
}

const ENGINE: Engine = {
  open: (request, reply) => new Answer(reply, request.target.split('?')[1] as Scenario),
  refuse: () => ({ status: 400, headers: [], body: new Uint8Array(0) }),
}

interface Server {
  readonly port: number
  close(): void
}

async function serve(kind: string): Promise<Server> {
  if (kind === 'bare') return serveBare()
  const { acceptor } = await openAcceptor(
    {
      kind: kind as 'uws' | 'node',
      listener: 'main',
      address: '127.0.0.1',
      port: 0,
      tls: null,
      bounds: BOUNDS,
      exclusive: true,
    },
    ENGINE,
  )
  await acceptor.listen()
  return { port: acceptor.port, close: () => acceptor.close() }
}

/** Only whole exchanges; nothing is checked, nothing is copied. */
function serveBare(): Server {
  const native = loadNative()
  const app = native.App()
  app.any('/*', res => {
    res.onAborted(() => {})
    res.onData((_lent, last) => {
      if (!last) return
      setImmediate(() => {
        res.cork(() => {
          res.writeStatus('200 OK')
          for (let at = 0; at < REPLY_FIELDS.length; at += 2)
            res.writeHeader(REPLY_FIELDS[at]!, REPLY_FIELDS[at + 1]!)
          res.end(ANSWER)
        })
      })
    })
  })
  let port = 0
  app.listen('127.0.0.1', 0, 0, socket => {
    if (socket) port = native.us_socket_local_port(socket)
  })
  return { port, close: () => app.close() }
}

// ── clients, in a process of their own ────────────────────────────────────────────────────────────────────

/** Counts replies by their length, which is learned from the first; a stream ends with the last chunk. */
function client(port: number, scenario: Scenario, count: (units: number) => void): void {
  const bytes = requestBytes(scenario)
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  let replyBytes = 0
  let waiting = 0
  socket.on('data', chunk => {
    if (scenario === 'paced') count(1)
    else if (scenario === 'stream') {
      if (chunk.subarray(-5).toString('latin1') !== '0\r\n\r\n') return
      count(1)
      socket.write(bytes)
    } else if (scenario === 'whole') {
      if (replyBytes === 0) replyBytes = waiting = chunk.length
      waiting -= chunk.length
      if (waiting > 0) return
      waiting = replyBytes
      count(1)
      socket.write(bytes)
    }
  })
  socket.write(bytes)
}

function load(port: number, scenario: Scenario): void {
  let units = 0
  for (let index = 0; index < CONNECTIONS[scenario]; index += 1) {
    client(port, scenario, more => (units += more))
  }
  process.on('message', () => process.send!(units))
}

// ── the measurement ───────────────────────────────────────────────────────────────────────────────────────

const wait = (ms: number): Promise<void> => new Promise(done => setTimeout(done, ms))

async function unitsOf(child: ChildProcess): Promise<number> {
  child.send('units')
  const [units] = (await once(child, 'message')) as [number]
  return units
}

/** One measurement; in a process of its own, so that no run inherits another's memory or compiled code. */
async function measure(kind: string, scenario: Scenario, seconds: number): Promise<number> {
  const server = await serve(kind)
  global.gc?.()
  const rssBefore = process.memoryUsage.rss()
  const child = spawn(process.execPath, [SELF, '--load', `${server.port}:${scenario}`], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  await wait(WARM_UP_MS)
  const unitsBefore = await unitsOf(child)
  const cpuBefore = process.cpuUsage()
  await wait(seconds * 1_000)
  const cpu = process.cpuUsage(cpuBefore)
  const units = (await unitsOf(child)) - unitsBefore
  global.gc?.()
  const kilobytes = (process.memoryUsage.rss() - rssBefore) / 1_024
  child.kill()
  await once(child, 'exit')
  server.close()
  return scenario === 'silent' ? kilobytes / CONNECTIONS.silent : (cpu.user + cpu.system) / units
}

const SELF = fileURLToPath(import.meta.url)

async function measureApart(kind: string, scenario: Scenario, seconds: number): Promise<number> {
  const args = ['--expose-gc', SELF, '--one', `${kind}:${scenario}`, '--seconds', String(seconds)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', chunk => (text += String(chunk)))
  await once(child, 'exit')
  return Number(text)
}

const { values } = parseArgs({
  options: {
    load: { type: 'string' },
    one: { type: 'string' },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    kinds: { type: 'string', default: 'bare,uws,node' },
    scenarios: { type: 'string', default: 'whole,stream,paced,silent' },
  },
})

async function main(): Promise<void> {
  console.log(`node ${process.version}, ${values.seconds} s per run, medians of ${values.rounds}`)
  for (const scenario of values.scenarios.split(',') as Scenario[]) {
    const kinds = values.kinds.split(',').filter(kind => kind !== 'bare' || scenario === 'whole')
    const results = new Map<string, number[]>(kinds.map(kind => [kind, []]))
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const kind of kinds)
        results.get(kind)!.push(await measureApart(kind, scenario, Number(values.seconds)))
    }
    for (const [kind, runs] of results) {
      const median = runs.sort((a, b) => a - b)[Math.floor(runs.length / 2)]!
      const unit = scenario === 'silent' ? 'KB per open stream' : 'µs CPU'
      console.log(`${scenario.padEnd(8)} ${kind.padEnd(5)} ${median.toFixed(1).padStart(7)} ${unit}`)
    }
  }
}

if (values.load !== undefined) {
  const [port, scenario] = values.load.split(':')
  load(Number(port), scenario as Scenario)
} else {
  if (values.one === undefined) await main()
  else {
    const [kind, scenario] = values.one.split(':')
    console.log(await measure(kind!, scenario as Scenario, Number(values.seconds)))
  }
  process.exit(0)
}

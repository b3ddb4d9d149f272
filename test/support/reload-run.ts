// A gateway process whose configuration changes while clients stream through it. Owns the run and what is observed in
// it; what must hold is the caller's (a test, or a measurement).
//
// Every plan of the run has its own model and key, and the fake upstream says which of them each exchange arrived with:
// an exchange that was served by two plans at once would show.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startFakeUpstream } from './fake-upstream/index.ts'
import { freePort } from './gateway.ts'

export interface ReloadRunOptions {
  readonly clients: number
  readonly reloads: number
  readonly shards: number
  /** Where `dist` is. */
  readonly root: string
}

export interface SwitchFacts {
  readonly result: string
  readonly switchMs: number | null
  readonly answerMs: number
}

export interface ReloadRun {
  readonly exchanges: number
  /** What went wrong in an exchange: its status, a broken stream, a mixed plan, a plan that was not in use. */
  readonly faults: readonly string[]
  readonly switches: readonly SwitchFacts[]
  /** Sockets that clients opened; one each unless a connection was dropped. */
  readonly sockets: number
  /** Exchanges that began after a switch was reported and before the next began. */
  readonly settledExchanges: number
  readonly rssMb: { readonly early: number; readonly late: number }
  readonly metrics: string
  readonly history: { readonly result: string; readonly errors: readonly string[] }[]
  readonly exitCode: number | null
  readonly output: string
}

/** Different plans of a run; more would be more series of metrics, which is another matter. */
const PLANS = 10
const FRAMES = 20
const FRAME_MS = 10
const TOKEN = 'reload-run-token'
/** Between a switch and the next change, so that some exchanges begin in between. */
const PAUSE_MS = 40
const READY_MS_MAX = 20_000

interface Window {
  readonly plan: number
  readonly fromMs: number
  toMs: number
}

export async function runReloads(options: ReloadRunOptions): Promise<ReloadRun> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-reload-'))
  const upstream = await startFakeUpstream({ behaviour: { frames: FRAMES, delayBetweenFramesMs: FRAME_MS } })
  const [port, secondPort, adminPort] = [await freePort(), await freePort(), await freePort()]
  const file = join(folder, 'gateway.yaml')
  const write = (text: string) => {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  }
  const fileOf = (plan: number) =>
    planFile(plan, { ...options, port, secondPort, adminPort, origin: upstream.origin })
  write(fileOf(0))
  const gateway = new FileGateway(options.root, file, adminPort, TOKEN)
  const observed = new Observed()
  const clients: Promise<void>[] = []
  try {
    await gateway.ready()
    observed.inUse(0, await gateway.hash())
    let stopped = false
    for (let client = 0; client < options.clients; client += 1) {
      clients.push(stream(client, port, observed, () => stopped))
    }
    const switches: SwitchFacts[] = []
    let early = 0
    for (let at = 1; at <= options.reloads; at += 1) {
      await pause(PAUSE_MS)
      const wrong = at % 10 === 0
      // The plan before the wrong file stays in use.
      if (!wrong) observed.changes()
      write(wrong ? fileOf(at % PLANS).replace('model_providers', 'model_provider') : fileOf(at % PLANS))
      const { result, hash, switchMs, answerMs } = await gateway.reload()
      if (!wrong) observed.inUse(at % PLANS, hash)
      switches.push({ result, switchMs, answerMs })
      if (at === Math.ceil(options.reloads / 3)) early = await gateway.rssMb()
    }
    await pause(PAUSE_MS)
    stopped = true
    await Promise.all(clients)
    const late = await gateway.rssMb()
    const [metrics, history] = [await gateway.metrics(), await gateway.history()]
    const exitCode = await gateway.stop()
    const { output } = gateway
    for (const sent of upstream.requests) {
      observed.arrived(
        sent.header('x-request-id') ?? '',
        sent.json().model,
        sent.header('authorization') ?? '',
      )
    }
    return { ...observed.facts(), switches, rssMb: { early, late }, metrics, history, exitCode, output }
  } finally {
    await gateway.stop('SIGKILL')
    await upstream.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What clients and the upstream saw. */
class Observed {
  private readonly faults: string[] = []
  private readonly planOfHash = new Map<string, number>()
  private readonly windows: Window[] = []
  private readonly planOfExchange = new Map<string, number>()
  private readonly sockets = new Set<unknown>()
  private exchanges = 0
  private settled = 0

  inUse(plan: number, hash: string): void {
    this.planOfHash.set(hash.slice(0, HASH_CHARS), plan)
    this.windows.push({ plan, fromMs: performance.now(), toMs: Number.POSITIVE_INFINITY })
  }

  changes(): void {
    this.windows.at(-1)!.toMs = performance.now()
  }

  socket(socket: unknown): void {
    this.sockets.add(socket)
  }

  /** `fromMs`: before it was sent; `headMs`: when its reply began. */
  exchange(id: string, fromMs: number, headMs: number, hash: string, fault: string | null): void {
    this.exchanges += 1
    if (fault !== null) this.faults.push(`${id}: ${fault}`)
    const plan = this.planOfHash.get(hash)
    if (fault !== null) return
    if (plan === undefined) {
      this.unknown.push({ id, hash })
      return
    }
    this.planOfExchange.set(id, plan)
    const window = this.windows.find(one => one.fromMs <= fromMs && headMs < one.toMs)
    if (window === undefined) return
    this.settled += 1
    if (window.plan !== plan) this.faults.push(`${id}: plan ${plan} answered while ${window.plan} was in use`)
  }

  /** Replies of a plan whose switch was not reported yet. */
  private readonly unknown: { readonly id: string; readonly hash: string }[] = []

  arrived(id: string, model: string, authorization: string): void {
    const plan = this.planOfExchange.get(id)
    const late = this.unknown.find(one => one.id === id)
    const expected = plan ?? (late === undefined ? undefined : this.planOfHash.get(late.hash))
    if (expected === undefined) this.faults.push(`${id}: answered by a plan that never was in use`)
    else if (model !== `model-${expected}` || authorization !== `Bearer key-of-plan-${expected}`) {
      this.faults.push(`${id}: plan ${expected} sent ${model} with the key of another`)
    }
  }

  facts() {
    const { faults, exchanges, sockets, settled } = this
    return { faults, exchanges, sockets: sockets.size, settledExchanges: settled }
  }
}

/** As in reply headers. */
const HASH_CHARS = 12

/** One client on one kept connection, a stream after the other. */
async function stream(
  client: number,
  port: number,
  observed: Observed,
  stopped: () => boolean,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'x' }] })
  for (let at = 0; !stopped(); at += 1) {
    const id = `client-${client}-${at}`
    const fromMs = performance.now()
    let headMs = fromMs
    let hash = ''
    let fault: string | null = null
    try {
      const reply = await ask(agent, port, id, body, observed)
      headMs = performance.now()
      hash = String(reply.headers['x-gateway-plan'] ?? '')
      const text = await textOf(reply)
      const frames = text.split('"content":"').length - 1
      if (reply.statusCode !== 200) fault = `status ${reply.statusCode}: ${text}`
      else if (!text.endsWith('data: [DONE]\n\n') || frames < FRAMES)
        fault = `${frames} frames, ${text.slice(-80)}`
    } catch (error) {
      fault = (error as Error).message
    }
    observed.exchange(id, fromMs, headMs, hash, fault)
  }
  agent.destroy()
}

function ask(
  agent: Agent,
  port: number,
  id: string,
  body: string,
  observed: Observed,
): Promise<IncomingMessage> {
  return new Promise((resolveReply, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-request-id': id,
    }
    const sent = request({ agent, port, method: 'POST', path: '/v1/chat/completions', headers }, resolveReply)
    sent.on('socket', socket => observed.socket(socket))
    sent.on('error', reject)
    sent.end(body)
  })
}

async function textOf(reply: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of reply) text += String(piece)
  return text
}

interface PlanFacts {
  readonly port: number
  readonly secondPort: number
  readonly adminPort: number
  readonly origin: string
  readonly shards: number
}

function planFile(plan: number, { port, secondPort, adminPort, origin, shards }: PlanFacts): string {
  // Every other plan opens a second port, and the next one closes it.
  const second =
    plan % 2 === 1
      ? [
          `  - { type: agent, name: second, address: 127.0.0.1, port: ${secondPort}, agents: [{ id: a, description: a }] }`,
        ]
      : []
  return [
    'version: v0.4.0',
    'listeners:',
    `  - { type: model, name: llm, address: 127.0.0.1, port: ${port} }`,
    ...second,
    'agents: [{ id: a, url: "http://127.0.0.1:9" }]',
    'model_providers:',
    `  - { name: m, model: openai/model-${plan}, access_key: key-of-plan-${plan}, base_url: ${origin} }`,
    `server: { shards: ${shards} }`,
    `admin: { address: 127.0.0.1, port: ${adminPort}, token: ${TOKEN} }`,
    '',
  ].join('\n')
}

/** A gateway process with a file of the caller's. */
export class FileGateway {
  output = ''
  private readonly exited: Promise<number | null>
  readonly child: ChildProcess
  readonly admin: string
  private readonly token: string

  constructor(root: string, file: string, adminPort: number, token: string) {
    this.token = token
    this.admin = `http://127.0.0.1:${adminPort}`
    this.child = spawn(process.execPath, [resolve(root, 'dist/src/cli/main.js'), 'serve', file], {
      env: { PATH: process.env['PATH'] ?? '', LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const pipe of [this.child.stdout!, this.child.stderr!]) {
      pipe.on('data', chunk => (this.output = (this.output + String(chunk)).slice(-OUTPUT_CHARS_MAX)))
    }
    this.exited = new Promise(done => this.child.once('exit', done))
  }

  async ready(): Promise<void> {
    const untilMs = performance.now() + READY_MS_MAX
    while (!/ready in \d+ ms/.test(this.output)) {
      if (this.child.exitCode !== null || performance.now() > untilMs)
        throw new Error(`not ready:\n${this.output}`)
      await pause(20)
    }
  }

  async hash(): Promise<string> {
    return ((await this.get('/config')) as { hash: string }).hash
  }

  async history(): Promise<ReloadRun['history']> {
    return ((await this.get('/config/history')) as { history: ReloadRun['history'] }).history
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.admin}/metrics`)).text()
  }

  async rssMb(): Promise<number> {
    const bytes = /^process_resident_memory_bytes (\S+)/m.exec(await this.metrics())?.[1]
    return Math.round(Number(bytes) / 1024 / 1024)
  }

  async reload(): Promise<SwitchFacts & { hash: string }> {
    const startMs = performance.now()
    const report = (await this.post('/config/reload')).json as {
      result: string
      hash: string
      switchMs: number | null
    }
    return { ...report, answerMs: performance.now() - startMs }
  }

  async post(path: string): Promise<{ status: number; json: unknown }> {
    const init = { method: 'POST', headers: { authorization: `Bearer ${this.token}` } }
    const reply = await fetch(this.admin + path, init)
    return { status: reply.status, json: await reply.json() }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal)
    return this.exited
  }

  async get(path: string): Promise<unknown> {
    return (await fetch(this.admin + path)).json()
  }
}

/** The end of what a long run says. */
const OUTPUT_CHARS_MAX = 100_000

function pause(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms))
}

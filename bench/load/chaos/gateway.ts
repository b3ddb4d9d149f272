// Sluice in front of upstreams of a scenario's own, with every exchange in its log: the books that are checked.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '../children.ts'
import { get } from '../get.ts'
import { rssKb } from '../measure/proc.ts'
import { parseExposition, type Sample } from '../measure/exposition.ts'

/** dist/bench/load/chaos → the project. */
const COMMAND = resolve(import.meta.dirname, '../../../../dist/src/cli/main.js')
const READY_MS_MAX = 20_000
const POLL_MS = 20
const STOP_MS_MAX = 15_000
/** Supervisor and shard answer the probe at their next turn; a thread that waits in the compute pool does not. */
const THREADS = 2
const PROBE_MS_MAX = 3_000
const PROBE = new URL('./probe.js', import.meta.url).href

/** One line of the log, as far as it is compared; what is unknown is left out of it. */
export interface Booked {
  readonly requestId: string
  readonly endpoint: string
  readonly provider?: string
  readonly outcome: string
  readonly attempts: number
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly costUsd?: number
  readonly usagePartial?: boolean
}

/** What a process holds: files (sockets among them), and the timers and sockets of each thread that answers. */
export interface Held {
  readonly files: readonly string[]
  readonly threads: ReadonlyMap<number, { readonly timers: number; readonly sockets: number }>
}

export class OwnGateway {
  readonly port: number
  readonly pid: number
  /** Is told of every exchange's line. */
  onBooked: (booked: Booked) => void = () => {}
  /** Lines that tell of a bug. */
  readonly bugs: string[] = []
  private readonly adminPort: number
  private readonly child: ChildProcess
  private readonly folder: string
  private readonly threads: Map<number, { readonly timers: number; readonly sockets: number }> = new Map()

  private constructor(child: ChildProcess, port: number, adminPort: number, folder: string) {
    this.child = child
    this.port = port
    this.adminPort = adminPort
    this.folder = folder
    this.pid = child.pid!
    createInterface({ input: child.stdout! }).on('line', line => this.read(line))
    createInterface({ input: child.stderr! }).on('line', line => this.readProbe(line))
  }

  /** `providers`: entries of `model_providers`, indented by two blanks. */
  static async start(providers: string, listener: string): Promise<OwnGateway> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-chaos-'))
    const [port, adminPort] = [await freePort(), await freePort()]
    const file = join(folder, 'gateway.yaml')
    writeFileSync(
      file,
      `version: v0.4.0
listeners:
  - { type: model, name: llm, address: 127.0.0.1, port: ${port}, ${listener} }
model_providers:
${providers}
server: { shards: 1 }
admin: { port: ${adminPort} }
upstream: { connect: 2s, headers: 1s, first_byte: 1s, first_content: 2s, between_bytes: 1s }
`,
    )
    const child = spawn(process.execPath, ['--expose-gc', COMMAND, 'serve', file], {
      cwd: folder,
      env: { ...process.env, LOG_LEVEL: 'debug', NODE_OPTIONS: `--import=${PROBE}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const gateway = new OwnGateway(child, port, adminPort, folder)
    const endMs = performance.now() + READY_MS_MAX
    while (!(await gateway.answers())) {
      if (child.exitCode !== null || performance.now() > endMs) {
        await gateway.stop()
        throw new Error(`Sluice did not start with ${file}`)
      }
      await new Promise(done => setTimeout(done, POLL_MS))
    }
    return gateway
  }

  async samples(): Promise<readonly Sample[]> {
    return parseExposition(await get(this.adminPort, '/metrics'))
  }

  /** Collects garbage first. */
  async held(): Promise<Held> {
    this.threads.clear()
    this.child.kill('SIGUSR2')
    const endMs = performance.now() + PROBE_MS_MAX
    while (this.threads.size < THREADS && performance.now() < endMs) {
      await new Promise(done => setTimeout(done, POLL_MS))
    }
    return { files: this.files(), threads: new Map(this.threads) }
  }

  /** Resident memory behind a collection, KB. */
  async residentKb(): Promise<number> {
    await this.held()
    return rssKb([this.pid])
  }

  private files(): string[] {
    const folder = `/proc/${this.pid}/fd`
    return readdirSync(folder).flatMap(name => {
      try {
        return [readlinkSync(join(folder, name))]
      } catch {
        // It was closed meanwhile.
        return []
      }
    })
  }

  /** Resolves with false when it had to be killed or ended in failure. */
  async stop(): Promise<boolean> {
    const { child } = this
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise(done => child.once('exit', done))
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
      await ended
      clearTimeout(timer)
    }
    rmSync(this.folder, { recursive: true, force: true })
    return child.exitCode === 0
  }

  private async answers(): Promise<boolean> {
    try {
      await get(this.port, '/healthz')
      return true
    } catch {
      return false
    }
  }

  private read(line: string): void {
    if (line.includes('bug ended an exchange') || line.includes('uncaught')) this.bugs.push(line)
    if (!line.includes('"exchange"')) return
    const booked = JSON.parse(line) as Booked
    if (booked.endpoint !== '/healthz') this.onBooked(booked)
  }

  private readProbe(line: string): void {
    if (!line.startsWith('{"probe":')) return
    const { probe, held } = JSON.parse(line) as { readonly probe: number; readonly held: readonly string[] }
    this.threads.set(probe, {
      timers: held.filter(name => name === 'Timeout').length,
      sockets: held.filter(name => /^(?:TCP|TLS)/.test(name)).length,
    })
  }
}

/** The sum of a counter over series whose labels hold. */
export function total(
  samples: readonly Sample[],
  name: string,
  holds: (labels: Readonly<Record<string, string>>) => boolean = () => true,
): number {
  return samples
    .filter(sample => sample.name === name && holds(sample.labels))
    .reduce((sum, { value }) => sum + value, 0)
}

// Starts the whole gateway as a process of its own, as a user would, and stops it again.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
/** Generous: two cores may be busy with other tests. */
const READY_WAIT_MS_MAX = 15_000

export interface GatewayProcess {
  readonly origin: string
  readonly adminOrigin: string
  readonly process: ChildProcess
  /** Everything written to standard output and standard error so far. */
  output(): string
  /** Sends a signal and waits for the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  readonly exited: Promise<number | null>
}

export interface GatewayOptions {
  /** `model_providers` entries and further top-level YAML; listeners and admin are added here. */
  readonly yaml?: string
  /** Extra keys of the listener, already indented by four blanks. */
  readonly listener?: string
  /** Extra keys below `server:`, already indented by two blanks. */
  readonly server?: string
  readonly env?: Readonly<Record<string, string>>
  readonly port?: number
  /** No configuration file at all: `npm start`. */
  readonly zeroConfig?: boolean
  /** Resolve as soon as the process exits or is ready, whichever comes first. */
  readonly allowExit?: boolean
  readonly nodeBinary?: string
}

export async function startGateway(options: GatewayOptions = {}): Promise<GatewayProcess> {
  const port = options.port ?? (await freePort())
  const adminPort = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'))
  const args =
    options.zeroConfig === true
      ? ['dist/src/main.js']
      : ['dist/src/cli/main.js', 'serve', join(folder, 'gateway.yaml')]
  if (options.zeroConfig !== true)
    writeFileSync(join(folder, 'gateway.yaml'), fileFor(options, port, adminPort))
  const child = spawn(options.nodeBinary ?? process.execPath, args, {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      METRICS_BIND_ADDRESS: `127.0.0.1:${adminPort}`,
      ...(options.zeroConfig === true ? { SLUICE_PORT: String(port) } : {}),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  child.stdout!.on('data', chunk => (text += String(chunk)))
  child.stderr!.on('data', chunk => (text += String(chunk)))
  const exited = new Promise<number | null>(done => {
    child.once('exit', code => {
      rmSync(folder, { recursive: true, force: true })
      done(code)
    })
  })
  const gateway: GatewayProcess = {
    origin: `http://127.0.0.1:${port}`,
    adminOrigin: `http://127.0.0.1:${adminPort}`,
    process: child,
    output: () => text,
    exited,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return exited
    },
  }
  await ready(gateway, options.allowExit === true)
  return gateway
}

function fileFor(options: GatewayOptions, port: number, adminPort: number): string {
  return [
    'version: v0.4.0',
    'listeners:',
    '  - type: model',
    '    name: llm',
    '    address: 127.0.0.1',
    `    port: ${port}`,
    options.listener ?? '',
    'server:',
    '  shards: 1',
    options.server ?? '',
    'admin:',
    '  address: 127.0.0.1',
    `  port: ${adminPort}`,
    options.yaml ?? '',
    '',
  ].join('\n')
}

async function ready(gateway: GatewayProcess, allowExit: boolean): Promise<void> {
  const until = Date.now() + READY_WAIT_MS_MAX
  while (Date.now() < until) {
    if (/ready in \d+ ms/.test(gateway.output())) return
    if (gateway.process.exitCode !== null) {
      if (allowExit) return
      throw new Error(`the gateway exited with ${gateway.process.exitCode}:\n${gateway.output()}`)
    }
    await new Promise(done => setTimeout(done, 20))
  }
  gateway.process.kill('SIGKILL')
  throw new Error(`the gateway was not ready within ${READY_WAIT_MS_MAX} ms:\n${gateway.output()}`)
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => resolvePort(port))
    })
  })
}

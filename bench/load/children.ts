// Processes of a run: starts them in groups of their own, notices early ends, and leaves none behind.

import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'

const STOP_WAIT_MS_MAX = 10_000
/** The end of a peer's output, shown when it did not start. */
const OUTPUT_LETTERS_MAX = 4_000

export interface StartOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** A message channel, for our own processes. */
  readonly ipc?: boolean
  /** CPU list for taskset, or null. */
  readonly pin?: string | null
}

export interface Child {
  readonly process: ChildProcess
  readonly pid: number
  output(): string
  /** Resolves with true if it ended by itself within the wait, false if it had to be killed. */
  stop(): Promise<boolean>
}

const running = new Set<ChildProcess>()

export function start(options: StartOptions): Child {
  const pinned = options.pin == null ? [] : ['taskset', '-c', options.pin]
  const [command, ...args] = [...pinned, options.command, ...options.args]
  const child = spawn(command!, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', ...(options.ipc === true ? (['ipc'] as const) : [])],
  })
  running.add(child)
  let output = ''
  child.stderr?.on('data', piece => (output = (output + String(piece)).slice(-OUTPUT_LETTERS_MAX)))
  child.on('error', error => (output += error.message))
  const exited = new Promise<void>(done => {
    child.once('exit', () => {
      running.delete(child)
      done()
    })
    child.once('error', () => {
      running.delete(child)
      done()
    })
  })
  const stop = async (): Promise<boolean> => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return true
    signal(child, 'SIGTERM')
    let killed = false
    const timer = setTimeout(() => {
      killed = true
      signal(child, 'SIGKILL')
    }, STOP_WAIT_MS_MAX)
    await exited
    clearTimeout(timer)
    return !killed
  }
  return { process: child, pid: child.pid ?? 0, output: () => output, stop }
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, name)
  } catch {
    child.kill(name)
  }
}

/** For the ends of the orchestrator that nobody planned. */
export function killAll(): void {
  for (const child of running) if (child.pid !== undefined) signal(child, 'SIGKILL')
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

// Starting a gateway that outlives its command, and ending one. Owns the order: ports first, then the process, then
// `/healthz` of every listener; and on failure the reason in words, taken from what the process said.

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ListenerPlan, LoadedPlan, Plan } from '../common/config/index.ts'
import { call, callable, sleep } from './calls.ts'
import { EXIT, Failure } from './exit.ts'
import {
  type FoundInstance,
  forgetInstance,
  type Instance,
  type InstanceListener,
  isAlive,
  PATHS,
  processBirth,
  runningInstances,
  writeInstance,
} from './instance.ts'
import { type PortHolder, portHolder, portState } from './port-holder.ts'
import type { Target } from './loading.ts'

/** The reference waits this long for its listeners. */
export const READY_MS_MAX = 60_000
/** A look is one file and one call on the loopback. */
const LOOK_EVERY_MS = 50
const HEALTH_MS_MAX = 2_000
/** A process that was told to end gets this long beyond its drain, then once more when it is told to end at once. */
const END_MARGIN_MS = 5_000
/** Lines of a failure that are shown. */
const REASON_LINES_MAX = 12

export interface Started {
  readonly instance: Instance
  readonly tookMs: number
}

/** Refuses ports that others hold; throws {@link Failure} with all of them. */
export async function refuseTakenPorts(plan: Plan, runs: string): Promise<void> {
  const wanted: (Pick<ListenerPlan, 'name' | 'address' | 'port'> & { key: string })[] = [
    ...plan.listeners.map(listener => ({ ...listener, key: `listener ${listener.name}` })),
    { ...plan.admin, name: 'admin', key: 'the admin listener' },
  ]
  const faults: string[] = []
  for (const { key, address, port } of wanted) {
    const state = await portState(address, port)
    if (state === 'taken') faults.push(`${key}: port ${port} is taken${heldBy(portHolder(port), runs)}`)
    if (state === 'forbidden')
      faults.push(`${key}: port ${port} may not be used; below 1024 needs a privilege`)
    if (state === 'no-address') faults.push(`${key}: this machine has no address ${address}`)
  }
  if (faults.length === 0) return
  const advice = faults.some(fault => fault.startsWith('the admin'))
    ? '\nAnother place for the admin listener: METRICS_BIND_ADDRESS=127.0.0.1:9093, or admin.port in the file.'
    : ''
  throw new Failure(`${faults.join('\n')}${advice}`)
}

function heldBy(holder: PortHolder | null, runs: string): string {
  if (holder === null) return '; by whom cannot be seen from here'
  const own = runningInstances(runs).find(({ instance }) => instance.pid === holder.pid)
  if (own === undefined) return ` by ${holder.name} (pid ${holder.pid})`
  const { source, cwd } = own.instance
  return ` by the gateway of ${source} in ${cwd} (pid ${holder.pid}); sluice down ${source} ends it`
}

/** Starts the process and waits until every listener answers. */
export async function launch(
  folder: string,
  loaded: LoadedPlan,
  target: Target,
  waitMs: number,
): Promise<Started> {
  const begun = performance.now()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  rmSync(join(folder, PATHS.exit), { force: true })
  const child = spawnServe(folder, loaded, target)
  const pid = child.pid
  if (pid === undefined) throw new Failure('the process could not be started')
  const end: { code: number | string | null } = { code: null }
  child.once('exit', (code, signal) => (end.code = code ?? signal ?? 'unknown'))
  const planned = instanceOf(pid, loaded, target.cwd)
  writeInstance(folder, planned)
  try {
    const ready = await becomesReady(folder, planned, end, begun + waitMs)
    writeInstance(folder, ready)
    child.unref()
    return { instance: ready, tookMs: performance.now() - begun }
  } catch (error) {
    if (end.code === null) await endProcess(planned, 0)
    forgetInstance(folder)
    throw error
  }
}

function spawnServe(folder: string, loaded: LoadedPlan, { cwd, env }: Target): ChildProcess {
  // Read and append: the process trims this file in place.
  rmSync(join(folder, PATHS.messages), { force: true })
  const messages = openSync(join(folder, PATHS.messages), 'a+', 0o600)
  try {
    const main = fileURLToPath(new URL('./main.js', import.meta.url))
    const args = [main, 'serve', '--run-folder', folder]
    // As the person wrote it: places in messages stay short.
    if (loaded.file !== null) args.push(shownFile(loaded.file, cwd))
    return spawn(process.execPath, args, {
      cwd,
      env: { ...env },
      detached: true,
      stdio: ['ignore', messages, messages],
    })
  } finally {
    closeSync(messages)
  }
}

export function shownFile(file: string, cwd: string): string {
  return file.startsWith(`${cwd}/`) ? file.slice(cwd.length + 1) : file
}

function instanceOf(pid: number, { plan, file }: LoadedPlan, cwd: string): Instance {
  return {
    pid,
    birth: processBirth(pid),
    file,
    cwd,
    source: file === null ? 'the environment' : shownFile(file, cwd),
    hash: plan.hash,
    drainMs: plan.server.drainMs,
    startedAt: new Date().toISOString(),
    listeners: plan.listeners.map(({ name, type, address, port, tls }) => ({
      name,
      type,
      address,
      port,
      tls: tls !== null,
    })),
    admin: { address: plan.admin.address, port: plan.admin.port },
  }
}

async function becomesReady(
  folder: string,
  planned: Instance,
  end: { readonly code: number | string | null },
  deadline: number,
): Promise<Instance> {
  for (;;) {
    if (end.code !== null) {
      throw new Failure(`the gateway did not start\n${reasonOf(messagesOf(folder), end.code)}`)
    }
    const text = messagesOf(folder)
    if (/^ready in \d+ ms$/m.test(text)) {
      const found = withPorts(planned, text)
      if ((await healthOf(found)).every(({ healthy }) => healthy)) return found
    }
    if (performance.now() > deadline)
      throw new Failure(`the gateway is not ready in time\n${reasonOf(text, null)}`)
    await sleep(LOOK_EVERY_MS)
  }
}

function messagesOf(folder: string): string {
  try {
    return readFileSync(join(folder, PATHS.messages), 'utf8')
  } catch {
    return ''
  }
}

/** What the process said of its end: from the line that names it, without those of a person's patience. */
export function reasonOf(messages: string, code: number | string | null): string {
  const lines = messages.split('\n').filter(line => line.trim() !== '')
  const waits = lines.filter(line => line.startsWith('still starting: '))
  const told = lines.filter(line => !line.startsWith('still starting: '))
  const from = told.findLastIndex(line =>
    /^(?:cannot start:|the configuration has|the supervisor failed)/.test(line),
  )
  const shown = (from < 0 ? told : told.slice(from)).slice(0, REASON_LINES_MAX)
  if (shown.length > 0) return shown.join('\n')
  if (code !== null)
    return `it ended with ${typeof code === 'number' ? `exit code ${code}` : code} and said nothing`
  return waits.at(-1) ?? 'it said nothing'
}

/** Ports as opened: the file may leave the choice to the system. */
function withPorts(planned: Instance, messages: string): Instance {
  const ports = new Map<string, number>()
  for (const [, port, name] of messages.matchAll(/https?:\/\/\S+:(\d+) \(([^)]*)\)/g))
    ports.set(name!, Number(port))
  const admin = /^ {2}admin\s+http:\/\/\S+?:(\d+) /m.exec(messages)?.[1]
  return {
    ...planned,
    listeners: planned.listeners.map(one => ({ ...one, port: ports.get(one.name) ?? one.port })),
    admin: { address: planned.admin.address, port: admin === undefined ? planned.admin.port : Number(admin) },
  }
}

export interface ListenerHealth {
  readonly listener: InstanceListener
  readonly url: string
  readonly healthy: boolean
  /** Why not; null when it is. */
  readonly fault: string | null
}

export function originOf({ tls, address, port }: InstanceListener): string {
  return `${tls ? 'https' : 'http'}://${callable(address)}:${port}`
}

/** Asks every listener. */
export function healthOf(instance: Instance): Promise<ListenerHealth[]> {
  return Promise.all(
    instance.listeners.map(async listener => {
      const url = originOf(listener)
      try {
        const { status } = await call(`${url}/healthz`, { waitMsMax: HEALTH_MS_MAX })
        return { listener, url, healthy: status === 200, fault: status === 200 ? null : `status ${status}` }
      } catch (error) {
        return { listener, url, healthy: false, fault: (error as Error).message }
      }
    }),
  )
}

export interface Ended {
  /** `killed`: it did not end when told to. */
  readonly how: 'ended' | 'cut' | 'killed'
}

/** Ends a gateway: its drain, then at once, then without asking. */
export async function endInstance(
  { folder, instance }: FoundInstance,
  waitMs: number | null,
): Promise<Ended> {
  const killed = await endProcess(instance, waitMs ?? instance.drainMs + END_MARGIN_MS)
  const code = readExit(folder)
  forgetInstance(folder)
  if (killed) return { how: 'killed' }
  return { how: code === EXIT.cut ? 'cut' : 'ended' }
}

/** True when it had to be killed. */
async function endProcess(instance: Instance, drainMs: number): Promise<boolean> {
  for (const [signal, waitMs] of [
    ['SIGTERM', drainMs],
    ['SIGTERM', END_MARGIN_MS],
    ['SIGKILL', END_MARGIN_MS],
  ] as const) {
    if (!isAlive(instance)) return false
    try {
      process.kill(instance.pid, signal)
    } catch {
      return false
    }
    const deadline = performance.now() + waitMs
    while (isAlive(instance) && performance.now() < deadline) await sleep(LOOK_EVERY_MS)
    if (signal === 'SIGKILL') return true
  }
  return true
}

function readExit(folder: string): number | null {
  try {
    return Number.parseInt(readFileSync(join(folder, PATHS.exit), 'utf8'), 10)
  } catch {
    return null
  }
}

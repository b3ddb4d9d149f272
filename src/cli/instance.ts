// The gateways that were started detached: one folder each below the home, with a record, a process id and logs. Owns
// the record and the question whether its process still lives; a process id alone is not trusted, because ids are
// given to others again.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { Failure } from './exit.ts'
import type { Env } from './terminal.ts'

export interface InstanceListener {
  readonly name: string
  readonly type: string
  readonly address: string
  readonly port: number
  readonly tls: boolean
}

export interface Instance {
  readonly pid: number
  /** When the process began, in the system's own words; null where it does not say. */
  readonly birth: string | null
  /** Absolute path of the configuration, null without one. */
  readonly file: string | null
  readonly cwd: string
  /** As a person would say it: `config.yaml`, `environment`. */
  readonly source: string
  readonly hash: string
  readonly drainMs: number
  readonly startedAt: string
  readonly listeners: readonly InstanceListener[]
  readonly admin: { readonly address: string; readonly port: number }
}

/** Where the processes' folders are; made when it is missing. */
export function runHome(env: Env, cwd: string): string {
  const own = env['SLUICE_HOME']
  const home = own !== undefined && own !== '' ? resolve(cwd, own) : join(homedir(), '.sluice')
  try {
    mkdirSync(join(home, 'run'), { recursive: true, mode: 0o700 })
    return join(home, 'run')
  } catch {
    // A container whose user has no home: the folder it works in is the only other place.
    mkdirSync(join(cwd, '.sluice', 'run'), { recursive: true, mode: 0o700 })
    return join(cwd, '.sluice', 'run')
  }
}

/** Characters of the hash that names a folder; a person has a handful of configurations. */
const KEY_CHARS = 12

/** The folder of the gateway that serves this configuration: it depends on the file's place, not on its content. */
export function instanceFolder(runs: string, file: string | null, cwd: string): string {
  const identity = file ?? `environment in ${cwd}`
  return join(runs, createHash('sha256').update(identity).digest('hex').slice(0, KEY_CHARS))
}

export const PATHS = {
  record: 'instance.json',
  pid: 'sluice.pid',
  log: 'sluice.log',
  messages: 'messages.log',
  exit: 'exit-code',
  lock: 'starting.lock',
} as const

export function writeInstance(folder: string, instance: Instance): void {
  writeWhole(join(folder, PATHS.record), `${JSON.stringify(instance, null, 2)}\n`)
  writeWhole(join(folder, PATHS.pid), `${instance.pid}\n`)
}

/** In one step, so that nobody reads half of it; for the owner only. */
export function writeWhole(path: string, text: string): void {
  const draft = `${path}.${process.pid}.new`
  writeFileSync(draft, text, { mode: 0o600 })
  renameSync(draft, path)
}

export function forgetInstance(folder: string): void {
  rmSync(join(folder, PATHS.record), { force: true })
  rmSync(join(folder, PATHS.pid), { force: true })
}

/** Two commands that start one gateway at the same time would end each other's. Throws while another is at it. */
export function lockFolder(folder: string): () => void {
  const path = join(folder, PATHS.lock)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (let tries = 0; tries < 2; tries++) {
    try {
      writeFileSync(path, `${process.pid} ${processBirth(process.pid) ?? ''}`, { flag: 'wx', mode: 0o600 })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const [pid = '', birth = ''] = readFileSync(path, 'utf8').split(' ')
      if (isAlive({ pid: Number(pid), birth: birth === '' ? null : birth })) break
      // Whoever locked it has died.
      rmSync(path, { force: true })
    }
  }
  throw new Failure('another command is starting this gateway at the moment')
}

/** The record of a folder, alive or not; null when there is none that can be read. */
export function readInstance(folder: string): Instance | null {
  try {
    const found = JSON.parse(readFileSync(join(folder, PATHS.record), 'utf8')) as Partial<Instance>
    const whole = Number.isInteger(found.pid) && found.pid! > 0 && Array.isArray(found.listeners)
    return whole && found.admin !== undefined ? (found as Instance) : null
  } catch {
    return null
  }
}

export interface FoundInstance {
  readonly folder: string
  readonly instance: Instance
}

/** Gateways that run, the oldest first. */
export function runningInstances(runs: string): FoundInstance[] {
  const found: FoundInstance[] = []
  for (const name of readdirSync(runs)) {
    const folder = join(runs, name)
    const instance = readInstance(folder)
    if (instance !== null && isAlive(instance)) found.push({ folder, instance })
  }
  return found.sort((a, b) => (a.instance.startedAt < b.instance.startedAt ? -1 : 1))
}

export function isAlive({ pid, birth }: Pick<Instance, 'pid' | 'birth'>): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = processBirth(pid)
  if (now === 'ended') return false
  return birth === null || now === null || now === birth
}

/** Fields of /proc/<pid>/stat after the name in brackets. */
const STATE_FIELD = 0
const START_FIELD = 19
/** `ps` answers at once. */
const PS_MS_MAX = 2_000

/** When a process began; `ended` for one whose exit nobody has asked about yet. Null: it cannot be found out. */
export function processBirth(pid: number): string | null {
  try {
    if (process.platform === 'linux') {
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
      return fields[STATE_FIELD] === 'Z' ? 'ended' : (fields[START_FIELD] ?? null)
    }
    const args = ['-o', 'stat=,lstart=', '-p', String(pid)]
    const text = execFileSync('ps', args, { timeout: PS_MS_MAX, encoding: 'utf8' }).trim()
    return text.startsWith('Z') ? 'ended' : text.replace(/^\S+\s+/, '')
  } catch {
    return null
  }
}

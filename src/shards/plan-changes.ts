// What differs between two plans, by key path: in the words of `/config`, without any value, so that it can be shown to
// anybody. Pure.

import type { Plan } from '../common/config/index.ts'

/** A longer list is another file, and nobody reads it. */
const PATHS_MAX = 100

/** Members that name a plan or describe where it came from. */
const NOT_COMPARED: ReadonlySet<string> = new Set(['epoch', 'hash', 'sourceNote'])

/** Chosen once, when the process starts. */
const RESTART_KEYS: readonly string[] = ['server.shards', 'server.acceptor', 'admin.address', 'admin.port']

/** Key paths that differ, in the order of the plan; the last one counts what is left out. */
export function changedPaths(from: Plan, to: Plan): string[] {
  const paths: string[] = []
  compare(from, to, '', paths)
  if (paths.length <= PATHS_MAX) return paths
  return [...paths.slice(0, PATHS_MAX), `and ${paths.length - PATHS_MAX} more`]
}

/** Keys in which `plan` asks for another process than the one that `started` made. */
export function restartPaths(started: Plan, plan: Plan): string[] {
  const paths: string[] = []
  compare(started, plan, '', paths)
  return paths.filter(path => RESTART_KEYS.includes(path))
}

function compare(from: unknown, to: unknown, path: string, paths: string[]): void {
  if (Object.is(from, to)) return
  if (!isObject(from) || !isObject(to) || Array.isArray(from) !== Array.isArray(to) || isPlain(from, to)) {
    if (
      JSON.stringify(from) !== JSON.stringify(to) ||
      isObject(from) !== isObject(to) ||
      secretsDiffer(from, to)
    ) {
      paths.push(path)
    }
    return
  }
  const [before, after] = [keyed(from), keyed(to)]
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    if (NOT_COMPARED.has(key)) continue
    compare(before.get(key), after.get(key), joined(path, key, Array.isArray(from)), paths)
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** A list of plain values, or a secret: changed as a whole. */
function isPlain(from: object, to: object): boolean {
  return [from, to].some(value =>
    Array.isArray(value)
      ? value.some(item => !isObject(item))
      : 'secret' in value && Object.keys(value).length <= 2,
  )
}

/** Secrets print as `***`, so that JSON cannot tell them apart. */
function secretsDiffer(from: unknown, to: unknown): boolean {
  return secretOf(from) !== secretOf(to)
}

function secretOf(value: unknown): string | undefined {
  return (value as { secret?: string } | null | undefined)?.secret
}

/** Items that have a name are the same when they have the same name, wherever they stand. */
function keyed(value: object): Map<string, unknown> {
  if (!Array.isArray(value)) return new Map(Object.entries(value))
  const named = value.every(item => typeof (item as { name?: unknown }).name === 'string')
  return new Map(value.map((item, at) => [named ? (item as { name: string }).name : String(at), item]))
}

function joined(path: string, key: string, listed: boolean): string {
  if (listed || !/^[\w-]+$/.test(key)) return `${path}[${key}]`
  return path === '' ? key : `${path}.${key}`
}

// `listeners` to the sockets of the plan, and to what belongs to agents and filters on them.

import { createHash } from 'node:crypto'
import { accessSync, constants, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { DURATION_MS_MAX, durationMs } from '../durations.ts'
import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type { AdminPlan, ListenerPlan, TlsPlan } from '../plan.ts'
import type { ListenerAgentPlan, ListenerFeatures } from '../plan-features.ts'
import type { ListenerEntry } from '../schema/listeners.ts'
import { checkId, checkIds, type Remotes } from './remotes.ts'

const DEFAULT_PORTS = { model: 12_000, prompt: 10_000, agent: null } as const
/** Whole requests; long answers take minutes. */
const DEFAULT_TIMEOUT = '300s'
/** The reference's bound for agents. */
const DEFAULT_AGENT_TIMEOUT = '30s'

/** Lists that mean something on one type of listener only. */
const OWNERS = [
  ['input_filters', 'model'],
  ['output_filters', 'model'],
  ['agents', 'agent'],
] as const

interface TlsEntry {
  readonly certificate_file: string
  readonly key_file: string
}

export interface ListenerSources {
  readonly findings: Findings
  /** Relative paths start here. */
  readonly folder: string
  readonly everyTls: TlsEntry | undefined
  /** Told of every file that the plan depends on. */
  readonly onFile?: ((absolute: string) => void) | undefined
  readonly remotes: Pick<Remotes, 'ids' | 'agentIds'>
}

export interface CompiledListeners {
  readonly listeners: readonly ListenerPlan[]
  readonly features: Readonly<Record<string, ListenerFeatures>>
}

export function compileListeners(
  entries: readonly ListenerEntry[],
  sources: ListenerSources,
): CompiledListeners {
  const { findings } = sources
  const listeners: ListenerPlan[] = []
  const features: Record<string, ListenerFeatures> = {}
  let model: string | null = null
  for (const [at, entry] of entries.entries()) {
    const path: Path = ['listeners', at]
    if (entry.type === 'model') {
      if (model !== null) {
        const message = `\`${model}\` is a model listener already; there can be one`
        findings.error({ code: 'E23', path: [...path, 'type'], message, showFound: false })
      } else model = entry.name
    }
    const port = entry.port ?? DEFAULT_PORTS[entry.type]
    if (port === null) {
      const message = 'an agent listener needs a `port`'
      findings.error({ code: 'E60', path, message, showFound: false })
      continue
    }
    const name = uniqueName(entry.name, listeners, path, findings)
    const timeout = entry.timeout ?? (entry.type === 'agent' ? DEFAULT_AGENT_TIMEOUT : DEFAULT_TIMEOUT)
    const plan: ListenerPlan = {
      name,
      type: entry.type,
      address: entry.address,
      port,
      // Zero means no bound, as in the reference's proxy.
      timeoutMs: durationMs(timeout) || DURATION_MS_MAX,
      maxRetries: entry.max_retries ?? 0,
      ...(entry.keep_alive === undefined ? {} : { keepAliveMs: durationMs(entry.keep_alive)! }),
      tls:
        tlsPlan(entry.tls, [...path, 'tls'], sources) ??
        tlsPlan(sources.everyTls, ['server', 'tls'], sources),
    }
    checkPort(plan, listeners, path, findings)
    listeners.push(plan)
    const own = featuresOf(entry, path, sources)
    if (own !== null) features[name] = own
  }
  return { listeners, features }
}

/** The reference lets names repeat; logs and metrics could not tell such listeners apart. */
function uniqueName(name: string, others: readonly ListenerPlan[], path: Path, findings: Findings): string {
  const taken = (text: string) => others.some(other => other.name === text)
  if (!taken(name)) return name
  let count = 2
  while (taken(`${name} (${count})`)) count += 1
  const message = `another listener is called \`${name}\`; this one is called \`${name} (${count})\` in logs and metrics`
  findings.warn({ code: 'W12', path: [...path, 'name'], message, showFound: false })
  return `${name} (${count})`
}

function checkPort(
  plan: ListenerPlan,
  others: readonly ListenerPlan[],
  path: Path,
  findings: Findings,
): void {
  for (const other of others) {
    if (!collide(plan, other)) continue
    const message = `the listeners \`${other.name}\` and \`${plan.name}\` both want port ${plan.port}`
    findings.error({ code: 'E71', path: [...path, 'port'], message, showFound: false })
    return
  }
}

/** The admin listener is one more socket. */
export function checkAdminPort(
  admin: AdminPlan,
  listeners: readonly ListenerPlan[],
  findings: Findings,
): void {
  const other = listeners.find(listener => collide(listener, admin))
  if (other === undefined) return
  const message = `the listener \`${other.name}\` and the admin listener both want port ${admin.port}`
  findings.error({ code: 'E71', path: ['admin', 'port'], message, showFound: false })
}

interface Socket {
  readonly address: string
  readonly port: number
}

function collide(a: Socket, b: Socket): boolean {
  if (a.port !== b.port || a.port === 0) return false
  return a.address === b.address || isAny(a.address) || isAny(b.address)
}

function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::' || address === ''
}

function tlsPlan(tls: TlsEntry | undefined, path: Path, sources: ListenerSources): TlsPlan | null {
  if (tls === undefined) return null
  const certificateFile = readable(tls.certificate_file, [...path, 'certificate_file'], sources)
  const keyFile = readable(tls.key_file, [...path, 'key_file'], sources)
  return { certificateFile, keyFile, contentHash: contentHash([certificateFile, keyFile]) }
}

/** A key's hash tells nothing about it: keys are long and random. */
function contentHash(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) {
    try {
      hash.update(readFileSync(file))
    } catch {
      // Told by `readable`.
    }
  }
  return hash.digest('hex').slice(0, CONTENT_HASH_CHARS)
}

/** Enough to tell any two certificates apart. */
const CONTENT_HASH_CHARS = 16

function readable(file: string, path: Path, sources: ListenerSources): string {
  const { folder, findings } = sources
  const absolute = resolve(folder, file)
  sources.onFile?.(absolute)
  try {
    accessSync(absolute, constants.R_OK)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable'
    const message = `this file cannot be read (${reason})`
    findings.error({ code: 'S08', path, message })
  }
  return absolute
}

function featuresOf(
  entry: ListenerEntry,
  path: Path,
  { findings, remotes }: ListenerSources,
): ListenerFeatures | null {
  const { ids } = remotes
  const where = `the listener \`${entry.name}\``
  checkIds(entry.input_filters, [...path, 'input_filters'], `${where} (input_filters)`, ids, findings)
  checkIds(entry.output_filters, [...path, 'output_filters'], `${where} (output_filters)`, ids, findings)
  for (const [key, type] of OWNERS) {
    if (entry.type === type || (entry[key] ?? []).length === 0) continue
    const message = `\`${key}\` works on ${type} listeners only; here it has no effect`
    findings.warn({ code: 'W13', path: [...path, key], at: 'key', message, showFound: false })
  }
  if (entry.type === 'agent') checkAgents(entry, path, remotes, findings)
  if (entry.agents === undefined && entry.input_filters === undefined && entry.output_filters === undefined) {
    return null
  }
  return {
    agents: entry.type === 'agent' ? agentsOf(entry.agents ?? []) : [],
    inputFilters: entry.type === 'model' ? (entry.input_filters ?? []) : [],
    outputFilters: entry.type === 'model' ? (entry.output_filters ?? []) : [],
  }
}

function checkAgents(
  entry: ListenerEntry,
  path: Path,
  { ids, agentIds }: ListenerSources['remotes'],
  findings: Findings,
): void {
  const agents = entry.agents ?? []
  if (agents.length === 0) {
    const message = `the agent listener \`${entry.name}\` needs at least one entry in \`agents\``
    findings.error({ code: 'S11', path, message, showFound: false })
  }
  let chosen: string | null = null
  for (const [at, agent] of agents.entries()) {
    const where = `the listener \`${entry.name}\``
    const here = [...path, 'agents', at]
    checkId(agent.id, [...here, 'id'], where, agentIds, 'not in `agents`', findings)
    checkIds(agent.input_filters, [...here, 'input_filters'], `${where} (input_filters)`, ids, findings)
    if (!agent.default) continue
    if (chosen !== null) {
      const message = `\`${chosen}\` is the default agent already; the first one is used`
      findings.warn({ code: 'W14', path: [...here, 'default'], message, showFound: false })
    } else chosen = agent.id
  }
}

function agentsOf(entries: NonNullable<ListenerEntry['agents']>): ListenerAgentPlan[] {
  const chosen = Math.max(
    0,
    entries.findIndex(agent => agent.default),
  )
  return entries.map((agent, at) => ({
    id: agent.id,
    description: agent.description,
    isDefault: at === chosen,
    inputFilters: agent.input_filters ?? [],
  }))
}

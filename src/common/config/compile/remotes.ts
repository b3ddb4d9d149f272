// `agents`, `filters`, `endpoints`: what is called on the way, under one namespace of ids.

import { nearestNames } from '../../nearest.ts'
import { durationMs } from '../durations.ts'
import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type { EndpointPlan, FilterPlan, RemotePlan } from '../plan-features.ts'
import type { AgentEntry, EndpointEntry, FilterEntry } from '../schema/agents.ts'
import type { ConfigDocument } from '../schema/document.ts'

export interface Remotes {
  readonly agents: readonly RemotePlan[]
  readonly filters: readonly FilterPlan[]
  readonly endpoints: readonly EndpointPlan[]
  /** Ids as written, also of entries that are wrong: one mistake is reported once. */
  readonly ids: ReadonlySet<string>
  readonly agentIds: ReadonlySet<string>
}

export function compileRemotes(document: ConfigDocument, connectMs: number, findings: Findings): Remotes {
  const ids = new Map<string, Path>()
  const agents: RemotePlan[] = []
  const filters: FilterPlan[] = []
  for (const [at, entry] of document.agents.entries()) {
    const path: Path = ['agents', at]
    claim(entry.id, path, ids, findings)
    const remote = remoteOf(entry, path, 'agent', findings)
    if (remote !== null) agents.push(remote)
  }
  for (const [at, entry] of document.filters.entries()) {
    const path: Path = ['filters', at]
    claim(entry.id, path, ids, findings)
    const remote = remoteOf(entry, path, 'filter', findings)
    if (remote !== null) filters.push({ ...remote, type: entry.type, tool: entry.tool ?? entry.id })
  }
  const endpoints: EndpointPlan[] = []
  // In the order of names: the order of a map means nothing and must not change the hash.
  for (const [name, entry] of Object.entries(document.endpoints).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const plan = endpointOf(name, entry, connectMs, findings)
    if (plan !== null) endpoints.push(plan)
    if (ids.has(name)) {
      const message = `the agent or filter \`${name}\` has the same name and takes its place`
      findings.warn({ code: 'W11', path: ['endpoints', name], at: 'key', message, showFound: false })
    }
  }
  const agentIds = new Set(document.agents.map(agent => agent.id))
  return { agents, filters, endpoints, ids: new Set(ids.keys()), agentIds }
}

function claim(id: string, path: Path, ids: Map<string, Path>, findings: Findings): void {
  if (ids.has(id)) {
    const message = 'another agent or filter has this id; ids are unique over both lists'
    findings.error({ code: 'E20', path: [...path, 'id'], message })
  } else ids.set(id, path)
}

function remoteOf(
  entry: AgentEntry | FilterEntry,
  path: Path,
  what: string,
  findings: Findings,
): RemotePlan | null {
  if (!/^https?:\/\/[^/?#]/i.test(entry.url) || !URL.canParse(entry.url)) {
    const message = `the ${what} \`${entry.id}\` needs an address with http:// or https:// and a host`
    const suggestions = /^[\w.-]+(?::\d+)?(?:\/|$)/.test(entry.url) ? [`http://${entry.url}`] : []
    findings.error({ code: 'S10', path: [...path, 'url'], message, suggestions })
    return null
  }
  const url = new URL(entry.url)
  return { id: entry.id, origin: url.origin, path: url.pathname.replace(/\/+$/, '') }
}

function endpointOf(
  name: string,
  entry: EndpointEntry,
  connectMs: number,
  findings: Findings,
): EndpointPlan | null {
  const path: Path = ['endpoints', name, 'endpoint']
  if (entry.endpoint.includes('://')) {
    const message = 'an endpoint is `host` or `host:port`; the scheme goes into `protocol`'
    const suggestions = URL.canParse(entry.endpoint) ? [new URL(entry.endpoint).host] : []
    findings.error({ code: 'E52', path, message, suggestions })
    return null
  }
  const address = `${entry.protocol}://${entry.endpoint}`
  if (!/^[^\s/?#@]+$/.test(entry.endpoint) || !URL.canParse(address)) {
    findings.error({ code: 'E52', path, message: 'an endpoint is `host` or `host:port`, nothing else' })
    return null
  }
  return {
    name,
    origin: new URL(address).origin,
    connectMs: entry.connect_timeout === undefined ? connectMs : durationMs(entry.connect_timeout)!,
    httpHost: entry.http_host ?? null,
    prefixAffinity: entry.prefix_affinity,
  }
}

/** Reports the ids of a list that are neither an agent nor a filter. */
export function checkIds(
  ids: readonly string[] | undefined,
  path: Path,
  where: string,
  known: ReadonlySet<string>,
  findings: Findings,
): void {
  for (const [at, id] of (ids ?? []).entries()) {
    checkId(id, [...path, at], where, known, 'neither in `agents` nor in `filters`', findings)
  }
}

export function checkId(
  id: string,
  path: Path,
  where: string,
  known: ReadonlySet<string>,
  missing: string,
  findings: Findings,
): void {
  if (known.has(id)) return
  findings.error({
    code: 'E25',
    path,
    message: `${where} references the id \`${id}\`, which is ${missing}`,
    showFound: false,
    allowed: known.size === 0 ? 'none is configured' : [...known].slice(0, IDS_SHOWN_MAX).join(', '),
    suggestions: nearestNames(id, known, 1),
  })
}

/** Ids shown in a message end here. */
const IDS_SHOWN_MAX = 24

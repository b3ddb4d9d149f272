// `listeners` to the sockets of the plan.

import { durationMs } from '../durations.ts'
import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type { ListenerPlan, TlsPlan } from '../plan.ts'
import type { ListenerEntry } from '../schema/listeners.ts'

const DEFAULT_PORTS = { model: 12_000, prompt: 10_000, agent: null } as const
/** Whole requests; long answers take minutes. */
const DEFAULT_TIMEOUT = '300s'
/** The reference's bound for agents. */
const DEFAULT_AGENT_TIMEOUT = '30s'

export function compileListeners(
  entries: readonly ListenerEntry[],
  everyTls: { certificate_file: string; key_file: string } | undefined,
  findings: Findings,
): ListenerPlan[] {
  const plans: ListenerPlan[] = []
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
    const fallback = entry.type === 'agent' ? DEFAULT_AGENT_TIMEOUT : DEFAULT_TIMEOUT
    plans.push({
      name: entry.name,
      type: entry.type,
      address: entry.address,
      port,
      timeoutMs: durationMs(entry.timeout ?? fallback)!,
      maxRetries: entry.max_retries ?? 0,
      tls: tlsPlan(entry.tls ?? everyTls),
    })
    checkSocket(plans, path, findings)
  }
  return plans
}

/** Two sockets on one port, or two listeners of one name, cannot be told apart later. */
function checkSocket(plans: readonly ListenerPlan[], path: Path, findings: Findings): void {
  const last = plans[plans.length - 1]!
  for (const other of plans.slice(0, -1)) {
    if (other.name === last.name) {
      const message = 'another listener has this name; names are unique'
      findings.error({ code: 'S03', path: [...path, 'name'], message })
    }
    const overlap = other.address === last.address || isAny(other.address) || isAny(last.address)
    if (other.port === last.port && last.port !== 0 && overlap) {
      const message = `the listener \`${other.name}\` uses port ${last.port} already`
      findings.error({ code: 'E71', path: [...path, 'port'], message, showFound: false })
    }
  }
}

function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::' || address === ''
}

function tlsPlan(tls: { certificate_file: string; key_file: string } | undefined): TlsPlan | null {
  return tls === undefined ? null : { certificateFile: tls.certificate_file, keyFile: tls.key_file }
}

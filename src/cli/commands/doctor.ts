// `sluice doctor`: what keeps this configuration from working on this machine. Each look is independent and bounded;
// secrets are only ever said to be there.

import type { Command } from 'commander'
import {
  atHosts,
  ConfigErrors,
  issueText,
  type LoadedPlan,
  type Plan,
  type ProviderPlan,
} from '../../common/config/index.ts'
import { headerValue } from '../../common/headers.ts'
import { ProxyRules } from '../../common/proxies.ts'
import { isLoggedIn } from '../chatgpt-login.ts'
import { EXIT } from '../exit.ts'
import { runHome, runningInstances } from '../instance.ts'
import { entryName, loadTarget, targetOf } from '../loading.ts'
import { portHolder, portState } from '../port-holder.ts'
import { askOutside } from '../outbound.ts'
import { type Probe, PROBE_MS_MAX, probeOrigin, probePostgres, probeRedis } from '../probes.ts'
import { maskerOf } from '../secrets.ts'
import type { Shell } from '../terminal.ts'
import { credentialsOf } from './explain.ts'

interface DoctorOptions {
  readonly path?: string
  readonly json?: boolean
  readonly offline?: boolean
}

type State = 'ok' | 'warning' | 'failed' | 'skipped'

interface Finding {
  readonly check: string
  readonly state: State
  readonly detail: string
}

/** A machine whose clock is further off makes signatures and certificates fail. */
const CLOCK_SKEW_S_MAX = 60
/** The clock of a machine that shows an earlier time has never been set. */
const BUILT_AT_MS = Date.UTC(2026, 0, 1)
const SECOND_MS = 1_000
const NODE_MIN = [20, 19] as const

export function addDoctor(program: Command, shell: Shell): void {
  program
    .command('doctor')
    .argument('[file]', 'configuration file; without one: config.yaml, plano_config.yaml, or the environment')
    .description('look at ports, keys, providers, stores and the clock, and say what would not work')
    .option('--offline', 'do not call anybody')
    .option('--json', 'print one object for scripts')
    .option('--path <dir>', 'folder in which the file is looked for')
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing stands in the way (there may be warnings), 1 something does.\n' +
        '\nExample:\n  $ sluice doctor config.yaml',
    )
    .action((file: string | undefined, options: DoctorOptions) => doctor(shell, file, options))
}

async function doctor(shell: Shell, file: string | undefined, options: DoctorOptions): Promise<void> {
  const { terminal } = shell
  const findings: Finding[] = [nodeFinding()]
  let loaded: LoadedPlan | null = null
  try {
    loaded = loadTarget(targetOf(shell, file, options))
    const { sources, warnings } = loaded.notes
    findings.push({ check: 'configuration', state: 'ok', detail: `from ${sources.join(' and ')}` })
    for (const warning of warnings)
      findings.push({ check: 'configuration', state: 'warning', detail: issueText(warning) })
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error
    for (const issue of [...error.issues, ...error.warnings]) {
      const state = issue.severity === 'error' ? 'failed' : 'warning'
      findings.push({ check: 'configuration', state, detail: issueText(issue) })
    }
  }
  if (loaded !== null) {
    const online = options.offline !== true
    const work = Promise.all([
      portFindings(shell, loaded),
      keyFindings(loaded),
      outsideFindings(loaded, online),
    ])
    const found = await terminal.waiting('looking', work)
    const mask = maskerOf(loaded.plan)
    findings.push(...found.flat().map(finding => ({ ...finding, detail: mask(finding.detail) })))
  }
  const ok = findings.every(({ state }) => state !== 'failed')
  process.exitCode = ok ? EXIT.ok : EXIT.failed
  if (options.json === true) terminal.json({ ok, findings })
  else show(shell, findings)
}

function show({ terminal }: Shell, findings: readonly Finding[]): void {
  const marks: Readonly<Record<State, string>> = {
    ok: terminal.paint('green', 'ok'),
    warning: terminal.paint('yellow', 'warning'),
    failed: terminal.paint('red', 'failed'),
    skipped: terminal.paint('dim', 'skipped'),
  }
  terminal.table(findings.map(({ check, state, detail }) => [marks[state], check, detail]))
}

function nodeFinding(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const enough = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
  const detail = `Node ${process.versions.node}`
  return {
    check: 'runtime',
    state: enough ? 'ok' : 'failed',
    detail: enough ? detail : `${detail}; 20.19 is needed`,
  }
}

async function portFindings(shell: Shell, { plan }: LoadedPlan): Promise<Finding[]> {
  const running = runningInstances(runHome(shell.env, shell.cwd))
  const wanted = [...plan.listeners, { name: 'admin', ...plan.admin }]
  return Promise.all(
    wanted.map(async ({ name, address, port }): Promise<Finding> => {
      const check = `port ${port} (${name})`
      if (port === 0) return { check: `port (${name})`, state: 'ok', detail: 'the system will choose one' }
      const state = await portState(address, port)
      if (state === 'free') return { check, state: 'ok', detail: 'free' }
      if (state === 'forbidden') return { check, state: 'failed', detail: 'below 1024 needs a privilege' }
      if (state === 'no-address')
        return { check, state: 'failed', detail: `this machine has no address ${address}` }
      const holder = portHolder(port)
      if (running.some(({ instance }) => instance.pid === holder?.pid)) {
        return {
          check,
          state: 'ok',
          detail: `in use by a gateway that sluice up started (pid ${holder!.pid})`,
        }
      }
      return {
        check,
        state: 'failed',
        detail: holder === null ? 'taken' : `taken by ${holder.name} (pid ${holder.pid})`,
      }
    }),
  )
}

function keyFindings(loaded: LoadedPlan): Finding[] {
  const own = loaded.plan.providers.filter(provider => !provider.internal)
  return own.map(provider => keyFinding(loaded, provider))
}

function keyFinding(loaded: LoadedPlan, provider: ProviderPlan): Finding {
  const check = `credential of ${entryName(provider)}`
  const detail = credentialsOf(loaded, provider.name)
  if (provider.auth?.type === 'chatgpt') {
    const there = isLoggedIn(provider.auth.file)
    return {
      check,
      state: there ? 'ok' : 'failed',
      detail: there ? detail : 'no login; sluice chatgpt login',
    }
  }
  // Files are copied, sent and kept in histories.
  if (/\bkeys? in the file$/.test(detail)) {
    const advice = `${detail}; \`$NAME\` or \`file:PATH\` keeps it out of there`
    return { check, state: 'warning', detail: advice }
  }
  if (detail !== 'none') return { check, state: 'ok', detail }
  return { check, state: provider.keyOptional ? 'ok' : 'warning', detail: 'none' }
}

async function outsideFindings({ plan }: LoadedPlan, online: boolean): Promise<Finding[]> {
  if (!online) return [clockFinding(null), { check: 'providers', state: 'skipped', detail: 'offline' }]
  // An entry that only passes credentials on may never be used, so its host being away is no failure.
  const origins = new Map<string, boolean>()
  for (const provider of plan.providers.flatMap(atHosts)) {
    origins.set(provider.origin, (origins.get(provider.origin) ?? false) || !provider.passthroughAuth)
  }
  const rules = new ProxyRules(plan.upstream.proxies ?? null)
  const providers = [...origins].map(([origin, needed]) =>
    look(`provider ${origin}`, probeOrigin(origin, rules.proxyFor(origin)), needed),
  )
  const stores: Promise<Finding>[] = []
  for (const [redis, of] of redisStores(plan))
    stores.push(look(`Redis of ${of.join(' and ')}`, probeRedis(redis), true))
  const postgres = plan.features?.state?.connectionString?.secret
  if (postgres !== undefined) stores.push(look('PostgreSQL', probePostgres(postgres), true))
  const clock = skewSeconds(plan).then(clockFinding)
  return Promise.all([...providers, ...stores, clock])
}

/** Each address once, with what it is for. */
function redisStores({ features }: Plan): Map<string, string[]> {
  const stores = new Map<string, string[]>()
  const wanted = [
    ['sessions', features?.sessions.redisUrl],
    ['limits', features?.limitStore.redisUrl],
  ] as const
  for (const [what, url] of wanted) {
    if (url !== null && url !== undefined) stores.set(url.secret, [...(stores.get(url.secret) ?? []), what])
  }
  return stores
}

async function look(check: string, probe: Promise<Probe>, needed: boolean): Promise<Finding> {
  const { ok, detail } = await probe
  return { check, state: ok ? 'ok' : needed ? 'failed' : 'warning', detail }
}

/** Seconds this machine is ahead of the first host that says its time; null when none does. */
async function skewSeconds({ providers, upstream }: Plan): Promise<number | null> {
  const origin = providers.find(provider => provider.origin.startsWith('https:'))?.origin
  if (origin === undefined) return null
  try {
    const { headers } = await askOutside(upstream.proxies ?? null, {
      method: 'HEAD',
      url: origin,
      headers: [],
      body: null,
      waitMsMax: PROBE_MS_MAX,
    })
    const told = Date.parse(headerValue(headers, 'date') ?? '')
    return Number.isNaN(told) ? null : (Date.now() - told) / SECOND_MS
  } catch {
    // Why it cannot be reached is said where the provider is.
    return null
  }
}

function clockFinding(skewS: number | null): Finding {
  const now = new Date().toISOString()
  if (Date.now() < BUILT_AT_MS) return { check: 'clock', state: 'failed', detail: `${now} is in the past` }
  if (skewS === null) return { check: 'clock', state: 'ok', detail: `${now}; compared with nobody` }
  const off = Math.abs(skewS) > CLOCK_SKEW_S_MAX
  const words = `${Math.abs(Math.round(skewS))} s ${skewS < 0 ? 'behind' : 'ahead of'} a provider`
  return { check: 'clock', state: off ? 'failed' : 'ok', detail: off ? `${now}; ${words}` : now }
}

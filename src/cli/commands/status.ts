// `sluice status`: the detached gateways of this user, and how each listener is.

import type { Command } from 'commander'
import type { ListenerPlan, Plan } from '../../common/config/index.ts'
import { call, callable } from '../calls.ts'
import { EXIT } from '../exit.ts'
import {
  type FoundInstance,
  type Instance,
  type InstanceListener,
  runHome,
  runningInstances,
} from '../instance.ts'
import { healthOf } from '../launch.ts'
import { HASH_CHARS } from '../loading.ts'
import { fileOf } from '../meant.ts'
import type { Shell } from '../terminal.ts'

const ADMIN_MS_MAX = 2_000
const SECOND_MS = 1_000
const MINUTE_S = 60
const HOUR_S = 3_600
const DAY_S = 86_400

export function addStatus(program: Command, shell: Shell): void {
  program
    .command('status')
    .argument('[file]', 'only the gateway of this configuration file')
    .description('show the gateways that `up` started, their listeners and whether they are ready')
    .option('--path <dir>', 'folder of the file')
    .option('--json', 'print one object for scripts')
    .addHelpText(
      'after',
      '\nExit codes: 0 all are ready, 1 none runs or one is not ready.\n' +
        '\nExample:\n  $ sluice status --json',
    )
    .action((file: string | undefined, options: { path?: string; json?: boolean }) =>
      status(shell, file, options),
    )
}

async function status(
  shell: Shell,
  file: string | undefined,
  options: { path?: string; json?: boolean },
): Promise<void> {
  const { terminal } = shell
  let running = runningInstances(runHome(shell.env, shell.cwd))
  if (file !== undefined) {
    const { absolute } = fileOf(shell, file, options.path)
    running = running.filter(({ instance }) => instance.file === absolute)
  }
  const gateways = await terminal.waiting('asking', Promise.all(running.map(stateOf)))
  if (options.json === true) terminal.json({ gateways })
  else if (gateways.length === 0) terminal.line('no gateway is running')
  else for (const gateway of gateways) show(shell, gateway)
  process.exitCode = gateways.length > 0 && gateways.every(({ ready }) => ready) ? EXIT.ok : EXIT.failed
}

interface GatewayState {
  readonly source: string
  readonly file: string | null
  readonly cwd: string
  readonly folder: string
  readonly pid: number
  readonly hash: string
  readonly uptime_s: number
  readonly ready: boolean
  readonly reasons: readonly string[]
  readonly listeners: readonly {
    name: string
    type: string
    url: string
    healthy: boolean
    fault: string | null
  }[]
  readonly admin: string
}

async function stateOf({ folder, instance }: FoundInstance): Promise<GatewayState> {
  const admin = await adminState(instance)
  const health = await healthOf({ ...instance, listeners: admin.listeners })
  const { source, file, cwd, pid, startedAt } = instance
  return {
    source,
    file,
    cwd,
    folder,
    pid,
    hash: admin.hash ?? instance.hash,
    uptime_s: Math.max(0, Math.round((Date.now() - Date.parse(startedAt)) / SECOND_MS)),
    ready: admin.ready && health.every(({ healthy }) => healthy),
    reasons: admin.reasons,
    listeners: health.map(({ listener, url, healthy, fault }) => ({
      name: listener.name,
      type: listener.type,
      url,
      healthy,
      fault,
    })),
    admin: adminOrigin(instance),
  }
}

export function adminOrigin({ admin }: Instance): string {
  return `http://${callable(admin.address)}:${admin.port}`
}

interface AdminState {
  readonly ready: boolean
  readonly reasons: readonly string[]
  /** Of the plan in use, which a reload may have changed; null when it cannot be read. */
  readonly hash: string | null
  /** Of the plan in use; those it was started with when that cannot be read. */
  readonly listeners: readonly InstanceListener[]
}

async function adminState(instance: Instance): Promise<AdminState> {
  const origin = adminOrigin(instance)
  try {
    const [ready, config] = await Promise.all([
      call(`${origin}/readyz`, { waitMsMax: ADMIN_MS_MAX }),
      call(`${origin}/config`, { waitMsMax: ADMIN_MS_MAX }),
    ])
    const { reasons } = JSON.parse(ready.text) as { reasons?: unknown }
    const { hash, plan } = JSON.parse(config.text) as { hash?: unknown; plan?: Pick<Plan, 'listeners'> }
    return {
      ready: ready.status === 200,
      reasons: Array.isArray(reasons) ? reasons.map(String) : [],
      hash: typeof hash === 'string' ? hash : null,
      listeners: plan?.listeners.map(listener => inUse(listener, instance)) ?? instance.listeners,
    }
  } catch (error) {
    return {
      ready: false,
      reasons: [`the admin listener does not answer: ${(error as Error).message}`],
      hash: null,
      listeners: instance.listeners,
    }
  }
}

/** A port that the system chose stands only in the record of the start. */
function inUse({ name, type, address, port, tls }: ListenerPlan, { listeners }: Instance): InstanceListener {
  const started = listeners.find(one => one.name === name)
  return { name, type, address, port: port === 0 ? (started?.port ?? 0) : port, tls: tls !== null }
}

function show({ terminal }: Shell, gateway: GatewayState): void {
  const state = gateway.ready ? terminal.paint('green', 'ready') : terminal.paint('red', 'not ready')
  const { source, pid, hash } = gateway
  terminal.line(
    `${terminal.paint('bold', source)} ${state} (pid ${pid}, plan ${hash.slice(0, HASH_CHARS)}, up ${lasted(gateway.uptime_s)})`,
  )
  for (const reason of gateway.reasons) terminal.line(`  ${reason}`)
  terminal.table([
    ...gateway.listeners.map(({ name, type, url, healthy, fault }) => [
      `  ${name}`,
      type,
      url,
      healthy ? terminal.paint('green', 'ready') : terminal.paint('red', `not ready: ${fault}`),
    ]),
    ['  admin', 'admin', gateway.admin],
  ])
}

function lasted(secondsUp: number): string {
  if (secondsUp < MINUTE_S) return `${secondsUp} s`
  if (secondsUp < HOUR_S) return `${Math.floor(secondsUp / MINUTE_S)} min`
  if (secondsUp < DAY_S) return `${Math.floor(secondsUp / HOUR_S)} h`
  return `${Math.floor(secondsUp / DAY_S)} d`
}

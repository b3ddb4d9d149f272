// `server`, `upstream` and `admin` to numbers.

import { availableParallelism } from 'node:os'
import { durationMs, sizeBytes } from '../durations.ts'
import type { Findings } from '../issues.ts'
import type { AdminPlan, ServerPlan, UpstreamPlan } from '../plan.ts'
import type { ConfigDocument } from '../schema/document.ts'
import { Secret } from '../secret.ts'
import type { Env } from '../values.ts'
import { compileProxies } from './proxies.ts'

/** Name resolution, connect and TLS to another continent take two; ten is a host that is not there. */
const DEFAULT_CONNECT = '10s'
const ADMIN_ADDRESS = '127.0.0.1'
const ADMIN_PORT = 9_092
const SHARDS_MAX = 256

export function compileServer(server: ConfigDocument['server'], env: Env, findings: Findings): ServerPlan {
  return {
    shards: shardsFromEnv(env, findings) ?? server.shards ?? Math.max(1, availableParallelism() - 1),
    acceptor: server.acceptor,
    drainMs: durationMs(server.drain)!,
    bodyBytesMax: bytes(server.body_bytes_max),
    headerBytesMax: bytes(server.header_bytes_max),
    headersWaitMsMax: durationMs(server.headers_wait_max)!,
    bodyWaitMsMax: durationMs(server.body_wait_max)!,
    idleMsMax: durationMs(server.idle_max)!,
    replyPendingBytesMax: bytes(server.reply_pending_bytes_max),
    fetchImages: server.fetch_images,
  }
}

function bytes(value: number | string): number {
  return typeof value === 'number' ? value : sizeBytes(value)!
}

function shardsFromEnv(env: Env, findings: Findings): number | null {
  const text = env['SLUICE_SHARDS']
  if (text === undefined || text === '') return null
  const shards = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (shards >= 1 && shards <= SHARDS_MAX) return shards
  findings.errorIn('SLUICE_SHARDS', 'S04', `must be a number from 1 to ${SHARDS_MAX}`)
  return null
}

export function compileUpstream(document: ConfigDocument, env: Env, findings: Findings): UpstreamPlan {
  const { upstream, overrides } = document
  const proxies = compileProxies(env, findings)
  return {
    connectMs: durationMs(upstream.connect ?? overrides?.upstream_connect_timeout ?? DEFAULT_CONNECT)!,
    headersMs: durationMs(upstream.headers)!,
    firstByteMs: durationMs(upstream.first_byte)!,
    firstContentMs: durationMs(upstream.first_content)!,
    betweenBytesMs: durationMs(upstream.between_bytes)!,
    slowStartMs: durationMs(upstream.slow_start)!,
    connectionsMax: upstream.connections_max,
    ...(proxies === null ? {} : { proxies }),
    ...(upstream.http2 === 'never' ? {} : { http2: upstream.http2 }),
  }
}

/** The file wins over the environment, key by key. */
export function compileAdmin(admin: ConfigDocument['admin'], env: Env, findings: Findings): AdminPlan {
  const bound = bindAddress(env, findings)
  const token = admin.token ?? (env['SLUICE_ADMIN_TOKEN'] ? new Secret(env['SLUICE_ADMIN_TOKEN']) : null)
  const plan: AdminPlan = {
    address: admin.address ?? bound?.address ?? ADMIN_ADDRESS,
    port: admin.port ?? bound?.port ?? ADMIN_PORT,
    token: token?.secret === '' ? null : token,
  }
  if (isLoopback(plan.address) || plan.token !== null) return plan
  const message = `the admin listener shows the configuration and the metrics, so on ${plan.address}, which others can reach, it needs a token: set \`admin.token\` or SLUICE_ADMIN_TOKEN, or bind it to 127.0.0.1`
  if (admin.address === undefined && bound !== null) findings.errorIn('METRICS_BIND_ADDRESS', 'S05', message)
  else findings.error({ code: 'S05', path: ['admin', 'address'], message, showFound: false })
  return plan
}

function bindAddress(env: Env, findings: Findings): { address: string; port: number } | null {
  const text = env['METRICS_BIND_ADDRESS']
  if (text === undefined || text === '') return null
  const found = /^(.*):(\d{1,5})$/.exec(text)
  const port = Number(found?.[2])
  if (found === null || port > 65_535) {
    const message = `must be \`address:port\`, like ${ADMIN_ADDRESS}:${ADMIN_PORT}; that default is used`
    findings.warnIn('METRICS_BIND_ADDRESS', 'W20', message)
    return null
  }
  const address = found[1]!.replace(/^\[(.*)\]$/, '$1')
  return { address: address === '' ? '0.0.0.0' : address, port }
}

export function isLoopback(address: string): boolean {
  if (address === 'localhost' || address === '::1') return true
  return /^127(?:\.\d{1,3}){3}$/.test(address)
}

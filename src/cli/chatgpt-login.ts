// Logging in with a ChatGPT subscription by device code: the person types a code into a page, and this program is told
// when it has happened. Owns the exchange and the file it ends in; renewing is the provider module's. The file has the
// form of the Codex command line, whose public client this uses.

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ProxiesPlan } from '../common/config/index.ts'
import { GatewayError } from '../common/errors.ts'
import { sleep } from './calls.ts'
import { Failure } from './exit.ts'
import { writeWhole } from './instance.ts'
import { askOutside } from './outbound.ts'

export const ISSUER = 'https://auth.openai.com'
const CLIENT_ID = 'app_EMoamEEZ73f0CkXaXp7hrann'
const AUTH_CLAIM = 'https://api.openai.com/auth'
/** Codes are good for this long. */
const LOGIN_MS_MAX = 15 * 60_000
/** Asking more often is refused. */
const POLL_MS_MIN = 5_000
const CALL_MS_MAX = 20_000
const SECOND_MS = 1_000

/** Where the reference keeps it, so that a login there counts here. */
export function tokenFile(): string {
  return join(homedir(), '.plano', 'chatgpt', 'auth.json')
}

export function isLoggedIn(file: string): boolean {
  return existsSync(file)
}

/** Who gives logins, and how it is reached. */
export interface LoginHost {
  readonly issuer: string
  readonly proxies: ProxiesPlan | null
}

export interface DeviceCode {
  readonly page: string
  readonly code: string
  readonly deviceId: string
  readonly pollMs: number
}

export async function requestCode(host: LoginHost, pollMsMin: number = POLL_MS_MIN): Promise<DeviceCode> {
  const { status, document } = await post(host, '/api/accounts/deviceauth/usercode', {
    client_id: CLIENT_ID,
  })
  const code = document['user_code'] ?? document['usercode']
  const deviceId = document['device_auth_id']
  if (status !== 200 || typeof code !== 'string' || typeof deviceId !== 'string') {
    throw new Failure(
      `no code was given: status ${status}\nLogging in by code may be off for this account or host.`,
    )
  }
  const intervalMs = Number(document['interval'] ?? 0) * SECOND_MS
  const pollMs = Math.max(pollMsMin, Number.isFinite(intervalMs) ? intervalMs : 0)
  return { page: `${host.issuer}/codex/device`, code, deviceId, pollMs }
}

/** Waits until the person has typed the code; writes the file. Returns the account, if it is told. */
export async function finishLogin(host: LoginHost, device: DeviceCode, file: string): Promise<string | null> {
  const granted = await grantOf(host, device)
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code: String(granted['authorization_code'] ?? ''),
    redirect_uri: `${host.issuer}/deviceauth/callback`,
    client_id: CLIENT_ID,
    code_verifier: String(granted['code_verifier'] ?? ''),
  })
  const { status, document } = await post(host, '/oauth/token', form)
  const { access_token: access, refresh_token: refresh, id_token: id } = document
  if (status !== 200 || typeof access !== 'string' || typeof refresh !== 'string') {
    throw new Failure(`the login was not completed: status ${status}`)
  }
  const account = accountOf(id) ?? accountOf(access)
  const tokens = {
    access_token: access,
    refresh_token: refresh,
    ...(typeof id === 'string' ? { id_token: id } : {}),
    ...(account === null ? {} : { account_id: account }),
  }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const login = { tokens, last_refresh: new Date().toISOString() }
  writeWhole(file, `${JSON.stringify(login, null, 2)}\n`)
  return account
}

async function grantOf(
  host: LoginHost,
  { deviceId, code, pollMs }: DeviceCode,
): Promise<Record<string, unknown>> {
  const deadline = performance.now() + LOGIN_MS_MAX
  while (performance.now() < deadline) {
    const asked = { device_auth_id: deviceId, user_code: code }
    const { status, document } = await post(host, '/api/accounts/deviceauth/token', asked)
    if (status === 200) return document
    // Both mean: not yet.
    if (status !== 403 && status !== 404) throw new Failure(`the login failed: status ${status}`)
    await sleep(pollMs)
  }
  throw new Failure('nobody has typed the code within 15 minutes')
}

async function post(
  { issuer, proxies }: LoginHost,
  path: string,
  body: Readonly<Record<string, string>> | URLSearchParams,
): Promise<{ status: number; document: Record<string, unknown> }> {
  const form = body instanceof URLSearchParams
  try {
    const { status, text } = await askOutside(proxies, {
      method: 'POST',
      url: `${issuer}${path}`,
      headers: [
        'content-type',
        form ? 'application/x-www-form-urlencoded' : 'application/json',
        'accept',
        'application/json',
      ],
      body: form ? body.toString() : JSON.stringify(body),
      waitMsMax: CALL_MS_MAX,
    })
    return { status, document: parsed(text) }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    throw new Failure(error.message)
  }
}

export interface LoginState {
  /** `renewable`: the token is over, and the next call gets another. */
  readonly state: 'none' | 'valid' | 'renewable' | 'expired' | 'unreadable'
  readonly account: string | null
  /** Null: the token does not say. */
  readonly expiresAt: string | null
}

export function loginState(file: string, nowMs: number): LoginState {
  let document: Record<string, unknown>
  try {
    document = parsed(readFileSync(file, 'utf8'))
  } catch (error) {
    const none = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return { state: none ? 'none' : 'unreadable', account: null, expiresAt: null }
  }
  const inner = document['tokens']
  const tokens = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : document
  const access = tokens['access_token']
  if (typeof access !== 'string') return { state: 'unreadable', account: null, expiresAt: null }
  const endS = Number(claimsOf(access)['exp'] ?? tokens['expires_at'])
  const known = Number.isFinite(endS) && endS > 0
  const own = tokens['account_id']
  const account = typeof own === 'string' ? own : (accountOf(tokens['id_token']) ?? accountOf(access))
  const expiresAt = known ? new Date(endS * SECOND_MS).toISOString() : null
  const valid = !known || endS * SECOND_MS > nowMs
  const renewable = typeof tokens['refresh_token'] === 'string'
  return { state: valid ? 'valid' : renewable ? 'renewable' : 'expired', account, expiresAt }
}

export function logout(file: string): void {
  rmSync(file, { force: true })
}

function accountOf(token: unknown): string | null {
  if (typeof token !== 'string') return null
  const claim = claimsOf(token)[AUTH_CLAIM]
  if (typeof claim !== 'object' || claim === null) return null
  const account = (claim as Record<string, unknown>)['chatgpt_account_id']
  return typeof account === 'string' ? account : null
}

/** Claims are read for showing only; whether a token is genuine its issuer decides. */
function claimsOf(token: string): Record<string, unknown> {
  return parsed(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {}
  } catch {
    return {}
  }
}

// The login of a ChatGPT subscription, kept in a file that other programs write too. Owns renewal: the refresh token is
// good for one use only, so the file is locked while it is spent, and what was won is written before it is used.
// Refuses to log anyone in.

import { randomUUID } from 'node:crypto'
import { link, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import type { AuthPlan } from '../../common/config/plan.ts'
import type { Token } from './token-cache.ts'
import { type AuthTools, authFailure, claimsOf, oauthError, parsedObject } from './tools.ts'

type ChatgptPlan = Extract<AuthPlan, { type: 'chatgpt' }>

/** The public client of the Codex command line, whose logins these are. */
const CLIENT_ID = 'app_EMoamEEZ73f0CkXaXp7hrann'
/** A token with less than this is renewed. */
const SKEW_MS = 60_000
/** Without an expiry in it, a token counts as good for this long after it was read. */
const UNKNOWN_LIFE_MS = 10 * 60_000
/** Who dies while renewing leaves its lock; nobody renews for longer than this. */
const LOCK_MS_MAX = 30_000
/** How long another's renewal is waited for, and how often it is looked at. */
const LOCK_WAIT_MS = 100
const LOCK_WAITS_MAX = 100
const AUTH_CLAIM = 'https://api.openai.com/auth'

interface Login {
  /** The whole file, whose other members are kept. */
  readonly document: Record<string, unknown>
  /** Where the tokens stand in it: a member of their own, or the document. */
  readonly tokens: Record<string, unknown>
}

export async function chatgptToken(provider: string, auth: ChatgptPlan, tools: AuthTools): Promise<Token> {
  const login = await readLogin(provider, auth.file)
  return usable(login, tools) ?? (await renewed(provider, auth, tools))
}

async function renewed(provider: string, auth: ChatgptPlan, tools: AuthTools): Promise<Token> {
  const unlock = await lock(provider, auth.file)
  try {
    // Whoever held the lock before may have renewed it.
    const login = await readLogin(provider, auth.file)
    const found = usable(login, tools)
    if (found !== null) return found
    const refresh = login.tokens['refresh_token']
    if (typeof refresh !== 'string' || refresh === '') throw authFailure(provider, 'the login has expired')
    const reply = await tools.fetch({
      method: 'POST',
      url: auth.tokenUrl,
      headers: ['content-type', 'application/json', 'accept', 'application/json'],
      body: JSON.stringify({
        client_id: CLIENT_ID,
        grant_type: 'refresh_token',
        refresh_token: refresh,
        scope: 'openid profile email',
      }),
    })
    const won = reply.status === 200 ? parsedObject(reply.body) : null
    if (typeof won?.['access_token'] !== 'string') {
      throw authFailure(provider, `${oauthError(reply)}; log in again`)
    }
    const next = merged(login, won, tools.clock.epochMs())
    await writeLogin(auth.file, next.document)
    return tokenOf(next.tokens, tools.clock.epochMs())
  } finally {
    await unlock()
  }
}

async function readLogin(provider: string, file: string): Promise<Login> {
  let content: string
  try {
    content = await readFile(file, 'utf8')
  } catch (error) {
    throw authFailure(provider, 'there is no login; log in first', error)
  }
  const document = parsedObject(content)
  if (document === null) throw authFailure(provider, 'the file of the login is not JSON')
  const inner = document['tokens']
  const nested = typeof inner === 'object' && inner !== null && !Array.isArray(inner)
  return { document, tokens: nested ? (inner as Record<string, unknown>) : document }
}

/** The token of a login that needs no renewal, else null. */
function usable(login: Login, tools: AuthTools): Token | null {
  const token = login.tokens['access_token']
  if (typeof token !== 'string' || token === '') return null
  const nowMs = tools.clock.epochMs()
  const found = tokenOf(login.tokens, nowMs)
  return found.expiresAtMs - SKEW_MS > nowMs ? found : null
}

function tokenOf(tokens: Record<string, unknown>, nowMs: number): Token {
  const token = tokens['access_token'] as string
  const claims = claimsOf(token)
  const endS = Number(claims?.['exp'] ?? tokens['expires_at'])
  const account = accountOf(tokens, claims)
  const fields = ['authorization', `Bearer ${token}`]
  if (account !== null) fields.push('chatgpt-account-id', account)
  return { fields, expiresAtMs: Number.isFinite(endS) ? endS * 1_000 : nowMs + UNKNOWN_LIFE_MS }
}

function accountOf(tokens: Record<string, unknown>, claims: Record<string, unknown> | null): string | null {
  const own = tokens['account_id']
  if (typeof own === 'string' && own !== '') return own
  const claim = claims?.[AUTH_CLAIM]
  if (typeof claim !== 'object' || claim === null) return null
  const account = (claim as Record<string, unknown>)['chatgpt_account_id']
  return typeof account === 'string' ? account : null
}

function merged(login: Login, won: Record<string, unknown>, nowMs: number): Login {
  const tokens: Record<string, unknown> = { ...login.tokens }
  for (const name of ['access_token', 'refresh_token', 'id_token']) {
    if (typeof won[name] === 'string') tokens[name] = won[name]
  }
  const lifeS = Number(won['expires_in'])
  if ('expires_at' in tokens && Number.isFinite(lifeS))
    tokens['expires_at'] = Math.floor(nowMs / 1_000 + lifeS)
  const lastRefresh = new Date(nowMs).toISOString()
  if (login.tokens === login.document) return { document: { ...tokens, last_refresh: lastRefresh }, tokens }
  return { document: { ...login.document, tokens, last_refresh: lastRefresh }, tokens }
}

/**
 * In one step, so that no reader sees half a login; for the owner only; where a link points to, so that it stays one.
 * On the disk before it takes the old one's place: what the old one could renew itself with has been spent.
 */
async function writeLogin(file: string, document: Record<string, unknown>): Promise<void> {
  const place = await realpath(file)
  const draft = `${place}.${process.pid}.new`
  const written = await open(draft, 'w', 0o600)
  try {
    await written.chmod(0o600)
    await written.writeFile(`${JSON.stringify(document, null, 2)}\n`)
    await written.sync()
  } finally {
    await written.close()
  }
  await rename(draft, place)
}

async function lock(provider: string, file: string): Promise<() => Promise<void>> {
  const path = `${file}.lock`
  for (let wait = 0; wait < LOCK_WAITS_MAX; wait++) {
    try {
      await (await open(path, 'wx', 0o600)).close()
      return () => rm(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw authFailure(provider, 'its login cannot be written', error)
      }
    }
    const since = await stat(path).catch(() => null)
    if (since !== null && isLeft(since)) await breakLock(path)
    else await new Promise(resolve => setTimeout(resolve, LOCK_WAIT_MS))
  }
  throw authFailure(provider, 'another program is renewing its login and does not end')
}

function isLeft({ mtimeMs }: { readonly mtimeMs: number }): boolean {
  return Date.now() - mtimeMs > LOCK_MS_MAX
}

/** Of several that find it left behind one breaks it; who takes away a fresh one by mistake puts it back. */
async function breakLock(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
    if (!isLeft(await stat(aside))) await link(aside, path)
  } catch {
    // Somebody else was faster.
  }
  await rm(aside, { force: true })
}

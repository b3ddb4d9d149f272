// The login of a subscription: read from its file, renewed once whoever asks, written back whole and for its owner only.

import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Authorizer } from '../../../src/providers/index.ts'
import { provider } from '../../gateway/harness.ts'
import { refusing, TokenEndpoint, TurnedClock } from './tools.ts'

const CALL = { origin: 'https://h', method: 'POST', path: '/', headers: [], body: null }

let folder: string
let file: string
let clock: TurnedClock
let endpoint: TokenEndpoint

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-login-'))
  file = join(folder, 'auth.json')
  clock = new TurnedClock()
  endpoint = new TokenEndpoint()
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function jwt(name: string, lifeS: number, claims: Readonly<Record<string, unknown>> = {}): string {
  const payload = { name, exp: clock.nowMs / 1_000 + lifeS, ...claims }
  return `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`
}

function plan() {
  const auth = { type: 'chatgpt', file, tokenUrl: 'https://auth.example/oauth/token' } as const
  return provider('chatgpt/gpt-5', 'https://chatgpt.example', { provider: 'chatgpt', auth })
}

function shard(): () => Promise<readonly string[] | null> {
  const authorizer = new Authorizer({ clock, fetch: endpoint.fetch, env: {} })
  return async () => authorizer.authorize(plan(), 'openai-responses', CALL, null)
}

function write(
  tokens: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): void {
  writeFileSync(file, JSON.stringify({ OPENAI_API_KEY: null, tokens, ...more }))
}

test('a login that is good is shown with its account', async () => {
  const token = jwt('a', 3_600)
  write({ access_token: token, refresh_token: 'r-1', account_id: 'acc-1' })
  expect(await shard()()).toEqual(['authorization', `Bearer ${token}`, 'chatgpt-account-id', 'acc-1'])
  expect(endpoint.asked).toHaveLength(0)
})

test('the account may stand in the token, and the tokens at the top of the file', async () => {
  const token = jwt('a', 3_600, { 'https://api.openai.com/auth': { chatgpt_account_id: 'acc-2' } })
  writeFileSync(file, JSON.stringify({ access_token: token, refresh_token: 'r-1' }))
  expect(await shard()()).toEqual(['authorization', `Bearer ${token}`, 'chatgpt-account-id', 'acc-2'])
})

test('a login that has ended is renewed once for all shards, and written back', async () => {
  write(
    { access_token: jwt('old', -10), refresh_token: 'r-1', id_token: 'i-1', account_id: 'acc-1' },
    { kept: 7 },
  )
  const fresh = jwt('new', 3_600)
  endpoint.answer = async () => {
    await new Promise(resolve => setTimeout(resolve, 20))
    return { status: 200, headers: [], body: JSON.stringify({ access_token: fresh, refresh_token: 'r-2' }) }
  }
  const all = await Promise.all(Array.from({ length: 6 }, () => shard()()))
  expect(new Set(all.map(fields => fields![1]))).toEqual(new Set([`Bearer ${fresh}`]))
  expect(endpoint.asked).toHaveLength(1)
  expect(JSON.parse(endpoint.asked[0]!.body!)).toMatchObject({
    grant_type: 'refresh_token',
    refresh_token: 'r-1',
  })
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    OPENAI_API_KEY: null,
    kept: 7,
    last_refresh: new Date(clock.nowMs).toISOString(),
    tokens: { access_token: fresh, refresh_token: 'r-2', id_token: 'i-1', account_id: 'acc-1' },
  })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['auth.json'])
})

test('a login behind a link is written where it lies, and the link stays', async () => {
  const place = join(folder, 'elsewhere.json')
  writeFileSync(place, JSON.stringify({ tokens: { access_token: jwt('old', -10), refresh_token: 'r-1' } }), {
    mode: 0o644,
  })
  symlinkSync(place, file)
  const fresh = jwt('new', 3_600)
  endpoint.answer = refusing(200, { access_token: fresh, refresh_token: 'r-2' })
  expect((await shard()())![1]).toBe(`Bearer ${fresh}`)
  expect(lstatSync(file).isSymbolicLink()).toBe(true)
  expect(JSON.parse(readFileSync(place, 'utf8')).tokens).toMatchObject({ refresh_token: 'r-2' })
  expect(statSync(place).mode & 0o777).toBe(0o600)
})

test('a lock that somebody left behind is broken', async () => {
  write({ access_token: jwt('old', -10), refresh_token: 'r-1' })
  writeFileSync(`${file}.lock`, '')
  const long = (Date.now() - 60_000) / 1_000
  utimesSync(`${file}.lock`, long, long)
  const fresh = jwt('new', 3_600)
  endpoint.answer = refusing(200, { access_token: fresh })
  expect((await shard()())![1]).toBe(`Bearer ${fresh}`)
  expect(existsSync(`${file}.lock`)).toBe(false)
})

test('a lock that somebody left behind is broken by one of many, and the login renewed once', async () => {
  write({ access_token: jwt('old', -10), refresh_token: 'r-1' })
  writeFileSync(`${file}.lock`, '')
  const long = (Date.now() - 60_000) / 1_000
  utimesSync(`${file}.lock`, long, long)
  const fresh = jwt('new', 3_600)
  endpoint.answer = async () => {
    await new Promise(resolve => setTimeout(resolve, 50))
    return { status: 200, headers: [], body: JSON.stringify({ access_token: fresh }) }
  }
  const all = await Promise.all(Array.from({ length: 20 }, () => shard()()))
  expect(new Set(all.map(fields => fields![1]))).toEqual(new Set([`Bearer ${fresh}`]))
  expect(endpoint.asked).toHaveLength(1)
  expect(readdirSync(folder)).toEqual(['auth.json'])
})

test.each([
  ['there is none', null, 'there is no login; log in first'],
  ['it is not JSON', 'nonsense', 'not JSON'],
  ['it cannot be renewed', { access_token: 'x.e30.y', expires_at: 1 }, 'the login has expired'],
])('when %s, the caller is told', async (_what, content, message) => {
  if (content !== null) writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  await expect(shard()()).rejects.toMatchObject({
    kind: 'no-credential',
    message: expect.stringContaining(message),
  })
})

test('a refusal to renew names its code, keeps the file and holds no token', async () => {
  write({ access_token: jwt('old', -10), refresh_token: 'refresh-secret' })
  const before = readFileSync(file, 'utf8')
  endpoint.answer = refusing(401, { error: 'refresh_token_reused', error_description: 'refresh-secret' })
  const thrown = await shard()().then(
    () => null,
    (error: Error) => error,
  )
  expect(thrown!.message).toMatch(/answered 401 \(refresh_token_reused\); log in again$/)
  expect(String(thrown!.stack)).not.toContain('refresh-secret')
  expect(readFileSync(file, 'utf8')).toBe(before)
  expect(existsSync(`${file}.lock`)).toBe(false)
})

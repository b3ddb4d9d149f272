// Credentials on their way through the gateway: obtained over its own sockets, shown upstream, renewed after a refusal,
// and never a reason for a client to notice when another provider can take over.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuthPlan, ProviderPlan } from '../../src/common/config/index.ts'
import { Bench, chat, provider } from '../gateway/harness.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { strict } from '../support/fake-upstream/personalities/index.ts'
import { planOf } from './hosts.ts'

const CHAT = '/v1/chat/completions'
const SECRET = 'entra-secret-1'

let upstream: FakeUpstream
let issuer: FakeUpstream
let bench: Bench

beforeEach(async () => {
  upstream = await startFakeUpstream()
  issuer = await startFakeUpstream()
})

afterEach(async () => {
  await bench.close()
  await upstream.close()
  await issuer.close()
})

function azure(more: Partial<ProviderPlan> = {}): ProviderPlan {
  const auth: AuthPlan = {
    type: 'entra',
    tenantId: 't',
    clientId: 'c',
    clientSecret: { secret: SECRET },
    federatedTokenFile: null,
    scope: 's',
    authority: issuer.origin,
  }
  return provider('azure_openai/gpt-4o', upstream.origin, { provider: 'azure_openai', auth, ...more })
}

function issue(body: unknown, status = 200): void {
  issuer.always({ status, headers: ['content-type', 'application/json'], body: JSON.stringify(body) })
}

describe('a token', () => {
  test('is obtained over the gateway’s own sockets and shown upstream, once for many calls', async () => {
    bench = new Bench({ providers: [azure()] })
    issue({ access_token: 'token-1', expires_in: 3600 })
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => bench.call(CHAT, chat('azure_openai/gpt-4o', { stream: true }))),
    )
    expect(bench.bugs).toEqual([])
    expect(replies.map(reply => reply.status)).toEqual(Array(20).fill(200))
    expect(issuer.requests).toHaveLength(1)
    expect(issuer.requests[0]!.path).toBe('/t/oauth2/v2.0/token')
    expect(new Set(upstream.requests.map(request => request.header('authorization')))).toEqual(
      new Set(['Bearer token-1']),
    )
  })

  test.each([
    [
      'refuses',
      () => issue({ error: 'invalid_client', error_description: SECRET }, 401),
      /answered 401 \(invalid_client\)/,
    ],
    ['sends a page', () => issuer.always({ body: `<html>${SECRET}` }), /cannot be authorised/],
    ['sends without end', () => issuer.always({ body: 'x'.repeat(100_000) }), /could not be obtained/],
    ['resets', () => issuer.behave({ resetBeforeHeaders: true }), /could not be obtained/],
  ])('whose issuer %s is the operator’s to mend: status 502, no secret', async (_what, break_, message) => {
    bench = new Bench({ providers: [azure()] })
    break_()
    const reply = await bench.call(CHAT, chat('azure_openai/gpt-4o'))
    expect(reply.status).toBe(502)
    expect(reply.text).toMatch(message)
    expect(reply.text + JSON.stringify(bench.records)).not.toContain(SECRET)
    expect(upstream.requests).toHaveLength(0)
    expect(bench.bugs).toEqual([])
  })

  test('that cannot be had is no reason to fail while another provider can answer', async () => {
    const other = await startFakeUpstream()
    bench = new Bench({
      providers: [
        azure({ fallbacks: ['openai/gpt-4o-mini'] }),
        provider('openai/gpt-4o-mini', other.origin, { accessKeys: [{ secret: 'k-2', weight: 1 }] }),
      ],
    })
    issue({}, 503)
    const reply = await bench.call(CHAT, chat('azure_openai/gpt-4o'))
    expect(reply.status).toBe(200)
    expect(other.requests[0]!.header('authorization')).toBe('Bearer k-2')
    expect(bench.records[0]).toMatchObject({ outcome: 'ok', provider: 'openai/gpt-4o-mini' })
    await other.close()
  })
})

describe('a login', () => {
  test('of ChatGPT makes the calls that its host wants', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-login-'))
    const file = join(folder, 'auth.json')
    writeFileSync(file, JSON.stringify({ tokens: { access_token: 'login-1', account_id: 'acc-1' } }))
    const plan = planOf({ model: 'chatgpt/gpt-5', name: 'm', auth: { type: 'chatgpt', file } })
    expect(plan.passthroughAuth).toBe(false)
    bench = new Bench({ providers: [{ ...plan, origin: upstream.origin }] })
    upstream.always(strict('chatgpt', { key: 'login-1', secrets: [] }))
    const reply = await bench.call(CHAT, chat('m'))
    expect(reply.text).toContain('five')
    expect(upstream.requests[0]!.header('chatgpt-account-id')).toBe('acc-1')
    rmSync(folder, { recursive: true, force: true })
  })
})

describe('a key in a file', () => {
  test('is shown as it stands there now, without a reload', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-key-'))
    const file = join(folder, 'key')
    writeFileSync(file, 'key-1')
    const plan = planOf({
      model: 'azure_openai/gpt-4o',
      name: 'm',
      access_key: `file:${file}`,
      base_url: 'http://h',
    })
    bench = new Bench({ providers: [{ ...plan, origin: upstream.origin }] })
    writeFileSync(file, 'key-2')
    await bench.call(CHAT, chat('m'))
    expect(upstream.requests[0]!.header('api-key')).toBe('key-2')
    rmSync(folder, { recursive: true, force: true })
  })
})

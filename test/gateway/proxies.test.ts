// Calls to models and to token endpoints through a proxy, as the engine makes them: what a client sees when the proxy
// fails, and that a new plan's proxies are used.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { tokenFetch } from '../../src/gateway/token-fetch.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { startProxy, type TestProxy } from '../support/proxy.ts'
import { Bench, chat, provider } from './harness.ts'

const FOLDER = join(import.meta.dirname, '../fixtures/tls')
const file = (name: string): string => readFileSync(join(FOLDER, name), 'utf8')
const CHAT = '/v1/chat/completions'

let proxy: TestProxy
let secure: FakeUpstream
let plain: FakeUpstream
let bench: Bench

beforeEach(async () => {
  proxy = await startProxy({ credentials: 'ali:sesame' })
  secure = await startFakeUpstream({ tls: { key: file('other.key'), cert: file('other.pem') } })
  plain = await startFakeUpstream()
  const plan = proxy.plan('ali:sesame')
  bench = new Bench({
    providers: [
      provider('openai/gpt-4o', `https://other.test:${secure.port}`, {
        fallbacks: ['openai/local'],
        accessKeys: [{ secret: 'sk-one', weight: 1 }],
      }),
      provider('openai/local', plain.origin),
    ],
    client: { ca: file('authority.pem'), proxies: { http: plan, https: plan, except: [] } },
  })
})

afterEach(async () => {
  await bench.close()
  await Promise.all([proxy.close(), secure.close(), plain.close()])
})

test('a call goes through the proxy, whole and streamed, and what is on this machine does not', async () => {
  for (const more of [{}, { stream: true }]) {
    const reply = await bench.call(CHAT, chat('openai/gpt-4o', more))
    expect(reply).toMatchObject({ status: 200, ending: 'end' })
    expect((await bench.call(CHAT, chat('openai/local', more))).status).toBe(200)
  }
  expect(secure.requests[0]!.headers.join('\n')).toContain('Bearer sk-one')
  expect(secure.requests[0]!.headers.join('\n')).not.toMatch(/proxy-/)
  expect(plain.requests[0]!.headers.join('\n')).not.toMatch(/proxy-|Basic/)
  expect(proxy.asked.map(({ method }) => method)).toEqual(['CONNECT'])
})

test.each([
  ['refuses', { kind: 'refuse', status: 502 }],
  ['wants other credentials', { kind: 'refuse', status: 407 }],
  ['hangs up', { kind: 'reset' }],
  ['speaks no HTTP', { kind: 'write', text: 'what?\r\n\r\n' }],
] as const)(
  'a proxy that %s is a failed attempt: the fallback answers, and the breaker opens',
  async (_how, mood) => {
    proxy.mood = mood
    for (let call = 0; call < 12; call += 1) {
      expect((await bench.call(CHAT, chat('openai/gpt-4o'))).status).toBe(200)
    }
    expect(bench.records[0]).toMatchObject({ attempts: 2, provider: 'openai/local' })
    // Ten failures open the breaker; then nobody knocks any more.
    expect(bench.records.at(-1)).toMatchObject({ attempts: 1, provider: 'openai/local' })
    expect(proxy.asked).toHaveLength(10)
    expect(secure.requestsEver).toBe(0)
  },
)

test('without a fallback the client is told in words, and never a credential', async () => {
  await plain.close()
  proxy.mood = { kind: 'refuse', status: 407 }
  const reply = await bench.call(CHAT, chat('openai/gpt-4o'))
  expect(reply.status).toBe(502)
  expect(reply.text).not.toMatch(/sesame|YWxp/)
  plain = await startFakeUpstream()
})

test('a token is fetched through the proxy as well', async () => {
  secure.script({ body: '{"access_token":"t"}' })
  const reply = await tokenFetch(bench.services.upstream)({
    method: 'POST',
    url: `https://other.test:${secure.port}/oauth/token`,
    headers: [],
    body: 'grant_type=x',
  })
  expect(reply.status).toBe(200)
  expect(proxy.asked).toMatchObject([{ method: 'CONNECT', target: `other.test:${secure.port}` }])
})

// Calls over HTTP/2 as the engine makes them, and what of a plan makes which client.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadPlan } from '../../src/common/config/index.ts'
import { callersPlan, rewrapSecrets } from '../../src/common/config/secret.ts'
import { clientOptions } from '../../src/gateway/compose.ts'
import { type FakeUpstream, startFakeUpstream, until } from '../support/fake-upstream/index.ts'
import { type Http2Bridge, startBridge } from '../support/http2-bridge.ts'
import { Bench, chat, provider } from './harness.ts'

const FOLDER = join(import.meta.dirname, '../fixtures/tls')
const file = (name: string): string => readFileSync(join(FOLDER, name), 'utf8')
const CHAT = '/v1/chat/completions'

describe('over HTTP/2', () => {
  let upstream: FakeUpstream
  let second: FakeUpstream
  let bridge: Http2Bridge
  let bench: Bench
  beforeEach(async () => {
    upstream = await startFakeUpstream()
    second = await startFakeUpstream()
    bridge = await startBridge({
      key: file('localhost.key'),
      cert: file('localhost.pem'),
      port: upstream.port,
    })
    bench = new Bench({
      providers: [
        provider('openai/gpt-4o', bridge.origin, { fallbacks: ['openai/local'] }),
        provider('openai/local', second.origin),
      ],
      client: { ca: file('authority.pem'), kind: 'negotiated' },
    })
  })
  afterEach(async () => {
    await bench.close()
    await bridge.close()
    await Promise.all([upstream.close(), second.close()])
  })

  test('calls at once share a connection, whole and streamed, and one that leaves takes nobody along', async () => {
    const calls = Array.from({ length: 20 }, (_, at) =>
      bench.call(CHAT, chat('openai/gpt-4o', { stream: at % 2 === 0 })),
    )
    const leaver = bench.send(CHAT, chat('openai/gpt-4o', { stream: true }), ['x-fake', 'hangBeforeHeaders'])
    leaver.sink.gone()
    for (const reply of await Promise.all(calls)) expect(reply).toMatchObject({ status: 200, ending: 'end' })
    expect(bridge.socketsEver).toBe(1)
    await until('all are settled', () => bench.records.length === 21)
    expect(bench.services.upstream.pools()[0]).toMatchObject({ busy: 0, queued: 0 })
  })

  test('an upstream that cuts its session before content is replaced by the fallback, and told of after content', async () => {
    upstream.behave({ hangBeforeHeaders: true })
    const early = bench.call(CHAT, chat('openai/gpt-4o', { stream: true }))
    await until('it is asked', () => upstream.requestsEver === 1)
    bridge.cut()
    expect(await early).toMatchObject({ status: 200, ending: 'end' })
    expect(second.requestsEver).toBe(1)
    upstream.behave({ hangAfterFrames: 4 })
    const late = bench.send(CHAT, chat('openai/gpt-4o', { stream: true }))
    await until('it streams', () => late.reply.text.includes('content'))
    bridge.cut()
    const told = await late.reply.done
    expect(told.text).toContain('"error"')
    expect(told.text).not.toContain('[DONE]')
    expect(second.requestsEver).toBe(1)
  })
})

describe('a plan', () => {
  const env = { OPENAI_API_KEY: 'sk-one', https_proxy: 'http://ali:sesame@proxy.corp:3128' }
  const planOf = (more: object = {}) => {
    const { plan } = loadPlan({ file: null, cwd: '/', env: { ...env, ...more } })
    return plan
  }

  test('says whether HTTP/2 is asked for, and which proxies are used', () => {
    const plan = planOf()
    expect(clientOptions(plan)).toMatchObject({
      kind: 'http1',
      proxies: { https: { host: 'proxy.corp' }, http: null },
    })
    const wanted = { ...plan, upstream: { ...plan.upstream, http2: 'auto' as const } }
    expect(clientOptions(wanted)).toMatchObject({ kind: 'negotiated' })
    expect(clientOptions(planOf({ https_proxy: '' })).proxies).toBeNull()
  })

  test('reaches the threads that call with the credentials of its proxy', () => {
    const received = rewrapSecrets(structuredClone(callersPlan(planOf())))
    expect(clientOptions(received).proxies?.https?.credentials?.secret).toBe('ali:sesame')
  })

  test('is not named by the password of its proxy, and yet another one is another client', () => {
    const [one, other] = [planOf(), planOf({ https_proxy: 'http://ali:other1@proxy.corp:3128' })]
    expect(one.hash).toBe(other.hash)
    expect(clientOptions(one)).not.toEqual(clientOptions(other))
    expect(planOf({ https_proxy: 'http://proxy.corp:1' }).hash).not.toBe(one.hash)
  })
})

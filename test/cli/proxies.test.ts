// Commands go the way the gateway goes: probes and small questions through the proxy of the environment.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { probeOrigin } from '../../src/cli/probes.ts'
import { askOutside } from '../../src/cli/outbound.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream/index.ts'
import { startProxy, type TestProxy } from '../support/proxy.ts'

let proxy: TestProxy
let upstream: FakeUpstream

beforeEach(async () => {
  proxy = await startProxy({ credentials: 'ali:sesame' })
  upstream = await startFakeUpstream()
})

afterEach(async () => {
  await Promise.all([proxy.close(), upstream.close()])
})

test('a probe says which proxy it went through, and what the proxy said, without the password', async () => {
  const plan = proxy.plan('ali:sesame')
  const via = `through http://***@127.0.0.1:${proxy.port}, `
  const http = await probeOrigin('http://models.test:8000', plan)
  expect(http.ok).toBe(true)
  expect(http.detail).toMatch(/^through http:\/\/\*\*\*@127\.0\.0\.1:\d+, connected to the proxy, \d+ ms$/)
  const strange = await probeOrigin(`https://models.test:${upstream.port}`, plan)
  expect(strange.ok).toBe(false)
  expect(strange.detail.startsWith(`${via}TLS: `)).toBe(true)
  proxy.mood = { kind: 'refuse', status: 502 }
  expect((await probeOrigin('https://models.test', plan)).detail).toBe(`${via}the proxy answered 502`)
  const wrong = await probeOrigin('https://models.test', proxy.plan('ali:other'))
  expect(wrong.detail).toBe(`${via}the proxy answered 407: it wants other credentials`)
  proxy.mood = { kind: 'close' }
  const closed = await probeOrigin('https://models.test', plan)
  expect(closed.detail).toBe(`${via}the proxy closed the connection before it answered`)
  const nobody = await probeOrigin('https://models.test', { ...plan, port: 1 })
  expect(nobody.detail).toBe('through http://***@127.0.0.1:1, the proxy: nothing listens there')
})

test('a question goes through the proxy, and its answer is bounded', async () => {
  const plan = proxy.plan('ali:sesame')
  const proxies = { http: plan, https: plan, except: [] }
  const ask = { method: 'POST', headers: [], body: '{}', waitMsMax: 5_000 } as const
  const url = `http://models.test:${upstream.port}/token`
  upstream.script({ status: 201, body: 'ok' })
  expect(await askOutside(proxies, { ...ask, url })).toMatchObject({ status: 201, text: 'ok' })
  expect(proxy.asked).toMatchObject([{ method: 'POST', target: url }])
  upstream.script({ body: 'x'.repeat(300_000) })
  await expect(askOutside(proxies, { ...ask, url })).rejects.toThrow('the reply is too large')
  upstream.behave({ hangBeforeHeaders: true })
  await expect(askOutside(proxies, { ...ask, url, waitMsMax: 100 })).rejects.toThrow('within 100 ms')
})

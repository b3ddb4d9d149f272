// Calls through proxies: tunnels for https, absolute form for http, and proxies that misbehave.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import tls from 'node:tls'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MASK } from '../../src/common/config/secret.ts'
import { Target } from '../../src/upstream/connect.ts'
import { type FakeUpstream, startFakeUpstream, until } from '../support/fake-upstream/index.ts'
import { type ProxyMood, type ProxyOptions, startProxy, type TestProxy } from '../support/proxy.ts'
import { chat, PATIENT, run, STREAM, send } from './collect.ts'
import { Bench, type Kind } from './contract/bench.ts'

const FOLDER = join(import.meta.dirname, '../fixtures/tls')
const file = (name: string): string => readFileSync(join(FOLDER, name), 'utf8')
const ca = file('authority.pem')
const OTHER = { key: file('other.key'), cert: file('other.pem') }
const LOCALHOST = { key: file('localhost.key'), cert: file('localhost.pem') }

const SESAME = 'ali:open sesame'
const SESAME_FIELD = `Basic ${Buffer.from(SESAME).toString('base64')}`

export function proxySuite(kind: Kind): void {
  const bench = new Bench(kind, false)
  const proxies: TestProxy[] = []
  let secure: FakeUpstream
  let tunnelled: string
  let plain: string
  beforeEach(async () => {
    await bench.start()
    secure = await startFakeUpstream({ tls: OTHER })
    tunnelled = `https://other.test:${secure.port}`
    plain = `http://models.test:${bench.upstream.port}`
  })
  afterEach(async () => {
    await bench.stop()
    await secure.close()
    await Promise.all(proxies.splice(0).map(proxy => proxy.close()))
  })

  async function proxyWith(
    options: ProxyOptions = {},
    mood: ProxyMood = { kind: 'open' },
  ): Promise<TestProxy> {
    const proxy = await startProxy(options)
    proxy.mood = mood
    proxies.push(proxy)
    return proxy
  }

  function through(proxy: TestProxy, credentials: string | null = null, except: string[] = []) {
    const plan = proxy.plan(credentials)
    return bench.open({ ca, proxies: { http: plan, https: plan, except } })
  }

  describe.each([
    ['an http proxy', {}],
    ['an https proxy', { tls: LOCALHOST }],
  ])('through %s', (_what, options: ProxyOptions) => {
    test('an https upstream is called in a tunnel, verified by its own name, over a kept connection', async () => {
      const proxy = await proxyWith(options)
      const client = through(proxy)
      for (const body of [undefined, STREAM, undefined]) {
        const reply = await run(client, chat(tunnelled, '', body))
        expect(reply.outcome).toBe('200 ended')
        expect(reply.text).toContain('echo: ')
      }
      expect(proxy.asked).toMatchObject([{ method: 'CONNECT', target: `other.test:${secure.port}` }])
      expect(secure.socketsEver).toBe(1)
      expect(secure.requests[0]!.headers).not.toContain('proxy-authorization')
    })

    test('an http upstream is called in absolute form, over a kept connection', async () => {
      const proxy = await proxyWith({ ...options, credentials: SESAME })
      const client = through(proxy, SESAME)
      for (const body of [undefined, STREAM, undefined]) {
        expect((await run(client, chat(plain, '', body))).outcome).toBe('200 ended')
      }
      expect(new Set(proxy.asked.map(({ method, target }) => `${method} ${target}`))).toEqual(
        new Set([`POST ${plain}/v1/chat/completions`]),
      )
      expect(proxy.asked[0]!.headers.host).toBe(plain.slice('http://'.length))
      expect(client.pools()[0]).toMatchObject({ origin: plain, opened: 1, idle: 1 })
      expect(bench.upstream.requests[0]!.headers).not.toContain('proxy-authorization')
    })

    test('large bodies pass whole in both directions, and pause holds', async () => {
      const proxy = await proxyWith(options)
      const client = through(proxy)
      const words = 'word '.repeat(200_000)
      const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: words }] })
      const reply = await run(client, chat(tunnelled, '', body))
      expect(reply.outcome).toBe('200 ended')
      expect(JSON.parse(reply.text).choices[0].message.content).toBe(`echo: ${words}`)
      const paused = send(client, chat(tunnelled, 'neverEnding;frames=50;frameBytes=2000', STREAM), call => {
        call.keepsBytes = false
        call.onData = () => call.call!.pause()
      })
      await until('the upstream is stalled', () => secure.requests[1]?.stalled === true)
      // Between us and the upstream are the buffers of the proxy.
      const bytesSent = await restingAt(() => secure.requests[1]!.bytesSent)
      paused.onData = null
      paused.call!.resume()
      await until('it flows again', () => secure.requests[1]!.bytesSent > bytesSent + 4_000_000)
      paused.abort()
      await until('the upstream saw it', () => secure.requests[1]!.aborted)
      await until('the proxy too', () => proxy.sockets.size === 0)
    })

    test('credentials are shown to the proxy alone', async () => {
      const proxy = await proxyWith({ ...options, credentials: SESAME })
      expect((await run(through(proxy, SESAME), chat(tunnelled))).outcome).toBe('200 ended')
      expect(proxy.asked[0]!.headers['proxy-authorization']).toBe(SESAME_FIELD)
      expect(secure.requests[0]!.headers.join(' ')).not.toMatch(/proxy|Basic/)
    })
  })

  test('the caller cannot bring credentials for the proxy', async () => {
    const proxy = await proxyWith()
    const request = chat(plain)
    await run(through(proxy), {
      ...request,
      headers: [...request.headers, 'proxy-authorization', 'Basic eA=='],
    })
    expect(proxy.asked[0]!.headers['proxy-authorization']).toBeUndefined()
  })

  test('this machine and what is excepted are called directly', async () => {
    const proxy = await proxyWith({}, { kind: 'refuse', status: 503 })
    expect((await run(through(proxy), chat(bench.upstream.origin))).outcome).toBe('200 ended')
    const lookup = ((_name: string, { all }: { all?: boolean }, done: (...found: unknown[]) => void) =>
      all === true ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)) as never
    const client = bench.open({ ca, lookup, proxies: { http: null, https: proxy.plan(), except: ['.test'] } })
    expect((await run(client, chat(tunnelled))).outcome).toBe('200 ended')
    expect((await run(client, chat(plain))).outcome).toBe('200 ended')
    expect(proxy.asked).toEqual([])
  })

  test('a certificate for another name is refused inside the tunnel too', async () => {
    const proxy = await proxyWith()
    const reply = await run(through(proxy), chat(`https://models.test:${secure.port}`))
    expect(reply.error?.kind).toBe('upstream-connect')
    expect(reply.error?.message).toMatch(
      /^cannot connect to models\.test:\d+ through the proxy 127\.0\.0\.1:\d+: ERR_TLS_CERT_ALTNAME_INVALID: .*other\.test/,
    )
    expect(secure.requestsEver).toBe(0)
  })

  test('the certificate of an https proxy is verified as well', async () => {
    const proxy = await proxyWith({ tls: OTHER })
    const reply = await run(through(proxy), chat(tunnelled))
    expect(reply.error?.message).toContain('the proxy cannot be connected to: ERR_TLS_CERT_ALTNAME_INVALID')
    expect(proxy.asked).toEqual([])
  })

  const CONNECT_FAULTS: readonly (readonly [string, ProxyMood, string])[] = [
    ['wants credentials', { kind: 'refuse', status: 407 }, 'answered 407: it wants credentials'],
    ['answers 502', { kind: 'refuse', status: 502 }, 'answered 502'],
    ['answers 403', { kind: 'refuse', status: 403 }, 'answered 403'],
    ['redirects', { kind: 'write', text: 'HTTP/1.1 302 Go\r\nlocation: /\r\n\r\n' }, 'answered 302'],
    ['closes', { kind: 'close' }, 'closed the connection before it answered'],
    ['resets', { kind: 'reset' }, 'cannot be connected to: ECONNRESET'],
    [
      'answers in another language',
      { kind: 'write', text: 'SSH-2.0-x\r\n' },
      'gave an answer that is not HTTP',
    ],
    [
      'answers with an odd head',
      { kind: 'write', text: 'HTTP/1.1 200 OK\r\nno colon\r\n\r\n' },
      'gave an answer that is not sound HTTP',
    ],
    [
      'has no end of fields',
      { kind: 'write', text: `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}` },
      'gave an answer with more than 16384 bytes of fields',
    ],
    [
      'has no end of interim answers',
      { kind: 'write', text: 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000) },
      'gave an answer with more than 16384 bytes of fields',
    ],
    [
      'speaks behind its answer',
      { kind: 'write', text: 'HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\nforged' },
      'sent bytes behind its answer',
    ],
  ]
  test.each(CONNECT_FAULTS)('a proxy that %s is a failed connect, in words', async (_how, mood, words) => {
    const proxy = await proxyWith({}, mood)
    const client = through(proxy)
    const reply = await run(client, chat(tunnelled))
    expect(reply.outcome).toBe('upstream-connect')
    expect(reply.error?.message).toBe(
      `cannot connect to other.test:${secure.port} through the proxy 127.0.0.1:${proxy.port}: the proxy ${words}`,
    )
    expect(client.pools()[0]).toMatchObject({ connecting: 0, busy: 0, idle: 0, queued: 0 })
    await until('no socket is left', () => proxy.sockets.size === 0)
    proxy.mood = { kind: 'open' }
    expect((await run(client, chat(tunnelled))).outcome).toBe('200 ended')
  })

  test('a proxy that answers piece by piece, with an interim answer and a length, opens its tunnel', async () => {
    const proxy = await proxyWith({}, { kind: 'write', text: 'HTTP/1.1 102 Wait\r\n\r\n', thenOpen: true })
    expect((await run(through(proxy), chat(tunnelled))).outcome).toBe('200 ended')
  })

  test('a proxy that does not answer is over with the connect deadline, and its socket is closed', async () => {
    const proxy = await proxyWith({}, { kind: 'hang' })
    const reply = await run(through(proxy), {
      ...chat(tunnelled),
      deadlines: { ...PATIENT, connectMs: 100 },
    })
    expect(reply.error?.kind).toBe('upstream-timeout')
    expect(reply.error?.message).toMatch(
      /through the proxy 127\.0\.0\.1:\d+ gave no connection within 100 ms/,
    )
    await until('its socket is closed', () => proxy.sockets.size === 0)
  })

  test('a caller that leaves during CONNECT or inside the tunnel takes its socket along', async () => {
    const proxy = await proxyWith({}, { kind: 'hang' })
    const client = through(proxy)
    const early = send(client, chat(tunnelled))
    await until('the proxy is asked', () => proxy.asked.length === 1)
    early.abort()
    await until('its socket is closed', () => proxy.sockets.size === 0)
    proxy.mood = { kind: 'open' }
    const late = send(client, chat(tunnelled, 'hangBeforeHeaders'))
    await until('the upstream is asked', () => secure.requestsEver === 1)
    late.abort()
    await until('the upstream saw it', () => secure.requests[0]!.aborted)
    expect([...early.breaches, ...late.breaches]).toEqual([])
    expect(client.pools()[0]).toMatchObject({ connecting: 0, busy: 0, idle: 0, queued: 0 })
  })

  test('nobody at the place of the proxy is a failed connect that names it', async () => {
    const nowhere = new URL(await bench.closedOrigin())
    const plan = { secure: false, host: '127.0.0.1', port: Number(nowhere.port), credentials: null }
    const client = bench.open({ proxies: { http: plan, https: plan, except: [] } })
    for (const origin of [tunnelled, plain]) {
      const reply = await run(client, chat(origin))
      expect(reply.error?.kind).toBe('upstream-connect')
      expect(reply.error?.message).toContain(
        `through the proxy ${nowhere.host}: the proxy cannot be connected to: ECONNREFUSED`,
      )
    }
  })

  test('credentials that the proxy does not take are a failed connect, and are not told', async () => {
    const proxy = await proxyWith({ credentials: 'ali:other' })
    const client = through(proxy, SESAME)
    for (const origin of [tunnelled, plain]) {
      const reply = await run(client, chat(origin))
      expect(reply.outcome).toBe('upstream-connect')
      expect(reply.error?.message).toContain('the proxy answered 407: it wants other credentials')
      expect(inspect(reply.error, { depth: 9 })).not.toMatch(/sesame|YWxp/)
    }
    expect(bench.upstream.requestsEver + secure.requestsEver).toBe(0)
    const shown = inspect(new Target(plain, proxy.plan(SESAME)), { depth: 9 })
    expect(shown).toContain(MASK)
    expect(shown).not.toMatch(/sesame|YWxp/)
  })

  test('a tunnel that is cut in mid-stream is a cut stream, never an end', async () => {
    const proxy = await proxyWith({}, { kind: 'cut', afterBytes: 20_000 })
    const reply = await run(
      through(proxy),
      chat(tunnelled, 'frames=200;frameBytes=500;delayBetweenFramesMs=1', STREAM),
    )
    expect(reply.outcome).toBe('200 upstream-broke')
    expect(reply.error?.message).toContain('through the proxy')
  })

  test('a kept tunnel that was dead when reused is opened once more', async () => {
    const proxy = await proxyWith()
    const client = through(proxy)
    await run(client, chat(tunnelled))
    secure.script({ behaviour: { closeBeforeHeaders: true } })
    expect((await run(client, chat(tunnelled))).outcome).toBe('200 ended')
    expect(client.pools()[0]).toMatchObject({ resent: 1 })
    expect(proxy.asked).toHaveLength(2)
  })

  test('sessions are resumed inside tunnels', async () => {
    const resumed: boolean[] = []
    const server = tls.createServer(OTHER, socket => {
      resumed.push(socket.isSessionReused())
      socket.on('error', () => {})
      socket.on('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'),
      )
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const client = through(await proxyWith())
    for (let call = 0; call < 3; call += 1) {
      expect((await run(client, chat(`https://other.test:${port}`))).text).toBe('ok')
    }
    server.close()
    expect(resumed).toEqual([false, true, true])
  })
}

/** Waits until a number stops changing. */
async function restingAt(read: () => number): Promise<number> {
  for (let seen = -1; ; ) {
    const now = read()
    if (now === seen) return now
    seen = now
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

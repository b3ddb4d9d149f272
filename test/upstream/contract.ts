// What every upstream client must do, told once and run against each. Real sockets, and an upstream that misbehaves.

import net, { type AddressInfo, type LookupFunction } from 'node:net'
import { AssertionError } from '../../src/common/assert.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createUpstreamClient, type UpstreamClient, type UpstreamOptions } from '../../src/upstream/index.ts'
import { type FakeUpstream, startFakeUpstream, until } from '../support/fake-upstream/index.ts'
import { CHAT, chat, PATIENT, run, STREAM, send } from './collect.ts'
import { HTTP1_ONLY_REPLIES, HTTP1_UNSOUND_REPLIES, SOUND_REPLIES, UNSOUND_REPLIES } from './replies.ts'

export type Kind = NonNullable<UpstreamOptions['kind']>

/** Starts an upstream and clients for one test and takes them down behind it. */
export class Bench {
  upstream!: FakeUpstream
  client!: UpstreamClient
  private readonly kind: Kind
  private readonly clients: UpstreamClient[] = []
  private readonly servers: net.Server[] = []

  constructor(kind: Kind) {
    this.kind = kind
  }

  async start(): Promise<void> {
    this.upstream = await startFakeUpstream()
    this.client = this.open({})
  }

  open(options: Partial<UpstreamOptions>): UpstreamClient {
    const client = createUpstreamClient({ kind: this.kind, connectionsMax: 8, ...options })
    this.clients.push(client)
    return client
  }

  /** A server whose every connection is handled by the test. */
  async serve(onSocket: (socket: net.Socket) => void, port = 0, host = '127.0.0.1'): Promise<string> {
    const server = net.createServer(socket => {
      socket.on('error', () => {})
      onSocket(socket)
    })
    this.servers.push(server)
    await new Promise<void>(resolve => server.listen(port, host, resolve))
    return `http://${host}:${(server.address() as AddressInfo).port}`
  }

  /** An origin where nobody listens. */
  async closedOrigin(): Promise<string> {
    const origin = await this.serve(() => {})
    await new Promise(resolve => this.servers.pop()!.close(resolve))
    return origin
  }

  async stop(): Promise<void> {
    await this.upstream.close()
    for (const server of this.servers.splice(0)) server.close()
    await Promise.all(this.clients.splice(0).map(client => client.close()))
  }
}

export function contractSuite(kind: Kind): void {
  const bench = new Bench(kind)
  beforeEach(() => bench.start())
  afterEach(() => bench.stop())
  describe('a request', () => requests(bench))
  describe('a reply', () => replies(bench, kind))
  describe('a failure', () => failures(bench))
  describe('a deadline', () => deadlines(bench))
  describe('a connection', () => connections(bench))
  describe('back-pressure', () => backPressure(bench))
  describe('the caller', () => callers(bench))
}

function requests(bench: Bench): void {
  test('arrives with its method, path, fields in order, host, length and body', async () => {
    const { client, upstream } = bench
    const request = {
      ...chat(upstream.origin),
      path: '/v1/chat/completions?x=%20y',
      headers: ['x-b', '2', 'x-a', '1', 'x-b', '3', 'content-type', 'application/json'],
    }
    const reply = await run(client, request)
    expect(reply.outcome).toBe('200 ended')
    expect(JSON.parse(reply.text).choices[0].message.content).toBe('echo: hello there')
    const [seen] = upstream.requests
    expect(seen?.method).toBe('POST')
    expect(seen?.path).toBe('/v1/chat/completions?x=%20y')
    expect(seen?.text()).toBe(CHAT)
    expect(seen?.header('host')).toBe(upstream.origin.slice('http://'.length))
    expect(seen?.header('content-length')).toBe(String(CHAT.length))
    const own = seen?.headers.filter((_, at, all) => all[at - (at % 2)]!.startsWith('x-'))
    expect(own).toEqual(['x-b', '2', 'x-a', '1', 'x-b', '3'])
  })

  test('without a body says a length of zero for POST and nothing for GET', async () => {
    const { client, upstream } = bench
    upstream.always({ body: 'ok' })
    const post = { ...chat(upstream.origin, '', null), headers: [] }
    await run(client, post)
    await run(client, { ...post, method: 'GET' })
    await run(client, { ...post, body: new Uint8Array(0) })
    expect(upstream.requests.map(seen => seen.header('content-length'))).toEqual(['0', null, '0'])
    expect(upstream.requests.map(seen => seen.header('transfer-encoding'))).toEqual([null, null, null])
  })

  test('keeps fields of one connection to itself and lets host be replaced', async () => {
    const { client, upstream } = bench
    const headers = [
      ...[
        'connection',
        'close',
        'transfer-encoding',
        'chunked',
        'content-length',
        '7',
        'expect',
        '100-continue',
      ],
      ...[
        'te',
        'trailers',
        'upgrade',
        'h2c',
        'keep-alive',
        'timeout=1',
        'host',
        'models.example',
        'x-kept',
        'yes',
      ],
    ]
    const reply = await run(client, { ...chat(upstream.origin), headers })
    expect(reply.outcome).toBe('200 ended')
    const [seen] = upstream.requests
    expect(seen?.header('host')).toBe('models.example')
    expect(seen?.headers.filter(name => name === 'host')).toHaveLength(1)
    expect(seen?.header('x-kept')).toBe('yes')
    expect(seen?.header('content-length')).toBe(String(CHAT.length))
    for (const name of ['transfer-encoding', 'expect', 'te', 'upgrade', 'keep-alive']) {
      expect(seen?.header(name)).toBeNull()
    }
    expect(seen?.header('connection')).not.toBe('close')
  })

  test('carries values beyond ASCII as the bytes they came as', async () => {
    const { client, upstream } = bench
    await run(client, { ...chat(upstream.origin), headers: ['x-one', 'caf\u00e9', 'x-two', '\u20ac'] })
    const [seen] = upstream.requests
    expect(seen?.header('x-one')).toBe('caf\u00e9')
    expect(Buffer.from(seen!.header('x-two')!, 'latin1').toString('utf8')).toBe('\u20ac')
  })

  test.each([
    ['a line break in a value', { headers: ['x-a', 'b\r\nx-c: d'] }],
    ['a NUL in a value', { headers: ['x-a', 'b\0'] }],
    ['a space in a name', { headers: ['x a', 'b'] }],
    ['a line break in a name', { headers: ['x\r\na', 'b'] }],
    ['a capital in a name', { headers: ['X-A', 'b'] }],
    ['an empty name', { headers: ['', 'b'] }],
    ['a line break in a host', { headers: ['host', 'b\r\nx: y'] }],
    ['a space in the path', { path: '/a b' }],
    ['a line break in the path', { path: '/a\r\nx: y' }],
    ['a path without a slash', { path: 'a' }],
    ['a method that is none', { method: 'GET /' }],
    ['an origin with a path', { origin: 'http://127.0.0.1:1/path' }],
    ['an origin of another scheme', { origin: 'ftp://127.0.0.1:1' }],
    ['an origin that is none', { origin: 'nowhere' }],
  ])('with %s is a bug of the caller and leaves nothing behind', (_name, change) => {
    const { client, upstream } = bench
    expect(() => send(client, { ...chat(upstream.origin), ...change })).toThrow(AssertionError)
    expect(client.pools().every(pool => pool.opened === 0 && pool.queued === 0)).toBe(true)
  })

  test('of any size arrives whole, also when the upstream reads late and slowly', async () => {
    const sizes = [1, 30_000, 32 * 1024, 33 * 1024, 200_000, 3_000_000]
    const origin = await bench.serve(socket => {
      let seen = 0
      let sum = 0
      let expected = -1
      socket.on('data', (chunk: Buffer) => {
        let from = 0
        if (expected === -1) {
          const end = chunk.indexOf('\r\n\r\n')
          expected = Number(/content-length: (\d+)/.exec(chunk.toString('latin1', 0, end))![1])
          from = end + 4
        }
        for (let at = from; at < chunk.length; at++) sum = (sum * 31 + chunk[at]!) % 1_000_003
        seen += chunk.length - from
        socket.pause()
        setTimeout(() => socket.resume(), 2)
        if (seen < expected) return
        const body = `${seen} ${sum}`
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
        seen = 0
        sum = 0
        expected = -1
      })
    })
    const calls = sizes.map(async size => {
      const body = Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 7 + size) % 251))
      const reply = await run(bench.client, { ...chat(origin), body })
      expect(reply.outcome).toBe('200 ended')
      expect(reply.text).toBe(`${size} ${body.reduce((sum, byte) => (sum * 31 + byte) % 1_000_003, 0)}`)
    })
    await Promise.all(calls)
  })
}

function replies(bench: Bench, kind: Kind): void {
  const sound = kind === 'http1' ? [...SOUND_REPLIES, ...HTTP1_ONLY_REPLIES] : SOUND_REPLIES
  const unsound = kind === 'http1' ? [...UNSOUND_REPLIES, ...HTTP1_UNSOUND_REPLIES] : UNSOUND_REPLIES

  test.each(sound)('with $name is read however its bytes are cut', async expected => {
    const { client, upstream } = bench
    const raw = Buffer.from(expected.raw, 'latin1')
    const lasting = expected.untilClose === true ? { connectionClose: true } : {}
    for (const splitBytes of [0, 1, 2, 7]) {
      upstream.script({ raw, behaviour: { ...lasting, splitBytes } })
      const request = { ...chat(upstream.origin), method: expected.method ?? 'POST' }
      const reply = await run(client, request)
      expect(reply.outcome).toBe(`${expected.status} ended`)
      expect(Buffer.concat(reply.pieces).toString('latin1')).toBe(expected.body)
    }
    // HEAD is where undici always lets go of the connection.
    if (expected.reusable && expected.method === undefined) expect(upstream.socketsEver).toBe(1)
    if (!expected.reusable) expect(upstream.socketsEver).toBe(4)
  })

  test.each(unsound)('($name) fails the call and closes the connection', async ({ raw }) => {
    const { client, upstream } = bench
    upstream.script({ raw: Buffer.from(raw, 'latin1') })
    const reply = await run(client, chat(upstream.origin))
    expect(reply.error?.kind).toBe('upstream-protocol')
    expect(reply.error?.message).toContain(`127.0.0.1:${upstream.port}`)
    expect(reply.breaches).toEqual([])
    expect(client.pools()[0]).toMatchObject({ busy: 0, idle: 0, queued: 0, connecting: 0 })
    await until('the connection was closed', () => upstream.socketsOpen === 0)
  })

  test('whose header block is too large is refused', async () => {
    const { upstream } = bench
    const client = bench.open({ headerBytesMax: 4_096 })
    expect((await run(client, chat(upstream.origin, 'headerBytes=3000'))).outcome).toBe('200 ended')
    const reply = await run(client, chat(upstream.origin, 'headerBytes=5000'))
    expect(reply.error?.kind).toBe('upstream-protocol')
  })

  test('keeps field order, duplicates and value spelling', async () => {
    const { client, upstream } = bench
    const headers = ['Set-Cookie', 'a=1', 'X-Text', 'Two  Words', 'set-cookie', 'b=2']
    upstream.script({ status: 201, headers, body: 'x' })
    const reply = await run(client, chat(upstream.origin))
    expect(reply.status).toBe(201)
    expect(reply.headers.slice(0, 6)).toEqual([
      'set-cookie',
      'a=1',
      'x-text',
      'Two  Words',
      'set-cookie',
      'b=2',
    ])
  })

  test.each([
    ['status=429', '429 ended'],
    ['status=500;delayBeforeHeadersMs=20', '500 ended'],
    ['html', '502 ended'],
    ['gzip', '200 ended'],
    ['interim=3', '200 ended'],
    ['untilClose', '200 ended'],
    ['garbageBody', '200 ended'],
    ['connectionClose', '200 ended'],
    ['delayBetweenFramesMs=3', '200 ended'],
    ['dripMs=1;canned;frames=1;frameBytes=5', '200 ended'],
    ['splitBytes=9', '200 ended'],
    ['cutAfterBytes=300;cut=end', '200 ended'],
    ['cutAfterBytes=300', '200 upstream-broke'],
    ['cutAfterBytes=300;cut=reset', '200 upstream-broke'],
    ['badChunk', '200 upstream-protocol'],
    ['garbage', 'upstream-protocol'],
    ['resetBeforeHeaders', 'upstream-broke'],
    ['closeBeforeHeaders', 'upstream-broke'],
    ['resetAfterHeaders', '200 upstream-broke'],
  ])('of an upstream that does %s comes out as %s', async (fake, outcome) => {
    const { client, upstream } = bench
    const reply = await run(client, chat(upstream.origin, fake, STREAM))
    expect(reply.outcome).toBe(outcome)
    expect(reply.error?.message ?? '').not.toContain('echo')
    // Whatever happened, the next call is served.
    expect((await run(client, chat(upstream.origin))).outcome).toBe('200 ended')
  })

  test('that is cut at any byte delivers what came and fails', async () => {
    const { client, upstream } = bench
    const whole = await run(client, chat(upstream.origin, '', STREAM))
    for (let cut = 0; cut < whole.bytes; cut += 97) {
      const reply = await run(client, chat(upstream.origin, `cutAfterBytes=${cut}`, STREAM))
      expect(reply.outcome).toBe('200 upstream-broke')
      expect(reply.bytes).toBe(cut)
      expect(reply.error?.message).toContain(`after ${cut} bytes`)
    }
  })
}

function failures(bench: Bench): void {
  test('to connect names the place and the reason', async () => {
    const origin = await bench.closedOrigin()
    const reply = await run(bench.client, chat(origin))
    expect(reply.error?.kind).toBe('upstream-connect')
    expect(reply.error?.message).toBe(`cannot connect to ${origin.slice(7)}: ECONNREFUSED`)
  })

  test('to find a name names the name', async () => {
    const lookup: LookupFunction = (hostname, _options, callback) => {
      const error: NodeJS.ErrnoException = new Error(`getaddrinfo ENOTFOUND ${hostname}`)
      error.code = 'ENOTFOUND'
      callback(error, '', 4)
    }
    const reply = await run(bench.open({ lookup }), chat('http://models.test:8080'))
    expect(reply.error?.message).toBe('cannot connect to models.test:8080: ENOTFOUND')
  })

  test('tells each of many waiting calls, once, and leaves the pool empty', async () => {
    const origin = await bench.closedOrigin()
    const client = bench.open({ connectionsMax: 3 })
    const calls = Array.from({ length: 40 }, () => send(client, chat(origin)))
    await Promise.all(calls.map(call => call.over))
    expect(new Set(calls.map(call => call.outcome))).toEqual(new Set(['upstream-connect']))
    expect(client.pools()[0]).toMatchObject({ connecting: 0, busy: 0, idle: 0, queued: 0 })
  })

  test('says when the pool and its queue are full', async () => {
    const { upstream } = bench
    const client = bench.open({ connectionsMax: 2, queuedMax: 3 })
    const calls = Array.from({ length: 6 }, () => send(client, chat(upstream.origin, 'hangBeforeHeaders')))
    await calls[5]!.over
    expect(calls[5]!.error?.kind).toBe('upstream-connect')
    expect(calls[5]!.error?.message).toContain('all 2 are busy and 3 calls wait')
    expect(calls.slice(0, 5).map(call => call.outcome)).toEqual(['open', 'open', 'open', 'open', 'open'])
    for (const call of calls.slice(0, 5)) call.abort()
  })

  test('never shows header values or bodies', async () => {
    const { client, upstream } = bench
    for (const fake of ['badChunk', 'cutAfterBytes=50', 'resetBeforeHeaders', 'garbage']) {
      const request = chat(upstream.origin, fake, STREAM)
      const reply = await run(client, {
        ...request,
        headers: [...request.headers, 'authorization', 'Bearer sesame'],
      })
      const text = `${reply.error?.message} ${String(reply.error?.cause)}`
      expect(text).not.toMatch(/sesame|echo|assistant|no HTTP at all/)
    }
  })
}

function deadlines(bench: Bench): void {
  const quick = { ...PATIENT, totalMs: 5_000 }

  test.each([
    ['headers', 'hangBeforeHeaders', { headersMs: 120 }, 'upstream-timeout'],
    ['first-byte', 'hangAfterHeaders', { firstByteMs: 130 }, '200 upstream-timeout'],
    ['between-bytes', 'hangAfterFrames=2', { betweenBytesMs: 140 }, '200 upstream-timeout'],
    ['total', 'delayBetweenFramesMs=40;frames=100', { totalMs: 350 }, '200 upstream-timeout'],
    ['total', 'hangBeforeHeaders', { totalMs: 150 }, 'upstream-timeout'],
  ])('named %s ends an upstream that does %s', async (name, fake, change, outcome) => {
    const { client, upstream } = bench
    const startedMs = performance.now()
    const limits = { ...quick, ...change }
    const reply = await run(client, { ...chat(upstream.origin, fake, STREAM), deadlines: limits })
    const tookMs = performance.now() - startedMs
    const limitMs = Object.values(change)[0]!
    expect(reply.outcome).toBe(outcome)
    expect(reply.error?.message).toContain(`within ${limitMs} ms (${name} deadline)`)
    expect(tookMs).toBeGreaterThanOrEqual(limitMs)
    expect(tookMs).toBeLessThan(limitMs + 1_000)
    await until('the upstream saw it', () => upstream.requests[0]!.aborted && upstream.socketsOpen === 0)
    expect(client.pools()[0]).toMatchObject({ busy: 0, idle: 0 })
  })

  test('named connect ends a name resolution that never answers', async () => {
    const client = bench.open({ lookup: () => {} })
    const request = { ...chat('http://slow.test'), deadlines: { ...quick, connectMs: 100 } }
    const reply = await run(client, request)
    expect(reply.error?.kind).toBe('upstream-timeout')
    expect(reply.error?.message).toBe('slow.test:80 gave no connection within 100 ms (connect deadline)')
    expect(client.pools()[0]).toMatchObject({ connecting: 0, queued: 0 })
  })

  test('named connect ends a TLS handshake that never answers', async () => {
    let open = 0
    const origin = await bench.serve(socket => {
      open += 1
      socket.on('data', () => {})
      socket.on('close', () => {
        open -= 1
      })
    })
    const request = { ...chat(origin.replace('http:', 'https:')), deadlines: { ...quick, connectMs: 100 } }
    const reply = await run(bench.client, request)
    expect(reply.error?.message).toContain('(connect deadline)')
    await until('the socket was closed', () => open === 0)
  })

  test('named connect also bounds the wait for a busy pool', async () => {
    const { upstream } = bench
    const client = bench.open({ connectionsMax: 1 })
    const busy = send(client, chat(upstream.origin, 'hangBeforeHeaders'))
    const waiting = await run(client, {
      ...chat(upstream.origin),
      deadlines: { ...quick, connectMs: 100 },
    })
    expect(waiting.error?.message).toContain('(connect deadline)')
    busy.abort()
    expect((await run(client, chat(upstream.origin))).outcome).toBe('200 ended')
  })

  test('is not reached by a slow upstream that keeps going', async () => {
    const { client, upstream } = bench
    const limits = { ...quick, headersMs: 400, firstByteMs: 400, betweenBytesMs: 200 }
    const request = {
      ...chat(upstream.origin, 'delayBetweenFramesMs=60;frames=12', STREAM),
      deadlines: limits,
    }
    expect((await run(client, request)).outcome).toBe('200 ended')
  })

  test('does not count silence that we asked for', async () => {
    const { client, upstream } = bench
    const limits = { ...quick, betweenBytesMs: 150 }
    const request = { ...chat(upstream.origin, 'frames=400;frameBytes=4000', STREAM), deadlines: limits }
    const reply = send(client, request, collected => {
      collected.keepsBytes = false
      collected.onData = () => collected.call!.pause()
    })
    await until('it is paused', () => reply.bytes > 0)
    await new Promise(resolve => setTimeout(resolve, 400))
    expect(reply.outcome).toBe('200 open')
    reply.onData = null
    reply.call!.resume()
    await reply.over
    expect(reply.outcome).toBe('200 ended')
  })
}

function connections(bench: Bench): void {
  test('is kept and used again', async () => {
    const { client, upstream } = bench
    for (let at = 0; at < 20; at++) {
      expect((await run(client, chat(upstream.origin, '', at % 2 === 0 ? CHAT : STREAM))).outcome).toBe(
        '200 ended',
      )
    }
    expect(upstream.socketsEver).toBe(1)
    expect(client.pools()[0]).toMatchObject({ idle: 1, busy: 0, opened: 1, resent: 0 })
  })

  test('is never more than the bound, and everyone waiting is served in turn', async () => {
    const { upstream } = bench
    const client = bench.open({ connectionsMax: 3 })
    const order: number[] = []
    const calls = Array.from({ length: 60 }, (_, at) =>
      send(client, chat(upstream.origin, 'delayBeforeHeadersMs=2'), call => {
        void call.over.then(() => order.push(at))
      }),
    )
    expect(client.pools()[0]).toMatchObject({ connecting: 3, queued: 60 })
    await Promise.all(calls.map(call => call.over))
    expect(new Set(calls.map(call => call.outcome))).toEqual(new Set(['200 ended']))
    expect(upstream.socketsEver).toBe(3)
    const displaced = order.filter((call, at) => Math.abs(call - at) > 6)
    expect(displaced).toEqual([])
  })

  test('that carries bytes behind a reply is closed, and they are nobody’s reply', async () => {
    const { client, upstream } = bench
    const smuggled = 'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged'
    upstream.script({ raw: `HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok${smuggled}` })
    expect((await run(client, chat(upstream.origin))).text).toBe('ok')
    const next = await run(client, chat(upstream.origin))
    expect(next.text).toContain('echo: hello there')
    expect(upstream.socketsEver).toBe(2)
  })

  test('that speaks unasked while idle is closed', async () => {
    const origin = await bench.serve(socket => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
        setTimeout(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged'), 30)
      })
    })
    expect((await run(bench.client, chat(origin))).text).toBe('ok')
    await until('it was closed', () => bench.client.pools()[0]!.idle === 0)
    expect((await run(bench.client, chat(origin))).text).toBe('ok')
  })

  test('that the upstream closes while idle is forgotten', async () => {
    const { client, upstream } = bench
    await run(client, chat(upstream.origin, 'closeIdleAfterMs=20'))
    await until('it was forgotten', () => client.pools()[0]!.idle === 0)
    expect((await run(client, chat(upstream.origin))).outcome).toBe('200 ended')
    expect(client.pools()[0]!.resent).toBe(0)
  })

  test('that was dead when reused costs the caller nothing: the request is sent once more', async () => {
    const { client, upstream } = bench
    for (const how of ['resetBeforeHeaders', 'closeBeforeHeaders'] as const) {
      await run(client, chat(upstream.origin))
      const before = upstream.requests.length
      upstream.script({ behaviour: { [how]: true } })
      const reply = await run(client, chat(upstream.origin, '', STREAM))
      expect(reply.outcome).toBe('200 ended')
      expect(upstream.requests.slice(before).map(seen => seen.text())).toEqual([STREAM, STREAM])
      expect(upstream.requests.at(-1)!.socket).not.toBe(upstream.requests.at(-2)!.socket)
    }
    expect(client.pools()[0]!.resent).toBe(2)
  })

  test('that dies is not tried a second time when it was fresh, and the request not a third time', async () => {
    const { client, upstream } = bench
    upstream.always({ behaviour: { resetBeforeHeaders: true } })
    expect((await run(client, chat(upstream.origin))).outcome).toBe('upstream-broke')
    expect(upstream.requestsEver).toBe(1)
    upstream.always(null)
    await run(client, chat(upstream.origin))
    upstream.always({ behaviour: { resetBeforeHeaders: true } })
    expect((await run(client, chat(upstream.origin))).outcome).toBe('upstream-broke')
    expect(upstream.requestsEver).toBe(4)
    expect(client.pools()[0]).toMatchObject({ resent: 1, busy: 0, idle: 0, connecting: 0 })
  })

  test('that dies after the first byte of a reply is not tried again', async () => {
    const { client, upstream } = bench
    await run(client, chat(upstream.origin))
    upstream.script({ raw: 'HTTP/1.1 200', behaviour: { connectionClose: true } })
    expect((await run(client, chat(upstream.origin))).outcome).toBe('upstream-broke')
    expect(client.pools()[0]!.resent).toBe(0)
  })

  test('is not used again when the reply came before the request was sent', async () => {
    const origin = await bench.serve(socket => {
      socket.once('data', () => {
        socket.pause()
        socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno')
      })
    })
    const reply = await run(bench.client, { ...chat(origin), body: Buffer.alloc(30_000_000) })
    expect(reply.outcome).toBe('413 ended')
    await until('it was closed', () => {
      const pool = bench.client.pools()[0]!
      return pool.idle === 0 && pool.busy === 0
    })
  })

  test('is closed after its idle time', async () => {
    const { upstream } = bench
    const client = bench.open({ idleMsMax: 200 })
    await run(client, chat(upstream.origin))
    expect(client.pools()[0]!.idle).toBe(1)
    await until('it was closed', () => client.pools()[0]!.idle === 0)
    await until('the upstream saw it', () => upstream.socketsOpen === 0)
  })

  test('is closed earlier if the server says how long it keeps it', async () => {
    const { client, upstream } = bench
    upstream.script({ headers: ['keep-alive', 'timeout=1'], body: 'ok' })
    expect((await run(client, chat(upstream.origin))).text).toBe('ok')
    await until('it was closed', () => client.pools()[0]!.idle === 0, 900)
  })

  test('that is too old ends with its call, so that a changed address is followed', async () => {
    const { upstream } = bench
    const places: string[] = []
    let address = '127.0.0.1'
    const lookup: LookupFunction = (hostname, options, callback) => {
      places.push(hostname)
      if (options.all === true) callback(null, [{ address, family: 4 }])
      else callback(null, address, 4)
    }
    const client = bench.open({ lookup, ageMsMax: 200 })
    const origin = `http://models.test:${upstream.port}`
    const moved = 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nnew place'
    await bench.serve(socket => socket.on('data', () => socket.write(moved)), upstream.port, '127.0.0.2')
    const long = send(client, chat(origin, 'frames=10;delayBetweenFramesMs=40', STREAM))
    await until('it runs', () => long.status === 200)
    address = '127.0.0.2'
    await long.over
    expect(long.outcome).toBe('200 ended')
    expect((await run(client, chat(origin))).text).toBe('new place')
    expect(places).toEqual(['models.test', 'models.test'])
  })
}

function backPressure(bench: Bench): void {
  /** Kernel buffers of both sides on loopback, and what one read may carry. */
  const IN_FLIGHT_BYTES_MAX = 12 * 1024 * 1024

  test('stops the upstream of a paused call, and only that', async () => {
    const { client, upstream } = bench
    const paused = send(
      client,
      chat(upstream.origin, 'neverEnding;frames=50;frameBytes=2000', STREAM),
      call => {
        call.keepsBytes = false
        call.onData = () => call.call!.pause()
      },
    )
    await until('the upstream is stalled', () => upstream.requests[0]?.stalled === true)
    const { bytes } = paused
    const { bytesSent } = upstream.requests[0]!
    const beside = await run(client, chat(upstream.origin, 'frames=500;frameBytes=2000', STREAM))
    expect(beside.outcome).toBe('200 ended')
    expect(paused.bytes).toBe(bytes)
    expect(upstream.requests[0]!.bytesSent).toBe(bytesSent)
    expect(bytesSent).toBeLessThan(IN_FLIGHT_BYTES_MAX)
    paused.onData = null
    paused.call!.resume()
    await until('it flows again', () => upstream.requests[0]!.bytesSent > bytesSent + IN_FLIGHT_BYTES_MAX)
    paused.abort()
    await until('the upstream saw it', () => upstream.requests[0]!.aborted)
  })

  test('holds while a reader takes a piece now and then, and loses nothing', async () => {
    const { client, upstream } = bench
    const request = chat(upstream.origin, 'frames=2000;frameBytes=500', STREAM)
    const whole = await run(client, request)
    let pauses = 0
    const slow = send(client, request, call => {
      call.onData = () => {
        call.call!.pause()
        pauses += 1
        setTimeout(() => call.call!.resume(), 1)
      }
    })
    await slow.over
    expect(slow.outcome).toBe('200 ended')
    expect(pauses).toBeGreaterThan(3)
    expect(slow.text.replaceAll(/fake\d+/g, '')).toBe(whole.text.replaceAll(/fake\d+/g, ''))
    expect((await run(client, chat(upstream.origin))).outcome).toBe('200 ended')
  })

  test('asked for before the reply holds the reply', async () => {
    const { client, upstream } = bench
    const reply = send(
      client,
      chat(upstream.origin, 'delayBeforeHeadersMs=30;delayBeforeBodyMs=30'),
      call => {
        call.onHead = () => call.call!.pause()
      },
    )
    await until('the head is here', () => reply.status === 200)
    await new Promise(resolve => setTimeout(resolve, 80))
    expect(reply.bytes).toBe(0)
    reply.call!.resume()
    await reply.over
    expect(reply.outcome).toBe('200 ended')
  })
}

function callers(bench: Bench): void {
  test('may abort inside head and inside data, and hears nothing more', async () => {
    const { client, upstream } = bench
    const inHead = send(client, chat(upstream.origin, '', STREAM), call => {
      call.onHead = () => call.abort()
    })
    const inData = send(client, chat(upstream.origin, 'frames=20', STREAM), call => {
      call.onData = () => call.abort()
    })
    await Promise.all([inHead.over, inData.over])
    await until('both connections are closed', () => upstream.socketsOpen === 0)
    expect(inHead.breaches).toEqual([])
    expect(inData.breaches).toEqual([])
    expect(client.pools()[0]).toMatchObject({ busy: 0, idle: 0, queued: 0 })
  })

  test('may send again inside end and inside fail', async () => {
    const { client, upstream } = bench
    const outcomes: string[] = []
    await new Promise<void>(resolve => {
      const again = (left: number): void => {
        const fake = left % 2 === 0 ? 'resetAfterHeaders' : ''
        const call = send(client, chat(upstream.origin, fake))
        void call.over.then(() => {
          outcomes.push(call.outcome)
          if (left === 0) resolve()
          else again(left - 1)
        })
      }
      again(5)
    })
    expect(outcomes).toEqual([
      '200 ended',
      '200 upstream-broke',
      '200 ended',
      '200 upstream-broke',
      '200 ended',
      '200 upstream-broke',
    ])
  })

  test('may pause, resume and abort after the end without effect', async () => {
    const { client, upstream } = bench
    const first = await run(client, chat(upstream.origin))
    first.call!.pause()
    first.call!.resume()
    first.call!.abort()
    expect((await run(client, chat(upstream.origin))).outcome).toBe('200 ended')
    expect(upstream.socketsEver).toBe(1)
  })

  test('closes the client: idle connections go at once, running calls finish, new ones are refused', async () => {
    const { upstream } = bench
    const client = bench.open({})
    await run(client, chat(upstream.origin))
    const running = send(client, chat(upstream.origin, 'frames=10;delayBetweenFramesMs=10', STREAM))
    await until('it runs', () => running.status === 200)
    let closed = false
    const closing = client.close().then(() => {
      closed = true
    })
    const late = await run(client, chat(upstream.origin))
    expect(late.error?.message).toContain('shutting down')
    expect(closed).toBe(false)
    await running.over
    expect(running.outcome).toBe('200 ended')
    await closing
    await until('no socket is left', () => upstream.socketsOpen === 0)
  })
}

// The request as the upstream sees it.

import { expect, test } from 'vitest'
import { AssertionError } from '../../../src/common/assert.ts'
import { CHAT, chat, run, send } from '../collect.ts'
import type { Bench } from './bench.ts'

export function requests(bench: Bench): void {
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
    expect(seen?.header('host')).toBe(new URL(upstream.origin).host)
    expect(seen?.header('content-length')).toBe(String(CHAT.length))
    const own = seen?.headers.filter((_, at, all) => all[at - (at % 2)]!.startsWith('x-'))
    // HTTP/2 as its server here tells it joins what has one name.
    const joined = ['x-b', '2, 3', 'x-a', '1']
    expect(own).toEqual(bench.bridge === null ? ['x-b', '2', 'x-a', '1', 'x-b', '3'] : joined)
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
    // The front closes behind each call.
    if (bench.bridge === null) expect(seen?.header('connection')).not.toBe('close')
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
    const origin = await bench.serveCalls(socket => {
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

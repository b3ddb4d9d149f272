// How connections are kept, reused, distrusted and replaced.

import type { LookupFunction } from 'node:net'
import { expect, test } from 'vitest'
import { until } from '../../support/fake-upstream/index.ts'
import { CHAT, STREAM, chat, run, send } from '../collect.ts'
import type { Bench } from './bench.ts'

export function connections(bench: Bench): void {
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

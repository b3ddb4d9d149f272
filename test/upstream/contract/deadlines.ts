// Time-outs, by name.

import type { LookupFunction } from 'node:net'
import { expect, test } from 'vitest'
import { until } from '../../support/fake-upstream/index.ts'
import { PATIENT, STREAM, chat, run, send } from '../collect.ts'
import type { Bench } from './bench.ts'

export function deadlines(bench: Bench): void {
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
    // Where a connection is one of many streams, it serves on.
    const left = bench.bridge === null ? 0 : 1
    await until('the upstream saw it', () => upstream.requests[0]!.aborted && upstream.socketsOpen === left)
    expect(client.pools()[0]).toMatchObject({ busy: 0, idle: left })
  })

  test('named connect ends a name resolution that never answers', async () => {
    const client = bench.open({ lookup: () => {} })
    const request = { ...chat('http://slow.test'), deadlines: { ...quick, connectMs: 100 } }
    const reply = await run(client, request)
    expect(reply.error?.kind).toBe('upstream-timeout')
    expect(reply.error?.message).toBe('slow.test:80 gave no connection within 100 ms (connect deadline)')
    expect(client.pools()[0]).toMatchObject({ connecting: 0, queued: 0 })
  })

  test('of one waiting call does not leave its hopeless connect to the next', async () => {
    let asked = 0
    const lookup: LookupFunction = (_name, options, callback) => {
      asked += 1
      if (asked === 1) return
      if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
      else callback(null, '127.0.0.1', 4)
    }
    const client = bench.open({ lookup, connectionsMax: 1 })
    const origin = bench.namedOrigin
    const first = send(client, { ...chat(origin), deadlines: { ...quick, connectMs: 100 } })
    const second = send(client, { ...chat(origin), deadlines: { ...quick, connectMs: 3_000 } })
    await Promise.all([first.over, second.over])
    expect(first.error?.message).toContain('(connect deadline)')
    expect(second.outcome).toBe('200 ended')
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
    expect(waiting.error?.kind, 'a bound of ours is no fault of the upstream').toBe('overloaded')
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

  test('does not count the time in which our own loop was held up', async () => {
    const { client } = bench
    const origin = await bench.serve(socket => {
      const answer = (): void => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')
        // An immediate comes after this turn's reads and before the next turn's timers: the reply lies unread.
        holdUp(400)
      }
      socket.on('data', () => setTimeout(() => setImmediate(answer), 120))
    })
    const reply = await run(client, { ...chat(origin), deadlines: { ...quick, headersMs: 250 } })
    expect(reply.outcome).toBe('200 ended')
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

function holdUp(forMs: number): void {
  const untilMs = performance.now() + forMs
  while (performance.now() < untilMs);
}

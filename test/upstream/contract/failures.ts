// What a call that fails is told.

import type { LookupFunction } from 'node:net'
import { expect, test } from 'vitest'
import { STREAM, chat, run, send } from '../collect.ts'
import type { Bench } from './bench.ts'

export function failures(bench: Bench): void {
  test('to connect names the place and the reason', async () => {
    const origin = await bench.closedOrigin()
    const reply = await run(bench.client, chat(origin))
    expect(reply.error?.kind).toBe('upstream-connect')
    expect(reply.error?.message).toBe(`cannot connect to ${new URL(origin).host}: ECONNREFUSED`)
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
    expect(calls[5]!.error?.kind).toBe('overloaded')
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

// What a caller may do, and when.

import { expect, test } from 'vitest'
import { until } from '../../support/fake-upstream/index.ts'
import { STREAM, chat, run, send } from '../collect.ts'
import type { Bench } from './bench.ts'

export function callers(bench: Bench): void {
  test('that aborts is noticed by the upstream at once', async () => {
    const { client, upstream } = bench
    for (const fake of ['hangBeforeHeaders', 'hangAfterHeaders', 'neverEnding;delayBetweenFramesMs=5']) {
      const seen = upstream.requestsEver
      const call = send(client, chat(upstream.origin, fake, STREAM))
      await until('it has arrived', () => upstream.requestsEver > seen)
      const abortedAtMs = performance.now()
      call.abort()
      await until('the upstream saw it', () => upstream.requests[seen]!.aborted)
      // One turn of our loop, one of the upstream's, and the poll of this test.
      expect(upstream.requests[seen]!.abortedAtMs! - abortedAtMs).toBeLessThan(50)
    }
  })

  test('may abort inside head and inside data, and hears nothing more', async () => {
    const { client, upstream } = bench
    const inHead = send(client, chat(upstream.origin, '', STREAM), call => {
      call.onHead = () => call.abort()
    })
    const inData = send(client, chat(upstream.origin, 'frames=20', STREAM), call => {
      call.onData = () => call.abort()
    })
    await Promise.all([inHead.over, inData.over])
    // Where a connection is one of many streams, it serves on.
    const left = bench.bridge === null ? 0 : 2
    if (left === 0) await until('both connections are closed', () => upstream.socketsOpen === 0)
    expect(inHead.breaches).toEqual([])
    expect(inData.breaches).toEqual([])
    expect(client.pools()[0]).toMatchObject({ busy: 0, idle: left, queued: 0 })
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

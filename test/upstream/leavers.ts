// Callers that leave, by the thousand, at every phase of a call. Afterwards the pool is whole: no connection and no
// place in the queue is lost, and the next calls are served.

import type { LookupFunction } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { UpstreamClient } from '../../src/upstream/index.ts'
import { until } from '../support/fake-upstream/index.ts'
import { type Collected, chat, run, STREAM, send } from './collect.ts'
import { Bench, type Kind } from './contract/bench.ts'

const LEAVERS = 3_000
/** Each of these moves megabytes before it leaves. */
const FLOODED = 300
const WAVE = 100
const CONNECTIONS_MAX = 16

export function leaversSuite(kind: Kind): void {
  const bench = new Bench(kind)
  beforeEach(() => bench.start())
  afterEach(() => bench.stop())

  async function poolIsWhole(client: UpstreamClient, busy: number): Promise<void> {
    const { upstream } = bench
    expect(client.pools()[0]).toMatchObject({ connecting: 0, busy, queued: 0 })
    if (bench.bridge === null) {
      await until(
        'only those connections are left',
        () => upstream.socketsOpen === busy + client.pools()[0]!.idle,
      )
    } else await until('one session is left', () => upstream.socketsOpen <= 1)
    const calls = Array.from({ length: 64 }, () => send(client, chat(upstream.origin)))
    await Promise.all(calls.map(call => call.over))
    expect(new Set(calls.map(call => call.outcome))).toEqual(new Set(['200 ended']))
    expect(client.pools()[0]!.idle + busy).toBeLessThanOrEqual(CONNECTIONS_MAX)
  }

  function silent(calls: readonly Collected[]): void {
    expect(calls.flatMap(call => call.breaches)).toEqual([])
    expect(calls.every(call => call.error === null)).toBe(true)
  }

  test('in the queue cost nothing: no connection, no request, and those who stay are served', async () => {
    const { upstream } = bench
    const client = bench.open({ connectionsMax: CONNECTIONS_MAX, queuedMax: 2 * LEAVERS })
    const holders = Array.from({ length: CONNECTIONS_MAX }, () =>
      send(client, chat(upstream.origin, 'hangBeforeHeaders')),
    )
    await until('the pool is full', () => upstream.requestsEver === CONNECTIONS_MAX)
    const leavers = Array.from({ length: LEAVERS }, () => send(client, chat(upstream.origin)))
    const stayers = Array.from({ length: 10 }, () => send(client, chat(upstream.origin)))
    expect(client.pools()[0]!.queued).toBe(LEAVERS + 10)
    for (const call of leavers) call.abort()
    const opened = bench.bridge === null ? CONNECTIONS_MAX : 1
    expect(client.pools()[0]).toMatchObject({ queued: 10, busy: CONNECTIONS_MAX, opened })
    for (const call of holders) call.abort()
    await Promise.all(stayers.map(call => call.over))
    expect(new Set(stayers.map(call => call.outcome))).toEqual(new Set(['200 ended']))
    expect(upstream.requestsEver).toBe(CONNECTIONS_MAX + 10)
    silent(leavers)
    await poolIsWhole(client, 0)
  })

  test('while connecting free their sockets, whether the name is unresolved or the address silent', async () => {
    let asked = 0
    let resolves = false
    const lookup: LookupFunction = (_name, options, callback) => {
      asked += 1
      if (!resolves) return
      if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
      else callback(null, '127.0.0.1', 4)
    }
    const client = bench.open({ connectionsMax: CONNECTIONS_MAX, queuedMax: 2 * LEAVERS, lookup })
    const origin = bench.namedOrigin
    const leavers = Array.from({ length: LEAVERS }, () => send(client, chat(origin)))
    expect(client.pools()[0]).toMatchObject({ connecting: CONNECTIONS_MAX, queued: LEAVERS })
    for (const call of leavers) call.abort()
    expect(client.pools()[0]).toMatchObject({ connecting: 0, queued: 0, busy: 0, idle: 0 })
    expect(asked).toBe(bench.bridge === null ? CONNECTIONS_MAX : 1)
    expect(bench.upstream.socketsEver).toBe(0)
    silent(leavers)
    resolves = true
    expect((await run(client, chat(origin))).outcome).toBe('200 ended')
  })

  test('in the turn in which the connection opens leave it to whoever is next', async () => {
    const { upstream } = bench
    const client = bench.open({ connectionsMax: CONNECTIONS_MAX, queuedMax: 2 * LEAVERS })
    for (let wave = 0; wave < LEAVERS / WAVE; wave++) {
      const calls = Array.from({ length: WAVE }, () => send(client, chat(upstream.origin)))
      // Different moments around the connect: at once, next microtask, next turn, and a little later.
      for (const [at, call] of calls.entries()) {
        if (at % 4 === 0) call.abort()
        else if (at % 4 === 1) queueMicrotask(() => call.abort())
        else if (at % 4 === 2) setImmediate(() => call.abort())
        else setTimeout(() => call.abort(), 1)
      }
      await Promise.all(calls.map(call => call.over))
      expect(calls.flatMap(call => call.breaches)).toEqual([])
    }
    await poolIsWhole(client, 0)
  })

  test.each([
    ['waiting for headers', 'hangBeforeHeaders', LEAVERS],
    ['waiting for the first byte', 'hangAfterHeaders', LEAVERS],
    ['in mid-stream', 'neverEnding;frames=5;delayBetweenFramesMs=1', LEAVERS],
    ['in mid-stream of a flood', 'neverEnding;frames=50;frameBytes=1000', FLOODED],
  ])(
    '%s close their connection, and the upstream sees it',
    async (_phase, fake, count) => {
      const { upstream } = bench
      const client = bench.open({ connectionsMax: CONNECTIONS_MAX, queuedMax: 2 * LEAVERS })
      const leavers: Collected[] = []
      const ready = (call: Collected): boolean =>
        fake === 'hangBeforeHeaders'
          ? true
          : fake === 'hangAfterHeaders'
            ? call.status === 200
            : call.bytes > 0
      while (leavers.length < count) {
        const seen = upstream.requestsEver
        const wave = Array.from({ length: CONNECTIONS_MAX }, () =>
          send(client, chat(upstream.origin, fake, STREAM), call => {
            call.keepsBytes = false
          }),
        )
        await until(
          'the wave is there',
          () => upstream.requestsEver === seen + wave.length && wave.every(ready),
        )
        for (const call of wave) call.abort()
        expect(client.pools()[0]).toMatchObject({ busy: 0, queued: 0, connecting: 0 })
        leavers.push(...wave)
      }
      await until(
        'the upstream saw all of them',
        () => upstream.requests.every(request => request.aborted),
        10_000,
      )
      silent(leavers)
      await poolIsWhole(client, 0)
    },
    60_000,
  )
}

// Sessions that many calls share: how they are filled, bounded, left, refused, cut and closed.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/common/clock.ts'
import { Target } from '../../src/upstream/connect.ts'
import type { UpstreamClient } from '../../src/upstream/index.ts'
import { type FakeUpstream, startFakeUpstream, until } from '../support/fake-upstream/index.ts'
import * as frames from '../support/http2-frames.ts'
import { startProxy } from '../support/proxy.ts'
import { chat, PATIENT, run, STREAM, send } from './collect.ts'
import { Bench } from './contract/bench.ts'

const FOLDER = join(import.meta.dirname, '../fixtures/tls')
const file = (name: string): string => readFileSync(join(FOLDER, name), 'utf8')
const LOCALHOST = { key: file('localhost.key'), cert: file('localhost.pem') }
const NO_ERROR = 0
const REFUSED_STREAM = 7
const CANCEL = 8

const bench = new Bench('negotiated')
const servers: { close(): Promise<void> }[] = []
beforeEach(() => bench.start())
afterEach(async () => {
  await bench.stop()
  await Promise.all(servers.splice(0).map(server => server.close()))
})

/** An origin that answers with these frames, and a client of it. */
async function speaking(
  ...args: Parameters<typeof frames.startFrameServer> extends [unknown, ...infer R] ? R : never
) {
  const server = await frames.startFrameServer(LOCALHOST, ...args)
  servers.push(server)
  return { server, origin: `https://127.0.0.1:${server.port}`, client: bench.open({ connectionsMax: 64 }) }
}

/** Calls that run, all of them at the upstream. */
async function running(client: UpstreamClient, origin: string, count: number, fake = 'hangBeforeHeaders') {
  const seen = bench.upstream.requestsEver
  const calls = Array.from({ length: count }, () => send(client, chat(origin, fake, STREAM)))
  await until('they have arrived', () => bench.upstream.requestsEver === seen + count)
  return calls
}

describe('a session', () => {
  test('carries many calls at once, and the next ones', async () => {
    const client = bench.open({ connectionsMax: 64 })
    for (let round = 0; round < 3; round += 1) {
      const calls = Array.from({ length: 50 }, () =>
        send(client, chat(bench.upstream.origin, 'delayBetweenFramesMs=2', STREAM)),
      )
      await Promise.all(calls.map(call => call.over))
      expect(new Set(calls.map(call => call.outcome))).toEqual(new Set(['200 ended']))
    }
    expect(bench.bridge!.socketsEver).toBe(1)
    expect(bench.bridge!.streamsPeak).toBe(50)
    expect(client.pools()[0]).toMatchObject({ opened: 1, idle: 50, busy: 0, resent: 0 })
  })

  test('carries no more streams than the bound of the pool; those who wait are served in turn', async () => {
    const client = bench.open({ connectionsMax: 3 })
    const order: number[] = []
    const calls = Array.from({ length: 60 }, (_, at) =>
      send(client, chat(bench.upstream.origin, 'delayBeforeHeadersMs=2'), call => {
        void call.over.then(() => order.push(at))
      }),
    )
    expect(client.pools()[0]).toMatchObject({ connecting: 3, queued: 60 })
    await Promise.all(calls.map(call => call.over))
    expect(new Set(calls.map(call => call.outcome))).toEqual(new Set(['200 ended']))
    expect(bench.bridge).toMatchObject({ socketsEver: 1, streamsPeak: 3 })
    expect(order.filter((call, at) => Math.abs(call - at) > 6)).toEqual([])
  })

  test('carries no more streams than the upstream allows; others get sessions of their own', async () => {
    const bridge = await bench.front(Number(new URL(bench.directOrigin).port), { maxConcurrentStreams: 5 })
    const client = bench.open({ connectionsMax: 20 })
    const calls = await running(client, bridge.origin, 20)
    expect(bridge).toMatchObject({ socketsEver: 4, streamsPeak: 5 })
    const waiting = send(client, chat(bridge.origin))
    expect(client.pools()[0]).toMatchObject({ busy: 20, queued: 1, opened: 4 })
    for (const call of calls) call.abort()
    await waiting.over
    expect(waiting.outcome).toBe('200 ended')
    expect(bridge).toMatchObject({ socketsEver: 4, streamsPeak: 5 })
  })

  test('loses one stream when a caller leaves, and no other', async () => {
    const client = bench.open({})
    const [leaver] = await running(client, bench.upstream.origin, 1)
    const stayers = await running(client, bench.upstream.origin, 3, 'frames=20;delayBetweenFramesMs=5')
    leaver!.abort()
    await until('the upstream saw it', () => bench.upstream.requests[0]!.aborted)
    expect(bench.bridge!.resets).toEqual([CANCEL])
    await Promise.all(stayers.map(call => call.over))
    expect(stayers.map(call => call.outcome)).toEqual(['200 ended', '200 ended', '200 ended'])
    expect(client.pools()[0]).toMatchObject({ opened: 1, busy: 0, idle: 4 })
  })

  test('is replaced after a hundred callers that left, before the upstream takes it for an attack', async () => {
    const client = bench.open({ connectionsMax: 64 })
    const [stayer] = await running(client, bench.upstream.origin, 1, 'frames=100;delayBetweenFramesMs=20')
    for (let wave = 0; wave < 5; wave += 1) {
      for (const call of await running(client, bench.upstream.origin, 50)) call.abort()
    }
    expect(bench.bridge!.socketsEver).toBe(3)
    await stayer!.over
    expect(stayer!.outcome).toBe('200 ended')
    await until('the old sessions are closed', () => bench.bridge!.socketsOpen <= 1)
  })

  test('is closed when it has been idle, and followed by another when it is old', async () => {
    const client = bench.open({ idleMsMax: 150 })
    await run(client, chat(bench.upstream.origin))
    expect(client.pools()[0]).toMatchObject({ idle: 1 })
    await until('it is closed', () => bench.bridge!.socketsOpen === 0)
    expect(client.pools()[0]).toMatchObject({ idle: 0 })
    const ageing = bench.open({ ageMsMax: 150 })
    const long = send(ageing, chat(bench.upstream.origin, 'frames=40;delayBetweenFramesMs=20', STREAM))
    await until('it runs', () => long.bytes > 0)
    await new Promise(resolve => setTimeout(resolve, 300))
    await run(ageing, chat(bench.upstream.origin))
    expect(ageing.pools()[0]).toMatchObject({ opened: 2 })
    await long.over
    expect(long.outcome).toBe('200 ended')
  })

  test('that the upstream closes in order takes no new call and finishes the running ones', async () => {
    const client = bench.open({})
    const [long] = await running(client, bench.upstream.origin, 1, 'frames=20;delayBetweenFramesMs=10')
    for (const session of bench.bridge!.sessions) session.close()
    await new Promise(resolve => setTimeout(resolve, 50))
    expect((await run(client, chat(bench.upstream.origin))).outcome).toBe('200 ended')
    await long!.over
    expect(long!.outcome).toBe('200 ended')
    expect(client.pools()[0]).toMatchObject({ opened: 2, resent: 0 })
  })

  test('that the upstream cuts is forgotten while idle, and a cut for every call on it', async () => {
    const client = bench.open({})
    await run(client, chat(bench.upstream.origin))
    for (const session of bench.bridge!.sessions) session.destroy()
    await until('it is forgotten', () => client.pools()[0]!.idle === 0)
    const calls = await running(client, bench.upstream.origin, 4, 'hangAfterFrames=2')
    await until('they stream', () => calls.every(call => call.bytes > 0))
    bench.bridge!.cut()
    await Promise.all(calls.map(call => call.over))
    expect(new Set(calls.map(call => call.outcome))).toEqual(new Set(['200 upstream-broke']))
    expect(client.pools()[0]).toMatchObject({ opened: 2, busy: 0, idle: 0, connecting: 0, resent: 0 })
    expect((await run(client, chat(bench.upstream.origin))).outcome).toBe('200 ended')
  })

  test('that is cut has no place left for whoever calls again at once', async () => {
    const client = bench.open({})
    for (let round = 0; round < 5; round += 1) {
      const [call] = await running(client, bench.upstream.origin, 1, 'hangAfterFrames=1')
      await until('it streams', () => call!.bytes > 0)
      bench.bridge!.cut()
      await call!.over
      expect((await run(client, chat(bench.upstream.origin))).outcome).toBe('200 ended')
      expect(client.pools()[0]).toMatchObject({ resent: 0, opened: round + 2 })
    }
  })

  test('that does not answer a ping is over, and so are its calls', async () => {
    const clock = lateClock()
    let pings = 0
    const { origin } = await speaking(frame => {
      if (frame.type === frames.PING) pings += 1
    })
    const client = bench.open({ clock })
    const patient = { ...PATIENT, headersMs: 1e9, totalMs: 1e9 }
    const call = send(client, { ...chat(origin), deadlines: patient })
    await until('it is sent', () => client.pools()[0]!.busy === 1)
    await new Promise(resolve => setTimeout(resolve, 120))
    clock.lateMs += 20_500
    await until('a ping is sent', () => pings === 1)
    clock.lateMs += 10_500
    await call.over
    expect(call.outcome).toBe('upstream-broke')
    expect(call.error?.message).toContain('no answer to a ping')
    expect(pings).toBe(1)
  })
})

describe('an upstream', () => {
  test('that is not ready for a stream gets the call again, once', async () => {
    let refusals = 1
    const { origin, client } = await speaking((frame, socket) => {
      if (frame.type !== frames.HEADERS) return
      refusals -= 1
      if (refusals >= 0) socket.write(frames.reset(frame.stream, REFUSED_STREAM))
      else
        socket.write(
          Buffer.concat([frames.head(frame.stream), frames.data(frame.stream, 'ok', frames.END_STREAM)]),
        )
    })
    expect((await run(client, chat(origin))).text).toBe('ok')
    expect(client.pools()[0]).toMatchObject({ resent: 1, opened: 1 })
    refusals = 2
    const reply = await run(client, chat(origin))
    expect(reply.outcome).toBe('upstream-connect')
    expect(reply.error?.message).toContain('has not seen the request')
    expect((await run(client, chat(origin))).text).toBe('ok')
  })

  test('that says goodbye gets the calls behind its last one again on another session; the others finish', async () => {
    const { origin, client } = await speaking((frame, socket, connection) => {
      if (frame.type !== frames.HEADERS) return
      if (connection > 1) {
        socket.write(
          Buffer.concat([frames.head(frame.stream), frames.data(frame.stream, 'second', frames.END_STREAM)]),
        )
      } else if (frame.stream === 5) {
        socket.write(frames.goaway(1, NO_ERROR))
        setTimeout(() => {
          socket.write(Buffer.concat([frames.head(1), frames.data(1, 'first', frames.END_STREAM)]))
        }, 50)
      }
    })
    const calls = Array.from({ length: 3 }, () => send(client, chat(origin)))
    await Promise.all(calls.map(call => call.over))
    expect(calls.map(call => call.outcome)).toEqual(['200 ended', '200 ended', '200 ended'])
    expect(calls.map(call => call.text)).toEqual(['first', 'second', 'second'])
    expect(client.pools()[0]).toMatchObject({ resent: 2, opened: 2 })
  })

  test('that says goodbye in anger breaks the calls it has seen, and gets the others again', async () => {
    const { origin, client } = await speaking((frame, socket, connection) => {
      if (frame.type !== frames.HEADERS) return
      if (connection === 1 && frame.stream === 3) socket.end(frames.goaway(1, 11))
      else if (connection > 1) {
        socket.write(
          Buffer.concat([frames.head(frame.stream), frames.data(frame.stream, 'ok', frames.END_STREAM)]),
        )
      }
    })
    const calls = Array.from({ length: 2 }, () => send(client, chat(origin)))
    await Promise.all(calls.map(call => call.over))
    expect(calls.map(call => call.outcome)).toEqual(['upstream-broke', '200 ended'])
  })

  test('that was gone when the session was used again costs the caller nothing', async () => {
    let requests = 0
    const { origin, client } = await speaking((frame, socket) => {
      if (frame.type !== frames.HEADERS) return
      requests += 1
      if (requests === 2) socket.destroy()
      else
        socket.write(
          Buffer.concat([frames.head(frame.stream), frames.data(frame.stream, 'ok', frames.END_STREAM)]),
        )
    })
    expect((await run(client, chat(origin))).text).toBe('ok')
    expect((await run(client, chat(origin))).text).toBe('ok')
    expect(client.pools()[0]).toMatchObject({ resent: 1, opened: 2 })
  })

  test('that dies under a fresh call is not asked again', async () => {
    let requests = 0
    const { origin, client } = await speaking((frame, socket) => {
      if (frame.type !== frames.HEADERS) return
      requests += 1
      socket.destroy()
    })
    expect((await run(client, chat(origin))).outcome).toBe('upstream-broke')
    expect(requests).toBe(1)
  })

  test.each([
    ['without an error', NO_ERROR, 'NO_ERROR'],
    ['as cancelled', CANCEL, 'CANCEL'],
    ['with an error', 2, 'INTERNAL_ERROR'],
    ['with a code nobody knows', 99, '99'],
  ])(
    'that resets a stream %s in the middle has cut it, and its session serves on',
    async (_how, code, name) => {
      let requests = 0
      const { origin, client } = await speaking((frame, socket) => {
        if (frame.type !== frames.HEADERS) return
        requests += 1
        const { stream } = frame
        const begun = [frames.head(stream), frames.data(stream, 'begun')]
        if (requests === 1) socket.write(Buffer.concat([...begun, frames.reset(stream, code)]))
        else if (requests === 2) {
          // The same in pieces, so that what came before has been read.
          socket.write(Buffer.concat(begun))
          setTimeout(() => socket.write(frames.reset(stream, code)), 30)
        } else if (requests === 3)
          socket.write(Buffer.concat([frames.head(stream), frames.reset(stream, code)]))
        else socket.write(Buffer.concat([...begun, frames.data(stream, ' and ended', frames.END_STREAM)]))
      })
      const replies = [
        await run(client, chat(origin)),
        await run(client, chat(origin)),
        await run(client, chat(origin)),
      ]
      expect(replies.map(reply => reply.outcome)).toEqual(
        Array.from({ length: 3 }, () => '200 upstream-broke'),
      )
      expect(replies[1]!.error?.message).toContain(
        `reset the stream (${name}) after 5 bytes of an unfinished body`,
      )
      expect((await run(client, chat(origin))).text).toBe('begun and ended')
      expect(client.pools()[0]).toMatchObject({ opened: 1, resent: 0 })
    },
  )

  test('that resets a stream behind its end has answered in full', async () => {
    const { origin, client } = await speaking((frame, socket) => {
      if (frame.type !== frames.HEADERS) return
      const { stream } = frame
      const answer = [frames.head(stream), frames.data(stream, 'enough', frames.END_STREAM)]
      socket.write(Buffer.concat([...answer, frames.reset(stream, NO_ERROR)]))
    })
    const reply = await run(client, { ...chat(origin), body: Buffer.alloc(3_000_000) })
    expect(reply.outcome).toBe('200 ended')
    expect(reply.text).toBe('enough')
    expect(client.pools()[0]).toMatchObject({ busy: 0, opened: 1 })
  })

  test('keeps the order of its fields, and says nothing but a head if it likes', async () => {
    const fields = ['set-cookie', 'a=1', 'x-text', 'Two  Words', 'set-cookie', 'b=2']
    const { origin, client } = await speaking((frame, socket) => {
      if (frame.type === frames.HEADERS) socket.write(frames.head(frame.stream, fields, frames.END_STREAM))
    })
    const reply = await run(client, chat(origin))
    expect(reply.outcome).toBe('200 ended')
    expect(reply.headers).toEqual(fields)
    expect(reply.bytes).toBe(0)
  })

  test.each([
    [
      'another length than it said',
      (stream: number) => [
        frames.head(stream, ['content-length', '9']),
        frames.data(stream, 'short', frames.END_STREAM),
      ],
    ],
    [
      'a field of one connection',
      (stream: number) => [frames.head(stream, ['connection', 'close'], frames.END_STREAM)],
    ],
    ['a name in capitals', (stream: number) => [frames.head(stream, ['X-A', 'b'], frames.END_STREAM)]],
  ])('that sends %s is not believed', async (_what, answer) => {
    const { origin, client } = await speaking((frame, socket) => {
      if (frame.type === frames.HEADERS) socket.write(Buffer.concat(answer(frame.stream)))
    })
    const reply = await run(client, chat(origin))
    expect(reply.error?.kind).toBe('upstream-broke')
    expect(reply.error?.message).toContain('PROTOCOL_ERROR')
  })

  test('that breaks the protocol and stays is left after a ping', async () => {
    const clock = lateClock()
    const { origin } = await speaking((frame, socket, connection) => {
      if (frame.type !== frames.HEADERS) return
      if (connection === 1) socket.write(frames.data(0, 'for nobody'))
      else
        socket.write(
          Buffer.concat([frames.head(frame.stream), frames.data(frame.stream, 'ok', frames.END_STREAM)]),
        )
    })
    const client = bench.open({ clock })
    const patient = { ...PATIENT, headersMs: 1e9, totalMs: 1e9 }
    const call = send(client, { ...chat(origin), deadlines: patient })
    await until('it is sent', () => client.pools()[0]!.busy === 1)
    // At once, in the moment in which its streams know and the session itself does not yet.
    const again = call.over.then(() => run(client, chat(origin)))
    for (let step = 0; step < 3; step += 1) {
      await new Promise(resolve => setTimeout(resolve, 150))
      clock.lateMs += 20_500
    }
    await call.over
    expect(call.outcome).toBe('upstream-broke')
    expect((await again).text).toBe('ok')
    expect(client.pools()[0]).toMatchObject({ resent: 0, opened: 2 })
  })

  test('that agrees on HTTP/2 and says nothing is over with the connect deadline', async () => {
    const { origin, client, server } = await speaking(
      () => {},
      () => {},
    )
    const calls = Array.from({ length: 3 }, () =>
      send(client, { ...chat(origin), deadlines: { ...PATIENT, connectMs: 150 } }),
    )
    await Promise.all(calls.map(call => call.over))
    expect(calls.map(call => call.error?.message)).toEqual(
      Array.from({ length: 3 }, () => expect.stringContaining('(connect deadline)')),
    )
    await until('its socket is closed', () => server.sockets.every(socket => socket.destroyed))
  })

  test('that closes before it has said anything is a failed connect for all who wait', async () => {
    const { origin, client } = await speaking(
      () => {},
      socket => socket.destroy(),
    )
    const calls = Array.from({ length: 5 }, () => send(client, chat(origin)))
    await Promise.all(calls.map(call => call.over))
    expect(new Set(calls.map(call => call.outcome))).toEqual(new Set(['upstream-connect']))
    expect(client.pools()[0]).toMatchObject({ connecting: 0, queued: 0 })
  })

  test('that allows no stream is a failed connect, and one that allows fewer later gets fewer', async () => {
    const none = await speaking(
      () => {},
      socket => socket.write(frames.settings(0)),
    )
    const reply = await run(none.client, chat(none.origin))
    expect(reply.error?.message).toContain('it allows no streams')
    const { origin, client } = await speaking((frame, socket) => {
      if (frame.type !== frames.HEADERS) return
      socket.write(
        Buffer.concat([frames.head(frame.stream), frames.data(frame.stream, 'ok', frames.END_STREAM)]),
      )
    })
    const calls = Array.from({ length: 10 }, () => send(client, chat(origin)))
    await Promise.all(calls.map(call => call.over))
    expect(client.pools()[0]).toMatchObject({ idle: 10 })
    for (const socket of lastServer().sockets) socket.write(frames.settings(2))
    await until('there are two places', () => client.pools()[0]!.idle === 2)
  })

  test('whose request is still on its way is not hurried by the deadline for headers', async () => {
    let windows = 0
    const { origin, client } = await speaking((frame, socket) => {
      if (frame.type === frames.DATA && frame.payload.length > 0) {
        const open = Buffer.alloc(4)
        open.writeUInt32BE(frame.payload.length)
        // A window update of stream and session, slowly.
        setTimeout(() => {
          windows += 1
          socket.write(Buffer.concat([frames.frame(8, 0, frame.stream, open), frames.frame(8, 0, 0, open)]))
        }, 20)
      }
      if ((frame.flags & frames.END_STREAM) !== 0 && frame.type === frames.DATA) {
        socket.write(
          Buffer.concat([frames.head(frame.stream), frames.data(frame.stream, 'ok', frames.END_STREAM)]),
        )
      }
    })
    const deadlines = { ...PATIENT, headersMs: 400 }
    const begunMs = performance.now()
    const reply = await run(client, { ...chat(origin), body: Buffer.alloc(3_000_000), deadlines })
    expect(reply.outcome).toBe('200 ended')
    expect(performance.now() - begunMs).toBeGreaterThan(400)
    expect(windows).toBeGreaterThan(20)
  })
})

test('a request that HTTP/2 cannot carry is the caller’s fault, and the next one is carried', async () => {
  const request = chat(bench.upstream.origin)
  for (const headers of [
    ['content-type', 'a/b', 'content-type', 'c/d'],
    ['http2-settings', 'AAMAAABkAAQAAP__'],
  ]) {
    const reply = await run(bench.client, { ...request, headers })
    expect(reply.outcome).toBe('bad-request')
    expect(reply.error?.message).toMatch(/cannot be written in HTTP\/2: ERR_HTTP2_/)
  }
  expect((await run(bench.client, request)).outcome).toBe('200 ended')
  expect(bench.client.pools()[0]).toMatchObject({ opened: 1, busy: 0 })
})

test('the name of the upstream is said as in HTTP/1.1, without the port that goes without saying', () => {
  expect(new Target('https://api.test:443')).toMatchObject({
    hostName: 'api.test',
    authority: 'api.test:443',
  })
  expect(new Target('https://api.test:8443')).toMatchObject({ hostName: 'api.test:8443' })
})

describe('negotiation', () => {
  let secure: FakeUpstream
  beforeEach(async () => {
    secure = await startFakeUpstream({ tls: LOCALHOST })
  })
  afterEach(() => secure.close())

  test('with an upstream that knows HTTP/1.1 alone gives everybody a connection of that kind', async () => {
    const client = bench.open({ connectionsMax: 8 })
    const calls = Array.from({ length: 40 }, () => send(client, chat(secure.origin, '', STREAM)))
    await Promise.all(calls.map(call => call.over))
    expect(new Set(calls.map(call => call.outcome))).toEqual(new Set(['200 ended']))
    expect(secure.socketsEver).toBe(8)
    expect(client.pools()[0]).toMatchObject({ opened: 8, idle: 8, busy: 0 })
  })

  test('works through a proxy, and plain http is not asked', async () => {
    const proxy = await startProxy()
    servers.push(proxy)
    const plan = proxy.plan()
    const bridge = await bench.front(Number(new URL(bench.directOrigin).port), {}, 'other')
    const client = bench.open({ proxies: { http: plan, https: plan, except: [] } })
    const origin = `https://other.test:${bridge.port}`
    const calls = Array.from({ length: 5 }, () => send(client, chat(origin, '', STREAM)))
    await Promise.all(calls.map(call => call.over))
    expect(new Set(calls.map(call => call.outcome))).toEqual(new Set(['200 ended']))
    expect(proxy.asked).toMatchObject([{ method: 'CONNECT', target: `other.test:${bridge.port}` }])
    expect(bridge).toMatchObject({ socketsEver: 1, streamsPeak: 5 })
    proxy.mood = { kind: 'refuse', status: 502 }
    const other = bench.open({ proxies: { http: plan, https: plan, except: [] } })
    expect((await run(other, chat(origin))).error?.message).toContain('the proxy answered 502')
    const plain = `http://models.test:${new URL(bench.directOrigin).port}`
    expect((await run(client, chat(plain))).outcome).toBe('200 ended')
  })
})

function lastServer(): frames.FrameServer {
  return servers.at(-1) as frames.FrameServer
}

/** A clock that the test moves on. */
function lateClock() {
  const clock = {
    lateMs: 0,
    monotonicMs: () => systemClock.monotonicMs() + clock.lateMs,
    epochMs: () => systemClock.epochMs(),
  }
  return clock
}

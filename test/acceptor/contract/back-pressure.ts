import { expect, test } from 'vitest'
import type { Seen } from '../fake-engine.ts'
import { BOUNDS, type Bench, pause, request, until } from './bench.ts'

const PIECE_BYTES = 50_000

/** Writes pieces until told to stop, goes on when drained, and ends after `bytes`. Returns how much was written. */
function pump(seen: Seen, bytes: number, length: number | null): () => number {
  let written = 0
  const step = (): void => {
    while (written < bytes) {
      const piece = Buffer.alloc(Math.min(PIECE_BYTES, bytes - written), written / PIECE_BYTES)
      written += piece.length
      if (!seen.reply.write(piece)) {
        if (written === bytes) break
        return
      }
    }
    seen.reply.end()
  }
  seen.onDrained = step
  seen.reply.head(200, [], length)
  step()
  return () => written
}

/** What `pump` writes. */
function pumped(bytes: number): Buffer {
  const out = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at += PIECE_BYTES) out.fill(at / PIECE_BYTES, at, at + PIECE_BYTES)
  return out
}

export function backPressure(bench: Bench): void {
  for (const sized of [false, true]) {
    const bytes = 30_000_000
    const kind = sized ? 'known length' : 'unknown length'

    test(`stops a writer of ${kind} beyond the bound, and goes on when the client reads`, async () => {
      let writtenSoFar = (): number => 0
      bench.engine.handle = seen => {
        seen.onBody = () => (writtenSoFar = pump(seen, bytes, sized ? bytes : null))
      }
      const client = await bench.connect()
      client.socket.pause()
      client.send(request('GET /a'))
      await until(() => bench.engine.seen.length === 1 && writtenSoFar() > 0, 'the first pieces')
      await pause(200)
      const stoppedAt = writtenSoFar()
      expect(stoppedAt).toBeLessThan(bytes / 2)
      const { reply, events } = bench.engine.last
      expect(reply.pendingBytes).toBeGreaterThan(BOUNDS.replyPendingBytesMax)
      expect(reply.pendingBytes).toBeLessThanOrEqual(BOUNDS.replyPendingBytesMax + 2 * PIECE_BYTES)
      const drainedSoFar = events.filter(event => event === 'drained').length
      await pause(100)
      expect(writtenSoFar()).toBe(stoppedAt)
      client.socket.resume()
      const got = await client.reply()
      expect(got.complete).toBe(true)
      expect(got.body.equals(pumped(bytes))).toBe(true)
      expect(events.filter(event => event === 'drained').length).toBeGreaterThan(drainedSoFar)
      expect(reply.pendingBytes).toBe(0)
      await until(() => bench.kind === 'node' || bench.acceptor.connections === 0, 'no request left')
    })

    test(`tells of a client that leaves while a writer of ${kind} waits`, async () => {
      bench.engine.handle = seen => {
        seen.onBody = () => pump(seen, bytes, sized ? bytes : null)
      }
      for (const leave of ['FIN', 'reset'] as const) {
        const client = await bench.connect()
        client.socket.pause()
        client.send(request('GET /a'))
        const count = bench.engine.seen.length
        await until(() => bench.engine.seen.length > count, 'the request')
        await pause(100)
        if (leave === 'FIN') client.socket.end()
        else client.reset()
        await until(() => bench.engine.last.events.includes('gone'), `gone after ${leave}`)
        expect(bench.engine.last.events.filter(event => event === 'gone').length).toBe(1)
        expect(bench.engine.last.reply.pendingBytes).toBe(0)
        client.destroy()
      }
      await until(() => bench.acceptor.connections === 0, 'no connection left')
    })
  }

  test('of one client is not felt by another', async () => {
    bench.engine.handle = seen => {
      if (seen.request.target === '/slow') seen.onBody = () => pump(seen, 30_000_000, null)
      else seen.onBody = () => seen.reply.whole(200, [], Buffer.from('fast'))
    }
    const slow = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const client = await bench.connect()
        client.socket.pause()
        return client.send(request('GET /slow'))
      }),
    )
    await until(() => bench.engine.seen.length === slow.length, 'the slow ones')
    const fast = await bench.connect()
    for (let count = 0; count < 50; count += 1) {
      fast.send(request('GET /fast'))
      expect((await fast.reply()).body.toString()).toBe('fast')
    }
  })

  test('holds for a whole reply too: it is handed over at once and trickles out', async () => {
    const body = pumped(20_000_000)
    bench.engine.handle = seen => {
      seen.onBody = () => seen.reply.whole(200, [], body)
    }
    const client = await bench.connect()
    client.socket.pause()
    client.send(request('GET /a'))
    await pause(200)
    client.socket.resume()
    const got = await client.reply()
    expect(got.headers.get('content-length')).toBe(String(body.length))
    expect(got.body.equals(body)).toBe(true)
    client.send(request('GET /a'))
    expect((await client.reply()).body.length).toBe(body.length)
  })

  test('that never eases ends with the client cut off', async () => {
    await bench.start({ stallMsMax: 300 })
    bench.engine.handle = seen => {
      seen.onBody = () => pump(seen, 30_000_000, null)
    }
    const client = await bench.connect()
    client.socket.pause()
    client.send(request('GET /a'))
    await until(() => bench.engine.seen.length === 1, 'the request')
    await until(() => bench.engine.last.events.includes('gone'), 'gone')
    client.socket.resume()
    await client.ended()
  })

  test('is not felt by many small pieces to a client that reads', async () => {
    const count = 2_000
    bench.engine.handle = seen => {
      seen.onBody = () => {
        seen.reply.head(200, [], null)
        for (let at = 0; at < count; at += 1) seen.reply.write(Buffer.from(`piece ${at}\n`))
        seen.reply.end()
      }
    }
    const client = await bench.say(request('GET /a'))
    const { body } = await client.reply()
    expect(body.toString()).toBe(Array.from({ length: count }, (_, at) => `piece ${at}\n`).join(''))
  })
}

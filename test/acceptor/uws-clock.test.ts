// What the native server decides by a clock of its own: connections that never get as far as a request close within
// ten seconds, which it counts in steps of four. All of them at once, because each takes that long.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { Bench, KINDS, pause, post, request, until } from './contract/bench.ts'
import { DOUBTFUL_HEADS, SMUGGLED } from './contract/smuggling.ts'
import { echo } from './fake-engine.ts'
import type { RawClient } from './raw-client.ts'

const NATIVE_CLOSE_MS_MAX = 16_000
const FROM_MS = performance.now()

const bench = new Bench('uws')
beforeEach(async () => {
  if (KINDS.includes('uws')) await bench.start({ bounds: { bodyWaitMsMax: 14_000 }, stallMsMax: 60_000 })
})
afterEach(() => bench.stop())

/** Sends something small now and then until the connection ends. */
async function dribble(client: RawClient, bytes: string): Promise<void> {
  const timer = setInterval(() => client.send(bytes), 1_000)
  await client.ended(NATIVE_CLOSE_MS_MAX)
  clearInterval(timer)
}

async function closingConnections(): Promise<void> {
  const doubtful = DOUBTFUL_HEADS.map(async ({ bytes }) =>
    (await bench.say(bytes + SMUGGLED)).ended(NATIVE_CLOSE_MS_MAX),
  )
  const silent = (await bench.connect()).ended(NATIVE_CLOSE_MS_MAX)
  const slow = dribble(await bench.say('GET /slow HTTP/1.1\r\nHost: h\r\n'), 'X-A: b\r\n')
  const kept = await bench.say(post('/kept', 'x'))
  await kept.reply()
  await Promise.all([...doubtful, silent, slow, kept.ended(NATIVE_CLOSE_MS_MAX)])
  expect(bench.engine.seen.map(seen => seen.request.target)).not.toContain('/slow')
  expect(bench.engine.seen.map(seen => seen.request.target)).not.toContain('/smuggled')
}

/** A body that moves, but slower than the native server likes, is ours to judge. */
async function slowBody(): Promise<void> {
  const client = await bench.say(request('POST /slow-body', ['Content-Length: 14']))
  for (let count = 0; count < 14; count += 1) {
    await pause(1_000)
    client.send('x')
  }
  expect((await client.reply()).body.length).toBe(14)
}

/** An engine that thinks for long is not cut, whether or not its request came slowly. */
async function longThought(slowly: boolean): Promise<void> {
  const path = slowly ? '/think-slow' : '/think'
  const client = await bench.say(request(`POST ${path}`, ['Content-Length: 2'], 'x'))
  if (slowly) await pause(2_000)
  client.send('y')
  expect((await client.reply()).body.toString()).toBe('thought')
}

/** A client that reads nothing for long keeps its reply. */
async function slowReader(sized: boolean): Promise<void> {
  const client = await bench.say(request(`GET ${sized ? '/sized' : '/stream'}`))
  client.socket.pause()
  await pause(14_000)
  client.socket.resume()
  const reply = await client.reply()
  expect(reply.complete).toBe(true)
  expect(reply.body.length).toBe(STREAM_BYTES)
}

const STREAM_BYTES = 12_000_000

test.runIf(KINDS.includes('uws'))(
  'closes what never becomes a request and leaves alone what is ours to judge',
  {
    timeout: 40_000,
  },
  async () => {
    bench.engine.handle = seen => {
      switch (seen.request.target) {
        case '/think':
        case '/think-slow':
          seen.onBody = () => setTimeout(() => seen.reply.whole(200, [], Buffer.from('thought')), 14_500)
          break
        case '/sized':
          seen.reply.whole(200, [], Buffer.alloc(STREAM_BYTES, 'x'))
          break
        case '/stream': {
          const piece = Buffer.alloc(100_000, 'x')
          let left = STREAM_BYTES
          const step = (): void => {
            while (left > 0) {
              left -= piece.length
              if (!seen.reply.write(piece) && left > 0) return
            }
            seen.reply.end()
          }
          seen.onDrained = step
          seen.onBody = () => {
            seen.reply.head(200, [], null)
            step()
          }
          break
        }
        default:
          echo(seen)
      }
    }
    await Promise.all([
      closingConnections(),
      slowBody(),
      longThought(false),
      longThought(true),
      slowReader(true),
      slowReader(false),
    ])
    await until(() => bench.acceptor.connections === 0, 'no request left')
    expect(performance.now() - FROM_MS).toBeGreaterThan(10_000)
  },
)

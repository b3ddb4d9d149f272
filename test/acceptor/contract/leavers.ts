import { expect, test } from 'vitest'
import { someError } from '../fake-engine.ts'
import { type Bench, chunked, pause, post, request, until } from './bench.ts'

/** As many as the issue of leavers is about: thousands, over all phases. */
const LEAVERS_PER_PHASE = 300
const AT_ONCE = 50

interface Phase {
  readonly name: string
  readonly bytes: string
  /** How far the reply has come when the client leaves. */
  readonly reply: 'none' | 'head' | 'part' | 'whole'
  /** The engine gets to see the request. */
  readonly seen: boolean
}

const PHASES: readonly Phase[] = [
  { name: 'before it has said anything', bytes: '', reply: 'none', seen: false },
  { name: 'inside its header block', bytes: 'POST /a HTTP/1.1\r\nHost: h\r\nX-', reply: 'none', seen: false },
  { name: 'before its body', bytes: request('POST /a', ['Content-Length: 10']), reply: 'none', seen: true },
  {
    name: 'inside its body',
    bytes: request('POST /a', ['Content-Length: 10'], '12345'),
    reply: 'none',
    seen: true,
  },
  {
    name: 'inside a chunk',
    bytes: request('POST /a', ['Transfer-Encoding: chunked'], '5\r\n12'),
    reply: 'none',
    seen: true,
  },
  { name: 'while it waits', bytes: post('/a', 'body'), reply: 'none', seen: true },
  {
    name: 'while it waits after a chunked request',
    bytes: chunked('/a', ['body']),
    reply: 'none',
    seen: true,
  },
  { name: 'after the head has been given', bytes: post('/a', 'body'), reply: 'head', seen: true },
  { name: 'inside its reply', bytes: post('/a', 'body'), reply: 'part', seen: true },
  { name: 'after its reply', bytes: post('/a', 'body'), reply: 'whole', seen: true },
]

export function leavers(bench: Bench): void {
  test.each(PHASES)(
    'that leaves $name is told of at once, once, and costs nothing afterwards',
    async phase => {
      bench.engine.handle = seen => {
        seen.onBody = () => {
          if (phase.reply === 'whole') seen.reply.whole(200, [], Buffer.from('all'))
          else if (phase.reply !== 'none') seen.reply.head(200, [], null)
          if (phase.reply === 'part') seen.reply.write(Buffer.from('part'))
        }
      }
      for (let count = 0; count < LEAVERS_PER_PHASE; count += AT_ONCE) {
        const before = bench.engine.seen.length
        const clients = await Promise.all(Array.from({ length: AT_ONCE }, () => bench.say(phase.bytes)))
        if (phase.seen) await until(() => bench.engine.seen.length === before + AT_ONCE, 'all requests')
        if (phase.reply === 'part' || phase.reply === 'whole') {
          await Promise.all(clients.map(client => client.until(() => client.text.length > 0, 'some reply')))
        }
        for (const [index, client] of clients.entries()) {
          if (index % 3 === 0) client.reset()
          else client.destroy()
        }
      }
      await until(() => bench.acceptor.connections === 0, 'no connection left')
      const gone = bench.engine.seen.map(seen => seen.events.filter(event => event === 'gone').length)
      expect(gone.every(times => times === (phase.reply === 'whole' ? 0 : 1))).toBe(true)
      const fresh = await bench.say(post('/a', 'body'))
      bench.engine.handle = seen => seen.reply.whole(200, [], Buffer.from('served'))
      fresh.destroy()
      const later = await bench.say(request('GET /b'))
      expect((await later.reply()).body.toString()).toBe('served')
    },
  )

  test('that closes its sending side has left: the engine knows within a loop turn of the news', async () => {
    bench.engine.handle = () => {}
    const client = await bench.say(post('/a', 'body'))
    await until(() => bench.engine.seen.length === 1, 'the request')
    let goneAtMs = 0
    bench.engine.last.onGone = () => (goneAtMs = performance.now())
    const fromMs = performance.now()
    client.socket.end()
    await until(() => goneAtMs > 0, 'gone')
    expect(goneAtMs - fromMs).toBeLessThan(100)
    await client.ended()
    expect(client.text).toBe('')
    expect(bench.acceptor.connections).toBe(0)
  })

  test('that closes its sending side in the same breath may still get a reply that is ready at once', async () => {
    bench.engine.handle = seen => seen.reply.whole(200, [], Buffer.from('at once'))
    const client = await bench.connect()
    client.socket.end(Buffer.from(request('GET /a'), 'latin1'))
    expect((await client.reply()).body.toString()).toBe('at once')
    await client.ended()
  })

  test('that has left is not written to, and the engine may say whatever it likes', async () => {
    bench.engine.handle = () => {}
    const client = await bench.say(post('/a', 'body'))
    await until(() => bench.engine.seen.length === 1, 'the request')
    client.reset()
    const { last } = bench.engine
    await until(() => last.events.includes('gone'), 'gone')
    last.reply.head(200, [], null)
    expect(last.reply.write(Buffer.from('x'))).toBe(true)
    last.reply.end()
    last.reply.whole(200, [], Buffer.from('x'))
    last.reply.abort(someError())
    last.reply.resumeBody()
    expect(last.reply.pendingBytes).toBe(0)
    await pause(20)
    expect(last.events).toEqual(['body', 'gone'])
  })

  test('may be left by an engine that answers from inside gone', async () => {
    bench.engine.handle = seen => {
      seen.onGone = () => seen.reply.whole(500, [], Buffer.from('x'))
    }
    const client = await bench.say(post('/a', 'body'))
    await until(() => bench.engine.seen.length === 1, 'the request')
    client.destroy()
    await until(() => bench.acceptor.connections === 0, 'no connection left')
    expect(bench.engine.last.events).toEqual(['body', 'gone'])
  })
}

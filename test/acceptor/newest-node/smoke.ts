// Started from its source by another version of Node (see `newest-node.test.ts`): opens the acceptor that loads there
// and asks it for one thing of each chapter of the contract. Prints what it opened and how much held, as JSON.

import assert from 'node:assert/strict'
import { openAcceptor, portSharing } from '../../../src/acceptor/index.ts'
import { BOUNDS, chunked, pause, post, request, TLS, until } from '../contract/bench.ts'
import { FakeEngine } from '../fake-engine.ts'
import { RawClient } from '../raw-client.ts'

let held = 0
const engine = new FakeEngine()
const base = {
  listener: 'main',
  address: '127.0.0.1',
  port: 0,
  tls: null,
  bounds: BOUNDS,
  exclusive: true,
} as const

async function hold(what: string, check: () => Promise<void>): Promise<void> {
  try {
    await check()
    held += 1
  } catch (thrown) {
    throw new Error(`on ${process.version}: ${what}`, { cause: thrown })
  }
}

async function smoke(port: number): Promise<void> {
  const say = async (bytes: string): Promise<RawClient> => (await RawClient.connect(port)).send(bytes)

  await hold('bodies of both framings come back', async () => {
    for (const bytes of [post('/a', 'body'), chunked('/a', ['bo', 'dy'])]) {
      const client = await say(bytes)
      assert.equal((await client.reply()).body.toString(), 'body')
      client.destroy()
    }
  })
  await hold('a connection is kept', async () => {
    const client = await RawClient.connect(port)
    for (const body of ['one', 'two'])
      assert.equal((await client.send(post('/a', body)).reply()).body.toString(), body)
    client.destroy()
  })
  await hold('a request that could smuggle is refused and the connection closes', async () => {
    const client = await say(request('POST /a', ['Content-Length: 3', 'Content-Length: 4'], 'abcd'))
    const reply = await client.reply()
    assert.equal(reply.status, 400)
    assert.equal(reply.headers.get('connection'), 'close')
    client.socket.end()
    await client.ended()
  })
  await hold('a large body is refused', async () => {
    const client = await say(request('POST /a', ['Content-Length: 5000000']))
    assert.equal((await client.reply()).status, 413)
    client.destroy()
  })
  await hold('a reply streams, pauses and goes on', async () => {
    const bytes = 20_000_000
    const piece = Buffer.alloc(50_000, 'x')
    let waits = 0
    engine.handle = seen => {
      let left = bytes / piece.length
      const step = (): void => {
        while (left > 0) {
          left -= 1
          if (!seen.reply.write(piece) && left > 0) {
            waits += 1
            return
          }
        }
        seen.reply.end()
      }
      seen.onDrained = step
      seen.onBody = () => {
        seen.reply.head(200, [], null)
        step()
      }
    }
    const client = await RawClient.connect(port)
    client.socket.pause()
    client.send(request('GET /a'))
    await pause(200)
    client.socket.resume()
    assert.equal((await client.reply()).body.length, bytes)
    assert.ok(waits > 0)
    client.destroy()
  })
  await hold('a client that closes its sending side has left', async () => {
    engine.handle = () => {}
    const count = engine.seen.length
    const client = await say(post('/a', 'x'))
    await until(() => engine.seen.length > count, 'the request')
    client.socket.end()
    await until(() => engine.last.events.includes('gone'), 'gone')
    await client.ended()
  })
}

const opened = await openAcceptor({ ...base, kind: 'auto' }, engine)
const { acceptor, fallback } = opened
await acceptor.listen()
await smoke(acceptor.port)
await until(() => acceptor.connections === 0, 'no connection left')

if (portSharing(acceptor.kind)) {
  await hold('a port can be shared', async () => {
    const probe = (await openAcceptor({ ...base, kind: acceptor.kind }, engine)).acceptor
    await probe.listen()
    const { port } = probe
    probe.close()
    await pause(50)
    const sharing = { ...base, kind: acceptor.kind, port, exclusive: false }
    const two = [await openAcceptor(sharing, engine), await openAcceptor(sharing, engine)]
    for (const each of two) await each.acceptor.listen()
    for (const each of two) each.acceptor.close()
  })
}

await hold('TLS is served', async () => {
  const { acceptor: secure } = await openAcceptor({ ...base, kind: acceptor.kind, tls: TLS }, engine)
  await secure.listen()
  engine.handle = seen => seen.reply.whole(200, [], Buffer.from('secret'))
  const client = await RawClient.connect(secure.port, true)
  assert.equal((await client.send(request('GET /a')).reply()).body.toString(), 'secret')
  secure.close()
})

acceptor.close()
console.log(JSON.stringify({ node: process.versions.node, kind: acceptor.kind, fallback, held }))

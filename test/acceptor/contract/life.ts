import net, { type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { type Bench, pause, post, request, until } from './bench.ts'

export function life(bench: Bench): void {
  test('starts on a port the system chooses and says which', async () => {
    expect(bench.acceptor.port).toBeGreaterThan(0)
    expect(bench.acceptor.kind).toBe(bench.kind)
    expect((await bench.open()).port).toBe(0)
  })

  test('fails on a taken port with a message that names address and port', async () => {
    const { port } = bench.acceptor
    const second = await bench.open({ port })
    await expect(second.listen()).rejects.toThrow(
      `cannot listen on 127.0.0.1 port ${port}: the port is taken (EADDRINUSE)`,
    )
    expect((await (await bench.say(request('GET /a'))).reply()).status).toBe(200)
  })

  test('fails on a port that another program has', async () => {
    const other = net.createServer()
    await new Promise<void>(done => other.listen(0, '127.0.0.1', done))
    const { port } = other.address() as AddressInfo
    await expect((await bench.open({ port })).listen()).rejects.toThrow(`port ${port}`)
    await expect((await bench.open({ port, exclusive: false })).listen()).rejects.toThrow(`port ${port}`)
    other.close()
  })

  test('fails on an address this machine does not have', async () => {
    const acceptor = await bench.open({ address: '192.0.2.1' })
    await expect(acceptor.listen()).rejects.toThrow(
      /^cannot listen on 192\.0\.2\.1 port 0: this machine has no such/,
    )
  })

  test('serves IPv6 and shows its addresses', async () => {
    let address = ''
    bench.engine.handle = seen => {
      address = seen.request.remoteAddress
      seen.reply.whole(200, [], Buffer.from('x'))
    }
    const acceptor = await bench.open({ address: '::1' })
    await acceptor.listen()
    const socket = net.connect({ port: acceptor.port, host: '::1' })
    socket.on('error', () => {})
    socket.write(request('GET /a'))
    await until(() => address !== '', 'the address')
    expect(address).toBe('::1')
    socket.destroy()
  })

  test('counts what is in progress', async () => {
    bench.engine.handle = () => {}
    const clients = await Promise.all([1, 2, 3].map(() => bench.say(post('/a', 'x'))))
    await until(() => bench.engine.seen.length === 3, 'three requests')
    expect(bench.acceptor.connections).toBe(3)
    for (const client of clients) client.destroy()
    await until(() => bench.acceptor.connections === 0, 'none')
  })

  test('that stops accepting refuses newcomers and lets running requests end, closing behind them', async () => {
    bench.engine.handle = () => {}
    const running = await bench.say(post('/a', 'x'))
    const streaming = await bench.say(post('/b', 'x'))
    await until(() => bench.engine.seen.length === 2, 'both requests')
    const [first, second] = bench.engine.seen
    const stream = first!.request.target === '/b' ? first! : second!
    const plain = first!.request.target === '/a' ? first! : second!
    stream.reply.head(200, [], null)
    stream.reply.write(Buffer.from('before '))
    const { port } = bench.acceptor
    bench.acceptor.stopAccepting()
    bench.acceptor.stopAccepting()
    await expect(
      new Promise((done, failed) =>
        net.connect(port, '127.0.0.1').once('connect', done).once('error', failed),
      ),
    ).rejects.toThrow('ECONNREFUSED')
    plain.reply.whole(200, [], Buffer.from('done'))
    const reply = await running.reply()
    expect(reply.headers.get('connection')).toBe('close')
    expect(reply.body.toString()).toBe('done')
    await pause(30)
    stream.reply.write(Buffer.from('after'))
    stream.reply.end()
    expect((await streaming.reply()).body.toString()).toBe('before after')
    if (bench.kind === 'node') await Promise.all([running.ended(), streaming.ended()])
  })

  test('that stops accepting frees the port for a successor', async () => {
    const { port } = bench.acceptor
    bench.acceptor.stopAccepting()
    await pause(20)
    const successor = await bench.open({ port })
    await successor.listen()
    expect(successor.port).toBe(port)
  })

  test('that closes cuts everything and tells the engine', async () => {
    bench.engine.handle = seen => {
      seen.onBody = () => {
        seen.reply.head(200, [], null)
        seen.reply.write(Buffer.from('part'))
      }
    }
    const idle = await bench.connect()
    const half = await bench.say(request('POST /a', ['Content-Length: 5'], 'ab'))
    const streaming = await bench.say(post('/b', 'x'))
    await until(() => bench.engine.seen.length === 2, 'both requests')
    await streaming.until(() => streaming.text.includes('part'), 'the first piece')
    bench.acceptor.close()
    bench.acceptor.close()
    bench.acceptor.stopAccepting()
    await Promise.all([idle.ended(), half.ended()])
    const reply = await streaming.replyOrEnd()
    expect(reply?.complete ?? false).toBe(false)
    await until(() => bench.acceptor.connections === 0, 'none')
    for (const seen of bench.engine.seen) expect(seen.events.filter(event => event === 'gone').length).toBe(1)
  })

  test('closes without having listened', async () => {
    const acceptor = await bench.open()
    acceptor.close()
    expect(acceptor.connections).toBe(0)
  })

  test('turns off Nagle: small pieces are not held back for an acknowledgement', async () => {
    bench.engine.handle = seen => {
      seen.onBody = () => {
        seen.reply.head(200, [], null)
        let left = 20
        const step = (): void => {
          seen.reply.write(Buffer.from('x'))
          if ((left -= 1) > 0) setTimeout(step, 1)
          else seen.reply.end()
        }
        step()
      }
    }
    const client = await bench.say(post('/a', 'x'))
    const fromMs = performance.now()
    await client.reply()
    // With Nagle, each piece would wait some 40 ms for the delayed acknowledgement of the one before.
    expect(performance.now() - fromMs).toBeLessThan(400)
  })
}

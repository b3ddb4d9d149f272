import { expect, test } from 'vitest'
import { ACCEPTOR_TRAITS } from '../../../src/acceptor/index.ts'
import { echo } from '../fake-engine.ts'
import { type Bench, chunked, pause, post, request, until } from './bench.ts'

export function requests(bench: Bench): void {
  test('reaches the engine with method, target, fields and address as sent', async () => {
    const addresses: string[] = []
    bench.engine.handle = seen => {
      addresses.push(seen.request.remoteAddress)
      echo(seen)
    }
    const client = await bench.say(
      request(
        'POST /v1/chat?x=1&x=2',
        ['X-One: a', 'x-ONE: b', 'Accept:', 'X-Tab: \tc\td\t', 'Content-Length: 2'],
        'hi',
      ),
    )
    await client.reply()
    const { request: seen, events } = bench.engine.last
    expect(seen.method).toBe('POST')
    expect(seen.target).toBe('/v1/chat?x=1&x=2')
    expect(seen.headers).toEqual([
      ...['host', 'gateway.test', 'x-one', 'a', 'x-one', 'b', 'accept', '', 'x-tab', 'c\td'],
      ...['content-length', '2'],
    ])
    expect(addresses).toEqual(['127.0.0.1'])
    expect(seen.remoteAddress).toBe('127.0.0.1')
    expect(seen.listener).toBe('main')
    expect(seen.contentLength).toBe(2)
    expect(events).toEqual(['body'])
  })

  test('keeps text beyond ASCII in field values', async () => {
    const client = await bench.say(Buffer.from(request('GET /a', ['X-Title: größer (你好)']), 'utf8'))
    await client.reply()
    expect(bench.engine.last.request.headers).toContain('größer (你好)')
  })

  test('without a body hands over an empty one, once', async () => {
    const client = await bench.say(request('GET /a'))
    expect((await client.reply()).body.length).toBe(0)
    const { events, bytes, request: seen } = bench.engine.last
    expect(events).toEqual(['body'])
    expect(bytes.length).toBe(0)
    expect(seen.contentLength).toBe(0)
  })

  test('with any method and a body is read by its framing', async () => {
    for (const method of ['GET', 'DELETE', 'PATCH', 'PUT', 'OPTIONS']) {
      const client = await bench.say(request(`${method} /a`, ['Content-Length: 3'], 'abc'))
      expect((await client.reply()).body.toString()).toBe('abc')
    }
  })

  test('follows another on the same connection', async () => {
    const client = await bench.connect()
    for (const body of ['one', '', 'three']) {
      client.send(post('/a', body))
      const reply = await client.reply()
      expect(reply.body.toString()).toBe(body)
      expect(reply.headers.get('connection') ?? 'keep-alive').toBe('keep-alive')
    }
  })

  test('that asks to close gets its reply and then the end', async () => {
    for (const value of ['close', 'Close', 'x-thing, close']) {
      const client = await bench.say(request('GET /a', [`Connection: ${value}`]))
      expect((await client.reply()).headers.get('connection')).toBe('close')
      if (value.length === 5) await client.ended()
    }
  })

  test('may wait for leave to send its body', async () => {
    const client = await bench.say(request('POST /a', ['Expect: 100-continue', 'Content-Length: 4']))
    await client.until(() => client.text.includes('\r\n\r\n'), 'the interim reply')
    expect(client.text).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    client.send('body')
    expect((await client.reply()).body.toString()).toBe('body')
  })

  test('with an expectation nobody knows is served without it', async () => {
    const client = await bench.say(request('POST /a', ['Expect: a-miracle', 'Content-Length: 4'], 'body'))
    expect((await client.reply()).body.toString()).toBe('body')
  })

  test('that asks for another protocol is served in this one', async () => {
    const client = await bench.say(request('GET /a', ['Connection: Upgrade', 'Upgrade: websocket']))
    expect((await client.reply()).status).toBe(200)
  })

  test('sent ahead of an immediate reply is answered in order', async () => {
    bench.engine.handle = seen => seen.reply.whole(200, [], Buffer.from(seen.request.target))
    const targets = Array.from({ length: 10 }, (_, index) => `/${index}`)
    const client = await bench.say(targets.map(target => request(`GET ${target}`)).join(''))
    for (const target of targets) expect((await client.reply()).body.toString()).toBe(target)
  })

  test('sent ahead of a late reply never mixes with it', async () => {
    bench.engine.handle = seen => {
      seen.onBody = () => setTimeout(() => seen.reply.whole(200, [], Buffer.from(seen.request.target)), 20)
    }
    const client = await bench.say(['/1', '/2', '/3'].map(target => request(`GET ${target}`)).join(''))
    if (bench.traits.pipelining) {
      for (const target of ['/1', '/2', '/3']) expect((await client.reply()).body.toString()).toBe(target)
      expect(bench.engine.seen.length).toBe(3)
    } else {
      await client.ended()
      expect(bench.engine.seen.length).toBe(1)
      expect(bench.engine.last.events).toEqual(['body', 'gone'])
    }
  })

  test('is never served beside another of its connection', async () => {
    let atOnce = 0
    let most = 0
    bench.engine.handle = seen => {
      most = Math.max(most, (atOnce += 1))
      seen.onBody = () =>
        setTimeout(() => {
          atOnce -= 1
          seen.reply.whole(200, [], Buffer.from('x'))
        }, 5)
    }
    const client = await bench.say(Array.from({ length: 12 }, () => request('GET /a')).join(''))
    await client.replyOrEnd()
    await pause(100)
    expect(most).toBe(1)
  })

  test('is bounded in number while it waits for its turn', async () => {
    bench.engine.handle = () => {}
    const client = await bench.say(Array.from({ length: 500 }, () => request('GET /a')).join(''))
    await pause(100)
    expect(bench.engine.seen.length).toBe(1)
    client.destroy()
    await until(() => bench.acceptor.connections === 0, 'no connection left')
  })

  test('of HTTP/1.0 is answered or refused, as the kind says', async () => {
    const client = await bench.say('GET /a HTTP/1.0\r\n\r\n')
    if (ACCEPTOR_TRAITS[bench.kind].http10) {
      expect((await client.reply()).status).toBe(200)
      await client.ended()
    } else {
      await pause(50)
      expect(bench.engine.seen.length).toBe(0)
    }
  })

  test('cannot be confused by what an engine does after its reply', async () => {
    bench.engine.handle = seen => {
      echo(seen)
      const { onBody } = seen
      seen.onBody = body => {
        onBody(body)
        seen.reply.write(Buffer.from('late'))
        seen.reply.end()
        seen.reply.whole(500, [], Buffer.from('later'))
        seen.reply.resumeBody()
      }
    }
    const client = await bench.say(chunked('/a', ['one']))
    expect((await client.reply()).body.toString()).toBe('one')
  })
}

import { expect, test } from 'vitest'
import { BODY_BYTES_MAX } from '../fake-engine.ts'
import { type Bench, chunked, pause, post, request, until } from './bench.ts'

export function bodies(bench: Bench): void {
  test('arrives whole however large it is', async () => {
    for (const bytes of [1, 1_000, 65_535, 65_536, 262_144, 262_145, 999_999]) {
      const body = Buffer.alloc(bytes, 'abcdefghijk')
      const client = await bench.connect()
      client.send(request('POST /a', [`Content-Length: ${bytes}`])).send(body)
      await client.reply()
      expect(bench.engine.last.bytes.equals(body)).toBe(true)
      expect(bench.engine.last.events).toEqual(['body'])
      client.destroy()
    }
  })

  test('in chunks arrives whole, also with an empty one and with trailer fields', async () => {
    const client = await bench.say(chunked('/a', ['Hello', ', ', 'world'.repeat(30_000)]))
    await client.reply()
    expect(bench.engine.last.bytes.toString()).toBe(`Hello, ${'world'.repeat(30_000)}`)
    expect(bench.engine.last.request.contentLength).toBeNull()
    const empty = await bench.say(chunked('/a', []))
    expect((await empty.reply()).body.length).toBe(0)
    const trailer = await bench.say(
      request('POST /a', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n'),
    )
    expect((await trailer.reply()).body.toString()).toBe('abc')
  })

  test('is owned by the engine: later bodies do not change it', async () => {
    const client = await bench.connect()
    client.send(post('/a', 'first body'))
    await client.reply()
    const first = bench.engine.last.pieces[0]!
    for (let count = 0; count < 20; count += 1) {
      client.send(post('/a', 'XXXXXXXXXX'))
      await client.reply()
    }
    expect(Buffer.from(first).toString()).toBe('first body')
  })

  test('is its receiver’s own: none that comes later changes it', async () => {
    const client = await bench.say(post('/a', 'some body'))
    await client.reply()
    const piece = bench.engine.last.pieces[0]!
    for (let times = 0; times < 20; times += 1) {
      client.send(post('/a', 'the other'))
      await client.reply()
    }
    expect(bench.engine.last.pieces[0]!.length).toBe(piece.length)
    expect(Buffer.from(piece).toString()).toBe('some body')
  })

  test('goes on piece by piece to an engine that wants pieces', async () => {
    bench.engine.handle = seen => {
      seen.bodyMode = 'chunks'
      seen.onBody = body => seen.reply.whole(200, [], body)
    }
    const client = await bench.say(request('POST /a', ['Content-Length: 6'], 'abc'))
    await until(() => bench.engine.seen.length === 1 && bench.engine.last.events.includes('chunk'), 'a piece')
    expect(bench.engine.last.bytes.toString()).toBe('abc')
    client.send('def')
    expect((await client.reply()).body.toString()).toBe('abcdef')
    expect(bench.engine.last.events.at(-1)).toBe('bodyEnd')
  })

  test('waits for an engine that asked for a pause', async () => {
    bench.engine.handle = seen => {
      seen.bodyMode = 'chunks'
      seen.bodyBytesMax = 100_000_000
      seen.wantsMore = false
      seen.onBody = () => seen.reply.whole(200, [], Buffer.from('done'))
    }
    const bytes = 30_000_000
    const client = await bench.say(request('POST /a', [`Content-Length: ${bytes}`]))
    client.send(Buffer.alloc(bytes, 'x'))
    await until(() => bench.engine.seen.length === 1 && bench.engine.last.events.includes('chunk'), 'a piece')
    await pause(100)
    const before = bench.engine.last.bytes.length
    await pause(100)
    expect(bench.engine.last.bytes.length).toBe(before)
    expect(before).toBeLessThan(bytes / 2)
    bench.engine.last.wantsMore = true
    bench.engine.last.reply.resumeBody()
    expect((await client.reply()).body.toString()).toBe('done')
    expect(bench.engine.last.bytes.length).toBe(bytes)
  })

  test('over the bound is refused by its announcement, naming the bound, and the connection closes', async () => {
    const client = await bench.say(request('POST /a', [`Content-Length: ${BODY_BYTES_MAX + 1}`]))
    const reply = await client.reply()
    expect(reply.status).toBe(413)
    expect(reply.headers.get('connection')).toBe('close')
    expect(reply.body.toString()).toContain(`bodyBytesMax (${BODY_BYTES_MAX} bytes)`)
    expect(bench.engine.last.events).toEqual(['failed body-too-large'])
    await client.ended()
  })

  test('over the bound in chunks is refused when the bound is passed', async () => {
    const client = await bench.say(request('POST /a', ['Transfer-Encoding: chunked']))
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    for (let count = 0; count < 20; count += 1) client.send(chunk)
    const reply = await client.reply()
    expect(reply.status).toBe(413)
    expect(bench.engine.last.events).toEqual(['failed body-too-large'])
    await client.ended()
  })

  test('over the bound and already on its way is read while the client looks up: nothing breaks off', async () => {
    const client = await bench.say(request('POST /a', ['Content-Length: 40000000']))
    const sent = new Promise<unknown>(done => client.socket.write(Buffer.alloc(40_000_000, 'x'), done))
    const reply = await client.reply()
    expect(reply.status).toBe(413)
    expect(reply.complete).toBe(true)
    expect(await sent).toBeFalsy()
    await client.ended()
    expect(client.error).toBeNull()
  })

  test('of exactly the bound is taken', async () => {
    const client = await bench.say(post('/a', 'x'.repeat(BODY_BYTES_MAX)))
    expect((await client.reply()).status).toBe(200)
  })

  test('nobody reads is dropped when small, and the connection lives on', async () => {
    bench.engine.handle = seen => {
      seen.bodyMode = 'discard'
      seen.reply.whole(404, [], Buffer.from('nothing here'))
    }
    const client = await bench.connect()
    for (let count = 0; count < 3; count += 1) {
      client.send(post('/nothing', 'x'.repeat(20_000)))
      expect((await client.reply()).status).toBe(404)
    }
    // The same with the body arriving after the reply.
    client.send(request('POST /nothing', ['Content-Length: 5']))
    expect((await client.reply()).status).toBe(404)
    client.send('12345').send(request('GET /after'))
    expect((await client.reply()).status).toBe(404)
    expect(bench.engine.last.request.target).toBe('/after')
    expect(bench.engine.seen.flatMap(seen => seen.events)).toEqual([])
  })

  test('nobody reads closes the connection when large, after the reply', async () => {
    bench.engine.handle = seen => {
      seen.bodyMode = 'discard'
      seen.reply.whole(404, [], Buffer.from('nothing here'))
    }
    const client = await bench.say(request('POST /nothing', ['Content-Length: 3000000']))
    client.send(Buffer.alloc(3_000_000, 'x'))
    const reply = await client.reply()
    expect(reply.status).toBe(404)
    expect(reply.headers.get('connection')).toBe('close')
    await client.ended()
    expect(client.error).toBeNull()
  })

  test('too slow is refused with 408 that names the bound', async () => {
    await bench.start({ bounds: { bodyWaitMsMax: 150 } })
    const client = await bench.say(request('POST /a', ['Content-Length: 10'], 'abc'))
    await pause(75)
    client.send('d')
    const from = performance.now()
    const reply = await client.reply()
    expect(performance.now() - from).toBeGreaterThan(120)
    expect(reply.status).toBe(408)
    expect(reply.body.toString()).toContain('bodyWaitMsMax (150 ms)')
    expect(bench.engine.last.events).toEqual(['failed request-timeout'])
    await client.ended()
  })

  test('that never begins is refused with 408, however its header block came', async () => {
    await bench.start({ bounds: { bodyWaitMsMax: 150 } })
    const bytes = request('POST /a', ['Content-Length: 10'])
    const whole = await bench.say(bytes)
    const torn = await bench.say(bytes.slice(0, 20))
    const chunks = await bench.say(request('POST /a', ['Transfer-Encoding: chunked']))
    await pause(10)
    torn.send(bytes.slice(20))
    for (const client of [whole, torn, chunks]) {
      expect((await client.reply()).status).toBe(408)
      client.destroy()
    }
  })

  test('slow but moving is read to its end', async () => {
    await bench.start({ bounds: { bodyWaitMsMax: 200 } })
    const client = await bench.say(request('POST /a', ['Content-Length: 10']))
    for (const letter of '0123456789') {
      await pause(50)
      client.send(letter)
    }
    expect((await client.reply()).body.toString()).toBe('0123456789')
  })
}

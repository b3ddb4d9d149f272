import { expect, test } from 'vitest'
import { type Seen, someError } from '../fake-engine.ts'
import { type Bench, chunked, pause, post, request, until } from './bench.ts'

/** Writes `pieces` one per loop turn, then ends. */
function trickle(seen: Seen, pieces: readonly (string | Uint8Array)[], length: number | null): void {
  let at = 0
  const step = (): void => {
    if (at === 0) seen.reply.head(200, ['content-type', 'text/plain'], length)
    if (at === pieces.length) {
      seen.reply.end()
      return
    }
    seen.reply.write(Buffer.from(pieces[at]! as string))
    at += 1
    setImmediate(step)
  }
  setImmediate(step)
}

export function replies(bench: Bench): void {
  test('in one step has its length and its fields', async () => {
    bench.engine.handle = seen => {
      seen.onBody = () => seen.reply.whole(418, ['content-type', 'text/x', 'x-a', '1'], Buffer.from('short'))
    }
    const reply = await (await bench.say(post('/a', 'x'))).reply()
    expect(reply.status).toBe(418)
    expect(reply.headers.get('content-length')).toBe('5')
    expect(reply.headers.get('content-type')).toBe('text/x')
    expect(reply.headers.get('x-a')).toBe('1')
    expect(reply.headers.get('date')).toMatch(/GMT$/)
    expect(reply.headers.has('uwebsockets')).toBe(false)
    expect(reply.body.toString()).toBe('short')
  })

  test('of unknown length comes in chunks, each as soon as it is written', async () => {
    bench.engine.handle = () => {}
    const client = await bench.say(request('GET /a'))
    await until(() => bench.engine.seen.length === 1, 'the request')
    const { reply } = bench.engine.last
    reply.head(200, [], null)
    for (const piece of ['one', 'two', 'three']) {
      reply.write(Buffer.from(piece))
      await client.until(() => client.text.endsWith(piece) || client.text.endsWith(`${piece}\r\n`), piece)
    }
    reply.end()
    const got = await client.reply()
    expect(got.headers.get('transfer-encoding')).toBe('chunked')
    expect(got.body.toString()).toBe('onetwothree')
    client.send(request('GET /b'))
    await until(() => bench.engine.seen.length === 2, 'the next request')
  })

  test('of known length in several writes says its length', async () => {
    bench.engine.handle = seen => trickle(seen, ['abc', 'defg', 'h'], 8)
    const client = await bench.say(request('GET /a'))
    const reply = await client.reply()
    expect(reply.headers.get('content-length')).toBe('8')
    expect(reply.headers.has('transfer-encoding')).toBe(false)
    expect(reply.body.toString()).toBe('abcdefgh')
    client.send(request('GET /b'))
    expect((await client.reply()).body.toString()).toBe('abcdefgh')
  })

  test('without bytes is complete in either framing', async () => {
    for (const length of [0, null]) {
      bench.engine.handle = seen => trickle(seen, [], length)
      const client = await bench.say(request('GET /a'))
      const reply = await client.reply()
      expect(reply.complete).toBe(true)
      expect(reply.body.length).toBe(0)
      client.send(request('GET /b'))
      expect((await client.reply()).status).toBe(200)
    }
  })

  test('to HEAD has the fields of the answer and no body, in every form', async () => {
    const forms: ((seen: Seen) => void)[] = [
      seen => seen.reply.whole(200, ['x-a', '1'], Buffer.from('12345')),
      seen => {
        seen.reply.head(200, ['x-a', '1'], 5)
        seen.reply.write(Buffer.from('12345'))
        seen.reply.end()
      },
      seen => {
        seen.reply.head(200, ['x-a', '1'], null)
        seen.reply.write(Buffer.from('12345'))
        seen.reply.end()
      },
    ]
    for (const [index, form] of forms.entries()) {
      bench.engine.handle = form
      const client = await bench.say(request('HEAD /a'))
      const reply = await client.reply(true)
      expect(reply.headers.get('x-a')).toBe('1')
      if (index < 2) expect(reply.headers.get('content-length')).toBe('5')
      await pause(10)
      expect(client.text).toBe('')
      client.send(request('HEAD /b'))
      expect((await client.reply(true)).status).toBe(200)
    }
  })

  test('of 204 or 304 has neither body nor length', async () => {
    for (const status of [204, 304]) {
      bench.engine.handle = seen => seen.reply.whole(status, ['x-a', '1'], new Uint8Array(0))
      const client = await bench.say(request('OPTIONS /a'))
      const reply = await client.reply()
      expect(reply.status).toBe(status)
      expect(reply.headers.has('content-length')).toBe(false)
      client.send(request('OPTIONS /a'))
      expect((await client.reply()).status).toBe(status)
    }
  })

  test('keeps its own framing whatever fields the engine gives', async () => {
    const wrong = [
      ...[
        'content-length',
        '999',
        'transfer-encoding',
        'gzip',
        'connection',
        'close',
        'keep-alive',
        'timeout=1',
      ],
      ...['date', 'yesterday', 'upgrade', 'h2c'],
    ]
    bench.engine.handle = seen => seen.reply.whole(200, wrong, Buffer.from('body'))
    const client = await bench.say(request('GET /a'))
    const reply = await client.reply()
    expect(reply.headers.get('content-length')).toBe('4')
    expect(reply.headers.has('transfer-encoding')).toBe(false)
    expect(reply.headers.get('date')).not.toBe('yesterday')
    expect(reply.headers.has('upgrade')).toBe(false)
    client.send(request('GET /a'))
    expect((await client.reply()).body.toString()).toBe('body')
  })

  test('passes on bytes above ASCII in fields as they are', async () => {
    bench.engine.handle = seen => seen.reply.whole(200, ['x-a', 'caf\xe9'], Buffer.from('x'))
    const client = await bench.say(request('GET /a'))
    expect((await client.reply()).headers.get('x-a')).toBe('caf\xe9')
  })

  test('with a field that would split it fails as a bug, and nothing of it is sent', async () => {
    const failures: unknown[] = []
    for (const value of ['a\r\nx-evil: 1', 'a\nb', 'a\0b', 'a\u010ab']) {
      bench.engine.handle = seen => {
        seen.onBody = () => {
          try {
            seen.reply.whole(200, ['x-a', value], Buffer.from('x'))
          } catch (thrown) {
            failures.push(thrown)
            seen.reply.abort(someError())
          }
        }
      }
      const client = await bench.say(request('GET /a'))
      await client.ended()
      expect(client.text).toBe('')
    }
    expect(failures.length).toBe(4)
  })

  test('may come before the body has been read', async () => {
    bench.engine.handle = seen => {
      seen.bodyMode = 'discard'
      seen.reply.head(200, [], null)
      seen.reply.write(Buffer.from('early '))
      setTimeout(() => {
        seen.reply.write(Buffer.from('late'))
        seen.reply.end()
      }, 20)
    }
    const client = await bench.say(request('POST /a', ['Content-Length: 4'], 'ab'))
    await client.until(() => client.text.includes('early'), 'the first piece')
    client.send('cd')
    expect((await client.reply()).body.toString()).toBe('early late')
  })

  test('that is cut never looks complete', async () => {
    const cuts: readonly [name: string, cut: (seen: Seen) => void][] = [
      ['before its head', seen => seen.reply.abort(someError())],
      [
        'between head and body',
        seen => {
          seen.reply.head(200, [], null)
          seen.reply.abort(someError())
        },
      ],
      [
        'in chunks',
        seen => {
          seen.reply.head(200, [], null)
          seen.reply.write(Buffer.from('part'))
          setTimeout(() => seen.reply.abort(someError()), 10)
        },
      ],
      [
        'short of its length',
        seen => {
          seen.reply.head(200, [], 10)
          seen.reply.write(Buffer.from('part'))
          setTimeout(() => seen.reply.abort(someError()), 10)
        },
      ],
      [
        'by an engine that ends it too early',
        seen => {
          seen.reply.head(200, [], 10)
          seen.reply.write(Buffer.from('part'))
          setTimeout(() => seen.reply.end(), 10)
        },
      ],
    ]
    for (const [name, cut] of cuts) {
      for (const from of ['open', 'body'] as const) {
        bench.engine.handle = seen => {
          if (from === 'open') cut(seen)
          else seen.onBody = () => cut(seen)
        }
        const client = await bench.say(post('/a', 'x'))
        const reply = await client.replyOrEnd()
        expect(reply === null || !reply.complete, `${name}, ${from}`).toBe(true)
        await client.ended()
        expect(bench.engine.last.events, 'whoever cuts is not told').not.toContain('gone')
      }
    }
    await until(() => bench.acceptor.connections === 0, 'no connection left')
  })

  test.skipIf(!bench.traits.http10)(
    'to HTTP/1.0 that is cut ends in a reset, as nothing else would show it',
    async () => {
      bench.engine.handle = seen => {
        seen.reply.head(200, [], null)
        seen.reply.write(Buffer.from('part'))
        setTimeout(() => seen.reply.abort(someError()), 20)
      }
      const client = await bench.say('GET /a HTTP/1.0\r\n\r\n')
      await client.until(() => client.closed, 'the end')
      expect(client.text).toContain('part')
      expect(client.error).toBe('ECONNRESET')
    },
  )

  test('longer than announced is a bug that the client does not see as bytes', async () => {
    let failure: unknown = null
    bench.engine.handle = seen => {
      seen.reply.head(200, [], 4)
      seen.reply.write(Buffer.from('12'))
      try {
        seen.reply.write(Buffer.from('345'))
      } catch (thrown) {
        failure = thrown
        seen.reply.abort(someError())
      }
    }
    const client = await bench.say(request('GET /a'))
    await client.ended()
    expect(failure).not.toBeNull()
    expect(client.text).not.toContain('345')
  })

  test('to a chunked request is complete in every form, and exact', async () => {
    const forms: ((seen: Seen) => void)[] = [
      seen => seen.reply.whole(200, [], Buffer.from('whole reply')),
      seen => trickle(seen, ['whole ', 'reply'], 11),
      seen => trickle(seen, ['whole ', 'reply'], null),
      seen => trickle(seen, [], null),
      seen => trickle(seen, [], 0),
    ]
    for (const [index, form] of forms.entries()) {
      bench.engine.handle = seen => {
        seen.onBody = () => form(seen)
      }
      const client = await bench.say(chunked('/a', ['x']))
      const reply = await client.reply()
      expect(reply.complete).toBe(true)
      expect(reply.body.toString()).toBe(index < 3 ? 'whole reply' : '')
      if (index < 2) expect(reply.headers.get('content-length')).toBe('11')
      if (!bench.traits.strictChunks) {
        expect(reply.headers.get('connection')).toBe('close')
        await client.ended(1_000)
        expect(client.text).toBe('')
      }
    }
  })

  test('does not change when the engine uses its memory again', async () => {
    const memory = Buffer.alloc(50_000)
    bench.engine.handle = () => {}
    const client = await bench.say(request('GET /a'))
    await until(() => bench.engine.seen.length === 1, 'the request')
    const { reply } = bench.engine.last
    client.socket.pause()
    reply.head(200, [], null)
    for (let letter = 0; letter < 200; letter += 1) {
      memory.fill(letter)
      reply.write(memory)
    }
    memory.fill(255)
    reply.end()
    client.socket.resume()
    const { body } = await client.reply()
    const written = Buffer.concat(
      Array.from({ length: 200 }, (_, letter) => Buffer.alloc(memory.length, letter)),
    )
    expect(body.equals(written)).toBe(true)
  })
}

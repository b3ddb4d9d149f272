import { expect, test } from 'vitest'
import { BOUNDS, type Bench, pause, request, until } from './bench.ts'

export function heads(bench: Bench): void {
  test('longer than the bound is refused with 431 that names the bound', async () => {
    const client = await bench.say(request('GET /a', [`X-Long: ${'x'.repeat(BOUNDS.headerBytesMax)}`]))
    const reply = await client.reply()
    expect(reply.status).toBe(431)
    expect(reply.body.toString()).toContain(`headerBytesMax (${BOUNDS.headerBytesMax} bytes)`)
    expect(bench.engine.seen.length).toBe(0)
    client.socket.end()
    await client.ended()
  })

  test('below the bound is served', async () => {
    const client = await bench.say(request('GET /a', [`X-Long: ${'x'.repeat(BOUNDS.headerBytesMax - 200)}`]))
    expect((await client.reply()).status).toBe(200)
  })

  test('that comes in pieces is served as far as the kind says', async () => {
    const served = async (bytes: number): Promise<boolean> => {
      const text = request('GET /a', [`X-Long: ${'x'.repeat(bytes)}`])
      const client = await bench.connect()
      for (let at = 0; at < text.length; at += 1_000) {
        if (client.over) break
        client.send(text.slice(at, at + 1_000))
        await pause(3)
      }
      return (await client.replyOrEnd()) !== null
    }
    expect(await served(3_500)).toBe(true)
    expect(await served(12_000)).toBe(bench.traits.splitHeadBytesMax === null)
  })

  test('with too many fields is not served', async () => {
    const fields = Array.from({ length: 150 }, (_, index) => `X-${index}: a`)
    const client = await bench.say(request('GET /a', fields))
    if (bench.traits.answersMalformedHeads) {
      const reply = await client.reply()
      expect(reply.status).toBe(431)
      expect(reply.body.toString()).toContain('headerFieldsMax (100)')
    } else await pause(50)
    expect(bench.engine.seen.length).toBe(0)
  })

  test('with as many fields as clients send is served', async () => {
    const fields = Array.from({ length: 45 }, (_, index) => `X-${index}: a`)
    expect((await (await bench.say(request('GET /a', fields))).reply()).status).toBe(200)
    expect(bench.engine.last.request.headers.length).toBe(92)
  })

  // The native server's own clock is looked at in `uws-clock.test.ts`.
  test.skipIf(!bench.traits.ownHeadTimeouts)(
    'too slow is refused with 408 that names the bound',
    async () => {
      await bench.start({ bounds: { headersWaitMsMax: 200 } })
      const client = await bench.say('GET /a HTTP/1.1\r\nHost: h\r\n')
      const dribble = setInterval(() => client.send('X-A: b\r\n'), 50)
      const reply = await client.reply()
      clearInterval(dribble)
      expect(reply.status).toBe(408)
      expect(reply.body.toString()).toContain('headersWaitMsMax (200 ms)')
      expect(bench.engine.seen.length).toBe(0)
    },
  )

  test.skipIf(!bench.traits.ownHeadTimeouts)(
    'too slow on a connection used before is no better',
    async () => {
      await bench.start({ bounds: { headersWaitMsMax: 200 } })
      const client = await bench.say(request('GET /a'))
      await client.reply()
      client.send('GET /b HTTP/1.1\r\nHo')
      expect((await client.reply()).status).toBe(408)
    },
  )

  test.skipIf(!bench.traits.ownHeadTimeouts)('that never comes ends its connection in silence', async () => {
    await bench.start({ bounds: { headersWaitMsMax: 200, idleMsMax: 200 } })
    const fresh = await bench.connect()
    const kept = await bench.say(request('GET /a'))
    await kept.reply()
    await Promise.all([fresh.ended(3_000), kept.ended(3_000)])
    expect(fresh.text + kept.text).toBe('')
    await until(() => bench.acceptor.connections === 0, 'no connection left')
  })
}

// Requests that two readers could read differently. Each is refused, or at least nothing is served behind it.

import { describe, expect, test } from 'vitest'
import { type Bench, pause } from './bench.ts'

interface Doubtful {
  readonly name: string
  readonly bytes: string
  /** Also the native server shows enough for a 400 in the dialect of the path. */
  readonly visible?: boolean
}

export const head = (...lines: string[]): string =>
  ['POST /victim HTTP/1.1', 'Host: h', ...lines, '', ''].join('\r\n')
const CHUNKS = '3\r\nabc\r\n0\r\n\r\n'
export const TE = 'Transfer-Encoding: chunked'

export const DOUBTFUL_HEADS: readonly Doubtful[] = [
  { name: 'both framings', bytes: head('Content-Length: 3', TE) + CHUNKS },
  { name: 'both framings, the other way round', bytes: head(TE, 'Content-Length: 3') + CHUNKS },
  {
    name: 'two lengths that differ',
    bytes: `${head('Content-Length: 3', 'Content-Length: 4')}abcd`,
    visible: true,
  },
  {
    name: 'two lengths that agree',
    bytes: `${head('Content-Length: 3', 'Content-Length: 3')}abc`,
    visible: true,
  },
  { name: 'a list of lengths', bytes: `${head('Content-Length: 3, 3')}abc` },
  { name: 'an empty length', bytes: head('Content-Length:'), visible: true },
  { name: 'a length with a sign', bytes: `${head('Content-Length: +3')}abc` },
  { name: 'a negative length', bytes: `${head('Content-Length: -3')}abc` },
  { name: 'a length in hexadecimal', bytes: `${head('Content-Length: 0x3')}abc` },
  { name: 'a length with a blank in it', bytes: `${head('Content-Length: 1 2')}abc` },
  { name: 'a length that overflows', bytes: `${head('Content-Length: 18446744073709551619')}abc` },
  {
    name: 'an encoding that ends in chunked',
    bytes: head('Transfer-Encoding: xchunked') + CHUNKS,
    visible: true,
  },
  { name: 'a list of encodings', bytes: head('Transfer-Encoding: gzip, chunked') + CHUNKS, visible: true },
  {
    name: 'chunked twice in a list',
    bytes: head('Transfer-Encoding: chunked, chunked') + CHUNKS,
    visible: true,
  },
  { name: 'chunked with a parameter', bytes: head('Transfer-Encoding: chunked;a=b') + CHUNKS, visible: true },
  { name: 'the identity encoding', bytes: head('Transfer-Encoding: identity'), visible: true },
  { name: 'an empty encoding', bytes: head('Transfer-Encoding:'), visible: true },
  { name: 'an empty encoding and a length', bytes: `${head('Transfer-Encoding:', 'Content-Length: 3')}abc` },
  { name: 'the encoding in two fields', bytes: head(TE, TE) + CHUNKS, visible: true },
  { name: 'a blank before the colon', bytes: `${head('Content-Length : 3')}abc` },
  { name: 'a tab before the colon', bytes: `${head('Content-Length\t: 3')}abc` },
  { name: 'a blank before the colon of the encoding', bytes: head('Transfer-Encoding : chunked') + CHUNKS },
  { name: 'a folded field', bytes: head('X-A: b', ' Content-Length: 3') },
  { name: 'a folded first field', bytes: 'POST /victim HTTP/1.1\r\n Host: h\r\nHost: h\r\n\r\n' },
  { name: 'a bare LF between fields', bytes: head('X-A: b\nContent-Length: 3') },
  { name: 'a bare LF at the end of the request line', bytes: 'POST /victim HTTP/1.1\nHost: h\r\n\r\n' },
  { name: 'a bare CR in a value', bytes: head('X-A: b\rContent-Length: 3') },
  { name: 'a NUL in a value', bytes: head('X-A: b\0c') },
  { name: 'a control character in a value', bytes: head('X-A: b\x01c') },
  { name: 'DEL in a value', bytes: head('X-A: b\x7fc'), visible: true },
  { name: 'a NUL in a name', bytes: head('X\0A: b') },
  { name: 'a blank in a name', bytes: head('X A: b') },
  { name: 'a bracket in a name', bytes: head('X(A: b') },
  { name: 'a letter beyond ASCII in a name', bytes: head('X\xe9: b') },
  { name: 'a line without a colon', bytes: head('Content-Length 3') },
  { name: 'two hosts', bytes: head('Host: i'), visible: true },
  { name: 'no host', bytes: 'POST /victim HTTP/1.1\r\nX-A: b\r\n\r\n' },
  { name: 'a host with a path', bytes: 'POST /victim HTTP/1.1\r\nHost: h/x\r\n\r\n', visible: true },
  { name: 'a target that is no path', bytes: 'POST http://h/victim HTTP/1.1\r\nHost: h\r\n\r\n' },
  { name: 'a target with a blank', bytes: 'POST /a b HTTP/1.1\r\nHost: h\r\n\r\n' },
  { name: 'a target with a NUL', bytes: 'POST /a\0b HTTP/1.1\r\nHost: h\r\n\r\n' },
  { name: 'a target beyond ASCII', bytes: 'POST /a\xe9 HTTP/1.1\r\nHost: h\r\n\r\n', visible: true },
  { name: 'a method in small letters', bytes: 'post /victim HTTP/1.1\r\nHost: h\r\n\r\n' },
  { name: 'a method that is no word', bytes: 'P(ST /victim HTTP/1.1\r\nHost: h\r\n\r\n' },
  { name: 'a tunnel', bytes: 'CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n' },
  { name: 'an unknown version', bytes: 'POST /victim HTTP/1.2\r\nHost: h\r\n\r\n' },
  { name: 'no version', bytes: 'POST /victim\r\nHost: h\r\n\r\n' },
  { name: 'HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  { name: 'a TLS greeting', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' },
]

export const BAD_CHUNKS: readonly (readonly [name: string, chunks: string])[] = [
  ['a size that is no number', 'zz\r\nabc\r\n0\r\n\r\n'],
  ['a negative size', '-3\r\nabc\r\n0\r\n\r\n'],
  ['a size with a prefix', '0x3\r\nabc\r\n0\r\n\r\n'],
  ['a size that overflows', 'ffffffffffffffff3\r\nabc\r\n0\r\n\r\n'],
  ['an empty size', '\r\nabc\r\n0\r\n\r\n'],
  ['a size with something behind it', '3 x\r\nabc\r\n0\r\n\r\n'],
  ['a size that ends in a bare LF', '3\nabc\r\n0\r\n\r\n'],
  ['a chunk longer than its size', '3\r\nabcXX0\r\n\r\n'],
  ['a chunk shorter than its size', '5\r\nabc\r\n0\r\n\r\n'],
]

/** Would be served if the bytes in front of it were read as ending where they do not. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n'

export function smuggling(bench: Bench): void {
  const sawSmuggled = (): boolean => bench.engine.seen.some(seen => seen.request.target === '/smuggled')

  describe('with a doubtful head', () => {
    const answered = DOUBTFUL_HEADS.filter(
      ({ visible }) => visible === true || bench.traits.answersMalformedHeads,
    )
    test.each(answered.filter(({ name }) => name !== 'a TLS greeting'))(
      '($name) is refused with 400 and the connection closes',
      async ({ bytes }) => {
        const client = await bench.say(bytes)
        const reply = await client.reply()
        expect(reply.status).toBe(400)
        expect(reply.headers.get('connection')).toBe('close')
        expect(reply.body.toString()).toContain('malformed request')
        expect(bench.engine.seen.length).toBe(0)
        expect(bench.engine.refused.length).toBe(1)
        client.socket.end()
        await client.ended()
      },
    )

    // That every such connection closes, which takes the native server its time, is in `uws-clock.test.ts`.
    test('is never served, nor is anything behind it', async () => {
      const clients = await Promise.all(DOUBTFUL_HEADS.map(({ bytes }) => bench.say(bytes + SMUGGLED)))
      if (bench.traits.answersMalformedHeads) await Promise.all(clients.map(client => client.ended()))
      else await pause(300)
      expect(bench.engine.seen.map(seen => seen.request.target)).toEqual([])
      const replies = clients.map(client => /^HTTP\/1.1 (\d+)/.exec(client.text)?.[1] ?? 'none')
      expect(replies.filter(status => status !== '400' && status !== 'none')).toEqual([])
    })

    test('names the path for the dialect of the refusal', async () => {
      const client = await bench.say('POST /v1/messages HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n')
      await client.reply()
      expect(bench.engine.refused[0]!.target).toBe('/v1/messages')
    })
  })

  describe('with doubtful chunks', () => {
    test.each(BAD_CHUNKS)(
      '(%s) is refused, or served as the last of its connection',
      async (_name, chunks) => {
        const client = await bench.say(head(TE) + chunks)
        if (bench.traits.strictChunks) {
          expect((await client.reply()).status).toBe(400)
          expect(bench.engine.last.events).toEqual(['failed bad-request'])
          await client.ended()
        } else {
          const reply = await Promise.race([client.replyOrEnd(), pause(200)])
          if (reply) expect(reply.headers.get('connection')).toBe('close')
          if (reply !== undefined) await client.ended()
          else expect(bench.engine.last.events, 'still waiting for the rest').toEqual([])
        }
        expect(bench.engine.seen.length).toBe(1)
      },
    )

    test.each(BAD_CHUNKS)('(%s) lets nothing behind it be served', async (_name, chunks) => {
      const together = await bench.say(head(TE) + chunks + SMUGGLED)
      const apart = await bench.say(head(TE) + chunks)
      await pause(20)
      if (!apart.over) apart.send(SMUGGLED)
      await Promise.race([Promise.all([together.replyOrEnd(), apart.replyOrEnd()]), pause(200)])
      await pause(20)
      expect(sawSmuggled()).toBe(false)
    })
  })
}

// Laws of the reply parser: any cut of the bytes gives the same events, and no bytes make it throw.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReplyParser, type ReplyResult } from '../../src/upstream/http1-reply.ts'

const seed = Number(process.env['FAST_CHECK_SEED'] ?? Date.now() % 0x7fffffff)
console.log(`http1-reply properties: FAST_CHECK_SEED=${seed}`)

interface Outcome {
  readonly events: string
  readonly body: string
  readonly result: ReplyResult
  readonly keepAlive: boolean
}

function parse(pieces: readonly Buffer[]): Outcome {
  const bodies: Buffer[] = []
  let events = ''
  const parser = new ReplyParser({
    head: (status, headers) => {
      events += `${status} ${JSON.stringify(headers)};`
    },
    data: piece => bodies.push(Buffer.from(piece)),
  })
  parser.reset(false)
  let result: ReplyResult = 'more'
  for (const piece of pieces) {
    // A copy: the parser may move bytes about inside what it is given.
    result = parser.push(Buffer.from(piece))
    if (result !== 'more') break
  }
  return { events, body: Buffer.concat(bodies).toString('latin1'), result, keepAlive: parser.keepAlive }
}

function cutUp(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map(cut => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  const pieces: Buffer[] = []
  let from = 0
  for (const to of [...at, bytes.length]) {
    if (to > from) pieces.push(bytes.subarray(from, to))
    from = to
  }
  return pieces
}

const chunk = fc.tuple(
  fc.uint8Array({ minLength: 1, maxLength: 40 }),
  fc.constantFrom('', ';a=b', ' ;c', ';q="x"'),
  fc.boolean(),
)
const field = fc.tuple(
  fc.constantFrom('x-a', 'X-B', 'Date', 'server'),
  fc.constantFrom('', 'v', ' two words ', 'ü'),
)

/** A sound reply, chunked or with a length, and the body it carries. */
const soundReply = fc
  .record({
    status: fc.integer({ min: 200, max: 599 }).filter(status => status !== 204 && status !== 304),
    fields: fc.array(field, { maxLength: 6 }),
    chunks: fc.array(chunk, { maxLength: 12 }),
    chunked: fc.boolean(),
    interim: fc.nat({ max: 2 }),
    trailers: fc.array(field, { maxLength: 2 }),
  })
  .map(({ status, fields, chunks, chunked, interim, trailers }) => {
    const body = Buffer.concat(chunks.map(([bytes]) => bytes))
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    const framing = chunked ? 'Transfer-Encoding: chunked' : `content-length: ${body.length}`
    const head = Buffer.from(
      `${'HTTP/1.1 103 Hint\r\n\r\n'.repeat(interim)}HTTP/1.1 ${status} R\r\n${lines}${framing}\r\n\r\n`,
      'latin1',
    )
    if (!chunked) return { wire: Buffer.concat([head, body]), body, status }
    const parts = chunks.flatMap(([bytes, extension, upper]) => {
      const size = bytes.length.toString(16)
      return [
        Buffer.from(`${upper ? size.toUpperCase() : size}${extension}\r\n`),
        Buffer.from(bytes),
        Buffer.from('\r\n'),
      ]
    })
    const end = `0\r\n${trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
    return { wire: Buffer.concat([head, ...parts, Buffer.from(end, 'latin1')]), body, status }
  })

const cuts = fc.array(fc.nat({ max: 5_000 }), { maxLength: 30 })

test('any split of a sound reply gives its body and the same events', () => {
  fc.assert(
    fc.property(soundReply, cuts, ({ wire, body, status }, at) => {
      const whole = parse([wire])
      expect(whole.result).toBe('done')
      expect(whole.body).toBe(body.toString('latin1'))
      expect(whole.events.startsWith(`${status} `)).toBe(true)
      expect(parse(cutUp(wire, at))).toEqual(whole)
    }),
    { seed, numRuns: 1_500 },
  )
})

test('any split of a damaged reply gives the same events up to the same verdict', () => {
  const damage = fc.array(fc.tuple(fc.nat({ max: 5_000 }), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  })
  fc.assert(
    fc.property(soundReply, damage, cuts, ({ wire }, blows, at) => {
      const broken = Buffer.from(wire)
      for (const [where, byte] of blows) broken[where % broken.length] = byte
      const whole = parse([broken])
      const split = parse(cutUp(broken, at))
      expect(split.result).toBe(whole.result)
      expect(split.body).toBe(whole.body)
      expect(split.events).toBe(whole.events)
    }),
    { seed, numRuns: 1_500 },
  )
})

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), cuts, (bytes, at) => {
      parse(cutUp(Buffer.from(bytes), at))
    }),
    { seed, numRuns: 500 },
  )
})

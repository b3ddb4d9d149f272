// Laws of requests that arrive in pieces: wherever the bytes are cut, the engine sees the same request.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BodyIntake } from '../../src/acceptor/body.ts'
import { Bench, chunked, KINDS, post } from './contract/bench.ts'
import { Seen } from './fake-engine.ts'

const seed = process.env['FAST_CHECK_SEED']
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) })

const BODY = '{"model":"m","messages":[{"role":"user","content":"hi"}]}'
const FIELDS = ['Content-Type: application/json', 'Authorization: Bearer k']
const REQUESTS: readonly (readonly [name: string, bytes: string])[] = [
  ['a length', post('/v1/chat/completions?a=b', BODY, FIELDS)],
  ['one chunk', chunked('/v1/chat/completions?a=b', [BODY], FIELDS)],
  ['many chunks', chunked('/v1/chat/completions?a=b', [...BODY], FIELDS)],
]

/** Sends `bytes` in pieces cut at `cuts`, one piece per loop turn or several if the system joins them. */
async function sendCut(bench: Bench, bytes: string, cuts: readonly number[]): Promise<string> {
  const client = await bench.connect()
  let from = 0
  for (const cut of [...cuts, bytes.length]) {
    client.send(bytes.slice(from, cut))
    from = cut
    await new Promise(done => setImmediate(done))
  }
  const reply = await client.reply()
  client.destroy()
  return reply.body.toString()
}

describe.each(KINDS)('on the %s acceptor', kind => {
  const bench = new Bench(kind)
  beforeAll(() => bench.start())
  afterAll(() => bench.stop())

  test.each(REQUESTS)('a request with %s may be cut in two anywhere', async (_name, bytes) => {
    const offsets = Array.from({ length: bytes.length - 1 }, (_, at) => at + 1)
    for (let at = 0; at < offsets.length; at += 50) {
      const bodies = await Promise.all(offsets.slice(at, at + 50).map(cut => sendCut(bench, bytes, [cut])))
      expect(bodies.every(body => body === BODY)).toBe(true)
    }
    const seen = bench.engine.seen.slice(-offsets.length)
    expect(new Set(seen.map(each => each.request.target))).toEqual(new Set(['/v1/chat/completions?a=b']))
    expect(new Set(seen.map(each => each.request.headers.join('|'))).size).toBe(1)
    expect(seen.every(each => each.events.join() === 'body')).toBe(true)
  })

  test.each(REQUESTS)('a request with %s may be cut into any number of pieces', async (_name, bytes) => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(cuts, async places => {
        const sorted = [...places].sort((a, b) => a - b)
        expect(await sendCut(bench, bytes, sorted)).toBe(BODY)
      }),
      { numRuns: 40 },
    )
  })
})

describe('collecting a body', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 12 })

  test('gives the same bytes for any pieces, lent or owned, announced or not', () => {
    fc.assert(
      fc.property(
        pieces,
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom('whole', 'chunks'),
        (parts, lent, known, mode) => {
          const whole = Buffer.concat(parts)
          const seen = new Seen({} as never, {} as never)
          seen.bodyMode = mode as 'whole' | 'chunks'
          const intake = new BodyIntake(seen, known ? whole.length : null)
          for (const part of parts) {
            const given = Uint8Array.from(part)
            expect(intake.take(given, false, lent)).toBe('more')
            if (lent) given.fill(0xee)
          }
          expect(intake.take(new Uint8Array(0), true, lent)).toBe('complete')
          expect(seen.bytes.equals(whole)).toBe(true)
          if (mode === 'whole') expect(seen.events).toEqual(['body'])
          else expect(seen.events.at(-1)).toBe('bodyEnd')
        },
      ),
    )
  })

  test('refuses at the first byte over the bound, whatever the pieces, and hands over nothing', () => {
    fc.assert(
      fc.property(pieces, fc.integer({ min: 0, max: 20_000 }), (parts, bound) => {
        const seen = new Seen({} as never, {} as never)
        seen.bodyBytesMax = bound
        const intake = new BodyIntake(seen, null)
        let bytes = 0
        let refused = false
        for (const part of parts) {
          bytes += part.length
          refused = intake.take(part, false, true) === 'too-large'
          expect(refused).toBe(bytes > bound)
          if (refused) break
        }
        if (refused) expect(seen.events).toEqual([])
      }),
    )
  })
})

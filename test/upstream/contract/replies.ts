// The reply as the handler sees it, sound and unsound.

import { expect, test } from 'vitest'
import { until } from '../../support/fake-upstream/index.ts'
import { STREAM, chat, run, send } from '../collect.ts'
import { HTTP1_ONLY_REPLIES, HTTP1_UNSOUND_REPLIES, SOUND_REPLIES, UNSOUND_REPLIES } from '../replies.ts'
import type { Bench, Kind } from './bench.ts'

export function replies(bench: Bench, kind: Kind): void {
  const sound = kind === 'http1' ? [...SOUND_REPLIES, ...HTTP1_ONLY_REPLIES] : SOUND_REPLIES
  const unsound = kind === 'http1' ? [...UNSOUND_REPLIES, ...HTTP1_UNSOUND_REPLIES] : UNSOUND_REPLIES

  test.each(sound)('with $name is read however its bytes are cut', async expected => {
    const { client, upstream } = bench
    const raw = Buffer.from(expected.raw, 'latin1')
    const lasting = expected.untilClose === true ? { connectionClose: true } : {}
    for (const splitBytes of [0, 1, 2, 7]) {
      upstream.script({ raw, behaviour: { ...lasting, splitBytes } })
      const request = { ...chat(upstream.origin), method: expected.method ?? 'POST' }
      const reply = await run(client, request)
      expect(reply.outcome).toBe(`${expected.status} ended`)
      expect(Buffer.concat(reply.pieces).toString('latin1')).toBe(expected.body)
    }
    // HEAD is where undici always lets go of the connection.
    if (expected.reusable && expected.method === undefined) expect(upstream.socketsEver).toBe(1)
    if (!expected.reusable && kind !== 'negotiated') expect(upstream.socketsEver).toBe(4)
  })

  // What is unsound in HTTP/1.1 never comes through a front as it is.
  test.each(kind === 'negotiated' ? [] : unsound)(
    '($name) fails the call and closes the connection',
    async ({ raw }) => {
      const { client, upstream } = bench
      upstream.script({ raw: Buffer.from(raw, 'latin1') })
      const reply = await run(client, chat(upstream.origin))
      expect(reply.error?.kind).toBe('upstream-protocol')
      expect(reply.error?.message).toContain(`127.0.0.1:${upstream.port}`)
      expect(reply.breaches).toEqual([])
      expect(client.pools()[0]).toMatchObject({ busy: 0, idle: 0, queued: 0, connecting: 0 })
      await until('the connection was closed', () => upstream.socketsOpen === 0)
    },
  )

  test('whose header block is too large is refused', async () => {
    const { upstream } = bench
    const client = bench.open({ headerBytesMax: 4_096 })
    expect((await run(client, chat(upstream.origin, 'headerBytes=3000'))).outcome).toBe('200 ended')
    const reply = await run(client, chat(upstream.origin, 'headerBytes=5000'))
    // Over HTTP/2 the library resets the stream, and does not say that it was its own bound.
    expect(reply.error?.kind).toBe(kind === 'negotiated' ? 'upstream-broke' : 'upstream-protocol')
  })

  test('keeps field order, duplicates and value spelling', async () => {
    const { client, upstream } = bench
    const headers = ['Set-Cookie', 'a=1', 'X-Text', 'Two  Words', 'set-cookie', 'b=2']
    upstream.script({ status: 201, headers, body: 'x' })
    const reply = await run(client, chat(upstream.origin))
    expect(reply.status).toBe(201)
    const cookies = ['set-cookie', 'a=1', 'set-cookie', 'b=2']
    // The front itself sends what has one name together.
    expect(reply.headers.slice(0, 6)).toEqual(
      kind === 'negotiated'
        ? [...cookies, 'x-text', 'Two  Words']
        : [...cookies.slice(0, 2), 'x-text', 'Two  Words', ...cookies.slice(2)],
    )
  })

  test.each([
    ['status=429', '429 ended'],
    ['status=500;delayBeforeHeadersMs=20', '500 ended'],
    ['html', '502 ended'],
    ['gzip', '200 ended'],
    ['interim=3', '200 ended'],
    ['untilClose', '200 ended'],
    ['garbageBody', '200 ended'],
    ['connectionClose', '200 ended'],
    ['delayBetweenFramesMs=3', '200 ended'],
    ['dripMs=1;canned;frames=1;frameBytes=5', '200 ended'],
    ['splitBytes=9', '200 ended'],
    ['cutAfterBytes=300;cut=end', '200 ended'],
    ['cutAfterBytes=300', '200 upstream-broke'],
    ['cutAfterBytes=300;cut=reset', '200 upstream-broke'],
    ['badChunk', '200 upstream-protocol'],
    ['garbage', 'upstream-protocol'],
    ['resetBeforeHeaders', 'upstream-broke'],
    ['closeBeforeHeaders', 'upstream-broke'],
    ['resetAfterHeaders', '200 upstream-broke'],
  ])('of an upstream that does %s comes out as %s', async (fake, outcome) => {
    const { client, upstream } = bench
    const reply = await run(client, chat(upstream.origin, fake, STREAM))
    // Behind a front, unsound HTTP/1.1 is a stream that is reset.
    expect(reply.outcome).toBe(kind === 'negotiated' ? outcome.replace('protocol', 'broke') : outcome)
    expect(reply.error?.message ?? '').not.toContain('echo')
    // Whatever happened, the next call is served.
    expect((await run(client, chat(upstream.origin))).outcome).toBe('200 ended')
  })

  test('that is cut at any byte delivers what came and fails', async () => {
    const { client, upstream } = bench
    const whole = await run(client, chat(upstream.origin, '', STREAM))
    for (let cut = 0; cut < whole.bytes; cut += 97) {
      const reply = await run(client, chat(upstream.origin, `cutAfterBytes=${cut}`, STREAM))
      expect(reply.outcome).toBe('200 upstream-broke')
      expect(reply.bytes).toBe(cut)
      expect(reply.error?.message).toContain(`after ${cut} bytes`)
    }
  })

  test('lends its pieces so that a slice of one is a copy that outlives the read', async () => {
    const { client, upstream } = bench
    const text = Buffer.from(Array.from({ length: 40_000 }, (_, at) => `${at};`).join(''))
    upstream.always({
      frames: Array.from({ length: 40 }, (_, at) => text.subarray(at * 5_000, at * 5_000 + 5_000)),
    })
    const kept: Uint8Array[] = []
    const collected = send(client, chat(upstream.origin), call => {
      call.onData = chunk => kept.push(chunk.slice())
    })
    await collected.over
    expect(Buffer.concat(kept).equals(text.subarray(0, 200_000))).toBe(true)
  })
}

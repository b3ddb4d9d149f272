// A request body that is given piece by piece: framing, back-pressure, and what happens when either side stops.

import type net from 'node:net'
import { expect, test } from 'vitest'
import type { BodySink, BodySource, UpstreamRequest } from '../../../src/upstream/index.ts'
import { until } from '../../support/fake-upstream/index.ts'
import { chat, PATIENT, run, send } from '../collect.ts'
import type { Bench } from './bench.ts'

/** Gives its pieces as fast as it may, and remembers how often it was told to wait. */
class Pieces implements BodySource {
  readonly bytes: number | null
  given = 0
  refusals = 0
  sink: BodySink | null = null
  private readonly pieces: readonly Uint8Array[]
  private readonly ends: boolean

  constructor(pieces: readonly Uint8Array[], bytes: number | null, ends = true) {
    this.pieces = pieces
    this.bytes = bytes
    this.ends = ends
  }

  ready(sink: BodySink): void {
    this.sink = sink
    while (this.given < this.pieces.length) {
      this.given += 1
      if (sink.write(this.pieces[this.given - 1]!)) continue
      this.refusals += 1
      return
    }
    if (this.ends) sink.end()
  }
}

const NONE: readonly Uint8Array[] = []

function upload(origin: string, body: BodySource, more: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return { ...chat(origin), path: '/v1/files', headers: ['content-type', 'application/x'], body, ...more }
}

export function streamedBodies(bench: Bench): void {
  test('of known length is announced, and arrives as it was given', async () => {
    const { client, upstream } = bench
    upstream.always({ body: 'ok' })
    const pieces = ['one ', '', 'two ', 'three'].map(text => Buffer.from(text))
    const reply = await run(client, upload(upstream.origin, new Pieces(pieces, 13)))
    expect(reply.outcome).toBe('200 ended')
    const [seen] = upstream.requests
    expect(seen?.text()).toBe('one two three')
    expect(seen?.header('content-length')).toBe('13')
    expect(seen?.header('transfer-encoding')).toBeNull()
  })

  test('of unknown length is chunked, and the connection serves on', async () => {
    const { client, upstream } = bench
    upstream.always({ body: 'ok' })
    for (const pieces of [
      ['one ', 'two'],
      ['x'.repeat(100_000), 'y'],
    ]) {
      const body = new Pieces(
        pieces.map(text => Buffer.from(text)),
        null,
      )
      expect((await run(client, upload(upstream.origin, body))).outcome).toBe('200 ended')
    }
    expect(upstream.requests.map(seen => seen.header('transfer-encoding'))).toEqual(['chunked', 'chunked'])
    expect(upstream.requests.map(seen => seen.text().length)).toEqual([7, 100_001])
    expect((await run(client, chat(upstream.origin))).outcome).toBe('200 ended')
    expect(client.pools()[0]!.opened).toBe(upstream.socketsEver)
  })

  test('waits for an upstream that reads slowly, and is held by nobody meanwhile', async () => {
    let server: net.Socket | null = null
    let seen = 0
    const origin = await bench.serveCalls(socket => {
      server = socket
      socket.pause()
      socket.on('data', (chunk: Buffer) => {
        seen += chunk.length
        if (chunk.toString('latin1').endsWith('end')) {
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
        }
      })
    })
    const piece = Buffer.alloc(64 * 1024, 0x61)
    const pieces = [...Array.from({ length: 400 }, () => piece), Buffer.from('end')]
    const bytes = 400 * piece.length + 3
    const body = new Pieces(pieces, bytes)
    const reply = send(bench.client, upload(origin, body))
    let given = -1
    // Kernel buffers of both sides fill first.
    while (given !== body.given || body.refusals === 0) {
      given = body.given
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    expect(given).toBeLessThan(200)
    server!.resume()
    await reply.over
    expect(reply.outcome).toBe('200 ended')
    expect(seen).toBeGreaterThan(bytes)
  })

  test('whose source is slow is not the upstream’s silence', async () => {
    const { client, upstream } = bench
    upstream.always({ body: 'ok' })
    const body = new Pieces([Buffer.from('abc')], 6, false)
    const deadlines = { ...PATIENT, headersMs: 100 }
    const reply = send(client, upload(upstream.origin, body, { deadlines }))
    await until('the first piece is given', () => body.given === 1)
    await new Promise(resolve => setTimeout(resolve, 350))
    expect(reply.outcome).toBe('open')
    body.sink!.write(Buffer.from('def'))
    body.sink!.end()
    await reply.over
    expect(reply.outcome).toBe('200 ended')
  })

  test('that is refused before its end keeps the refusal and loses the connection', async () => {
    let sockets = 0
    const origin = await bench.serveCalls(socket => {
      sockets += 1
      socket.once('data', () => {
        socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 4\r\n\r\nlong')
      })
    })
    const body = new Pieces([Buffer.from('abc')], 100, false)
    const reply = await run(bench.client, upload(origin, body))
    expect(reply.outcome).toBe('413 ended')
    expect(reply.text).toBe('long')
    // The rest has no receiver and does no harm.
    expect(body.sink?.write(Buffer.from('def')) ?? true).toBe(true)
    await run(bench.client, upload(origin, new Pieces([Buffer.from('abc')], 100, false)))
    expect(sockets).toBe(2)
  })

  test('is never sent a second time', async () => {
    let requests = 0
    const origin = await bench.serveCalls(socket => {
      socket.on('data', () => {
        requests += 1
        // Serves once, then closes under the next request, as after an idle time.
        if (requests === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
        else socket.destroy()
      })
    })
    const client = bench.open({ connectionsMax: 1 })
    expect((await run(client, upload(origin, new Pieces(NONE, 0)))).outcome).toBe('200 ended')
    const reply = await run(client, upload(origin, new Pieces([Buffer.from('abc')], 3)))
    expect(reply.outcome).toBe('upstream-broke')
    expect(client.pools()[0]!.resent).toBe(0)
  })

  test('is not asked for when there is no connection', async () => {
    const body = new Pieces([Buffer.from('abc')], 3)
    const reply = await run(bench.client, upload(await bench.closedOrigin(), body))
    expect(reply.outcome).toBe('upstream-connect')
    expect(body.given).toBe(0)
  })

  test('is dropped by its caller in mid-stream without a trace', async () => {
    const { client, upstream } = bench
    const body = new Pieces([Buffer.from('abc')], 10, false)
    const reply = send(client, upload(upstream.origin, body))
    await until('the first piece is given', () => body.given === 1)
    reply.abort()
    expect(body.sink!.write(Buffer.from('def'))).toBe(true)
    expect(reply.outcome).toBe('open')
    const left = bench.bridge === null ? 0 : 1
    expect(client.pools()[0]).toMatchObject({ busy: 0, idle: left, connecting: 0 })
  })
}

// A `fetch` that ends in an engine, so that official clients can be its callers without a socket between.

import type { Bench } from './harness.ts'

/** Bodies are given in pieces of this size, as a socket would. */
const PIECE_BYTES = 16 * 1024

export function benchFetch(bench: Bench): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    const headers: string[] = []
    for (const [name, value] of request.headers) headers.push(name, value)
    const body = new Uint8Array(await request.arrayBuffer())
    const { reply, sink } = bench.open(request.method, `${url.pathname}${url.search}`, headers, body.length)
    if (sink.bodyMode === 'whole') sink.body(body)
    else if (sink.bodyMode === 'chunks') {
      for (let at = 0; at < body.length; at += PIECE_BYTES) {
        // The pause is asked for; a test body is small enough to be given anyway.
        sink.chunk(body.slice(at, at + PIECE_BYTES))
      }
      sink.bodyEnd()
    }
    const done = await reply.done
    if (done.ending === 'abort') throw new TypeError('the connection was cut')
    const fields: [string, string][] = []
    for (let at = 0; at < done.headers.length; at += 2)
      fields.push([done.headers[at]!, done.headers[at + 1]!])
    const bytes = Buffer.concat(done.pieces)
    return new Response(done.status === 204 ? null : bytes, { status: done.status, headers: fields })
  }
}

// An upstream in TLS as a program, for measuring: it offers HTTP/2 and HTTP/1.1 and answers both with the same bytes,
// so that what differs is the client's. `node dist/test/support/tls-upstream-main.js` prints its origin. `x-fake` of a
// request asks for `frames`, `frameBytes` and `delayBetweenFramesMs`, as of the fake upstream; `hang` sends a head alone.

import { readFileSync } from 'node:fs'
import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo } from 'node:net'

const file = (name: string): string => readFileSync(`test/fixtures/tls/${name}`, 'utf8')

const server = http2.createSecureServer({
  key: file('localhost.key'),
  cert: file('localhost.pem'),
  allowHTTP1: true,
  maxSessionMemory: 1_000,
  settings: { maxConcurrentStreams: 256 },
})
server.on('request', serve)
server.on('sessionError', () => {})
server.listen(0, '127.0.0.1', 4096, () => {
  console.log(`https://127.0.0.1:${(server.address() as AddressInfo).port}`)
})

function serve(request: Http2ServerRequest, response: Http2ServerResponse): void {
  const asked = new Map<string, number>()
  for (const pair of String(request.headers['x-fake'] ?? '').split(';')) {
    const [name = '', value = '1'] = pair.split('=')
    asked.set(name, Number(value))
  }
  request.resume()
  request.on('end', () => answer(response, asked))
}

function answer(response: Http2ServerResponse, asked: ReadonlyMap<string, number>): void {
  const frame = `data: ${'x'.repeat(asked.get('frameBytes') ?? 20)}\n\n`
  response.on('error', () => {})
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  if (asked.has('hang')) {
    response.write(frame)
    return
  }
  const gapMs = asked.get('delayBetweenFramesMs')
  let left = asked.get('frames') ?? 1
  if (gapMs === undefined) {
    response.end(frame.repeat(left))
    return
  }
  const next = (): void => {
    left -= 1
    if (left > 0) response.write(frame)
    else response.end()
    timer = setTimeout(next, gapMs)
  }
  // Each stream at a moment of its own: replies that were asked for together do not come together.
  let timer = setTimeout(next, Math.random() * gapMs)
  response.on('close', () => clearTimeout(timer))
}

process.on('SIGTERM', () => process.exit(0))

// The built-in demo provider: a real HTTP server on loopback, called through the same upstream path as any
// provider, so that a newcomer without a key sees the whole gateway work. It speaks `openai-chat` and
// `anthropic-messages`. It is not a test double: it does not misbehave on command.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chatFrames, chatWhole, readChat } from './chat.ts'
import { messagesFrames, messagesWhole, readMessages } from './messages.ts'
import { demoReply } from './script.ts'
import { type Frame, isRecord, type Json } from './shared.ts'

/** A readable pace: about forty words a second. */
const BEAT_MS = 25

/** The gateway in front has its own bound; this one only keeps a stray caller from filling memory. */
const BODY_BYTES_MAX = 64 * 1024 * 1024

export interface DemoServer {
  readonly origin: string
  close(): Promise<void>
}

/** Listens on a free loopback port. */
export function startDemo(): Promise<DemoServer> {
  const server = createServer((request, response) => {
    collect(request, response).catch(() => response.destroy())
  })
  server.keepAliveTimeout = 120_000
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      resolve({
        origin: `http://127.0.0.1:${port}`,
        close: () =>
          new Promise(done => {
            server.close(() => done())
            server.closeAllConnections()
          }),
      })
    })
  })
}

async function collect(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > BODY_BYTES_MAX) return void response.writeHead(413).end()
    parts.push(part)
  }
  const path = request.url?.split('?')[0]
  const chat = path === '/v1/chat/completions'
  if (request.method !== 'POST' || (!chat && path !== '/v1/messages')) {
    return respond(response, 404, { error: { message: 'the demo provider has no such path' } })
  }
  const body = parse(Buffer.concat(parts))
  if (body === null) return respond(response, 400, { error: { message: 'the body is not a JSON object' } })
  const asked = chat ? readChat(body) : readMessages(body)
  const reply = demoReply(asked)
  const created = Math.floor(Date.now() / 1000)
  if (!asked.stream) {
    return respond(response, 200, chat ? chatWhole(asked, reply, created) : messagesWhole(asked, reply))
  }
  const options = body['stream_options']
  const includeUsage = isRecord(options) && options['include_usage'] === true
  stream(response, chat ? chatFrames(asked, reply, created, includeUsage) : messagesFrames(asked, reply))
}

function parse(bytes: Buffer): Json | null {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}

function respond(response: ServerResponse, status: number, document: unknown): void {
  const bytes = Buffer.from(JSON.stringify(document))
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length })
    .end(bytes)
}

/** Writes frames up to the next paced one at each beat; stops when the caller is gone or slow to read. */
function stream(response: ServerResponse, frames: Generator<Frame>): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  response.flushHeaders()
  const beat = setInterval(() => {
    if (response.writableNeedDrain) return
    for (;;) {
      const next = frames.next()
      if (next.done === true) {
        clearInterval(beat)
        response.end()
        return
      }
      response.write(next.value.text)
      if (next.value.paced) return
    }
  }, BEAT_MS)
  response.on('close', () => clearInterval(beat))
}

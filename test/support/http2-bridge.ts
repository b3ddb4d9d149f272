// An HTTP/2 front for an HTTP/1.1 server of a test: what that one does, sound or not, comes out as frames. A stream of its
// own connection each; a cut or a reset behind comes out as a reset stream, and a reset in front closes what is behind.

import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import http2, { type IncomingHttpHeaders, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'

export interface BridgeOptions {
  readonly key: string
  readonly cert: string
  /** Where the HTTP/1.1 server listens. */
  readonly port: number
  readonly settings?: http2.Settings
}

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR } = http2.constants

export class Http2Bridge {
  socketsEver = 0
  socketsOpen = 0
  streamsEver = 0
  /** Streams at once on one session, at most. */
  streamsPeak = 0
  /** Codes of streams that the client reset. */
  readonly resets: number[] = []
  readonly sessions = new Set<http2.ServerHttp2Session>()
  private readonly sockets = new Set<Socket>()
  private readonly streams = new Map<unknown, number>()
  private readonly server: Http2SecureServer
  private readonly options: BridgeOptions

  constructor(options: BridgeOptions) {
    this.options = options
    const { key, cert, settings = {} } = options
    this.server = http2.createSecureServer({ key, cert, settings, maxSessionMemory: 1_000 })
    this.server.on('stream', (stream, headers) => this.serve(stream, headers))
    this.server.on('session', session => {
      this.sessions.add(session)
      session.on('error', () => {})
      session.on('close', () => this.sessions.delete(session))
    })
    this.server.on('sessionError', () => {})
    this.server.on('secureConnection', (socket: Socket) => {
      this.socketsEver += 1
      this.socketsOpen += 1
      this.sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.socketsOpen -= 1
        this.sockets.delete(socket)
      })
    })
  }

  listen(): Promise<void> {
    return new Promise(resolve => this.server.listen(0, '127.0.0.1', resolve))
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  get origin(): string {
    return `https://127.0.0.1:${this.port}`
  }

  /** Cuts every connection without a word. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.server.close(resolve))
    for (const session of this.sessions) session.destroy()
    await closed
  }

  private serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    this.streamsEver += 1
    const { session } = stream
    const running = (this.streams.get(session) ?? 0) + 1
    this.streams.set(session, running)
    this.streamsPeak = Math.max(this.streamsPeak, running)
    const { ':method': method, ':path': path, ':authority': host, ':scheme': _, ...fields } = headers
    const request = http.request({
      host: '127.0.0.1',
      port: this.options.port,
      method: method ?? 'GET',
      path: path ?? '/',
      headers: { ...fields, host: host ?? '' },
      agent: false,
      setHost: false,
    })
    // What this bridge adds says nothing about the client.
    if (method === 'GET' && fields['content-length'] === undefined)
      request.useChunkedEncodingByDefault = false
    request.on('information', info => {
      if (info.statusCode !== 100 && !stream.headersSent)
        stream.additionalHeaders({ ':status': info.statusCode })
    })
    request.on('response', reply => answer(stream, reply))
    request.on('error', () => reset(stream))
    stream.on('error', () => {})
    stream.on('close', () => {
      this.streams.set(session, this.streams.get(session)! - 1)
      if (stream.rstCode !== 0) this.resets.push(stream.rstCode ?? -1)
      request.destroy()
    })
    forward(stream, request)
  }
}

function forward(stream: ServerHttp2Stream, request: ClientRequest): void {
  stream.on('data', chunk => {
    if (!request.write(chunk)) stream.pause()
  })
  request.on('drain', () => stream.resume())
  // A reset ends the readable side too; only a request that is whole may look whole behind the bridge.
  stream.on('end', () => {
    if (!stream.aborted) request.end()
  })
}

/** Fields of one connection have no meaning in HTTP/2 and are not allowed there. */
const OWN = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'proxy-connection'])

function answer(stream: ServerHttp2Stream, reply: IncomingMessage): void {
  if (stream.destroyed) return
  const fields: Record<string, string | string[]> = {}
  for (let at = 0; at < reply.rawHeaders.length; at += 2) {
    const name = reply.rawHeaders[at]!.toLowerCase()
    if (OWN.has(name)) continue
    const value = reply.rawHeaders[at + 1]!
    const before = fields[name]
    fields[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  stream.respond({ ':status': reply.statusCode ?? 0, ...fields })
  reply.on('data', chunk => {
    if (!stream.write(chunk)) reply.pause()
  })
  stream.on('drain', () => reply.resume())
  reply.on('end', () => stream.end())
  reply.on('error', () => reset(stream))
  reply.on('aborted', () => reset(stream))
}

let resets = 0

/** With one code and then the other: both are cuts. */
function reset(stream: ServerHttp2Stream): void {
  if (stream.destroyed || stream.closed) return
  resets += 1
  const code = resets % 2 === 0 ? NGHTTP2_CANCEL : NGHTTP2_INTERNAL_ERROR
  // What was written has to leave first, as it would on a connection.
  const cut = (): void => {
    // The library would end the stream in order first; an upstream that breaks does not.
    stream.end = () => stream
    stream.close(code)
  }
  if (stream.writableLength === 0) setImmediate(cut)
  else stream.once('drain', () => setImmediate(cut))
}

export async function startBridge(options: BridgeOptions): Promise<Http2Bridge> {
  const bridge = new Http2Bridge(options)
  await bridge.listen()
  return bridge
}

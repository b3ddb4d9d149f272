// An HTTP proxy on loopback for tests: opens tunnels, forwards requests in absolute form, and misbehaves on command.
// Whatever name it is asked for, it connects to this machine, so that names under `.test` need no name server.

import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import net, { type AddressInfo, type Socket } from 'node:net'
import type { ProxyPlan } from '../../src/common/config/index.ts'
import { Secret } from '../../src/common/config/index.ts'

/** What the proxy does when it is asked for a tunnel. */
export type ProxyMood =
  | { readonly kind: 'open' }
  | { readonly kind: 'refuse'; readonly status: number }
  /** Writes this and, with `thenOpen`, opens the tunnel behind it. */
  | { readonly kind: 'write'; readonly text: string; readonly thenOpen?: boolean }
  | { readonly kind: 'hang' | 'close' | 'reset' }
  /** Opens the tunnel and cuts it after so many bytes from the upstream. */
  | { readonly kind: 'cut'; readonly afterBytes: number }

export interface ProxyOptions {
  readonly tls?: { readonly key: string; readonly cert: string }
  /** `user:password` that it insists on. */
  readonly credentials?: string
  readonly port?: number
}

export interface ProxyAsked {
  /** `CONNECT`, or the method of a request in absolute form. */
  readonly method: string
  /** As it stood in the request line. */
  readonly target: string
  readonly headers: http.IncomingHttpHeaders
}

export class TestProxy {
  mood: ProxyMood = { kind: 'open' }
  readonly asked: ProxyAsked[] = []
  readonly sockets: Set<Socket> = new Set()
  private readonly server: http.Server
  private readonly options: ProxyOptions

  constructor(options: ProxyOptions) {
    this.options = options
    this.server = options.tls === undefined ? http.createServer() : https.createServer(options.tls)
    this.server.on('request', (request, response) => this.forward(request, response))
    this.server.on('connect', (request, socket, head) => this.connect(request, socket as Socket, head))
    this.server.on('connection', (socket: Socket) => this.keep(socket))
    this.server.on('tlsClientError', () => {})
  }

  listen(): Promise<void> {
    return new Promise(resolve => this.server.listen(this.options.port ?? 0, '127.0.0.1', resolve))
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** How the configuration names it. */
  plan(credentials: string | null = null, host = '127.0.0.1'): ProxyPlan {
    return {
      secure: this.options.tls !== undefined,
      host,
      port: this.port,
      credentials: credentials === null ? null : new Secret(credentials),
    }
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.server.close(resolve))
    for (const socket of this.sockets) socket.destroy()
    await closed
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.sockets.delete(socket))
  }

  private welcome({ method, url, headers }: IncomingMessage): boolean {
    this.asked.push({ method: method ?? '', target: url ?? '', headers })
    const { credentials } = this.options
    if (credentials === undefined) return true
    const wanted = `Basic ${Buffer.from(credentials).toString('base64')}`
    return headers['proxy-authorization'] === wanted
  }

  private connect(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on('error', () => {})
    const { mood } = this
    // The server leaves a half-closed socket open.
    socket.on('end', () => socket.end())
    const welcome = this.welcome(request)
    if (!welcome) socket.end('HTTP/1.1 407 Who are you\r\nproxy-authenticate: Basic realm="p"\r\n\r\n')
    else if (mood.kind === 'refuse')
      socket.end(`HTTP/1.1 ${mood.status} No\r\ncontent-length: 4\r\n\r\nno!\n`)
    else if (mood.kind === 'hang') socket.resume()
    else if (mood.kind === 'close') socket.end()
    else if (mood.kind === 'reset') socket.resetAndDestroy()
    else if (mood.kind === 'write') {
      socket.write(mood.text, 'latin1')
      if (mood.thenOpen !== true) socket.resume()
      if (mood.thenOpen === true) this.tunnel(request, socket, head, Number.POSITIVE_INFINITY)
    } else {
      this.tunnel(request, socket, head, mood.kind === 'cut' ? mood.afterBytes : Number.POSITIVE_INFINITY)
    }
  }

  private tunnel({ url }: IncomingMessage, socket: Socket, head: Buffer, bytesMax: number): void {
    const port = Number(/:(\d+)$/.exec(url ?? '')?.[1])
    const onward = net.connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\nx-proxy: test\r\n\r\n')
      if (head.length > 0) onward.write(head)
      socket.pipe(onward)
    })
    this.keep(onward)
    let bytes = 0
    onward.on('data', chunk => {
      bytes += chunk.length
      if (bytes > bytesMax) socket.destroy()
      else if (!socket.write(chunk)) onward.pause()
    })
    socket.on('drain', () => onward.resume())
    onward.on('end', () => socket.end())
    onward.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    onward.on('close', () => socket.destroy())
    socket.on('close', () => onward.destroy())
  }

  private forward(request: IncomingMessage, response: ServerResponse): void {
    if (!this.welcome(request)) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic realm="p"' }).end('who are you')
      return
    }
    const url = new URL(request.url ?? '')
    const headers: http.OutgoingHttpHeaders = { ...request.headers, host: url.host }
    for (const name of ['proxy-authorization', 'connection', 'keep-alive']) delete headers[name]
    const onward = http.request(
      { host: '127.0.0.1', port: url.port, method: request.method, path: url.pathname + url.search, headers },
      reply => {
        response.writeHead(reply.statusCode ?? 0, reply.headers)
        reply.pipe(response)
        reply.on('error', () => response.destroy())
      },
    )
    onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()))
    response.on('close', () => onward.destroy())
    request.pipe(onward)
  }
}

export async function startProxy(options: ProxyOptions = {}): Promise<TestProxy> {
  const proxy = new TestProxy(options)
  await proxy.listen()
  return proxy
}

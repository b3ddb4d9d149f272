// Starts an upstream and clients for one test and takes them down behind it. For the client that negotiates, an HTTP/2
// front stands before the upstream: origin, port and sockets are then the front's, requests and behaviour stay its own.

import { readFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  createUpstreamClient,
  type UpstreamClient,
  type UpstreamOptions,
} from '../../../src/upstream/index.ts'
import { type FakeUpstream, startFakeUpstream } from '../../support/fake-upstream/index.ts'
import { type Http2Bridge, startBridge } from '../../support/http2-bridge.ts'

export type Kind = NonNullable<UpstreamOptions['kind']>

const FOLDER = join(import.meta.dirname, '../../fixtures/tls')
const file = (name: string): string => readFileSync(join(FOLDER, name), 'utf8')

export class Bench {
  upstream!: FakeUpstream
  client!: UpstreamClient
  /** Of the upstream itself, without a front. */
  directOrigin = ''
  readonly kind: Kind
  /** Null where the upstream is spoken to directly. */
  bridge: Http2Bridge | null = null
  private readonly clients: UpstreamClient[] = []
  private readonly servers: net.Server[] = []
  private readonly bridges: Http2Bridge[] = []

  private readonly fronted: boolean

  /** `fronted`: with the front, if this client would use it. */
  constructor(kind: Kind, fronted = true) {
    this.kind = kind
    this.fronted = fronted && kind === 'negotiated'
  }

  /** The upstream under a name that has to be looked up. */
  get namedOrigin(): string {
    return this.fronted
      ? `https://localhost:${this.upstream.port}`
      : `http://models.test:${this.upstream.port}`
  }

  async start(): Promise<void> {
    this.upstream = await startFakeUpstream()
    this.directOrigin = this.upstream.origin
    if (this.fronted) {
      this.bridge = await this.front(this.upstream.port)
      this.upstream = fronted(this.upstream, this.bridge)
    }
    this.client = this.open({})
  }

  open(options: Partial<UpstreamOptions>): UpstreamClient {
    const trust = this.fronted ? { ca: file('authority.pem') } : {}
    const client = createUpstreamClient({ kind: this.kind, connectionsMax: 8, ...trust, ...options })
    this.clients.push(client)
    return client
  }

  /** A server whose every connection is handled by the test. */
  async serve(onSocket: (socket: net.Socket) => void, port = 0, host = '127.0.0.1'): Promise<string> {
    const server = net.createServer(socket => {
      socket.on('error', () => {})
      onSocket(socket)
    })
    this.servers.push(server)
    await new Promise<void>(resolve => server.listen(port, host, resolve))
    return `http://${host}:${(server.address() as AddressInfo).port}`
  }

  /** The same, behind an HTTP/2 front where this client would use it. */
  async serveCalls(onSocket: (socket: net.Socket) => void): Promise<string> {
    const origin = await this.serve(onSocket)
    return this.fronted ? (await this.front(Number(new URL(origin).port))).origin : origin
  }

  async front(port: number, settings = {}, certificate = 'localhost'): Promise<Http2Bridge> {
    const bridge = await startBridge({
      key: file(`${certificate}.key`),
      cert: file(`${certificate}.pem`),
      port,
      settings,
    })
    this.bridges.push(bridge)
    return bridge
  }

  /** An origin where nobody listens. */
  async closedOrigin(): Promise<string> {
    const origin = await this.serve(() => {})
    await new Promise(resolve => this.servers.pop()!.close(resolve))
    return this.fronted ? origin.replace('http:', 'https:') : origin
  }

  async stop(): Promise<void> {
    await Promise.all(this.bridges.splice(0).map(bridge => bridge.close()))
    this.bridge = null
    await this.upstream.close()
    for (const server of this.servers.splice(0)) server.close()
    await Promise.all(this.clients.splice(0).map(client => client.close()))
  }
}

function fronted(upstream: FakeUpstream, bridge: Http2Bridge): FakeUpstream {
  const shown: Partial<Record<string | symbol, () => unknown>> = {
    origin: () => bridge.origin,
    port: () => bridge.port,
    socketsEver: () => bridge.socketsEver,
    socketsOpen: () => bridge.socketsOpen,
  }
  return new Proxy(upstream, {
    get(target, name) {
      const value = shown[name]?.() ?? Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

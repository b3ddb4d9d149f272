// Starts an upstream and clients for one test and takes them down behind it.

import net, { type AddressInfo } from 'node:net'
import {
  createUpstreamClient,
  type UpstreamClient,
  type UpstreamOptions,
} from '../../../src/upstream/index.ts'
import { type FakeUpstream, startFakeUpstream } from '../../support/fake-upstream/index.ts'

export type Kind = NonNullable<UpstreamOptions['kind']>

export class Bench {
  upstream!: FakeUpstream
  client!: UpstreamClient
  private readonly kind: Kind
  private readonly clients: UpstreamClient[] = []
  private readonly servers: net.Server[] = []

  constructor(kind: Kind) {
    this.kind = kind
  }

  async start(): Promise<void> {
    this.upstream = await startFakeUpstream()
    this.client = this.open({})
  }

  open(options: Partial<UpstreamOptions>): UpstreamClient {
    const client = createUpstreamClient({ kind: this.kind, connectionsMax: 8, ...options })
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

  /** An origin where nobody listens. */
  async closedOrigin(): Promise<string> {
    const origin = await this.serve(() => {})
    await new Promise(resolve => this.servers.pop()!.close(resolve))
    return origin
  }

  async stop(): Promise<void> {
    await this.upstream.close()
    for (const server of this.servers.splice(0)) server.close()
    await Promise.all(this.clients.splice(0).map(client => client.close()))
  }
}

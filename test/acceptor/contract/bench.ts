// Starts an acceptor over a fake engine for one test, and takes both down behind it.

import { join } from 'node:path'
import {
  ACCEPTOR_TRAITS,
  type Acceptor,
  type AcceptorBounds,
  type AcceptorKind,
  type AcceptorOptions,
  type AcceptorTraits,
  openAcceptor,
} from '../../../src/acceptor/index.ts'
import { loadNative } from '../../../src/acceptor/native.ts'
import { FakeEngine } from '../fake-engine.ts'
import { RawClient } from '../raw-client.ts'

const TLS_FOLDER = join(import.meta.dirname, '../../fixtures/tls')
export const TLS = {
  certificateFile: join(TLS_FOLDER, 'localhost.pem'),
  keyFile: join(TLS_FOLDER, 'localhost.key'),
}

export const BOUNDS: AcceptorBounds = {
  headerBytesMax: 16_384,
  headersWaitMsMax: 5_000,
  bodyWaitMsMax: 5_000,
  idleMsMax: 5_000,
  replyPendingBytesMax: 256 * 1024,
}

/** Kinds that can be tried here. On Node 20 both must be; on others the native server may have no build. */
export const KINDS: readonly AcceptorKind[] =
  process.versions.node.startsWith('20.') || nativeLoads() ? ['uws', 'node'] : ['node']

function nativeLoads(): boolean {
  try {
    loadNative()
    return true
  } catch {
    return false
  }
}

export interface BenchOptions extends Partial<Omit<AcceptorOptions, 'bounds' | 'kind'>> {
  readonly bounds?: Partial<AcceptorBounds>
}

export class Bench {
  readonly kind: AcceptorKind
  readonly traits: AcceptorTraits
  engine!: FakeEngine
  acceptor!: Acceptor
  private secure = false
  private readonly acceptors: Acceptor[] = []
  private readonly clients: RawClient[] = []

  constructor(kind: AcceptorKind) {
    this.kind = kind
    this.traits = ACCEPTOR_TRAITS[kind]
  }

  async start(options: BenchOptions = {}): Promise<void> {
    this.engine = new FakeEngine()
    this.secure = options.tls !== undefined && options.tls !== null
    this.acceptor = await this.open(options)
    await this.acceptor.listen()
  }

  /** A further acceptor over the same engine, not yet listening. */
  async open(options: BenchOptions = {}): Promise<Acceptor> {
    const { acceptor } = await openAcceptor(
      {
        listener: 'main',
        address: '127.0.0.1',
        port: 0,
        tls: null,
        exclusive: true,
        ...options,
        bounds: { ...BOUNDS, ...options.bounds },
        kind: this.kind,
      },
      this.engine,
    )
    this.acceptors.push(acceptor)
    return acceptor
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.connect(this.acceptor.port, this.secure)
    this.clients.push(client)
    return client
  }

  /** A new connection that has sent these bytes. */
  async say(bytes: string | Uint8Array): Promise<RawClient> {
    return (await this.connect()).send(bytes)
  }

  stop(): void {
    for (const client of this.clients.splice(0)) client.destroy()
    for (const acceptor of this.acceptors.splice(0)) acceptor.close()
  }
}

/** A request as text; a Host is added. */
export function request(line: string, fields: readonly string[] = [], body = ''): string {
  return `${line} HTTP/1.1\r\nHost: gateway.test\r\n${fields.map(field => `${field}\r\n`).join('')}\r\n${body}`
}

export function post(path: string, body: string, fields: readonly string[] = []): string {
  return request(`POST ${path}`, [...fields, `Content-Length: ${Buffer.byteLength(body)}`], body)
}

export function chunked(path: string, chunks: readonly string[], fields: readonly string[] = []): string {
  const body = chunks.map(chunk => `${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`).join('')
  return request(`POST ${path}`, [...fields, 'Transfer-Encoding: chunked'], `${body}0\r\n\r\n`)
}

const WAIT_MS_MAX = 10_000

/** Waits for something that no event tells of. */
export async function until(condition: () => boolean, what: string, waitMs = WAIT_MS_MAX): Promise<void> {
  const end = performance.now() + waitMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`it never came to this: ${what}`)
    await new Promise(done => setTimeout(done, 2))
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms))
}

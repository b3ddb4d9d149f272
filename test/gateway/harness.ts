// An engine over real upstream sockets, driven without an acceptor: what a client would see is collected.

import { type Clock, systemClock } from '../../src/common/clock.ts'
import type { ListenerPlan, Plan, ProviderPlan } from '../../src/common/config/index.ts'
import type { GatewayError } from '../../src/common/errors.ts'
import { type HeaderList, headerValue } from '../../src/common/headers.ts'
import { GatewayEngine, type ReplySink, type RequestSink, type Services } from '../../src/gateway/index.ts'
import { tokenFetch } from '../../src/gateway/token-fetch.ts'
import { Authorizer } from '../../src/providers/index.ts'
import { loadCatalogue } from '../../src/routing/index.ts'
import { type ExchangeRecord, Log, ShardMetrics } from '../../src/telemetry/index.ts'
import { BreakerCell } from '../../src/upstream/breaker.ts'
import {
  BreakerTable,
  createUpstreamClient,
  type ImageFetcher,
  newBreakerMemory,
  type UpstreamOptions,
} from '../../src/upstream/index.ts'

export function provider(name: string, origin: string, more: Partial<ProviderPlan> = {}): ProviderPlan {
  return {
    name,
    provider: 'openai',
    model: name.slice(name.indexOf('/') + 1),
    wildcardPrefix: null,
    dialects: ['openai-chat'],
    origin,
    pathPrefix: '/v1',
    accessKeys: [],
    fallbacks: [],
    passthroughAuth: false,
    keyOptional: true,
    headers: [],
    httpHost: null,
    isDefault: false,
    internal: false,
    sourceNote: 'test',
    ...more,
  }
}

export interface EngineOptions {
  readonly providers: readonly ProviderPlan[]
  readonly listener?: Partial<ListenerPlan>
  readonly upstream?: Partial<Plan['upstream']>
  readonly aliases?: Plan['aliases']
  /** Breakers never open: for tests in which an upstream fails on purpose, thousands of times. */
  readonly patient?: boolean
  /** Trusted certificates, name resolution, sockets. */
  readonly client?: Partial<UpstreamOptions>
  /** The breakers' clock. */
  readonly clock?: Clock
  /** Variables that credentials are looked up in. */
  /** Fetches pictures; without it none are. */
  readonly images?: ImageFetcher
  readonly env?: Readonly<Record<string, string | undefined>>
}

class PatientTable extends BreakerTable {
  override cell(): BreakerCell {
    return new BreakerCell(new Int32Array(0), -1, systemClock)
  }
}

function planOf(options: EngineOptions): Plan {
  return {
    epoch: 1,
    hash: '0123456789abcdef',
    listeners: [
      {
        name: 'llm',
        type: 'model',
        address: '127.0.0.1',
        port: 0,
        timeoutMs: 15_000,
        maxRetries: 0,
        tls: null,
        ...options.listener,
      },
    ],
    providers: options.providers,
    aliases: options.aliases ?? {},
    server: {
      shards: 1,
      acceptor: 'auto',
      drainMs: 1_000,
      bodyBytesMax: 1_000_000,
      headerBytesMax: 65_536,
      headersWaitMsMax: 1_000,
      bodyWaitMsMax: 1_000,
      idleMsMax: 1_000,
      replyPendingBytesMax: 65_536,
      fetchImages: options.images !== undefined,
    },
    upstream: {
      // Generous, because a busy machine is slow; a test of a time-out sets its own.
      connectMs: 5_000,
      headersMs: 5_000,
      firstByteMs: 5_000,
      betweenBytesMs: 5_000,
      connectionsMax: 64,
      ...options.upstream,
    },
    admin: { address: '127.0.0.1', port: 0, token: null },
  } as Plan
}

/** What the client got. */
export class Reply implements ReplySink {
  status = 0
  headers: HeaderList = []
  readonly pieces: Buffer[] = []
  /** How it ended: `end`, `abort` (the connection was cut), or null while it runs. */
  ending: 'end' | 'abort' | null = null
  readonly pendingBytes = 0
  readonly done: Promise<this>
  onWrite: () => void = () => {}
  private finished!: () => void

  constructor() {
    this.done = new Promise(resolve => {
      this.finished = () => resolve(this)
    })
  }

  head(status: number, headers: HeaderList): void {
    this.status = status
    this.headers = headers
  }

  write(chunk: Uint8Array): boolean {
    this.pieces.push(Buffer.from(chunk))
    this.onWrite()
    return true
  }

  end(): void {
    this.ending ??= 'end'
    this.finished()
  }

  whole(status: number, headers: HeaderList, body: Uint8Array): void {
    this.head(status, headers)
    this.write(body)
    this.end()
  }

  abort(_cause: GatewayError): void {
    this.ending ??= 'abort'
    this.finished()
  }

  onResumeBody: () => void = () => {}

  resumeBody(): void {
    this.onResumeBody()
  }

  get text(): string {
    return Buffer.concat(this.pieces).toString('utf8')
  }

  get json(): unknown {
    return JSON.parse(this.text)
  }

  header(name: string): string | null {
    return headerValue(this.headers, name)
  }
}

export interface Sent {
  readonly reply: Reply
  readonly sink: RequestSink
}

export class Bench {
  readonly records: ExchangeRecord[] = []
  readonly plan: Plan
  /** What a shard would count. */
  readonly metrics: ShardMetrics
  /** The breakers of {@link services}, as the whole process shares them. */
  readonly breakerMemory: SharedArrayBuffer = newBreakerMemory()
  readonly bugs: unknown[] = []
  readonly services: Services
  readonly engine: GatewayEngine

  constructor(options: EngineOptions) {
    const upstream = createUpstreamClient({ connectionsMax: 64, ...options.client })
    this.plan = planOf(options)
    this.metrics = new ShardMetrics(new Log('silent', systemClock, {}, () => {}))
    this.metrics.useModels(options.providers.map(({ name, provider }) => ({ name, provider, model: name })))
    this.services = {
      clock: systemClock,
      upstream,
      authorizer: new Authorizer({
        clock: systemClock,
        fetch: tokenFetch(upstream),
        env: options.env ?? {},
      }),
      breakers: new (options.patient === true ? PatientTable : BreakerTable)(
        this.breakerMemory,
        options.clock ?? systemClock,
      ),
      catalogue: loadCatalogue(),
      random: Math.random,
      recorder: {
        begin: handler => this.metrics.begin(handler),
        settle: record => {
          this.records.push(record)
          this.metrics.settle(record)
        },
      },
      countTokens: async () => ({ tokens: 3, estimated: true, encoding: 'bytes' }),
      translatePrompt: null,
      images: options.images ?? null,
      bug: error => this.bugs.push(error),
    }
    this.engine = new GatewayEngine(this.services, this.plan)
  }

  /** A header block; the body is the caller's to send. */
  open(
    method: string,
    target: string,
    headers: readonly string[],
    contentLength: number | null = null,
  ): Sent {
    const reply = new Reply()
    const request = {
      method,
      target,
      headers,
      remoteAddress: '127.0.0.1',
      listener: 'llm',
      contentLength,
    }
    return { reply, sink: this.engine.open(request, reply) }
  }

  /** Sends a request; await `reply.done` for its end. */
  send(target: string, body: unknown, headers: readonly string[] = []): Sent {
    const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body))
    const sent = this.open('POST', target, ['content-type', 'application/json', ...headers])
    if (sent.sink.bodyMode === 'whole') sent.sink.body(bytes)
    return sent
  }

  call(target: string, body: unknown, headers: readonly string[] = []): Promise<Reply> {
    return this.send(target, body, headers).reply.done
  }

  async close(): Promise<void> {
    await this.services.upstream.close()
  }
}

export function chat(model: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { model, messages: [{ role: 'user', content: 'one two three four five' }], ...more }
}

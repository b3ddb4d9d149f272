// Shards without threads: the real shard and the real supervisor in one thread, over a pair of message ports, with
// acceptors and a gateway that do what a test says.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { systemClock } from '../../src/common/clock.ts'
import { type ListenerPlan, loadPlan, type Plan, type ServerPlan } from '../../src/common/config/index.ts'
import {
  Shard,
  type ShardAcceptor,
  type ShardGateway,
  type ShardTelemetry,
  type SpawnShard,
  Supervisor,
  type SupervisorOptions,
} from '../../src/shards/index.ts'
import { ExchangeRecord, Log, type LogLevel } from '../../src/telemetry/index.ts'

export interface PlanChange {
  readonly listeners?: readonly Partial<ListenerPlan>[]
  readonly server?: Partial<ServerPlan>
  readonly hash?: string
}

/** A plan as loading nothing gives it, with the changes of a test; ports are 0 unless given. */
export function planOf({ listeners = [{}], server = {}, hash }: PlanChange = {}): Plan {
  const cwd = mkdtempSync(join(tmpdir(), 'sluice-plan-'))
  const { plan } = loadPlan({ file: null, cwd, env: {} })
  rmSync(cwd, { recursive: true })
  const base = { ...plan.listeners[0]!, address: '127.0.0.1', port: 0 }
  return {
    ...plan,
    hash: hash ?? plan.hash,
    listeners: listeners.map(change => ({ ...base, ...change })),
    server: { ...plan.server, drainMs: 200, ...server },
  }
}

export class FakeAcceptor implements ShardAcceptor {
  readonly listener: ListenerPlan
  readonly port: number
  connections = 0
  readonly renewTls = null
  state: 'new' | 'listening' | 'stopped' | 'closed' = 'new'
  private readonly failure: Error | null

  constructor(listener: ListenerPlan, failure: Error | null) {
    this.listener = listener
    this.port = listener.port === 0 ? 40_000 : listener.port
    this.failure = failure
  }

  async listen(): Promise<void> {
    if (this.failure !== null) throw this.failure
    this.state = 'listening'
  }

  stopAccepting(): void {
    this.state = 'stopped'
  }

  close(): void {
    this.state = 'closed'
    this.connections = 0
  }
}

/** Exchanges are a number here: `active` runs until `finish` or `cut`. */
export class FakeGateway implements ShardGateway {
  readonly telemetry: ShardTelemetry
  plan: Plan
  running = 0
  closed = false
  readonly engine: ShardGateway['engine']

  constructor(plan: Plan, telemetry: ShardTelemetry) {
    const self = this
    this.plan = plan
    this.telemetry = telemetry
    this.engine = {
      get active() {
        return self.running
      },
      cut() {
        const cut = self.running
        self.running = 0
        return cut
      },
    }
  }

  readyPlan(plan: Plan): () => void {
    return () => {
      this.plan = plan
    }
  }

  /** One exchange that went well. */
  serve(): void {
    const record = new ExchangeRecord('r', 'llm', '/v1/chat/completions', 'POST', 0)
    record.status = 200
    this.telemetry.recorder.begin(record.handler)
    this.telemetry.recorder.settle(record)
  }

  pools() {
    return []
  }

  async close(): Promise<void> {
    this.closed = true
  }
}

export interface FakeShard {
  readonly number: number
  readonly shard: Shard<FakeGateway>
  readonly gateway: FakeGateway
  readonly acceptors: readonly FakeAcceptor[]
  /** As an acceptor does before it hands over a request. */
  readonly begin: () => void
  ended: boolean
}

export class World {
  /** Every shard ever started, in order. */
  readonly shards: FakeShard[] = []
  readonly log: Record<string, unknown>[] = []
  /** Lines of shards are answered at once unless a test says otherwise. */
  takeLines = true
  /** Ports whose acceptors cannot listen. */
  readonly broken: Set<number> = new Set()
  /** How a stuck shard answers the attempt to end it. */
  evictFails = false
  supervisor: Supervisor | null = null

  living(number: number): FakeShard {
    return this.shards.findLast(one => one.number === number && !one.ended)!
  }

  supervise(plan: Plan, change: Partial<SupervisorOptions> = {}): Supervisor {
    const { level = 'info', ...rest } = change as Partial<SupervisorOptions> & { level?: LogLevel }
    const put = (line: string): void => void this.log.push(JSON.parse(line) as Record<string, unknown>)
    this.supervisor = new Supervisor({
      plan,
      shards: 2,
      acceptor: 'uws',
      exclusive: false,
      spawn: this.spawn,
      shared: new SharedArrayBuffer(8),
      logLevel: level,
      log: new Log(level, systemClock, {}, put),
      writeLines: (text, _lines, taken) => {
        for (const line of text.trimEnd().split('\n')) put(line)
        if (this.takeLines) taken()
      },
      clock: systemClock,
      watchEveryMs: 30,
      ...rest,
    })
    return this.supervisor
  }

  async end(): Promise<void> {
    await this.supervisor?.endNow()
    this.supervisor = null
  }

  private readonly spawn: SpawnShard = given => {
    const start = structuredClone(given)
    const { port1, port2 } = new MessageChannel()
    const acceptors: FakeAcceptor[] = []
    let gateway: FakeGateway | null = null
    let begin = (): void => {}
    let onEnd: (code: number) => void = () => {}
    const exit = (code: number): void => {
      if (made.ended) return
      made.ended = true
      port2.close()
      onEnd(code)
    }
    const shard = new Shard({
      start,
      port: {
        post: message => port2.postMessage(message),
        onMessage: take => void port2.on('message', take),
      },
      createGateway: (plan, telemetry) => (gateway = new FakeGateway(plan, telemetry)),
      openListener: (_gateway, before) => async listener => {
        begin = before
        const failure = this.broken.has(listener.port) ? new Error(`port ${listener.port} is broken`) : null
        const acceptor = new FakeAcceptor(listener, failure)
        acceptors.push(acceptor)
        return acceptor
      },
      compute: { facts: () => ({ counted: 0, estimated: 0, queued: 0 }), close: async () => {} },
      exit,
    })
    const made: FakeShard = {
      number: start.shard,
      shard,
      gateway: gateway!,
      acceptors,
      begin: () => begin(),
      ended: false,
    }
    this.shards.push(made)
    void shard.run()
    return {
      post: message => port1.postMessage(structuredClone(message)),
      onMessage: take => void port1.on('message', take),
      // As for real threads: what was said before the end is heard before the end.
      onEnd: handler => {
        onEnd = code => port1.once('close', () => handler({ code, error: null }))
      },
      evict: async found => {
        if (this.evictFails) throw new Error('the thread cannot be stopped')
        shard.letGo()
        found('spin (busy.js:7)')
        exit(1)
      },
    }
  }
}

/** Waits until something holds; fails loudly when it does not. */
export async function until(holds: () => boolean, what: string, waitMs = 5_000): Promise<void> {
  const endMs = performance.now() + waitMs
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`not so within ${waitMs} ms: ${what}`)
    await new Promise(done => setTimeout(done, 5))
  }
}

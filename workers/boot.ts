// Where the threads of the process begin: the register of their entry files, and starting them. Compiled files
// stand beside this one.

import { Worker } from 'node:worker_threads'
import { type AcceptorKind, openAcceptor, portSharing } from '../src/acceptor/index.ts'
import type { ServerPlan } from '../src/common/config/index.ts'
import type { Engine } from '../src/gateway/index.ts'
import { type SpawnShard, workerThread } from '../src/shards/index.ts'

const ENTRIES = {
  shard: new URL('./shard.js', import.meta.url),
  compute: new URL('./compute.js', import.meta.url),
  demo: new URL('./demo.js', import.meta.url),
} as const

/** Entry of the compute threads, which shards start themselves. */
export const COMPUTE_ENTRY: URL = ENTRIES.compute

export const spawnShard: SpawnShard = start => workerThread(ENTRIES.shard, start)

export interface DemoThread {
  readonly origin: string
  end(): Promise<void>
}

/** Starting is reading four small files and opening one socket. */
const DEMO_START_MS_MAX = 10_000

/** Resolves when the demo provider listens. */
export function startDemoThread(onFault: (error: Error) => void): Promise<DemoThread> {
  const worker = new Worker(ENTRIES.demo, { name: 'demo' })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`the demo provider did not start within ${DEMO_START_MS_MAX} ms`))
    }, DEMO_START_MS_MAX)
    worker.once('message', ({ origin }: { origin: string }) => {
      clearTimeout(timer)
      resolve({ origin, end: async () => void (await worker.terminate()) })
    })
    worker.on('error', error => {
      clearTimeout(timer)
      reject(error)
      onFault(error as Error)
    })
  })
}

export interface AcceptorChoice {
  readonly kind: AcceptorKind
  /** Why it is not the one that is better, or null. */
  readonly reason: string | null
  /** Several shards may listen on one port. */
  readonly sharing: boolean
}

/** Which acceptor this runtime can have: found out by making one, which never listens. */
export async function chooseAcceptor(server: ServerPlan): Promise<AcceptorChoice> {
  const options = { kind: server.acceptor, listener: '', address: '', port: 0, tls: null, bounds: server }
  const { acceptor, fallback } = await openAcceptor({ ...options, exclusive: true }, NOBODY)
  acceptor.close()
  const reason = fallback === null ? null : `${fallback}; using node:http`
  return { kind: acceptor.kind, reason, sharing: portSharing(acceptor.kind) }
}

const NOBODY: Engine = {
  open: () => {
    throw new Error('this acceptor never listens')
  },
  refuse: () => ({ status: 500, headers: [], body: new Uint8Array(0) }),
}

// Thread entry of a shard: puts a gateway, its acceptors and its compute pool together and hands them to `Shard`,
// which lives until it is told to end.

import { parentPort, workerData } from 'node:worker_threads'
import { openAcceptor } from '../src/acceptor/index.ts'
import { createCompute } from '../src/compute/index.ts'
import { type Engine, Gateway } from '../src/gateway/index.ts'
import { type FromShard, LET_GO, Shard, type ShardStart, type ToShard } from '../src/shards/index.ts'
import { COMPUTE_ENTRY } from './boot.ts'

const start = workerData as ShardStart
const port = parentPort!

const compute = createCompute({
  workerUrl: COMPUTE_ENTRY,
  onFault: error => shard.fault('compute thread', error),
})

const shard: Shard<Gateway> = new Shard({
  start,
  port: {
    post: (message: FromShard) => port.postMessage(message),
    onMessage: handler => void port.on('message', (message: ToShard) => handler(message)),
  },
  createGateway: (plan, { recorder, bug }) =>
    new Gateway(plan, {
      recorder,
      bug,
      shared: start.shared,
      countTokens: (model, dialect, body) => compute.countTokens(model, dialect, body),
      translatePrompt: (...wish) => compute.translatePrompt(...wish),
    }),
  openListener: (gateway, begin) => async (listener, plan) => {
    const { name, address, port, tls } = listener
    const { acceptor: kind, exclusive } = start
    const options = { kind, listener: name, address, port, tls, bounds: plan.server, exclusive }
    const engine: Engine = {
      open: (request, reply) => {
        begin()
        return gateway.engine.open(request, reply)
      },
      refuse: (target, error) => gateway.engine.refuse(target, error),
    }
    return (await openAcceptor(options, engine)).acceptor
  },
  compute,
  exit: code => process.exit(code),
})

// It has been taken over; what stays here would keep the first plan, and its keys, for the life of the thread.
delete (workerData as { plan?: unknown }).plan

process.on('uncaughtException', error => shard.crash(error))
// Whatever ends this thread, its native servers are closed first: left open, they abort the whole process.
process.on('exit', () => void shard.letGo())
;(globalThis as Record<symbol, unknown>)[LET_GO] = () => shard.letGo()

await shard.run()

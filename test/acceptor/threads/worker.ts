// A thread with an acceptor, for `threads.test.ts`: serves, and ends the way it is told to.

import { parentPort, threadId, workerData } from 'node:worker_threads'
import { type AcceptorKind, openAcceptor } from '../../../src/acceptor/index.ts'
import { BOUNDS } from '../contract/bench.ts'
import { FakeEngine } from '../fake-engine.ts'

export type Ending =
  /** Closes the acceptor and has nothing left to do. */
  | 'close'
  /** Leaves without closing. */
  | 'exit'
  /** An error that nobody catches. */
  | 'throw'
  /** An error whose handler closes the acceptor. */
  | 'handler'
  /** A bug in the engine, met inside a call of the native server. */
  | 'bug'

const { kind, port } = workerData as { readonly kind: AcceptorKind; readonly port: number }
const parent = parentPort!
const engine = new FakeEngine()
engine.handle = seen => {
  if (seen.request.target === '/bug') throw new Error('a bug in open')
  seen.onBody = () => {
    if (seen.request.target === '/stream') {
      seen.reply.head(200, [], null)
      const timer = setInterval(() => seen.reply.write(Buffer.from(`thread-${threadId} `)), 10)
      seen.onGone = () => clearInterval(timer)
    } else if (seen.request.target !== '/never') seen.reply.whole(200, [], Buffer.from(String(threadId)))
  }
}
const { acceptor } = await openAcceptor(
  { kind, listener: 'main', address: '127.0.0.1', port, tls: null, bounds: BOUNDS, exclusive: false },
  engine,
)
await acceptor.listen()
parent.postMessage({ threadId })

parent.on('message', (ending: Ending) => {
  switch (ending) {
    case 'close':
      acceptor.close()
      parent.close()
      break
    case 'exit':
      process.exit(0)
      break
    case 'handler':
      process.once('uncaughtException', () => {
        acceptor.close()
        process.exit(7)
      })
      throw new Error('on purpose')
    case 'bug':
      // The request that meets it is on its way.
      break
    case 'throw':
      throw new Error('on purpose')
  }
})

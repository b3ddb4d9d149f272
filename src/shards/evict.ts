// Ends a thread that is stuck in its own code. `terminate` alone would end the whole process: the native server
// leaves its handles open, and Node refuses to destroy a loop with open handles by aborting.
//
// The trick: the debugger of the runtime can stop a thread anywhere, also in an endless loop or a regular expression
// that runs away, and run a function there. That function closes the native server (and cuts the streams in the form
// of their dialect); then the thread may be ended like any other.

import { inspect } from 'node:util'
import type { Worker } from 'node:worker_threads'

/** The thread puts its last function there; it returns how many exchanges it cut. */
export const LET_GO = Symbol.for('sluice.shard.letGo')

const LET_GO_EXPRESSION = "globalThis[Symbol.for('sluice.shard.letGo')]?.()"

/** A thread that cannot be stopped by then sits in native code. */
const EVICT_MS_MAX = 3_000

/** For the function itself: it may be the very code that is stuck. */
const LET_GO_MS_MAX = 1_000

/** Numbers of our requests to the thread's debugger. */
const ENABLE = 1
const PAUSE = 2
const RUN = 3
const RESUME = 4

interface Reply {
  readonly id?: number
  readonly method?: string
  readonly params?: {
    readonly callFrames?: readonly CallFrame[]
    readonly scriptId?: string
    readonly url?: string
  }
}

interface CallFrame {
  readonly functionName: string
  readonly location: { readonly scriptId: string; readonly lineNumber: number }
}

/** Tells where the thread was stuck, then ends it. Rejects when it cannot be ended alone; it then still runs. */
export async function evict(worker: Worker, found: (place: string) => void): Promise<void> {
  const { Session } = await import('node:inspector')
  const session = new Session()
  session.connect()
  try {
    await stopAndLetGo(session, worker, found)
  } finally {
    session.disconnect()
  }
  // The thread runs on in its endless code, but with its server closed: now it may be ended like any other.
  await worker.terminate()
}

type InspectorSession = import('node:inspector').Session

function stopAndLetGo(
  session: InspectorSession,
  worker: Worker,
  found: (place: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sessionId = ''
    const files = new Map<string, string>()
    const timer = setTimeout(() => reject(new Error('the thread cannot be stopped')), EVICT_MS_MAX)
    const tell = (id: number, method: string, params: object = {}): void => {
      const message = JSON.stringify({ id, method, params })
      session.post('NodeWorker.sendMessageToWorker', { sessionId, message })
    }
    session.on('NodeWorker.attachedToWorker', ({ params }) => {
      // Ids here count sessions; which thread it is stands in the title alone.
      if (!params.workerInfo.title.startsWith(`[worker ${worker.threadId}]`)) return
      sessionId = params.sessionId
      tell(ENABLE, 'Debugger.enable')
      tell(PAUSE, 'Debugger.pause')
    })
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      if (params.sessionId !== sessionId) return
      const reply = JSON.parse(params.message) as Reply
      if (reply.method === 'Debugger.scriptParsed') {
        files.set(reply.params?.scriptId ?? '', reply.params?.url ?? '')
      } else if (reply.method === 'Debugger.paused') {
        found(placeOf(reply.params?.callFrames ?? [], files))
        tell(RUN, 'Runtime.evaluate', { expression: LET_GO_EXPRESSION, timeout: LET_GO_MS_MAX })
      } else if (reply.id === RUN) tell(RESUME, 'Debugger.resume')
      else if (reply.id === RESUME) {
        clearTimeout(timer)
        resolve()
      }
    })
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, error => {
      if (error === null) return
      clearTimeout(timer)
      reject(new Error(`no debugger in this runtime: ${inspect(error)}`))
    })
  })
}

/** The innermost function that is not the runtime's own, with its file and line. */
function placeOf(frames: readonly CallFrame[], files: ReadonlyMap<string, string>): string {
  const fileOf = (frame: CallFrame): string => files.get(frame.location.scriptId) ?? ''
  const frame = frames.find(one => !fileOf(one).startsWith('node:')) ?? frames[0]
  if (frame === undefined) return 'unknown place'
  const file = fileOf(frame).split('/').slice(-2).join('/')
  return `${frame.functionName || 'a function without a name'} (${file}:${frame.location.lineNumber + 1})`
}

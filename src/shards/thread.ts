// A shard's thread as the supervisor sees it, and the real one: a worker thread. Tests pass another.

import { Worker } from 'node:worker_threads'
import { evict } from './evict.ts'
import type { FromShard, ShardStart, ToShard } from './messages.ts'

/** How a thread ended. */
export interface ThreadEnd {
  readonly code: number
  /** What it threw while it loaded, or null. */
  readonly error: string | null
}

export interface ShardThread {
  post(message: ToShard): void
  onMessage(handler: (message: FromShard) => void): void
  /** Called once. */
  onEnd(handler: (end: ThreadEnd) => void): void
  /**
   * Ends a thread whose loop does not turn, and tells before where it was stuck. Rejects when it could not be ended
   * without the whole process.
   */
  evict(found: (place: string) => void): Promise<void>
}

export type SpawnShard = (start: ShardStart) => ShardThread

/** Starts `entry` as a worker thread with the shard's start as its data. */
export function workerThread(entry: URL, start: ShardStart): ShardThread {
  const worker = new Worker(entry, { workerData: start, name: `shard ${start.shard}` })
  let error: string | null = null
  worker.on('error', thrown => {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  })
  return {
    post: message => worker.postMessage(message),
    onMessage: handler => void worker.on('message', handler),
    onEnd: handler => void worker.once('exit', code => handler({ code, error })),
    evict: found => evict(worker, found),
  }
}

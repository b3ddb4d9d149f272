// The threads behind the compute module. Owns their start, their end and what happens when they fail; knows nothing
// of what they compute. Nothing is loaded and no thread starts before the first task.
//
// A thread that frees nothing while it waits keeps what its largest task took; after large ones the threads are let
// go as soon as they are idle. A thread that dies (out of memory, say) fails the task it ran and is replaced; tasks that wait go on. When none
// can be started, all waiting tasks fail at once and the pool rests before it tries again: Piscina by itself would
// let them wait for ever.

import type { Piscina } from 'piscina'
import type { Clock } from '../common/clock.ts'

export interface PoolOptions {
  /** The compiled thread entry. */
  readonly workerUrl: URL
  readonly threads: number
  readonly clock: Clock
  /** A thread failed or could not be started: for the log. */
  readonly onFault: (error: unknown) => void
  /** After large tasks, and so long without another, the threads are let go. Default 5 s. */
  readonly releaseAfterMs?: number
}

/** Threads above the first stop after that long without a task. */
const IDLE_MS = 30_000

/**
 * Heap of one thread. The worst body for its size, nothing but brackets, takes about thirty times its bytes when it
 * is parsed; a thread that wants more ends, instead of the process.
 */
const HEAP_MB_MAX = 768

/** A task that is given more than this may leave a heap of hundreds of megabytes behind. */
const LARGE_BYTES = 2 * 1024 * 1024

const RELEASE_AFTER_MS = 5_000

/** After threads could not be started: long enough not to burn a core on trying. */
const REST_MS = 10_000

/** The pool is closed or resting: nothing was tried. */
export class PoolUnavailable extends Error {
  override readonly name = 'PoolUnavailable'
}

export class Pool {
  private readonly options: PoolOptions
  private piscina: Promise<Piscina> | null
  private restUntilMs: number
  private closed: boolean
  private running: number
  private wasLarge: boolean
  private release: NodeJS.Timeout | null

  constructor(options: PoolOptions) {
    this.options = options
    this.piscina = null
    this.restUntilMs = 0
    this.closed = false
    this.running = 0
    this.wasLarge = false
    this.release = null
  }

  /** False: a task would fail at once. */
  get available(): boolean {
    return !this.closed && this.options.clock.monotonicMs() >= this.restUntilMs
  }

  /** `buffers` are handed over and cannot be used afterwards. Rejects when the task throws or its thread dies. */
  async run(name: string, task: object, buffers: readonly ArrayBuffer[]): Promise<unknown> {
    if (!this.available) throw new PoolUnavailable('the compute pool is closed or resting')
    this.piscina ??= this.start()
    const { piscina } = this
    if (this.release !== null) clearTimeout(this.release)
    if (buffers.some(buffer => buffer.byteLength > LARGE_BYTES)) this.wasLarge = true
    this.running += 1
    try {
      const threads = await piscina
      if (this.piscina !== piscina) throw new PoolUnavailable('the compute pool was stopped')
      // No signal, ever: aborting a running task kills its thread.
      return await threads.run(task, { name, transferList: [...buffers] }).catch(thrown => {
        this.restIfDead(threads)
        throw thrown
      })
    } finally {
      this.running -= 1
      if (this.running === 0 && this.wasLarge) this.releaseLater()
    }
  }

  async close(): Promise<void> {
    this.closed = true
    if (this.release !== null) clearTimeout(this.release)
    await this.drop()
  }

  private async drop(): Promise<void> {
    const { piscina } = this
    this.piscina = null
    this.wasLarge = false
    await (await piscina)?.destroy()
  }

  private releaseLater(): void {
    const { releaseAfterMs = RELEASE_AFTER_MS } = this.options
    this.release = setTimeout(() => {
      if (this.running === 0) void this.drop()
    }, releaseAfterMs).unref()
  }

  private async start(): Promise<Piscina> {
    const { Piscina } = await import('piscina')
    const { workerUrl, threads, onFault } = this.options
    const piscina = new Piscina({
      filename: workerUrl.href,
      minThreads: 1,
      maxThreads: threads,
      idleTimeout: IDLE_MS,
      // Freezes a thread's loop between tasks: right for threads that own no socket, and the fastest.
      atomics: 'sync',
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
      // Keys and tokens of the environment are no business of these threads.
      env: {},
      execArgv: [],
      recordTiming: false,
    })
    piscina.on('error', error => {
      onFault(error)
      this.restIfDead(piscina)
    })
    return piscina
  }

  private restIfDead(threads: Piscina): void {
    if (this.piscina === null || threads.threads.length > 0) return
    this.restUntilMs = this.options.clock.monotonicMs() + REST_MS
    void this.drop()
  }
}

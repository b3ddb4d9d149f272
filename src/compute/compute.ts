// The front of the compute pool, on a shard. Owns what may wait, how long, and what is answered when the pool cannot:
// a guess for a count, a refusal for a translation. The caller keeps its bytes; a copy of them is handed over.

import { type Clock, systemClock } from '../common/clock.ts'
import { GatewayError } from '../common/errors.ts'
import type { DialectId, InlineImage, PathFacts, TargetFacts, WrittenPrompt } from '../translate/index.ts'
import { byteEstimate, type TokenCount } from './estimate.ts'
import { Pool, PoolUnavailable } from './pool.ts'
import type { CountWish } from './tasks.ts'
import { type TranslatedData, translatedFromData, type TranslateWish } from './translation.ts'

export interface ComputeOptions {
  /** The compiled thread entry: `new URL('./compute.js', import.meta.url)` in a compiled file of `workers/`. */
  readonly workerUrl: URL
  /** Default 1: every shard has a pool of its own. */
  readonly threads?: number
  /** Tasks that may wait for a thread. Default 64. */
  readonly queueMax?: number
  /** Bytes of bodies that may wait and run. Default 64 MiB. */
  readonly queueBytesMax?: number
  /** After that long a count is answered with the guess. Default 5 s. */
  readonly countWaitMsMax?: number
  /** When to load the most used encoding, after the start. Default 1 s; null waits for the first count. */
  readonly warmAfterMs?: number | null
  readonly clock?: Clock
  /** A thread failed: for the log. */
  readonly onFault?: (error: unknown) => void
}

export interface ComputeFacts {
  /** Tasks that wait for a thread. */
  readonly queued: number
  readonly running: number
  /** Counts the pool has answered. */
  readonly counted: number
  /** Counts that were guessed from the bytes instead. The two names are one figure. */
  readonly fallbacks: number
  readonly estimated: number
  readonly translated: number
  /** Translations refused because the pool was full or not to be had. */
  readonly refused: number
}

export interface Compute {
  /** Never rejects. */
  countTokens(model: string, dialect: DialectId, body: Uint8Array): Promise<TokenCount>
  /** As `translatePrompt` of the leaf; rejects with `TranslateError` where that throws, `overloaded` when full. */
  translatePrompt(
    client: DialectId,
    upstream: DialectId,
    body: Uint8Array,
    target: TargetFacts,
    strict: boolean,
    path?: PathFacts | null,
    images?: readonly InlineImage[],
  ): Promise<WrittenPrompt>
  facts(): ComputeFacts
  /** Ends the threads. What still runs is answered as if the pool were full. */
  close(): Promise<void>
}

const QUEUE_MAX = 64
const QUEUE_BYTES_MAX = 64 * 1024 * 1024
const COUNT_WAIT_MS_MAX = 5_000
const WARM_AFTER_MS = 1_000

/** Larger than what any model reads, and already 3 ms of copying: guessed without asking the pool. */
export const COUNT_BYTES_MAX = 16 * 1024 * 1024

/** A refused client may try again then: by that time a full queue has moved. */
const RETRY_AFTER_MS = 1_000

export function createCompute(options: ComputeOptions): Compute {
  return new PooledCompute(options)
}

function lostTranslation(cause: unknown): GatewayError {
  if ((cause as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new GatewayError(
      'body-too-large',
      'translating this prompt takes more memory than one request may',
      {
        cause,
      },
    )
  }
  return new GatewayError('internal', 'the translation of the prompt ended with its thread', { cause })
}

class PooledCompute implements Compute {
  private readonly pool: Pool
  private readonly threads: number
  private readonly tasksMax: number
  private readonly bytesMax: number
  private readonly countWaitMsMax: number
  private readonly warming: NodeJS.Timeout | null
  private tasks: number
  private bytes: number
  private counted: number
  private fallbacks: number
  private translated: number
  private refused: number

  constructor(options: ComputeOptions) {
    const { workerUrl, threads = 1, clock = systemClock, onFault = () => {} } = options
    this.pool = new Pool({ workerUrl, threads, clock, onFault })
    this.threads = threads
    this.tasksMax = threads + (options.queueMax ?? QUEUE_MAX)
    this.bytesMax = options.queueBytesMax ?? QUEUE_BYTES_MAX
    this.countWaitMsMax = options.countWaitMsMax ?? COUNT_WAIT_MS_MAX
    this.tasks = 0
    this.bytes = 0
    this.counted = 0
    this.fallbacks = 0
    this.translated = 0
    this.refused = 0
    const { warmAfterMs = WARM_AFTER_MS } = options
    this.warming = warmAfterMs === null ? null : setTimeout(() => this.warm(), warmAfterMs).unref()
  }

  countTokens(model: string, dialect: DialectId, body: Uint8Array): Promise<TokenCount> {
    if (body.length > COUNT_BYTES_MAX || !this.admits(body.length)) {
      return Promise.resolve(this.guess(body.length))
    }
    const copy = new Uint8Array(body)
    const wish: CountWish = { model, dialect, body: copy }
    return new Promise(resolve => {
      let waiting = true
      const settle = (count: TokenCount | null): void => {
        if (!waiting) return
        waiting = false
        clearTimeout(deadline)
        if (count !== null) this.counted += 1
        resolve(count ?? this.guess(body.length))
      }
      const deadline = setTimeout(() => settle(null), this.countWaitMsMax).unref()
      this.run('count', wish, copy).then(
        count => settle(count as TokenCount),
        () => settle(null),
      )
    })
  }

  async translatePrompt(
    client: DialectId,
    upstream: DialectId,
    body: Uint8Array,
    target: TargetFacts,
    strict: boolean,
    path: PathFacts | null = null,
    images: readonly InlineImage[] = [],
  ): Promise<WrittenPrompt> {
    if (!this.admits(body.length)) throw this.refusal()
    const copy = new Uint8Array(body)
    const wish: TranslateWish = { client, upstream, body: copy, target, strict, path, images }
    let data: TranslatedData
    try {
      data = (await this.run('translate', wish, copy)) as TranslatedData
    } catch (thrown) {
      if (thrown instanceof PoolUnavailable || !this.pool.available) throw this.refusal()
      throw lostTranslation(thrown)
    }
    this.translated += 1
    return translatedFromData(data)
  }

  facts(): ComputeFacts {
    const running = Math.min(this.tasks, this.threads)
    const { counted, fallbacks, translated, refused } = this
    return {
      queued: this.tasks - running,
      running,
      counted,
      fallbacks,
      estimated: fallbacks,
      translated,
      refused,
    }
  }

  close(): Promise<void> {
    if (this.warming !== null) clearTimeout(this.warming)
    return this.pool.close()
  }

  private admits(bytes: number): boolean {
    return this.pool.available && this.tasks < this.tasksMax && this.bytes + bytes <= this.bytesMax
  }

  private async run(name: string, task: object, body: Uint8Array<ArrayBuffer>): Promise<unknown> {
    const bytes = body.length
    this.tasks += 1
    this.bytes += bytes
    try {
      return await this.pool.run(name, task, [body.buffer])
    } finally {
      this.tasks -= 1
      this.bytes -= bytes
    }
  }

  private guess(bytes: number): TokenCount {
    this.fallbacks += 1
    return byteEstimate(bytes)
  }

  private refusal(): GatewayError {
    this.refused += 1
    return new GatewayError('overloaded', 'too many large prompts wait for translation', {
      retryAfterMs: RETRY_AFTER_MS,
    })
  }

  private warm(): void {
    // A failure shows in the next count, and in `onFault`.
    this.run('warm', {}, new Uint8Array(0)).catch(() => {})
  }
}

// What supervisor and shards say to each other: plain records over one control port per shard, nothing else. Both
// unions are closed; whoever receives one ends its `switch` in `unreachable`.

import type { Plan } from '../common/config/index.ts'
import type { LogLevel, Snapshot } from '../telemetry/index.ts'

/** What a shard is born with. */
export interface ShardStart {
  /** Counted from 1; a restarted shard keeps its number. */
  readonly shard: number
  readonly plan: Plan
  readonly acceptor: 'uws' | 'node'
  /** False: the other shards listen on the same ports. */
  readonly exclusive: boolean
  readonly logLevel: LogLevel
  /** See `pulse.ts`. */
  readonly pulse: SharedArrayBuffer
  /** See `turn.ts`. */
  readonly turn: SharedArrayBuffer
  /** What shards decide together; made and read by the gateway. */
  readonly shared: SharedArrayBuffer
}

export interface ListenerFacts {
  readonly name: string
  readonly address: string
  /** The port in use, also where the plan says 0. */
  readonly port: number
}

/** `change` numbers the attempts at another plan, so that a late answer to an old one is not taken for a new one. */
export type ToShard =
  /** Make `plan` ready: open what it adds, change nothing that is served. Answered by `prepared`. */
  | { readonly kind: 'prepare'; readonly change: number; readonly plan: Plan }
  /** The prepared plan has been turned to: settle its listeners. Answered by `switched`. */
  | { readonly kind: 'switch'; readonly change: number }
  /** Forget the prepared plan. */
  | { readonly kind: 'discard' }
  /** Tell everything that was counted. Answered by `snapshot`. */
  | { readonly kind: 'snapshot'; readonly id: number }
  /** The log has taken a batch of lines. */
  | { readonly kind: 'lines-taken' }
  /** Finish within `waitMs`, cut the rest, end. Answered by `ending`. */
  | { readonly kind: 'drain'; readonly waitMs: number }
  /** End now. Answered by `ending`. */
  | { readonly kind: 'end' }

export type FromShard =
  | { readonly kind: 'ready'; readonly listeners: readonly ListenerFacts[] }
  /** The shard cannot start and ends. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'prepared'; readonly change: number; readonly error: string | null }
  | {
      readonly kind: 'switched'
      readonly change: number
      readonly epoch: number
      /** From the turn until this shard had left the old plan. */
      readonly afterMs: number
      readonly listeners: readonly ListenerFacts[]
    }
  | { readonly kind: 'snapshot'; readonly id: number; readonly snapshot: Snapshot }
  | { readonly kind: 'lines'; readonly text: string; readonly lines: number }
  /** The last message of a shard: why it ends, and how many exchanges it cut. */
  | {
      readonly kind: 'ending'
      readonly reason: 'drained' | 'told' | 'crashed'
      readonly message: string
      readonly cut: number
    }

/** One end of a control port. */
export interface ControlPort {
  post(message: FromShard): void
  onMessage(handler: (message: ToShard) => void): void
}

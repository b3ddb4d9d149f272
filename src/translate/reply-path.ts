// One reply on its way from an upstream to a client, relayed or translated: the engine drives both through this.
// Synchronous: everything that a piece of input leads to has been pushed when the call returns.

import type { ErrorReply } from './errors.ts'
import type { Usage } from './usage.ts'

/** Takes bytes that are lent until the call returns. */
export interface ByteSink {
  write(bytes: Uint8Array): void
}

export type ReplyState =
  /** More may come. */
  | 'open'
  /** The upstream finished in the way its dialect says a success ends. */
  | 'complete'
  /** It did not, and the client has been given the error form of its dialect. */
  | 'failed'

/** What is known so far; read at any time, final when `state` is not `open`. */
export interface ReplyFacts {
  readonly state: ReplyState
  readonly usage: Usage | null
  /** Finish reason in the upstream's own words, or null. */
  readonly finish: string | null
  /** The first frame that carries model output (text, reasoning, a call) has been seen. */
  readonly contentSeen: boolean
  /** Model and reply id as the upstream named them, or null. */
  readonly model: string | null
  readonly id: string | null
  /** Why `state` is `failed`: an error the upstream put inside its reply, or a broken one. */
  readonly error: ErrorReply | null
}

export interface ReplyPath {
  /** A piece of the upstream's body, cut anywhere. Lent until return. */
  write(chunk: Uint8Array): void
  /** The upstream's body is complete by its HTTP framing. An unfinished reply becomes `failed` here. */
  end(): void
  /** The reply breaks here for a reason outside its bytes (socket died, time-out, drain). */
  cut(error: ErrorReply): void
  readonly facts: ReplyFacts
  /**
   * What has been written stops where an event of a stream of events ends, so a comment may stand here. Never true for
   * documents and binary streams. Looked at seldom; costs nothing until then.
   */
  readonly betweenEvents: boolean
}

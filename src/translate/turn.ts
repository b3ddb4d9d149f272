// A model's reply, pushed in wire order. Owns the contract between readers and writers. Knows no dialect.
//
// Grammar, checked by `CheckingSink` in tests and fuzzing:
//   turn   = start ( part-call | ping | extra | usage )*  finish+ ( usage | ping | extra )*  end
//          | ( the same, broken off anywhere, also before start )  fail
//   part   = partStart | callStart, its content calls, partEnd;  or  media | vendor, which are whole in one call
// - `choice` numbers the alternatives from 0; `part` numbers the parts of one choice, dense from 0 in the order
//   they start. Parts of one choice may be open side by side; writers of dialects that cannot say so queue.
// - `finish` comes once per choice that has started a part or finishes empty, after its parts have ended.
// - `usage` may come at any time after `start`; the last one counts.
// - Exactly one of `end` and `fail` is the last call of all.

import type { DialectId } from './dialect.ts'
import type { ErrorReply } from './errors.ts'
import type { Citation, MediaPart, Opaque } from './prompt.ts'
import type { Usage } from './usage.ts'

export type StopReason =
  | 'stop'
  /** A stop text of the client matched; `Finish.stopText` names it when known. */
  | 'stop-text'
  | 'calls'
  | 'length'
  | 'context-window'
  | 'filter'
  /** The model wrote a refusal. With `Finish.detail` a classifier stopped it. */
  | 'refusal'
  | 'pause'
  | 'continuation'
  | 'malformed-call'
  | 'other'

export interface Finish {
  readonly reason: StopReason
  readonly stopText: string | null
  /** What a classifier said; both members may be null and still mean that a classifier stopped the model. */
  readonly detail: { readonly category: string | null; readonly explanation: string | null } | null
  /** The upstream's own word, for the record. */
  readonly word: string | null
}

/** What the upstream said about the reply as a whole, before any content. */
export interface TurnHead {
  /** As the upstream spelled it, or '' when it has none. */
  readonly id: string
  readonly model: string
  /** Seconds since 1970, or null when the upstream does not say. */
  readonly createdS: number | null
  /** Service tier that served the reply, in the upstream's word, or null. */
  readonly tier: string | null
  /** Counts an upstream tells before the reply; null for most. `usage` calls later overwrite it. */
  readonly usage: Usage | null
}

export type ProsePartKind = 'text' | 'reasoning' | 'refusal'

export interface CallHead {
  /** '' when the upstream gave none; the gate between reader and writer makes one. */
  readonly id: string
  readonly itemId: string | null
  readonly name: string
  readonly namespace: string | null
  /** The input is plain text and arrives by `text`, not by `input`. */
  readonly custom: boolean
}

export interface TokenLogprob {
  readonly token: string
  readonly logprob: number
  /** Empty when no alternatives were asked for. */
  readonly top: readonly { readonly token: string; readonly logprob: number }[]
  /** True for a token of a refusal. */
  readonly refusal: boolean
}

export interface TurnSink {
  start(head: TurnHead): void
  partStart(choice: number, part: number, kind: ProsePartKind): void
  callStart(choice: number, part: number, call: CallHead): void
  /** A piece of text, reasoning, refusal or of the input of a custom call. Never empty. May split a surrogate pair. */
  text(choice: number, part: number, delta: string): void
  /** The next readable section of a reasoning part begins. Not sent before the first. */
  section(choice: number, part: number): void
  /** A piece of the arguments' JSON text. Together they are verbatim what the upstream said; none at all means {}. */
  input(choice: number, part: number, json: string): void
  /** Opaque material of this part. Replaces an earlier value. On a text or call part: its signature. */
  opaque(choice: number, part: number, opaque: Opaque): void
  cite(choice: number, part: number, citation: Citation): void
  logprobs(choice: number, part: number, tokens: readonly TokenLogprob[]): void
  /** `complete` is false when a limit cut the part; arguments are then delivered as far as they came. */
  partEnd(choice: number, part: number, complete: boolean): void
  /** A whole image, sound or document made by the model. */
  media(choice: number, part: number, media: MediaPart): void
  /** A whole part that only `dialect` can say: the trace of a hosted tool and the like. */
  vendor(choice: number, part: number, dialect: DialectId, type: string, json: string): void
  finish(choice: number, finish: Finish): void
  usage(usage: Usage): void
  ping(): void
  /** An event or a member of the reply without meaning for other dialects. */
  extra(dialect: DialectId, name: string, json: string): void
  end(): void
  fail(error: ErrorReply): void
}

/** Bytes of a reply in, calls out. `end` and `cut` are called at most once, one of them last. */
export interface ReplyReader {
  /** Lent until return. */
  write(chunk: Uint8Array): void
  /** The body is complete by its HTTP framing. In a state that is not final the turn fails here. */
  end(): void
  /** The body breaks here for a reason outside its bytes. */
  cut(error: ErrorReply): void
}

export function finish(reason: StopReason, word: string | null, stopText: string | null = null): Finish {
  return { reason, stopText, detail: null, word }
}

/** Pushes every call into two sinks, the first one first. */
export class Tee implements TurnSink {
  private readonly first: TurnSink
  private readonly second: TurnSink

  constructor(first: TurnSink, second: TurnSink) {
    this.first = first
    this.second = second
  }

  start(head: TurnHead): void {
    this.first.start(head)
    this.second.start(head)
  }

  partStart(choice: number, part: number, kind: ProsePartKind): void {
    this.first.partStart(choice, part, kind)
    this.second.partStart(choice, part, kind)
  }

  callStart(choice: number, part: number, call: CallHead): void {
    this.first.callStart(choice, part, call)
    this.second.callStart(choice, part, call)
  }

  text(choice: number, part: number, delta: string): void {
    this.first.text(choice, part, delta)
    this.second.text(choice, part, delta)
  }

  section(choice: number, part: number): void {
    this.first.section(choice, part)
    this.second.section(choice, part)
  }

  input(choice: number, part: number, json: string): void {
    this.first.input(choice, part, json)
    this.second.input(choice, part, json)
  }

  opaque(choice: number, part: number, opaque: Opaque): void {
    this.first.opaque(choice, part, opaque)
    this.second.opaque(choice, part, opaque)
  }

  cite(choice: number, part: number, citation: Citation): void {
    this.first.cite(choice, part, citation)
    this.second.cite(choice, part, citation)
  }

  logprobs(choice: number, part: number, tokens: readonly TokenLogprob[]): void {
    this.first.logprobs(choice, part, tokens)
    this.second.logprobs(choice, part, tokens)
  }

  partEnd(choice: number, part: number, complete: boolean): void {
    this.first.partEnd(choice, part, complete)
    this.second.partEnd(choice, part, complete)
  }

  media(choice: number, part: number, media: MediaPart): void {
    this.first.media(choice, part, media)
    this.second.media(choice, part, media)
  }

  vendor(choice: number, part: number, dialect: DialectId, type: string, json: string): void {
    this.first.vendor(choice, part, dialect, type, json)
    this.second.vendor(choice, part, dialect, type, json)
  }

  finish(choice: number, finish: Finish): void {
    this.first.finish(choice, finish)
    this.second.finish(choice, finish)
  }

  usage(usage: Usage): void {
    this.first.usage(usage)
    this.second.usage(usage)
  }

  ping(): void {
    this.first.ping()
    this.second.ping()
  }

  extra(dialect: DialectId, name: string, json: string): void {
    this.first.extra(dialect, name, json)
    this.second.extra(dialect, name, json)
  }

  end(): void {
    this.first.end()
    this.second.end()
  }

  fail(error: ErrorReply): void {
    this.first.fail(error)
    this.second.fail(error)
  }
}

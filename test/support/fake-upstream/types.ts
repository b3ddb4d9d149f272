// What the parts of the fake upstream say to each other. No logic.

import type { HeaderList } from '../../../src/common/headers.ts'
import type { DialectId } from '../../../src/translate/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: bodies of foreign shape, read with care in one place each
export type Json = any

/** How a reply goes wrong. Everything is off by default; the same keys work in the `x-fake` request header. */
export interface Behaviour {
  /** Reply with this status; from 400 on the body is the dialect's error form. */
  readonly status: number
  readonly delayBeforeHeadersMs: number
  /** From the header block to the first byte of the body. */
  readonly delayBeforeBodyMs: number
  readonly delayBetweenFramesMs: number
  /** This many content frames (streamed) or words (whole) instead of an echo; 0 echoes. */
  readonly frames: number
  /** Text bytes of each of those. */
  readonly frameBytes: number
  /** Answer from a cache without reading the request's JSON: cheap enough for load tests. */
  readonly canned: boolean
  /** Stop after this many body bytes (before transfer coding); -1 never. How: see `cut`. */
  readonly cutAfterBytes: number
  /** `fin`: close without ending the body. `reset`: RST. `end`: end the body as if it were whole. */
  readonly cut: 'fin' | 'reset' | 'end'
  readonly resetBeforeHeaders: boolean
  readonly closeBeforeHeaders: boolean
  readonly resetAfterHeaders: boolean
  /** Bytes that are not HTTP instead of a reply. */
  readonly garbage: boolean
  /** A sound head, then a body that is not of the dialect. */
  readonly garbageBody: boolean
  /** Content frames repeat for ever, as fast as the reader takes them. */
  readonly neverEnding: boolean
  readonly hangBeforeHeaders: boolean
  readonly hangAfterHeaders: boolean
  /** Stop, with the socket open, after this many frames; -1 never. */
  readonly hangAfterFrames: number
  /** Added to the announced Content-Length. */
  readonly wrongLengthBy: number
  readonly badChunk: boolean
  readonly gzip: boolean
  /** A load balancer's page: text/html with `status` (502 unless given). */
  readonly html: boolean
  /** One byte of the reply per this many milliseconds; 0 off. */
  readonly dripMs: number
  /** The whole reply, head included, in writes of this many bytes; 0 off. */
  readonly splitBytes: number
  /** Every frame in its own write even when there is no delay between them. */
  readonly separateWrites: boolean
  /** Body ends with the connection: neither Content-Length nor chunks. */
  readonly untilClose: boolean
  /** Say `connection: close` and mean it. */
  readonly connectionClose: boolean
  /** This many bytes after the end of the reply. */
  readonly surplusBytes: number
  /** One more header field of this many bytes. */
  readonly headerBytes: number
  /** Send this many interim replies (103) first. */
  readonly interim: number
  /** Close the connection this long after the reply, without saying so in it; -1 never. */
  readonly closeIdleAfterMs: number
}

export interface RecordedRequest {
  readonly index: number
  readonly method: string
  /** Path and query as sent. */
  readonly path: string
  /** Names lower case; order and duplicates as sent. */
  readonly headers: HeaderList
  readonly body: Uint8Array
  /** Which connection it came on: 1 is the first ever accepted. */
  readonly socket: number
  readonly arrivedAtMs: number
  /** The reply was sent as planned (also one that is planned to break). */
  finishedAtMs: number | null
  /** The client's side of the connection ended before that. */
  aborted: boolean
  abortedAtMs: number | null
  /** Bytes of the reply given to the socket so far. */
  bytesSent: number
  /** The socket's buffer is full: the client does not read. */
  stalled: boolean
  header(name: string): string | null
  json(): Json
  text(): string
}

/** A reply written by a test. Exactly one of `body`, `frames`, `raw`; none is an empty body. */
export interface ScriptedReply {
  readonly status?: number
  readonly headers?: HeaderList
  /** Sent with Content-Length. */
  readonly body?: string | Uint8Array
  /** Sent chunked, one chunk each. */
  readonly frames?: readonly (string | Uint8Array)[]
  /** The whole reply from the status line on, verbatim; then the connection stays open unless `behaviour` closes it. */
  readonly raw?: string | Uint8Array
  readonly behaviour?: Partial<Behaviour>
}

/** Returns null to leave the request to the dialects. */
export type Step = (request: RecordedRequest) => ScriptedReply | null

/** What was asked, in no dialect's words. */
export interface FakePrompt {
  readonly model: string
  readonly stream: boolean
  /** Usage is wanted in the stream. */
  readonly streamUsage: boolean
  /** Every text of the request that counts as input. */
  readonly texts: readonly string[]
  /** Text of the last user message; null when the last message is a tool's result. */
  readonly lastUserText: string | null
  readonly lastToolResult: string | null
  readonly tools: readonly { readonly name: string; readonly schema: Json }[]
  /** `auto`, `none`, `any` or a tool's name. */
  readonly toolChoice: string
  readonly outputTokensMax: number | null
}

export interface FakeTurn {
  readonly id: string
  readonly model: string
  readonly pieces: readonly string[]
  readonly call: { readonly id: string; readonly name: string; readonly input: string } | null
  readonly inputTokens: number
  readonly outputTokens: number
  readonly finish: 'stop' | 'length' | 'call'
}

/** The frames of a stream, so that the middle can be repeated. */
export interface FrameList {
  readonly before: readonly Uint8Array[]
  readonly content: readonly Uint8Array[]
  readonly after: readonly Uint8Array[]
}

export interface FakeDialect {
  readonly id: DialectId
  matches(method: string, path: string): boolean
  readPrompt(path: string, body: Json): FakePrompt
  wholeReply(turn: FakeTurn): Json
  streamType: string
  streamFrames(turn: FakeTurn, prompt: FakePrompt): FrameList
  errorReply(status: number, message: string): Json
}

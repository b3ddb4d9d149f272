// The contract of an HTTP client towards upstreams. Callbacks on one object for the reply, a small handle for
// control; no promise per chunk. Implementations: `http1.ts`, `undici.ts` and `http2.ts`.
//
// The order of calls on an UpstreamHandler:  head  data*  end   — or `fail` at any moment, once, last.
// Nothing is called before `send` returns, and nothing after `abort`.

import type { GatewayError } from '../common/errors.ts'
import type { HeaderList } from '../common/headers.ts'

/** Time-outs of one call, milliseconds; each has a name that its error carries. `Infinity` is none. */
export interface Deadlines {
  /** Until there is a connection to write to: a place in the pool, name resolution, TCP and TLS handshake. */
  readonly connectMs: number
  /** From the request being written to the reply's header block. */
  readonly headersMs: number
  /** From the header block to the first byte of the body. */
  readonly firstByteMs: number
  /**
   * From the request being written until the caller says that it has seen content (`UpstreamCall.noteContent`): frames
   * that keep a stream alive are no answer. Absent: none.
   */
  readonly firstContentMs?: number
  /** Between two pieces of the body, while not paused by us. */
  readonly betweenBytesMs: number
  /** The whole call. */
  readonly totalMs: number
}

/**
 * A body that comes piece by piece and is held by nobody. A call with one is sent once: never again on a second
 * connection.
 */
export interface BodySource {
  /** Exact length in bytes, or null when it is not known: then it is sent chunked. */
  readonly bytes: number | null
  /**
   * There is a connection, or it takes bytes again: give what there is, until `sink` says false. Called after `send` has
   * returned, and not at all for a call that never gets a connection.
   */
  ready(sink: BodySink): void
}

/** Where the pieces of a body go. It is deaf once the call is over. */
export interface BodySink {
  /** Keeps the piece, which must not change any more. False: no more, please, until `BodySource.ready`. */
  write(piece: Uint8Array): boolean
  /** The body is complete. A known length must have been reached exactly. */
  end(): void
}

export interface UpstreamRequest {
  /** `http://host:port` or `https://host:port`, no path. */
  readonly origin: string
  readonly method: string
  /** Path and query. */
  readonly path: string
  /**
   * Names lower case. A `host` field replaces the origin's own (TLS still asks for the origin's name);
   * `content-length`, `expect` and what belongs to one connection are the client's business and are ignored.
   */
  readonly headers: HeaderList
  /**
   * Whole body, or null for none; not copied: it must not change until the call is over. Or a body that comes piece by
   * piece.
   */
  readonly body: Uint8Array | BodySource | null
  /** Never sent a second time, not even where a kept-alive connection dies under it: it takes a fresh one where it can. */
  readonly once?: boolean
  readonly deadlines: Deadlines
}

export interface UpstreamHandler {
  /** Final status and headers (1xx replies are swallowed). */
  head(status: number, headers: HeaderList): void
  /** A piece of the body, as it came off the socket, lent until return. No Buffer: its `slice` is a copy. */
  data(chunk: Uint8Array): void
  /** The body is complete by its framing (Content-Length reached, last chunk read). */
  end(): void
  /** Kinds used: upstream-connect, upstream-timeout, upstream-broke, upstream-protocol. */
  fail(error: GatewayError): void
}

export interface UpstreamCall {
  /** Stop reading from the socket; bytes already read may still arrive within this tick. */
  pause(): void
  resume(): void
  /** Content has come, or is not waited for: the deadline for it is lifted. */
  noteContent?(): void
  /** Give up: the request is cancelled within this loop turn wherever it is (queue, connect, wait, body). */
  abort(): void
}

/** Over HTTP/2 a place for a stream counts as a connection, except in `opened`. */
export interface UpstreamPoolFacts {
  readonly origin: string
  readonly connecting: number
  readonly busy: number
  readonly idle: number
  readonly queued: number
  /** Connections opened, ever. */
  readonly opened: number
  /** Requests sent a second time because a kept-alive connection turned out to be dead, ever. */
  readonly resent: number
}

export interface UpstreamClient {
  /** Throws an AssertionError for a request that cannot be written: bad origin, method, path or field. */
  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall
  /** What the pools hold now; for metrics and tests. */
  pools(): readonly UpstreamPoolFacts[]
  /** Closes idle sockets at once and busy ones when their call ends. */
  close(): Promise<void>
}

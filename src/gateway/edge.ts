// The contract between an acceptor (a socket server) and the engine. Nothing here knows a server library.
//
// One request is one `Engine.open` call when its header block is complete and sound. What the engine returns
// receives the body and the client's later moves. The order of calls on a RequestSink:
//   (chunk* bodyEnd | body | bodyFailed)?  then any of  drained*  and at most one  gone
// The order of calls on a ReplySink:  head  write*  end   — or `whole`, or `abort` at any moment, once.
// The engine may answer at any moment, also inside `open` and before the body has been read; the acceptor then
// reads and drops the rest of the body within its bounds, or closes the connection.

import type { GatewayError } from '../common/errors.ts'
import type { HeaderList } from '../common/headers.ts'

/** A request whose header block has been checked by the acceptor. */
export interface ClientRequest {
  /** Upper case, as sent. */
  readonly method: string
  /** Path and query exactly as sent. */
  readonly target: string
  /** Names lower case; order and duplicates as sent. */
  readonly headers: HeaderList
  /** Textual address of the peer. */
  readonly remoteAddress: string
  /** Name of the listener in the plan it arrived on. */
  readonly listener: string
  /** Announced body length, null when chunked, 0 when there is none. */
  readonly contentLength: number | null
}

/** How the engine wants a body. */
export type BodyMode =
  /** Collected by the acceptor and handed over once, whole. */
  | 'whole'
  /** Handed over as it arrives. */
  | 'chunks'
  /** Read and thrown away, within `bodyBytesMax`. */
  | 'discard'

/** The engine's side of one request. */
export interface RequestSink {
  readonly bodyMode: BodyMode
  /** More than this and the acceptor reports `tooLarge` instead of a body. */
  readonly bodyBytesMax: number
  /**
   * The whole body, owned by the receiver; called once, also for an empty one. Mode `whole` only. Small ones lie side by
   * side in one buffer: whoever sends one to another thread copies it first.
   */
  body(bytes: Uint8Array): void
  /** A piece of the body, owned by the receiver; returns false to ask for a pause (see RequestFlow). */
  chunk(bytes: Uint8Array): boolean
  /** The last chunk has been handed over. Mode `chunks` only. */
  bodyEnd(): void
  /** The body could not be read: over the bound, malformed, or too slow. The sink answers it. */
  bodyFailed(error: GatewayError): void
  /** The reply sink can take bytes again after `write` returned false. */
  drained(): void
  /** The client left before the reply was complete. Nothing may be written any more. */
  gone(): void
}

/** The acceptor's side of one reply. Calls after `gone`, `end` or `abort` are ignored. */
export interface ReplySink {
  /**
   * Status and headers. `bodyBytes` is the exact length when known (then Content-Length framing is used and
   * exactly that many bytes must follow), else null. The acceptor adds framing and connection headers itself
   * and ignores any in `headers`.
   */
  head(status: number, headers: HeaderList, bodyBytes: number | null): void
  /** Bytes are read before the call returns. False: the client is slow; wait for `RequestSink.drained`. */
  write(chunk: Uint8Array): boolean
  end(): void
  /** Head, body and end in one step; the cheap way for a reply that is whole. */
  whole(status: number, headers: HeaderList, body: Uint8Array): void
  /** Cuts the connection so that the client sees a broken reply, never a complete one. */
  abort(cause: GatewayError): void
  /** Bytes accepted by `write` that the client's socket has not taken yet. */
  readonly pendingBytes: number
  /** Resumes reading the body after `RequestSink.chunk` returned false. */
  resumeBody(): void
}

/** What an acceptor drives. */
export interface Engine {
  open(request: ClientRequest, reply: ReplySink): RequestSink
  /**
   * A header block that must not be served: malformed, or able to smuggle. Returns the reply in the dialect of
   * the path as far as it is known; the acceptor sends it and closes the connection.
   */
  refuse(
    target: string | null,
    error: GatewayError,
  ): { readonly status: number; readonly headers: HeaderList; readonly body: Uint8Array }
}

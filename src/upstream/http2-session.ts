// One HTTP/2 session over a socket that has agreed on it: its settings, its windows, its pulse and its end. The frames
// are `node:http2`'s.

import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'

/** Loaded with the first session: most configurations never have one. */
const load = (): typeof import('node:http2') => createRequire(import.meta.url)('node:http2')

/** What one paused stream may hold in our memory; over 100 ms of distance it lets 2.5 MB through per second. */
const STREAM_WINDOW_BYTES = 256 * 1024

/** What all streams of a session may have on the way together. Paused ones do not count: they hold only their own. */
const SESSION_WINDOW_BYTES = 8 * 1024 * 1024

/** The library refuses new streams beyond this, so it is more than all windows of a full session together. */
const SESSION_MEMORY_MB = 128

/** A server may have an answer of many fields; the bound in bytes is the one that counts. */
const FIELDS_MAX = 1_000

/**
 * A session with calls on it that has been silent this long is asked whether it lives. The library leaves one whose other
 * side broke the protocol open and deaf, so this also ends what nothing else would.
 */
const PING_AFTER_MS = 20_000

/** It answers by then, or every call on it has failed. */
const PONG_MS_MAX = 10_000

/** A farewell that is not taken: the socket goes anyway. */
const CLOSE_MS_MAX = 1_000

/** Who is told. */
export interface SessionOwner {
  /** How many streams the other side allows at once; first of all, and again when it changes its mind. */
  allowed(streams: number): void
  /** The other side takes no new streams. */
  drain(): void
  lost(error: unknown): void
}

export function openSession(
  origin: string,
  socket: Socket,
  headerBytesMax: number,
  owner: SessionOwner,
): Session {
  return new Session(
    load().connect(origin, {
      createConnection: () => socket,
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxHeaderListSize: headerBytesMax,
      },
      ...FIELDS_BOUND,
    }),
    owner,
  )
}

/** A documented option of the library that its types leave out of a client's. */
const FIELDS_BOUND: object = { maxHeaderListPairs: FIELDS_MAX }

export class Session {
  private readonly session: ClientHttp2Session
  private lastError: unknown = null
  /** Raised by whoever reads from it. */
  touched = true
  private sinceMs = -1
  private pingedMs = -1
  /** Of the streams, by the last word of the other side. */
  private lastTaken = Number.POSITIVE_INFINITY
  private farewell: NodeJS.Timeout | null = null

  constructor(session: ClientHttp2Session, owner: SessionOwner) {
    this.session = session
    let first = true
    session.on('remoteSettings', ({ maxConcurrentStreams }) => {
      this.touched = true
      if (first) session.setLocalWindowSize(SESSION_WINDOW_BYTES)
      first = false
      owner.allowed(maxConcurrentStreams ?? Number.POSITIVE_INFINITY)
    })
    session.on('goaway', (_code, lastTaken) => {
      this.lastTaken = lastTaken
      owner.drain()
    })
    session.on('error', error => {
      this.lastError = error
    })
    session.on('close', () => {
      if (this.farewell !== null) clearTimeout(this.farewell)
      owner.lost(this.lastError)
    })
  }

  /** Null: it takes no more. */
  request(headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream | null {
    const { session } = this
    if (session.closed || session.destroyed) return null
    return session.request(headers, { endStream })
  }

  /** False: the other side has said that it will never look at the stream, or it was never sent. */
  took(stream: number | undefined): boolean {
    return stream !== undefined && stream <= this.lastTaken
  }

  /** It may be the reason why a stream has ended. */
  get gone(): boolean {
    return this.session.destroyed
  }

  sweep(nowMs: number, busy: boolean): void {
    if (this.touched || this.sinceMs === -1 || !busy) {
      this.touched = false
      this.sinceMs = nowMs
      if (this.pingedMs !== -1 && !busy) this.pingedMs = -1
    }
    if (this.pingedMs !== -1) {
      if (nowMs - this.pingedMs > PONG_MS_MAX) this.session.destroy(new SilentSession())
      return
    }
    if (nowMs - this.sinceMs <= PING_AFTER_MS || this.session.destroyed) return
    this.pingedMs = nowMs
    this.session.ping(() => {
      this.pingedMs = -1
      this.touched = true
    })
  }

  /** Says goodbye; what is still on its way is sent first. */
  close(): void {
    const { session } = this
    if (session.destroyed) return
    session.close()
    this.farewell = setTimeout(() => session.destroy(), CLOSE_MS_MAX)
    this.farewell.unref()
  }
}

/** Nobody answers: the other side, or something on the way, has forgotten the connection. */
class SilentSession extends Error {
  readonly code = 'no answer to a ping'
}

// The HTTP/2 sessions of one origin, and which call gets a place on which. Owns when a session is opened, filled, left
// and closed; knows nothing of requests (`http2.ts`) nor of frames (the library's).
//
// The trick: to the pool a place for one stream is a connection like any other, a lane. So queue, sponsors, deadlines and
// leaving are the same for both protocols, and a session is only what several lanes share.

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { GatewayError } from '../common/errors.ts'
import type { Connector, Opener, Stage } from './connect.ts'
import type { Connection } from './connection.ts'
import { connectClosed, connectFailed, noStreams, proxyFailed } from './failures.ts'
import { Http1Connection } from './http1.ts'
import { Http2Lane } from './http2.ts'
import { openSession, type Session } from './http2-session.ts'
import type { OriginPool } from './pools.ts'

/** Protocols that are offered, the preferred one first. */
const OFFERED = ['h2', 'http/1.1']

/** What an origin allows is not known before it has said so; every server should allow a hundred (RFC 9113, 6.5.2). */
const STREAMS_GUESSED = 100

/** More calls than this do not share one connection, whatever the server allows: a lost packet holds all of them up. */
const STREAMS_MAX = 256

/**
 * Servers end a session, and every call on it, whose client resets stream after stream: that is how they are attacked.
 * After so many callers that left, the next calls get a fresh session and the old one finishes in peace.
 */
const RESETS_MAX = 100

export class Http2Sessions {
  readonly pool: OriginPool
  readonly headerBytesMax: number
  private readonly connector: Connector
  private readonly sessions = new Set<SharedSession>()
  /** Streams that the latest session may carry. */
  private streamsMax = STREAMS_GUESSED
  /** The origin chose HTTP/1.1 when it was last asked. */
  private prefersHttp1 = false
  private askedMs = -1

  constructor(pool: OriginPool, connector: Connector, headerBytesMax: number) {
    this.pool = pool
    this.connector = connector
    this.headerBytesMax = headerBytesMax
  }

  /** For the pool: something that will carry a call. */
  open(nowMs: number): Connection {
    if (this.prefersHttp1 && nowMs - this.askedMs <= this.pool.limits.ageMsMax) return this.http1(null)
    this.prefersHttp1 = false
    this.askedMs = nowMs
    const lane = new Http2Lane(this.pool)
    this.place(lane)
    return lane
  }

  /** Gives a lane its session: an open one with room, else one that is being opened, else another. */
  place(lane: Http2Lane): void {
    let found: SharedSession | null = null
    for (const session of this.sessions) {
      if (!session.hasRoom(this.streamsMax)) continue
      found = session
      if (session.state === 'live') break
    }
    if (found === null) {
      found = new SharedSession(this)
      this.sessions.add(found)
      this.connector.open(this.pool.target, null, found, OFFERED)
    }
    found.add(lane)
  }

  allows(streams: number): void {
    this.streamsMax = Math.max(1, streams)
  }

  forget(session: SharedSession): void {
    this.sessions.delete(session)
  }

  /** The other side chose HTTP/1.1: the first lane gets the socket, the others get connections of their own. */
  fallBack(lanes: readonly Http2Lane[], socket: Socket): void {
    this.prefersHttp1 = true
    let opened: Socket | null = socket
    for (const lane of lanes) {
      if (lane.state !== 'connecting') continue
      this.pool.replace(lane, this.http1(opened))
      opened = null
    }
    opened?.destroy()
  }

  private http1(opened: Socket | null): Http1Connection {
    return new Http1Connection(this.pool, this.connector, this.headerBytesMax, opened)
  }
}

/** One session and its lanes: those that wait for it, that rest on it and that carry a call. */
export class SharedSession implements Opener {
  state: 'connecting' | 'live' | 'draining' | 'closed' = 'connecting'
  /** Calls that it has carried to their end. */
  served = 0
  readonly lanes = new Set<Http2Lane>()
  session: Session | null = null
  private readonly owner: Http2Sessions
  private capacity = 0
  private socket: Socket | null = null
  private stage: Stage = 'upstream'
  private lastError: unknown = null
  private resets = 0
  private bornMs = -1
  private sweptMs = -1

  constructor(owner: Http2Sessions) {
    this.owner = owner
  }

  hasRoom(guessed: number): boolean {
    if (this.state === 'live') return this.lanes.size < this.capacity
    return this.state === 'connecting' && this.lanes.size < Math.min(guessed, STREAMS_MAX)
  }

  add(lane: Http2Lane): void {
    this.lanes.add(lane)
    lane.shared = this
    // The pool has not heard of the lane yet.
    if (this.state === 'live') queueMicrotask(() => lane.attached())
  }

  /** Whoever leaves a session last closes it. */
  remove(lane: Http2Lane): void {
    this.lanes.delete(lane)
    if (this.lanes.size === 0) this.end()
  }

  /** No other lane carries a call. */
  onlyFor(asker: Http2Lane | null): boolean {
    for (const lane of this.lanes) if (lane.state === 'busy' && lane !== asker) return false
    return true
  }

  /** Takes no new calls; the running ones finish. */
  drain(): void {
    if (this.state !== 'live') return
    this.state = 'draining'
    for (const lane of [...this.lanes]) {
      if (lane.state === 'idle') lane.destroy()
      else if (lane.state === 'connecting') this.moveAway(lane)
    }
  }

  /** A call was given up. */
  countReset(): void {
    this.resets += 1
    if (this.resets >= RESETS_MAX) this.drain()
  }

  /** Called through each of its lanes; looks once per sweep. */
  sweep(nowMs: number): void {
    if (this.sweptMs === nowMs) return
    this.sweptMs = nowMs
    if (this.bornMs === -1) this.bornMs = nowMs
    if (nowMs - this.bornMs > this.owner.pool.limits.ageMsMax) this.drain()
    this.session?.sweep(nowMs, !this.onlyFor(null))
  }

  // ── the socket, until there is a session ────────────────────────────────────────────────────────────────

  take(socket: Socket, stage: Stage): void {
    this.socket = socket
    this.stage = stage
    socket.on('error', error => {
      if (socket !== this.socket || this.state === 'closed') return
      this.lastError = error
      if (this.session === null) this.lost()
    })
    socket.on('close', () => {
      if (socket === this.socket && this.session === null) this.lost()
    })
  }

  ready(): void {
    const { socket } = this
    if (this.state !== 'connecting' || socket === null) return
    if ((socket as TLSSocket).alpnProtocol === 'h2') {
      this.session = openSession(this.owner.pool.target.origin, socket, this.owner.headerBytesMax, this)
      return
    }
    const lanes = [...this.lanes]
    this.socket = null
    this.close()
    this.owner.fallBack(lanes, socket)
  }

  // ── what the session says ───────────────────────────────────────────────────────────────────────────────

  /** The other side has said how many streams it allows; it may say so again. */
  allowed(streams: number): void {
    this.capacity = Math.min(streams, STREAMS_MAX)
    if (this.state === 'connecting') {
      this.state = 'live'
      this.owner.allows(this.capacity)
      this.settle()
    } else if (this.state === 'live') this.owner.allows(this.capacity)
    for (const lane of [...this.lanes]) {
      if (this.lanes.size <= this.capacity) break
      if (lane.state === 'idle') lane.destroy()
    }
  }

  /** It is gone; streams are told by the library, each by itself. */
  lost(error: unknown = null): void {
    if (this.state === 'closed') return
    const wasConnecting = this.state === 'connecting'
    const { lastError, owner } = this
    this.state = 'closed'
    owner.forget(this)
    const cause = error ?? lastError
    if (wasConnecting) owner.pool.target.forgetSessions()
    for (const lane of [...this.lanes]) {
      if (lane.state === 'idle') lane.destroy()
      else if (lane.state === 'connecting' && wasConnecting) lane.refused(this.failure(cause))
      else if (lane.state === 'connecting') this.moveAway(lane)
      else lane.sessionLost(cause)
    }
  }

  private failure(cause: unknown): GatewayError {
    const { place } = this.owner.pool.target
    if (this.stage === 'proxy') return proxyFailed(place, cause)
    return cause === null ? connectClosed(place) : connectFailed(place, cause)
  }

  /** The first lanes that fit begin; the rest look for another session. */
  private settle(): void {
    if (this.capacity < 1) {
      const error = noStreams(this.owner.pool.target.place)
      for (const lane of [...this.lanes]) lane.refused(error)
      return
    }
    let left = this.capacity
    for (const lane of [...this.lanes]) {
      left -= 1
      if (left >= 0) lane.attached()
      else if (lane.state === 'connecting') this.moveAway(lane)
    }
  }

  private moveAway(lane: Http2Lane): void {
    this.lanes.delete(lane)
    this.owner.place(lane)
  }

  private end(): void {
    if (this.state === 'closed') return
    this.close()
    if (this.session === null) this.socket?.destroy()
    else this.session.close()
  }

  private close(): void {
    this.state = 'closed'
    this.owner.forget(this)
  }
}

// The connections to one origin and the calls that wait for them. Owns who gets which connection; knows nothing
// of HTTP.
//
// Two rules keep the pool whole whatever callers and upstreams do. Calls wait in one queue and leave it at no
// cost; a call never waits inside a connection. And every connection being opened has a sponsor, the call on whose
// behalf it is opened: if it fails, exactly its sponsor is told, and if the sponsor leaves, the connection is
// handed to the next call that has none, or dropped.

import type { GatewayError } from '../common/errors.ts'
import { Call, CallQueue, RefusedCall } from './call.ts'
import type { Target } from './connect.ts'
import type { Connection } from './connection.ts'
import { deadlineMs, passedDeadline } from './deadlines.ts'
import { clientClosed, poolBusy, queueFull, timedOut } from './failures.ts'
import { isRepeatable, requestHead } from './http1-request.ts'
import type { UpstreamCall, UpstreamHandler, UpstreamPoolFacts, UpstreamRequest } from './upstream.ts'

export interface PoolLimits {
  /** Connections per origin, those being opened included. */
  readonly connectionsMax: number
  /** Calls that may wait for one. */
  readonly queuedMax: number
  /** An idle connection is closed after this, or earlier if the server says so. */
  readonly idleMsMax: number
  /** A connection older than this carries no further call: it would keep an address that DNS has left behind. */
  readonly ageMsMax: number
  /** Bound on opening a connection that nobody waits for any more. */
  readonly orphanConnectMsMax: number
}

export type OpenConnection = (pool: OriginPool) => Connection

export class OriginPool {
  readonly target: Target
  readonly limits: PoolLimits
  private readonly openConnection: OpenConnection
  private readonly onEmpty: () => void
  private readonly connections = new Set<Connection>()
  /** Last in, first out: the rest may grow old and close. */
  private readonly idle: Connection[] = []
  private readonly queue = new CallQueue()
  /** Calls in the queue with no connection being opened for them. */
  private unsponsored = 0
  private pumpPlanned = false
  private closing = false
  private resent = 0

  constructor(target: Target, limits: PoolLimits, openConnection: OpenConnection, onEmpty: () => void) {
    this.target = target
    this.limits = limits
    this.openConnection = openConnection
    this.onEmpty = onEmpty
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    const { limits, target } = this
    const head = requestHead(request, target)
    if (this.closing) return new RefusedCall(handler, clientClosed(target.place))
    if (this.unsponsored >= limits.queuedMax && !this.hasRoom()) {
      return new RefusedCall(handler, queueFull(target.place, limits.connectionsMax, limits.queuedMax))
    }
    const call = new Call(request, head, handler, this)
    // What cannot or must not be sent again had better not meet a kept-alive connection that turns out to be dead.
    const fresh = !isRepeatable(request) && this.hasRoom()
    if (this.idle.length > 0 && this.queue.length === 0 && !fresh) this.idle.pop()!.begin(call)
    else {
      this.enqueue(call)
      if (this.hasRoom()) this.openFor(call, false)
    }
    return call
  }

  facts(): UpstreamPoolFacts {
    let connecting = 0
    let busy = 0
    for (const connection of this.connections) {
      if (connection.state === 'connecting') connecting += 1
      else if (connection.state === 'busy') busy += 1
    }
    const { idle, queue, resent, target } = this
    return {
      origin: target.origin,
      connecting,
      busy,
      idle: idle.length,
      queued: queue.length,
      opened: target.opened,
      resent,
    }
  }

  get empty(): boolean {
    return this.connections.size === 0 && this.queue.length === 0
  }

  /** Busy connections end with their calls, and waiting calls are still served. */
  close(): void {
    this.closing = true
    for (const connection of [...this.idle]) connection.destroy()
    for (const connection of this.connections) {
      if (connection.state === 'connecting' && connection.sponsor === null) connection.destroy()
    }
  }

  sweep(nowMs: number): void {
    for (const connection of this.connections) {
      connection.sweep(nowMs)
      const { sponsor } = connection
      if (sponsor !== null && !sponsor.queued) this.sweepWaiting(sponsor, nowMs)
    }
    let call = this.queue.head
    while (call !== null) {
      const { behind } = call
      this.sweepWaiting(call, nowMs)
      call = behind
    }
  }

  private sweepWaiting(call: Call, nowMs: number): void {
    const { deadlines } = call.request
    const name = passedDeadline(call, deadlines, nowMs)
    if (name === null) return
    const { attempt } = call
    if (attempt !== null) this.unlink(attempt)
    this.dequeue(call)
    // It had its time. Whoever waits behind this call gets a fresh one, not the rest of a hopeless one.
    attempt?.destroy()
    const { place } = this.target
    const waitMs = deadlineMs(deadlines, name)
    const full = attempt === null && name === 'connect' && !this.hasRoom()
    call.fail(full ? poolBusy(place, this.limits.connectionsMax, waitMs) : timedOut(place, name, waitMs))
  }

  // ── what calls do ───────────────────────────────────────────────────────────────────────────────────────

  /** The call goes, wherever it is; whatever was held for it is freed now. */
  leave(call: Call): void {
    const { attempt, connection } = call
    if (connection !== null) {
      connection.destroy()
      return
    }
    if (attempt !== null) this.unlink(attempt)
    this.dequeue(call)
    if (attempt !== null && !this.bequeath(attempt)) attempt.destroy()
  }

  // ── what connections do ─────────────────────────────────────────────────────────────────────────────────

  /** A new connection can carry a request. */
  ready(connection: Connection): void {
    const { dedicated, sponsor } = connection
    this.unlink(connection)
    const next = dedicated ? sponsor : this.queue.head
    if (next === null) this.settle(connection)
    else this.give(connection, next)
  }

  attemptFailed(connection: Connection, error: GatewayError): void {
    const { sponsor } = connection
    this.unlink(connection)
    if (sponsor !== null) this.dequeue(sponsor)
    this.lost(connection)
    sponsor?.fail(error)
  }

  /** A connection has finished its call and may carry another. */
  released(connection: Connection): void {
    this.settle(connection)
    if (this.queue.length === 0 || this.pumpPlanned) return
    // The next call is written one turn later: surplus or a close already on its way is seen first, and is not
    // mistaken for that call's reply.
    this.pumpPlanned = true
    setImmediate(() => {
      this.pumpPlanned = false
      this.pump()
    })
  }

  /** A connection is gone. */
  lost(connection: Connection): void {
    this.forget(connection)
    this.pump()
    if (this.empty) this.onEmpty()
  }

  /** A kept-alive connection died under an unanswered call: it is sent once more, on a connection of its own. */
  resend(connection: Connection, call: Call): void {
    this.forget(connection)
    call.resent = true
    call.phase = 'connect'
    call.touched = true
    this.resent += 1
    this.openFor(call, true)
    this.pump()
  }

  /** The other side speaks another protocol: `next` takes the place of a connection that is being opened. */
  replace(connection: Connection, next: Connection): void {
    const { dedicated, sponsor } = connection
    this.unlink(connection)
    this.connections.delete(connection)
    next.dedicated = dedicated
    this.connections.add(next)
    if (sponsor !== null) this.link(next, sponsor)
    connection.close()
  }

  // ── the books ───────────────────────────────────────────────────────────────────────────────────────────

  private hasRoom(): boolean {
    return this.connections.size < this.limits.connectionsMax
  }

  private settle(connection: Connection): void {
    connection.state = 'idle'
    connection.rested = true
    if (this.closing && this.queue.length === 0) connection.destroy()
    else this.idle.push(connection)
  }

  private give(connection: Connection, call: Call): void {
    const { attempt } = call
    if (attempt !== null) this.unlink(attempt)
    this.dequeue(call)
    // An attempt that nobody inherits goes on: it will serve whoever comes next.
    if (attempt !== null) this.bequeath(attempt)
    connection.begin(call)
  }

  private enqueue(call: Call): void {
    this.queue.push(call)
    this.unsponsored += 1
  }

  private dequeue(call: Call): void {
    if (!call.queued) return
    this.queue.remove(call)
    if (call.attempt === null) this.unsponsored -= 1
  }

  private link(connection: Connection, call: Call): void {
    connection.sponsor = call
    call.attempt = connection
    if (call.queued) this.unsponsored -= 1
  }

  private unlink(connection: Connection): void {
    const call = connection.sponsor
    if (call === null) return
    connection.sponsor = null
    call.attempt = null
    if (call.queued) this.unsponsored += 1
  }

  /** Hands a connection being opened to the oldest call that has none; false if there is no such call. */
  private bequeath(connection: Connection): boolean {
    connection.dedicated = false
    const heir = this.firstUnsponsored()
    if (heir !== null) this.link(connection, heir)
    return heir !== null
  }

  private firstUnsponsored(): Call | null {
    if (this.unsponsored === 0) return null
    let call = this.queue.head
    while (call !== null && call.attempt !== null) call = call.behind
    return call
  }

  private openFor(call: Call, dedicated: boolean): void {
    const connection = this.openConnection(this)
    connection.dedicated = dedicated
    this.connections.add(connection)
    this.link(connection, call)
  }

  private forget(connection: Connection): void {
    this.connections.delete(connection)
    const at = this.idle.indexOf(connection)
    if (at !== -1) this.idle.splice(at, 1)
    this.unlink(connection)
  }

  /** Gives what is free to those who wait, and opens what may be opened for the rest. */
  private pump(): void {
    while (this.queue.length > 0 && this.idle.length > 0) this.give(this.idle.pop()!, this.queue.head!)
    while (this.unsponsored > 0 && this.hasRoom()) this.openFor(this.firstUnsponsored()!, false)
    if (this.closing && this.queue.length === 0) {
      for (const connection of [...this.idle]) connection.destroy()
    }
  }
}

// One call: the handle its caller holds, and where it stands. The pool moves it; connections report into it.

import type { GatewayError } from '../common/errors.ts'
import type { Connection } from './connection.ts'
import type { CallPhase, Timed } from './deadlines.ts'
import type { OriginPool } from './pools.ts'
import type { UpstreamCall, UpstreamHandler, UpstreamRequest } from './upstream.ts'

export class Call implements UpstreamCall, Timed {
  readonly request: UpstreamRequest
  /** The request's header block, checked and ready to be written. */
  readonly head: string
  readonly handler: UpstreamHandler
  private readonly pool: OriginPool
  phase: CallPhase = 'connect'
  paused = false
  touched = true
  sinceMs = 0
  bornMs = -1
  contentFromMs = -1
  /** It was sent on a kept-alive connection that was dead, and is being sent again on a fresh one. */
  resent = false
  /** The upstream has answered with at least one byte. */
  answered = false
  /** The connection that carries it. */
  connection: Connection | null = null
  /** The connection that is being opened on its behalf. */
  attempt: Connection | null = null
  /** Neighbours in the queue. */
  queued = false
  before: Call | null = null
  behind: Call | null = null

  constructor(request: UpstreamRequest, head: string, handler: UpstreamHandler, pool: OriginPool) {
    this.request = request
    this.head = head
    this.handler = handler
    this.pool = pool
  }

  pause(): void {
    if (this.phase === 'over' || this.paused) return
    this.paused = true
    this.connection?.pauseReading()
  }

  resume(): void {
    if (this.phase === 'over' || !this.paused) return
    this.paused = false
    this.touched = true
    this.connection?.resumeReading()
  }

  noteContent(): void {
    this.contentFromMs = Number.POSITIVE_INFINITY
  }

  abort(): void {
    if (this.phase === 'over') return
    this.phase = 'over'
    this.pool.leave(this)
  }

  /** The last word, unless it was spoken already. */
  fail(error: GatewayError): void {
    if (this.phase === 'over') return
    this.phase = 'over'
    this.handler.fail(error)
  }
}

/** A call that no pool would take. It fails one turn later, because nothing is called before `send` returns. */
export class RefusedCall implements UpstreamCall {
  private readonly planned: NodeJS.Immediate

  constructor(handler: UpstreamHandler, error: GatewayError) {
    this.planned = setImmediate(() => handler.fail(error))
  }

  pause(): void {}

  resume(): void {}

  abort(): void {
    clearImmediate(this.planned)
  }
}

/** Calls that wait for a connection, first in first out; any of them may leave at no cost. */
export class CallQueue {
  length = 0
  private first: Call | null = null
  private last: Call | null = null

  get head(): Call | null {
    return this.first
  }

  push(call: Call): void {
    call.queued = true
    call.before = this.last
    call.behind = null
    if (this.last === null) this.first = call
    else this.last.behind = call
    this.last = call
    this.length += 1
  }

  remove(call: Call): void {
    if (!call.queued) return
    if (call.before === null) this.first = call.behind
    else call.before.behind = call.behind
    if (call.behind === null) this.last = call.before
    else call.behind.before = call.before
    call.queued = false
    call.before = null
    call.behind = null
    this.length -= 1
  }
}

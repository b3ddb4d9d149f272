// One connection to an upstream, as the pool sees it: it opens, carries one call at a time, and ends. How bytes
// become calls on a handler is the business of `http1.ts` and `undici.ts`.

import type { Socket } from 'node:net'
import type { GatewayError } from '../common/errors.ts'
import type { HeaderList } from '../common/headers.ts'
import { assert } from '../common/assert.ts'
import type { Call } from './call.ts'
import type { Stage } from './connect.ts'
import { broke, connectClosed, connectFailed, proxyFailed, timedOut, unsound } from './failures.ts'
import { deadlineMs, passedDeadline } from './deadlines.ts'
import { isRepeatable } from './http1-request.ts'
import type { OriginPool } from './pools.ts'
import { ProxyFault, refusedCredentials } from './tunnel.ts'

/** Proxy authentication required: no upstream says this. */
const PROXY_REFUSES = 407

export type ConnectionState = 'connecting' | 'idle' | 'busy' | 'closed'

export abstract class Connection {
  state: ConnectionState = 'connecting'
  /** The call it carries. */
  call: Call | null = null
  /** While connecting: the call that is told if this fails. */
  sponsor: Call | null = null
  /** For its sponsor alone: a request that is sent a second time must not meet another stale connection. */
  dedicated = false
  protected readonly pool: OriginPool
  /** The one in charge; a tunnel's end replaces its beginning. */
  protected socket!: Socket
  private stage: Stage = 'upstream'
  /** It has been idle: the server may have closed it without our knowing yet. */
  rested = false
  private bornMs = -1
  private idleSinceMs = -1
  private tooOld = false
  /** The server's own word on how long it keeps an idle connection; -1 none. */
  protected keepMs = -1
  private bytesWritten = 0
  protected lastError: unknown = null

  constructor(pool: OriginPool) {
    this.pool = pool
  }

  /** Writes the request of `call` and remembers to report its reply. */
  protected abstract write(call: Call): void
  abstract pauseReading(): void
  abstract resumeReading(): void
  /** Reply bytes seen of the current call, for the message of a break. */
  protected abstract progress(): { readonly headRead: boolean; readonly bodyBytes: number }

  begin(call: Call): void {
    assert(this.call === null, 'a connection carries one call at a time')
    this.state = 'busy'
    this.call = call
    this.bytesWritten = 0
    call.connection = this
    call.phase = 'headers'
    call.touched = true
    this.write(call)
    if (call.paused) this.pauseReading()
  }

  /** Ends it without a word to anyone. */
  destroy(): void {
    if (this.state === 'closed') return
    this.close()
    this.pool.lost(this)
  }

  /** For the pool that has forgotten it already. */
  close(): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.detach()
    this.socket.destroy()
  }

  /** Looks after deadlines, age and idleness. */
  sweep(nowMs: number): void {
    const { limits } = this.pool
    if (this.bornMs === -1) this.bornMs = nowMs
    this.tooOld = nowMs - this.bornMs > limits.ageMsMax
    const { call } = this
    if (this.state === 'connecting') {
      // With a sponsor its deadline decides; one without must not hang for ever.
      if (this.sponsor === null && nowMs - this.bornMs > limits.orphanConnectMsMax) this.destroy()
    } else if (this.state === 'idle') {
      if (this.idleSinceMs === -1) this.idleSinceMs = nowMs
      const keepMs = this.keepMs === -1 ? limits.idleMsMax : Math.min(limits.idleMsMax, this.keepMs)
      if (nowMs - this.idleSinceMs > keepMs || this.tooOld) this.destroy()
    } else if (call !== null) this.sweepCall(call, nowMs)
  }

  private sweepCall(call: Call, nowMs: number): void {
    if (call.phase === 'headers' && this.waitsForBody()) call.touched = true
    else if (call.phase === 'headers') {
      // A large request still on its way counts as progress as long as it moves.
      const sent = this.sentBytes()
      if (sent !== null && sent !== this.bytesWritten) call.touched = true
      if (sent !== null) this.bytesWritten = sent
    }
    const name = passedDeadline(call, call.request.deadlines, nowMs)
    if (name === null) return
    const { place } = this.pool.target
    this.fail(call, timedOut(place, name, deadlineMs(call.request.deadlines, name)))
  }

  // ── what the socket and the reply say ───────────────────────────────────────────────────────────────────

  /** For the connector. */
  take(socket: Socket, stage: Stage): void {
    this.socket = socket
    this.stage = stage
    socket.on('error', error => {
      if (socket !== this.socket) return
      this.lastError = error
      this.socketEnded()
    })
    socket.on('close', () => {
      if (socket === this.socket) this.socketEnded()
    })
  }

  /** For the connector. */
  ready(): void {
    this.connected()
  }

  protected connected(): void {
    if (this.state !== 'connecting') return
    this.pool.ready(this)
  }

  /** The socket is gone, or going. */
  protected socketEnded(): void {
    if (this.state === 'closed') return
    const { call, lastError, pool } = this
    const { place } = pool.target
    if (this.state === 'connecting') {
      this.close()
      pool.target.forgetSessions()
      pool.attemptFailed(this, this.connectFailure(place, lastError))
      return
    }
    if (call === null) {
      this.destroy()
      return
    }
    const problem = lastError === null ? null : this.unsoundness(lastError)
    if (problem !== null) {
      this.gotUnsound(call, problem)
      return
    }
    if (this.rested && !call.answered && !call.resent && isRepeatable(call.request)) {
      // The server closed a kept-alive connection while our request was on its way: nobody's fault.
      this.close()
      pool.resend(this, call)
      return
    }
    const { headRead, bodyBytes } = this.progress()
    this.fail(call, broke(place, headRead, bodyBytes, this.orderlyClose(lastError) ? null : lastError))
  }

  private connectFailure(place: string, cause: unknown): GatewayError {
    if (this.stage === 'proxy') return proxyFailed(place, cause)
    return cause === null ? connectClosed(place) : connectFailed(place, cause)
  }

  /** Bytes that have left, or null when all of the request has. */
  protected sentBytes(): number | null {
    const { bytesWritten, writableLength } = this.socket
    return writableLength > 0 ? bytesWritten - writableLength : null
  }

  /** The rest of the request's body has not been given yet: the upstream cannot answer, and is not to blame. */
  protected waitsForBody(): boolean {
    return false
  }

  /** For a parser that reports through the socket's error: what is unsound about the reply, or null. */
  protected unsoundness(_error: unknown): string | null {
    return null
  }

  /** The error stands for a connection that was closed in order. */
  protected orderlyClose(error: unknown): boolean {
    return error === null
  }

  protected gotHead(call: Call, status: number, headers: HeaderList): void {
    const { pathPrefix, place, proxy } = this.pool.target
    if (status === PROXY_REFUSES && proxy !== null && pathPrefix !== '') {
      // Who asks for credentials of this kind is the proxy; the upstream has not seen the request.
      this.fail(call, proxyFailed(place, new ProxyFault(refusedCredentials(proxy.credentials))))
      return
    }
    call.phase = 'first-byte'
    call.touched = true
    call.handler.head(status, headers)
  }

  protected gotData(call: Call, piece: Uint8Array): void {
    call.phase = 'body'
    call.touched = true
    call.handler.data(piece)
  }

  protected gotUnsound(call: Call, problem: string): void {
    this.fail(call, unsound(this.pool.target.place, problem))
  }

  /** The reply is complete. The connection is free before the handler hears of it: it may send at once. */
  protected gotEnd(call: Call, reusable: boolean): void {
    this.leaveCall(call)
    if (reusable) {
      if (call.paused) this.resumeReading()
      this.becomeIdle()
    } else this.destroy()
    call.handler.end()
  }

  protected leaveCall(call: Call): void {
    call.phase = 'over'
    this.detach()
  }

  protected becomeIdle(): void {
    this.idleSinceMs = -1
    if (this.tooOld) this.destroy()
    else this.pool.released(this)
  }

  protected fail(call: Call, error: ReturnType<typeof broke>): void {
    this.destroy()
    call.fail(error)
  }

  protected detach(): void {
    if (this.call !== null) this.call.connection = null
    this.call = null
  }
}

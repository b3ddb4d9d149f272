// Sends one plan over one socket, obeying the socket's backpressure and the plan's waits.

import type { Socket } from 'node:net'
import type { SendPlan } from './plan.ts'
import type { RecordedRequest } from './types.ts'

/** A reset right behind the last byte would make the peer's kernel drop bytes it has not read yet. */
const RESET_GRACE_MS = 15

/**
 * A TLS socket knows no reset; its end without a farewell comes closest. Neither does one that has said its farewell: the
 * system refuses to reset it, and Node then forgets to close it.
 */
export function reset(socket: Socket): void {
  if ('encrypted' in socket || socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

/** Writes in one go before the event loop gets a turn; only endless replies come near it. */
const WRITES_PER_TURN_MAX = 256

export class Sender {
  private readonly socket: Socket
  private readonly plan: SendPlan
  private readonly record: RecordedRequest
  private readonly done: () => void
  private at = 0
  private timer: NodeJS.Timeout | null = null
  private stopped = false
  private readonly pumpBound = (): void => this.pump(true)

  constructor(socket: Socket, plan: SendPlan, record: RecordedRequest, done: () => void) {
    this.socket = socket
    this.plan = plan
    this.record = record
    this.done = done
  }

  start(): void {
    this.pump(false)
  }

  stop(): void {
    this.stopped = true
    if (this.timer !== null) clearTimeout(this.timer)
  }

  private pump(waited: boolean): void {
    this.timer = null
    this.record.stalled = false
    const { pieces, waitsMs, loop } = this.plan
    let paid = waited
    for (let writes = 0; !this.stopped; writes++) {
      let waitMs = waitsMs[this.at] ?? 0
      if (loop !== null && this.at >= loop.to) {
        this.at = loop.from
        waitMs = loop.waitMs
      }
      if (this.at >= pieces.length) {
        this.finish()
        return
      }
      if (waitMs > 0 && !paid) {
        this.timer = setTimeout(this.pumpBound, waitMs)
        return
      }
      if (writes >= WRITES_PER_TURN_MAX) {
        setImmediate(() => this.pump(true))
        return
      }
      paid = false
      const piece = pieces[this.at]!
      this.at += 1
      if (piece.length === 0) continue
      this.record.bytesSent += piece.length
      if (!this.socket.write(piece) && (this.at < pieces.length || loop !== null)) {
        this.record.stalled = true
        this.socket.once('drain', () => this.pump(false))
        return
      }
    }
  }

  private finish(): void {
    this.stopped = true
    const { ending, closeIdleAfterMs } = this.plan
    if (ending === 'hang') return
    this.record.finishedAtMs = performance.now()
    if (ending === 'keep') {
      if (closeIdleAfterMs === 0) this.socket.end()
      else if (closeIdleAfterMs > 0) this.timer = setTimeout(() => this.socket.end(), closeIdleAfterMs)
      this.done()
    } else if (ending === 'fin') this.socket.end()
    else if (this.record.bytesSent === 0) reset(this.socket)
    else setTimeout(() => reset(this.socket), RESET_GRACE_MS)
  }
}

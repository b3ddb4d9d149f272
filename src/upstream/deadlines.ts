// Time-outs of calls, without a timer per call or per chunk. A call that makes progress raises a flag; one sweep
// over all of them turns flags into marks and finds those whose mark is too old.
//
// The bargain: a flag costs one store, and a deadline is never early but up to two sweeps late. A loop that was held up
// sweeps only after it has read what arrived meanwhile: our own deafness is not the upstream's silence.

import type { Deadlines } from './upstream.ts'

/** Deadlines are seconds; being this late is not noticed, and twenty sweeps a second cost nothing. */
export const SWEEP_MS = 50

/** `connect`: waiting for a connection. `headers`: request sent. `first-byte`: head read. `body`: reading it. */
export type CallPhase = 'connect' | 'headers' | 'first-byte' | 'body' | 'over'

export type DeadlineName = 'connect' | 'headers' | 'first-byte' | 'first-content' | 'between-bytes' | 'total'

/** What the sweep looks at and keeps in a call. */
export interface Timed {
  readonly phase: CallPhase
  readonly paused: boolean
  /** Raised by whoever sees progress, lowered by the sweep. */
  touched: boolean
  /** When the sweep last saw progress. */
  sinceMs: number
  /** When the sweep first saw the call; -1 not yet. */
  bornMs: number
  /** When the sweep first saw it waiting for content; -1 not yet, Infinity once content came. Absent: never waits. */
  contentFromMs?: number
}

/** The deadline that has passed, or null. Call it once per sweep. */
export function passedDeadline(call: Timed, deadlines: Deadlines, nowMs: number): DeadlineName | null {
  if (call.bornMs === -1) call.bornMs = nowMs
  // Silence that we asked for is not the upstream's.
  if (call.touched || (call.paused && call.phase !== 'connect')) {
    call.touched = false
    call.sinceMs = nowMs
  }
  if (nowMs - call.bornMs > deadlines.totalMs) return 'total'
  if (contentLate(call, deadlines, nowMs)) return 'first-content'
  const quietMs = nowMs - call.sinceMs
  switch (call.phase) {
    case 'connect':
      return quietMs > deadlines.connectMs ? 'connect' : null
    case 'headers':
      return quietMs > deadlines.headersMs ? 'headers' : null
    case 'first-byte':
      return quietMs > deadlines.firstByteMs ? 'first-byte' : null
    case 'body':
      return quietMs > deadlines.betweenBytesMs ? 'between-bytes' : null
    case 'over':
      return null
  }
}

function contentLate(call: Timed, { firstContentMs }: Deadlines, nowMs: number): boolean {
  const { contentFromMs, phase } = call
  if (firstContentMs === undefined || contentFromMs === undefined || phase === 'connect') return false
  if (contentFromMs !== -1) return nowMs - contentFromMs > firstContentMs
  call.contentFromMs = nowMs
  return false
}

export function deadlineMs(deadlines: Deadlines, name: DeadlineName): number {
  switch (name) {
    case 'connect':
      return deadlines.connectMs
    case 'headers':
      return deadlines.headersMs
    case 'first-byte':
      return deadlines.firstByteMs
    case 'first-content':
      return deadlines.firstContentMs ?? Number.POSITIVE_INFINITY
    case 'between-bytes':
      return deadlines.betweenBytesMs
    case 'total':
      return deadlines.totalMs
  }
}

/** The one timer. It runs while `sweep` says that something is left to watch, and never keeps a process alive. */
export class SweepTimer {
  private readonly sweep: () => boolean
  private timer: NodeJS.Timeout | null = null
  /** Timers come before sockets in a turn of the loop, immediates after them. */
  private readonly behindReads = (): void => {
    if (this.timer !== null && !this.sweep()) this.stop()
  }

  constructor(sweep: () => boolean) {
    this.sweep = sweep
  }

  /** Cheap when it runs already. */
  start(): void {
    if (this.timer !== null) return
    this.timer = setInterval(() => setImmediate(this.behindReads), SWEEP_MS)
    this.timer.unref()
  }

  stop(): void {
    if (this.timer === null) return
    clearInterval(this.timer)
    this.timer = null
  }
}

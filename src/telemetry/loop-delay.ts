// How late the event loop runs. A timer that should fire every 20 ms tells by how much it did not; the same beat
// shows the supervisor that the loop turns at all. (`perf_hooks.monitorEventLoopDelay` takes the same samples, but
// gives percentiles of its whole life, which can neither be summed over shards nor subtracted between scrapes.)

import type { Clock } from '../common/clock.ts'
import type { Histogram } from './families.ts'

/** Short enough to catch pauses of a few milliseconds, long enough to cost nothing. */
const BEAT_MS = 20

const SECOND_MS = 1000

export class LoopDelay {
  private readonly delays: Histogram
  private readonly clock: Clock
  private readonly beat: () => void
  private readonly timer: NodeJS.Timeout
  private dueMs: number

  constructor(delays: Histogram, clock: Clock, beat: () => void) {
    this.delays = delays
    this.clock = clock
    this.beat = beat
    this.dueMs = clock.monotonicMs() + BEAT_MS
    this.timer = setInterval(this.onTimer, BEAT_MS)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private readonly onTimer = (): void => {
    const nowMs = this.clock.monotonicMs()
    this.delays.observe(Math.max(0, nowMs - this.dueMs) / SECOND_MS)
    this.dueMs = nowMs + BEAT_MS
    this.beat()
  }
}

// How often trying again is worth it. Owns two bounds: the share of traffic that may be repeats at an origin that
// just failed, so that an outage is not multiplied by everybody's patience, and the pause before a repeat.

import type { Clock } from '../common/clock.ts'

/** Repeats per first call. */
const SHARE = 0.2
/** Repeats per window that are always allowed: with little traffic a share would allow none. */
const REPEATS_MIN = 10
/** How long a call counts. */
const WINDOW_MS = 10_000

const BACK_OFF_MS_MIN = 100
const BACK_OFF_MS_MAX = 5_000

/** Pauses an upstream may ask for and get; a longer one is passed on to the client instead. */
export const RETRY_AFTER_MS_MAX = 10_000

/** One per origin and shard. */
export class RetryBudget {
  private readonly clock: Clock
  private windowStartMs: number
  private calls = 0
  private repeats = 0
  private callsBefore = 0
  private repeatsBefore = 0

  constructor(clock: Clock) {
    this.clock = clock
    this.windowStartMs = clock.monotonicMs()
  }

  /** A first call was made. */
  called(): void {
    this.turn()
    this.calls += 1
  }

  /** True when a repeat may be made; then it has been counted. */
  take(): boolean {
    this.turn()
    const allowed = REPEATS_MIN + SHARE * (this.calls + this.callsBefore)
    if (this.repeats + this.repeatsBefore >= allowed) return false
    this.repeats += 1
    return true
  }

  /** A repeat that was taken is not made. */
  giveBack(): void {
    this.turn()
    if (this.repeats > 0) this.repeats -= 1
    else if (this.repeatsBefore > 0) this.repeatsBefore -= 1
  }

  private turn(): void {
    const passed = this.clock.monotonicMs() - this.windowStartMs
    if (passed < WINDOW_MS) return
    const next = passed < 2 * WINDOW_MS
    this.callsBefore = next ? this.calls : 0
    this.repeatsBefore = next ? this.repeats : 0
    this.calls = 0
    this.repeats = 0
    this.windowStartMs += WINDOW_MS * Math.floor(passed / WINDOW_MS)
  }
}

/**
 * Milliseconds before repeat number `repeat` (0 is the first) at the same origin: full jitter, so that clients that
 * failed together do not come back together. `random` is in [0, 1).
 */
export function backOffMs(repeat: number, random: number): number {
  return random * Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** Math.min(repeat, 10))
}

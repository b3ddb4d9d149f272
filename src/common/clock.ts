// Time, injected. Nothing below reads the wall clock by itself, so tests can own it.

export interface Clock {
  /** Milliseconds of a clock that never goes back; only differences mean anything. */
  monotonicMs(): number
  /** Milliseconds since 1970-01-01 UTC. */
  epochMs(): number
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  epochMs: () => Date.now(),
}

// A breaker: stops calling what keeps failing, and lets one call through after a while to see whether it recovered.
// Owns the judgement of one cell; refuses to know what a failure is (its caller tells) and where cells live
// (`breaker-table.ts`).
// The trick: all cells live in one SharedArrayBuffer, so the shards of a process judge together and exactly, without
// a message: every step is an atomic operation on 32-bit words.
//
// closed ── failures reach the share within the window ──► open ── cool-down over ──► half-open (one probe)
//   ▲                                                        ▲                          │
//   └──────────────── probe succeeded ───────────────────────┼──────────────────────────┘
//                                                            └── probe failed: a longer cool-down

import type { Clock } from '../common/clock.ts'

/** Words per cell, a power of two. */
export const CELL_WORDS = 16

export const TAG = 0
const WINDOW = 1
const TOTAL = 2
const FAILED = 3
const TOTAL_BEFORE = 4
const FAILED_BEFORE = 5
/** 0 closed, else the time until which it is open. */
const OPEN_UNTIL = 6
/** Openings in a row without a recovery between; doubles the cool-down. */
const STREAK = 7
/** The probe's start, or 0. */
const PROBE_SINCE = 8
const OPENINGS = 9
/** A pause the upstream asked for (a key that was refused, a limit); counted by nobody as failure. */
const REST_UNTIL = 10
/** The last word of the state; what follows belongs to the table. */
export const STATE_WORDS = 11

/** Half of the rolling window: outcomes of this and the one before are counted. */
const WINDOW_MS = 10_000
/** Fewer outcomes than this say nothing. */
const OUTCOMES_MIN = 10
/** Share of failures that opens. */
const FAILED_SHARE = 0.5
const COOL_DOWN_MS_MIN = 2_000
const COOL_DOWN_MS_MAX = 60_000
/** A probe that has not ended by then is forgotten and another may go. */
const PROBE_MS_MAX = 30_000
/** Longest rest an upstream can impose on a key. */
export const REST_MS_MAX = 10 * 60_000

/** An open breaker that nobody has asked for this long is forgotten where its room is needed. */
const FORGOTTEN_MS = 10 * 60_000

export type BreakerState = 'closed' | 'open' | 'half-open'

export interface BreakerFacts {
  readonly state: BreakerState
  readonly openings: number
  /** Milliseconds until a resting key is used again; 0 when it does not rest. */
  readonly restMs: number
  /** Milliseconds until a call may go again, whatever it waits for; 0 when one may go now. */
  readonly waitMs: number
}

/** What a call asks and tells about the way it takes. */
export interface Breaker {
  /** True when a call may go. In half-open state the first asker gets the only probe and must report it. */
  admit(): boolean
  succeeded(): void
  failed(): void
  /** The call ended in a way that says nothing about the upstream: its client left, or the fault was the client's. */
  abandoned(): void
  facts(): BreakerFacts
}

export class BreakerCell implements Breaker {
  private readonly words: Int32Array
  private readonly at: number
  private readonly clock: Clock

  /** `at` is -1 when the table is full; such a cell lets everything through. */
  constructor(words: Int32Array, at: number, clock: Clock) {
    this.words = words
    this.at = at
    this.clock = clock
  }

  admit(): boolean {
    if (this.at < 0) return true
    const now = this.now()
    if (after(this.load(REST_UNTIL), now)) return false
    const openUntil = this.load(OPEN_UNTIL)
    if (openUntil === 0) return true
    if (after(openUntil, now)) return false
    const probe = this.load(PROBE_SINCE)
    if (probe !== 0 && !after(now, (probe + PROBE_MS_MAX) | 0)) return false
    return Atomics.compareExchange(this.words, this.at + PROBE_SINCE, probe, now) === probe
  }

  succeeded(): void {
    if (this.at < 0) return
    const openUntil = this.load(OPEN_UNTIL)
    if (openUntil !== 0) {
      // A long reply that began in better times says nothing about now; the probe's does.
      if (this.load(PROBE_SINCE) === 0 || after(openUntil, this.now())) return
      this.close()
    }
    this.count(false)
  }

  failed(): void {
    if (this.at < 0) return
    const now = this.now()
    const openUntil = this.load(OPEN_UNTIL)
    if (openUntil !== 0) {
      // Calls that started before the opening still end; only the probe's failure opens anew.
      if (this.load(PROBE_SINCE) !== 0 && !after(openUntil, now)) this.open(now)
      return
    }
    this.count(true)
    const failed = this.load(FAILED) + this.load(FAILED_BEFORE)
    const total = this.load(TOTAL) + this.load(TOTAL_BEFORE)
    if (total >= OUTCOMES_MIN && failed >= total * FAILED_SHARE) this.open(now)
  }

  abandoned(): void {
    if (this.at < 0) return
    Atomics.store(this.words, this.at + PROBE_SINCE, 0)
  }

  get resting(): boolean {
    return this.at >= 0 && after(this.load(REST_UNTIL), this.now())
  }

  /** Nothing in it says anything about now, so it may become another's. */
  get idle(): boolean {
    const now = this.now()
    const openUntil = this.load(OPEN_UNTIL)
    if (openUntil !== 0 && !after(now, (openUntil + FORGOTTEN_MS) | 0)) return false
    return !after(this.load(REST_UNTIL), now) && ((this.window() - this.load(WINDOW)) | 0) > 1
  }

  /** Forgets everything. */
  clear(): void {
    for (let word = TAG + 1; word < STATE_WORDS; word += 1) Atomics.store(this.words, this.at + word, 0)
  }

  /** Not used for a while, because the upstream said so. Bounded by {@link REST_MS_MAX}. */
  rest(forMs: number): void {
    if (this.at < 0) return
    this.abandoned()
    const until = nonZero((this.now() + Math.min(Math.max(0, forMs), REST_MS_MAX)) | 0)
    Atomics.store(this.words, this.at + REST_UNTIL, until)
  }

  facts(): BreakerFacts {
    if (this.at < 0) return { state: 'closed', openings: 0, restMs: 0, waitMs: 0 }
    const now = this.now()
    const openUntil = this.load(OPEN_UNTIL)
    const restUntil = this.load(REST_UNTIL)
    const restMs = after(restUntil, now) ? (restUntil - now) | 0 : 0
    const coolMs = after(openUntil, now) ? (openUntil - now) | 0 : 0
    return {
      state: openUntil === 0 ? 'closed' : after(openUntil, now) ? 'open' : 'half-open',
      openings: this.load(OPENINGS),
      restMs,
      waitMs: Math.max(restMs, coolMs),
    }
  }

  private count(failed: boolean): void {
    const window = this.window()
    const seen = this.load(WINDOW)
    // The thread that wins the exchange turns the window; another one's count may fall into either half.
    if (seen !== window && Atomics.compareExchange(this.words, this.at + WINDOW, seen, window) === seen) {
      const next = ((window - seen) | 0) === 1
      Atomics.store(this.words, this.at + TOTAL_BEFORE, next ? this.load(TOTAL) : 0)
      Atomics.store(this.words, this.at + FAILED_BEFORE, next ? this.load(FAILED) : 0)
      Atomics.store(this.words, this.at + TOTAL, 0)
      Atomics.store(this.words, this.at + FAILED, 0)
    }
    Atomics.add(this.words, this.at + TOTAL, 1)
    if (failed) Atomics.add(this.words, this.at + FAILED, 1)
  }

  private open(now: number): void {
    const streak = Atomics.add(this.words, this.at + STREAK, 1)
    const coolDownMs = Math.min(COOL_DOWN_MS_MAX, COOL_DOWN_MS_MIN * 2 ** Math.min(streak, 10))
    Atomics.add(this.words, this.at + OPENINGS, 1)
    Atomics.store(this.words, this.at + PROBE_SINCE, 0)
    Atomics.store(this.words, this.at + OPEN_UNTIL, nonZero((now + coolDownMs) | 0))
  }

  private close(): void {
    for (const word of [TOTAL, FAILED, TOTAL_BEFORE, FAILED_BEFORE, STREAK, PROBE_SINCE, OPEN_UNTIL]) {
      Atomics.store(this.words, this.at + word, 0)
    }
  }

  private window(): number {
    return nonZero(Math.floor(this.clock.epochMs() / WINDOW_MS) | 0)
  }

  private load(word: number): number {
    return Atomics.load(this.words, this.at + word)
  }

  /** Milliseconds in 32 bits that all threads agree on; differences are right within 24 days. */
  private now(): number {
    return nonZero(this.clock.epochMs() | 0)
  }
}

function nonZero(word: number): number {
  return word === 0 ? 1 : word
}

/** True when `time` is set and later than `now`, over the wrap of 32 bits. */
function after(time: number, now: number): boolean {
  return time !== 0 && ((time - now) | 0) > 0
}

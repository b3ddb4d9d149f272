// A breaker per provider, model and key: stops calling what keeps failing, and lets one call through after a while
// to see whether it recovered. Owns the judgement; refuses to know what a failure is (its caller tells).
// The trick: all cells live in one SharedArrayBuffer, so the shards of a process judge together and exactly, without
// a message: every step is an atomic operation on 32-bit words. A cell is claimed by the hash of its key.
//
// closed ── failures reach the share within the window ──► open ── cool-down over ──► half-open (one probe)
//   ▲                                                        ▲                          │
//   └──────────────── probe succeeded ───────────────────────┼──────────────────────────┘
//                                                            └── probe failed: a longer cool-down

import type { Clock } from '../common/clock.ts'

/** Cells per process; providers × models × keys of a plan. What comes after shares nothing and never opens. */
const CELLS = 4_096
/** Words per cell, a power of two. */
const WORDS = 16
/** The first cell's place; the words before it belong to the table. */
const HEAD_WORDS = 2

const TAG = 0
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

/** The name of a breaker: a provider entry and the place of one of its keys in the file, counted from 0. */
export function breakerKey(entry: string, key: number): string {
  return `${entry}\n${key}`
}

export type BreakerState = 'closed' | 'open' | 'half-open'

export interface BreakerFacts {
  readonly state: BreakerState
  readonly openings: number
  /** Milliseconds until a resting key is used again; 0 when it does not rest. */
  readonly restMs: number
  /** Milliseconds until a call may go again, whatever it waits for; 0 when one may go now. */
  readonly waitMs: number
}

/** Room for the cells of one process; made once, handed to every shard. */
export function newBreakerMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * (HEAD_WORDS + CELLS * WORDS))
}

export class BreakerTable {
  private readonly words: Int32Array
  private readonly clock: Clock
  private readonly cells: Map<string, BreakerCell> = new Map()

  constructor(memory: SharedArrayBuffer, clock: Clock) {
    this.words = new Int32Array(memory)
    this.clock = clock
  }

  /** The cell of a key; the same in every thread that shares the memory. */
  cell(key: string): BreakerCell {
    let cell = this.cells.get(key)
    if (cell === undefined) {
      cell = new BreakerCell(this.words, this.claim(tagOf(key)), this.clock)
      this.cells.set(key, cell)
    }
    return cell
  }

  /** Every cell this thread has asked for. */
  known(): ReadonlyMap<string, BreakerCell> {
    return this.cells
  }

  /** Forgets keys that a new plan no longer has; the shared memory keeps their state in case they return. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.cells.keys()) if (!keys.has(key)) this.cells.delete(key)
  }

  private claim(tag: number): number {
    const first = (tag >>> 0) % CELLS
    for (let step = 0; step < CELLS; step += 1) {
      const at = HEAD_WORDS + ((first + step) % CELLS) * WORDS
      const found = Atomics.compareExchange(this.words, at + TAG, 0, tag)
      if (found === 0 || found === tag) return at
    }
    return -1
  }
}

/** FNV-1a over UTF-16 units; never 0, which marks a free cell. */
function tagOf(key: string): number {
  let hash = 0x811c9dc5 | 0
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return hash === 0 ? 1 : hash
}

export class BreakerCell {
  private readonly words: Int32Array
  private readonly at: number
  private readonly clock: Clock

  /** `at` is -1 when the table is full; such a cell lets everything through. */
  constructor(words: Int32Array, at: number, clock: Clock) {
    this.words = words
    this.at = at
    this.clock = clock
  }

  /** True when a call may go. In half-open state the first asker gets the only probe and must report it. */
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

  /** The call ended in a way that says nothing about the upstream: its client left, or the fault was the client's. */
  abandoned(): void {
    if (this.at < 0) return
    Atomics.store(this.words, this.at + PROBE_SINCE, 0)
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
    const window = nonZero(Math.floor(this.clock.epochMs() / WINDOW_MS) | 0)
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

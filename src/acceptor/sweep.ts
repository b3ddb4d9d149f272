// Looks at everything that waits, now and then. Owns one timer per acceptor, which runs only while something
// waits; who waits for what is the waiting one's business. So a deadline costs nothing per piece of body: it is
// never early, and late by two looks at most.

import { type Member, Roll } from '../common/roll.ts'
import { SWEEP_MS_MAX, SWEEP_MS_MIN } from './bounds.ts'

/** Something that waits. */
export interface Waiting extends Member {
  /** A look at the time; call `Sweep.drop` when nothing is waited for any more. */
  look(nowMs: number): void
}

export class Sweep {
  readonly everyMs: number
  private readonly waiting: Roll<Waiting> = new Roll()
  private timer: NodeJS.Timeout | null = null

  /** `shortestMs` is the shortest of the bounds that are watched. */
  constructor(shortestMs: number) {
    this.everyMs = Math.min(SWEEP_MS_MAX, Math.max(SWEEP_MS_MIN, Math.floor(shortestMs / 4)))
  }

  add(waiting: Waiting): void {
    this.waiting.add(waiting)
    if (this.timer !== null) return
    this.timer = setInterval(() => this.run(), this.everyMs)
    this.timer.unref()
  }

  drop(waiting: Waiting): void {
    this.waiting.remove(waiting)
  }

  stop(): void {
    for (const waiting of this.waiting.all()) this.waiting.remove(waiting)
    this.rest()
  }

  private run(): void {
    const nowMs = performance.now()
    this.waiting.each(waiting => waiting.look(nowMs))
    if (this.waiting.size === 0) this.rest()
  }

  private rest(): void {
    if (this.timer !== null) clearInterval(this.timer)
    this.timer = null
  }
}

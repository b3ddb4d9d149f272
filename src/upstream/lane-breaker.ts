// The breaker of one way to an answer: a model at a provider, over one of its keys and one of its hosts. Owns which of
// three cells an event belongs to; the judgement is theirs.
//
// - A refused key rests everywhere it is used: the cell of entry and key.
// - Failures and limits count against key and host together. Where callers name the model (a wildcard), they count
//   against the model there: one that fails must not close the way for all others.

import type { Breaker, BreakerCell, BreakerFacts } from './breaker.ts'
import { breakerKey, type BreakerTable } from './breaker-table.ts'

export interface LaneName {
  /** Name of the provider entry. */
  readonly entry: string
  /** Place of the key in the file, counted from 0. */
  readonly key: number
  /** Which of several hosts, or null. */
  readonly host: string | null
  /** The model, where one entry stands for many; else null. */
  readonly model: string | null
}

export class LaneBreaker implements Breaker {
  private readonly table: BreakerTable
  private readonly name: LaneName
  private readonly key: BreakerCell
  private readonly way: BreakerCell
  private readonly wayName: string
  private readonly tag: number

  constructor(table: BreakerTable, name: LaneName) {
    const { entry, key, host, model } = name
    this.table = table
    this.name = name
    this.wayName = breakerKey(entry, key, host)
    this.way = table.cell(this.wayName)
    this.key = host === null ? this.way : table.cell(breakerKey(entry, key))
    this.tag = model === null ? 0 : table.modelTag(this.wayName, model)
  }

  admit(): boolean {
    if (this.key !== this.way && this.key.resting) return false
    const own = this.own()
    if (own === null) return this.way.admit()
    return !this.way.resting && own.admit()
  }

  succeeded(): void {
    const cell = this.own() ?? this.way
    cell.succeeded()
  }

  failed(): void {
    this.claimed().failed()
  }

  abandoned(): void {
    this.own()?.abandoned()
    this.way.abandoned()
  }

  /** The key is refused: it rests on every way. */
  restKey(forMs: number): void {
    this.abandoned()
    this.key.rest(forMs)
  }

  /** The upstream asked for less: this way rests. */
  rest(forMs: number): void {
    this.abandoned()
    this.claimed().rest(forMs)
  }

  /** What holds a call back, whichever of the cells it is. */
  facts(): BreakerFacts {
    const { openings, state, ...waits } = (this.own() ?? this.way).facts()
    const restMs = Math.max(waits.restMs, this.way.facts().restMs, this.key.facts().restMs)
    return { state, openings, restMs, waitMs: Math.max(waits.waitMs, restMs) }
  }

  private own(): BreakerCell | null {
    return this.tag === 0 ? null : this.table.modelCell(this.tag)
  }

  /** The cell that bad news count in. */
  private claimed(): BreakerCell {
    const { model } = this.name
    if (model === null) return this.way
    return this.table.claimModel(this.tag, this.wayName, model) ?? this.way
  }
}

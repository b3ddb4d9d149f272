// In which order the ways to an answer are tried. Owns the order and its bounds; knows nothing of requests.
// A target is one model at one provider; its lanes are the keys it may be called with, over each of its hosts. Per
// target: every lane that is admitted once, without a pause, lanes of hosts that have not failed before the others (those
// only as far as the budget allows); then repeats with back-off as far as configuration and budget allow; then the next target.

import type { Breaker } from './breaker.ts'
import { backOffMs, RETRY_AFTER_MS_MAX, type RetryBudget } from './retry-budget.ts'

export interface Lane {
  readonly cell: Breaker
  readonly budget: RetryBudget
  /** Which of the target's hosts. */
  readonly host: number
}

/** What a failed try says about its host. */
export type HostFailure =
  /** Nothing: the key or the request is at fault. */
  | 'none'
  /** Another host is a better try than another key there. */
  | 'failed'
  /** There was no connection: another key there needs none. */
  | 'unreachable'

/** What a failed try says about trying again. */
export interface TryFailure {
  /** Another try may succeed. False ends the search: the request itself is at fault. */
  readonly retry: boolean
  /** This lane's key is refused or used up: the same lane is not tried again. */
  readonly laneOver: boolean
  readonly host: HostFailure
  /** The upstream asked for a pause, milliseconds. */
  readonly retryAfterMs: number | null
}

export interface Try<L extends Lane> {
  readonly lane: L
  /** Milliseconds to wait before it. */
  readonly delayMs: number
  /** It was taken from the lane's budget. */
  readonly repeat: boolean
}

/** An outage of everything must not be multiplied by the number of hosts: so many may have worked in vain. */
const TROUBLED_HOSTS_MAX = 3

export class Tries<L extends Lane> {
  private readonly targets: readonly (readonly L[])[]
  private readonly repeatsMax: number
  private readonly random: () => number
  private target = 0
  private lane = 0
  private repeats = 0
  /** Lanes not to be tried again; nearly always none. */
  private over: L[] | null = null
  private current: L | null = null
  /** What is known of the target's hosts; null while nothing is. */
  private hosts: Map<number, HostFailure> | null = null
  /** Hosts of the target that took the call and failed. */
  private troubled = 0
  /** Lanes of hosts that have failed, to be tried behind the others. */
  private late: L[] | null = null

  /** `repeatsMax`: tries per target beyond the first of each lane. */
  constructor(targets: readonly (readonly L[])[], repeatsMax: number, random: () => number) {
    this.targets = targets
    this.repeatsMax = repeatsMax
    this.random = random
  }

  /** The next try, or null when there is none. `failure` is null at first. */
  next(failure: TryFailure | null): Try<L> | null {
    if (failure !== null && !failure.retry) return null
    if (failure !== null && failure.host !== 'none' && this.current !== null) {
      this.hosts ??= new Map()
      const before = this.hosts.get(this.current.host)
      if (before === undefined && failure.host === 'failed') this.troubled += 1
      this.hosts.set(this.current.host, failure.host)
    }
    while (this.target < this.targets.length) {
      const lanes = this.targets[this.target]!
      const found = this.fresh(lanes) ?? this.repeat(lanes, failure)
      if (found !== null) {
        this.current = found.lane
        return found
      }
      this.target += 1
      this.lane = 0
      this.repeats = 0
      this.hosts = null
      this.troubled = 0
      this.late = null
      failure = null
    }
    return null
  }

  /** A lane that failed and must not be used again by this exchange. */
  close(lane: L): void {
    this.over ??= []
    this.over.push(lane)
  }

  /** A try that was found and will not be made: its place goes to somebody else. */
  giveBack({ lane, repeat }: Try<L>): void {
    lane.cell.abandoned()
    if (repeat) lane.budget.giveBack()
  }

  /** True when `next` could still find something, as far as can be told without asking breakers. */
  get moreLeft(): boolean {
    const lanes = this.targets[this.target]
    if (lanes === undefined) return false
    if (this.lane < lanes.length || this.target < this.targets.length - 1) return true
    if (this.late !== null && this.late.length > 0) return true
    return this.repeats < this.repeatsMax && lanes.some(lane => !this.isOver(lane))
  }

  private isOver(lane: L): boolean {
    return this.over?.includes(lane) === true
  }

  private fresh(lanes: readonly L[]): Try<L> | null {
    while (this.lane < lanes.length) {
      const lane = lanes[this.lane]!
      this.lane += 1
      if (this.hosts === null || !this.hosts.has(lane.host)) {
        if (this.troubled >= TROUBLED_HOSTS_MAX) continue
        if (this.takes(lane)) return { lane, delayMs: 0, repeat: false }
      } else {
        this.late ??= []
        this.late.push(lane)
      }
    }
    return this.late === null ? null : this.again(this.late)
  }

  /** Other keys at hosts that have failed: more work for an origin in trouble, so its budget must allow it. */
  private again(late: L[]): Try<L> | null {
    for (let lane = late.shift(); lane !== undefined; lane = late.shift()) {
      if (this.hosts?.get(lane.host) === 'unreachable') continue
      if (this.isOver(lane) || !lane.cell.admit()) continue
      if (lane.budget.take()) return { lane, delayMs: 0, repeat: true }
      lane.cell.abandoned()
    }
    return null
  }

  private takes(lane: L): boolean {
    if (this.isOver(lane) || !lane.cell.admit()) return false
    lane.budget.called()
    return true
  }

  /** Lanes take turns; those of a host that gave no connection come last. */
  private repeat(lanes: readonly L[], failure: TryFailure | null): Try<L> | null {
    if (failure === null || (failure.retryAfterMs ?? 0) > RETRY_AFTER_MS_MAX) return null
    if (this.repeats >= this.repeatsMax) return null
    return this.repeatAt(lanes, failure, true) ?? this.repeatAt(lanes, failure, false)
  }

  private repeatAt(lanes: readonly L[], failure: TryFailure, reachable: boolean): Try<L> | null {
    for (let step = 0; step < lanes.length; step += 1) {
      const lane = lanes[(this.repeats + step) % lanes.length]!
      if ((this.hosts?.get(lane.host) !== 'unreachable') !== reachable) continue
      if (this.isOver(lane) || !lane.cell.admit()) continue
      if (!lane.budget.take()) {
        lane.cell.abandoned()
        continue
      }
      const jittered = backOffMs(this.repeats, this.random())
      this.repeats += 1
      return { lane, delayMs: Math.max(jittered, failure.retryAfterMs ?? 0), repeat: true }
    }
    return null
  }
}

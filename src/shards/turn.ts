// The moment at which all shards leave one plan for another, in memory that they share. A message reaches a shard when
// its loop and the machine's scheduler get round to it, each at another time; this is one store, after which no shard
// begins an exchange with the old plan. The message only settles what may come later.

const CHANGE = 0
const CHANGE_BYTES = 8
const BYTES = 16
const NS_PER_MS = 1e6

export class PlanTurn {
  readonly memory: SharedArrayBuffer
  private readonly words: Int32Array
  private readonly times: BigInt64Array

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.memory = memory
    this.words = new Int32Array(memory, 0, 1)
    this.times = new BigInt64Array(memory, CHANGE_BYTES, 1)
  }

  /** Whoever has made `change` ready has it from now on. */
  turnTo(change: number): void {
    Atomics.store(this.times, 0, process.hrtime.bigint())
    Atomics.store(this.words, CHANGE, change)
  }

  get change(): number {
    return Atomics.load(this.words, CHANGE)
  }

  /** Since the last turn, by the clock that all threads share. */
  get sinceMs(): number {
    return Number(process.hrtime.bigint() - Atomics.load(this.times, 0)) / NS_PER_MS
  }
}

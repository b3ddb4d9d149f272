// Signs of life of a shard, in memory that the supervisor can read without asking: a loop that is stuck cannot
// answer, and that is what is to be found out.

const BEATS = 0
const ACTIVE = 1
const BYTES = 8

export class Pulse {
  readonly memory: SharedArrayBuffer
  private readonly words: Int32Array

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.memory = memory
    this.words = new Int32Array(memory)
  }

  /** The loop turns; `active` exchanges are running. */
  beat(active: number): void {
    Atomics.store(this.words, ACTIVE, active)
    Atomics.add(this.words, BEATS, 1)
  }

  /** Changes with every beat. */
  get beats(): number {
    return Atomics.load(this.words, BEATS)
  }

  /** Exchanges that were running at the last beat. */
  get active(): number {
    return Atomics.load(this.words, ACTIVE)
  }
}

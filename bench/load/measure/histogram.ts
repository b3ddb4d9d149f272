// A latency histogram of fixed size. Owns its buckets and quantiles; knows nothing of clocks.
// The trick: below 256 units every unit has a bucket, above it each power of two has 128, so that a value is off by
// less than 0.8 % at any size and recording costs two shifts.

/** One unit is 100 ns: fine enough for loopback, and 32 bits of it last seven minutes. */
const UNITS_PER_MS = 10_000
const EXACT_BITS = 8
const EXACT_UNITS = 1 << EXACT_BITS
const PER_OCTAVE = EXACT_UNITS / 2
const OCTAVES = 32 - EXACT_BITS
const BUCKETS = EXACT_UNITS + OCTAVES * PER_OCTAVE
const UNITS_MAX = 2 ** 32 - 1

export class Histogram {
  readonly buckets: Float64Array
  count: number
  sumMs: number
  maxMs: number

  constructor() {
    this.buckets = new Float64Array(BUCKETS)
    this.count = 0
    this.sumMs = 0
    this.maxMs = 0
  }

  record(ms: number): void {
    const units = Math.min(UNITS_MAX, Math.max(0, Math.round(ms * UNITS_PER_MS)))
    this.buckets[bucketOf(units)]! += 1
    this.count += 1
    this.sumMs += ms
    if (ms > this.maxMs) this.maxMs = ms
  }

  /** The value below which the share `q` of all records lies, in milliseconds; null when nothing was recorded. */
  quantile(q: number): number | null {
    if (this.count === 0) return null
    const rank = Math.max(1, Math.ceil(q * this.count))
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      seen += this.buckets[bucket]!
      if (seen >= rank) return Math.min(this.maxMs, middleOf(bucket) / UNITS_PER_MS)
    }
    return this.maxMs
  }

  meanMs(): number | null {
    return this.count === 0 ? null : this.sumMs / this.count
  }

  clear(): void {
    this.buckets.fill(0)
    this.count = 0
    this.sumMs = 0
    this.maxMs = 0
  }
}

function bucketOf(units: number): number {
  if (units < EXACT_UNITS) return units
  const octave = 31 - Math.clz32(units) - EXACT_BITS
  return EXACT_UNITS + octave * PER_OCTAVE + ((units >>> (octave + 1)) & (PER_OCTAVE - 1))
}

function middleOf(bucket: number): number {
  if (bucket < EXACT_UNITS) return bucket
  const octave = Math.floor((bucket - EXACT_UNITS) / PER_OCTAVE)
  const within = (bucket - EXACT_UNITS) % PER_OCTAVE
  const width = 2 ** (octave + 1)
  return (PER_OCTAVE + within) * width + (width - 1) / 2
}

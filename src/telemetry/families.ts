// Numbers that are counted where they happen: counters, gauges and histograms as plain fields. Owns how they are
// kept, copied and summed over threads; knows no metric by name (`metrics.ts`) and no text format
// (`prometheus.ts`).
//
// The trick: whoever counts keeps the series itself, so counting is one addition. Finding a series by its labels
// happens once, when a plan or a model is first seen.

export type MetricType = 'counter' | 'gauge' | 'histogram'

/** What a metric is, whoever counts it. */
export interface MetricSpec {
  readonly name: string
  readonly help: string
  readonly type: MetricType
  readonly labels: readonly string[]
  /** Upper bounds of a histogram in rising order; empty for other types. */
  readonly buckets: readonly number[]
}

/** Series per metric and thread; labels come from configured names, so more than this is a mistake. */
export const SERIES_MAX = 5_000

/** The label value of everything beyond the bound. */
export const OTHER = 'other'

export interface Series {
  readonly labels: readonly string[]
  /** A counter or gauge: its value. A histogram: the count of each bucket, the last without bound, then the sum. */
  values(): number[]
}

/** A counter or a gauge. */
export class Value implements Series {
  readonly labels: readonly string[]
  value = 0

  constructor(labels: readonly string[]) {
    this.labels = labels
  }

  add(by: number): void {
    this.value += by
  }

  values(): number[] {
    return [this.value]
  }
}

export class Histogram implements Series {
  readonly labels: readonly string[]
  private readonly buckets: readonly number[]
  private readonly counts: number[]
  private sum = 0

  constructor(labels: readonly string[], buckets: readonly number[]) {
    this.labels = labels
    this.buckets = buckets
    this.counts = new Array<number>(buckets.length + 1).fill(0)
  }

  observe(value: number): void {
    const { buckets } = this
    let at = 0
    while (at < buckets.length && value > buckets[at]!) at += 1
    this.counts[at]! += 1
    this.sum += value
  }

  values(): number[] {
    return [...this.counts, this.sum]
  }
}

abstract class Family<S extends Series> {
  readonly spec: MetricSpec
  protected readonly series: Map<string, S> = new Map()

  constructor(spec: MetricSpec) {
    this.spec = spec
  }

  /** The series of these label values, in the order of `spec.labels`. Look it up once and keep it. */
  of(...labels: readonly string[]): S {
    const key = labelKey(labels)
    const found = this.series.get(key)
    if (found !== undefined) return found
    if (this.series.size >= SERIES_MAX && !labels.every(label => label === OTHER)) {
      return this.of(...labels.map(() => OTHER))
    }
    const made = this.make(labels)
    this.series.set(key, made)
    return made
  }

  rows(): MetricRows {
    return {
      name: this.spec.name,
      rows: [...this.series.values()].map(series => ({ labels: series.labels, values: series.values() })),
    }
  }

  protected abstract make(labels: readonly string[]): S
}

export class ValueFamily extends Family<Value> {
  protected make(labels: readonly string[]): Value {
    return new Value(labels)
  }

  /** Forgets all series: for gauges that are read anew at every snapshot. */
  clear(): void {
    this.series.clear()
  }
}

export class HistogramFamily extends Family<Histogram> {
  protected make(labels: readonly string[]): Histogram {
    return new Histogram(labels, this.spec.buckets)
  }
}

/** All series of one metric, as plain data that crosses threads. */
export interface MetricRows {
  readonly name: string
  readonly rows: readonly MetricRow[]
}

export interface MetricRow {
  readonly labels: readonly string[]
  readonly values: readonly number[]
}

/** Everything one thread has counted. */
export type Snapshot = readonly MetricRows[]

/** A sum of snapshots: series with the same labels are added. */
export class SnapshotSum {
  private readonly metrics: Map<string, Map<string, { labels: readonly string[]; values: number[] }>> =
    new Map()

  add(snapshot: Snapshot): void {
    for (const { name, rows } of snapshot) {
      let byLabels = this.metrics.get(name)
      if (byLabels === undefined) {
        byLabels = new Map()
        this.metrics.set(name, byLabels)
      }
      for (const { labels, values } of rows) {
        const key = labelKey(labels)
        const sum = byLabels.get(key)
        if (sum === undefined) byLabels.set(key, { labels, values: [...values] })
        else addInto(sum.values, values)
      }
    }
  }

  snapshot(): Snapshot {
    return [...this.metrics].map(([name, byLabels]) => ({ name, rows: [...byLabels.values()] }))
  }
}

function addInto(sum: number[], values: readonly number[]): void {
  for (let at = 0; at < values.length; at += 1) sum[at] = (sum[at] ?? 0) + values[at]!
}

/** Label values never hold this character: it is no part of any name we give. */
function labelKey(labels: readonly string[]): string {
  return labels.length === 1 ? labels[0]! : labels.join('\u0000')
}

// Reads the Prometheus text format as far as a benchmark needs it: samples, and quantiles of what a histogram gained
// between two scrapes. Labels other than `le` are summed over, so shards count together.

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g

export function parseExposition(text: string): Sample[] {
  const samples: Sample[] = []
  for (const line of text.split('\n')) {
    const match = line.startsWith('#') ? null : LINE.exec(line)
    if (match === null) continue
    const labels = Object.fromEntries([...(match[2] ?? '').matchAll(LABEL)].map(m => [m[1]!, m[2]!]))
    samples.push({ name: match[1]!, labels, value: numberOf(match[3]!) })
  }
  return samples
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text)
}

/** Upper bounds and cumulative counts of one histogram, in rising order, summed over all other labels. */
export function bucketsOf(samples: readonly Sample[], name: string): [number, number][] {
  const counts = new Map<number, number>()
  for (const sample of samples) {
    const bound = sample.labels['le']
    if (sample.name !== `${name}_bucket` || bound === undefined) continue
    const at = numberOf(bound)
    counts.set(at, (counts.get(at) ?? 0) + sample.value)
  }
  return [...counts].sort((a, b) => a[0] - b[0])
}

/** The quantile of what was observed between two scrapes, on a line within its bucket; null when nothing was. */
export function quantileBetween(
  before: readonly Sample[],
  after: readonly Sample[],
  name: string,
  q: number,
): number | null {
  const old = new Map(bucketsOf(before, name))
  const gained = bucketsOf(after, name).map(
    ([bound, count]) => [bound, count - (old.get(bound) ?? 0)] as const,
  )
  const total = gained.at(-1)?.[1] ?? 0
  if (total <= 0) return null
  const rank = q * total
  let lowerBound = 0
  let lowerCount = 0
  for (const [bound, count] of gained) {
    if (count >= rank) {
      if (!Number.isFinite(bound)) return lowerBound
      return lowerBound + (bound - lowerBound) * ((rank - lowerCount) / Math.max(1, count - lowerCount))
    }
    lowerBound = bound
    lowerCount = count
  }
  return lowerBound
}

// Is memory flat? Owns how a slope is taken from samples of which some are taken at a bad moment; measures nothing.
//
// The trick: the median of all slopes between two samples (Theil and Sen) does not care for the few that stand out, where
// a line of least squares leans to wherever they happen to be.

export type Sample = readonly [ms: number, kb: number]

/** This share of a run is warm-up: code is compiled, pools and heaps reach their size. */
export const WARM_SHARE = 1 / 3
const MINUTE_MS = 60_000
const MB_KB = 1024
/** Fewer points than this tell nothing. */
const POINTS_MIN = 5

/** Megabytes per minute behind the warm-up; null when there is too little to go by. */
export function slopeMbPerMinute(samples: readonly Sample[]): number | null {
  const points = samples.slice(Math.ceil(samples.length * WARM_SHARE))
  if (points.length < POINTS_MIN) return null
  const slopes: number[] = []
  points.forEach(([ms, kb], at) => {
    for (const [laterMs, laterKb] of points.slice(at + 1)) slopes.push((laterKb - kb) / (laterMs - ms))
  })
  slopes.sort((a, b) => a - b)
  const middle = slopes.length >> 1
  const median = slopes.length % 2 === 1 ? slopes[middle]! : (slopes[middle - 1]! + slopes[middle]!) / 2
  return (median * MINUTE_MS) / MB_KB
}

// Durations and sizes as people write them, to numbers. `300s`, `1m30s`, `0.5s`, `250ms`; `64KiB`, `32MiB`.

/** Longer than any wait that makes sense, short enough for the timers of Node (2^31 ms). */
export const DURATION_MS_MAX = 24 * 24 * 3_600_000

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const UNITS_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1_000,
  KiB: 1_024,
  MB: 1_000_000,
  MiB: 1_048_576,
  GB: 1_000_000_000,
  GiB: 1_073_741_824,
}

/** Milliseconds, or null when the text is not a duration. A bare number has no unit and is refused. */
export function durationMs(text: string): number | null {
  if (!/^(?:\d{1,9}(?:\.\d{1,6})?(?:ms|s|m|h|d))+$/.test(text) || text.length > 40) return null
  let total = 0
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|s|m|h|d)/g)) {
    total += Number(amount) * UNITS_MS[unit!]!
  }
  return total <= DURATION_MS_MAX ? Math.round(total) : null
}

/** Bytes, or null when the text is not a size. */
export function sizeBytes(text: string): number | null {
  const found = /^(\d{1,9}(?:\.\d{1,3})?) ?([KMG]i?B|B)?$/.exec(text)
  if (found === null) return null
  return Math.round(Number(found[1]) * UNITS_BYTES[found[2] ?? '']!)
}

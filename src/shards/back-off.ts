// How long to wait before a shard is started again. Pure.

/** The first restart is nearly at once: most crashes have a cause that does not come again. */
const FIRST_MS = 100

/** A shard that cannot stay up is tried this often, for good: the cause may be a disk or a network. */
const LONGEST_MS = 10_000

/** A shard that was up this long starts with a clean slate. */
export const STABLE_MS = 30_000

/** `failures`: restarts in a row before this one. */
export function backOffMs(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 16))
}

// "Did you mean …?": the names nearest to one that does not exist. Owns the distance and its bounds, because callers
// choose the name; refuses to guess when nothing is near.

/** Longer names are compared by their first characters only. */
const COMPARED_CHARS_MAX = 64
/** Of a name's characters, this share may differ; more is not a slip of the fingers. */
const DIFFERENT_SHARE_MAX = 0.4
/** More names than this are not compared; a list that long is not read by a person either. */
const NAMES_MAX = 2_000
/** A name that contains the other counts as this far away. */
const CONTAINED_DISTANCE = 1
/** Shorter names are contained in anything. */
const CONTAINED_CHARS_MIN = 3

/** Up to `count` of `names`, nearest first; empty when none is near. */
export function nearestNames(asked: string, names: Iterable<string>, count: number): string[] {
  const wanted = asked.slice(0, COMPARED_CHARS_MAX).toLowerCase()
  const limit = Math.max(1, Math.floor(wanted.length * DIFFERENT_SHARE_MAX))
  const found: { name: string; distance: number }[] = []
  let seen = 0
  for (const name of names) {
    if (++seen > NAMES_MAX) break
    const distance = nameDistance(wanted, name.slice(0, COMPARED_CHARS_MAX).toLowerCase(), limit)
    if (distance <= limit) found.push({ name, distance })
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
  return found.slice(0, count).map(entry => entry.name)
}

/** A name that begins with the other, or ends in it after a slash, is near although many characters differ. */
function nameDistance(a: string, b: string, limit: number): number {
  const [shorter, longer] = a.length < b.length ? [a, b] : [b, a]
  const contained = longer.endsWith(`/${shorter}`) || longer.startsWith(`${shorter}-`)
  if (contained && shorter.length >= CONTAINED_CHARS_MIN) return CONTAINED_DISTANCE
  return editDistance(a, b, limit)
}

/** Insertions, deletions, replacements and swaps of neighbours; gives up above `limit`. */
export function editDistance(a: string, b: string, limit: number = Number.POSITIVE_INFINITY): number {
  if (Math.abs(a.length - b.length) > limit) return Number.POSITIVE_INFINITY
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let row = 1; row <= a.length; row++) {
    const line = [row]
    let least = row
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let best = Math.min(last[column]! + 1, line[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1))
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) best = Math.min(best, before[column - 2]! + 1)
      line.push(best)
      if (best < least) least = best
    }
    if (least > limit) return Number.POSITIVE_INFINITY
    before = last
    last = line
  }
  return last[b.length]!
}

// "Did you mean …?": the names nearest to one that does not exist. Owns the distance and its bounds; refuses to
// guess when nothing is near.

/** Longer names are compared by their first characters only, so that a hostile name costs nothing. */
const COMPARED_CHARS_MAX = 64
/** Of a name's characters, this share may differ; more is not a slip of the fingers. */
const DIFFERENT_SHARE_MAX = 0.4
/** More names than this are not compared; a list that long is not read by a person either. */
const NAMES_MAX = 5_000

/** Up to `count` of `names`, nearest first; empty when none is near. */
export function nearestNames(asked: string, names: Iterable<string>, count: number): string[] {
  const wanted = asked.toLowerCase().slice(0, COMPARED_CHARS_MAX)
  const found: { name: string; distance: number }[] = []
  let seen = 0
  for (const name of names) {
    if (++seen > NAMES_MAX) break
    const distance = nameDistance(wanted, name.toLowerCase().slice(0, COMPARED_CHARS_MAX))
    if (distance <= Math.max(1, wanted.length * DIFFERENT_SHARE_MAX)) found.push({ name, distance })
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
  return found.slice(0, count).map(entry => entry.name)
}

/** A name that contains the other, or ends in it after a slash, is near although many characters differ. */
function nameDistance(a: string, b: string): number {
  const shorter = a.length < b.length ? a : b
  const longer = a.length < b.length ? b : a
  if (shorter.length >= 3 && (longer.endsWith(`/${shorter}`) || longer.startsWith(`${shorter}-`))) return 1
  return editDistance(a, b)
}

/** Insertions, deletions, replacements and swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let row = 1; row <= a.length; row++) {
    const line = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let best = Math.min(last[column]! + 1, line[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1))
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) best = Math.min(best, before[column - 2]! + 1)
      line.push(best)
    }
    before = last
    last = line
  }
  return last[b.length]!
}

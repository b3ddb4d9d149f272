// Takes what the schema refused out of a tree, so that the checks behind the schema still run and one run finds
// everything. The result is never served; findings that could come from what was taken out are dropped.

import type { ConfigIssue } from '../issues.ts'
import { isTree, type Path, type Tree, valueAt } from '../places.ts'

/** What each check behind the schema looks at beyond the entry it reports; see {@link believable}. */
const RESTS_ON: Readonly<Record<string, readonly string[]>> = {
  E21: ['endpoints', 'agents', 'filters'],
  E23: ['listeners'],
  E25: ['agents', 'filters'],
  E30: ['model_providers', 'model_aliases'],
  E40: ['endpoints', 'agents', 'filters'],
  E41: ['endpoints', 'agents', 'filters'],
  E63: ['model_providers', 'model_aliases'],
  E64: ['model_metrics_sources'],
  E66: ['model_metrics_sources'],
  E67: ['routing'],
  E68: ['state_storage'],
  E71: ['listeners'],
  S05: ['admin'],
  S11: ['listeners'],
  S14: ['model_providers', 'model_aliases'],
  S21: ['listeners'],
  S23: ['model_providers', 'model_aliases'],
  S15: ['model_providers', 'model_aliases'],
  W15: ['prompt_targets'],
}

/** One refused value. */
export interface Refused {
  readonly path: Path
  /** Keys that do not exist, below `path`. */
  readonly keys: readonly string[]
}

/** Removes refused values in place and adds the top-level keys they touched to `touched`. */
export function removeRefused(tree: Tree, refused: readonly Refused[], touched: Set<string>): void {
  // From the end of lists, so that the indexes of the rest stay true.
  const ordered = [...refused].sort((a, b) => comparePaths(b.path, a.path))
  for (const { path, keys } of ordered) {
    const holder = valueAt(tree, path)
    if (keys.length > 0 && isTree(holder)) {
      for (const key of keys) delete holder[key]
      continue
    }
    const [top] = path
    if (typeof top !== 'string') continue
    touched.add(top)
    removeAt(tree, path)
  }
  // A file without these two says enough by its other mistakes.
  if (typeof tree['version'] !== 'string') tree['version'] = 'v0.4.0'
  if (!Array.isArray(tree['listeners'])) {
    tree['listeners'] = []
    touched.add('listeners')
  }
}

/** The innermost item of a list around the value goes, else the second key of the path, else the first. */
function removeAt(tree: Tree, path: Path): void {
  const index = path.findLastIndex(key => typeof key === 'number')
  const cut = index > 0 ? path.slice(0, index + 1) : path.slice(0, 2)
  const holder = valueAt(tree, cut.slice(0, -1))
  const key = cut[cut.length - 1]!
  if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else if (isTree(holder)) delete holder[key]
}

function comparePaths(a: Path, b: Path): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const [left, right] = [a[at]!, b[at]!]
    if (left === right) continue
    if (typeof left === 'number' && typeof right === 'number') return left - right
    return String(left) < String(right) ? -1 : 1
  }
  return a.length - b.length
}

/** False for a finding that may only be there because something was taken out. */
export function believable(issue: ConfigIssue, touched: ReadonlySet<string>): boolean {
  return !(RESTS_ON[issue.code] ?? []).some(key => touched.has(key))
}

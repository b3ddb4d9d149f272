// Keys that the reference lets pass although nobody reads them. A file with such a slip runs today, so it runs here:
// the key is taken out with a warning before the schema sees it.

import { nearestNames } from '../../nearest.ts'
import type { Findings } from '../issues.ts'
import { isTree, type Tree } from '../places.ts'
import { overrides } from '../schema/routing.ts'

export function dropTolerated(tree: unknown, findings: Findings): void {
  if (!isTree(tree)) return
  findings.look(tree)
  const block = tree['overrides']
  if (!isTree(block)) return
  const known = Object.keys(overrides.shape)
  for (const key of Object.keys(block)) {
    if (known.includes(key)) continue
    findings.warn({
      code: 'W19',
      path: ['overrides', key],
      at: 'key',
      message: 'this override does not exist and is ignored',
      showFound: false,
      suggestions: nearestNames(key, known, 1),
    })
    delete (block as Tree)[key]
  }
}

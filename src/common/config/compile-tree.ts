// From a migrated tree to a plan, or to everything that is wrong with it: also what stands behind a part that the
// schema refused.

import { believable, type Refused, removeRefused } from './check/repair.ts'
import { type CompileSources, compile } from './compile/index.ts'
import { ConfigErrors, Findings } from './issues.ts'
import { isTree, type Places, type Tree } from './places.ts'
import type { Plan } from './plan.ts'
import { type ConfigDocument, document as documentSchema } from './schema/document.ts'
import { validate } from './validate.ts'

/** Rounds of taking out what the schema refuses; a new mistake may only show when the one around it is gone. */
const REPAIR_ROUNDS_MAX = 5

export interface CompiledTree {
  readonly plan: Plan
  readonly document: ConfigDocument
}

/** Throws {@link ConfigErrors} with everything that is wrong. */
export function compileTree(tree: unknown, places: Places, sources: CompileSources): CompiledTree {
  const { findings } = sources
  const { document, refused } = validate(documentSchema, tree, findings, places)
  if (document !== null) {
    const plan = compile(document, sources)
    if (findings.errors.length > 0) throw new ConfigErrors(findings.errors, findings.warnings)
    return { plan, document }
  }
  if (isTree(tree)) findFurther(tree, refused, places, sources)
  throw new ConfigErrors(findings.errors, findings.warnings)
}

function findFurther(tree: Tree, first: readonly Refused[], places: Places, sources: CompileSources): void {
  const { findings } = sources
  const touched = new Set<string>()
  let refused = first
  for (let round = 0; round < REPAIR_ROUNDS_MAX; round++) {
    removeRefused(tree, refused, touched)
    const further = new Findings(findings.file, places)
    const { document, refused: next } = validate(documentSchema, tree, further, places)
    if (document !== null) {
      compile(document, { ...sources, findings: further })
      findings.take([...further.errors, ...further.warnings].filter(issue => believable(issue, touched)))
      return
    }
    refused = next
  }
}

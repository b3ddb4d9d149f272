// Old files in today's form, in memory only: the file of the person is never rewritten. Each migration is one file,
// works on the tree before the schema sees it, tolerates any shape, and says in a note what it did.

import type { Findings } from '../issues.ts'
import { isTree, type Places } from '../places.ts'
import { migrateListeners } from './listeners.ts'
import { migratePreferences } from './preferences.ts'
import { migrateProviders } from './providers.ts'
import { migrateRenamed } from './renamed.ts'
import { CURRENT_VERSION, isOld } from './version.ts'

export interface Migration {
  readonly findings: Findings
  readonly places: Places
  /** What was changed, for `explain` and `migrate`: `M1 llm_providers became model_providers`. */
  readonly notes: string[]
  /** The version is older than v0.4.0. */
  readonly old: boolean
}

/** Changes the tree in place and returns the notes. */
export function migrate(tree: unknown, findings: Findings, places: Places): string[] {
  if (!isTree(tree)) return []
  findings.look(tree)
  const migration: Migration = { findings, places, notes: [], old: isOld(tree['version']) }
  migrateRenamed(tree, migration)
  migrateProviders(tree, migration)
  migratePreferences(tree, migration)
  migrateListeners(tree, migration)
  if (migration.old) migration.notes.push(`M2 the file counts as ${CURRENT_VERSION}`)
  return migration.notes
}

// Loads a configuration and runs the tests it carries, or throws everything that is wrong with it. Owns a small economy:
// the gateway's code is read into this thread only for a file that has tests.

import { ConfigErrors, type LoadedPlan, type LoadOptions, loadPlan } from './common/config/index.ts'

/** Rejects with {@link ConfigErrors}. */
export async function loadChecked(options: LoadOptions): Promise<LoadedPlan> {
  const loaded = loadPlan(options)
  if (loaded.tests.length === 0) return loaded
  const { runConfigTests } = await import('./gateway/index.ts')
  const issues = runConfigTests(loaded.plan, loaded.tests).flatMap(test => test.issues)
  if (issues.length > 0) throw new ConfigErrors(issues, loaded.notes.warnings)
  return loaded
}

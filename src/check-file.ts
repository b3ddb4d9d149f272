// A configuration, checked as far as it can be without starting anything: read, validated, compiled, and its own tests
// run. For whoever starts with it, changes to it, or only wants to know. Stands at the top because it needs the loader
// and the gateway.

import {
  ConfigErrors,
  type ConfigIssue,
  type LoadedPlan,
  type LoadOptions,
  loadPlan,
} from './common/config/index.ts'
import { type ConfigTestResult, runConfigTests } from './gateway/index.ts'

export interface CheckedFile {
  readonly ok: boolean
  /** Everything that is wrong, failing tests included. */
  readonly issues: readonly ConfigIssue[]
  /** What is doubtful, whether or not something is wrong. */
  readonly warnings: readonly ConfigIssue[]
  readonly tests: readonly ConfigTestResult[]
  /** Null when it could not be read or compiled. */
  readonly loaded: LoadedPlan | null
}

/** Never throws for what is wrong with a file. */
export function checkFile(options: LoadOptions): CheckedFile {
  let loaded: LoadedPlan
  try {
    loaded = loadPlan(options)
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error
    const { issues, warnings } = error
    return { ok: false, issues, warnings, tests: [], loaded: null }
  }
  const tests = runConfigTests(loaded.plan, loaded.tests)
  const issues = tests.flatMap(test => test.issues)
  return { ok: issues.length === 0, issues, warnings: loaded.notes.warnings, tests, loaded }
}

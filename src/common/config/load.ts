// From a file, or from nothing, to a plan: discover, read, replace values, migrate, validate, compile. Everything
// wrong is reported at once; nothing is opened, started or written.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { notActive } from './activity.ts'
import { type ConfigTest, configTests } from './check-tests.ts'
import { dropTolerated } from './check/tolerated.ts'
import { compileTree } from './compile-tree.ts'
import { demoWanted } from './demo.ts'
import { type ConfigSource, discover } from './discover.ts'
import { parseEnvFile } from './env-file.ts'
import { type Explained, explainKey } from './explain.ts'
import { ConfigErrors, type ConfigIssue, Findings } from './issues.ts'
import { migrate } from './migrate/index.ts'
import { type Path, Places } from './places.ts'
import type { Plan } from './plan.ts'
import { readYaml } from './read-yaml.ts'
import { useSubscription } from './subscription.ts'
import { type Env, resolveValues } from './values.ts'
import { zeroConfig } from './zero-config.ts'

export interface LoadOptions {
  /** Configuration file, or null to look for one and then in the environment. */
  readonly file: string | null
  readonly cwd: string
  readonly env: Env
  /** Told of every file that is read, or would be if it were there: whoever watches for changes watches these. */
  readonly onFile?: (absolute: string) => void
}

export interface LoadNotes {
  /** Where the configuration came from: `config.yaml`, `.env`, `environment`. */
  readonly sources: readonly string[]
  /** Environment variables that were used. */
  readonly found: readonly string[]
  /** Environment variables that would have been used. */
  readonly missing: readonly string[]
  readonly warnings: readonly ConfigIssue[]
  /** What was changed to read an old file. */
  readonly migrations: readonly string[]
  /** Keys that are kept in the plan and that nothing obeys yet. */
  readonly notActive: readonly string[]
}

export interface LoadedPlan {
  readonly plan: Plan
  readonly notes: LoadNotes
  /** Absolute path of the file, null without one. */
  readonly file: string | null
  /** What the file promises; whoever knows the gateway checks it. */
  readonly tests: readonly ConfigTest[]
  /** Where the value of a key came from: `server.drain`, `listeners[0].port`. Null when there is no such key. */
  explain(key: string): Explained | null
  /** Start the demo provider and pass its origin to `withDemo`. */
  readonly demoWanted: boolean
}

/** Throws {@link ConfigErrors} with everything that is wrong. */
export function loadPlan(options: LoadOptions): LoadedPlan {
  const source = discover(options.file, options.cwd, options.env)
  return source === null ? loadWithoutFile(options) : loadFile(source, options)
}

function loadFile(source: ConfigSource, { env: processEnv, onFile }: LoadOptions): LoadedPlan {
  const folder = dirname(source.absolute)
  onFile?.(source.absolute)
  const dotenv = readDotenv(folder, onFile)
  const env = { ...dotenv, ...definedOnly(processEnv) }
  const places = new Places()
  const findings = new Findings(source.shown, places)
  const tree = readYaml(source.text, findings, places)
  if (tree === null && findings.errors.length > 0) throw new ConfigErrors(findings.errors, findings.warnings)
  const subscribed = useSubscription(tree, env, file => onFile?.(file))
  const values = resolveValues(tree, { env, folder, onFile }, findings, places)
  const migrations = [...migrate(tree, findings, places), ...subscribed]
  dropTolerated(tree, findings)
  const noteOf = (at: number) => {
    const { line } = places.at(tree, ['model_providers', at])
    return line === null ? source.shown : `${source.shown}:${line}`
  }
  const writtenAt = (path: Path) => places.writtenAt(tree, path)
  const { plan, document } = compileTree(tree, places, {
    findings,
    env,
    folder,
    noteOf,
    writtenAt,
    onFile,
  })
  const used = Object.keys(dotenv ?? {}).some(
    name => values.found.has(name) && processEnv[name] === undefined,
  )
  return {
    plan,
    notes: {
      sources: used ? [source.shown, '.env'] : [source.shown],
      found: [...values.found],
      missing: [...values.missing],
      warnings: findings.warnings,
      migrations,
      notActive: notActive(document),
    },
    file: source.absolute,
    tests: configTests(document.tests, source.shown, tree, places, text => findings.scrub(text)),
    explain: key => explainKey(key, { document, tree, places, file: source.shown, env, plan }),
    demoWanted: demoWanted(plan, true, processEnv),
  }
}

function loadWithoutFile({ cwd, env: processEnv, onFile }: LoadOptions): LoadedPlan {
  const env = { ...readDotenv(cwd, onFile), ...definedOnly(processEnv) }
  const places = new Places()
  const findings = new Findings('environment', places)
  const { tree, found, missing, notes } = zeroConfig(env)
  const noteOf = (at: number) => notes[at] ?? 'environment'
  for (const name of found) findings.hide(env[name]!)
  const { plan, document } = compileTree(tree, places, { findings, env, folder: cwd, noteOf })
  return {
    plan,
    notes: {
      sources: ['environment'],
      found,
      missing,
      warnings: findings.warnings,
      migrations: [],
      notActive: [],
    },
    file: null,
    tests: [],
    explain: key => explainKey(key, { document, tree, places, file: 'environment', env, plan }),
    demoWanted: demoWanted(plan, false, env),
  }
}

function readDotenv(folder: string, onFile: LoadOptions['onFile']): Record<string, string> {
  const file = resolve(folder, '.env')
  onFile?.(file)
  if (!existsSync(file)) return {}
  try {
    return parseEnvFile(readFileSync(file, 'utf8'))
  } catch {
    // A folder called `.env`, or one that may not be read, fills no holes.
    return {}
  }
}

/** The process wins over `.env`, but a variable set to nothing leaves the hole. */
function definedOnly(env: Env): Record<string, string> {
  const defined: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) if (value !== undefined) defined[name] = value
  return defined
}

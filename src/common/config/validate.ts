// Runs the schema over a tree and turns what zod says into findings with a place, what was found, what is allowed and
// the nearest name. Zod sees values only; places and masking are ours.

import type { z } from 'zod'
import { nearestNames } from '../nearest.ts'
import type { Refused } from './check/repair.ts'
import type { Findings } from './issues.ts'
import { CURRENT_VERSION } from './migrate/version.ts'
import { type Path, type Places, valueAt } from './places.ts'
import { VERSIONS } from './schema/document.ts'

type RawIssue = z.core.$ZodRawIssue
type Issue = z.core.$ZodIssue

/** Lists of allowed names in a message end here. */
const ALLOWED_SHOWN_MAX = 32

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
}

export interface Validated<T> {
  /** Null with the reasons in the findings. */
  readonly document: T | null
  readonly refused: readonly Refused[]
}

export function validate<T extends z.ZodType>(
  schema: T,
  tree: unknown,
  findings: Findings,
  places: Places,
): Validated<z.output<T>> {
  findings.look(tree)
  let allowedKeys = new Map<Issue, readonly string[]>()
  const run = () => {
    const keysByText = new Map<string, readonly string[]>()
    const result = schema.safeParse(tree, {
      error: (issue: RawIssue) => {
        if (issue.code === 'unrecognized_keys') keysByText.set(pathKey(issue.path), shapeKeys(issue.inst))
        return undefined
      },
    })
    allowedKeys = new Map(
      (result.error?.issues ?? []).map(issue => [issue, keysByText.get(pathKey(issue.path)) ?? []]),
    )
    return result
  }
  let result = run()
  if (!result.success && coerceReplaced(tree, result.error.issues, places)) result = run()
  if (result.success) return { document: result.data, refused: [] }
  for (const issue of result.error.issues) report(issue, allowedKeys.get(issue) ?? [], findings, tree)
  const refused = result.error.issues.map(issue => ({
    path: issue.path as Path,
    keys: issue.code === 'unrecognized_keys' ? issue.keys : [],
  }))
  return { document: null, refused }
}

function pathKey(path: readonly PropertyKey[] | undefined): string {
  return JSON.stringify((path ?? []).map(String))
}

function shapeKeys(schema: unknown): readonly string[] {
  const shape = (schema as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape
  return shape === undefined ? [] : Object.keys(shape)
}

/** A number or boolean that came from a variable arrives as text; the file could not write it otherwise. */
function coerceReplaced(tree: unknown, issues: readonly Issue[], places: Places): boolean {
  let changed = false
  for (const issue of issues) {
    const path = issue.path as Path
    if (issue.code !== 'invalid_type' || places.writtenAt(tree, path) === undefined) continue
    const text = valueAt(tree, path)
    const value = typeof text === 'string' ? typedValue(text.trim(), issue.expected) : null
    if (value === null) continue
    const holder = valueAt(tree, path.slice(0, -1)) as Record<PropertyKey, unknown>
    holder[path[path.length - 1]!] = value
    changed = true
  }
  return changed
}

function typedValue(text: string, expected: string): number | boolean | null {
  if (expected === 'boolean') return text === 'true' ? true : text === 'false' ? false : null
  if (expected !== 'number' && expected !== 'int') return null
  return /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : null
}

function report(issue: Issue, allowedKeys: readonly string[], findings: Findings, tree: unknown): void {
  const path = issue.path as Path
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys) {
        findings.error({
          code: codeOf(path),
          path: [...path, key],
          at: 'key',
          message: 'this key does not exist here',
          showFound: false,
          allowed: some(allowedKeys),
          suggestions: nearestNames(key, allowedKeys, 1),
        })
      }
      return
    case 'invalid_type':
      if (valueAt(tree, path) === undefined) {
        const parent = path.slice(0, -1)
        const message = `the key \`${String(path[path.length - 1] ?? '')}\` is required (${kind(issue.expected)})`
        findings.error({ code: codeOf(path), path: parent, message, showFound: false })
        return
      }
      findings.error({ code: codeOf(path), path, message: `must be ${kind(issue.expected)}` })
      return
    case 'invalid_value': {
      const values = issue.values.map(String)
      if (valueAt(tree, path) === undefined) {
        const message = `the key \`${String(path[path.length - 1] ?? '')}\` is required`
        findings.error({
          code: codeOf(path),
          path: path.slice(0, -1),
          message,
          showFound: false,
          allowed: some(values),
        })
        return
      }
      const found = valueAt(tree, path)
      const suggestions = nearestValues(found, path, values)
      const message = 'this value does not exist here'
      findings.error({ code: codeOf(path), path, message, allowed: some(values), suggestions })
      return
    }
    default:
      findings.error({ code: codeOf(path), path, message: sentence(issue) })
  }
}

function nearestValues(found: unknown, path: Path, values: readonly string[]): string[] {
  if (typeof found === 'object') return []
  return path[0] === 'version' ? [nearestVersion(found)] : nearestNames(String(found), values, 1)
}

/** The version meant by a number, or by one with or without its `v`; else today's. */
function nearestVersion(found: unknown): string {
  const bare = String(found).replace(/^v/i, '')
  return VERSIONS.find(version => version.replace(/^v/, '') === bare) ?? CURRENT_VERSION
}

/** Mistakes that the reference found only after start have codes of their own. */
function codeOf(path: Path): string {
  const [top] = path
  const last = path[path.length - 1]
  if (top === 'listeners' && last === 'port') return 'E60'
  if (top === 'ratelimits' && (last === 'unit' || last === 'tokens')) return 'E69'
  return 'E01'
}

function sentence(issue: Issue): string {
  switch (issue.code) {
    case 'too_small':
      return issue.origin === 'array'
        ? `needs at least ${issue.minimum} ${issue.minimum === 1 ? 'item' : 'items'}`
        : issue.origin === 'string'
          ? 'must not be empty'
          : `must be at least ${issue.minimum}`
    case 'too_big':
      return issue.origin === 'array'
        ? `may have at most ${issue.maximum} items`
        : issue.origin === 'string'
          ? `may have at most ${issue.maximum} characters`
          : `must be at most ${issue.maximum}`
    case 'invalid_union':
      return 'discriminator' in issue ? 'the key `type` must be `cost` or `latency`' : issue.message
    case 'invalid_key':
      return 'this key is not allowed'
    case 'custom':
      return issue.message
    default:
      return 'this value is not allowed'
  }
}

function kind(expected: string): string {
  return KINDS[expected] ?? expected
}

function some(names: readonly string[]): string | null {
  if (names.length === 0) return null
  const shown = names.slice(0, ALLOWED_SHOWN_MAX).join(', ')
  return names.length > ALLOWED_SHOWN_MAX ? `${shown}, …` : shown
}

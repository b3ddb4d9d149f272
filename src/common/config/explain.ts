// Where a value of the configuration came from: the file and its line, a variable, a migration, or a default.

import { isTree, type Path, type Places, pathText, valueAt } from './places.ts'
import type { Plan } from './plan.ts'
import type { ConfigDocument } from './schema/document.ts'
import { mapSecrets, MASK, maskForms } from './secret.ts'
import { type Env, isSecretPath } from './values.ts'

export interface Explained {
  /** As in messages: `listeners[0].port`. */
  readonly path: string
  /** Secrets are masked. Undefined: nobody wrote the key and it has no default. */
  readonly value: unknown
  readonly from: 'file' | 'environment' | 'migration' | 'default'
  /** `config.yaml:3:5`, or the name of a variable; null for defaults and migrations. */
  readonly place: string | null
  /** What stands in the file where a variable was replaced; null otherwise. */
  readonly written: string | null
}

export interface ExplainSources {
  readonly document: ConfigDocument
  /** The migrated tree; null without a file. */
  readonly tree: unknown
  readonly places: Places
  readonly file: string
  readonly env: Env
  readonly plan: Plan
}

/** Values that a variable of the process gives in place of the file. */
const FROM_ENVIRONMENT: Readonly<Record<string, readonly [string, (plan: Plan) => unknown]>> = {
  'server.shards': ['SLUICE_SHARDS', plan => plan.server.shards],
  'admin.address': ['METRICS_BIND_ADDRESS', plan => plan.admin.address],
  'admin.port': ['METRICS_BIND_ADDRESS', plan => plan.admin.port],
  'admin.token': ['SLUICE_ADMIN_TOKEN', plan => (plan.admin.token === null ? undefined : MASK)],
}

/** Null when the text is not a path, or leads nowhere in this file. */
export function explainKey(text: string, sources: ExplainSources): Explained | null {
  const path = parsePath(text)
  if (path === null) return null
  const holder = valueAt(sources.document, path.slice(0, -1))
  if (typeof holder !== 'object' || holder === null) return null
  const shown = pathText(path)
  const written = sources.places.writtenAt(sources.tree, path) ?? null
  const inFile = has(valueAt(sources.tree, path.slice(0, -1)), path[path.length - 1]!)
  const [variable, read] = FROM_ENVIRONMENT[shown] ?? [null, null]
  // The number of threads belongs to the machine, so there the variable wins; elsewhere the file does.
  const overridden = variable !== null && (sources.env[variable] ?? '') !== ''
  if (overridden && (!inFile || shown === 'server.shards')) {
    return { path: shown, value: read(sources.plan), from: 'environment', place: variable, written: null }
  }
  const value = shownValue(
    mapSecrets(valueAt(sources.document, path), () => MASK),
    path,
  )
  const known = value !== undefined || inFile
  if (!known && !isTree(holder)) return null
  if (!inFile) return { path: shown, value, from: 'default', place: null, written: null }
  const place = sources.places.at(sources.tree, path)
  if (place.line === null || !sources.places.knows(sources.tree, path)) {
    return { path: shown, value, from: 'migration', place: null, written: null }
  }
  return {
    path: place.path,
    value,
    from: 'file',
    place: `${sources.file}:${place.line}:${place.column}`,
    written,
  }
}

/** Also what no class marks as a secret: header fields, passwords in addresses. */
function shownValue(value: unknown, path: Path): unknown {
  if (typeof value === 'string') return isSecretPath(path) ? MASK : maskForms(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item, at) => shownValue(item, [...path, at]))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, shownValue(item, [...path, key])]),
  )
}

function has(holder: unknown, key: string | number): boolean {
  return typeof holder === 'object' && holder !== null && Object.hasOwn(holder, key)
}

/** `a.b[2]["odd key"]` to its keys. */
export function parsePath(text: string): Path | null {
  const path: (string | number)[] = []
  const piece = /\.?([A-Za-z_][\w-]*)|\[(\d{1,6})\]|\["([^"]*)"\]/y
  while (piece.lastIndex < text.length) {
    const found = piece.exec(text)
    if (found === null) return null
    path.push(found[2] === undefined ? (found[1] ?? found[3]!) : Number(found[2]))
  }
  return path.length === 0 ? null : path
}

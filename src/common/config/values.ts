// Values from outside the file: `$NAME`, `${NAME}`, `${NAME:-default}`, `$$` in text, and `file:PATH` where a secret
// is expected. Replaced after parsing and in text values only, so a value can never change the shape of the file.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Findings } from './issues.ts'
import { type Path, type Places, pathText, type Tree } from './places.ts'
import { nearestNames } from '../nearest.ts'
import { SECRET_HEADER, SECRET_KEYS } from './secret.ts'
import { SUBSCRIPTION_VARIABLE } from './subscription.ts'

export type Env = Readonly<Record<string, string | undefined>>

export interface ValueSource {
  readonly env: Env
  /** Relative paths in `file:` start here. */
  readonly folder: string
  /** Told of every file that is read, or would be if it were there. */
  readonly onFile?: ((absolute: string) => void) | undefined
}

/** What was asked for outside the file. */
export interface ValueNotes {
  readonly found: Set<string>
  readonly missing: Set<string>
}

/** A key or a connection string; a certificate chain would still fit. */
const SECRET_FILE_BYTES_MAX = 64 * 1024

const HEADER_MAPS = new Set(['headers', 'http_headers'])
const SECRET_ENV = /KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL/
/** Text for people and models: a `$` there is more often money than a variable. */
const PROSE_KEYS = new Set(['description', 'system_prompt', 'content', 'message'])

const REFERENCE = /\$(?:\$|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::-((?:[^{}]|\{[^{}]*\})*))?\})/g

/** Is the value at this path a secret? Decided by names alone, so that it also holds in a file full of errors. */
export function isSecretPath(path: Path): boolean {
  const last = path.findLast(key => typeof key === 'string')
  if (typeof last !== 'string') return false
  if (SECRET_KEYS.has(last)) return true
  if (last === 'key') return path.includes('access_keys')
  const map = path[path.length - 2]
  if (typeof map === 'string' && HEADER_MAPS.has(map)) return SECRET_HEADER.test(last)
  return last === 'url' && (path.includes('session_cache') || path.includes('store'))
}

/** Replaces references in place, notes what was written, and tells the findings which texts to hide. */
export function resolveValues(
  tree: unknown,
  source: ValueSource,
  findings: Findings,
  places: Places,
): ValueNotes {
  const notes: ValueNotes = { found: new Set(), missing: new Set() }
  findings.look(tree)
  walk(tree, [], (holder, key, path) => {
    const text = (holder as Tree)[key] as string
    const secret = isSecretPath(path)
    if (secret && text.startsWith('file:')) {
      places.noteWritten(holder, key, text)
      ;(holder as Tree)[key] = readSecret(text.slice('file:'.length), path, source, findings)
    } else if (text.includes('$')) {
      const value = replace(text, path, source.env, notes, findings)
      if (value !== text) places.noteWritten(holder, key, text)
      ;(holder as Tree)[key] = value
    }
    const value = (holder as Tree)[key]
    if (secret && typeof value === 'string') findings.hide(value)
  })
  return notes
}

function walk(
  value: unknown,
  path: Path,
  visit: (holder: object, key: string | number, path: Path) => void,
): void {
  if (typeof value !== 'object' || value === null) return
  const keys: (string | number)[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value)
  for (const key of keys) {
    const item = (value as Tree)[key]
    if (typeof item === 'string') visit(value, key, [...path, key])
    else walk(item, [...path, key], visit)
  }
}

function replace(text: string, path: Path, env: Env, notes: ValueNotes, findings: Findings): string {
  return text.replace(REFERENCE, (written, plain?: string, braced?: string, fallback?: string) => {
    if (written === '$$') return '$'
    const name = plain ?? braced!
    const value = env[name]
    if (value !== undefined && (value !== '' || fallback === undefined)) {
      notes.found.add(name)
      if (SECRET_ENV.test(name)) findings.hide(value)
      return value
    }
    if (fallback !== undefined) return fallback
    const key = path[path.length - 1]
    if (typeof key === 'string' && PROSE_KEYS.has(key)) {
      const message = `the variable ${name} is not set, so the text keeps \`${written}\`; write \`$$\` for a dollar sign`
      findings.warn({ code: 'W02', path, message, showFound: false })
      return written
    }
    notes.missing.add(name)
    const login = name === SUBSCRIPTION_VARIABLE ? ', log in with `sluice chatgpt login`' : ''
    const message = `the environment variable ${name} is not set; export it, put it into .env${login}, or write \`\${${name}:-default}\``
    const suggestions = nearestNames(name, Object.keys(env), 1).filter(near => near !== name)
    findings.error({ code: 'E80', path, message, showFound: false, suggestions })
    return written
  })
}

function readSecret(path: string, at: Path, source: ValueSource, findings: Findings): string {
  const file = resolve(source.folder, path)
  source.onFile?.(file)
  try {
    const bytes = readFileSync(file)
    if (bytes.length > SECRET_FILE_BYTES_MAX) {
      const message = `the secret file ${path} is larger than ${SECRET_FILE_BYTES_MAX} bytes`
      findings.error({ code: 'S02', path: at, message, showFound: false })
      return ''
    }
    return bytes.toString('utf8').replace(/\r?\n$/, '')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable'
    const message = `the secret of ${pathText(at)} cannot be read from ${path} (${reason})`
    findings.error({ code: 'S02', path: at, message, showFound: false })
    return ''
  }
}

// Which file is meant. A file that was named and does not exist is an error with the names nearby; only where
// nothing was named may the environment stand in.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { nearestNames } from '../nearest.ts'
import { ConfigErrors } from './issues.ts'
import type { Env } from './values.ts'

export const DEFAULT_FILES = ['config.yaml', 'plano_config.yaml'] as const

export interface ConfigSource {
  /** As shown in messages: relative to the folder where that is shorter. */
  readonly shown: string
  readonly absolute: string
  readonly text: string
}

/** The file that was named, else the usual one, else null for zero-config. */
export function discover(file: string | null, cwd: string, env: Env): ConfigSource | null {
  // Containers of the reference name their file in this variable.
  const named = file ?? (env['PLANO_CONFIG_FILE'] || null)
  if (named !== null) return readSource(named, cwd)
  const usual = DEFAULT_FILES.find(name => existsSync(resolve(cwd, name)))
  return usual === undefined ? null : readSource(usual, cwd)
}

function readSource(file: string, cwd: string): ConfigSource {
  const absolute = resolve(cwd, file)
  try {
    if (statSync(absolute).isDirectory()) {
      const inside = DEFAULT_FILES.find(name => existsSync(resolve(absolute, name)))
      if (inside !== undefined) return readSource(`${file.replace(/\/$/, '')}/${inside}`, cwd)
    }
    return { shown: file, absolute, text: readFileSync(absolute, 'utf8') }
  } catch (error) {
    throw new ConfigErrors([unreadable(file, absolute, (error as NodeJS.ErrnoException).code)], [])
  }
}

function unreadable(file: string, absolute: string, code: string | undefined) {
  const near = code === 'ENOENT' ? namesNear(absolute) : []
  const guess = near.length === 0 ? '' : `; did you mean ${near.map(name => `\`${name}\``).join(' or ')}?`
  const what =
    code === 'ENOENT' ? 'this file does not exist' : `this file cannot be read (${code ?? 'unknown'})`
  return {
    code: 'S06',
    severity: 'error',
    file,
    line: null,
    column: null,
    path: '(file)',
    message: what + guess,
  } as const
}

/** YAML files of the folder, the nearest names first. */
function namesNear(absolute: string): string[] {
  try {
    const names = readdirSync(dirname(absolute)).filter(name => /\.ya?ml$/.test(name))
    const near = nearestNames(basename(absolute), names, 3)
    return near.length > 0 ? near : names.sort().slice(0, 3)
  } catch {
    return []
  }
}

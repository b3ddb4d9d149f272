// Which file a person means, without judging its content: a gateway must be found, stopped and looked at even when its
// file has become wrong in the meantime.

import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DEFAULT_FILES } from '../common/config/index.ts'
import { Failure } from './exit.ts'
import { type FoundInstance, instanceFolder, runHome, runningInstances } from './instance.ts'
import type { Shell } from './terminal.ts'

export interface MeantFile {
  /** Null: the environment. */
  readonly absolute: string | null
  readonly cwd: string
}

/** The same choice as loading makes. */
export function fileOf(shell: Shell, file: string | undefined, path: string | undefined): MeantFile {
  const cwd = resolve(shell.cwd, path ?? '.')
  const named = file ?? (shell.env['PLANO_CONFIG_FILE'] || undefined)
  if (named === undefined) return { absolute: usualIn(cwd), cwd }
  const absolute = resolve(cwd, named)
  const folder = statSync(absolute, { throwIfNoEntry: false })?.isDirectory() === true
  return { absolute: (folder ? usualIn(absolute) : null) ?? absolute, cwd }
}

function usualIn(folder: string): string | null {
  const name = DEFAULT_FILES.find(one => existsSync(join(folder, one)))
  return name === undefined ? null : join(folder, name)
}

/** The running gateway that is meant: that of the file, else the only one; null when there is none. */
export function runningGateway(
  shell: Shell,
  file: string | undefined,
  path: string | undefined,
): FoundInstance | null {
  const runs = runHome(shell.env, shell.cwd)
  const running = runningInstances(runs)
  const { absolute, cwd } = fileOf(shell, file, path)
  const own = running.find(({ folder }) => folder === instanceFolder(runs, absolute, cwd))
  if (own !== undefined || file !== undefined) return own ?? null
  if (running.length <= 1) return running[0] ?? null
  const names = running.map(({ instance }) => `  ${instance.file ?? `the environment, in ${instance.cwd}`}`)
  throw new Failure(`several gateways run; name the file of one:\n${names.join('\n')}`)
}

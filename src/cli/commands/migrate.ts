// `sluice migrate FILE`: an old file in today's form. Shows what would change; writes only when asked to, in one step.

import { chmodSync, readFileSync, realpathSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import { ConfigErrors, migrateText } from '../../common/config/index.ts'
import { diffLines } from '../diff.ts'
import { Failure } from '../exit.ts'
import { writeWhole } from '../instance.ts'
import { loadTarget, targetOf } from '../loading.ts'
import { fileOf } from '../meant.ts'
import { maskedFileText } from '../secrets.ts'
import type { Shell } from '../terminal.ts'

interface MigrateOptions {
  readonly path?: string
  readonly write?: boolean
  readonly json?: boolean
}

export function addMigrate(program: Command, shell: Shell): void {
  program
    .command('migrate')
    .argument('[file]', 'configuration file; without one: config.yaml or plano_config.yaml')
    .description("show what an old file is in today's form; comments are kept")
    .option('--write', 'write the file after showing what changes')
    .option('--json', 'print one object for scripts')
    .option('--path <dir>', 'folder in which the file is looked for')
    .addHelpText(
      'after',
      '\nExample:\n  $ sluice migrate config.yaml\n  $ sluice migrate config.yaml --write',
    )
    .action((file: string | undefined, options: MigrateOptions) => migrate(shell, file, options))
}

function migrate(shell: Shell, file: string | undefined, options: MigrateOptions): void {
  const { terminal } = shell
  const { absolute } = fileOf(shell, file, options.path)
  if (absolute === null)
    throw new Failure('there is no config.yaml or plano_config.yaml here\nName the file.')
  const before = textOf(shell, absolute, file, options)
  const found = migrateText(before)
  if (found === null) {
    // Loading says what is wrong and where.
    loadTarget(targetOf(shell, file, options))
    throw new Failure(`${file ?? absolute} cannot be written in another form`)
  }
  const shown = file ?? absolute
  const write = options.write === true && found.changes.length > 0
  if (options.json === true) {
    terminal.json({
      file: absolute,
      changes: found.changes,
      diff: diffLines(before, found.text).map(maskedFileText),
      written: write,
    })
  } else if (found.changes.length === 0) {
    terminal.line(`${shown} is in today's form already`)
  } else {
    terminal.line(terminal.paint('bold', `--- ${shown}`))
    terminal.line(terminal.paint('bold', `+++ ${shown} in today's form`))
    for (const line of diffLines(before, found.text)) terminal.line(painted(shell, maskedFileText(line)))
    for (const change of found.changes) terminal.line(`${terminal.paint('dim', 'changed')} ${change}`)
  }
  if (write) {
    // A link stays a link, and a file its owner's.
    const real = realpathSync(absolute)
    const { mode } = statSync(real)
    writeWhole(real, found.text)
    chmodSync(real, mode)
    if (options.json !== true) terminal.line(`${terminal.paint('green', '✓')} ${shown} is written`)
  } else if (found.changes.length > 0 && options.json !== true) {
    terminal.note('nothing is written; --write does it')
  }
}

function textOf(shell: Shell, absolute: string, file: string | undefined, options: MigrateOptions): string {
  try {
    return readFileSync(absolute, 'utf8')
  } catch (error) {
    try {
      loadTarget(targetOf(shell, file, options))
    } catch (told) {
      if (told instanceof ConfigErrors) throw told
    }
    throw new Failure(`${absolute} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`)
  }
}

function painted({ terminal }: Shell, line: string): string {
  if (line.startsWith('+')) return terminal.paint('green', line)
  if (line.startsWith('-')) return terminal.paint('red', line)
  return line.startsWith('@@') ? terminal.paint('cyan', line) : line
}

// `sluice check FILE`: everything that can be known of a file without opening a socket.

import type { Command } from 'commander'
import { type CheckedFile, checkFile } from '../../check-file.ts'
import { issueText } from '../../common/config/index.ts'
import { EXIT } from '../exit.ts'
import { findingOf, HASH_CHARS, NO_PLAN, summaryOf, targetOf } from '../loading.ts'
import type { Shell } from '../terminal.ts'

interface CheckOptions {
  readonly path?: string
  readonly strict?: boolean
  readonly json?: boolean
}

export function addCheck(program: Command, shell: Shell): void {
  program
    .command('check')
    .alias('validate')
    .argument('[file]', 'configuration file; without one: config.yaml, plano_config.yaml, or the environment')
    .description('say everything that is wrong with a configuration and run its tests, without starting it')
    .option('--strict', 'warnings count as errors')
    .option('--json', 'print one object for scripts')
    .option('--path <dir>', 'folder in which the file is looked for')
    .addHelpText(
      'after',
      '\nExit codes: 0 the file can be served, 1 it cannot (or, with --strict, has warnings).\n' +
        '\nExample:\n  $ sluice check config.yaml --strict',
    )
    .action((file: string | undefined, options: CheckOptions) => check(shell, file, options))
}

async function check(shell: Shell, file: string | undefined, options: CheckOptions): Promise<void> {
  const { terminal } = shell
  const found = checkFile(targetOf(shell, file, options))
  const ok = found.ok && (options.strict !== true || found.warnings.length === 0)
  process.exitCode = ok ? EXIT.ok : EXIT.failed
  if (options.json === true) terminal.json(documentOf(found, ok))
  else show(shell, found, ok)
}

function documentOf({ issues, warnings, tests, loaded }: CheckedFile, ok: boolean): Record<string, unknown> {
  return {
    ok,
    hash: loaded?.plan.hash ?? null,
    errors: issues.map(findingOf),
    warnings: warnings.map(findingOf),
    ...(loaded === null ? NO_PLAN : summaryOf(loaded.plan)),
    migrations: loaded?.notes.migrations ?? [],
    not_active: loaded?.notes.notActive ?? [],
    tests: tests.map(one => ({ name: one.name, ok: one.ok, not_active: one.notActive })),
  }
}

function show({ terminal }: Shell, { issues, warnings, tests, loaded }: CheckedFile, ok: boolean): void {
  for (const issue of issues) terminal.line(`${terminal.paint('red', 'error')} ${issueText(issue)}`)
  for (const issue of warnings) terminal.line(`${terminal.paint('yellow', 'warning')} ${issueText(issue)}`)
  if (issues.length > 0 || loaded === null) {
    const doubtful = warnings.length === 0 ? '' : `, ${counted(warnings.length, 'warning')}`
    terminal.line(counted(issues.length, 'error') + doubtful)
    return
  }
  const { sources, migrations, notActive } = loaded.notes
  for (const change of migrations) terminal.line(`${terminal.paint('dim', 'changed')} ${change}`)
  if (notActive.length > 0)
    terminal.line(`${terminal.paint('dim', 'not active yet')} ${notActive.join(', ')}`)
  for (const test of tests) {
    if (test.notActive.length === 0) continue
    terminal.line(`${terminal.paint('dim', 'not judged yet')} ${test.name}: ${test.notActive.join(', ')}`)
  }
  const facts = [`plan ${loaded.plan.hash.slice(0, HASH_CHARS)}`]
  if (tests.length > 0) facts.push(`${counted(tests.length, 'test')} passed`)
  if (warnings.length > 0) facts.push(counted(warnings.length, 'warning'))
  const source = sources.join(' and ')
  if (!ok) terminal.line(`${source} has warnings, and --strict refuses them (${facts.join('; ')})`)
  else terminal.line(`${terminal.paint('green', '✓')} ${source} can be served (${facts.join('; ')})`)
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

// `sluice check FILE`: everything that can be known of a file without opening a socket.

import type { Command } from 'commander'
import { ConfigErrors, issueText } from '../../common/config/index.ts'
import { EXIT } from '../exit.ts'
import {
  type Finding,
  findingOf,
  HASH_CHARS,
  loadTarget,
  NO_PLAN,
  summaryOf,
  targetOf,
  warningOf,
} from '../loading.ts'
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
    .description('say everything that is wrong with a configuration, without starting it')
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

function check(shell: Shell, file: string | undefined, options: CheckOptions): void {
  const { terminal } = shell
  const target = targetOf(shell, file, options)
  const strict = options.strict === true
  let loaded: ReturnType<typeof loadTarget>
  try {
    loaded = loadTarget(target)
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error
    process.exitCode = EXIT.failed
    if (options.json === true) {
      const errors: Finding[] = error.issues.map(findingOf)
      terminal.json({ ok: false, hash: null, errors, warnings: [], ...NO_PLAN })
      return
    }
    for (const issue of error.issues) terminal.line(`${terminal.paint('red', 'error')} ${issueText(issue)}`)
    terminal.line(counted(error.issues.length, 'error'))
    return
  }
  const { plan, notes } = loaded
  const ok = !strict || notes.warnings.length === 0
  process.exitCode = ok ? EXIT.ok : EXIT.failed
  if (options.json === true) {
    terminal.json({
      ok,
      hash: plan.hash,
      errors: [],
      warnings: notes.warnings.map(warningOf),
      ...summaryOf(plan),
      migrations: notes.migrations,
      not_active: notes.notActive,
    })
    return
  }
  for (const warning of notes.warnings) terminal.line(`${terminal.paint('yellow', 'warning')} ${warning}`)
  for (const change of notes.migrations) terminal.line(`${terminal.paint('dim', 'changed')} ${change}`)
  if (notes.notActive.length > 0)
    terminal.line(`${terminal.paint('dim', 'not active yet')} ${notes.notActive.join(', ')}`)
  const sources = notes.sources.join(' and ')
  const warned = notes.warnings.length === 0 ? '' : `; ${counted(notes.warnings.length, 'warning')}`
  if (!ok) terminal.line(`${sources} has warnings, and --strict refuses them${warned}`)
  else
    terminal.line(
      `${terminal.paint('green', '✓')} ${sources} can be served (plan ${plan.hash.slice(0, HASH_CHARS)}${warned})`,
    )
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

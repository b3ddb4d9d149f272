// `sluice down [FILE]`: drains and ends a detached gateway. Nothing running is no failure, as in the reference.

import { type Command, Option } from 'commander'
import { EXIT, Failure } from '../exit.ts'
import { type FoundInstance, instanceFolder, runHome, runningInstances } from '../instance.ts'
import { endInstance } from '../launch.ts'
import { fileOf } from '../meant.ts'
import type { Shell } from '../terminal.ts'
import { seconds } from './up.ts'

interface DownOptions {
  readonly path?: string
  readonly all?: boolean
  readonly timeout?: number
  readonly json?: boolean
}

const SECOND_MS = 1_000

export function addDown(program: Command, shell: Shell): void {
  program
    .command('down')
    .argument(
      '[file]',
      'the configuration it was started with; without one: that of this folder, or the only one',
    )
    .description('drain and stop a gateway that `up` started')
    .option('--path <dir>', 'folder in which it was started')
    .option('--all', 'stop every gateway of this user')
    .option('--timeout <seconds>', 'how long running replies may take (default: server.drain)', seconds)
    .option('--json', 'print one object for scripts')
    .addOption(new Option('--docker', 'of the reference').hideHelp())
    .addOption(new Option('-v, --verbose', 'of the reference').hideHelp())
    .addHelpText(
      'after',
      '\nExit codes: 0 stopped or nothing to stop, 1 several run and none was named, 3 stopped, but exchanges were cut.\n' +
        '\nExample:\n  $ sluice down config.yaml',
    )
    .action((file: string | undefined, options: DownOptions) => down(shell, file, options))
}

async function down(shell: Shell, file: string | undefined, options: DownOptions): Promise<void> {
  const { terminal } = shell
  const found = chosen(shell, file, options)
  const stopped: { pid: number; source: string; how: string }[] = []
  for (const one of found) {
    const { pid, source } = one.instance
    const waitMs = options.timeout === undefined ? null : options.timeout * SECOND_MS
    const { how } = await terminal.waiting(`draining the gateway of ${source}`, endInstance(one, waitMs))
    stopped.push({ pid, source, how })
    if (options.json !== true) {
      const note =
        how === 'ended' ? 'nothing was cut' : how === 'cut' ? 'exchanges were cut' : 'it had to be killed'
      terminal.line(`${terminal.paint('green', '✓')} gateway of ${source} stopped (pid ${pid}); ${note}`)
    }
  }
  if (options.json === true) terminal.json({ stopped })
  else if (stopped.length === 0) terminal.line(terminal.paint('dim', 'no gateway was running'))
  process.exitCode = stopped.some(({ how }) => how !== 'ended') ? EXIT.cut : EXIT.ok
}

function chosen(shell: Shell, file: string | undefined, options: DownOptions): FoundInstance[] {
  const runs = runHome(shell.env, shell.cwd)
  const running = runningInstances(runs)
  if (options.all === true || running.length === 0) return running
  const { absolute, cwd } = fileOf(shell, file, options.path)
  const own = running.filter(({ folder }) => folder === instanceFolder(runs, absolute, cwd))
  if (own.length > 0 || file !== undefined) return own
  if (running.length === 1) return running
  const names = running.map(({ instance }) => `  ${instance.file ?? `the environment, in ${instance.cwd}`}`)
  throw new Failure(
    `several gateways run, and none is of this folder; name one, or use --all:\n${names.join('\n')}`,
  )
}

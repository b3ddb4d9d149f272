// `sluice serve [FILE]`: serves in the foreground until a signal.

import { type Command, Option } from 'commander'
import type { Shell } from '../terminal.ts'

export function addServe(program: Command, shell: Shell): void {
  program
    .command('serve')
    .argument('[file]', 'configuration file; without one: config.yaml, plano_config.yaml, or the environment')
    .description('serve in the foreground; SIGTERM or SIGINT drains and stops')
    .addOption(new Option('--run-folder <dir>', 'used by `up`').hideHelp())
    .addHelpText(
      'after',
      '\nExit codes: 0 ended, 1 the configuration is wrong, 2 could not start, 3 exchanges were cut, 4 a bug.\n' +
        '\nExample:\n  $ OPENAI_API_KEY=sk-… sluice serve config.yaml',
    )
    .action(async (file: string | undefined, { runFolder }: { runFolder?: string }) => {
      const options = { file: file ?? null, cwd: shell.cwd, env: shell.env }
      if (runFolder === undefined) {
        const { serve } = await import('../../serve.ts')
        process.exitCode = await serve(options)
      } else {
        const { serveDetached } = await import('../detached.ts')
        process.exitCode = await serveDetached(runFolder, options)
      }
    })
}

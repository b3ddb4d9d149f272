// `sluice serve [FILE]`: serves in the foreground until a signal.

import type { Command } from 'commander'
import { serve } from '../../serve.ts'

export function addServe(program: Command): void {
  program
    .command('serve')
    .argument('[file]', 'configuration file; without one: config.yaml, plano_config.yaml, or the environment')
    .description('serve in the foreground; SIGTERM or SIGINT drains and stops')
    .addHelpText('after', '\nExample:\n  $ OPENAI_API_KEY=sk-… sluice serve config.yaml')
    .action(async (file: string | undefined) => {
      process.exitCode = await serve({ file: file ?? null, cwd: process.cwd(), env: process.env })
    })
}

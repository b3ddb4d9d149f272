// `sluice schema`: the JSON Schema that editors read.

import type { Command } from 'commander'
import { configJsonSchema } from '../../common/config/index.ts'
import type { Shell } from '../terminal.ts'

export function addSchema(program: Command, shell: Shell): void {
  program
    .command('schema')
    .description('print the JSON Schema of configuration files')
    .addHelpText(
      'after',
      '\nExample:\n  $ sluice schema > gateway.schema.json\n' +
        '  and in the file: # yaml-language-server: $schema=gateway.schema.json',
    )
    .action(() => shell.terminal.json(configJsonSchema()))
}

// Commands of the reference that are not here: `trace` and `obs` come later, `build` has nothing to build. A script
// that calls them learns it from the exit code.

import type { Command } from 'commander'
import { EXIT, Failure } from '../exit.ts'
import type { Shell } from '../terminal.ts'

const LATER = [
  [
    'trace',
    'show traces',
    'Until then: /metrics of the admin listener, and the x-request-id of every reply.',
  ],
  ['obs', 'watch requests as they come', 'Until then: /metrics of the admin listener, and sluice status.'],
] as const

export function addLater(program: Command, shell: Shell): void {
  for (const [name, what, instead] of LATER) {
    program
      .command(name)
      .description(`${what} (not built in yet)`)
      .argument('[words...]')
      .allowUnknownOption()
      .helpOption('-h, --help', 'display help for command')
      .addHelpText('after', '\nExample:\n  $ sluice logs -f')
      .action(() => {
        throw new Failure(
          `sluice ${name} is not built in yet; it comes with a later version\n${instead}`,
          EXIT.usage,
        )
      })
  }
  program
    .command('build', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(() => shell.terminal.line('nothing to build: the gateway is one program'))
}

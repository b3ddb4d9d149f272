// The commands, in the order of the help, and which file each is in. The trick: only the file of the command that was
// asked for is read, because most of what the others need is large.

import type { Command } from 'commander'
import { VERSION } from '../../common/version.ts'
import type { Shell } from '../terminal.ts'

type Add = (program: Command, shell: Shell) => void

interface CommandFile {
  /** Names and aliases of the commands in it. */
  readonly names: readonly string[]
  readonly load: () => Promise<Add>
}

const FILES: readonly CommandFile[] = [
  { names: ['serve'], load: async () => (await import('./serve.ts')).addServe },
  { names: ['up', 'restart'], load: async () => (await import('./up.ts')).addUp },
  { names: ['down'], load: async () => (await import('./down.ts')).addDown },
  { names: ['status'], load: async () => (await import('./status.ts')).addStatus },
  { names: ['logs'], load: async () => (await import('./logs.ts')).addLogs },
  { names: ['reload', 'rollback'], load: async () => (await import('./reload.ts')).addReload },
  { names: ['check', 'validate'], load: async () => (await import('./check.ts')).addCheck },
  { names: ['explain'], load: async () => (await import('./explain.ts')).addExplain },
  { names: ['migrate'], load: async () => (await import('./migrate.ts')).addMigrate },
  { names: ['init'], load: async () => (await import('./init.ts')).addInit },
  { names: ['schema'], load: async () => (await import('./schema.ts')).addSchema },
  { names: ['models'], load: async () => (await import('./models.ts')).addModels },
  { names: ['doctor'], load: async () => (await import('./doctor.ts')).addDoctor },
  { names: ['test'], load: async () => (await import('./test.ts')).addTest },
  { names: ['cli-agent', 'cli_agent'], load: async () => (await import('./cli-agent.ts')).addCliAgent },
  { names: ['chatgpt'], load: async () => (await import('./chatgpt.ts')).addChatgpt },
  { names: ['completion'], load: async () => (await import('./completion.ts')).addCompletion },
  { names: ['trace', 'obs', 'build'], load: async () => (await import('./later.ts')).addLater },
]

/** These speak of all commands. */
const ABOUT_ALL: readonly string[] = ['completion', 'help']

/** `asked` is the first word of the command line. */
export async function addCommands(program: Command, shell: Shell, asked: string | undefined): Promise<void> {
  program
    .description('An AI gateway: one process between applications and large language models.')
    .version(`sluice ${VERSION}`, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('(sluice --help lists the commands)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 not done, 2 used wrongly, 3 done but exchanges were cut.\n' +
        'NO_COLOR=1 turns colour off; SLUICE_HOME is the folder of running gateways (default: ~/.sluice).\n' +
        '\nExample:\n  $ sluice up && sluice status',
    )
    .exitOverride()
  if (asked === '--version' || asked === '-V') return
  const one = ABOUT_ALL.some(word => word === asked)
    ? undefined
    : FILES.find(({ names }) => names.some(name => name === asked))
  const adds = await Promise.all((one === undefined ? FILES : [one]).map(file => file.load()))
  for (const add of adds) add(program, shell)
}

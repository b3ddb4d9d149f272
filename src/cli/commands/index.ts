// The commands, in the order of the help.

import type { Command } from 'commander'
import { VERSION } from '../../common/version.ts'
import type { Shell } from '../terminal.ts'
import { addChatgpt } from './chatgpt.ts'
import { addCheck } from './check.ts'
import { addCliAgent } from './cli-agent.ts'
import { addCompletion } from './completion.ts'
import { addDoctor } from './doctor.ts'
import { addDown } from './down.ts'
import { addExplain } from './explain.ts'
import { addInit } from './init.ts'
import { addLater } from './later.ts'
import { addLogs } from './logs.ts'
import { addMigrate } from './migrate.ts'
import { addModels } from './models.ts'
import { addReload } from './reload.ts'
import { addSchema } from './schema.ts'
import { addServe } from './serve.ts'
import { addStatus } from './status.ts'
import { addTest } from './test.ts'
import { addUp } from './up.ts'

const COMMANDS = [
  addServe,
  addUp,
  addDown,
  addStatus,
  addLogs,
  addReload,
  addCheck,
  addExplain,
  addMigrate,
  addInit,
  addSchema,
  addModels,
  addDoctor,
  addTest,
  addCliAgent,
  addChatgpt,
  addCompletion,
  addLater,
] as const

export function addAll(program: Command, shell: Shell): void {
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
  for (const add of COMMANDS) add(program, shell)
}

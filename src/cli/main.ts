#!/usr/bin/env node
// The `sluice` command. Owns the list of commands; each is one file in `commands/`.

import { Command } from 'commander'
import { VERSION } from '../common/version.ts'
import { addServe } from './commands/serve.ts'

const program = new Command('sluice')
  .description('An AI gateway: one process between applications and large language models.')
  .version(VERSION, '-V, --version', 'print the version')
  .showHelpAfterError('(sluice --help lists the commands)')
  .configureHelp({ showGlobalOptions: true })

addServe(program)

await program.parseAsync()

#!/usr/bin/env node
// The `sluice` command. Owns the list of commands, each one file in `commands/`, and how every one of them ends.

import { Command, CommanderError } from 'commander'
import { addCommands } from './commands/index.ts'
import { EXIT, Failure } from './exit.ts'
import { type Shell, Terminal } from './terminal.ts'

const terminal = new Terminal(process.stdin, process.stdout, process.stderr, process.env)
const shell: Shell = { terminal, env: process.env, cwd: process.cwd() }

// A reader that has seen enough (`sluice models | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok)
})

const program = new Command('sluice')

try {
  await addCommands(program, shell, process.argv[2])
  if (process.argv.length <= 2) program.outputHelp()
  else await program.parseAsync()
} catch (error) {
  process.exitCode = ended(error)
}

function ended(error: unknown): number {
  // The library has printed its own message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  // By its name: its class would bring the whole loader into commands that need none.
  if (error instanceof Error && error.name === 'ConfigErrors') {
    terminal.note(error.message)
    return EXIT.failed
  }
  if (error instanceof Failure) {
    terminal.fail(error.message)
    return error.code
  }
  throw error
}

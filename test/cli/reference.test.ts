// Scripts written for the reference's command line go on working: its commands and options are accepted here, and every
// command is tried in a pipe and in a terminal.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { addCommands } from '../../src/cli/commands/index.ts'
import { TEMPLATES } from '../../src/cli/templates.ts'
import type { Shell } from '../../src/cli/terminal.ts'

/** The reference's commands with their options, from its help. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  up: [
    '--path',
    '--foreground',
    '--with-tracing',
    '--tracing-port',
    '--docker',
    '-v',
    '--verbose',
    '--listener-port',
  ],
  down: ['--docker', '-v', '--verbose'],
  build: ['--docker'],
  logs: ['--debug', '--follow', '--docker'],
  init: ['--template', '--clean', '-o', '--output', '--force', '--list-templates'],
  'cli-agent': ['--path', '--settings'],
  cli_agent: ['--path', '--settings'],
  trace: ['--filter', '--where', '--since', '--limit', '--list', '--no-interactive', '--json', '-v'],
  obs: ['--port', '--host', '--capacity', '--refresh-ms', '--config', '--pricing-provider', '--pricing-url'],
  chatgpt: [],
}

async function program(): Promise<Command> {
  const made = new Command('sluice')
  await addCommands(made, {} as Shell, undefined)
  return made
}

test.each(Object.entries(OPTIONS))('%s takes the options of the reference', async (name, options) => {
  const { commands } = await program()
  const command = commands.find(one => one.name() === name || one.aliases().includes(name))
  expect(command, name).toBeDefined()
  const known = new Set(command!.options.flatMap(one => [one.short, one.long]))
  // What is not built takes any option and says why it does nothing.
  const anything = (command as unknown as { _allowUnknownOption: boolean })._allowUnknownOption
  expect(options.filter(option => !known.has(option) && !anything)).toEqual([])
})

test('chatgpt has the reference`s three commands', async () => {
  const { commands } = await program()
  const names = commands.find(one => one.name() === 'chatgpt')!.commands.map(one => one.name())
  expect(names).toEqual(expect.arrayContaining(['login', 'status', 'logout']))
})

test('the templates of the reference are there by their ids', () => {
  expect(TEMPLATES.map(({ id }) => id)).toEqual(
    expect.arrayContaining([
      'sub_agent_orchestration',
      'coding_agent_routing',
      'preference_aware_routing',
      'filter_chain_guardrails',
      'conversational_state_v1_responses',
    ]),
  )
})

/** Compared with themselves in both, by `commands.test.ts`. */
const WITHOUT_GOLDEN = ['schema', 'completion', 'help']

test('every command has its words for a pipe and for a terminal', async () => {
  const names = readdirSync(join(import.meta.dirname, 'golden'))
  const has = (command: string, mode: string) =>
    names.some(name => new RegExp(`^(?:running-)?${command}(?:-[a-z-]+)?\\.${mode}\\.txt$`).test(name))
  const missing = (await program()).commands
    .map(one => one.name())
    .filter(name => !WITHOUT_GOLDEN.includes(name))
    .flatMap(name => ['pipe', 'pty'].filter(mode => !has(name, mode)).map(mode => `${name} ${mode}`))
  expect(missing).toEqual([])
})

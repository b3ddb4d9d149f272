// docs/cli.md holds the help of every command as the command prints it. UPDATE_GOLDENS=1 writes it anew.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { addCommands } from '../../src/cli/commands/index.ts'
import type { Shell } from '../../src/cli/terminal.ts'
import { ROOT } from './run.ts'

const PATH = join(ROOT, 'docs/cli.md')
/** Lines of the document. */
const WIDTH = 110
/** From here on the document is written by this test. */
const MARK = '<!-- from here on: the help of each command, held to it by test/cli/docs.test.ts -->'

async function helps(): Promise<string> {
  let text = ''
  const program = new Command('sluice').configureOutput({
    writeOut: piece => {
      text += piece
    },
    getOutHelpWidth: () => WIDTH,
  })
  // Help touches neither terminal nor environment.
  await addCommands(program, {} as Shell, undefined)
  const visit = (command: Command, name: string): void => {
    text += `\n## ${name}\n\n\`\`\`text\n`
    command.outputHelp()
    text = `${text.trimEnd()}\n\`\`\`\n`
    for (const one of program.createHelp().visibleCommands(command)) {
      if (one.name() !== 'help') visit(one, `${name} ${one.name()}`)
    }
  }
  visit(program, 'sluice')
  return text
}

test('the document shows the help of every command as it is', async () => {
  const now = await helps()
  const written = readFileSync(PATH, 'utf8')
  const head = written.slice(0, written.indexOf(MARK) + MARK.length)
  if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(PATH, `${head}\n${now}`)
  else expect(written.slice(head.length + 1)).toBe(now)
})

test('every command has an example', async () => {
  const sections = (await helps()).split('\n## ').slice(1)
  expect(
    sections.filter(section => !section.includes('Example:')).map(section => section.split('\n')[0]),
  ).toEqual([])
})

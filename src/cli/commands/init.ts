// `sluice init`: a file to begin with. Asks when somebody is there to answer; never overwrites what it was not told to.

import { mkdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import { nearestNames } from '../../common/nearest.ts'
import { ask, Cancelled, confirm } from '../ask.ts'
import { EXIT, Failure } from '../exit.ts'
import { writeWhole } from '../instance.ts'
import { TEMPLATES, type Template } from '../templates.ts'
import type { Shell } from '../terminal.ts'

interface InitOptions {
  readonly template?: string
  readonly clean?: boolean
  readonly output?: string
  readonly force?: boolean
  readonly listTemplates?: boolean
}

const OUTPUT = 'config.yaml'
const PREVIEW_LINES = 28
const USUAL_TEMPLATE = 'minimal'

export function addInit(program: Command, shell: Shell): void {
  program
    .command('init')
    .description('write a configuration file to begin with')
    .option('--template <id>', 'the template to write')
    .option('--clean', 'write an empty file')
    .option('-o, --output <path>', `file to write (default: ${OUTPUT})`)
    .option('--force', 'overwrite a file that is there')
    .option('--list-templates', 'list the templates')
    .addHelpText(
      'after',
      '\nOn a terminal it asks for what is not given.\n\nExample:\n  $ sluice init --template minimal -o config.yaml',
    )
    .action((options: InitOptions) => init(shell, options))
}

async function init(shell: Shell, options: InitOptions): Promise<void> {
  const { terminal } = shell
  if (options.listTemplates === true) {
    terminal.table(TEMPLATES.map(({ id, description }) => [terminal.paint('bold', id), description]))
    return
  }
  if (options.clean === true && options.template !== undefined) {
    throw new Failure('--clean and --template exclude each other', EXIT.usage)
  }
  try {
    const chosen = await choose(shell, options)
    await write(shell, chosen, options)
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error
    terminal.line()
    terminal.line('nothing is written')
  }
}

interface Choice {
  /** Null: an empty file. */
  readonly template: Template | null
  readonly output: string
  readonly asked: boolean
}

async function choose(shell: Shell, options: InitOptions): Promise<Choice> {
  const output = options.output ?? OUTPUT
  if (options.clean === true) return { template: null, output, asked: false }
  if (options.template !== undefined) return { template: templateOf(options.template), output, asked: false }
  const { terminal } = shell
  if (!terminal.interactive) {
    const forms = ['sluice init --template ID', 'sluice init --clean', 'sluice init --list-templates']
    throw new Failure(
      `nobody is there to ask; say what to write:\n${forms.map(form => `  ${form}`).join('\n')}`,
    )
  }
  TEMPLATES.forEach(({ id, description }, at) => {
    terminal.line(
      `${String(at + 1).padStart(2)}  ${terminal.paint('bold', id)}  ${terminal.paint('dim', description)}`,
    )
  })
  const answer = await ask('Template', USUAL_TEMPLATE)
  const template = TEMPLATES[Number(answer) - 1] ?? templateOf(answer)
  return { template, output: await ask('File', output), asked: true }
}

function templateOf(id: string): Template {
  const found = TEMPLATES.find(template => template.id === id)
  if (found !== undefined) return found
  const ids = TEMPLATES.map(template => template.id)
  const near = nearestNames(id, ids, 1)
  const guess = near.length === 0 ? '' : `; did you mean ${near[0]}?`
  throw new Failure(`there is no template ${id}${guess}\nThey are: ${ids.join(', ')}`)
}

async function write(shell: Shell, { template, output, asked }: Choice, options: InitOptions): Promise<void> {
  const { terminal } = shell
  const path = resolve(shell.cwd, output.replace(/^~(?=$|\/)/, homedir()))
  const there = statSync(path, { throwIfNoEntry: false })
  if (there?.isDirectory() === true) throw new Failure(`${output} is a folder`)
  if (there !== undefined && options.force !== true) {
    if (!asked) throw new Failure(`${output} exists; --force overwrites it`)
    if (!(await confirm(`${output} exists. Overwrite it?`))) throw new Cancelled('kept')
  }
  mkdirSync(dirname(path), { recursive: true })
  writeWhole(path, template?.text ?? '\n')
  terminal.line(
    `${terminal.paint('green', '✓')} ${output} is written${template === null ? '' : ` (template ${template.id})`}`,
  )
  if (template === null) return
  const lines = template.text.trimEnd().split('\n')
  for (const line of lines.slice(0, PREVIEW_LINES)) terminal.line(terminal.paint('dim', `  │ ${line}`))
  if (lines.length > PREVIEW_LINES)
    terminal.line(terminal.paint('dim', `  │ … ${lines.length - PREVIEW_LINES} more lines`))
  terminal.line(`Next: sluice check ${output}, sluice up ${output}`)
}

// `sluice reload` and `sluice rollback`: ask a running gateway to take its file again, or to go back to an earlier plan.
// Owns the call; the gateway decides, and its answer is shown as it is.

import type { Command } from 'commander'
import { call, type Reply } from '../calls.ts'
import { Failure } from '../exit.ts'
import type { FoundInstance } from '../instance.ts'
import { loadTarget } from '../loading.ts'
import { runningGateway } from '../meant.ts'
import type { Shell } from '../terminal.ts'
import { adminOrigin } from './status.ts'

interface ReloadOptions {
  readonly path?: string
  readonly admin?: string
  readonly json?: boolean
  readonly list?: boolean
}

/** A reload starts listeners and reads keys; it is not instant, and not long. */
const RELOAD_MS_MAX = 30_000

export function addReload(program: Command, shell: Shell): void {
  withOptions(program.command('reload').argument('[file]', 'the configuration the gateway was started with'))
    .description('make a running gateway read its file again; a wrong file changes nothing')
    .addHelpText('after', '\nExample:\n  $ sluice reload')
    .action((file: string | undefined, options: ReloadOptions) => reload(shell, file, options))
  withOptions(
    program.command('rollback').argument('[hash]', 'the plan to go back to; without one: the one before'),
  )
    .description('make a running gateway go back to an earlier plan')
    .option('--list', 'list the plans it remembers')
    .addHelpText('after', '\nExample:\n  $ sluice rollback --list\n  $ sluice rollback')
    .action((hash: string | undefined, options: ReloadOptions) => rollback(shell, hash, options))
}

function withOptions(command: Command): Command {
  return command
    .option('--admin <url>', 'admin listener of a gateway that `up` did not start')
    .option('--path <dir>', 'folder of the file')
    .option('--json', 'print the answer of the gateway')
    .addHelpText('after', '\nThe admin token is taken from the configuration or from SLUICE_ADMIN_TOKEN.')
}

async function reload(shell: Shell, file: string | undefined, options: ReloadOptions): Promise<void> {
  const reply = await ask(shell, file, options, 'POST', '/config/reload', undefined)
  showAnswer(shell, reply, options, 'reload')
}

async function rollback(shell: Shell, hash: string | undefined, options: ReloadOptions): Promise<void> {
  if (options.list === true) {
    showAnswer(
      shell,
      await ask(shell, undefined, options, 'GET', '/config/history', undefined),
      options,
      'history',
    )
    return
  }
  const path = hash === undefined ? '/config/rollback' : `/config/rollback?to=${encodeURIComponent(hash)}`
  const reply = await ask(shell, undefined, options, 'POST', path, undefined)
  showAnswer(shell, reply, options, 'rollback')
}

async function ask(
  shell: Shell,
  file: string | undefined,
  options: ReloadOptions,
  method: 'GET' | 'POST',
  path: string,
  body: string | undefined,
): Promise<Reply> {
  const found = options.admin === undefined ? runningGateway(shell, file, options.path) : null
  if (options.admin === undefined && found === null) {
    throw new Failure('no gateway is running\nStart one: sluice up. For one started otherwise: --admin URL')
  }
  const origin = options.admin?.replace(/\/$/, '') ?? adminOrigin(found!.instance)
  const token = tokenOf(shell, found)
  const headers = token === null ? {} : { authorization: `Bearer ${token}` }
  try {
    return await call(origin + path, {
      method,
      headers,
      waitMsMax: RELOAD_MS_MAX,
      ...(body === undefined ? {} : { body }),
    })
  } catch (error) {
    throw new Failure(`the admin listener ${origin} does not answer: ${(error as Error).message}`)
  }
}

function tokenOf(shell: Shell, found: FoundInstance | null): string | null {
  const own = shell.env['SLUICE_ADMIN_TOKEN']
  if (own !== undefined && own !== '') return own
  if (found === null) return null
  const { file, cwd } = found.instance
  try {
    return loadTarget({ file, cwd, env: shell.env }).plan.admin.token?.secret ?? null
  } catch {
    // The file may have become wrong, which is a reason to go back.
    return null
  }
}

function showAnswer(shell: Shell, reply: Reply, options: ReloadOptions, what: string): void {
  const { terminal } = shell
  if (reply.status === 405 || (reply.status === 404 && reply.text.includes('nothing is served'))) {
    throw new Failure(`this gateway has no ${what} on its admin listener`)
  }
  if (reply.status === 401) {
    throw new Failure(
      'the gateway wants its admin token\nSet SLUICE_ADMIN_TOKEN, for the gateway and for this command.',
    )
  }
  const answer = reply.text.trim()
  if (reply.status >= 400) throw new Failure(`the gateway refused: ${messageOf(answer)}`)
  terminal.line(
    options.json === true || what === 'history'
      ? answer
      : `${terminal.paint('green', '✓')} ${messageOf(answer)}`,
  )
}

/** The text of an error or a sentence, else the answer as it is. */
function messageOf(text: string): string {
  try {
    const found = JSON.parse(text) as Record<string, unknown>
    const told = found['error'] ?? found['message']
    if (typeof told === 'string') return told
    const errors = found['errors']
    if (Array.isArray(errors) && errors.length > 0) return errors.map(String).join('\n')
    return Object.entries(found)
      .filter(([, value]) => typeof value !== 'object')
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', ')
  } catch {
    return text
  }
}

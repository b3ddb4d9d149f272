// `sluice chatgpt login|status|logout`: the login of a ChatGPT subscription, for providers `chatgpt/…`.

import { type Command, Option } from 'commander'
import { proxiesOf } from '../../common/config/index.ts'
import {
  finishLogin,
  ISSUER,
  type LoginState,
  loginState,
  logout,
  requestCode,
  tokenFile,
} from '../chatgpt-login.ts'
import { EXIT } from '../exit.ts'
import type { Shell } from '../terminal.ts'

interface LoginOptions {
  readonly issuer: string
  readonly pollMs?: string
}

const MINUTE_MS = 60_000

export function addChatgpt(program: Command, shell: Shell): void {
  const chatgpt = program
    .command('chatgpt')
    .description('log in with a ChatGPT subscription, for models chatgpt/…')
    .addHelpText('after', '\nExample:\n  $ sluice chatgpt login\n  $ sluice chatgpt status')
  chatgpt
    .command('login')
    .description('log in with a code that is typed into a web page')
    .addOption(new Option('--issuer <url>', 'for tests').default(ISSUER).hideHelp())
    .addOption(new Option('--poll-ms <ms>', 'for tests').hideHelp())
    .addHelpText('after', '\nExample:\n  $ sluice chatgpt login')
    .action((options: LoginOptions) => login(shell, options))
  chatgpt
    .command('status')
    .description('say whether there is a login, and for how long')
    .option('--json', 'print one object for scripts')
    .addHelpText(
      'after',
      '\nExit codes: 0 there is a usable login, 1 there is none.\n\nExample:\n  $ sluice chatgpt status',
    )
    .action((options: { json?: boolean }) => status(shell, options.json === true))
  chatgpt
    .command('logout')
    .description('forget the login')
    .addHelpText('after', '\nExample:\n  $ sluice chatgpt logout')
    .action(() => {
      logout(tokenFile())
      shell.terminal.line(`${shell.terminal.paint('green', '✓')} logged out`)
    })
}

async function login({ terminal, env }: Shell, { issuer, pollMs }: LoginOptions): Promise<void> {
  const host = { issuer, proxies: proxiesOf(env) }
  const device = await requestCode(host, pollMs === undefined ? undefined : Number(pollMs))
  terminal.line(`Open   ${device.page}`)
  terminal.line(`Enter  ${terminal.paint('bold', device.code)}`)
  terminal.line(
    'Enter it only there, and only because you asked for it here: a code that somebody sends you is a trap.',
  )
  const file = tokenFile()
  const account = await terminal.waiting(
    'waiting for the code to be entered',
    finishLogin(host, device, file),
  )
  const who = account === null ? '' : ` as account ${account}`
  terminal.line(`${terminal.paint('green', '✓')} logged in${who}; kept in ${file}`)
}

function status({ terminal }: Shell, json: boolean): void {
  const found = loginState(tokenFile(), Date.now())
  process.exitCode = found.state === 'valid' || found.state === 'renewable' ? EXIT.ok : EXIT.failed
  if (json) terminal.json(found)
  else terminal.line(sentence(found))
}

function sentence({ state, account, expiresAt }: LoginState): string {
  const who = account === null ? '' : ` as account ${account}`
  switch (state) {
    case 'none':
      return 'not logged in; sluice chatgpt login'
    case 'unreadable':
      return 'the login cannot be read; sluice chatgpt login'
    case 'expired':
      return `the login${who} has expired; sluice chatgpt login`
    case 'renewable':
      return `logged in${who}; the token has expired and will be renewed by the next call`
    case 'valid': {
      if (expiresAt === null) return `logged in${who}`
      const minutes = Math.floor((Date.parse(expiresAt) - Date.now()) / MINUTE_MS)
      return `logged in${who}; the token is good until ${expiresAt} (${minutes} min)`
    }
  }
}

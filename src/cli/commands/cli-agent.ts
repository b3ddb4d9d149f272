// `sluice cli-agent claude|codex`: starts a coding agent against the running gateway. Owns the environment it gets.

import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Argument, type Command } from 'commander'
import type { Plan } from '../../common/config/index.ts'
import { callable } from '../calls.ts'
import { EXIT, Failure } from '../exit.ts'
import type { Instance } from '../instance.ts'
import { loadTarget } from '../loading.ts'
import { runningGateway } from '../meant.ts'
import type { Env, Shell } from '../terminal.ts'

interface AgentOptions {
  readonly path?: string
  readonly settings: string
}

type AgentKind = 'claude' | 'codex'
type Settings = Readonly<Record<string, unknown>>

/** An alias of this name is what the reference gives Claude Code for small tasks. */
const SMALL_FAST_ALIAS = 'arch.claude.code.small.fast'
const CODEX_MODEL = 'gpt-5.3-codex'
const INSTALL: Readonly<Record<AgentKind, string>> = {
  claude: 'npm install -g @anthropic-ai/claude-code',
  codex: 'npm install -g @openai/codex',
}

export function addCliAgent(program: Command, shell: Shell): void {
  program
    .command('cli-agent')
    .alias('cli_agent')
    .addArgument(new Argument('<type>', 'the agent to start').choices(['claude', 'codex']))
    .argument('[file]', 'the configuration of the gateway; without one: that of this folder, or the only one')
    .argument('[words...]', 'after --: arguments for the agent')
    .description('start a coding agent that talks to the running gateway')
    .option(
      '--settings <json>',
      'settings of the agent; CODEX_MODEL, ANTHROPIC_SMALL_FAST_MODEL and NON_INTERACTIVE_MODE are ours',
      '{}',
    )
    .option('--path <dir>', 'folder of the file')
    .addHelpText(
      'after',
      '\nExample:\n  $ sluice up && sluice cli-agent claude\n  $ sluice cli-agent codex config.yaml -- --help',
    )
    .action((kind: AgentKind, file: string | undefined, words: string[], options: AgentOptions) =>
      start(shell, kind, file, words, options),
    )
}

async function start(
  shell: Shell,
  kind: AgentKind,
  file: string | undefined,
  words: string[],
  options: AgentOptions,
): Promise<void> {
  const settings = readSettings(options.settings)
  const [named, args] = split(file, words)
  const found = runningGateway(shell, named, options.path)
  if (found === null) throw new Failure('no gateway is running\nStart one first: sluice up')
  const binary = findBinary(kind, shell.env)
  if (binary === null) throw new Failure(`${kind} is not installed\nInstall it: ${INSTALL[kind]}`)
  const { env, first } =
    kind === 'claude' ? forClaude(shell, found.instance, settings) : forCodex(found.instance, settings)
  const quiet = settings['NON_INTERACTIVE_MODE'] === true ? QUIET : {}
  const child = spawn(binary, [...first, ...args], {
    stdio: 'inherit',
    env: { ...shell.env, ...env, ...quiet },
  })
  // Ctrl-C is for the agent; this process waits for it.
  process.on('SIGINT', () => {})
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', error => reject(new Failure(`${kind} could not be started: ${error.message}`)))
    child.once('exit', (status, signal) => resolve(status ?? (signal === 'SIGINT' ? EXIT.ok : EXIT.failed)))
  })
  if (code !== 0) throw new Failure(`${kind} ended with exit code ${code}`)
}

const QUIET = { CI: 'true', FORCE_COLOR: '0', NODE_NO_READLINE: '1', TERM: 'dumb' } as const

/** What stands behind `--` is the agent's, also where no file was named. */
function split(file: string | undefined, words: string[]): [string | undefined, string[]] {
  const dashes = process.argv.indexOf('--')
  if (dashes < 0) return [file, words]
  const behind = process.argv.slice(dashes + 1)
  const all = file === undefined ? words : [file, ...words]
  return [all.length > behind.length ? file : undefined, behind]
}

function readSettings(text: string): Settings {
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch {
    throw new Failure('--settings is not JSON')
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found))
    throw new Failure('--settings is no JSON object')
  return found as Settings
}

function forClaude(shell: Shell, instance: Instance, settings: Settings): { env: Env; first: string[] } {
  const { origin, host } = endpointOf(instance)
  const { ANTHROPIC_SMALL_FAST_MODEL: small, NON_INTERACTIVE_MODE: _, ...rest } = settings
  const alias = planOf(shell, instance)?.aliases[SMALL_FAST_ALIAS] === undefined ? null : SMALL_FAST_ALIAS
  const chosen = typeof small === 'string' ? small : alias
  if (chosen === null) {
    shell.terminal.note(
      `tip: an alias ${SMALL_FAST_ALIAS} in model_aliases lets small tasks go to a small model,`,
    )
    shell.terminal.note('     for example: target: anthropic/claude-haiku-4-5')
  }
  return {
    env: {
      ANTHROPIC_BASE_URL: origin,
      ANTHROPIC_AUTH_TOKEN: 'test',
      ANTHROPIC_API_KEY: '',
      NO_PROXY: host,
      DISABLE_TELEMETRY: 'true',
      DISABLE_COST_WARNINGS: 'true',
      API_TIMEOUT_MS: '600000',
      ...(chosen === null ? {} : { ANTHROPIC_SMALL_FAST_MODEL: chosen }),
    },
    first: Object.keys(rest).length === 0 ? [] : [`--settings=${JSON.stringify(rest)}`],
  }
}

function forCodex(instance: Instance, settings: Settings): { env: Env; first: string[] } {
  const { origin, host } = endpointOf(instance)
  const model = settings['CODEX_MODEL']
  return {
    env: {
      OPENAI_BASE_URL: `${origin}/v1`,
      OPENAI_API_KEY: 'test',
      NO_PROXY: host,
      DISABLE_TELEMETRY: 'true',
    },
    first: ['--model', typeof model === 'string' ? model : CODEX_MODEL],
  }
}

function endpointOf({ listeners }: Instance): { origin: string; host: string } {
  const listener = listeners.find(({ type }) => type === 'model')
  if (listener === undefined) throw new Failure('the running gateway has no model listener')
  const host = callable(listener.address)
  return { origin: `${listener.tls ? 'https' : 'http'}://${host}:${listener.port}`, host }
}

function planOf(shell: Shell, { file, cwd }: Instance): Plan | null {
  try {
    return loadTarget({ file, cwd, env: shell.env }).plan
  } catch {
    // The gateway runs; that its file has become wrong is no reason to keep the agent from it.
    return null
  }
}

function findBinary(name: string, env: Env): string | null {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue
    try {
      accessSync(join(folder, name), constants.X_OK)
      return join(folder, name)
    } catch {
      // Not here.
    }
  }
  return null
}

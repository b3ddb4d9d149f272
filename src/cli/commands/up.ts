// `sluice up [FILE]` and `sluice restart [FILE]`: a gateway that outlives the command. A running gateway of the same
// file is drained and replaced, as users of the reference expect; the new file is judged before the old one ends.

import { type Command, InvalidArgumentError, Option } from 'commander'
import { issueText, type LoadedPlan } from '../../common/config/index.ts'
import { loadChecked } from '../../load-checked.ts'
import { EXIT } from '../exit.ts'
import { instanceFolder, lockFolder, PATHS, runHome, runningInstances } from '../instance.ts'
import { endInstance, healthOf, launch, READY_MS_MAX, refuseTakenPorts, type Started } from '../launch.ts'
import { HASH_CHARS, type Target, targetOf } from '../loading.ts'
import { runningGateway } from '../meant.ts'
import type { Shell } from '../terminal.ts'

interface UpOptions {
  readonly path?: string
  readonly foreground?: boolean
  readonly listenerPort?: number
  readonly timeout: number
  readonly docker?: boolean
  readonly verbose?: boolean
  readonly withTracing?: boolean
  readonly tracingPort?: string
  readonly json?: boolean
}

const SECOND_MS = 1_000
const PORT_MAX = 65_535

export function addUp(program: Command, shell: Shell): void {
  withOptions(program.command('up'))
    .description('start a gateway in the background and wait until it serves')
    .option('--foreground', 'stay attached, like `sluice serve`')
    .addHelpText(
      'after',
      '\nA running gateway of the same file is drained and replaced. Logs: sluice logs.\n' +
        '\nExample:\n  $ OPENAI_API_KEY=sk-… sluice up config.yaml',
    )
    .action((file: string | undefined, options: UpOptions) => up(shell, file, options))
  withOptions(program.command('restart'))
    .description('drain the running gateway and start it again with the file as it is now')
    .addHelpText('after', '\nExample:\n  $ sluice restart config.yaml')
    .action((file: string | undefined, options: UpOptions) => restart(shell, file, options))
}

function withOptions(command: Command): Command {
  return command
    .argument('[file]', 'configuration file; without one: config.yaml, plano_config.yaml, or the environment')
    .option('--path <dir>', 'folder in which the file is looked for')
    .option('--listener-port <port>', 'port when there is no file (default: 12000)', portNumber)
    .option('--timeout <seconds>', 'how long to wait until it serves', seconds, READY_MS_MAX / SECOND_MS)
    .option('--json', 'print one object for scripts')
    .option('-v, --verbose', 'print what the gateway says when it starts')
    .addOption(new Option('--docker', 'of the reference').hideHelp())
    .addOption(new Option('--with-tracing', 'of the reference').hideHelp())
    .addOption(new Option('--tracing-port <port>', 'of the reference').hideHelp())
}

export function portNumber(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > PORT_MAX) throw new InvalidArgumentError('A port is 0 to 65535.')
  return port
}

export function seconds(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('Seconds are a number from 0 up.')
  return value
}

async function up(shell: Shell, file: string | undefined, options: UpOptions): Promise<void> {
  const target = upTarget(shell, file, options)
  sayUnused(shell, options)
  if (options.foreground === true) {
    const { serve } = await import('../../serve.ts')
    process.exitCode = await serve(target)
    return
  }
  await start(shell, target, options)
}

async function restart(shell: Shell, file: string | undefined, options: UpOptions): Promise<void> {
  let target = upTarget(shell, file, options)
  sayUnused(shell, options)
  if (file === undefined) {
    // Where it was started, with what it was started with.
    const own = runningGateway(shell, undefined, options.path)
    if (own !== null) target = { ...target, file: own.instance.file, cwd: own.instance.cwd }
  }
  await start(shell, target, options)
}

function upTarget(shell: Shell, file: string | undefined, options: UpOptions): Target {
  const target = targetOf(shell, file, options)
  if (options.listenerPort === undefined) return target
  return { ...target, env: { ...target.env, SLUICE_PORT: String(options.listenerPort) } }
}

/** Options of the reference that mean nothing here must not stop a script. */
function sayUnused({ terminal }: Shell, options: UpOptions): void {
  if (options.docker === true)
    terminal.warn('--docker has no effect: the gateway is one process and needs no container')
  if (options.withTracing === true || options.tracingPort !== undefined) {
    terminal.warn('tracing is not built in yet: --with-tracing and --tracing-port have no effect')
  }
}

async function start(shell: Shell, target: Target, options: UpOptions): Promise<void> {
  const loaded = await loadChecked(target)
  const runs = runHome(shell.env, shell.cwd)
  const folder = instanceFolder(runs, loaded.file, target.cwd)
  const unlock = lockFolder(folder)
  try {
    await startIn(shell, folder, runs, loaded, target, options)
  } finally {
    unlock()
  }
}

async function startIn(
  shell: Shell,
  folder: string,
  runs: string,
  loaded: LoadedPlan,
  target: Target,
  options: UpOptions,
): Promise<void> {
  const { terminal } = shell
  const before = runningInstances(runs).find(one => one.folder === folder) ?? null
  let cut = false
  if (before !== null) {
    const ended = await terminal.waiting(
      `draining the running gateway (pid ${before.instance.pid})`,
      endInstance(before, null),
    )
    cut = ended.how !== 'ended'
    terminal.note(
      `replaced the running gateway (pid ${before.instance.pid})${cut ? '; exchanges were cut' : ''}`,
    )
  }
  await refuseTakenPorts(loaded.plan, runs)
  const work = launch(folder, loaded, target, options.timeout * SECOND_MS)
  const started = await terminal.waiting('starting the gateway', work)
  if (options.json === true) terminal.json({ ok: true, cut, ...(await report(started)), folder })
  else await show(shell, started, loaded, folder, options.verbose === true)
  process.exitCode = cut ? EXIT.cut : EXIT.ok
}

async function report({ instance, tookMs }: Started): Promise<Record<string, unknown>> {
  const { pid, hash, file, listeners, admin } = instance
  return { pid, hash, file, listeners, admin, ready_ms: Math.round(tookMs) }
}

async function show(
  { terminal }: Shell,
  { instance, tookMs }: Started,
  loaded: LoadedPlan,
  folder: string,
  verbose: boolean,
): Promise<void> {
  for (const warning of loaded.notes.warnings) terminal.warn(issueText(warning))
  if (loaded.notes.notActive.length > 0) terminal.warn(`not active yet: ${loaded.notes.notActive.join(', ')}`)
  const tick = terminal.paint('green', '✓')
  terminal.line(
    `${tick} gateway of ${instance.source} runs (pid ${instance.pid}, plan ${instance.hash.slice(0, HASH_CHARS)}, ready in ${Math.round(tookMs)} ms)`,
  )
  const rows = (await healthOf(instance)).map(({ listener, url, healthy, fault }) => [
    `  ${listener.name}`,
    listener.type,
    url,
    healthy ? terminal.paint('green', 'ready') : terminal.paint('red', `not ready: ${fault}`),
  ])
  const { address, port } = instance.admin
  terminal.table([
    ...rows,
    ['  admin', 'admin', `http://${address}:${port}`, terminal.paint('green', 'ready')],
  ])
  if (loaded.file === null) {
    const { found, missing } = loaded.notes
    if (found.length > 0) terminal.line(terminal.paint('dim', `  keys found: ${found.join(', ')}`))
    terminal.line(
      terminal.paint('dim', `  callers bring their own key where none is set: ${missing.join(', ')}`),
    )
  }
  if (verbose) {
    const { readFileSync } = await import('node:fs')
    terminal.note(readFileSync(`${folder}/${PATHS.messages}`, 'utf8').trimEnd())
  }
  terminal.line(terminal.paint('dim', '  sluice status, sluice logs -f, sluice down'))
}

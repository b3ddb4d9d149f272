// `sluice test PROVIDER|MODEL`: one tiny call through a gateway, plain and streamed, with times. Uses the running gateway
// of the file, or starts one on a port of its own for the time of the test.

import { type Command, InvalidArgumentError } from 'commander'
import { DEMO_MODEL, type LoadedPlan, type ProviderPlan } from '../../common/config/index.ts'
import { nearestNames } from '../../common/nearest.ts'
import { buildModelIndex, findModel, loadCatalogue, publicModels } from '../../routing/index.ts'
import { call, type Reply } from '../calls.ts'
import { EXIT, Failure } from '../exit.ts'
import { originOf } from '../launch.ts'
import { loadTarget, type Target, targetOf } from '../loading.ts'
import { runningGateway } from '../meant.ts'
import { type Masker, maskerOf } from '../secrets.ts'
import type { Shell } from '../terminal.ts'

interface TestOptions {
  readonly path?: string
  readonly url?: string
  readonly keyEnv?: string
  readonly timeout: number
  readonly json?: boolean
}

const SECOND_MS = 1_000
const TIMEOUT_S = 60
const QUESTION = 'Reply with the one word: ok'
/** Models that think need room before their first word. */
const TOKENS_MAX = 256
const SHOWN_CHARS_MAX = 60
const ERROR_CHARS_MAX = 300
const GUESSES_MAX = 3

interface Outcome {
  readonly ok: boolean
  readonly status: number | null
  readonly first_byte_ms: number | null
  readonly total_ms: number | null
  readonly text: string | null
  readonly error: string | null
}

export function addTest(program: Command, shell: Shell): void {
  program
    .command('test')
    .argument('<name>', 'a model like openai/gpt-4o-mini, an alias, or a provider like openai')
    .argument('[file]', 'configuration file; without one: config.yaml, plano_config.yaml, or the environment')
    .description('make one tiny call to a model, plain and streamed, and say how long it took')
    .option('--url <url>', 'call this gateway instead of the running one or one of its own')
    .option('--key-env <name>', 'variable with the credential a caller would bring')
    .option('--timeout <seconds>', 'how long each call may take', timeoutOf, TIMEOUT_S)
    .option('--json', 'print one object for scripts')
    .option('--path <dir>', 'folder in which the file is looked for')
    .addHelpText(
      'after',
      '\nThe calls cost what a few words cost. Exit codes: 0 both calls worked, 1 one did not.\n' +
        '\nExample:\n  $ sluice test openai/gpt-4o-mini\n  $ sluice test demo/echo',
    )
    .action((name: string, file: string | undefined, options: TestOptions) =>
      test(shell, name, file, options),
    )
}

function timeoutOf(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('Seconds are a number above 0.')
  return value
}

async function test(
  shell: Shell,
  name: string,
  file: string | undefined,
  options: TestOptions,
): Promise<void> {
  const { terminal } = shell
  const target = targetOf(shell, file, options)
  const loaded = loadTarget(target)
  const { model, provider } = modelFor(loaded, name)
  const headers = headersFor(shell, provider, options)
  const mask = maskerOf(loaded.plan)
  const secret = options.keyEnv === undefined ? '' : (shell.env[options.keyEnv] ?? '')
  const clean: Masker = text => (secret.length > 0 ? mask(text).split(secret).join('***') : mask(text))
  const gateway = await gatewayFor(shell, loaded, target, file, options)
  try {
    const ask = (stream: boolean) =>
      terminal.waiting(
        `${stream ? 'streamed' : 'plain'} call to ${model}`,
        askOnce(gateway.origin, model, headers, stream, options.timeout * SECOND_MS, clean),
      )
    const plain = await ask(false)
    const streamed = await ask(true)
    process.exitCode = plain.ok && streamed.ok ? EXIT.ok : EXIT.failed
    if (options.json === true) terminal.json({ model, gateway: gateway.what, plain, streamed })
    else show(shell, model, gateway.what, plain, streamed)
  } finally {
    await gateway.end()
  }
}

/** A model as it is; for a provider its default, else its first, else the least dear one its wildcard is known to have. */
function modelFor(loaded: LoadedPlan, name: string): { model: string; provider: ProviderPlan | null } {
  const { plan, demoWanted } = loaded
  if (demoWanted && (name === DEMO_MODEL || name === 'demo')) return { model: DEMO_MODEL, provider: null }
  const found = findModel(buildModelIndex(plan), name)
  if ('provider' in found) return { model: name, provider: found.provider }
  const own = plan.providers.filter(one => !one.internal && (one.provider === name || one.name === name))
  const listed = own.filter(one => one.wildcardPrefix === null)
  const entry = listed.find(one => one.isDefault) ?? listed[0]
  if (entry !== undefined) return { model: entry.name, provider: entry }
  const wildcard = own[0]
  if (wildcard !== undefined) {
    const model = cheapestUnder(loaded, wildcard)
    if (model !== null) return { model, provider: wildcard }
    throw new Failure(
      `no model of ${name} is known by name\nName one: sluice test ${wildcard.wildcardPrefix}/MODEL`,
      EXIT.usage,
    )
  }
  const names = [...publicModels(plan).map(({ id }) => id), ...plan.providers.map(one => one.provider)]
  const near = found.ambiguous ? found.unknown : nearestNames(name, new Set(names), GUESSES_MAX)
  const guess = near.length === 0 ? '' : `\nDid you mean ${near.join(' or ')}?`
  throw new Failure(`${name} is no model and no provider of this configuration${guess}`, EXIT.usage)
}

function cheapestUnder({ plan }: LoadedPlan, { wildcardPrefix }: ProviderPlan): string | null {
  const catalogue = loadCatalogue()
  const known = publicModels(plan)
    .filter(({ id }) => id.startsWith(`${wildcardPrefix}/`))
    .map(({ id }) => ({ id, entry: catalogue.find(id) }))
    .filter(({ entry }) => entry.output.includes('text'))
  const price = ({ entry }: (typeof known)[number]) => entry.price?.output ?? Number.POSITIVE_INFINITY
  return known.sort((a, b) => price(a) - price(b))[0]?.id ?? null
}

function headersFor(
  shell: Shell,
  provider: ProviderPlan | null,
  options: TestOptions,
): Record<string, string> {
  if (options.keyEnv === undefined) {
    if (provider?.passthroughAuth !== true) return {}
    throw new Failure(
      `${provider.name} is called with the caller's own credential, and this command has none\nName its variable: --key-env NAME`,
    )
  }
  const key = shell.env[options.keyEnv] ?? ''
  if (key === '') throw new Failure(`the variable ${options.keyEnv} is not set`)
  return { authorization: `Bearer ${key}` }
}

interface ChosenGateway {
  readonly origin: string
  readonly what: string
  end(): Promise<void>
}

async function gatewayFor(
  shell: Shell,
  loaded: LoadedPlan,
  target: Target,
  file: string | undefined,
  options: TestOptions,
): Promise<ChosenGateway> {
  const stay = async (): Promise<void> => {}
  if (options.url !== undefined)
    return { origin: options.url.replace(/\/$/, ''), what: options.url, end: stay }
  const running = runningGateway(shell, file ?? undefined, options.path)
  const same =
    running !== null && running.instance.file === loaded.file && running.instance.cwd === target.cwd
  const listener = same ? running.instance.listeners.find(({ type }) => type === 'model') : undefined
  if (listener !== undefined) {
    return {
      origin: originOf(listener),
      what: `the running gateway (pid ${running!.instance.pid})`,
      end: stay,
    }
  }
  const { startOneShot } = await import('../one-shot.ts')
  const own = await shell.terminal.waiting('starting a gateway', startOneShot(loaded))
  return { origin: own.origin, what: 'a gateway of its own', end: () => own.end() }
}

async function askOnce(
  origin: string,
  model: string,
  headers: Readonly<Record<string, string>>,
  stream: boolean,
  waitMsMax: number,
  clean: Masker,
): Promise<Outcome> {
  const messages = [{ role: 'user', content: QUESTION }]
  const body = JSON.stringify({ model, messages, max_completion_tokens: TOKENS_MAX, stream })
  let reply: Reply
  try {
    reply = await call(`${origin}/v1/chat/completions`, { method: 'POST', headers, body, waitMsMax })
  } catch (error) {
    const told = clean((error as Error).message)
    return { ok: false, status: null, first_byte_ms: null, total_ms: null, text: null, error: told }
  }
  const text = reply.status === 200 ? (stream ? streamedText(reply.text) : plainText(reply.text)) : null
  const fault =
    reply.status === 200
      ? text === null
        ? 'the reply is not what was asked for'
        : null
      : errorText(reply.text)
  return {
    ok: fault === null,
    status: reply.status,
    first_byte_ms: Math.round(reply.firstByteMs),
    total_ms: Math.round(reply.totalMs),
    text: text === null ? null : clean(text).slice(0, SHOWN_CHARS_MAX),
    error: fault === null ? null : clean(fault).slice(0, ERROR_CHARS_MAX),
  }
}

interface ChatDocument {
  readonly choices?: readonly { message?: { content?: unknown }; delta?: { content?: unknown } }[]
  readonly error?: { message?: unknown }
}

function parsed(text: string): ChatDocument | null {
  try {
    return JSON.parse(text) as ChatDocument
  } catch {
    return null
  }
}

function plainText(text: string): string | null {
  const message = parsed(text)?.choices?.[0]?.message
  return message === undefined ? null : String(message.content ?? '')
}

/** Null when the stream did not end as streams end, or carried an error. */
function streamedText(text: string): string | null {
  const events = text
    .split('\n')
    .filter(line => line.startsWith('data: '))
    .map(line => line.slice('data: '.length))
  if (events.at(-1) !== '[DONE]') return null
  const documents = events.slice(0, -1).map(parsed)
  if (documents.some(one => one === null || one.error !== undefined)) return null
  return documents.map(one => String(one!.choices?.[0]?.delta?.content ?? '')).join('')
}

function errorText(text: string): string {
  const message = parsed(text)?.error?.message
  return typeof message === 'string' ? message : text.slice(0, ERROR_CHARS_MAX)
}

function show({ terminal }: Shell, model: string, gateway: string, plain: Outcome, streamed: Outcome): void {
  terminal.line(`${terminal.paint('bold', model)} through ${gateway}`)
  const row = (name: string, outcome: Outcome): string[] => {
    if (!outcome.ok) {
      const status = outcome.status === null ? '' : `status ${outcome.status}: `
      return [`  ${name}`, terminal.paint('red', 'failed'), status + (outcome.error ?? '')]
    }
    const times = `first byte ${outcome.first_byte_ms} ms, whole ${outcome.total_ms} ms`
    return [`  ${name}`, terminal.paint('green', 'ok'), `${times}: ${JSON.stringify(outcome.text)}`]
  }
  terminal.table([row('plain', plain), row('streamed', streamed)])
}

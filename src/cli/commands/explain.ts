// `sluice explain KEY|MODEL|CODE`: what a value is and where it came from; for a model, where a call would go and with
// whose credential; for a code of a message, what it means.

import type { Command } from 'commander'
import {
  atHosts,
  CODES,
  configJsonSchema,
  type Explained,
  type LoadedPlan,
} from '../../common/config/index.ts'
import { nearestNames } from '../../common/nearest.ts'
import { buildModelIndex, type FoundModel, findModel, loadCatalogue } from '../../routing/index.ts'
import { EXIT, Failure } from '../exit.ts'
import { endpointOf, entryName, loadTarget, targetOf } from '../loading.ts'
import { maskerOf } from '../secrets.ts'
import type { Shell } from '../terminal.ts'

interface ExplainOptions {
  readonly file?: string
  readonly path?: string
  readonly json?: boolean
}

const GUESSES_MAX = 3

export function addExplain(program: Command, shell: Shell): void {
  program
    .command('explain')
    .argument('<what>', 'a key like server.drain, a model like openai/gpt-4o, or a code like E63')
    .argument('[file]', 'configuration file; without one: config.yaml, plano_config.yaml, or the environment')
    .description('say what a key, a model or a code of a message means, and where its value came from')
    .option('--json', 'print one object for scripts')
    .option('--path <dir>', 'folder in which the file is looked for')
    .addHelpText(
      'after',
      '\nExample:\n  $ sluice explain listeners[0].port\n  $ sluice explain openai/gpt-4o-mini config.yaml\n  $ sluice explain E63',
    )
    .action((what: string, file: string | undefined, options: ExplainOptions) =>
      explain(shell, what, file, options),
    )
}

function explain(shell: Shell, what: string, file: string | undefined, options: ExplainOptions): void {
  const { terminal } = shell
  if (/^[ESW]\d{2}$/i.test(what)) {
    const code = what.toUpperCase()
    const meaning = CODES[code]
    if (meaning === undefined) throw new Failure(`there is no code ${code}`, EXIT.usage)
    if (options.json === true) terminal.json({ kind: 'code', code, meaning })
    else terminal.line(`${terminal.paint('bold', code)} ${meaning}`)
    return
  }
  const loaded = loadTarget(targetOf(shell, file, options))
  const model = findModel(buildModelIndex(loaded.plan), what)
  const found = 'provider' in model
  const key = found ? null : knownKey(loaded, what)
  if (key !== null) showKey(shell, maskedKey(key, loaded), options)
  else if (found) showModel(shell, what, model, loaded, options)
  else throw unknown(what, model.unknown, model.ambiguous)
}

/** A key that nobody set has a meaning; a slip of the fingers has neither. */
function knownKey(loaded: LoadedPlan, text: string): Explained | null {
  const key = loaded.explain(text)
  return key === null || (key.value === undefined && descriptionOf(key.path) === null) ? null : key
}

function unknown(what: string, models: readonly string[], ambiguous: boolean): Failure {
  if (ambiguous) return new Failure(`several models have this name: ${models.join(', ')}`, EXIT.usage)
  const near = [...nearestNames(what.replace(/\[\d+\]/g, '[]'), schemaKeys(), GUESSES_MAX), ...models]
  const guess = near.length === 0 ? '' : `\nDid you mean ${near.slice(0, GUESSES_MAX).join(' or ')}?`
  return new Failure(`${what} is no key of this configuration, no model and no code${guess}`, EXIT.usage)
}

// ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** An address may hold a secret in its query, and a key may hold addresses. */
function maskedKey(key: Explained, { plan }: LoadedPlan): Explained {
  if (key.value === undefined) return key
  const value: unknown = JSON.parse(maskerOf(plan)(JSON.stringify(key.value)))
  return { ...key, value }
}

function showKey({ terminal }: Shell, key: Explained, options: ExplainOptions): void {
  const meaning = descriptionOf(key.path)
  if (options.json === true) {
    terminal.json({ kind: 'key', ...key, value: key.value ?? null, meaning })
    return
  }
  terminal.line(
    `${terminal.paint('bold', key.path)} = ${key.value === undefined ? '(not set)' : JSON.stringify(key.value)}`,
  )
  terminal.line(`  from     ${key.place === null ? key.from : `${key.from}, ${key.place}`}`)
  if (key.written !== null) terminal.line(`  written  ${key.written}`)
  if (meaning !== null) terminal.line(`  meaning  ${meaning}`)
}

interface SchemaNode {
  readonly description?: string
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly additionalProperties?: SchemaNode | boolean
  readonly anyOf?: readonly SchemaNode[]
}

/** What the schema says of a key, through any of its forms. */
function descriptionOf(path: string): string | null {
  const steps = path.match(/[A-Za-z_][\w-]*|\[\d+\]|\["[^"]*"\]/g) ?? []
  let nodes: SchemaNode[] = [configJsonSchema() as SchemaNode]
  for (const step of steps) nodes = nodes.flatMap(node => below(node, step))
  return nodes.find(node => node.description !== undefined)?.description ?? null
}

function below(node: SchemaNode, step: string): SchemaNode[] {
  const found = (node.anyOf ?? []).flatMap(one => below(one, step))
  const child = step.startsWith('[') && !step.startsWith('["') ? node.items : node.properties?.[step]
  if (child !== undefined) found.push(child)
  else if (typeof node.additionalProperties === 'object') found.push(node.additionalProperties)
  return found
}

/** Every key path of the language, lists as `[]`. */
function schemaKeys(): string[] {
  const keys = new Set<string>()
  const visit = (node: SchemaNode, path: string): void => {
    for (const one of node.anyOf ?? []) visit(one, path)
    if (node.items !== undefined) visit(node.items, `${path}[]`)
    for (const [name, child] of Object.entries(node.properties ?? {})) {
      const own = path === '' ? name : `${path}.${name}`
      keys.add(own)
      visit(child, own)
    }
  }
  visit(configJsonSchema() as SchemaNode, '')
  return [...keys]
}

// ── models ────────────────────────────────────────────────────────────────────────────────────────────────────

function showModel(
  { terminal }: Shell,
  asked: string,
  { provider, upstreamModel }: FoundModel,
  loaded: LoadedPlan,
  options: ExplainOptions,
): void {
  const mask = maskerOf(loaded.plan)
  const entry = loadCatalogue().find(upstreamModel)
  const endpoints = atHosts(provider).map(at => mask(endpointOf(at, upstreamModel)))
  const facts = {
    model: asked,
    alias_of: loaded.plan.aliases[asked] ?? null,
    entry: entryName(provider),
    provider: provider.provider,
    upstream_model: upstreamModel,
    dialects: provider.dialects,
    endpoint: endpoints[0]!,
    ...(endpoints.length === 1 ? {} : { endpoints }),
    credentials: credentialsOf(loaded, provider.name),
    source: provider.sourceNote,
    fallbacks: provider.fallbacks,
    default: provider.isDefault,
    context_tokens: entry.contextTokens,
  }
  if (options.json === true) {
    terminal.json({ kind: 'model', ...facts })
    return
  }
  terminal.line(terminal.paint('bold', asked) + (facts.alias_of === null ? '' : ` is ${facts.alias_of}`))
  const rows: [string, string][] = [
    ['entry', `${facts.entry} (${facts.source})${facts.default ? ', default' : ''}`],
    ['provider', facts.provider],
    ['model there', facts.upstream_model],
    ...endpoints.map((endpoint): [string, string] => ['endpoint', endpoint]),
    ['dialects', facts.dialects.join(', ')],
    ['credentials', facts.credentials],
  ]
  if (facts.fallbacks.length > 0) rows.push(['fallbacks', facts.fallbacks.join(', ')])
  if (facts.context_tokens !== null) rows.push(['context', `${facts.context_tokens} tokens`])
  terminal.table(rows.map(([name, value]) => [`  ${name}`, value]))
}

/** Where the credential of an entry comes from; never the credential. */
export function credentialsOf(loaded: LoadedPlan, name: string): string {
  const provider = loaded.plan.providers.find(one => one.name === name)
  if (provider === undefined) return 'none'
  if (provider.passthroughAuth) return "the caller's own"
  if (provider.auth !== undefined) return authSource(provider.auth)
  const files = (provider.keyFiles ?? []).filter(file => file !== null)
  if (files.length > 0) return files.map(file => `file ${file}`).join(', ')
  if (provider.accessKeys.length === 0) return 'none'
  if (provider.sourceNote.startsWith('env ')) return `variable ${provider.sourceNote.slice('env '.length)}`
  const written = writtenKeys(loaded, name, provider.accessKeys.length)
  const literal = written.filter(variable => variable === null).length
  const variables = written.filter(variable => variable !== null)
  return [
    ...(variables.length === 0
      ? []
      : [`variable${variables.length === 1 ? '' : 's'} ${variables.join(', ')}`]),
    ...(literal === 0 ? [] : [literal === 1 ? 'a key in the file' : `${literal} keys in the file`]),
  ].join(' and ')
}

/** For each key the variable in its place, null where the key itself stands there. */
function writtenKeys(loaded: LoadedPlan, name: string, count: number): (string | null)[] {
  const variable = (key: string): string | null =>
    /^\$\{?(\w+)/.exec(loaded.explain(key)?.written ?? '')?.[1] ?? null
  // Internal entries may stand between those of the file, so the entry is found by its name or model.
  for (let at = 0; at < loaded.plan.providers.length; at++) {
    const path = `model_providers[${at}]`
    if (![`${path}.name`, `${path}.model`].some(key => loaded.explain(key)?.value === name)) continue
    const single = loaded.explain(`${path}.access_key`)
    if (single?.value !== undefined) return [variable(`${path}.access_key`)]
    return Array.from(
      { length: count },
      (_, key) => variable(`${path}.access_keys[${key}]`) ?? variable(`${path}.access_keys[${key}].key`),
    )
  }
  return Array.from({ length: count }, () => null)
}

function authSource(auth: NonNullable<LoadedPlan['plan']['providers'][number]['auth']>): string {
  switch (auth.type) {
    case 'aws':
      if (auth.accessKeyId !== null) return `AWS key in the file, region ${auth.region}`
      return `AWS ${auth.profile === null ? 'credential chain' : `profile ${auth.profile}`}, region ${auth.region}`
    case 'google':
      return auth.credentialsFile === null
        ? 'Google default credentials'
        : `Google key file ${auth.credentialsFile}`
    case 'entra':
      return `Microsoft Entra, client ${auth.clientId}`
    case 'managed_identity':
      return `Azure managed identity${auth.clientId === null ? '' : `, client ${auth.clientId}`}`
    case 'chatgpt':
      return `ChatGPT login in ${auth.file}`
  }
}

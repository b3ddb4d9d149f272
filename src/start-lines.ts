// What a person reads when the gateway starts: what is served, where each model came from, what was found in the
// environment and what was not, and one line to paste. Pure: facts in, lines out. Never a key.

import {
  DEMO_MODEL,
  issueText,
  type ListenerPlan,
  type LoadNotes,
  type Plan,
  type ProviderPlan,
} from './common/config/index.ts'
import { proxyText } from './common/proxies.ts'
import { loadCatalogue, publicModels } from './routing/index.ts'

export interface StartFacts {
  readonly plan: Plan
  readonly notes: LoadNotes
  readonly version: string
  /** Port in use by listener name. */
  readonly ports: ReadonlyMap<string, number>
  readonly adminPort: number
  readonly shards: number
  readonly acceptor: string
}

/** More would push the line to paste off the screen. */
const MODELS_SHOWN_MAX = 12

/** Of NO_PROXY; who wrote more than this knows what. */
const EXCEPTIONS_SHOWN_MAX = 8

/** Shown of a hash; the same length as in reply headers. */
const HASH_CHARS = 12

const LABEL_CHARS = 11

export function startLines(facts: StartFacts): string[] {
  const { plan, notes } = facts
  const { address } = plan.admin
  return [
    `sluice ${facts.version}, plan ${plan.hash.slice(0, HASH_CHARS)} from ${notes.sources.join(' and ')}`,
    ...labelled(
      'listening',
      plan.listeners.map(listener => listening(listener, facts.ports)),
    ),
    ...labelled('models', modelLines(plan)),
    ...labelled('found', listed(notes.found)),
    ...labelled('not found', listed(notes.missing)),
    ...labelled('changed', notes.migrations),
    ...labelled('warning', notes.warnings.map(issueText)),
    ...labelled('not active', listed(notes.notActive)),
    ...labelled('admin', [
      `http://${shownHost(address)}:${facts.adminPort} (/healthz /readyz /metrics /config)`,
    ]),
    ...labelled('threads', [`${count(facts.shards, 'shard')}, ${facts.acceptor} acceptor`]),
    ...labelled('proxy', proxyLines(plan)),
    ...labelled('try', tryLines(plan, facts.ports)),
  ]
}

/** Which proxies calls go through, and what stays away from them. */
function proxyLines({ upstream: { proxies } }: Plan): string[] {
  if (proxies === undefined) return []
  const { http, https, except } = proxies
  const [forHttp, forHttps] = [http, https].map(proxy => (proxy === null ? null : proxyText(proxy)))
  const lines =
    forHttp === forHttps
      ? [`${forHttp} for every upstream`]
      : [
          ...(forHttps === null ? [] : [`${forHttps} for https upstreams`]),
          ...(forHttp === null ? [] : [`${forHttp} for http upstreams`]),
        ]
  const shown = except.slice(0, EXCEPTIONS_SHOWN_MAX)
  if (except.length > shown.length) shown.push(`and ${except.length - shown.length} more`)
  return [...lines, `none for ${['this machine', ...shown].join(', ')}`]
}

function labelled(label: string, lines: readonly string[]): string[] {
  return lines.map((line, at) => `  ${(at === 0 ? label : '').padEnd(LABEL_CHARS)}${line}`)
}

function listed(names: readonly string[]): string[] {
  return names.length === 0 ? [] : [names.join(', ')]
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

function listening(listener: ListenerPlan, ports: ReadonlyMap<string, number>): string {
  return `${originOf(listener, ports)} (${listener.name})`
}

function originOf(listener: ListenerPlan, ports: ReadonlyMap<string, number>): string {
  const scheme = listener.tls === null ? 'http' : 'https'
  return `${scheme}://${shownHost(listener.address)}:${ports.get(listener.name) ?? listener.port}`
}

function shownHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

/** Entries with a credential of ours first, one line each; what only passes the caller's on, in one line together. */
function modelLines(plan: Plan): string[] {
  const visible = plan.providers.filter(provider => !provider.internal)
  const own = visible.filter(provider => !provider.passthroughAuth)
  const lines = own.slice(0, MODELS_SHOWN_MAX).map(modelLine)
  if (own.length > lines.length) lines.push(`and ${own.length - lines.length} more at /v1/models`)
  const passed = visible.filter(provider => provider.passthroughAuth)
  if (passed.length > 0) {
    lines.push(`${passed.map(modelName).join(', ')}: with the caller's own credential`)
  }
  return lines.length === 0 ? ['none'] : lines
}

function modelLine(provider: ProviderPlan): string {
  const isDefault = provider.isDefault ? ', default' : ''
  if (provider.provider === 'demo') {
    return `${DEMO_MODEL} (demo: built in, repeats what it hears; not a model${isDefault})`
  }
  return `${modelName(provider)} (${provider.sourceNote}${isDefault})`
}

function modelName(provider: ProviderPlan): string {
  return provider.wildcardPrefix === null ? provider.name : `${provider.wildcardPrefix}/*`
}

/** A call that works when pasted: a model we have a credential for, on a path its provider speaks. */
function tryLines(plan: Plan, ports: ReadonlyMap<string, number>): string[] {
  const listener = plan.listeners.find(one => one.type === 'model')
  if (listener === undefined) return []
  const example = exampleModel(plan)
  if (example === null) return []
  const { provider, model } = example
  const origin = originOf(listener, ports)
    .replace('//0.0.0.0:', '//127.0.0.1:')
    .replace('//[::]:', '//[::1]:')
  const messages = [{ role: 'user', content: 'Hello' }]
  const anthropic =
    provider.dialects.includes('anthropic-messages') && !provider.dialects.includes('openai-chat')
  const path = anthropic ? '/v1/messages' : '/v1/chat/completions'
  const body = anthropic ? { model, max_tokens: 100, messages } : { model, messages }
  const headers = [`-H 'content-type: application/json'`]
  if (provider.passthroughAuth) headers.push(`-H "authorization: Bearer $YOUR_KEY"`)
  const insecure = listener.tls === null ? '' : ' -k'
  return [`curl${insecure} ${origin}${path} ${headers.join(' ')} -d '${JSON.stringify(body)}'`]
}

/** Credentials of ours first: the default, then any, then the demo; last what needs the caller's own. */
function exampleModel(plan: Plan): { provider: ProviderPlan; model: string } | null {
  const visible = plan.providers.filter(provider => !provider.internal)
  const own = visible.filter(provider => !provider.passthroughAuth)
  const real = own.filter(provider => provider.provider !== 'demo')
  const provider = own.find(({ isDefault }) => isDefault) ?? real[0] ?? own[0] ?? visible[0]
  if (provider === undefined) return null
  if (provider.wildcardPrefix === null) return { provider, model: provider.name }
  return {
    provider,
    model: cheapestUnder(provider.wildcardPrefix, plan) ?? `${provider.wildcardPrefix}/MODEL`,
  }
}

/** A known model of a wildcard that answers with text: whoever tries something first does not want the dearest. */
function cheapestUnder(prefix: string, plan: Plan): string | null {
  const catalogue = loadCatalogue()
  const known = publicModels(plan)
    .filter(({ id }) => id.startsWith(`${prefix}/`))
    .map(({ id }) => ({ id, entry: catalogue.find(id) }))
    .filter(({ entry }) => entry.output.includes('text'))
  const price = ({ entry }: (typeof known)[number]) => entry.price?.output ?? Number.POSITIVE_INFINITY
  return known.sort((a, b) => price(a) - price(b))[0]?.id ?? null
}

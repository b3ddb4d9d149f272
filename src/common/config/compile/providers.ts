// `model_providers` to the entries of the plan: names, ids, vendors, addresses, credentials. Owns every rule that
// needs a whole entry or several; the rules are tried in the order of the reference, so that a file with one
// mistake gets the same verdict from both.

import type { DialectId } from '../../../translate/index.ts'
import { nearestNames } from '../../nearest.ts'
import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type { ProviderPlan } from '../plan.ts'
import type { ProviderEntry } from '../schema/providers.ts'
import { VENDORS, type Vendor, vendorNamed, vendorOf } from '../vendors.ts'
import { type BaseUrl, dialectPrefixes } from './base-url.ts'
import type { ModelNames } from './names.ts'
import { checkRegions, providerAuth, regionalAddress } from './provider-auth.ts'
import { keyFiles, providerExtras } from './provider-extras.ts'
import { providerHeaders } from './provider-headers.ts'
import { checkWays, hostPlans, namesHost, writtenHosts } from './provider-hosts.ts'
import { providerKeys } from './provider-keys.ts'
import { specialHeaders } from './special-headers.ts'

export interface ProviderSources {
  readonly findings: Findings
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths of the file start here. */
  readonly folder: string
  /** What stood in the file before references were replaced. */
  readonly writtenAt?: (path: Path) => string | undefined
  /** Where entry `at` came from. */
  readonly noteOf: (at: number) => string
}

interface Named {
  readonly entry: ProviderEntry
  readonly path: Path
  readonly name: string
  readonly prefix: string
  readonly id: string
  readonly wildcard: boolean
}

export function compileProviders(
  entries: readonly ProviderEntry[],
  sources: ProviderSources,
): ProviderPlan[] {
  const named = nameEntries(entries, sources.findings)
  checkDefaults(named, sources.findings)
  // Of two equal wildcards the later one replaces the earlier.
  const providers = new Map<string, ProviderPlan>()
  for (const [at, one] of named) {
    const provider = compileEntry(one, sources, sources.noteOf(at))
    if (provider === null) continue
    providers.delete(provider.name)
    providers.set(provider.name, provider)
  }
  return [...providers.values()]
}

function nameEntries(entries: readonly ProviderEntry[], findings: Findings): Map<number, Named> {
  const named = new Map<number, Named>()
  const names = new Set<string>()
  const models = new Set<string>()
  const ids = new Map<string, string>()
  for (const [at, entry] of entries.entries()) {
    const path: Path = ['model_providers', at]
    const slash = entry.model.indexOf('/')
    const wildcard = entry.model.split('/').at(-1) === '*'
    const name = entry.name ?? entry.model
    if (names.has(name) && (entry.name !== undefined || (!wildcard && !models.has(name)))) {
      const message = 'another entry has this name; names are unique'
      findings.error({ code: 'E11', path: [...path, entry.name === undefined ? 'model' : 'name'], message })
      continue
    }
    if (models.has(entry.model) && !wildcard) {
      const message = 'this model stands twice; give the entries different models'
      findings.error({ code: 'E12', path: [...path, 'model'], message })
      continue
    }
    if (slash < 0 || slash === entry.model.length - 1) {
      findings.error(modelForm(entry.model, [...path, 'model']))
      continue
    }
    const id = entry.model.slice(slash + 1)
    names.add(name)
    models.add(entry.model)
    if (wildcard && names.has(`${name}\n*`)) {
      const message = 'this wildcard stands twice; the last one is used'
      findings.warn({ code: 'W06', path: [...path, 'model'], message })
    }
    if (wildcard) names.add(`${name}\n*`)
    else if (ids.has(id)) {
      const message = `\`${ids.get(id)!}\` has the same model id, so the bare name \`${id}\` means neither; callers use full names`
      findings.warn({ code: 'W07', path: [...path, 'model'], message, showFound: false })
    } else ids.set(id, name)
    named.set(at, { entry, path, name, prefix: entry.model.slice(0, slash).trim(), id, wildcard })
  }
  return named
}

function modelForm(model: string, path: Path) {
  const bare = model.replace(/\/$/, '')
  const known = VENDORS.find(row => row.id === bare)
  const suggestions = known !== undefined ? [`${bare}/*`] : guessVendor(bare)
  const message = 'a model is written `<vendor>/<model>`, or `<vendor>/*` for all of them'
  return { code: 'E13', path, message, suggestions }
}

/** Families whose vendor everybody knows. */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/^(?:gpt|o\d|chatgpt)/, 'openai'],
  [/^claude/, 'anthropic'],
  [/^gemini/, 'gemini'],
  [/^(?:mistral|codestral|ministral|magistral)/, 'mistral'],
  [/^deepseek/, 'deepseek'],
  [/^grok/, 'xai'],
  [/^kimi/, 'moonshotai'],
  [/^glm/, 'zhipu'],
]

function guessVendor(model: string): string[] {
  const found = FAMILIES.find(([family]) => family.test(model))
  return found === undefined ? [] : [`${found[1]}/${model}`]
}

function checkDefaults(named: ReadonlyMap<number, Named>, findings: Findings): void {
  let first: Named | null = null
  for (const one of named.values()) {
    if (!one.entry.default) continue
    const path = [...one.path, 'default']
    if (one.wildcard) {
      const message = `a wildcard cannot be the default; list one model of \`${one.prefix}\` and make it the default`
      findings.error({ code: 'E14', path, message, showFound: false })
    } else if (first === null) first = one
    else {
      const message = `\`${first.name}\` is the default already; at most one entry may be`
      findings.error({ code: 'E61', path, message, showFound: false })
    }
  }
}

function compileEntry(one: Named, sources: ProviderSources, sourceNote: string): ProviderPlan | null {
  const { entry } = one
  const { findings } = sources
  const known = vendorOf(one.prefix)
  const vendor = known ?? customVendor(one, findings)
  if (vendor === null) return null
  if (known !== null && !checkKnown(one, known, findings)) return null
  const hosts = writtenHosts(entry, one.path, one.name, vendor, findings)
  if (hosts === null) return null
  const base = hosts[0]?.base ?? null
  const regional = base === null ? regionalAddress(entry, vendor) : null
  const origin = base?.origin ?? regional?.origin ?? vendor.origin
  if (origin === null) return null
  const { keys, passthroughAuth } = providerKeys(entry, one.path, one.name, vendor, findings)
  checkWays(hosts.length, keys.length, one.path, one.name, findings)
  const keyed = keys.length > 0 || passthroughAuth
  const auth = providerAuth(entry, one.path, vendor, origin, keyed, sources)
  checkRegions(auth, hosts, findings)
  const presets = specialHeaders(one.id, one.name, vendor, base, sources.env)
  return {
    name: one.name,
    provider: vendor.id,
    model: one.wildcard ? '*' : one.id,
    wildcardPrefix: one.wildcard ? one.name.replace(/\/\*$/, '') : null,
    dialects: dialectsOf(entry, vendor, known === null),
    origin,
    pathPrefix: base === null ? (regional?.root ?? vendor.pathPrefix) : prefixOf(base, one),
    dialectPrefixes: dialectPrefixes(base, vendor),
    accessKeys: keys,
    fallbacks: entry.fallbacks ?? [],
    passthroughAuth,
    keyOptional: base !== null || vendor.keyOptional || auth !== null,
    headers: providerHeaders(entry, one.path, presets, findings),
    httpHost: entry.http_host ?? null,
    isDefault: entry.default && !one.wildcard,
    internal: false,
    sourceNote,
    ...(auth === null ? {} : { auth }),
    ...providerExtras(entry, base, known === null),
    ...hostPlans(entry, hosts, vendor, host => prefixOf(host, one)),
    ...keyFiles(entry, one.path, keys.length, sources),
  }
}

function prefixOf(base: BaseUrl, { name }: Named): string {
  return name.startsWith('perplexity/') && base.pathPrefix === '/v1' ? '' : base.pathPrefix
}

function customVendor(one: Named, findings: Findings): Vendor | null {
  const { entry, path, prefix } = one
  const missing = [
    ...(namesHost(entry) ? [] : ['base_url']),
    ...(entry.provider_interface === undefined ? ['provider_interface'] : []),
  ]
  if (missing.length === 0) return vendorOf(entry.provider_interface!)
  const prefixes = VENDORS.map(row => row.id)
  const near = vendorNamed(prefix)?.id
  findings.error({
    code: 'E16',
    path: [...path, 'model'],
    message: `\`${prefix}\` is not a known vendor, so the entry also needs ${missing.join(' and ')}`,
    allowed: prefixes.join(', '),
    suggestions: near === undefined ? nearestNames(prefix, prefixes, 1) : [near],
  })
  return null
}

function checkKnown(one: Named, vendor: Vendor, findings: Findings): boolean {
  const { entry, path } = one
  if (vendor.baseUrlRequired && !namesHost(entry) && regionalAddress(entry, vendor) === null) {
    const message = `\`${vendor.id}\` needs \`base_url\`: only you know where yours lives`
    findings.error({ code: 'E15', path, message, showFound: false })
    return false
  }
  if (entry.provider_interface !== undefined) {
    const message = `the prefix \`${vendor.id}\` already says which interface is spoken; remove \`provider_interface\`, or use a prefix of your own`
    findings.error({ code: 'E17', path: [...path, 'provider_interface'], message })
    return false
  }
  return true
}

function dialectsOf(entry: ProviderEntry, vendor: Vendor, custom: boolean): readonly DialectId[] {
  const own = entry.upstream_api
  if (own !== undefined) return [...new Set(typeof own === 'string' ? [own] : own)]
  // A host of one's own that says "like openai" promises the chat interface; the rest has to be declared.
  if (custom && vendor.dialects.includes('openai-chat')) return ['openai-chat']
  return vendor.dialects
}

/** Fallbacks are names like those of callers; a mistake would only show when everything else has failed. */
export function checkFallbacks(
  entries: readonly ProviderEntry[],
  names: ModelNames,
  aliases: Readonly<Record<string, string>>,
  findings: Findings,
): void {
  for (const [at, entry] of entries.entries()) {
    for (const [index, fallback] of (entry.fallbacks ?? []).entries()) {
      const path = ['model_providers', at, 'fallbacks', index]
      const meaning = names.meaning(fallback, aliases)
      if (meaning.kind === 'several') {
        const message = 'several entries have this model id; name one of them'
        findings.error({ code: 'S15', path, message, allowed: meaning.names.join(', ') })
      } else if (meaning.kind === 'none') {
        const message = 'this fallback is not configured'
        findings.error({ code: 'S15', path, message, allowed: names.shown(), suggestions: meaning.nearest })
      } else if (meaning.name === (entry.name ?? entry.model)) {
        findings.warn({ code: 'W21', path, message: 'this entry is its own fallback', showFound: false })
      }
    }
  }
}

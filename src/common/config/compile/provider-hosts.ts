// `base_url` and `base_urls` to the addresses of an entry. Owns their rules; each is read by the rules of `base_url`.

import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type { HostPlan } from '../plan.ts'
import type { ProviderEntry } from '../schema/providers.ts'
import type { Vendor } from '../vendors.ts'
import { type BaseUrl, dialectPrefixes, parseBaseUrl } from './base-url.ts'
import { addressExtras } from './provider-extras.ts'

/** Hosts × keys of an entry: each is judged by itself, and every call puts them in order. */
const WAYS_MAX = 256

export interface WrittenHost {
  readonly base: BaseUrl
  readonly weight: number
  readonly path: Path
}

/** True when the entry itself says where its provider lives. */
export function namesHost(entry: ProviderEntry): boolean {
  return entry.base_url !== undefined || entry.base_urls !== undefined
}

/** In the order of the file, `base_url` first; null when one of them is wrong. */
export function writtenHosts(
  entry: ProviderEntry,
  path: Path,
  name: string,
  vendor: Vendor,
  findings: Findings,
): readonly WrittenHost[] | null {
  const written = (entry.base_urls ?? []).map(({ url, weight }, at) => ({
    url,
    weight,
    path: [...path, 'base_urls', at],
  }))
  if (entry.base_url !== undefined) {
    written.unshift({ url: entry.base_url, weight: 1, path: [...path, 'base_url'] })
  }
  const hosts: WrittenHost[] = []
  for (const { url, weight, path: at } of written) {
    const base = readBaseUrl(url, at, name, vendor, findings)
    if (base === null) continue
    if (hosts.some(other => samePlace(other.base, base))) {
      const message = `\`${name}\` has this address already; give it a weight instead`
      findings.error({ code: 'S25', path: at, message })
      continue
    }
    hosts.push({ base, weight, path: at })
  }
  return hosts.length === written.length ? hosts : null
}

function samePlace(one: BaseUrl, other: BaseUrl): boolean {
  return one.origin === other.origin && one.pathPrefix === other.pathPrefix && one.query === other.query
}

function readBaseUrl(
  url: string,
  path: Path,
  name: string,
  vendor: Vendor,
  findings: Findings,
): BaseUrl | null {
  if (url.trim() === '') {
    const message = `the address of \`${name}\` is empty, so there is no upstream to call; write it or remove the key`
    findings.error({ code: 'E70', path, message, showFound: false })
    return null
  }
  const base = parseBaseUrl(url, vendor)
  if (base === null) {
    const message = `the address of \`${name}\` must start with http:// or https:// and name a host`
    const suggestions = /^[\w.-]+(?::\d+)?(?:\/|$)/.test(url) ? [`https://${url}`] : []
    findings.error({ code: 'E19', path, message, suggestions })
    return null
  }
  if (base.dropped.length > 0) {
    const message = `this part of the address is not sent: ${base.dropped.join(', ')}`
    findings.warn({ code: 'W08', path, message, showFound: false })
  }
  return base
}

/** The addresses of an entry with several; nothing for one. `pathPrefix` is what the entry has in place of the URL's. */
export function hostPlans(
  entry: ProviderEntry,
  hosts: readonly WrittenHost[],
  vendor: Vendor,
  prefixOf: (base: BaseUrl) => string,
): { readonly hosts?: readonly HostPlan[] } {
  if (hosts.length < 2) return {}
  const authorities = hosts.map(({ base }) => base.host)
  const shared = new Set(authorities.filter((host, at) => authorities.indexOf(host) !== at))
  const plans = hosts.map(({ base, weight }, at) => {
    const pathPrefix = prefixOf(base)
    const place = shared.has(base.host) ? `${base.host}${pathPrefix}` : base.host
    return {
      // Two that differ in their query alone are told apart by their place: a query may hold a secret.
      label: hosts.some((other, index) => index < at && sameButQuery(other.base, base))
        ? `${place} (${at})`
        : place,
      origin: base.origin,
      pathPrefix,
      dialectPrefixes: dialectPrefixes(base, vendor),
      ...addressExtras(entry, base),
      weight,
    }
  })
  return { hosts: plans }
}

function sameButQuery(one: BaseUrl, other: BaseUrl): boolean {
  return one.origin === other.origin && one.pathPrefix === other.pathPrefix
}

/** Hosts times keys is bounded. */
export function checkWays(hosts: number, keys: number, path: Path, name: string, findings: Findings): void {
  const ways = hosts * Math.max(1, keys)
  if (hosts < 2 || ways <= WAYS_MAX) return
  const message = `\`${name}\` has ${hosts} addresses and ${keys} keys, which are ${ways} ways to call it; at most ${WAYS_MAX} are kept apart`
  findings.error({ code: 'S24', path: [...path, 'base_urls'], message, showFound: false })
}

// `base_url` to origin and path. A URL without a path keeps the usual root of the vendor; one with a path replaces
// it, after repairing what people paste: a whole endpoint, a root without its version.

import type { Vendor } from '../vendors.ts'

export interface BaseUrl {
  /** `scheme://host:port`, the port only when it is not the usual one of the scheme. */
  readonly origin: string
  readonly pathPrefix: string
  readonly host: string
  /** Goes along with every call; without `?`. */
  readonly query: string
  /** What was dropped, for a warning: `fragment`, `user info`. */
  readonly dropped: readonly string[]
}

const ENDPOINT =
  /\/(?:chat\/completions|completions|responses|messages(?:\/count_tokens)?|embeddings|models)$/

/** Null when the text is not an absolute http or https URL. */
export function parseBaseUrl(text: string, vendor: Vendor): BaseUrl | null {
  if (!/^https?:\/\/[^/?#]/i.test(text) || !URL.canParse(text)) return null
  const url = new URL(text)
  const dropped: string[] = []
  if (url.hash !== '') dropped.push('fragment')
  if (url.username !== '' || url.password !== '') dropped.push('user info')
  const path = url.pathname.replace(/\/+$/, '')
  const pathPrefix = path === '' ? vendor.pathPrefix : repaired(path, url.hostname, vendor)
  return { origin: url.origin, pathPrefix, host: url.host, query: url.search.slice(1), dropped }
}

function repaired(path: string, host: string, vendor: Vendor): string {
  const root = path.replace(ENDPOINT, '').replace(/\/+$/, '')
  if (host === 'api.kimi.com' && root.endsWith('/coding')) return `${root}/v1`
  switch (vendor.id) {
    case 'gemini':
      return /\/v1(?:beta)?$/.test(root) ? `${root}/openai` : root
    case 'groq':
      return root.endsWith('/openai') ? `${root}/v1` : root
    default:
      return root
  }
}

/** Roots of dialects that live elsewhere than `pathPrefix`. */
export function dialectPrefixes(base: BaseUrl | null, vendor: Vendor): Vendor['dialectPrefixes'] {
  if (base === null || base.pathPrefix === vendor.pathPrefix) return vendor.dialectPrefixes
  if (vendor.id !== 'gemini') return {}
  return { 'gemini-generate': base.pathPrefix.replace(/\/openai$/, '') }
}

// How a provider wants to be shown a key, and which of the caller's fields stay. The caller's own credential goes
// upstream only where the provider is configured with `passthrough_auth`. What has to be obtained, renewed or computed
// is `auth/`. Facts: `translation` specification, section 2.5, and the vendors' references.

import type { ProviderPlan } from '../common/config/plan.ts'
import { GatewayError } from '../common/errors.ts'
import { type HeaderList, headerValue } from '../common/headers.ts'
import type { DialectId } from '../translate/index.ts'

const ANTHROPIC_VERSION = '2023-06-01'
/** Three parts of base64: a token of Entra, where Azure's own keys are plain letters and digits. */
const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/
/** Access tokens of Google, where its keys begin with `AIza`. */
const GOOGLE_TOKEN = /^ya29\./
/** A key, with or without its scheme; other schemes (a signature, a password) were made for us and nobody else. */
const BEARER = /^(?:bearer\s+)?(\S+)$/i
/** Hosts that take Messages under their own Bearer keys. */
const BEARER_MESSAGES: ReadonlySet<string> = new Set(['openrouter', 'vercel'])

/** Who asks: its header fields, and path and query as it sent them. */
export interface Caller {
  readonly headers: HeaderList
  readonly target: string
}

/**
 * Adds credential, version and configured fields to `out`; configured fields replace what stands there.
 * `configuredKey` is the one of the provider's keys that this try uses.
 */
export function addProviderHeaders(
  provider: ProviderPlan,
  dialect: DialectId,
  caller: Caller,
  out: string[],
  configuredKey: string | null,
): void {
  const key = provider.passthroughAuth ? callersKey(caller) : configuredKey
  if (key === null && needsKey(provider)) throw noCredential(provider)
  if (dialect !== 'anthropic-messages') {
    dropHeader(out, 'anthropic-version')
    dropHeader(out, 'anthropic-beta')
  } else if (headerValue(out, 'anthropic-version') === null) out.push('anthropic-version', ANTHROPIC_VERSION)
  if (key !== null) for (const text of keyField(provider.provider, dialect, key)) out.push(text)
  if (provider.httpHost !== null) out.push('host', provider.httpHost)
  for (let at = 0; at < provider.headers.length; at += 2) {
    const name = provider.headers[at]!
    dropHeader(out, name)
    out.push(name, provider.headers[at + 1]!)
  }
}

/** Name and value of the field that carries a key. */
export function keyField(vendor: string, dialect: DialectId, key: string): readonly [string, string] {
  switch (dialect) {
    case 'anthropic-messages':
      // Tokens of a login, and of hosts that only resell, are Bearer.
      if (key.startsWith('sk-ant-oat') || BEARER_MESSAGES.has(vendor) || vendor === 'vertex') break
      return ['x-api-key', key]
    case 'gemini-generate':
      return GOOGLE_TOKEN.test(key) ? ['authorization', `Bearer ${key}`] : ['x-goog-api-key', key]
    case 'openai-chat':
    case 'openai-responses':
      if (vendor === 'azure_openai' && !JWT.test(key)) return ['api-key', key]
  }
  return ['authorization', `Bearer ${key}`]
}

/** A host that the operator named may need no key (a local model server); a vendor's own host always does. */
function needsKey(provider: ProviderPlan): boolean {
  return !provider.passthroughAuth && !provider.keyOptional && provider.auth === undefined
}

function noCredential(provider: ProviderPlan): GatewayError {
  const message = `provider \`${provider.name}\` has no access_key and does not pass the caller's on`
  return new GatewayError('no-credential', message)
}

/** The provider is to be shown the caller's credential, and the caller shows none. */
export function lacksCredential(provider: ProviderPlan, caller: Caller): boolean {
  return provider.passthroughAuth && callersKey(caller) === null
}

/** Whatever style the caller's own dialect has, its key is shown in the provider's. */
function callersKey({ headers, target }: Caller): string | null {
  const authorization = headerValue(headers, 'authorization')
  const bearer = authorization === null ? null : BEARER.exec(authorization)
  return (
    bearer?.[1] ??
    headerValue(headers, 'x-api-key') ??
    headerValue(headers, 'x-goog-api-key') ??
    headerValue(headers, 'api-key') ??
    keyInQuery(target)
  )
}

/** Gemini's clients may write their key into the query. Decoded, so that it could hold what no field may. */
function keyInQuery(target: string): string | null {
  const mark = target.indexOf('?')
  const key = mark < 0 ? null : new URLSearchParams(target.slice(mark + 1)).get('key')
  return key !== null && /^[\x21-\x7e]+$/.test(key) ? key : null
}

/** Fields with `more` in place of those of the same names. */
export function withFields(fields: HeaderList, more: HeaderList): string[] {
  const out = [...fields]
  for (let at = 0; at < more.length; at += 2) dropHeader(out, more[at]!)
  out.push(...more)
  return out
}

function dropHeader(headers: string[], name: string): void {
  for (let at = headers.length - 2; at >= 0; at -= 2) {
    if (headers[at] === name) headers.splice(at, 2)
  }
}

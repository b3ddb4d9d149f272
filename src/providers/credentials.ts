// How a provider wants to be shown a key. The caller's own credential goes upstream only where the provider is
// configured with `passthrough_auth`. Facts: `translation` specification, section 2.5.

import type { ProviderPlan } from '../common/config/plan.ts'
import { GatewayError } from '../common/errors.ts'
import { type HeaderList, headerValue } from '../common/headers.ts'
import type { DialectId } from '../translate/index.ts'

const ANTHROPIC_VERSION = '2023-06-01'

/**
 * Adds credential, version and configured fields to `out`; configured fields replace what stands there.
 * `configuredKey` is the one of the provider's keys that this try uses.
 */
export function addProviderHeaders(
  provider: ProviderPlan,
  dialect: DialectId,
  client: HeaderList,
  out: string[],
  configuredKey: string | null,
): void {
  const key = provider.passthroughAuth ? callersKey(client) : configuredKey
  if (key === null && needsKey(provider)) {
    throw new GatewayError(
      'no-credential',
      `provider \`${provider.name}\` has no access_key and does not pass the caller's on`,
    )
  }
  if (dialect === 'anthropic-messages') {
    if (key !== null) {
      if (key.startsWith('sk-ant-oat')) out.push('authorization', `Bearer ${key}`)
      else out.push('x-api-key', key)
    }
    if (headerValue(out, 'anthropic-version') === null) out.push('anthropic-version', ANTHROPIC_VERSION)
  } else {
    dropHeader(out, 'anthropic-version')
    dropHeader(out, 'anthropic-beta')
    if (key !== null) {
      if (dialect === 'gemini-generate') out.push('x-goog-api-key', key)
      else out.push('authorization', `Bearer ${key}`)
    }
  }
  for (let at = 0; at < provider.headers.length; at += 2) {
    const name = provider.headers[at]!
    dropHeader(out, name)
    out.push(name, provider.headers[at + 1]!)
  }
}

/** A host that the operator named may need no key (a local model server); a vendor's own host always does. */
function needsKey(provider: ProviderPlan): boolean {
  return !provider.passthroughAuth && !provider.keyOptional
}

function callersKey(client: HeaderList): string | null {
  const authorization = headerValue(client, 'authorization')
  if (authorization !== null) return authorization.replace(/^bearer\s+/i, '')
  return headerValue(client, 'x-api-key') ?? headerValue(client, 'x-goog-api-key')
}

function dropHeader(headers: string[], name: string): void {
  for (let at = headers.length - 2; at >= 0; at -= 2) {
    if (headers[at] === name) headers.splice(at, 2)
  }
}

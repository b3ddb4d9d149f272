// `access_key`, `access_keys`, `passthrough_auth`: with what a provider is called.

import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type { WeightedKey } from '../plan.ts'
import type { ProviderEntry } from '../schema/providers.ts'
import { WeightedSecret } from '../secret.ts'
import type { Vendor } from '../vendors.ts'
import { regionalAddress } from './provider-auth.ts'
import { namesHost } from './provider-hosts.ts'

export interface ProviderKeys {
  readonly keys: readonly WeightedKey[]
  readonly passthroughAuth: boolean
}

/** A key goes into a header field, where anything but printable ASCII breaks the call. */
const USABLE_KEY = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/

export function providerKeys(
  entry: ProviderEntry,
  path: Path,
  name: string,
  vendor: Vendor,
  findings: Findings,
): ProviderKeys {
  const keys = keysOf(entry, path, findings)
  if (entry.passthrough_auth && keys.length > 0) {
    const message = `\`${name}\` passes the caller's credential on, so its key is not used`
    findings.warn({ code: 'W09', path: [...path, 'passthrough_auth'], message, showFound: false })
  }
  // A subscription has no key of its own: without one the caller's is meant.
  const subscription = vendor.id === 'chatgpt' && keys.length === 0 && entry.auth === undefined
  const passthroughAuth = entry.passthrough_auth || subscription
  const alone = !namesHost(entry) && entry.auth === undefined && !vendor.keyOptional
  if (keys.length === 0 && !passthroughAuth && alone && regionalAddress(entry, vendor) === null) {
    const variable = vendor.envKey ?? `${vendor.id.toUpperCase()}_API_KEY`
    const message = `\`${name}\` has no credential: add \`access_key: $${variable}\` or \`passthrough_auth: true\``
    findings.warn({ code: 'W10', path, message, showFound: false })
  }
  return { keys: passthroughAuth ? [] : keys, passthroughAuth }
}

/** Blanks and line ends around a key come from files and shells; no vendor issues keys with them. */
function keysOf(entry: ProviderEntry, path: Path, findings: Findings): WeightedKey[] {
  const written: { key: WeightedKey; path: Path }[] = (entry.access_keys ?? []).map((key, at) => ({
    key,
    path: [...path, 'access_keys', at],
  }))
  if (entry.access_key !== undefined) {
    const key = new WeightedSecret(entry.access_key.secret, 1)
    written.unshift({ key, path: [...path, 'access_key'] })
  }
  return written.flatMap(({ key, path: at }) => {
    const secret = key.secret.trim()
    if (secret === '') return []
    if (!USABLE_KEY.test(secret)) {
      const message = 'this key has a line break or another character that no header field can carry'
      findings.error({ code: 'S17', path: at, message, showFound: false })
    }
    return [new WeightedSecret(secret, key.weight)]
  })
}

// `model_providers[].headers`: fields that every call carries. Refuses what is no field, and what belongs to a
// connection and not to a call: such a field could end a request early and begin another.

import { HOP_BY_HOP } from '../../headers.ts'
import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type { ProviderEntry } from '../schema/providers.ts'

const FIELD_NAME = /^[!#$%&'*+.^_`|~\w-]+$/
/** What RFC 9110 allows in a value, and text beyond ASCII as bytes. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\uffff]*$/

/** Name, value, name, value; `presets` are replaced by what is configured. */
export function providerHeaders(
  entry: ProviderEntry,
  path: Path,
  presets: readonly (readonly [string, string])[],
  findings: Findings,
): readonly string[] {
  const headers = new Map(presets)
  for (const [name, value] of Object.entries(entry.headers ?? {})) {
    const lower = name.toLowerCase()
    const fault = faultOf(lower, value)
    if (fault === null) headers.set(lower, value)
    else {
      const at = [...path, 'headers', name]
      findings.error({ code: fault.code, path: at, at: 'key', message: fault.message, showFound: false })
    }
  }
  // The order of a map means nothing, so it must not change the hash.
  return [...headers].sort(([a], [b]) => (a < b ? -1 : 1)).flat()
}

function faultOf(name: string, value: string): { code: string; message: string } | null {
  if (!FIELD_NAME.test(name) || !FIELD_VALUE.test(value)) {
    const message = 'this is not a header field: letters, digits and dashes, and a value on one line'
    return { code: 'E01', message }
  }
  if (name === 'host') return { code: 'S16', message: 'the Host field is set with `http_host`' }
  if (HOP_BY_HOP.has(name) || name === 'content-length') {
    return { code: 'S16', message: `\`${name}\` belongs to the connection, which the gateway itself keeps` }
  }
  return null
}

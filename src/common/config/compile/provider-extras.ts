// Rare members of a provider's plan, there only where the file or its address says something about them.

import type { Path } from '../places.ts'
import { resolve } from 'node:path'
import { durationMs } from '../durations.ts'
import type { ProviderPlan, ProviderWaits } from '../plan.ts'
import type { ProviderEntry } from '../schema/providers.ts'
import type { BaseUrl } from './base-url.ts'

type Extras = Pick<
  ProviderPlan,
  'query' | 'custom' | 'apiVersion' | 'cacheMarks' | 'retryUnsafe' | 'strict' | 'streamOptions' | 'waits'
>

export function providerExtras(entry: ProviderEntry, base: BaseUrl | null, custom: boolean): Extras {
  return {
    ...addressExtras(entry, base),
    ...(custom ? { custom } : {}),
    ...(entry.cache_marks ? { cacheMarks: true } : {}),
    ...(entry.strict ? { strict: true } : {}),
    ...(entry.retry_unsafe ? { retryUnsafe: true } : {}),
    ...(entry.stream_options === undefined ? {} : { streamOptions: entry.stream_options }),
    ...(entry.waits === undefined ? {} : { waits: providerWaits(entry.waits) }),
  }
}

/** What an address says beside its place. */
export function addressExtras(
  entry: ProviderEntry,
  base: BaseUrl | null,
): Pick<ProviderPlan, 'query' | 'apiVersion'> {
  const query = new URLSearchParams(base?.query ?? '')
  // A pasted Azure address says its version itself.
  const apiVersion = entry.api_version ?? query.get('api-version') ?? undefined
  query.delete('api-version')
  return {
    ...(query.size === 0 ? {} : { query: query.toString() }),
    ...(apiVersion === undefined ? {} : { apiVersion }),
  }
}

function providerWaits(waits: NonNullable<ProviderEntry['waits']>): ProviderWaits {
  const { connect, headers, first_byte, first_content, between_bytes } = waits
  return {
    ...(connect === undefined ? {} : { connectMs: durationMs(connect)! }),
    ...(headers === undefined ? {} : { headersMs: durationMs(headers)! }),
    ...(first_byte === undefined ? {} : { firstByteMs: durationMs(first_byte)! }),
    ...(first_content === undefined ? {} : { firstContentMs: durationMs(first_content)! }),
    ...(between_bytes === undefined ? {} : { betweenBytesMs: durationMs(between_bytes)! }),
  }
}

/** The files behind keys written as `file:PATH`, in the order of the keys; nothing when there are none. */
export function keyFiles(
  entry: ProviderEntry,
  path: Path,
  keys: number,
  sources: { readonly folder: string; readonly writtenAt?: (path: Path) => string | undefined },
): Pick<ProviderPlan, 'keyFiles'> {
  const { folder, writtenAt } = sources
  const paths: Path[] = [
    ...(entry.access_key === undefined ? [] : [[...path, 'access_key']]),
    ...(entry.access_keys ?? []).map((_, at) => [...path, 'access_keys', at]),
  ]
  // Empty keys are left out of the plan; then no key can be told from another.
  if (writtenAt === undefined || paths.length !== keys) return {}
  const files = paths.map(at => {
    const written = writtenAt(at) ?? writtenAt([...at, 'key'])
    return written?.startsWith('file:') === true ? resolve(folder, written.slice('file:'.length)) : null
  })
  return files.some(file => file !== null) ? { keyFiles: files } : {}
}

// HTTP header fields as one flat array: name, value, name, value. Names are lower case. Order and
// duplicates survive, and walking it allocates nothing.

/** `[name, value, name, value, …]`; names lower case, values without line breaks. */
export type HeaderList = readonly string[]

/** The first value of `name` (lower case), or null. */
export function headerValue(headers: HeaderList, name: string): string | null {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] === name) return headers[at + 1]!
  }
  return null
}

/** Fields that belong to one connection and are never passed on (RFC 9110, section 7.6.1). */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

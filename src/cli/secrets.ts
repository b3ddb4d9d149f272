// Nothing a command prints holds a secret: what is known of a plan, and what stands in a file under the name of a
// secret, is masked wherever it turns up.

import type { Plan } from '../common/config/index.ts'

export const MASK = '***'

/** A shorter text is also a common word; no provider issues keys that short. */
const SECRET_CHARS_MIN = 6

const SECRET_HEADER = /auth|key|token|secret|cookie|password/i

export type Masker = (text: string) => string

/** Masks every secret of the plan. */
export function maskerOf(plan: Plan): Masker {
  const secrets = new Set<string>()
  collect(plan, secrets)
  for (const { headers, hosts, query } of plan.providers) {
    headers.forEach((value, at) => {
      if (at % 2 === 1 && SECRET_HEADER.test(headers[at - 1]!)) secrets.add(value)
    })
    const queries = [query, ...(hosts ?? []).map(host => host.query)]
    for (const pair of queries.flatMap(one => (one ?? '').split('&'))) {
      const [name = '', value = ''] = pair.split('=')
      if (SECRET_HEADER.test(name) || /^(?:sig|signature|code)$/i.test(name)) secrets.add(value)
    }
  }
  // Of two secrets of which one holds the other, the longer goes first, or its rest would show.
  const known = [...secrets]
    .filter(secret => secret.length >= SECRET_CHARS_MIN)
    .sort((a, b) => b.length - a.length)
  return text => known.reduce((clean, secret) => clean.split(secret).join(MASK), text)
}

function collect(value: unknown, secrets: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  const { secret } = value as { secret?: unknown }
  if (typeof secret === 'string') secrets.add(secret)
  for (const item of Object.values(value)) collect(item, secrets)
}

const SECRET_LINE =
  /((?:access_keys?|api_key|token|connection_string|password|access_key_id|secret_access_key|session_token|client_secret|authorization|x-api-key)["']?\s*:\s*\[?\s*)(["']?)(?!\$|file:)([^\s"',}\]]+)/gi

/** Keys that look like those of the well-known vendors, and passwords in URLs. */
const LOOKS_SECRET =
  /\b(?:sk|pk|rk|xai|gsk|ghp|glpat|vck)[-_][\w-]{8,}|\bAIza[\w-]{8,}|(?<=:\/\/)[^\s/@$]+(?=@)/g

/** Text of a configuration file as it may be shown. */
export function maskedFileText(text: string): string {
  return text
    .replace(SECRET_LINE, (_, head: string, quote: string) => `${head}${quote}${MASK}`)
    .replace(LOOKS_SECRET, MASK)
}

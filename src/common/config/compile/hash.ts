// What a plan is called: a hash of everything that changes behaviour. Order of keys, blanks and comments do not, nor
// do line numbers in notes.

import { createHash } from 'node:crypto'
import type { Plan } from '../plan.ts'

/**
 * Members that describe and do not act; and the admin token and a proxy's password, which a person may have chosen: the
 * hash is shown in replies, and a short secret could be found from it by trying.
 */
const NOT_HASHED = new Set(['epoch', 'hash', 'sourceNote', 'token', 'credentials'])

export function hashPlan(plan: Omit<Plan, 'hash'>): string {
  return createHash('sha256').update(canonical(plan)).digest('hex')
}

/** JSON with sorted keys. Secrets are part of it, because another key is another plan; only the hash is shown. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const keys = Object.keys(value)
    .filter(key => !NOT_HASHED.has(key))
    .sort()
  const record = value as Record<string, unknown>
  return `{${keys.map(key => `${JSON.stringify(key)}:${canonical(record[key])}`).join(',')}}`
}

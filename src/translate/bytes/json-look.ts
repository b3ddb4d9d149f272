// Looks into values that `JSON.parse` made of an upstream's bytes. Nothing here throws: what has the wrong kind is
// treated as absent, because upstreams spell their replies loosely.

export type Members = { readonly [name: string]: unknown }

export function membersOf(value: unknown): Members | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NONE
}

/** '' when absent. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** A count: whole, finite and not negative, else null. */
export function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.trunc(value) : null
}

/** Parses one document, or gives undefined when it is none. */
export function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    return undefined
  }
}

const NONE: readonly unknown[] = []

// What a dialect could not carry, by the member of the client's own body. Owns the record and the header that
// reports it; deciding what is lost is the business of the prompt writers.

import { TranslateError } from './translate-error.ts'

/**
 * `drop`: left out. `map`: said with a bounded loss of meaning. `emulate`: the effect is produced another way.
 * A strict caller is refused for the first two.
 */
export type LossAction = 'drop' | 'map' | 'emulate'

export interface Loss {
  readonly action: LossAction
  /** JSON pointer in the client's body. */
  readonly field: string
  /** One token, lower case, words joined by underscores. */
  readonly reason: string
}

/** The header stays below what proxies commonly allow for one field. */
const WARNING_BYTES_MAX = 2048
/** Losses kept per prompt; what comes after is counted only. */
const LOSSES_MAX = 256

/** Losses that change what an answer costs and never what it says: told like all others, refused by nobody. */
const HARMLESS: ReadonlySet<string> = new Set([
  'cache_mark',
  'cache_mark_on_model_text',
  'too_many_cache_marks',
  'automatic_cache',
  'cache_key',
])

/** Collects losses in the order they are found, each once. */
export class LossList {
  readonly items: Loss[] = []
  uncounted = 0

  add(action: LossAction, field: string, reason: string): void {
    if (this.items.length >= LOSSES_MAX) {
      this.uncounted += 1
      return
    }
    for (const item of this.items) {
      if (item.field === field && item.reason === reason && item.action === action) return
    }
    this.items.push({ action, field, reason })
  }

  /** A strict caller wants all or nothing: names every field that would lose something. */
  refuse(): void {
    const refused = this.items.filter(item => item.action !== 'emulate' && !HARMLESS.has(item.reason))
    const first = refused[0]
    if (first === undefined) return
    const named = refused.map(item => `${item.field} (${item.reason})`).join(', ')
    throw new TranslateError(
      'unsupported',
      `the model's API cannot carry: ${named}; x-gateway-strict refuses instead of dropping`,
      memberPath(first.field),
      'unsupported_parameter',
    )
  }
}

/** `/messages/3/content/0` as a caller writes it: `messages[3].content[0]`. */
export function memberPath(pointer: string): string {
  let path = ''
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (/^\d+$/.test(name)) path += `[${name}]`
    else path += path === '' ? name : `.${name}`
  }
  return path
}

/** Value of `x-gateway-warnings`, or null when nothing was lost. Cut between entries; a last entry tells how many. */
export function formatWarnings(losses: readonly Loss[]): string | null {
  if (losses.length === 0) return null
  const room = WARNING_BYTES_MAX - 'drop;field=;reason=and_000_more, '.length
  let header = ''
  for (const [index, loss] of losses.entries()) {
    const entry = `${loss.action};field=${headerSafe(loss.field)};reason=${loss.reason}`
    const joined = header === '' ? entry : `${header}, ${entry}`
    if (joined.length > room) {
      const more = `drop;field=;reason=and_${losses.length - index}_more`
      return header === '' ? more : `${header}, ${more}`
    }
    header = joined
  }
  return header
}

/** Pointers hold customers' member names: anything but visible ASCII, and our separators, is percent-encoded. */
function headerSafe(pointer: string): string {
  return /^[!-+\--:<-~]*$/.test(pointer) ? pointer : encodeURI(toWellFormed(pointer)).replace(/[,;]/g, hexOf)
}

function hexOf(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

/** A lone half of a surrogate pair cannot be percent-encoded. */
function toWellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
}

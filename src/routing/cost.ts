// What an exchange cost. Pure. Owns the arithmetic between a usage record and a price; a part without a price of its
// own is billed as what it is a part of.

import type { Usage } from '../translate/index.ts'
import type { ModelPrice } from './catalogue.ts'

const TOKENS_PER_PRICE = 1_000_000

/** US dollars, or null where no price is known. An estimate when the usage is one. */
export function costUsd(usage: Usage, price: ModelPrice | null): number | null {
  if (price === null) return null
  const long = Math.min(usage.cacheWriteLongTokens ?? 0, usage.cacheWriteTokens)
  const short = usage.cacheWriteTokens - long
  // Cached parts are parts of the input; a vendor that miscounts must not make a bill negative.
  const plain = Math.max(0, usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens)
  const cacheWrite = price.cacheWrite ?? price.input
  const total =
    plain * price.input +
    usage.cacheReadTokens * (price.cacheRead ?? price.input) +
    short * cacheWrite +
    long * (price.cacheWriteLong ?? cacheWrite) +
    usage.outputTokens * price.output
  return total / TOKENS_PER_PRICE
}

/** Dollars as decimal text without an exponent: a billionth is the smallest part shown. */
export function formatUsd(usd: number): string {
  return usd.toFixed(9).replace(/\.?0+$/, '')
}

// What an exchange cost. Pure. Owns the arithmetic between a usage record and a price; a part without a price of its
// own is billed as what it is a part of.

import type { Usage } from '../translate/index.ts'
import type { ModelPrice, TokenPrices } from './catalogue.ts'

const TOKENS_PER_PRICE = 1_000_000

/** US dollars, or null where no price is known. An estimate when the usage is one. */
export function costUsd(usage: Usage, price: ModelPrice | null): number | null {
  if (price === null) return null
  const rates = ratesFor(usage.inputTokens, price)
  const tokens = inputCost(usage, rates, price) + outputCost(usage, rates, price)
  const others =
    (usage.seconds ?? 0) * (price.perSecond ?? 0) + (usage.searches ?? 0) * (price.perSearch ?? 0)
  return tokens / TOKENS_PER_PRICE + others
}

/** A prompt above the bound of a tier costs that tier's prices from its first token on. */
function ratesFor(inputTokens: number, price: ModelPrice): TokenPrices {
  let rates: TokenPrices = price
  for (const tier of price.tiers) if (inputTokens > tier.aboveInputTokens) rates = tier
  return rates
}

function inputCost(usage: Usage, rates: TokenPrices, price: ModelPrice): number {
  const long = Math.min(usage.cacheWriteLongTokens ?? 0, usage.cacheWriteTokens)
  const short = usage.cacheWriteTokens - long
  const cacheWrite = rates.cacheWrite ?? rates.input
  // Cached parts are parts of the input; a vendor that miscounts must not make a bill negative. Which kind the cached
  // ones are nobody tells: they count as text first.
  let plain = Math.max(0, usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens)
  let cost =
    usage.cacheReadTokens * (rates.cacheRead ?? rates.input) +
    short * cacheWrite +
    long * (rates.cacheWriteLong ?? cacheWrite)
  for (const [tokens, own] of [
    [usage.audioInputTokens, price.audioInput],
    [usage.imageInputTokens, price.imageInput],
  ] as const) {
    if (own === null || tokens == null) continue
    const part = Math.min(tokens, plain)
    plain -= part
    cost += part * own
  }
  return cost + plain * rates.input
}

function outputCost(usage: Usage, rates: TokenPrices, price: ModelPrice): number {
  let plain = usage.outputTokens
  let cost = 0
  for (const [tokens, own] of [
    [usage.audioOutputTokens, price.audioOutput],
    [usage.imageOutputTokens, price.imageOutput],
    [usage.reasoningTokens, price.reasoning],
  ] as const) {
    if (own === null || tokens == null) continue
    const part = Math.min(tokens, plain)
    plain -= part
    cost += part * own
  }
  return cost + plain * rates.output
}

/** Dollars as decimal text without an exponent: a billionth is the smallest part shown. */
export function formatUsd(usd: number): string {
  return usd.toFixed(9).replace(/\.?0+$/, '')
}

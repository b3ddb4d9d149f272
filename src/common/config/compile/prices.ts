// What models cost: prices of entries and those of the top of the file, in one map.

import type { Findings } from '../issues.ts'
import type { FilePrice } from '../plan-features.ts'
import type { ConfigDocument } from '../schema/document.ts'
import type { Price } from '../schema/providers.ts'
import type { ModelNames } from './names.ts'
import { resolved } from './resolved.ts'

/** By name of provider entry, or of a model under a wildcard. */
export function compilePrices(
  document: ConfigDocument,
  names: ModelNames,
  aliases: Readonly<Record<string, string>>,
  findings: Findings,
): Record<string, FilePrice> {
  const prices: Record<string, FilePrice> = {}
  for (const entry of document.model_providers) {
    if (entry.prices !== undefined) prices[entry.name ?? entry.model] = priceOf(entry.prices)
  }
  const own = new Set(Object.keys(prices))
  for (const [model, price] of Object.entries(document.prices)) {
    const path = ['prices', model]
    const [name] = names.isWildcard(model)
      ? [model]
      : resolved(model, path, 'S23', 'the price', names, aliases, findings)
    if (name === undefined) continue
    if (own.has(name)) {
      const message = `\`${name}\` has a price in its entry; that one counts`
      findings.warn({ code: 'W22', path, at: 'key', message, showFound: false })
    } else if (Object.hasOwn(prices, name)) {
      // Which of them comes first says nothing: the order of keys has no meaning.
      const message = `another key of this map is a name of \`${name}\`, too; a model has one price`
      findings.error({ code: 'S23', path, at: 'key', message, showFound: false })
    } else prices[name] = priceOf(price)
  }
  return prices
}

function priceOf(price: Price): FilePrice {
  return {
    input: price.input,
    output: price.output,
    cacheRead: price.cache_read ?? null,
    cacheWrite: price.cache_write ?? null,
    cacheWriteLong: price.cache_write_long ?? null,
  }
}

// What the operator's file says a model costs; it wins over the catalogue, because contracts differ from price lists.

import type { Plan, ProviderPlan } from '../common/config/index.ts'
import { type ModelPrice, plainPrice } from './catalogue.ts'

/** Where a configured price was read. */
export const CONFIGURED = 'configuration'

/** The configured price of a model at an entry, or null. Under a wildcard that of the one model comes before that of all. */
export function configuredPrice(
  plan: Pick<Plan, 'features'>,
  provider: ProviderPlan,
  model: string,
): ModelPrice | null {
  const prices = plan.features?.prices ?? {}
  const { name, wildcardPrefix } = provider
  const one = wildcardPrefix === null ? name : `${wildcardPrefix}/${model}`
  const own =
    priceAt(one) ?? priceAt(name) ?? (wildcardPrefix === null ? null : priceAt(`${wildcardPrefix}/*`))
  return own === null ? null : plainPrice(own, CONFIGURED)

  function priceAt(key: string) {
    return Object.hasOwn(prices, key) ? prices[key]! : null
  }
}

// Routing: from a name to the provider entry that serves it; what is known of models, and what a call costs.

export {
  Catalogue,
  type CatalogueEntry,
  loadCatalogue,
  type ModelPrice,
  type PriceTier,
  type RawCatalogue,
  type TokenPrices,
} from './catalogue.ts'
export { costUsd, formatUsd } from './cost.ts'
export {
  buildModelIndex,
  type FoundModel,
  findModel,
  type ModelIndex,
  type PublicModel,
  publicModels,
  type UnknownModel,
} from './models.ts'
export { configuredPrice, CONFIGURED } from './prices.ts'

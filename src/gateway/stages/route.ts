// Stage 5: which provider entry serves the exchange, and under which model id.

import type { ProviderPlan } from '../../common/config/index.ts'
import { findModel } from '../../routing/index.ts'
import type { Exchange } from '../exchange.ts'
import { unknownModel } from '../model-lists.ts'

export interface Candidate {
  readonly provider: ProviderPlan
  /** Model id to send. */
  readonly model: string
}

/** Throws `model-not-found`, naming what exists. */
export function routeExchange(exchange: Exchange, asked: string | null): Candidate {
  const { view, record } = exchange
  const found = findModel(view.models, asked)
  if ('unknown' in found) throw unknownModel(asked, found.unknown, view.publicModels)
  record.provider = found.provider.name
  record.modelSent = found.upstreamModel
  record.modelLabel = found.provider.name
  return { provider: found.provider, model: found.upstreamModel }
}

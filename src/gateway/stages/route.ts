// Stage 5: which provider entries may serve the exchange, in order, and under which model ids.

import type { ProviderPlan } from '../../common/config/index.ts'
import { findModel } from '../../routing/index.ts'
import type { Lane, LaneBreaker } from '../../upstream/index.ts'
import type { Exchange } from '../exchange.ts'
import { ambiguousModel, unknownModel } from '../model-lists.ts'

/** A model at a provider. */
export interface Target {
  readonly provider: ProviderPlan
  /** Model id to send. */
  readonly model: string
}

/** A target with one of its keys, at one of its hosts. */
export interface GatewayLane extends Lane {
  /** Its provider has the address of this host. */
  readonly target: Target
  readonly cell: LaneBreaker
  readonly key: string | null
  /** The target has other keys, too. */
  readonly otherKeys: boolean
  /** The target has other lanes: keys, or hosts. */
  readonly otherLanes: boolean
}

/** Throws `model-not-found`, naming what exists. */
export function routeExchange(exchange: Exchange, asked: string | null): readonly Target[] {
  const { view } = exchange
  const found = findModel(view.models, asked)
  if ('unknown' in found) {
    if (found.ambiguous) throw ambiguousModel(asked ?? '', found.unknown)
    throw unknownModel(asked, found.unknown, view.publicModels)
  }
  const targets: Target[] = [{ provider: found.provider, model: found.upstreamModel }]
  for (const name of found.provider.fallbacks) {
    const next = findModel(view.models, name)
    if ('unknown' in next) continue
    targets.push({ provider: next.provider, model: next.upstreamModel })
  }
  return targets
}

// A plan made ready for the hot path: lookups are maps, per-listener constants are computed once. One per plan
// and shard; an exchange pins the view it started with.

import type { ListenerPlan, Plan } from '../common/config/index.ts'
import { buildModelIndex, type ModelIndex, publicModels } from '../routing/index.ts'
import type { Deadlines } from '../upstream/index.ts'
import type { PublicModel } from './model-lists.ts'

export interface ListenerView {
  readonly plan: ListenerPlan
  readonly deadlines: Deadlines
}

/** Characters of the plan hash shown in replies: enough to tell plans apart, short on every reply. */
const HASH_SHOWN_CHARS = 12

export class PlanView {
  readonly plan: Plan
  readonly hash: string
  readonly models: ModelIndex
  readonly publicModels: readonly PublicModel[]
  readonly listeners: ReadonlyMap<string, ListenerView>

  constructor(plan: Plan) {
    this.plan = plan
    this.hash = plan.hash.slice(0, HASH_SHOWN_CHARS)
    this.models = buildModelIndex(plan)
    this.publicModels = publicModels(plan)
    this.listeners = new Map(plan.listeners.map(listener => [listener.name, listenerView(listener, plan)]))
  }

  /** The view of a listener; connections of a listener that a reload removed fall back to the first. */
  listener(name: string): ListenerView {
    return this.listeners.get(name) ?? this.listeners.values().next().value!
  }
}

function listenerView(listener: ListenerPlan, plan: Plan): ListenerView {
  const { connectMs, headersMs, firstByteMs, betweenBytesMs } = plan.upstream
  return {
    plan: listener,
    deadlines: { connectMs, headersMs, firstByteMs, betweenBytesMs, totalMs: listener.timeoutMs },
  }
}

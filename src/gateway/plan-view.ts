// A plan made ready for the hot path: lookups are maps, per-listener and per-target constants are computed once. One
// per plan and shard; an exchange pins the view it started with.

import type { ListenerPlan, Plan, ProviderPlan } from '../common/config/index.ts'
import { buildModelIndex, configuredPrice, type ModelIndex, publicModels } from '../routing/index.ts'
import { type Deadlines, RetryBudget } from '../upstream/index.ts'
import { KEEP_ALIVE_MS } from './keep-alive.ts'
import type { PublicModel } from './model-lists.ts'
import type { Services } from './services.ts'
import type { Target } from './stages/route.ts'
import { TargetView } from './target-view.ts'

export interface ListenerView {
  readonly plan: ListenerPlan
  readonly deadlines: Deadlines
  /** 0: never. */
  readonly keepAliveMs: number
}

/** Characters of the plan hash shown in replies: enough to tell plans apart, short on every reply. */
const HASH_SHOWN_CHARS = 12

/** Models kept per provider entry; wildcards could otherwise fill memory with invented names. */
const MODELS_KEPT_MAX = 512

export class PlanView {
  readonly plan: Plan
  readonly hash: string
  readonly models: ModelIndex
  readonly publicModels: readonly PublicModel[]
  private readonly listeners: ReadonlyMap<string, ListenerView>
  private readonly services: Services
  private readonly budgets: Map<string, RetryBudget> = new Map()
  private readonly targets: Map<ProviderPlan, Map<string, TargetView>> = new Map()

  constructor(plan: Plan, services: Services) {
    this.plan = plan
    this.services = services
    this.hash = plan.hash.slice(0, HASH_SHOWN_CHARS)
    this.models = buildModelIndex(plan)
    this.publicModels = publicModels(plan)
    this.listeners = new Map(plan.listeners.map(listener => [listener.name, listenerView(listener, plan)]))
  }

  /** The view of a listener; connections of a listener that a reload removed fall back to the first. */
  listener(name: string): ListenerView {
    return this.listeners.get(name) ?? this.listeners.values().next().value!
  }

  /** The shortest interval of a listener, or null where none shows signs of life. */
  get keepAliveMsMin(): number | null {
    const all = [...this.listeners.values()].map(listener => listener.keepAliveMs).filter(ms => ms > 0)
    return all.length === 0 ? null : Math.min(...all)
  }

  /** The view of a target; the same object for the same model at the same provider. */
  target(target: Target): TargetView {
    const { provider, model } = target
    let models = this.targets.get(provider)
    if (models === undefined) {
      models = new Map()
      this.targets.set(provider, models)
    }
    let view = models.get(model)
    if (view === undefined) {
      if (models.size >= MODELS_KEPT_MAX) models.clear()
      const own = configuredPrice(this.plan, provider, model)
      view = new TargetView(target, this.services, this.budgetOf, own)
      models.set(model, view)
    }
    return view
  }

  private readonly budgetOf = (origin: string): RetryBudget => {
    let budget = this.budgets.get(origin)
    if (budget === undefined) {
      budget = new RetryBudget(this.services.clock)
      this.budgets.set(origin, budget)
    }
    return budget
  }
}

function listenerView(listener: ListenerPlan, plan: Plan): ListenerView {
  const { connectMs, headersMs, firstByteMs, firstContentMs, betweenBytesMs } = plan.upstream
  return {
    plan: listener,
    keepAliveMs: listener.keepAliveMs ?? KEEP_ALIVE_MS,
    deadlines: {
      connectMs,
      headersMs,
      firstByteMs,
      firstContentMs: firstContentMs ?? Number.POSITIVE_INFINITY,
      betweenBytesMs,
      totalMs: listener.timeoutMs,
    },
  }
}

// Everything that is not a socket, a model or a bound, gathered into the plan.

import type { Findings } from '../issues.ts'
import type { ListenerPlan, ProviderPlan } from '../plan.ts'
import type { FeaturePlan, ListenerFeatures } from '../plan-features.ts'
import type { ConfigDocument } from '../schema/document.ts'
import type { Env } from '../values.ts'
import { compileLimits, compileLimitStore, compileRateLimits } from './limits.ts'
import type { ModelNames } from './names.ts'
import { compilePrices } from './prices.ts'
import { compilePromptTargets, orchestratorEndpoint } from './prompt-targets.ts'
import type { Remotes } from './remotes.ts'
import {
  compileBudget,
  compileCaching,
  compileRouter,
  compileRoutes,
  compileSessions,
  compileSources,
} from './routing.ts'
import { compileState, compileTracing } from './state.ts'

/** What stops a prompt says this where the file has no words of its own. */
const GUARD_MESSAGE = 'Request blocked by prompt guard.'

export interface FeatureSources {
  readonly document: ConfigDocument
  readonly remotes: Remotes
  readonly listeners: Readonly<Record<string, ListenerFeatures>>
  readonly sockets: readonly ListenerPlan[]
  readonly providers: readonly ProviderPlan[]
  readonly names: ModelNames
  readonly aliases: Readonly<Record<string, string>>
  readonly env: Env
  readonly findings: Findings
}

export function compileFeatures(sources: FeatureSources): FeaturePlan {
  const { document, remotes, names, aliases, env, findings } = sources
  const { cost, latency } = compileSources(document, findings)
  const sessions = compileSessions(document, findings)
  const guard = document.prompt_guards?.input_guards?.jailbreak
  return {
    agents: remotes.agents,
    filters: remotes.filters,
    endpoints: remotes.endpoints,
    listeners: sources.listeners,
    promptTargets: compilePromptTargets(document, remotes, findings),
    systemPrompt: document.system_prompt ?? null,
    jailbreakMessage: guard === undefined ? null : (guard.on_exception?.message ?? GUARD_MESSAGE),
    orchestratorEndpoint: orchestratorEndpoint(document, remotes, findings),
    optimizeContextWindow: document.overrides?.optimize_context_window ?? false,
    routes: compileRoutes(document, names, aliases, findings),
    router: compileRouter(document),
    costSource: cost,
    latencySource: latency,
    sessions,
    budget: compileBudget(document, cost, findings),
    promptCaching: compileCaching(document, sessions),
    rateLimits: compileRateLimits(sources),
    limits: compileLimits(sources),
    limitStore: compileLimitStore(sources),
    state: compileState(document, findings),
    tracing: compileTracing(document, env, findings),
    signals: document.overrides?.disable_signals !== true,
    prices: compilePrices(document, names, aliases, findings),
    upstreamCaFile: document.overrides?.upstream_tls_ca_path ?? null,
  }
}

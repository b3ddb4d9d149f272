// Everything that is not a socket, a model or a bound, gathered into the plan.

import type { Findings } from '../issues.ts'
import type { ProviderPlan } from '../plan.ts'
import type { FeaturePlan, FilePrice, ListenerFeatures } from '../plan-features.ts'
import type { ConfigDocument } from '../schema/document.ts'
import type { Env } from '../values.ts'
import type { ModelNames } from './names.ts'
import { compilePromptTargets, orchestratorEndpoint } from './prompt-targets.ts'
import type { Remotes } from './remotes.ts'
import {
  compileBudget,
  compileCaching,
  compileLimits,
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
    rateLimits: compileLimits(document, names, aliases, findings),
    state: compileState(document, findings),
    tracing: compileTracing(document, env, findings),
    signals: document.overrides?.disable_signals !== true,
    prices: pricesOf(document),
    upstreamCaFile: document.overrides?.upstream_tls_ca_path ?? null,
  }
}

function pricesOf(document: ConfigDocument): Record<string, FilePrice> {
  const prices: Record<string, FilePrice> = {}
  for (const entry of document.model_providers) {
    if (entry.prices === undefined) continue
    const { input, output, cache_read: cacheRead, cache_write: cacheWrite } = entry.prices
    prices[entry.name ?? entry.model] = {
      input,
      output,
      cacheRead: cacheRead ?? null,
      cacheWrite: cacheWrite ?? null,
    }
  }
  return prices
}

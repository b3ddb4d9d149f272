// `routing_preferences`, `model_metrics_sources`, `routing`, `prompt_caching`: what chooses a model.

import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type {
  BudgetPlan,
  CostSourcePlan,
  LatencySourcePlan,
  PromptCachingPlan,
  RouterPlan,
  RoutePlan,
  SessionPlan,
} from '../plan-features.ts'
import type { ConfigDocument } from '../schema/document.ts'
import type { ModelNames } from './names.ts'
import { resolved } from './resolved.ts'

type Aliases = Readonly<Record<string, string>>

const COST_URLS = {
  digitalocean: 'https://api.digitalocean.com/v2/gen-ai/models/catalog',
  'models.dev': 'https://models.dev/api.json',
} as const

/** The reference's defaults, used where the block is absent. */
const SESSION_TTL_SECONDS = 600
const SESSION_ENTRIES_MAX = 10_000
const ROUTER_CONTEXT_TOKENS = 8_192

export function compileRoutes(
  document: ConfigDocument,
  names: ModelNames,
  aliases: Aliases,
  findings: Findings,
): RoutePlan[] {
  const taken = new Set<string>()
  const sources = new Set(document.model_metrics_sources.map(source => source.type))
  return document.routing_preferences.map((entry, at) => {
    const path: Path = ['routing_preferences', at]
    if (taken.has(entry.name)) {
      const message = 'another routing preference has this name; names are unique'
      findings.error({ code: 'E31', path: [...path, 'name'], message })
    }
    taken.add(entry.name)
    const { prefer } = entry.selection_policy
    const needed = prefer === 'cheapest' ? 'cost' : prefer === 'fastest' ? 'latency' : null
    if (needed !== null && !sources.has(needed)) {
      const message = `\`${entry.name}\` prefers the ${prefer} model, which needs an entry of type \`${needed}\` in \`model_metrics_sources\``
      findings.error({
        code: 'E64',
        path: [...path, 'selection_policy', 'prefer'],
        message,
        showFound: false,
      })
    }
    const models = entry.models.flatMap((model, index) => {
      const what = `the routing preference \`${entry.name}\``
      return resolved(model, [...path, 'models', index], 'E63', what, names, aliases, findings)
    })
    return { name: entry.name, description: entry.description, models, prefer }
  })
}

export interface MetricsSources {
  readonly cost: CostSourcePlan | null
  readonly latency: LatencySourcePlan | null
}

export function compileSources(document: ConfigDocument, findings: Findings): MetricsSources {
  let cost: CostSourcePlan | null = null
  let latency: LatencySourcePlan | null = null
  for (const [at, source] of document.model_metrics_sources.entries()) {
    const path: Path = ['model_metrics_sources', at]
    if (source.url !== undefined) checkUrl(source.url, [...path, 'url'], findings)
    const refreshMs = source.refresh_interval === undefined ? null : source.refresh_interval * 1_000
    const second = source.type === 'cost' ? cost !== null : latency !== null
    if (second) {
      const message = `there is a ${source.type} source already; at most one is used`
      findings.error({ code: 'E65', path: [...path, 'type'], message, showFound: false })
    } else if (source.type === 'cost') {
      const url = source.url ?? COST_URLS[source.provider]
      cost = { provider: source.provider, url, refreshMs, modelAliases: source.model_aliases ?? {} }
    } else latency = { url: source.url, query: source.query, refreshMs }
  }
  return { cost, latency }
}

export function checkUrl(text: string, path: Path, findings: Findings): void {
  if (/^https?:\/\/[^/?#]/i.test(text) && URL.canParse(text)) return
  findings.error({ code: 'S13', path, message: 'must be an address with http:// or https:// and a host' })
}

export function compileSessions({ routing }: ConfigDocument, findings: Findings): SessionPlan {
  const cache = routing?.session_cache
  const store = cache?.type ?? 'memory'
  const redisUrl = cache?.url ?? null
  if (store === 'redis' && redisUrl === null) {
    const message = 'a redis session cache needs `url`, like redis://host:6379'
    findings.error({ code: 'E67', path: ['routing', 'session_cache'], message, showFound: false })
  } else if (store === 'redis' && !/^rediss?:\/\/./.test(redisUrl!.secret)) {
    const message = 'the address of redis must start with redis:// or rediss://'
    findings.error({ code: 'E67', path: ['routing', 'session_cache', 'url'], message, showFound: false })
  }
  return {
    ttlMs: (routing?.session_ttl_seconds ?? SESSION_TTL_SECONDS) * 1_000,
    entriesMax: routing?.session_max_entries ?? SESSION_ENTRIES_MAX,
    store,
    redisUrl,
    tenantHeader: cache?.tenant_header?.toLowerCase() ?? null,
  }
}

export function compileBudget(
  { routing }: ConfigDocument,
  cost: CostSourcePlan | null,
  findings: Findings,
): BudgetPlan | null {
  const budget = routing?.routing_budget
  if (budget === undefined) return null
  if (cost === null) {
    const message = 'a routing budget needs an entry of type `cost` in `model_metrics_sources`'
    findings.error({
      code: 'E66',
      path: ['routing', 'routing_budget'],
      at: 'key',
      message,
      showFound: false,
    })
  }
  return {
    maxSwitchSpendPct: budget.max_switch_spend_pct,
    replenishOnRebind: budget.replenish_on_rebind,
    cacheReadDiscount: budget.cache_read_discount,
    recordCounterfactual: budget.record_counterfactual,
  }
}

export function compileCaching(
  { prompt_caching: caching }: ConfigDocument,
  sessions: SessionPlan,
): PromptCachingPlan | null {
  if (caching === undefined || !caching.enabled) return null
  const own = caching.session_ttl_seconds
  return {
    sessionAffinity: caching.session_affinity,
    injectCacheControl: caching.inject_cache_control,
    prefixTokensMin: caching.min_prefix_tokens,
    sessionTtlMs: own === undefined ? sessions.ttlMs : own * 1_000,
  }
}

export function compileRouter({ overrides, routing }: ConfigDocument): RouterPlan {
  const bare = (model: string | undefined) =>
    model === undefined ? null : model.slice(model.indexOf('/') + 1)
  return {
    routingModel: bare(overrides?.llm_routing_model),
    agentModel: bare(overrides?.agent_orchestration_model),
    contextTokens: overrides?.orchestrator_model_context_length ?? ROUTER_CONTEXT_TOKENS,
    routeOnUserOnly: routing?.route_on_user_only ?? false,
  }
}

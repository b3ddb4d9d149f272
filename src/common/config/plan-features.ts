// tidy: long because it is a table of types
// The part of the plan that belongs to features: agents, filters, prompt targets, routing, limits, state, traces.
// Compiled and checked when the file is loaded, whether or not the feature is built yet (see `activity.ts`).

import type { SecretText } from './plan.ts'

/** Where an agent, a filter or an endpoint lives. */
export interface RemotePlan {
  readonly id: string
  /** `scheme://host[:port]`. */
  readonly origin: string
  /** Path of its URL without a trailing slash; empty when there is none. */
  readonly path: string
}

export interface FilterPlan extends RemotePlan {
  readonly type: 'mcp' | 'http'
  /** Name of the MCP tool. */
  readonly tool: string
}

export interface EndpointPlan {
  readonly name: string
  readonly origin: string
  readonly connectMs: number
  readonly httpHost: string | null
  readonly prefixAffinity: boolean
}

export interface ListenerAgentPlan {
  readonly id: string
  readonly description: string
  /** Used when orchestration selects nothing. Exactly one agent of a listener has it. */
  readonly isDefault: boolean
  readonly inputFilters: readonly string[]
}

export interface ListenerFeatures {
  readonly agents: readonly ListenerAgentPlan[]
  readonly inputFilters: readonly string[]
  readonly outputFilters: readonly string[]
}

export interface ParameterPlan {
  readonly name: string
  readonly description: string
  readonly type: string
  readonly required: boolean
  readonly default: string | number | boolean | null
  readonly enum: readonly (string | number | boolean)[] | null
  readonly format: string | null
}

export interface PromptTargetPlan {
  readonly name: string
  readonly description: string
  readonly isDefault: boolean
  readonly dispatchOnResponse: boolean
  readonly systemPrompt: string | null
  readonly endpoint: {
    readonly name: string
    readonly path: string
    readonly method: 'GET' | 'POST'
    /** Name, value, name, value; values may be credentials. */
    readonly headers: readonly { readonly name: string; readonly value: SecretText }[]
  } | null
  readonly parameters: readonly ParameterPlan[]
}

export interface RoutePlan {
  readonly name: string
  readonly description: string
  /** Names of provider entries, or of models under a wildcard, in order. */
  readonly models: readonly string[]
  readonly prefer: 'cheapest' | 'fastest' | 'none'
}

export interface CostSourcePlan {
  readonly provider: 'digitalocean' | 'models.dev'
  readonly url: string
  /** Null: fetched once. */
  readonly refreshMs: number | null
  /** Name in the list → name here. */
  readonly modelAliases: Readonly<Record<string, string>>
}

export interface LatencySourcePlan {
  readonly url: string
  readonly query: string
  readonly refreshMs: number | null
}

export interface SessionPlan {
  readonly ttlMs: number
  readonly entriesMax: number
  readonly store: 'memory' | 'redis'
  readonly redisUrl: SecretText | null
  readonly tenantHeader: string | null
}

export interface BudgetPlan {
  readonly maxSwitchSpendPct: number
  readonly replenishOnRebind: boolean
  readonly cacheReadDiscount: number
  readonly recordCounterfactual: boolean
}

export interface PromptCachingPlan {
  readonly sessionAffinity: boolean
  readonly injectCacheControl: boolean
  readonly prefixTokensMin: number
  readonly sessionTtlMs: number
}

export interface RouterPlan {
  /** Model that chooses routes, and the one that chooses agents; null: the built-in choice. */
  readonly routingModel: string | null
  readonly agentModel: string | null
  readonly contextTokens: number
  readonly routeOnUserOnly: boolean
}

export interface RateLimitPlan {
  /** Names of provider entries the limit counts for; null: every model by itself. */
  readonly models: readonly string[] | null
  /** Lower-case header name. */
  readonly header: string
  /** Null: each value by itself. */
  readonly value: string | null
  readonly tokens: number
  readonly windowMs: number
}

export interface LimitTrait {
  readonly kind: 'model' | 'provider' | 'listener' | 'key' | 'address' | 'header'
  /** Lower-case name of a header field; null for the other kinds. */
  readonly header: string | null
}

export interface LimitPlan {
  readonly name: string
  /** Names of provider entries, of models under wildcards, or whole wildcards; null: all. */
  readonly models: readonly string[] | null
  /** Names of listeners; null: all. */
  readonly listeners: readonly string[] | null
  /** All must be there; a value of null: with any value. */
  readonly headers: readonly { readonly name: string; readonly value: string | null }[]
  /** Counted by itself for each combination of these; empty: one count for all. */
  readonly per: readonly LimitTrait[]
  readonly requests: number | null
  readonly tokens: number | null
  readonly inputTokens: number | null
  readonly outputTokens: number | null
  readonly costUsd: number | null
  /** At the same time. */
  readonly concurrent: number | null
  /** Over what time the amounts are; one of the two where there is an amount. */
  readonly windowMs: number | null
  readonly period: 'hour' | 'day' | 'week' | 'month' | null
  readonly action: 'refuse' | 'report'
}

export interface LimitStorePlan {
  readonly type: 'memory' | 'redis'
  readonly redisUrl: SecretText | null
  readonly onFailure: 'allow' | 'refuse'
}

export interface StatePlan {
  readonly type: 'memory' | 'postgres'
  readonly connectionString: SecretText | null
}

export interface TracingPlan {
  readonly samplingPct: number
  /** Origin of the OTLP/gRPC receiver. */
  readonly endpoint: string
  readonly headerPrefixes: readonly string[]
  readonly staticAttributes: Readonly<Record<string, string>>
  readonly exporters: readonly {
    readonly type: 'posthog'
    readonly url: string
    readonly apiKey: SecretText
    readonly distinctIdHeader: string | null
    readonly captureMessages: boolean
  }[]
}

/** A price of the file, US dollars per million tokens. */
export interface FilePrice {
  readonly input: number
  readonly output: number
  readonly cacheRead: number | null
  readonly cacheWrite: number | null
  readonly cacheWriteLong: number | null
}

export interface FeaturePlan {
  readonly agents: readonly RemotePlan[]
  readonly filters: readonly FilterPlan[]
  readonly endpoints: readonly EndpointPlan[]
  /** By name of listener; a listener without any is not in it. */
  readonly listeners: Readonly<Record<string, ListenerFeatures>>
  readonly promptTargets: readonly PromptTargetPlan[]
  readonly systemPrompt: string | null
  /** Reply to a prompt that the jailbreak guard stops; null: no such guard is configured. */
  readonly jailbreakMessage: string | null
  /** Every prompt of a prompt listener goes to the one endpoint. */
  readonly orchestratorEndpoint: string | null
  readonly optimizeContextWindow: boolean
  readonly routes: readonly RoutePlan[]
  readonly router: RouterPlan
  readonly costSource: CostSourcePlan | null
  readonly latencySource: LatencySourcePlan | null
  readonly sessions: SessionPlan
  readonly budget: BudgetPlan | null
  /** Null: off. */
  readonly promptCaching: PromptCachingPlan | null
  readonly rateLimits: readonly RateLimitPlan[]
  readonly limits: readonly LimitPlan[]
  readonly limitStore: LimitStorePlan
  readonly state: StatePlan | null
  readonly tracing: TracingPlan | null
  readonly signals: boolean
  /** By name of provider entry, or of a model under a wildcard. */
  readonly prices: Readonly<Record<string, FilePrice>>
  /** PEM file of authorities for upstreams; null: those of the runtime. */
  readonly upstreamCaFile: string | null
}

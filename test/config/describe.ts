// A loaded configuration in the few lines a person would check: what `check --json` prints, and what the features got.

import { issueText, type LoadedPlan, maskedPlan, type Plan } from '../../src/common/config/index.ts'
import { upstreamPath } from '../../src/providers/index.ts'
import { publicModels } from '../../src/routing/index.ts'

/** Features as they are in a file that has none; only what differs is shown. */
const QUIET: Readonly<Record<string, unknown>> = {
  agents: [],
  filters: [],
  endpoints: [],
  listeners: {},
  promptTargets: [],
  systemPrompt: null,
  jailbreakMessage: null,
  orchestratorEndpoint: null,
  optimizeContextWindow: false,
  routes: [],
  router: { routingModel: null, agentModel: null, contextTokens: 8192, routeOnUserOnly: false },
  costSource: null,
  latencySource: null,
  sessions: { ttlMs: 600_000, entriesMax: 10_000, store: 'memory', redisUrl: null, tenantHeader: null },
  budget: null,
  promptCaching: null,
  rateLimits: [],
  limits: [],
  limitStore: { type: 'memory', redisUrl: null, onFailure: 'allow' },
  state: null,
  tracing: null,
  signals: true,
  prices: {},
  upstreamCaFile: null,
}

export function describeLoaded({ plan, notes }: LoadedPlan): Record<string, unknown> {
  return {
    listeners: plan.listeners.map(
      listener =>
        `${listener.type} ${listener.name} ${listener.address}:${listener.port} ${listener.timeoutMs}ms` +
        (listener.maxRetries === 0 ? '' : ` retries=${listener.maxRetries}`) +
        (listener.tls === null ? '' : ` tls=${listener.tls.certificateFile.split('/').pop()}`),
    ),
    models: publicModels(plan).map(model => `${model.id} (${model.ownedBy})`),
    aliases: plan.aliases,
    default: plan.providers.find(provider => provider.isDefault)?.name ?? null,
    upstreams: Object.fromEntries(plan.providers.map(provider => [provider.name, upstreamOf(provider)])),
    ...boundsOf(plan),
    features: featuresOf(plan),
    warnings: notes.warnings.map(issueText),
    migrations: notes.migrations,
    notActive: notes.notActive,
  }
}

function upstreamOf(provider: Plan['providers'][number]): string {
  const dialect = provider.dialects[0]!
  const facts = [
    provider.origin + upstreamPath(provider, dialect, 'generate', provider.model, false),
    provider.dialects.join('+'),
    provider.passthroughAuth ? 'passthrough' : `keys=${provider.accessKeys.map(key => key.weight).join(',')}`,
    ...(provider.keyOptional ? ['key-optional'] : []),
    ...(provider.wildcardPrefix === null ? [] : [`wildcard=${provider.wildcardPrefix}`]),
    ...(provider.httpHost === null ? [] : [`host=${provider.httpHost}`]),
    ...(provider.fallbacks.length === 0 ? [] : [`fallbacks=${provider.fallbacks.join(',')}`]),
    ...(provider.internal ? ['internal'] : []),
    ...pairs(maskedHeaders(provider)),
  ]
  return facts.join(' ')
}

function maskedHeaders(provider: Plan['providers'][number]): readonly string[] {
  const masked = maskedPlan({ providers: [provider] } as unknown as Plan) as Plan
  return masked.providers[0]!.headers
}

function pairs(headers: readonly string[]): string[] {
  return headers.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${headers[at + 1]}`] : []))
}

/** Bounds only where a file sets any: most files have the defaults, which a test of their own knows. */
function boundsOf(plan: Plan): Record<string, unknown> {
  const usual = plan.server.drainMs === 30_000 && plan.upstream.connectMs === 10_000
  if (usual) return {}
  return { server: plan.server, upstream: plan.upstream, admin: (maskedPlan(plan) as Plan).admin }
}

function featuresOf(plan: Plan): Record<string, unknown> {
  const shown = (maskedPlan(plan) as Plan).features as unknown as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(shown).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(QUIET[key])),
  )
}

// Where a forwarded request goes: by its model, as any call does, or, where the body names none, to the provider that
// the caller's `x-gateway-provider` names, that the configuration makes the default, or that is the only one. Refuses
// to guess between several.

// Not through the door: a shard would load the schema and the YAML reader with it.
import { atHosts } from '../../common/config/hosts.ts'
import type { ProviderPlan } from '../../common/config/index.ts'
import { GatewayError } from '../../common/errors.ts'
import { headerValue } from '../../common/headers.ts'
import { findModel } from '../../routing/index.ts'
import type { Exchange } from '../exchange.ts'
import { unknownModel } from '../model-lists.ts'
import type { Target } from './route.ts'

/** The caller's choice where nothing else decides. */
export const PROVIDER_HEADER = 'x-gateway-provider'

/** Names shown in a message. */
const NAMES_SHOWN_MAX = 12

/** Whether a provider can serve the endpoint at all. */
export type Serves = (provider: ProviderPlan) => boolean

/** Forwarded endpoints are OpenAI's. */
export const speaksOpenAi: Serves = provider => provider.dialects.includes('openai-chat')

/** By model, with the fallbacks that can serve the endpoint. */
export function routeByModel(exchange: Exchange, asked: string, serves: Serves): readonly Target[] {
  const { view } = exchange
  const found = findModel(view.models, asked)
  if ('unknown' in found) {
    const target = underWildcard(exchange, asked, serves)
    if (target !== null) return [target]
    throw unknownModel(asked, found.unknown, view.publicModels)
  }
  const { provider, upstreamModel } = found
  if (!serves(provider)) throw notServed(exchange, provider)
  const targets: Target[] = [{ provider, model: upstreamModel }]
  for (const name of provider.fallbacks) {
    const next = findModel(view.models, name)
    if (!('unknown' in next) && serves(next.provider)) {
      targets.push({ provider: next.provider, model: next.upstreamModel })
    }
  }
  return targets
}

/**
 * A bare name that the catalogue does not know, as those of voices, images and moderation: a wildcard covers every model
 * of its vendor, so the one that the caller names, or the only one, takes it.
 */
function underWildcard(exchange: Exchange, asked: string, serves: Serves): Target | null {
  if (asked.includes('/')) return null
  const wildcards = visible(exchange).filter(provider => provider.wildcardPrefix !== null && serves(provider))
  const named = headerValue(exchange.request.headers, PROVIDER_HEADER)
  const fitting = named === null ? wildcards : wildcards.filter(provider => isCalled(provider, named))
  return fitting.length === 1 ? { provider: fitting[0]!, model: asked } : null
}

/**
 * By provider alone. The target names no model, because none is sent. Of several hosts it is the first: what a caller
 * left at one (a file, a batch) is not at the others.
 */
export function routeByProvider(exchange: Exchange): readonly Target[] {
  return [{ provider: atHosts(chooseProvider(exchange))[0]!, model: '' }]
}

function chooseProvider(exchange: Exchange): ProviderPlan {
  const able = visible(exchange).filter(speaksOpenAi)
  const named = headerValue(exchange.request.headers, PROVIDER_HEADER)
  if (named !== null) {
    const found = able.find(provider => provider.name === named) ?? able.find(one => isCalled(one, named))
    if (found !== undefined) return found
    throw new GatewayError(
      'bad-request',
      `${PROVIDER_HEADER} names no provider with an OpenAI-compatible interface; there is ${namesOf(able)}`,
      { code: 'provider_not_found' },
    )
  }
  const chosen = able.find(provider => provider.isDefault)
  if (chosen !== undefined) return chosen
  const real = able.filter(provider => provider.provider !== 'demo')
  const [first] = real.length > 0 ? real : able
  if (first === undefined) throw nobody(exchange)
  const places = new Set(real.map(provider => `${provider.origin}${provider.pathPrefix}`))
  if (places.size <= 1) return first
  throw new GatewayError(
    'bad-request',
    `several providers serve this path and the request names no model; name one in the header ${PROVIDER_HEADER}: ${namesOf(real)}`,
    { code: 'provider_required' },
  )
}

function visible(exchange: Exchange): readonly ProviderPlan[] {
  return exchange.view.plan.providers.filter(provider => !provider.internal)
}

function isCalled(provider: ProviderPlan, name: string): boolean {
  return provider.name === name || provider.wildcardPrefix === name || provider.provider === name
}

function namesOf(providers: readonly ProviderPlan[]): string {
  const names = [...new Set(providers.map(provider => provider.wildcardPrefix ?? provider.provider))]
  return names.slice(0, NAMES_SHOWN_MAX).join(', ') || 'none'
}

function nobody(exchange: Exchange): GatewayError {
  return new GatewayError(
    'not-found',
    `no provider with an OpenAI-compatible interface is configured, and only such a one serves ${exchange.endpoint.pattern}`,
    { code: 'endpoint_not_served' },
  )
}

/** The model exists, but where it lives there is no such endpoint. */
export function notServed(exchange: Exchange, provider: ProviderPlan): GatewayError {
  return new GatewayError(
    'model-not-found',
    `the model's provider \`${provider.provider}\` does not serve ${exchange.endpoint.pattern}`,
    { param: 'model', code: 'model_not_found' },
  )
}

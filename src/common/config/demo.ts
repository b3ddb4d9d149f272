// The demo provider's place in a plan. Its server is `src/demo`; whoever started it knows the origin.

import { hashPlan } from './compile/hash.ts'
import type { Plan, ProviderPlan } from './plan.ts'

export const DEMO_MODEL = 'demo/echo'

/** The plan with the demo provider behind the others; default only where nothing else is. */
export function withDemo(plan: Plan, origin: string): Plan {
  const others = plan.providers.filter(provider => provider.provider !== 'demo')
  const demo: ProviderPlan = {
    name: DEMO_MODEL,
    provider: 'demo',
    model: 'echo',
    wildcardPrefix: null,
    dialects: ['openai-chat', 'anthropic-messages'],
    origin,
    pathPrefix: '/v1',
    dialectPrefixes: {},
    accessKeys: [],
    fallbacks: [],
    passthroughAuth: false,
    keyOptional: true,
    headers: [],
    httpHost: null,
    isDefault: !others.some(provider => provider.isDefault || !provider.passthroughAuth),
    internal: false,
    sourceNote: 'demo',
  }
  const { hash: _, ...rest } = plan
  const grown = { ...rest, providers: [...others, demo] }
  return { ...grown, hash: hashPlan(grown) }
}

/** A real provider answers with a credential of ours, or the operator wrote it down. */
export function demoWanted(
  plan: Plan,
  fromFile: boolean,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const asked = env['SLUICE_DEMO']
  if (asked === '1' || asked === 'true') return true
  if (asked === '0' || asked === 'false') return false
  const real = plan.providers.filter(provider => !provider.internal)
  return fromFile ? real.length === 0 : real.every(provider => provider.passthroughAuth)
}

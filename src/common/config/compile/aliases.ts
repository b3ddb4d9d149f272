// `model_aliases`: alias → name of a provider entry, one hop.

import { nearestNames } from '../../nearest.ts'
import type { Findings } from '../issues.ts'
import type { ProviderPlan } from '../plan.ts'

export function compileAliases(
  aliases: Readonly<Record<string, { target: string }>>,
  providers: readonly ProviderPlan[],
  findings: Findings,
): Record<string, string> {
  const targets = targetNames(providers)
  const compiled: Record<string, string> = {}
  for (const [alias, { target }] of Object.entries(aliases)) {
    const name = targets.get(target)
    const path = ['model_aliases', alias, 'target']
    if (name === undefined) {
      const chain = target in aliases ? ' (an alias cannot point at another alias)' : ''
      findings.error({
        code: 'E30',
        path,
        message: `the alias \`${alias}\` points at a model that is not configured${chain}`,
        allowed: targets.size === 0 ? 'no model is configured' : [...targets.keys()].slice(0, 24).join(', '),
        suggestions: nearestNames(target, targets.keys(), 1),
      })
    } else compiled[alias] = name
  }
  return compiled
}

/** Full names and bare ids that name an entry; wildcards do not. The first entry of an id keeps it. */
export function targetNames(providers: readonly ProviderPlan[]): Map<string, string> {
  const names = new Map<string, string>()
  for (const provider of providers) {
    if (provider.wildcardPrefix === null) names.set(provider.name, provider.name)
  }
  for (const provider of providers) {
    if (provider.wildcardPrefix !== null) continue
    for (const name of [provider.model, `${provider.provider}/${provider.model}`]) {
      if (!names.has(name)) names.set(name, provider.name)
    }
  }
  return names
}

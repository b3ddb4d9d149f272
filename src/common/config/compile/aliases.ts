// `model_aliases`: alias → name of a provider entry, one hop.

import type { Findings } from '../issues.ts'
import type { ModelNames } from './names.ts'

export function compileAliases(
  aliases: Readonly<Record<string, { target: string }>>,
  names: ModelNames,
  findings: Findings,
): Record<string, string> {
  const compiled: Record<string, string> = {}
  for (const [alias, { target }] of Object.entries(aliases)) {
    const path = ['model_aliases', alias, 'target']
    const meaning = names.meaning(target)
    switch (meaning.kind) {
      case 'one':
        compiled[alias] = meaning.name
        break
      case 'several': {
        const message = `the alias \`${alias}\` points at a model id that several entries have; name one of them`
        findings.error({ code: 'E30', path, message, allowed: meaning.names.join(', ') })
        break
      }
      case 'wildcard': {
        const message = `the alias \`${alias}\` points below a wildcard; list the model in \`model_providers\` as well`
        findings.error({ code: 'E30', path, message })
        break
      }
      case 'none': {
        const chain = Object.hasOwn(aliases, target) ? ' (an alias cannot point at another alias)' : ''
        const message = `the alias \`${alias}\` points at a model that is not configured${chain}`
        findings.error({ code: 'E30', path, message, allowed: names.shown(), suggestions: meaning.nearest })
      }
    }
  }
  return compiled
}

// A name of a model in the file to the entry it means, or to a finding with what is meant instead.

import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type { ModelNames } from './names.ts'

/** `what` begins the sentence: "the rate limit". Empty where the name means nothing. */
export function resolved(
  model: string,
  path: Path,
  code: string,
  what: string,
  names: ModelNames,
  aliases: Readonly<Record<string, string>>,
  findings: Findings,
): string[] {
  const meaning = names.meaning(model, aliases)
  // In a map the name is the key.
  const asKey = path[path.length - 1] === model
  const place = { path, at: asKey ? 'key' : 'value', showFound: !asKey } as const
  switch (meaning.kind) {
    case 'one':
    case 'wildcard':
      return [meaning.name]
    case 'several': {
      const message = `${what} names a model id that several entries have; name one of them`
      findings.error({ code, ...place, message, allowed: meaning.names.join(', ') })
      return []
    }
    case 'none': {
      const message = `${what} names a model that is not configured`
      findings.error({ code, ...place, message, allowed: names.shown(), suggestions: meaning.nearest })
      return []
    }
  }
}

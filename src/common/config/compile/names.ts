// Names of models as the file uses them: aliases, preferences, limits, fallbacks. The same words that callers use
// (see `routing`), but a mistake here is found before anything is opened.

import { nearestNames } from '../../nearest.ts'
import type { ProviderPlan } from '../plan.ts'

export type NameMeaning =
  | { readonly kind: 'one'; readonly name: string }
  /** Under a wildcard: served, though not listed. */
  | { readonly kind: 'wildcard'; readonly name: string }
  | { readonly kind: 'several'; readonly names: readonly string[] }
  | { readonly kind: 'none'; readonly nearest: readonly string[] }

/** Names shown in a message end here. */
const NAMES_SHOWN_MAX = 24

export class ModelNames {
  private readonly full = new Map<string, string>()
  private readonly bare = new Map<string, string[]>()
  private readonly prefixes = new Set<string>()

  constructor(providers: readonly ProviderPlan[]) {
    for (const provider of providers) {
      if (provider.wildcardPrefix !== null) {
        this.prefixes.add(provider.wildcardPrefix)
        continue
      }
      this.full.set(provider.name, provider.name)
      const owners = this.bare.get(provider.model)
      if (owners === undefined) this.bare.set(provider.model, [provider.name])
      else owners.push(provider.name)
    }
    for (const provider of providers) {
      const slug = `${provider.provider}/${provider.model}`
      if (provider.wildcardPrefix === null && !this.full.has(slug)) this.full.set(slug, provider.name)
    }
  }

  meaning(asked: string, aliases: Readonly<Record<string, string>> = {}): NameMeaning {
    const name = (Object.hasOwn(aliases, asked) ? aliases[asked] : undefined) ?? this.full.get(asked)
    if (name !== undefined) return { kind: 'one', name }
    const owners = this.bare.get(asked)
    if (owners !== undefined) {
      return owners.length === 1 ? { kind: 'one', name: owners[0]! } : { kind: 'several', names: owners }
    }
    for (let end = asked.lastIndexOf('/'); end > 0; end = asked.lastIndexOf('/', end - 1)) {
      if (end < asked.length - 1 && this.prefixes.has(asked.slice(0, end)))
        return { kind: 'wildcard', name: asked }
    }
    const known = [...this.full.keys(), ...this.bare.keys(), ...Object.keys(aliases)]
    return { kind: 'none', nearest: nearestNames(asked, known, 1) }
  }

  /** `corp/*`, where such an entry is configured. */
  isWildcard(asked: string): boolean {
    return asked.endsWith('/*') && this.prefixes.has(asked.slice(0, -2))
  }

  /** For messages. */
  shown(): string {
    const names = [...new Set(this.full.values())]
    if (names.length === 0) return 'no model is configured'
    const more = names.length > NAMES_SHOWN_MAX ? ', …' : ''
    return names.slice(0, NAMES_SHOWN_MAX).join(', ') + more
  }
}

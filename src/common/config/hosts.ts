// A provider with several addresses, as those see it who call one of them.

import type { ProviderPlan } from './plan.ts'

const known: WeakMap<ProviderPlan, readonly ProviderPlan[]> = new WeakMap()

/** The provider once per host, with the address of that host alone, in the order of the file. */
export function atHosts(provider: ProviderPlan): readonly ProviderPlan[] {
  const { hosts } = provider
  if (hosts === undefined || hosts.length === 1) return [provider]
  let found = known.get(provider)
  if (found === undefined) {
    // What the first address says must not stay where another says nothing.
    const { query: _query, apiVersion: _version, dialectPrefixes: _prefixes, ...shared } = provider
    found = hosts.map(host => {
      const { label: _label, weight: _weight, ...address } = host
      return { ...shared, ...address, hosts: [host] }
    })
    known.set(provider, found)
  }
  return found
}

/** What metrics and messages call the host of a provider with one address. */
export function hostLabel(provider: ProviderPlan): string {
  return provider.hosts?.[0]?.label ?? provider.origin.replace(/^https?:\/\//, '')
}

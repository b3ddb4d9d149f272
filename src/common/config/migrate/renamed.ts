// Keys that releases renamed and that templates and documents still show: accepted with a warning.

import { isTree, type Tree } from '../places.ts'
import type { Migration } from './index.ts'

export function migrateRenamed(tree: Tree, migration: Migration): void {
  if ('listener' in tree && !('listeners' in tree)) {
    const old = tree['listener']
    rename(tree, 'listener', 'listeners', migration, [])
    // One listener was a map of its own; it is the gateway for models.
    if (isTree(old) && !('egress_traffic' in old) && !('ingress_traffic' in old)) {
      tree['listeners'] = migration.places.keep({ egress_traffic: old }, old)
    }
  }
  const listeners = tree['listeners']
  if (Array.isArray(listeners)) {
    for (const [at, listener] of listeners.entries()) {
      const agents = isTree(listener) ? listener['agents'] : null
      if (!Array.isArray(agents)) continue
      for (const [index, agent] of agents.entries()) {
        if (!isTree(agent) || !('filter_chain' in agent)) continue
        rename(agent, 'filter_chain', 'input_filters', migration, ['listeners', at, 'agents', index])
      }
    }
  }
  const routing = tree['routing']
  const budget = isTree(routing) ? routing['routing_budget'] : null
  if (isTree(budget) && 'max_overhead_pct' in budget) {
    rename(budget, 'max_overhead_pct', 'max_switch_spend_pct', migration, ['routing', 'routing_budget'])
  }
}

function rename(
  holder: Tree,
  from: string,
  to: string,
  migration: Migration,
  path: readonly (string | number)[],
): void {
  const { findings, places, notes } = migration
  findings.warn({
    code: 'W03',
    path: [...path, from],
    at: 'key',
    message: `\`${from}\` is called \`${to}\` today`,
    showFound: false,
  })
  if (!(to in holder)) {
    holder[to] = holder[from]
    places.moveKey(holder, from, to)
  }
  delete holder[from]
  notes.push(`\`${from}\` became \`${to}\``)
}

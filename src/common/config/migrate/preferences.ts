// M3 and M4: routing preferences written inside providers moved to the top of the file. M5: in a file of today's
// version they stay where they are and have no effect, which is said.

import { isTree, type Path, type Tree } from '../places.ts'
import type { Migration } from './index.ts'

interface Lifted {
  readonly entry: { name: string; description: unknown; models: string[] }
  readonly source: Tree
}

export function migratePreferences(tree: Tree, migration: Migration): void {
  const providers = tree['model_providers']
  if (!Array.isArray(providers)) return
  const lifted = new Map<string, Lifted>()
  let met = 0
  for (const [at, provider] of providers.entries()) {
    if (!isTree(provider) || !('routing_preferences' in provider)) continue
    const path: Path = ['model_providers', at, 'routing_preferences']
    met += 1
    if (migration.old) lift(provider, path, lifted, migration)
    else if (Array.isArray(provider['routing_preferences'])) warnIgnored(path, migration)
  }
  if (!migration.old || met === 0) return
  const top = tree['routing_preferences']
  const own = Array.isArray(top) ? top : []
  const taken = new Set(own.map(entry => (isTree(entry) ? entry['name'] : null)))
  const added = [...lifted.values()]
    .filter(({ entry }) => !taken.has(entry.name))
    .map(({ entry, source }) => migration.places.keep(entry, source))
  if (top === undefined || top === null) tree['routing_preferences'] = added
  else own.push(...added)
  migration.notes.push(`M3 ${added.length} routing preferences moved to the top`)
}

function lift(provider: Tree, path: Path, lifted: Map<string, Lifted>, migration: Migration): void {
  const { findings } = migration
  const model = provider['model']
  const items = provider['routing_preferences']
  if (typeof model === 'string' && model.split('/').at(-1) === '*') {
    findings.error({
      code: 'E22',
      path,
      at: 'key',
      message: `routing preferences cannot stand on the wildcard \`${model}\`; name the model`,
      showFound: false,
    })
    return
  }
  if (!Array.isArray(items) || typeof model !== 'string') return
  findings.warn({
    code: 'W03',
    path,
    at: 'key',
    message: 'routing preferences stand at the top of the file today, with `models: [...]`',
    showFound: false,
  })
  for (const [at, item] of items.entries()) {
    if (!isTree(item) || typeof item['name'] !== 'string' || item['name'] === '') continue
    const name = item['name']
    const known = lifted.get(name)
    if (known === undefined) {
      lifted.set(name, {
        entry: { name, description: item['description'] ?? '', models: [model] },
        source: item,
      })
      continue
    }
    if (!known.entry.models.includes(model)) known.entry.models.push(model)
    if (item['description'] !== known.entry.description && item['description'] !== undefined) {
      findings.warn({
        code: 'W04',
        path: [...path, at, 'description'],
        message: `the preference \`${name}\` has another description above; the first one is used`,
        showFound: false,
      })
    }
  }
  delete provider['routing_preferences']
}

function warnIgnored(path: Path, { findings }: Migration): void {
  findings.warn({
    code: 'W05',
    path,
    at: 'key',
    message: 'routing preferences inside a provider have no effect in a v0.4.0 file; move them to the top',
    showFound: false,
  })
}

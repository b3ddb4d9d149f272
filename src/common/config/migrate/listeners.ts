// M6: the legacy map of listeners became a list. M7: a model listener is always there.

import { isTree, type Tree } from '../places.ts'
import type { Migration } from './index.ts'

const LEGACY = [
  ['egress_traffic', 'model'],
  ['ingress_traffic', 'prompt'],
] as const

export function migrateListeners(tree: Tree, migration: Migration): void {
  const { findings, places, notes } = migration
  const listeners = tree['listeners']
  if (isTree(listeners)) {
    const providers = tree['model_providers']
    if (!Array.isArray(providers) || providers.length === 0) {
      findings.error({
        code: 'E24',
        path: ['listeners'],
        at: 'key',
        message: 'listeners in the old form need at least one entry in `model_providers`',
        showFound: false,
      })
    }
    tree['listeners'] = places.keep(fromMap(listeners, migration), listeners)
    notes.push('M6 listeners became a list')
    findings.warn({
      code: 'W03',
      path: ['listeners'],
      at: 'key',
      message:
        '`listeners` is a list today: `- type: model` for egress_traffic, `- type: prompt` for ingress_traffic',
      showFound: false,
    })
  } else if ('listeners' in tree && !Array.isArray(listeners)) {
    findings.error({
      code: 'E02',
      path: ['listeners'],
      message: 'must be a list of listeners, or `[]` for the default one on port 12000',
    })
    tree['listeners'] = []
  }
  addDefaults(tree, notes)
}

/** A model listener is always there; a prompt listener where functions are configured. */
function addDefaults(tree: Tree, notes: string[]): void {
  const list = tree['listeners']
  const targets = tree['prompt_targets']
  if (!Array.isArray(list)) return
  const has = (type: string) => list.some(entry => isTree(entry) && entry['type'] === type)
  if (Array.isArray(targets) && targets.length > 0 && !has('prompt')) {
    list.push({ type: 'prompt', name: 'ingress_traffic', address: '0.0.0.0', port: 10_000 })
    notes.push('M7 a prompt listener on port 10000 was added for `prompt_targets`')
  }
  if (!has('model')) {
    list.push({ type: 'model', name: 'egress_traffic', address: '0.0.0.0', port: 12_000 })
    notes.push('M7 a model listener on port 12000 was added')
  }
}

/** The model listener first, always; the prompt listener only where the map has one. */
function fromMap(map: Tree, { findings, places }: Migration): Tree[] {
  const list: Tree[] = []
  for (const [key, type] of LEGACY) {
    const entry = map[key]
    if (isTree(entry)) {
      if (type === 'prompt' && Object.keys(entry).length === 0) continue
      const { message_format: _, ...kept } = entry
      list.push(places.keep({ type, name: key, ...kept }, entry))
    } else if (type === 'model') {
      list.push({ type, name: key, address: '0.0.0.0', port: 12_000 })
    }
  }
  for (const key of Object.keys(map)) {
    if (LEGACY.some(([known]) => known === key)) continue
    findings.error({
      code: 'E01',
      path: ['listeners', key],
      at: 'key',
      message: 'this key does not exist here',
      showFound: false,
      allowed: LEGACY.map(([known]) => known).join(', '),
    })
  }
  return list
}

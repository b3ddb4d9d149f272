// An old file in today's form as text: what `migrate` does in memory, done to the document, so that comments and the
// order of the author stay. The two are held together by a test: both forms give one plan.

import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  parseDocument,
  type Scalar,
  YAMLMap,
  YAMLSeq,
} from 'yaml'
import { CURRENT_VERSION, isOld } from './version.ts'

/** The model side was there without being written, and came first. */
const DEFAULT_LISTENER = { type: 'model', name: 'egress_traffic', address: '0.0.0.0', port: 12_000 }

export interface MigratedText {
  readonly text: string
  /** One line for each change; empty when the file is in today's form. */
  readonly changes: readonly string[]
}

const RENAMED_TOP = [
  ['listener', 'listeners'],
  ['llm_providers', 'model_providers'],
] as const

const LEGACY_LISTENERS = [
  ['egress_traffic', 'model'],
  ['ingress_traffic', 'prompt'],
] as const

/** Null when the text cannot be read or written again as one map; loading it says what is wrong. */
export function migrateText(text: string): MigratedText | null {
  try {
    return migrated(text)
  } catch {
    // The library throws at aliases without anchors, some of which a change may have parted, and at endless depth.
    return null
  }
}

function migrated(text: string): MigratedText | null {
  const document = parseDocument(text, { version: '1.1', merge: true, uniqueKeys: false, logLevel: 'silent' })
  const top = document.contents
  if (document.errors.length > 0 || !isMap(top)) return null
  const changes: string[] = []
  const old = isOld(top.get('version'))
  for (const [from, to] of RENAMED_TOP) {
    if (from === 'listener') wrapSingleListener(document, top)
    if (!top.has(to) && rename(top, from, to)) changes.push(`${from} is ${to}`)
  }
  migrateListeners(document, top, changes)
  renameBelow(top, changes)
  if (old) {
    liftPreferences(document, top, changes)
    setVersion(top)
    changes.push(`version is ${CURRENT_VERSION}`)
  }
  // A file without a change keeps every byte.
  return { text: changes.length === 0 ? text : document.toString({ lineWidth: 0 }), changes }
}

/** In its place, with its comment. */
function setVersion(top: YAMLMap): void {
  const node = pairOf(top, 'version')?.value
  if (isScalar(node)) node.value = CURRENT_VERSION
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find(pair => isScalar(pair.key) && pair.key.value === key)
}

function rename(map: YAMLMap, from: string, to: string): boolean {
  const pair = pairOf(map, from)
  if (pair === undefined || map.has(to))
    return false
    // The key keeps its node, and with it the comment above it.
  ;(pair.key as Scalar).value = to
  return true
}

/** The first releases had one listener, a map of its own. */
function wrapSingleListener(document: Document, top: YAMLMap): void {
  const pair = pairOf(top, 'listener')
  const value = pair?.value
  if (!isMap(value) || value.has('egress_traffic') || value.has('ingress_traffic')) return
  const wrapped = new YAMLMap(document.schema)
  wrapped.items.push(document.createPair('egress_traffic', value) as never)
  pair!.value = wrapped
}

function migrateListeners(document: Document, top: YAMLMap, changes: string[]): void {
  const pair = pairOf(top, 'listeners')
  const map = pair?.value
  if (!isMap(map)) return
  // What nobody knows must not get lost; loading the file says what it is.
  const known = new Set<unknown>(LEGACY_LISTENERS.map(([key]) => key))
  if (map.items.some(item => !isScalar(item.key) || !known.has(item.key.value))) return
  const list = new YAMLSeq(document.schema)
  // What stands above the first key belongs to the map.
  if (map.commentBefore) list.commentBefore = map.commentBefore
  if (!isMap(map.get('egress_traffic'))) list.items.push(document.createNode(DEFAULT_LISTENER))
  for (const [key, type] of LEGACY_LISTENERS) {
    const legacy = pairOf(map, key)
    const value = legacy?.value
    if (!isMap(value) || (type === 'prompt' && value.items.length === 0)) continue
    const listener = new YAMLMap(document.schema)
    listener.items.push(document.createPair('type', type) as never, document.createPair('name', key) as never)
    listener.items.push(...(value.items.filter(item => item !== pairOf(value, 'message_format')) as never[]))
    const comment = isScalar(legacy!.key) ? legacy!.key.commentBefore : null
    if (comment) listener.commentBefore = comment
    list.items.push(listener)
  }
  pair!.value = list
  changes.push('listeners is a list')
}

function renameBelow(top: YAMLMap, changes: string[]): void {
  const listeners = top.get('listeners')
  for (const listener of isSeq(listeners) ? listeners.items : []) {
    const agents = isMap(listener) ? listener.get('agents') : null
    for (const agent of isSeq(agents) ? agents.items : []) {
      if (isMap(agent) && rename(agent, 'filter_chain', 'input_filters')) {
        changes.push('filter_chain is input_filters')
      }
    }
  }
  const budget = top.getIn(['routing', 'routing_budget'])
  if (isMap(budget) && rename(budget, 'max_overhead_pct', 'max_switch_spend_pct')) {
    changes.push('max_overhead_pct is max_switch_spend_pct')
  }
}

function liftPreferences(document: Document, top: YAMLMap, changes: string[]): void {
  const providers = top.get('model_providers')
  const lifted = new Map<string, { name: string; description: unknown; models: string[] }>()
  for (const provider of isSeq(providers) ? providers.items : []) {
    if (!isMap(provider) || !provider.has('routing_preferences')) continue
    const items = provider.get('routing_preferences')
    const model = provider.get('model')
    if (!isSeq(items) || typeof model !== 'string') continue
    for (const item of items.items) {
      const name = isMap(item) ? item.get('name') : null
      if (!isMap(item) || typeof name !== 'string' || name === '') continue
      const entry = lifted.get(name) ?? { name, description: item.get('description') ?? '', models: [] }
      if (!entry.models.includes(model)) entry.models.push(model)
      lifted.set(name, entry)
    }
    provider.delete('routing_preferences')
  }
  if (lifted.size === 0) return
  const own = top.get('routing_preferences')
  const list = isSeq(own) ? own : new YAMLSeq(document.schema)
  const taken = new Set(list.items.map(item => (isMap(item) ? item.get('name') : null)))
  for (const entry of lifted.values()) {
    if (!taken.has(entry.name)) list.items.push(document.createNode(entry))
  }
  if (list !== own) top.set('routing_preferences', list)
  changes.push('routing_preferences stand at the top')
}

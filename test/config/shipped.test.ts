// The files that ship: examples that load, a reference that leaves nothing out, a schema that is fresh.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { configJsonSchema, loadPlan } from '../../src/common/config/index.ts'
import { keysOf, type SchemaNode } from './keys.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (name: string) => readFileSync(resolve(ROOT, 'config', name), 'utf8')

/** Collects the keys of the language that a document uses. */
function walk(node: SchemaNode, value: unknown, path: string, used: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    if (!(key in value)) continue
    used.add(`${path}.${key}`)
    walk(child, (value as Record<string, unknown>)[key], `${path}.${key}`, used)
  }
  for (const variant of [...(node.anyOf ?? []), ...(node.oneOf ?? [])]) walk(variant, value, path, used)
  const { items, additionalProperties } = node
  if (items !== undefined && Array.isArray(value)) for (const item of value) walk(items, item, path, used)
  if (typeof additionalProperties === 'object') {
    for (const item of Object.values(value)) walk(additionalProperties, item, path, used)
  }
}

const KEYS = keysOf(configJsonSchema() as SchemaNode)

test('the language has the size the specification says', () => {
  // A walk that finds nothing would make the tests below pass.
  expect(KEYS.length).toBeGreaterThan(150)
})

describe('config/gateway.schema.json', () => {
  test('is what `npm run schema` prints', () => {
    expect(JSON.parse(read('gateway.schema.json'))).toEqual(JSON.parse(JSON.stringify(configJsonSchema())))
  })

  test('describes every key', () => {
    expect(KEYS.filter(({ node }) => (node.description ?? '').length < 5).map(({ path }) => path)).toEqual([])
  })
})

describe('config/gateway.reference.yaml', () => {
  const text = read('gateway.reference.yaml')

  test('names every key, in use or as a comment', () => {
    const used = new Set<string>()
    walk(configJsonSchema() as SchemaNode, parse(text), '', used)
    const commented = (key: string) => new RegExp(`#.*\\b${key}:`).test(text)
    // The deprecated list has the entries of the one that replaced it.
    const keys = KEYS.filter(({ path }) => !path.startsWith('.llm_providers.'))
    const missing = keys.filter(({ path, key }) => !used.has(path) && !commented(key))
    expect(missing.map(({ path }) => path)).toEqual([])
  })

  test('loads without any variable, and warns of the guard alone', () => {
    const { plan, notes } = loadPlan({ file: 'config/gateway.reference.yaml', cwd: ROOT, env: {} })
    expect(notes.warnings.map(({ code }) => code)).toEqual(['W18'])
    expect(plan.listeners.map(listener => listener.type)).toEqual(['model', 'prompt', 'agent'])
    expect(plan.providers.map(provider => provider.name)).toEqual([
      'small',
      'anthropic/claude-sonnet-4-5',
      'groq/*',
      'house/llama-3',
    ])
  })
})

test('config/gateway.example.yaml loads with two keys in the environment', () => {
  const env = { OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: 'sk-2' }
  const { plan, notes } = loadPlan({ file: 'config/gateway.example.yaml', cwd: ROOT, env })
  expect(notes.warnings).toEqual([])
  expect(plan.aliases).toEqual({ fast: 'openai/gpt-4o-mini' })
})

// What a model name means, from a file to the entry that serves it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadPlan, type Plan, withDemo } from '../../src/common/config/index.ts'
import { buildModelIndex, findModel, publicModels } from '../../src/routing/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-routing-'))
afterAll(() => rmSync(folder, { recursive: true }))

function planOf(yaml: string): Plan {
  const file = join(folder, 'config.yaml')
  writeFileSync(file, `version: v0.4.0\nlisteners: []\n${yaml}`)
  return loadPlan({ file, cwd: folder, env: {} }).plan
}

function found(plan: Plan, asked: string | null): string {
  const result = findModel(buildModelIndex(plan), asked)
  return 'unknown' in result
    ? `? ${result.unknown.join(' ')}`.trim()
    : `${result.provider.name} ${result.upstreamModel}`
}

describe('a file with names, ids, aliases and wildcards', () => {
  const plan = planOf(`
model_providers:
  - {model: openai/gpt-4o, access_key: k, default: true}
  - {model: anthropic/claude-sonnet-4-5, name: sonnet, access_key: k}
  - {model: together_ai/openai/gpt-oss-20b, access_key: k}
  - {model: groq/*, access_key: k}
  - {model: gemini/*, access_key: k}
  - {name: corp, model: openai/*, access_key: k}
model_aliases:
  fast: {target: gpt-4o}
  arch.claude.code.small.fast: {target: sonnet}
`)

  test.each([
    ['its full name', 'openai/gpt-4o', 'openai/gpt-4o gpt-4o'],
    ['its bare id', 'gpt-4o', 'openai/gpt-4o gpt-4o'],
    ['a name of its own', 'sonnet', 'sonnet claude-sonnet-4-5'],
    ['the bare id behind a name', 'claude-sonnet-4-5', 'sonnet claude-sonnet-4-5'],
    ['vendor and id behind a name', 'anthropic/claude-sonnet-4-5', 'sonnet claude-sonnet-4-5'],
    [
      'an id with slashes',
      'together_ai/openai/gpt-oss-20b',
      'together_ai/openai/gpt-oss-20b openai/gpt-oss-20b',
    ],
    ['an alias to an id', 'fast', 'openai/gpt-4o gpt-4o'],
    ['an alias with dots', 'arch.claude.code.small.fast', 'sonnet claude-sonnet-4-5'],
    ['a wildcard', 'groq/llama-3.3-70b', 'groq/* llama-3.3-70b'],
    ['a wildcard with slashes behind it', 'groq/meta/llama', 'groq/* meta/llama'],
    ['another spelling of a vendor', 'google/gemini-9', 'gemini/* gemini-9'],
    ['a wildcard under a name', 'corp/gpt-9', 'corp gpt-9'],
    ['a prefix nobody knows', 'whatever/gpt-4o', 'openai/gpt-4o gpt-4o'],
    ['the word none', 'none', 'openai/gpt-4o gpt-4o'],
  ])('finds %s', (_, asked, expected) => {
    expect(found(plan, asked)).toBe(expected)
  })

  test('serves the default when no model is asked for', () => {
    expect(found(plan, null)).toBe('openai/gpt-4o gpt-4o')
    expect(found(plan, '')).toBe('openai/gpt-4o gpt-4o')
  })

  test('does not carry an id from one known vendor to another', () => {
    expect(found(plan, 'anthropic/gpt-4o')).toMatch(/^\?/)
    expect(found(plan, 'mistral/gpt-4o')).toMatch(/^\?/)
  })

  test('guesses the nearest names of an unknown one', () => {
    expect(found(plan, 'openai/gpt-4oo')).toContain('openai/gpt-4o')
    expect(found(plan, 'sonet')).toBe('? sonnet')
  })

  test('a prefix alone names nothing', () => {
    expect(found(plan, 'groq/')).toMatch(/^\?/)
    expect(found(plan, 'groq')).toMatch(/^\?/)
  })

  test('lists entries by name and known models of wildcards under their vendor only', () => {
    const ids = publicModels(plan).map(model => model.id)
    expect(ids.slice(0, 3)).toEqual(['openai/gpt-4o', 'sonnet', 'together_ai/openai/gpt-oss-20b'])
    expect(ids.some(id => id.startsWith('gemini/'))).toBe(true)
    expect(ids.some(id => id.startsWith('corp'))).toBe(false)
    expect(ids.some(id => id.includes('*'))).toBe(false)
  })
})

test('an entry wins over the wildcard of its vendor and is listed once', () => {
  const plan = planOf(`
model_providers:
  - {model: openai/*, access_key: k}
  - {model: openai/gpt-4o, access_key: k, base_url: "http://127.0.0.1:9"}
`)
  const result = findModel(buildModelIndex(plan), 'openai/gpt-4o')
  expect('provider' in result && result.provider.origin).toBe('http://127.0.0.1:9')
  expect(publicModels(plan).filter(model => model.id === 'openai/gpt-4o')).toHaveLength(1)
  expect(found(plan, 'gpt-4o-mini')).toBe('openai/* gpt-4o-mini')
})

test('no default means no model for who asks for none', () => {
  expect(found(planOf('model_providers: [{model: openai/x, access_key: k}]'), null)).toBe('?')
})

test('a bare id of two entries means neither, and the answer names both', () => {
  const plan = planOf('model_providers: [{model: groq/x, access_key: k}, {model: openai/x, access_key: k}]')
  const index = buildModelIndex(plan)
  expect(findModel(index, 'x')).toEqual({ unknown: ['groq/x', 'openai/x'], ambiguous: true })
  expect(findModel(index, 'nobody/x')).toEqual({ unknown: ['groq/x', 'openai/x'], ambiguous: true })
  expect(found(plan, 'openai/x')).toBe('openai/x x')
})

test('an entry whose name is the bare id of two others is that entry', () => {
  const plan = planOf(`
model_providers:
  - {model: groq/x, access_key: k}
  - {model: openai/x, access_key: k}
  - {model: mistral/y, name: x, access_key: k}`)
  expect(found(plan, 'x')).toBe('x y')
})

test('of two wildcards with one prefix the later one serves', () => {
  const plan = planOf(`
model_providers:
  - {model: anthropic/*, access_key: k}
  - {name: anthropic, model: anthropic/*, access_key: k, base_url: "http://127.0.0.1:9"}`)
  const result = findModel(buildModelIndex(plan), 'claude-sonnet-4-5')
  expect('provider' in result && result.provider.name).toBe('anthropic')
})

test('an internal entry is neither listed nor found', () => {
  const plan = planOf('model_providers: [{model: openai/x, access_key: k}, {model: openai/y, access_key: k}]')
  const hidden: Plan = {
    ...plan,
    providers: plan.providers.map(one => ({ ...one, internal: one.model === 'y' })),
  }
  expect(publicModels(hidden).map(model => model.id)).toEqual(['openai/x'])
  expect(found(hidden, 'openai/y')).toMatch(/^\?/)
  expect(found(hidden, 'y')).toMatch(/^\?/)
})

test('aliases are listed last, and owners by their names', () => {
  const plan = planOf(`
model_providers: [{model: openai/x, access_key: k}, {model: xai/y, access_key: k}]
model_aliases: {fast: {target: y}}`)
  expect(publicModels(plan)).toEqual([
    { id: 'openai/x', ownedBy: 'OpenAI' },
    { id: 'xai/y', ownedBy: 'xai' },
    { id: 'fast', ownedBy: 'alias' },
  ])
})

test('the demo provider is found by its name, and by none when it is alone', () => {
  const plan = withDemo(planOf(''), 'http://127.0.0.1:1')
  expect(found(plan, 'demo/echo')).toBe('demo/echo echo')
  expect(found(plan, null)).toBe('demo/echo echo')
  expect(publicModels(plan)).toEqual([{ id: 'demo/echo', ownedBy: 'demo' }])
})

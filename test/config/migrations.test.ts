// Each migration before and after: a file in its old form and one in today's give one plan. Also what the versions
// mean, and that errors of an old file name what its author wrote.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type LoadedPlan, loadPlan, migrateText } from '../../src/common/config/index.ts'
import { versionParts } from '../../src/common/config/migrate/version.ts'

import { ENV } from './env.ts'

const FOLDER = resolve(import.meta.dirname, '../fixtures/config/migrations')
const NAMES = readdirSync(FOLDER)
  .filter(name => name.endsWith('.before.yaml'))
  .map(name => basename(name, '.before.yaml'))

const load = (name: string) => loadPlan({ file: name, cwd: FOLDER, env: {} })

const folder = mkdtempSync(join(tmpdir(), 'sluice-migrate-'))
afterAll(() => rmSync(folder, { recursive: true }))
function loadText(text: string, env: Readonly<Record<string, string>> = {}): LoadedPlan {
  const file = join(folder, 'config.yaml')
  writeFileSync(file, text)
  return loadPlan({ file, cwd: folder, env })
}

describe('before and after give one plan', () => {
  test.each(NAMES)('%s', name => {
    const before = load(`${name}.before.yaml`)
    const after = load(`${name}.after.yaml`)
    expect(before.plan.hash).toBe(after.plan.hash)
    const code = /^M\d/.exec(name)?.[0]
    const silent = code === 'M5' || code === 'M8'
    if (code !== undefined && !silent) expect(before.notes.migrations.join('\n')).toContain(code)
  })
})

test('M4: preferences on a wildcard are refused', () => {
  expect(() =>
    loadText(`version: v0.3.0
listeners: []
model_providers: [{model: groq/*, access_key: k, routing_preferences: [{name: a, description: A.}]}]`),
  ).toThrow(/E22/)
})

test('M9: internal models join only where the file asks for the hosted ones', () => {
  const text = 'version: v0.4.0\nlisteners: []\nrouting_preferences: []\n'
  expect(loadText(text).plan.providers).toEqual([])
  const hosted = loadText(`${text}server: {hosted_models: true}`).plan.providers
  expect(hosted.map(one => [one.name, one.model, one.internal])).toEqual([
    ['arch-function', 'Arch-Function', true],
    ['plano/orchestrator', 'Plano-Orchestrator', true],
  ])
})

test('an error of a migrated file names the key its author wrote', () => {
  expect(() =>
    loadText('version: v0.1\nlisteners: {egress_traffic: {port: high}}\nllm_providers:\n  - {model: gpt}'),
  ).toThrow(
    /config.yaml:2:36 listeners.egress_traffic.port: E60.*config.yaml:4:13 llm_providers\[0\].model: E13/s,
  )
})

test.each([
  ['v0.4.0', [0, 4, 0]],
  ['0.4', [0, 4, 0]],
  ['v0.1', [0, 1, 0]],
  ['V0.2.7', [0, 2, 7]],
  ['0.1-beta', [0, 1, 0]],
  ['', [0, 0, 0]],
  ['vX.4', [0, 4, 0]],
])('the version %j counts as %j', (text, parts) => {
  expect(versionParts(text)).toEqual(parts)
})

test('nothing of a file in today’s form is changed', () => {
  const loaded = loadText('version: v0.4.0\nlisteners: [{type: model, name: llm}]')
  expect(loaded.notes.migrations).toEqual([])
})

describe('the file rewritten in today’s form', () => {
  const whole = resolve(import.meta.dirname, '../fixtures/config')
  const texts = [
    ...readdirSync(whole)
      .filter(name => name.endsWith('.yaml') && name !== 'tls.yaml')
      .map(name => [name, readFileSync(join(whole, name), 'utf8')] as const),
    ...NAMES.map(name => [name, readFileSync(join(FOLDER, `${name}.before.yaml`), 'utf8')] as const),
  ]

  test.each(texts)(
    '%s gives the same plan, without the warnings of old forms, and is changed once',
    (_, text) => {
      const migrated = migrateText(text)!
      const before = loadText(text, ENV)
      const after = loadText(migrated.text, ENV)
      expect(after.plan.hash).toBe(before.plan.hash)
      expect(after.notes.warnings.filter(({ code }) => /^W0[34]$/.test(code))).toEqual([])
      expect(migrateText(migrated.text)).toEqual({ text: migrated.text, changes: [] })
    },
  )

  test('keeps comments, order and what it does not know', () => {
    const { text, changes } = migrateText(`# Ours.
version: v0.1 # old
llm_providers:
  # The big one.
  - model: openai/gpt-4o # best
    access_key: $KEY
    routing_preferences:
      - {name: code, description: Code.}
listeners:
  # For callers.
  egress_traffic:
    port: 9000 # moved
    message_format: openai
mystery: 1
`)!
    expect(text).toBe(`# Ours.
version: v0.4.0 # old
model_providers:
  # The big one.
  - model: openai/gpt-4o # best
    access_key: $KEY
listeners:
  # For callers.
  - type: model
    name: egress_traffic
    port: 9000 # moved
mystery: 1
routing_preferences:
  - name: code
    description: Code.
    models:
      - openai/gpt-4o
`)
    expect(changes).toEqual([
      'llm_providers is model_providers',
      'listeners is a list',
      'routing_preferences stand at the top',
      'version is v0.4.0',
    ])
  })

  test('is not tried where there is no map', () => {
    expect(migrateText('- a')).toBeNull()
    expect(migrateText('a: [')).toBeNull()
  })
})

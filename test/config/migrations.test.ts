// Each migration before and after: a file in its old form and one in today's give one plan. Also what the versions
// mean, and that errors of an old file name what its author wrote.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type LoadedPlan, loadPlan } from '../../src/common/config/index.ts'
import { versionParts } from '../../src/common/config/migrate/index.ts'

const FOLDER = resolve(import.meta.dirname, '../fixtures/config/migrations')
const NAMES = readdirSync(FOLDER)
  .filter(name => name.endsWith('.before.yaml'))
  .map(name => basename(name, '.before.yaml'))

const load = (name: string) => loadPlan({ file: name, cwd: FOLDER, env: {} })

const folder = mkdtempSync(join(tmpdir(), 'sluice-migrate-'))
afterAll(() => rmSync(folder, { recursive: true }))
function loadText(text: string): LoadedPlan {
  const file = join(folder, 'config.yaml')
  writeFileSync(file, text)
  return loadPlan({ file, cwd: folder, env: {} })
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

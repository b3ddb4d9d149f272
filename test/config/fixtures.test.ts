// Files of every kind the specification describes, and what becomes of each: listeners, models, aliases, default,
// upstream addresses, features, warnings. `UPDATE_GOLDENS=1` rewrites what is expected; the commit explains why.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { loadPlan } from '../../src/common/config/index.ts'
import { describeLoaded } from './describe.ts'
import { ENV } from './env.ts'

const FOLDER = resolve(import.meta.dirname, '../fixtures/config')
const NAMES = readdirSync(FOLDER)
  .filter(name => name.endsWith('.yaml'))
  .map(name => basename(name, '.yaml'))

test('there are at least forty files', () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(40)
})

test.each(NAMES)('%s', name => {
  const loaded = loadPlan({ file: `${name}.yaml`, cwd: FOLDER, env: ENV })
  const described = describeLoaded(loaded)
  const golden = resolve(FOLDER, `${name}.json`)
  if (process.env['UPDATE_GOLDENS'] === '1') {
    writeFileSync(golden, `${JSON.stringify(described, null, 2)}\n`)
  }
  expect(existsSync(golden), `${golden} is missing`).toBe(true)
  expect(described).toEqual(JSON.parse(readFileSync(golden, 'utf8')))
})

test.each(NAMES)('%s gives the same plan twice, and none of its secrets away', name => {
  const first = loadPlan({ file: `${name}.yaml`, cwd: FOLDER, env: ENV })
  const again = loadPlan({ file: `${name}.yaml`, cwd: FOLDER, env: ENV })
  expect(again.plan.hash).toBe(first.plan.hash)
  const shown = JSON.stringify([describeLoaded(first), first.notes])
  for (const [key, value] of Object.entries(ENV)) {
    if (/KEY|TOKEN|PASSWORD|REDIS/.test(key)) expect(shown).not.toContain(value)
  }
})

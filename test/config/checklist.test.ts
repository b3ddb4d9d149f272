// Points of the reference's checklist that no other test shows; `gaps.ts` has all of them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadPlan } from '../../src/common/config/index.ts'
import { matchEndpoint, normalPath } from '../../src/gateway/endpoints.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-checklist-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('/healthz is that path and no other', () => {
  const served = (target: string) => matchEndpoint(normalPath(target))?.endpoint.operation ?? null
  expect(['/healthz', '/healthz/', '/healthz?a=1'].map(served)).toEqual(['health', 'health', 'health'])
  expect(['/healthzzz', '/healthz/a', '/health', '/Healthz'].map(served)).toEqual([null, null, null, null])
})

test('the variable of the reference`s container names the file', () => {
  const file = join(folder, 'plano_config.yaml')
  writeFileSync(
    file,
    'version: v0.4.0\nlisteners: []\nmodel_providers: [{model: openai/of-the-container, access_key: k}]\n',
  )
  const cwd = mkdtempSync(join(tmpdir(), 'sluice-elsewhere-'))
  const { plan } = loadPlan({ file: null, cwd, env: { PLANO_CONFIG_FILE: file } })
  rmSync(cwd, { recursive: true })
  expect(plan.providers.map(one => one.model)).toEqual(['of-the-container'])
  expect(plan.listeners.map(one => one.port)).toEqual([12_000])
})

// Where a value came from.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadPlan } from '../../src/common/config/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-explain-'))
afterAll(() => rmSync(folder, { recursive: true }))

writeFileSync(
  join(folder, 'config.yaml'),
  `version: v0.1
listeners:
  egress_traffic: {port: $PORT}
llm_providers:
  - model: openai/gpt-4o
    access_key: $KEY
server:
  drain: 5s
  shards: 3
`,
)
const env = { PORT: '9000', KEY: 'sk-hidden-nowhere', METRICS_BIND_ADDRESS: '127.0.0.1:7' }
const loaded = loadPlan({ file: null, cwd: folder, env })

describe('explain', () => {
  test.each([
    ['server.drain', { value: '5s', from: 'file', place: 'config.yaml:8:10' }],
    ['server.idle_max', { value: '75s', from: 'default', place: null }],
    ['server.shards', { value: 3, from: 'file' }],
    ['admin.port', { value: 7, from: 'environment', place: 'METRICS_BIND_ADDRESS' }],
    [
      'listeners[0].port',
      { path: 'listeners.egress_traffic.port', value: 9000, from: 'file', written: '$PORT' },
    ],
    ['listeners[0].type', { value: 'model', from: 'migration', place: null }],
    ['model_providers[0].model', { path: 'llm_providers[0].model', value: 'openai/gpt-4o', from: 'file' }],
    ['model_providers[0].access_key', { value: '***', from: 'file', written: '$KEY' }],
    ['model_providers[0].default', { value: false, from: 'default' }],
  ])('%s', (key, expected) => {
    expect(loaded.explain(key)).toMatchObject(expected)
  })

  test.each(['', 'nothing.here', 'listeners[9].port', 'a b', '[', 'server..drain'])('%j is no key', key => {
    expect(loaded.explain(key)).toBeNull()
  })

  test('threads come from the variable where it is set', () => {
    const other = loadPlan({ file: null, cwd: folder, env: { ...env, SLUICE_SHARDS: '8' } })
    expect(other.explain('server.shards')).toMatchObject({
      value: 8,
      from: 'environment',
      place: 'SLUICE_SHARDS',
    })
  })

  test('shows no header field and no password of an address', () => {
    writeFileSync(
      join(folder, 'secrets.yaml'),
      `version: v0.4.0
listeners: []
model_providers:
  - model: house/a
    provider_interface: openai
    base_url: http://user:zqx-password@h/v1?key=zqx-query
    headers: {x-api-key: zqx-header, x-team: search}
tests: [{name: a, request: {headers: {authorization: Bearer zqx-test}}, expect: {status: 200}}]
`,
    )
    const { explain } = loadPlan({ file: 'secrets.yaml', cwd: folder, env: {} })
    for (const key of [
      'model_providers',
      'model_providers[0].base_url',
      'model_providers[0].headers',
      'model_providers[0].headers["x-api-key"]',
      'tests',
      'tests[0].request.headers.authorization',
    ]) {
      expect(JSON.stringify(explain(key)), key).not.toContain('zqx')
    }
    expect(explain('model_providers[0].headers')!.value).toEqual({ 'x-api-key': '***', 'x-team': 'search' })
  })

  test('never shows a secret', () => {
    for (const key of ['model_providers[0]', 'model_providers', 'admin.token']) {
      expect(JSON.stringify(loaded.explain(key))).not.toContain('hidden')
    }
  })
})

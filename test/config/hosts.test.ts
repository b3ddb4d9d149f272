// A provider with several addresses: what the plan says of each, and what is shown of them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { atHosts, hostLabel, loadPlan, maskedPlan } from '../../src/common/config/index.ts'
import { summaryOf } from '../../src/cli/loading.ts'
import { maskerOf } from '../../src/cli/secrets.ts'
import { upstreamPath } from '../../src/providers/index.ts'
import { ENV } from './env.ts'

const FIXTURES = resolve(import.meta.dirname, '../fixtures/config')
const { plan } = loadPlan({ file: 'several-hosts.yaml', cwd: FIXTURES, env: ENV })
const [openai, house, azure] = plan.providers

test('every address is read by the rules of `base_url`, and those of a wrong one do not stay at the next', () => {
  const places = (provider: typeof openai) =>
    atHosts(provider!).map(
      at => at.origin + upstreamPath(at, provider!.dialects[0]!, 'generate', provider!.model, false),
    )
  expect(places(openai)).toEqual([
    'https://one.example.com/v1/chat/completions',
    'https://two.example.com:8443/openai/v1/chat/completions',
  ])
  expect(places(house)).toEqual([
    'http://10.0.0.5:8000/a/v1/chat/completions',
    'http://10.0.0.5:8000/b/v1/chat/completions',
    'http://10.0.0.6:8000/v1/chat/completions?code=visible-no',
  ])
  expect(places(azure)).toEqual([
    'https://east.openai.azure.com/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21',
    'https://west.openai.azure.com/openai/deployments/gpt-4o-mini/chat/completions?api-version=2025-01-01',
  ])
})

test('hosts are called by host and port, and by their path where two share those', () => {
  expect(plan.providers.map(provider => atHosts(provider).map(hostLabel))).toEqual([
    ['one.example.com', 'two.example.com:8443'],
    ['10.0.0.5:8000/a/v1', '10.0.0.5:8000/b/v1', '10.0.0.6:8000'],
    ['east.openai.azure.com', 'west.openai.azure.com'],
  ])
})

test('a share that is not written is 1', () => {
  expect(openai!.hosts!.map(host => host.weight)).toEqual([1, 3])
})

test('each sees one provider with one address, and everything else of the entry', () => {
  for (const at of atHosts(openai!)) {
    expect(at.accessKeys).toBe(openai!.accessKeys)
    expect(at.hosts).toHaveLength(1)
    expect(atHosts(at)).toEqual([at])
  }
})

test('an address may hold a secret, which is shown nowhere', () => {
  expect(JSON.stringify(maskedPlan(plan))).not.toContain('visible-no')
  expect(maskerOf(plan)('http://10.0.0.6:8000/v1?code=visible-no')).toBe('http://10.0.0.6:8000/v1?code=***')
})

test('a check tells every address of an entry, masked', () => {
  expect(summaryOf(plan).upstreams['house/llama-3']).toEqual([
    'http://10.0.0.5:8000/a/v1/chat/completions',
    'http://10.0.0.5:8000/b/v1/chat/completions',
    'http://10.0.0.6:8000/v1/chat/completions?code=***',
  ])
})

test('the hash knows every address and its share', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hosts-'))
  const hashOf = (second: string) => {
    const entry = `{ model: openai/a, access_key: k, base_urls: [http://a, ${second}] }`
    writeFileSync(join(folder, 'x.yaml'), `version: v0.4.0\nlisteners: []\nmodel_providers: [${entry}]\n`)
    return loadPlan({ file: 'x.yaml', cwd: folder, env: ENV }).plan.hash
  }
  expect(new Set(['http://b', 'http://c', '{ url: http://b, weight: 2 }'].map(hashOf)).size).toBe(3)
  expect(hashOf('http://b')).toBe(hashOf('{ url: http://b, weight: 1 }'))
  rmSync(folder, { recursive: true })
})

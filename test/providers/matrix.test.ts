// Where calls go: the whole matrix against the document, and by name the cells that the reference gateway has wrong.

import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { VENDORS } from '../../src/common/config/index.ts'
import { DIALECTS, type DialectId } from '../../src/translate/index.ts'
import { HOSTS } from '../support/fake-upstream/personalities/index.ts'
import { planOf, planOfHost, USUAL } from './hosts.ts'
import { cellOf, providersDocument } from './matrix.ts'

const DOCUMENT = resolve(import.meta.dirname, '../../docs/providers.md')

test('docs/providers.md is what the code does', () => {
  const fresh = providersDocument()
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(DOCUMENT, fresh)
  expect(readFileSync(DOCUMENT, 'utf8')).toBe(fresh)
})

test('every vendor has a row', () => {
  const used = new Set(USUAL.map(({ entry }) => entry.model.split('/')[0]))
  expect(VENDORS.map(({ id }) => id).filter(id => !used.has(id))).toEqual([])
})

describe.each(USUAL)('$host', row => {
  test.each(DIALECTS)('%s clients reach an endpoint that the vendor documents', dialect => {
    const cell = cellOf(planOfHost(row), dialect)
    const known = HOSTS[row.host]!.filter(endpoint => endpoint.dialect === cell.upstream)
    for (const path of [cell.path, cell.streamPath]) {
      expect(
        known.some(endpoint => endpoint.path.test(path)),
        path,
      ).toBe(true)
    }
  })

  test('a base URL without a path keeps the usual root', () => {
    const at = { ...row.entry, name: 'm', access_key: 'k', base_url: 'https://proxy.example' }
    // Only the project tells Vertex's root, so a base URL must.
    if (row.host.startsWith('vertex')) return
    const usual = planOfHost(row)
    const moved = planOf(at)
    expect(moved.origin).toBe('https://proxy.example')
    for (const dialect of DIALECTS) expect(cellOf(moved, dialect)).toEqual(cellOf(usual, dialect))
  })

  test('a base URL with a path replaces the usual root, with any number of slashes at its end', () => {
    const { base_url: _, ...entry } = row.entry as Record<string, unknown>
    for (const slashes of ['', '/', '//']) {
      const plan = planOf({ ...entry, access_key: 'k', base_url: `https://proxy.example/own/v9${slashes}` })
      for (const dialect of DIALECTS) {
        expect(cellOf(plan, dialect).path).toMatch(/^\/own\/(?:v9\/[^/]|deployments\/|responses\?)/)
      }
    }
  })
})

/** Vendor, client, upstream dialect and path; the reference has each of them wrong. */
const BROKEN: readonly (readonly [
  string,
  Readonly<Record<string, unknown>>,
  DialectId,
  DialectId,
  string,
])[] = [
  [
    'chatgpt, Chat',
    { model: 'chatgpt/m' },
    'openai-chat',
    'openai-responses',
    '/backend-api/codex/responses',
  ],
  [
    'chatgpt, Messages',
    { model: 'chatgpt/m' },
    'anthropic-messages',
    'openai-responses',
    '/backend-api/codex/responses',
  ],
  ['groq, Messages', { model: 'groq/m' }, 'anthropic-messages', 'openai-chat', '/openai/v1/chat/completions'],
  [
    'groq, Responses: a Responses body at the Responses path',
    { model: 'groq/m' },
    'openai-responses',
    'openai-responses',
    '/openai/v1/responses',
  ],
  [
    'gemini, Messages',
    { model: 'gemini/m' },
    'anthropic-messages',
    'openai-chat',
    '/v1beta/openai/chat/completions',
  ],
  [
    'zhipu, Messages',
    { model: 'zhipu/m' },
    'anthropic-messages',
    'openai-chat',
    '/api/paas/v4/chat/completions',
  ],
  [
    'qwen, Messages',
    { model: 'qwen/m', base_url: 'https://dashscope-intl.aliyuncs.com' },
    'anthropic-messages',
    'openai-chat',
    '/compatible-mode/v1/chat/completions',
  ],
  [
    'azure_openai, Messages',
    { model: 'azure_openai/m', base_url: 'https://r.openai.azure.com', api_version: '2025-01-01-preview' },
    'anthropic-messages',
    'openai-chat',
    '/openai/deployments/m/chat/completions?api-version=2025-01-01-preview',
  ],
  [
    'perplexity, Messages',
    { model: 'perplexity/m', base_url: 'https://api.perplexity.ai', provider_interface: 'openai' },
    'anthropic-messages',
    'openai-chat',
    '/chat/completions',
  ],
]

describe('a cell that the reference has wrong', () => {
  test.each(BROKEN)('%s', (_what, entry, client, upstream, path) => {
    expect(cellOf(planOf({ access_key: 'k', ...entry }), client)).toMatchObject({ upstream, path })
  })

  test('there are nine', () => {
    expect(BROKEN).toHaveLength(9)
  })

  test.each([
    ['groq/m', 'https://api.groq.com/openai/v1', '/openai/v1/chat/completions'],
    ['gemini/m', 'https://generativelanguage.googleapis.com/v1beta', '/v1beta/openai/chat/completions'],
    ['azure_openai/m', 'https://r.openai.azure.com/openai/v1', '/openai/v1/chat/completions'],
  ])('%s with the vendor’s own root as base URL', (model, base_url, path) => {
    expect(cellOf(planOf({ model, base_url, access_key: 'k' }), 'openai-chat').path).toBe(path)
  })
})

describe('Vertex AI', () => {
  test('a wildcard speaks the dialect of the model that is asked for', () => {
    const plan = planOf({ model: 'vertex/*', project: 'p', region: 'us-east5', access_key: 'k' })
    const claude = { ...plan, model: 'claude-opus-4-5' }
    const gemini = { ...plan, model: 'gemini-2.5-pro' }
    expect(cellOf(claude, 'gemini-generate').upstream).toBe('anthropic-messages')
    expect(cellOf(gemini, 'anthropic-messages').upstream).toBe('gemini-generate')
  })

  test('the global location has a host without a region', () => {
    const plan = planOf({ model: 'vertex/gemini-2.5-pro', project: 'p', access_key: 'k' })
    expect(plan.origin).toBe('https://aiplatform.googleapis.com')
    expect(cellOf(plan, 'gemini-generate').path).toBe(
      '/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-pro:generateContent',
    )
  })
})

test('an id of Bedrock is one segment of the path, whatever is in it', () => {
  const model = 'amazon_bedrock/arn:aws:bedrock:us-east-1:42:inference-profile/us.m-v1:0'
  const cell = cellOf(planOf({ model, region: 'us-east-1', access_key: 'k' }), 'openai-chat')
  expect(cell.path).toBe(
    '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A42%3Ainference-profile%2Fus.m-v1%3A0/converse',
  )
})

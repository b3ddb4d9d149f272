// Where forwarded calls go at providers whose roots differ.

import { describe, expect, test } from 'vitest'
import type { ProviderPlan } from '../../src/common/config/index.ts'
import { matchEndpoint } from '../../src/gateway/endpoints.ts'
import { FORWARDED } from '../../src/gateway/forwarded.ts'
import { embeddingsForm, embeddingsPath, forwardPath } from '../../src/providers/index.ts'
import { provider } from './harness.ts'

function at(id: string, pathPrefix: string, more: Partial<ProviderPlan> = {}): ProviderPlan {
  return provider(`${id}/m`, 'http://host', { provider: id, pathPrefix, ...more })
}

describe('a forwarded call', () => {
  test.each<[string, ProviderPlan, string, string]>([
    ['OpenAI', at('openai', '/v1'), '/embeddings', '/v1/embeddings'],
    ['Groq', at('groq', '/openai/v1'), '/audio/speech', '/openai/v1/audio/speech'],
    ['Gemini', at('gemini', '/v1beta/openai'), '/files', '/v1beta/openai/files'],
    [
      'a host with a root of its own for Chat',
      at('x', '/a', { dialectPrefixes: { 'openai-chat': '/b' } }),
      '/rerank',
      '/b/rerank',
    ],
    ['a host with a query', at('x', '/v1', { query: 'team=7' }), '/rerank', '/v1/rerank?team=7'],
    ['Azure', at('azure_openai', '/openai/v1'), '/embeddings', '/openai/v1/embeddings'],
    ['Azure at its short root', at('azure_openai', '/openai'), '/files', '/openai/v1/files'],
    [
      'Azure of a date',
      at('azure_openai', '/openai/v1', { apiVersion: '2024-10-21' }),
      '/embeddings',
      '/openai/deployments/m%20x/embeddings?api-version=2024-10-21',
    ],
    [
      'a deployment of Azure',
      at('azure_openai', '/openai/deployments/mine', { apiVersion: '2024-10-21' }),
      '/audio/transcriptions',
      '/openai/deployments/mine/audio/transcriptions?api-version=2024-10-21',
    ],
    [
      'Azure of a date, with a file',
      at('azure_openai', '/openai/v1', { apiVersion: '2024-10-21' }),
      '/files/file-1',
      '/openai/files/file-1?api-version=2024-10-21',
    ],
  ])('at %s', (_name, plan, suffix, path) => {
    expect(forwardPath(plan, 'm x', suffix, '')).toBe(path)
  })

  test('keeps the caller’s query in front of the provider’s', () => {
    const plan = at('x', '/v1', { query: 'team=7' })
    expect(forwardPath(plan, '', '/files', 'limit=2')).toBe('/v1/files?limit=2&team=7')
  })
})

describe('embeddings of a vendor’s own', () => {
  test.each<[string, ProviderPlan, string, string, string]>([
    [
      'Gemini',
      at('gemini', '/v1beta/openai', {
        dialects: ['openai-chat', 'gemini-generate'],
        dialectPrefixes: { 'gemini-generate': '/v1beta' },
      }),
      'models/e-1',
      'gemini',
      '/v1beta/models/e-1:batchEmbedContents',
    ],
    [
      'Vertex',
      at('vertex', '/v1/projects/p/locations/l', { dialects: ['gemini-generate', 'anthropic-messages'] }),
      'e-1',
      'vertex',
      '/v1/projects/p/locations/l/publishers/google/models/e-1:predict',
    ],
    [
      'Bedrock',
      at('amazon_bedrock', '', { dialects: ['bedrock-converse'] }),
      'amazon.titan-embed-text-v2:0',
      'bedrock',
      '/model/amazon.titan-embed-text-v2%3A0/invoke',
    ],
  ])('at %s', (_name, plan, model, form, path) => {
    expect(embeddingsForm(plan)).toBe(form)
    expect(embeddingsPath(plan, embeddingsForm(plan)!, model)).toBe(path)
  })

  test.each([['openai-chat'], ['anthropic-messages']] as const)(
    'are none at a host that speaks %s',
    dialect => {
      expect(embeddingsForm(at('x', '/v1', { dialects: [dialect] }))).toBeNull()
    },
  )
})

describe('the table', () => {
  test.each(FORWARDED)('has $suffix found by its path', forward => {
    const path = `/v1${forward.suffix.replace('{id}', 'file-AbC_1.2~3')}`
    expect(matchEndpoint(path)?.endpoint.forward).toBe(forward)
    expect(matchEndpoint(`${path}/more`)?.endpoint.forward ?? null).not.toBe(forward)
  })

  test('lets nothing that makes or costs something be sent twice', () => {
    const repeated = FORWARDED.filter(forward => forward.repeatable).map(forward => forward.suffix)
    expect(repeated).toEqual(['/embeddings', '/completions', '/moderations', '/rerank'])
  })
})

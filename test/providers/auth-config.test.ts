// What a configuration says of credentials and addresses, and what follows when it says little.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadPlan, maskedPlan } from '../../src/common/config/index.ts'
import { planOf } from './hosts.ts'

function load(entry: Readonly<Record<string, unknown>>, env: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-config-'))
  try {
    const file = join(folder, 'c.yaml')
    writeFileSync(file, JSON.stringify({ version: 'v0.4.0', listeners: [], model_providers: [entry] }))
    const { plan, notes } = loadPlan({ file, cwd: folder, env })
    return { folder, plan, notes, provider: plan.providers[0]! }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('Bedrock', () => {
  test('without a key is signed with the usual chain, in the region of its host', () => {
    const base_url = 'https://bedrock-runtime.ap-southeast-2.amazonaws.com'
    const { provider, notes } = load({ model: 'amazon_bedrock/m', base_url })
    expect(provider.auth).toMatchObject({ type: 'aws', region: 'ap-southeast-2', accessKeyId: null })
    expect(notes.warnings).toEqual([])
  })

  test('needs no more than a region', () => {
    expect(planOf({ model: 'amazon_bedrock/m', region: 'us-west-2' })).toMatchObject({
      origin: 'https://bedrock-runtime.us-west-2.amazonaws.com',
      auth: { type: 'aws', region: 'us-west-2' },
    })
    expect(planOf({ model: 'amazon_bedrock/m', region: 'cn-north-1' }).origin).toBe(
      'https://bedrock-runtime.cn-north-1.amazonaws.com.cn',
    )
  })

  test('with a key is shown that', () => {
    expect(planOf({ model: 'amazon_bedrock/m', region: 'us-west-2', access_key: 'k' }).auth).toBeUndefined()
  })

  test('at a host of one’s own is not signed unasked', () => {
    expect(planOf({ model: 'amazon_bedrock/m', base_url: 'http://localhost:9' }).auth).toBeUndefined()
  })

  test('without region and address is refused', () => {
    expect(() => load({ model: 'amazon_bedrock/m' })).toThrow(/E15/)
    const auth = { type: 'aws' }
    expect(() => load({ model: 'amazon_bedrock/m', base_url: 'http://h', auth })).toThrow(/S18 .*region/)
    const half = { type: 'aws', access_key_id: 'a' }
    expect(() => load({ model: 'amazon_bedrock/m', region: 'r-1', auth: half })).toThrow(
      /S18 .*belong together/,
    )
  })
})

describe('Vertex AI', () => {
  test('without a key gets tokens, at the host of its region', () => {
    const { folder, provider } = load({
      model: 'vertex/gemini-2.5-pro',
      project: 'p',
      region: 'us-east5',
      auth: { type: 'google', file: 'key.json' },
    })
    expect(provider).toMatchObject({
      origin: 'https://us-east5-aiplatform.googleapis.com',
      pathPrefix: '/v1/projects/p/locations/us-east5',
      auth: { type: 'google', credentialsFile: resolve(folder, 'key.json') },
    })
    for (const region of ['us', 'eu']) {
      expect(planOf({ model: 'vertex/*', project: 'p', region })).toMatchObject({
        origin: `https://aiplatform.${region}.rep.googleapis.com`,
        pathPrefix: `/v1/projects/p/locations/${region}`,
        auth: { type: 'google' },
      })
    }
    expect(planOf({ model: 'vertex/*', project: 'p' }).auth).toEqual({
      type: 'google',
      credentialsFile: null,
    })
  })
})

describe('a managed identity', () => {
  const entry = { model: 'azure_openai/m', base_url: 'https://r.openai.azure.com' }

  test('needs nothing, and takes the client of the environment or of the file', () => {
    const auth = { type: 'managed_identity' }
    const usual = { ...auth, clientId: null, scope: 'https://cognitiveservices.azure.com/.default' }
    expect(load({ ...entry, auth }).provider.auth).toEqual(usual)
    const env = { AZURE_CLIENT_ID: 'c-1' }
    expect(load({ ...entry, auth }, env).provider.auth).toEqual({ ...usual, clientId: 'c-1' })
    const own = { ...auth, client_id: 'c-2', scope: 'https://ai.azure.com/.default' }
    expect(load({ ...entry, auth: own }, env).provider.auth).toEqual({
      type: 'managed_identity',
      clientId: 'c-2',
      scope: 'https://ai.azure.com/.default',
    })
  })
})

describe('Entra', () => {
  const entry = { model: 'azure_openai/m', base_url: 'https://r.openai.azure.com', auth: { type: 'entra' } }

  test('takes what is not written from the variables of Azure’s tools', () => {
    const env = { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c', AZURE_FEDERATED_TOKEN_FILE: '/var/token' }
    expect(load(entry, env).provider.auth).toEqual({
      type: 'entra',
      tenantId: 't',
      clientId: 'c',
      clientSecret: null,
      federatedTokenFile: '/var/token',
      scope: 'https://cognitiveservices.azure.com/.default',
      authority: 'https://login.microsoftonline.com',
    })
  })

  test('says what it lacks', () => {
    expect(() => load(entry)).toThrow(
      /S18 tokens of Entra also need tenant_id and client_id and client_secret or file/,
    )
  })

  test('beside a key is not used, and that is said', () => {
    const { provider, notes } = load({ ...entry, access_key: 'k' })
    expect(provider.auth).toBeUndefined()
    expect(notes.warnings.map(({ code }) => code)).toContain('W17')
  })
})

test('secrets of credentials are masked wherever a plan is shown', () => {
  const { plan } = load({
    model: 'amazon_bedrock/m',
    region: 'us-west-2',
    auth: {
      type: 'aws',
      access_key_id: 'AKID-1',
      secret_access_key: 'secret-123',
      session_token: 'session-123',
    },
  })
  const shown = JSON.stringify([maskedPlan(plan), plan])
  for (const secret of ['AKID-1', 'secret-123', 'session-123']) expect(shown).not.toContain(secret)
  expect(plan.providers[0]!.auth).toMatchObject({ secretAccessKey: { secret: 'secret-123' } })
})

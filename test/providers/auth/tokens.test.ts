// Tokens: obtained once, renewed in time, never asked for by every call of an outage, and never told to anyone.

import { createVerify, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuthPlan, ProviderPlan } from '../../../src/common/config/index.ts'
import { GatewayError } from '../../../src/common/errors.ts'
import { Authorizer } from '../../../src/providers/index.ts'
import { provider } from '../../gateway/harness.ts'
import { refusing, TokenEndpoint, TurnedClock } from './tools.ts'

const CALL = { origin: 'https://h', method: 'POST', path: '/', headers: [], body: null }
const MINUTE_MS = 60_000
const SECRET = 'client-secret-42'

let folder: string
let clock: TurnedClock
let endpoint: TokenEndpoint
let authorizer: Authorizer

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-auth-'))
  clock = new TurnedClock()
  endpoint = new TokenEndpoint()
  authorizer = new Authorizer({ clock, fetch: endpoint.fetch, env: { HOME: folder } })
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function plan(auth: AuthPlan, more: Partial<ProviderPlan> = {}): ProviderPlan {
  return provider('azure_openai/gpt-4o', 'https://h', { provider: 'azure_openai', auth, ...more })
}

const ENTRA: AuthPlan = {
  type: 'entra',
  tenantId: 'tenant-1',
  clientId: 'client-1',
  clientSecret: { secret: SECRET },
  federatedTokenFile: null,
  scope: 'https://cognitiveservices.azure.com/.default',
  authority: 'https://login.example',
}

async function shown(of: ProviderPlan, from = authorizer): Promise<readonly string[] | null> {
  return from.authorize(of, 'openai-chat', CALL, null)
}

async function failure(of: ProviderPlan): Promise<GatewayError> {
  const thrown = await shown(of).then(
    () => null,
    (error: unknown) => error,
  )
  expect(thrown).toBeInstanceOf(GatewayError)
  return thrown as GatewayError
}

describe('Entra', () => {
  test('gets a token by client credentials', async () => {
    expect(await shown(plan(ENTRA))).toEqual(['authorization', 'Bearer token-1'])
    expect(endpoint.asked[0]!.url).toBe('https://login.example/tenant-1/oauth2/v2.0/token')
    expect(endpoint.form()).toEqual({
      grant_type: 'client_credentials',
      client_id: 'client-1',
      client_secret: SECRET,
      scope: 'https://cognitiveservices.azure.com/.default',
    })
  })

  test('shows a federated token, read anew each time', async () => {
    const file = join(folder, 'token')
    const of = plan({ ...ENTRA, clientSecret: null, federatedTokenFile: file })
    writeFileSync(file, 'platform-1\n')
    await shown(of)
    expect(endpoint.form()).toMatchObject({
      client_assertion: 'platform-1',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
    writeFileSync(file, 'platform-2')
    clock.nowMs += 120 * MINUTE_MS
    await shown(of)
    expect(endpoint.form()['client_assertion']).toBe('platform-2')
  })

  test('tells of a refusal who and why, and no secret', async () => {
    endpoint.answer = refusing(400, {
      error: 'invalid_client',
      error_description: `the secret ${SECRET} is wrong`,
    })
    const error = await failure(plan(ENTRA))
    expect(error.kind).toBe('no-credential')
    expect(error.message).toBe(
      'provider `azure_openai/gpt-4o` cannot be authorised: the token endpoint answered 400 (invalid_client)',
    )
    expect(JSON.stringify(error) + String(error.stack)).not.toContain(SECRET)
  })
})

describe('a token', () => {
  test('is asked for once by any number of calls, and then shown without waiting', async () => {
    const of = plan(ENTRA)
    const all = await Promise.all(Array.from({ length: 50 }, () => shown(of)))
    expect(new Set(all.map(fields => fields![1]))).toEqual(new Set(['Bearer token-1']))
    expect(endpoint.asked).toHaveLength(1)
    expect(authorizer.authorize(of, 'openai-chat', CALL, null)).toEqual(['authorization', 'Bearer token-1'])
  })

  test('is renewed before it ends, while the old one serves', async () => {
    const of = plan(ENTRA)
    await shown(of)
    clock.nowMs += 54 * MINUTE_MS
    expect(authorizer.authorize(of, 'openai-chat', CALL, null)).toEqual(['authorization', 'Bearer token-1'])
    expect(endpoint.asked).toHaveLength(1)
    clock.nowMs += 2 * MINUTE_MS
    expect(authorizer.authorize(of, 'openai-chat', CALL, null)).toEqual(['authorization', 'Bearer token-1'])
    await new Promise(resolve => setImmediate(resolve))
    expect(endpoint.asked).toHaveLength(2)
    expect(authorizer.authorize(of, 'openai-chat', CALL, null)).toEqual(['authorization', 'Bearer token-2'])
  })

  test('that has ended is waited for', async () => {
    const of = plan(ENTRA)
    await shown(of)
    clock.nowMs += 61 * MINUTE_MS
    expect(await shown(of)).toEqual(['authorization', 'Bearer token-2'])
  })

  test('that cannot be renewed serves until it ends', async () => {
    const of = plan(ENTRA)
    await shown(of)
    endpoint.answer = refusing(503, '')
    clock.nowMs += 57 * MINUTE_MS
    expect(await shown(of)).toEqual(['authorization', 'Bearer token-1'])
    clock.nowMs += 4 * MINUTE_MS
    expect((await failure(of)).message).toContain('answered 503')
  })

  test('of an endpoint in trouble is asked for at most once a second', async () => {
    const of = plan(ENTRA)
    endpoint.answer = refusing(503, '')
    for (let call = 0; call < 20; call++) await failure(of)
    expect(endpoint.asked).toHaveLength(1)
    clock.nowMs += 1_001
    await failure(of)
    expect(endpoint.asked).toHaveLength(2)
  })

  test('that an upstream refuses is given up, unless it is new', async () => {
    const of = plan(ENTRA)
    await shown(of)
    authorizer.refused(of)
    await shown(of)
    expect(endpoint.asked).toHaveLength(1)
    clock.nowMs += MINUTE_MS
    authorizer.refused(of)
    expect(await shown(of)).toEqual(['authorization', 'Bearer token-2'])
  })

  test('belongs to an identity: entries share it, other secrets do not', async () => {
    await shown(plan(ENTRA))
    await shown(plan({ ...ENTRA }, { name: 'another' }))
    expect(endpoint.asked).toHaveLength(1)
    await shown(plan({ ...ENTRA, clientSecret: { secret: 'other' } }))
    expect(endpoint.asked).toHaveLength(2)
  })

  test('is not asked for where the configuration writes its own authorization', async () => {
    expect(await shown(plan(ENTRA, { headers: ['authorization', 'Token own'] }))).toBeNull()
    expect(endpoint.asked).toHaveLength(0)
  })

  test('with a line break in it is refused', async () => {
    endpoint.answer = refusing(200, { access_token: 'a\r\nx-evil: 1', expires_in: 3600 })
    expect((await failure(plan(ENTRA))).kind).toBe('no-credential')
  })
})

describe('Google', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const ACCOUNT = {
    type: 'service_account',
    client_email: 'gateway@p-1.iam.gserviceaccount.com',
    private_key_id: 'kid-1',
    private_key: pem,
    token_uri: 'https://oauth2.example/token',
  }
  const written = (content: unknown): ProviderPlan => {
    const file = join(folder, 'key.json')
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
    return plan({ type: 'google', credentialsFile: file })
  }

  test('signs an assertion for a service account that its issuer can check', async () => {
    expect(await shown(written(ACCOUNT))).toEqual(['authorization', 'Bearer token-1'])
    expect(endpoint.asked[0]!.url).toBe('https://oauth2.example/token')
    const { grant_type, assertion = '' } = endpoint.form()
    expect(grant_type).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer')
    const [header = '', claims = '', signature = ''] = assertion.split('.')
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
    expect(read(header)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'kid-1' })
    const nowS = clock.nowMs / 1_000
    expect(read(claims)).toEqual({
      iss: 'gateway@p-1.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      aud: 'https://oauth2.example/token',
      iat: nowS,
      exp: nowS + 3_600,
    })
    const verify = createVerify('RSA-SHA256').update(`${header}.${claims}`)
    expect(verify.verify(publicKey, Buffer.from(signature, 'base64url'))).toBe(true)
  })

  test('renews the login of a user', async () => {
    const user = { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r' }
    await shown(written(user))
    expect(endpoint.asked[0]!.url).toBe('https://oauth2.googleapis.com/token')
    expect(endpoint.form()).toEqual({
      grant_type: 'refresh_token',
      client_id: 'c',
      client_secret: 's',
      refresh_token: 'r',
    })
  })

  test('asks the machine when there is no file', async () => {
    await shown(plan({ type: 'google', credentialsFile: null }))
    expect(endpoint.asked[0]).toMatchObject({ method: 'GET', headers: ['metadata-flavor', 'Google'] })
    expect(endpoint.asked[0]!.url).toMatch(
      /^http:\/\/metadata\.google\.internal\/computeMetadata\/v1\/instance\/service-accounts\/default\/token/,
    )
  })

  test.each([
    ['is missing', null, 'cannot be read'],
    ['is no JSON', 'nonsense', 'none of the known kinds'],
    ['is of another kind', { type: 'gdch_service_account' }, 'none of the known kinds'],
    [
      'proves itself by a program',
      { type: 'external_account', credential_source: { executable: { command: 'PRIVATE' } } },
      'neither with a `file` nor with a `url`; programs and keys of AWS are not used',
    ],
    [
      'proves itself by a file that is not there',
      { type: 'external_account', credential_source: { file: '/nowhere/token' } },
      'the file of its proof cannot be read',
    ],
    [
      'proves itself by an unsafe address',
      { type: 'external_account', credential_source: { url: 'http://10.1.2.3/token' } },
      '`credential_source.url` of the key file is not https',
    ],
    [
      'impersonates from nobody',
      { type: 'impersonated_service_account', source_credentials: 'x' },
      'impersonates from no account of its own',
    ],
    [
      'has a broken key',
      { ...ACCOUNT, private_key: 'PRIVATE-TEXT' },
      'private key in the key file cannot be read',
    ],
    ['names an unsafe issuer', { ...ACCOUNT, token_uri: 'http://evil.example' }, 'not https'],
  ])('says what is wrong when its key file %s', async (_what, content, message) => {
    const of =
      content === null ? plan({ type: 'google', credentialsFile: join(folder, 'no') }) : written(content)
    const error = await failure(of)
    expect(error.message).toContain(message)
    expect(`${error.message}${String(error.cause)}`).not.toContain('PRIVATE')
    expect(endpoint.asked).toHaveLength(0)
  })
})

// Tokens that stand on another proof: Google's federated and impersonated accounts, Azure's managed identities. Each
// against an endpoint that checks what it is asked, as the platform's own documents say.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuthPlan } from '../../../src/common/config/index.ts'
import { GatewayError } from '../../../src/common/errors.ts'
import { Authorizer, type TokenReply, type TokenRequest } from '../../../src/providers/index.ts'
import { provider } from '../../gateway/harness.ts'
import { TokenEndpoint, TurnedClock } from './tools.ts'

const CALL = { origin: 'https://h', method: 'POST', path: '/', headers: [], body: null }
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
const IMPERSONATION =
  'https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/gateway@p.iam.gserviceaccount.com:generateAccessToken'

let folder: string
let clock: TurnedClock
let endpoint: TokenEndpoint
let env: Record<string, string>

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-platforms-'))
  clock = new TurnedClock()
  endpoint = new TokenEndpoint()
  env = { HOME: folder }
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function shown(auth: AuthPlan): Promise<string> {
  const authorizer = new Authorizer({ clock, fetch: endpoint.fetch, env })
  const plan = provider('vertex/m', 'https://h', { provider: 'vertex', auth })
  const fields = await authorizer.authorize(plan, 'gemini-generate', CALL, null)
  expect(fields![0]).toBe('authorization')
  return fields![1]!
}

function keyFile(content: unknown): AuthPlan {
  const file = join(folder, 'account.json')
  writeFileSync(file, JSON.stringify(content))
  return { type: 'google', credentialsFile: file }
}

/** Answers by host and path; whatever else is asked is a failure of the test. */
function answers(table: Readonly<Record<string, unknown>>): void {
  endpoint.answer = (request: TokenRequest): TokenReply => {
    const { host, pathname } = new URL(request.url)
    const found = table[`${request.method} ${host}${pathname}`]
    expect(found, request.url).toBeDefined()
    const body = typeof found === 'string' ? found : JSON.stringify(found)
    return { status: 200, headers: [], body }
  }
}

const inOneHour = () => new Date(clock.nowMs + 3_600_000).toISOString()

const EXTERNAL = {
  type: 'external_account',
  audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/other',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  token_url: 'https://sts.googleapis.com/v1/token',
}

describe('a federated Google account', () => {
  test('shows the token of a file and gets one of Google’s, read anew each time', async () => {
    const file = join(folder, 'subject')
    writeFileSync(file, 'proof-1\n')
    answers({ 'POST sts.googleapis.com/v1/token': { access_token: 'federated-1', expires_in: 3600 } })
    const auth = keyFile({ ...EXTERNAL, credential_source: { file } })
    expect(await shown(auth)).toBe('Bearer federated-1')
    expect(endpoint.form()).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: EXTERNAL.audience,
      scope: SCOPE,
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token: 'proof-1',
      subject_token_type: EXTERNAL.subject_token_type,
    })
    writeFileSync(file, 'proof-2')
    await shown(auth)
    expect(endpoint.form()['subject_token']).toBe('proof-2')
  })

  test('asks the address that its file names, with its fields, and picks the member it names', async () => {
    answers({
      'GET 169.254.169.254/metadata/identity/oauth2/token': { access_token: 'azure-proof' },
      'POST sts.googleapis.com/v1/token': { access_token: 'federated-1', expires_in: 3600 },
    })
    const url = 'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=x'
    const format = { type: 'json', subject_token_field_name: 'access_token' }
    await shown(keyFile({ ...EXTERNAL, credential_source: { url, headers: { Metadata: 'True' }, format } }))
    expect(endpoint.asked[0]).toMatchObject({ url, headers: ['metadata', 'True'] })
    expect(endpoint.form()['subject_token']).toBe('azure-proof')
  })

  test('impersonates the service account that its file names', async () => {
    const file = join(folder, 'subject')
    writeFileSync(file, 'proof')
    answers({
      'POST sts.googleapis.com/v1/token': { access_token: 'federated-1', expires_in: 3600 },
      [`POST ${IMPERSONATION.slice('https://'.length)}`]: {
        accessToken: 'impersonated-1',
        expireTime: inOneHour(),
      },
    })
    const auth = keyFile({
      ...EXTERNAL,
      credential_source: { file },
      service_account_impersonation_url: IMPERSONATION,
      service_account_impersonation: { token_lifetime_seconds: 1800 },
    })
    expect(await shown(auth)).toBe('Bearer impersonated-1')
    const [, asked] = endpoint.asked
    expect(asked!.headers).toEqual(expect.arrayContaining(['authorization', 'Bearer federated-1']))
    expect(JSON.parse(asked!.body!)).toEqual({ scope: [SCOPE], lifetime: '1800s' })
  })

  test('of a workforce names its project, and its client where it has one', async () => {
    const file = join(folder, 'subject')
    writeFileSync(file, 'proof')
    answers({ 'POST sts.googleapis.com/v1/token': { access_token: 'federated-1', expires_in: 3600 } })
    await shown(
      keyFile({
        ...EXTERNAL,
        credential_source: { file },
        workforce_pool_user_project: 'p-1',
        client_id: 'c:1',
        client_secret: 's',
      }),
    )
    expect(endpoint.form()['options']).toBe('{"userProject":"p-1"}')
    const basic = `Basic ${Buffer.from('c%3A1:s').toString('base64')}`
    expect(endpoint.asked[0]!.headers).toEqual(expect.arrayContaining(['authorization', basic]))
  })

  test('that has logged in is renewed at its own address', async () => {
    answers({ 'POST sts.googleapis.com/v1/oauthtoken': { access_token: 'renewed-1', expires_in: 3600 } })
    const login = {
      type: 'external_account_authorized_user',
      token_url: 'https://sts.googleapis.com/v1/oauthtoken',
      client_id: 'c',
      client_secret: 's',
      refresh_token: 'r',
    }
    expect(await shown(keyFile(login))).toBe('Bearer renewed-1')
    expect(endpoint.form()).toEqual({ grant_type: 'refresh_token', refresh_token: 'r' })
  })
})

describe('an impersonated Google account', () => {
  const USER = { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r' }
  const account = {
    type: 'impersonated_service_account',
    source_credentials: USER,
    service_account_impersonation_url: IMPERSONATION,
    delegates: ['projects/-/serviceAccounts/between@p.iam.gserviceaccount.com'],
  }

  test('is impersonated with the token of the account behind it, and renewed before its end', async () => {
    let given = 0
    endpoint.answer = ({ url }) => {
      const body = url.startsWith('https://oauth2.googleapis.com/')
        ? { access_token: 'user-1', expires_in: 3600 }
        : { accessToken: `impersonated-${++given}`, expireTime: inOneHour() }
      return { status: 200, headers: [], body: JSON.stringify(body) }
    }
    const authorizer = new Authorizer({ clock, fetch: endpoint.fetch, env })
    const plan = provider('vertex/m', 'https://h', { provider: 'vertex', auth: keyFile(account) })
    const token = async () => (await authorizer.authorize(plan, 'gemini-generate', CALL, null))![1]
    expect(await token()).toBe('Bearer impersonated-1')
    expect(JSON.parse(endpoint.asked[1]!.body!)).toEqual({
      scope: [SCOPE],
      lifetime: '3600s',
      delegates: account.delegates,
    })
    clock.nowMs += 30 * 60_000
    expect(await token()).toBe('Bearer impersonated-1')
    clock.nowMs += 31 * 60_000
    expect(await token()).toBe('Bearer impersonated-2')
  })

  test('that may not be impersonated: the step and Google’s word are told, and no token', async () => {
    endpoint.answer = ({ url }) =>
      url.startsWith('https://oauth2.googleapis.com/')
        ? { status: 200, headers: [], body: '{"access_token":"user-secret","expires_in":3600}' }
        : {
            status: 403,
            headers: [],
            body: '{"error":{"code":403,"message":"user-secret","status":"PERMISSION_DENIED"}}',
          }
    const thrown = await shown(keyFile(account)).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(GatewayError)
    expect((thrown as GatewayError).message).toBe(
      'provider `vertex/m` cannot be authorised: impersonation: the token endpoint answered 403 (PERMISSION_DENIED)',
    )
  })
})

describe('a managed identity of Azure', () => {
  const IDENTITY: AuthPlan = {
    type: 'managed_identity',
    clientId: null,
    scope: 'https://cognitiveservices.azure.com/.default',
  }

  test('of a machine is asked at its metadata address', async () => {
    answers({
      'GET 169.254.169.254/metadata/identity/oauth2/token': { access_token: 'machine-1', expires_in: '3599' },
    })
    expect(await shown(IDENTITY)).toBe('Bearer machine-1')
    expect(endpoint.asked[0]).toEqual({
      method: 'GET',
      url: 'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fcognitiveservices.azure.com',
      headers: ['metadata', 'true'],
      body: null,
    })
  })

  test('of several is told by its client', async () => {
    answers({
      'GET 169.254.169.254/metadata/identity/oauth2/token': { access_token: 'machine-1', expires_in: '3599' },
    })
    await shown({ ...IDENTITY, clientId: 'c-1' })
    expect(new URL(endpoint.asked[0]!.url).searchParams.get('client_id')).toBe('c-1')
  })

  test('of an App Service is asked where its environment says, and ends when it says', async () => {
    env['IDENTITY_ENDPOINT'] = 'http://127.0.0.1:41741/MSI/token/'
    env['IDENTITY_HEADER'] = 'header-1'
    let given = 0
    endpoint.answer = () => {
      const end = String(Math.floor(clock.nowMs / 1_000) + 86_400)
      const body = { access_token: `app-${++given}`, expires_on: end }
      return { status: 200, headers: [], body: JSON.stringify(body) }
    }
    const authorizer = new Authorizer({ clock, fetch: endpoint.fetch, env })
    const plan = provider('azure_openai/m', 'https://h', { provider: 'azure_openai', auth: IDENTITY })
    const token = async () => (await authorizer.authorize(plan, 'openai-chat', CALL, null))![1]
    expect(await token()).toBe('Bearer app-1')
    expect(endpoint.asked[0]).toEqual({
      method: 'GET',
      url: 'http://127.0.0.1:41741/MSI/token/?api-version=2019-08-01&resource=https%3A%2F%2Fcognitiveservices.azure.com',
      headers: ['x-identity-header', 'header-1'],
      body: null,
    })
    clock.nowMs += 23 * 3_600_000
    expect(await token()).toBe('Bearer app-1')
    clock.nowMs += 3_600_000
    expect(await token()).toBe('Bearer app-2')
  })

  test('that is not there: the address is told', async () => {
    env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] = 'http://127.0.0.1:9'
    endpoint.answer = () => Promise.reject(new GatewayError('upstream-connect', 'refused'))
    await expect(shown(IDENTITY)).rejects.toMatchObject({
      kind: 'no-credential',
      message: expect.stringContaining('no managed identity answers at 127.0.0.1:9'),
    })
  })

  test('that is none of the machine’s: the service’s word is told', async () => {
    endpoint.answer = () => ({ status: 400, headers: [], body: '{"error":"invalid_request"}' })
    await expect(shown(IDENTITY)).rejects.toMatchObject({
      message: expect.stringContaining('managed identity: the token endpoint answered 400 (invalid_request)'),
    })
  })
})

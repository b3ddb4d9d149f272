// Signatures against AWS's own vectors and against a mock that computes them again; keys from every place that AWS's
// tools look in. The packages for it are loaded when the first call is signed, and not before.

import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AuthPlan } from '../../../src/common/config/index.ts'
import { awsSigner, signerWith } from '../../../src/providers/auth/aws.ts'
import { Authorizer } from '../../../src/providers/index.ts'
import { provider } from '../../gateway/harness.ts'
import { type AwsExpectation, signatureFault } from '../../support/fake-upstream/personalities/index.ts'
import { SUITE, VECTOR_DATE_MS, VECTOR_KEYS } from './sigv4-vectors.ts'
import { refusing, TokenEndpoint, TurnedClock } from './tools.ts'

type AwsPlan = Extract<AuthPlan, { type: 'aws' }>

const BODY = Buffer.from('{"messages":[{"role":"user","content":[{"text":"hello, wörld"}]}]}')
const CALL = {
  origin: 'https://bedrock-runtime.eu-west-1.amazonaws.com',
  method: 'POST',
  path: '/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A42%3Ainference-profile%2Feu.m-v1%3A0/converse-stream',
  headers: ['content-type', 'application/json', 'user-agent', 'test'],
  body: BODY,
}

function plan(auth: Partial<AwsPlan>) {
  const whole: AwsPlan = {
    type: 'aws',
    region: 'eu-west-1',
    accessKeyId: null,
    secretAccessKey: null,
    sessionToken: null,
    profile: null,
    roleArn: null,
    ...auth,
  }
  return provider('amazon_bedrock/m', CALL.origin, { provider: 'amazon_bedrock', auth: whole })
}

const STATIC = plan({
  accessKeyId: { secret: VECTOR_KEYS.accessKeyId },
  secretAccessKey: { secret: VECTOR_KEYS.secretAccessKey },
})

let clock: TurnedClock
let endpoint: TokenEndpoint
let authorizer: Authorizer

beforeEach(() => {
  clock = new TurnedClock()
  endpoint = new TokenEndpoint()
  authorizer = new Authorizer({ clock, fetch: endpoint.fetch, env: {} })
})

/** All values of a field as one, as a reader of the request would join them. */
function joined(fields: readonly string[], name: string): string | null {
  const values = fields.filter((_, at) => at % 2 === 1 && fields[at - 1] === name)
  return values.length === 0 ? null : values.map(value => value.trim()).join(',')
}

/** What a mock finds wrong with the fields of a signed call. */
function faultOf(
  fields: readonly string[] | null,
  expected: Partial<AwsExpectation> = {},
  call = CALL,
): string | null {
  const host = new URL(call.origin).host
  const all = ['host', host, ...call.headers, ...(fields ?? [])]
  const header = (name: string): string | null => {
    const at = all.findIndex((field, index) => index % 2 === 0 && field === name)
    return at < 0 ? null : all[at + 1]!
  }
  return signatureFault(
    { method: call.method, path: call.path, body: call.body, header },
    { ...VECTOR_KEYS, region: 'eu-west-1', service: 'bedrock', ...expected },
    clock.nowMs,
  )
}

/** What `require` has loaded, in the process of this file alone. */
function loaded(name: string): boolean {
  const { cache } = createRequire(import.meta.url)
  return Object.keys(cache).some(path => path.includes(`/node_modules/${name}/`))
}

// First in the file: later tests load what this one says is not loaded.
test('AWS’s packages are loaded by the first signature, and the chain only where it is needed', async () => {
  const bearer = provider('openai/m', 'https://h', { accessKeys: [{ secret: 'k', weight: 1 }] })
  authorizer.authorize(bearer, 'openai-chat', CALL, 'k')
  expect([loaded('@smithy/signature-v4'), loaded('@aws-sdk/credential-provider-node')]).toEqual([
    false,
    false,
  ])
  await authorizer.authorize(STATIC, 'bedrock-converse', CALL, null)
  expect([loaded('@smithy/signature-v4'), loaded('@aws-sdk/credential-provider-node')]).toEqual([true, false])
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDENV')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'env-secret')
  await authorizer.authorize(plan({}), 'bedrock-converse', CALL, null)
  expect(loaded('@aws-sdk/credential-provider-node')).toBe(true)
  vi.unstubAllEnvs()
})

describe('AWS’s published vector', () => {
  test.each(SUITE.vectors)('$name', async vector => {
    clock.nowMs = VECTOR_DATE_MS
    const { host = SUITE.host, service = SUITE.service, sessionToken } = vector
    const session = sessionToken === undefined ? {} : { sessionToken }
    const bare = `AWS4-HMAC-SHA256 Credential=${SUITE.accessKeyId}/20150830/${SUITE.region}/${service}/aws4_request, SignedHeaders=${vector.signedHeaders}, Signature=${vector.signature}`
    const sent = ['host', host, 'x-amz-date', SUITE.date, ...vector.fields, 'authorization', bare]
    if (sessionToken !== undefined) sent.push('x-amz-security-token', sessionToken)
    const request = {
      method: vector.method,
      path: vector.path,
      body: Buffer.from(vector.body),
      header: (name: string) => joined(sent, name),
    }
    const expected = { ...VECTOR_KEYS, ...session, region: SUITE.region, service }
    expect(signatureFault(request, expected, null), 'the mock’s own computation').toBeNull()

    const keys = { ...VECTOR_KEYS, ...session }
    const sign = await signerWith(async () => keys, SUITE.region, service, { clock })
    const ours = await sign({
      method: vector.method,
      origin: `https://${host}`,
      path: vector.path,
      host: null,
      contentType: null,
      fields: vector.fields,
      body: vector.body,
      addHash: false,
    })
    expect(joined(ours, 'authorization')).toBe(bare)
    expect(joined(ours, 'x-amz-security-token')).toBe(sessionToken ?? null)
  })
})

describe('a Converse call', () => {
  test('is signed so that AWS would find no fault: encoded ids, bytes of the body, the hash', async () => {
    const fields = await authorizer.authorize(STATIC, 'bedrock-converse', CALL, null)
    expect(faultOf(fields)).toBeNull()
    expect(fields![fields!.indexOf('x-amz-content-sha256') + 1]).toBe(
      createHash('sha256').update(BODY).digest('hex'),
    )
  })

  test.each([
    ['the body', { body: Buffer.from('{}') }],
    ['the path', { path: '/model/other/converse' }],
    ['the method', { method: 'PUT' }],
    ['the host', { origin: 'https://evil.example' }],
    ['the content type', { headers: ['content-type', 'text/plain'] }],
  ])('no longer fits when %s is changed', async (_what, more) => {
    const fields = await authorizer.authorize(STATIC, 'bedrock-converse', CALL, null)
    expect(faultOf(fields, {}, { ...CALL, ...more })).not.toBeNull()
  })

  test('is dated anew each time', async () => {
    const before = await authorizer.authorize(STATIC, 'bedrock-converse', CALL, null)
    clock.nowMs += 60 * 60_000
    const after = await authorizer.authorize(STATIC, 'bedrock-converse', CALL, null)
    expect(faultOf(before)).toMatch(/expired/)
    expect(faultOf(after)).toBeNull()
  })

  test('of a session carries and signs its token', async () => {
    const of = plan({
      accessKeyId: { secret: VECTOR_KEYS.accessKeyId },
      secretAccessKey: { secret: VECTOR_KEYS.secretAccessKey },
      sessionToken: { secret: 'session-1' },
    })
    const fields = await authorizer.authorize(of, 'bedrock-converse', CALL, null)
    expect(faultOf(fields, { sessionToken: 'session-1' })).toBeNull()
  })

  test('signs AWS’s own fields, which AWS wants signed, and not what a proxy may change', async () => {
    const call = {
      ...CALL,
      headers: [...CALL.headers, 'x-amzn-bedrock-trace', 'ENABLED', 'traceparent', '00'],
    }
    const fields = await authorizer.authorize(STATIC, 'bedrock-converse', call, null)
    expect(joined(fields!, 'authorization')).toContain(
      'SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amzn-bedrock-trace,',
    )
    expect(faultOf(fields, {}, call)).toBeNull()
    const headers = [...CALL.headers, 'x-amzn-bedrock-trace', 'DISABLED']
    expect(faultOf(fields, {}, { ...CALL, headers })).not.toBeNull()
  })

  test('is signed for the configured Host field', async () => {
    const call = { ...CALL, headers: [...CALL.headers, 'host', 'vpce-1.bedrock.example'] }
    const fields = await authorizer.authorize(STATIC, 'bedrock-converse', call, null)
    const moved = { ...CALL, origin: 'https://vpce-1.bedrock.example' }
    expect(faultOf(fields, {}, moved)).toBeNull()
  })
})

describe('keys come from', () => {
  let folder: string
  let server: Server | null = null

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-aws-'))
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
    vi.stubEnv('HOME', folder)
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'))
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  })

  afterEach(async () => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true, force: true })
    await new Promise<void>(resolve => (server === null ? resolve() : server.close(() => resolve())))
    server = null
  })

  const signed = async (of = plan({})) => authorizer.authorize(of, 'bedrock-converse', CALL, null)
  const KEYS = { accessKeyId: 'AKIDFOUND', secretAccessKey: 'found-secret' }

  async function serve(answers: Readonly<Record<string, string>>): Promise<string> {
    server = createServer((request, response) => {
      const answer = answers[`${request.method} ${request.url!.split('?')[0]}`]
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
      response.end(answer)
    })
    return listening()
  }

  async function listening(): Promise<string> {
    await new Promise<void>(resolve => server!.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server!.address() as AddressInfo).port}`
  }

  function temporary(token: string, lifeMs = 3_600_000): string {
    return JSON.stringify({
      Code: 'Success',
      Type: 'AWS-HMAC',
      AccessKeyId: KEYS.accessKeyId,
      SecretAccessKey: KEYS.secretAccessKey,
      Token: token,
      Expiration: new Date(Date.now() + lifeMs).toISOString(),
    })
  }

  test('the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', KEYS.accessKeyId)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', KEYS.secretAccessKey)
    vi.stubEnv('AWS_SESSION_TOKEN', 'env-session')
    expect(faultOf(await signed(), { ...KEYS, sessionToken: 'env-session' })).toBeNull()
  })

  test('a profile of the shared files', async () => {
    writeFileSync(
      join(folder, 'credentials'),
      `[production]\naws_access_key_id = ${KEYS.accessKeyId}\naws_secret_access_key = ${KEYS.secretAccessKey}\n`,
    )
    expect(faultOf(await signed(plan({ profile: 'production' })), KEYS)).toBeNull()
  })

  test('a container', async () => {
    const origin = await serve({ 'GET /v2/keys': temporary('container-session') })
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${origin}/v2/keys`)
    expect(faultOf(await signed(), { ...KEYS, sessionToken: 'container-session' })).toBeNull()
  })

  test('an instance', async () => {
    const root = '/latest/meta-data/iam/security-credentials/'
    const origin = await serve({
      'PUT /latest/api/token': 'imds-token',
      [`GET ${root}`]: 'role-1',
      [`GET ${root}role-1`]: temporary('instance-session'),
    })
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', undefined)
    vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', origin)
    expect(faultOf(await signed(), { ...KEYS, sessionToken: 'instance-session' })).toBeNull()
  })

  test('a web identity', async () => {
    const result = stsReply('AssumeRoleWithWebIdentity', 'web-session')
    const origin = await serve({ 'POST /': result })
    writeFileSync(join(folder, 'token'), 'jwt-1')
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'token'))
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::1:role/gateway')
    vi.stubEnv('AWS_ENDPOINT_URL_STS', origin)
    expect(faultOf(await signed(), { ...KEYS, sessionToken: 'web-session' })).toBeNull()
  })

  test('a profile’s role, assumed with another profile', async () => {
    const origin = await serve({ 'POST /': stsReply('AssumeRole', 'profile-session') })
    vi.stubEnv('AWS_ENDPOINT_URL_STS', origin)
    writeFileSync(
      join(folder, 'config'),
      '[profile gateway]\nrole_arn = arn:aws:iam::1:role/gateway\nsource_profile = base\nregion = eu-west-1\n',
    )
    writeFileSync(
      join(folder, 'credentials'),
      '[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = base-secret\n',
    )
    const fields = await signed(plan({ profile: 'gateway' }))
    expect(faultOf(fields, { ...KEYS, sessionToken: 'profile-session' })).toBeNull()
  })

  test('a profile’s single sign-on', async () => {
    const roleCredentials = { ...KEYS, sessionToken: 'sso-session', expiration: Date.now() + 3_600_000 }
    const origin = await serve({ 'GET /federation/credentials': JSON.stringify({ roleCredentials }) })
    vi.stubEnv('AWS_ENDPOINT_URL_SSO', origin)
    writeFileSync(
      join(folder, 'config'),
      '[profile staff]\nsso_session = company\nsso_account_id = 1\nsso_role_name = gateway\nregion = eu-west-1\n' +
        '[sso-session company]\nsso_start_url = https://company.example\nsso_region = eu-west-1\n',
    )
    const cache = join(folder, '.aws/sso/cache')
    mkdirSync(cache, { recursive: true })
    const login = { accessToken: 'login-1', expiresAt: new Date(Date.now() + 3_600_000).toISOString() }
    writeFileSync(
      join(cache, `${createHash('sha1').update('company').digest('hex')}.json`),
      JSON.stringify(login),
    )
    const fields = await signed(plan({ profile: 'staff' }))
    expect(faultOf(fields, { ...KEYS, sessionToken: 'sso-session' })).toBeNull()
  })

  test('a program that a profile names', async () => {
    const program = join(folder, 'program.cjs')
    const answer = {
      Version: 1,
      AccessKeyId: KEYS.accessKeyId,
      SecretAccessKey: KEYS.secretAccessKey,
      SessionToken: 'process-session',
    }
    writeFileSync(program, `console.log(${JSON.stringify(JSON.stringify(answer))})`)
    writeFileSync(
      join(folder, 'config'),
      `[profile tool]\ncredential_process = ${process.execPath} ${program}\n`,
    )
    const fields = await signed(plan({ profile: 'tool' }))
    expect(faultOf(fields, { ...KEYS, sessionToken: 'process-session' })).toBeNull()
  })

  test('a place whose keys end soon: it is asked again while they serve, and not by every call before that', async () => {
    let asked = 0
    server = createServer((_request, response) => {
      asked += 1
      const lifeMs = asked < 3 ? 3_600_000 : 60_000
      response.end(temporary(`container-${asked}`, lifeMs))
    })
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `${await listening()}/keys`)
    for (let call = 0; call < 5; call++) {
      expect(faultOf(await signed(), { ...KEYS, sessionToken: 'container-1' })).toBeNull()
    }
    expect(asked).toBe(1)
    // Another authorizer asks for its own, and gets keys that are about to end the second time.
    asked = 2
    authorizer = new Authorizer({ clock, fetch: endpoint.fetch, env: {} })
    expect(faultOf(await signed(), { ...KEYS, sessionToken: 'container-3' })).toBeNull()
    await vi.waitFor(async () => {
      expect(faultOf(await signed(), { ...KEYS, sessionToken: 'container-4' })).toBeNull()
    })
  })

  test.each([
    ['nothing set', {}, null, 'asked: environment, default profile'],
    ['an instance', { AWS_EC2_METADATA_DISABLED: undefined }, null, 'default profile, instance metadata'],
    ['a profile that is not there', {}, 'gone', 'asked: profile `gone`'],
    [
      'a container that has nothing',
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:9/keys' },
      null,
      'asked: environment, default profile, container',
    ],
  ])('nowhere, with %s: the caller is told who cannot be authorised and what was asked', async (...given) => {
    const [, env, profile, words] = given
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
    if ('AWS_EC2_METADATA_DISABLED' in env) {
      vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', await serve({}))
    }
    await expect(signed(plan({ profile }))).rejects.toMatchObject({
      kind: 'no-credential',
      message: expect.stringContaining(words),
    })
  })

  test('a web identity that is refused: the code is told, and no token', async () => {
    server = createServer((_request, response) => {
      response.writeHead(403, { 'content-type': 'text/xml' })
      response.end(
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>jwt-secret</Message></Error></ErrorResponse>',
      )
    })
    vi.stubEnv('AWS_ENDPOINT_URL_STS', await listening())
    writeFileSync(join(folder, 'token'), 'jwt-secret')
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'token'))
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::1:role/gateway')
    await expect(signed()).rejects.toMatchObject({
      kind: 'no-credential',
      message: expect.stringMatching(/web identity \(AccessDenied\)$/),
    })
  })

  test('a place that does not answer: the wait is bounded', async () => {
    server = createServer(() => {})
    vi.stubEnv('AWS_ENDPOINT_URL_STS', await listening())
    writeFileSync(join(folder, 'token'), 'jwt-1')
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'token'))
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::1:role/gateway')
    const tools = { clock, fetch: endpoint.fetch, env: {} }
    const sign = await awsSigner('amazon_bedrock/m', plan({}).auth as AwsPlan, tools, 100)
    const call = { ...CALL, host: null, contentType: null }
    await expect(sign(call)).rejects.toMatchObject({
      kind: 'no-credential',
      message: expect.stringMatching(/web identity \(no answer in 100 ms\)$/),
    })
    server.closeAllConnections()
  })

  function stsReply(action: string, token: string): string {
    const until = new Date(clock.nowMs + 3_600_000).toISOString()
    return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials><AccessKeyId>${KEYS.accessKeyId}</AccessKeyId><SecretAccessKey>${KEYS.secretAccessKey}</SecretAccessKey><SessionToken>${token}</SessionToken><Expiration>${until}</Expiration></Credentials></${action}Result></${action}Response>`
  }

  describe('a role that is assumed', () => {
    const ROLE = plan({
      accessKeyId: { secret: VECTOR_KEYS.accessKeyId },
      secretAccessKey: { secret: VECTOR_KEYS.secretAccessKey },
      roleArn: 'arn:aws:iam::1:role/gateway',
    })

    test('with a signed call, once for many calls and again before its keys end', async () => {
      endpoint.answer = () => ({ status: 200, headers: [], body: stsReply('AssumeRole', 'role-session') })
      const all = await Promise.all(Array.from({ length: 10 }, () => signed(ROLE)))
      for (const fields of all) expect(faultOf(fields, { ...KEYS, sessionToken: 'role-session' })).toBeNull()
      expect(endpoint.asked).toHaveLength(1)
      expect(endpoint.form()).toMatchObject({ Action: 'AssumeRole', RoleArn: 'arn:aws:iam::1:role/gateway' })
      const [sts] = endpoint.asked
      const call = {
        ...CALL,
        origin: 'https://sts.eu-west-1.amazonaws.com',
        path: '/',
        body: Buffer.from(sts!.body!),
      }
      expect(faultOf(sts!.headers, { service: 'sts' }, { ...call, headers: [...sts!.headers] })).toBeNull()
      clock.nowMs += 56 * 60_000
      await signed(ROLE)
      expect(endpoint.asked).toHaveLength(2)
    })

    test('and refused: the code is told, no more', async () => {
      endpoint.answer = refusing(
        403,
        '<ErrorResponse><Error><Code>AccessDenied</Code><Message>secret</Message></Error></ErrorResponse>',
      )
      await expect(signed(ROLE)).rejects.toMatchObject({
        kind: 'no-credential',
        message: expect.stringMatching(/the role cannot be assumed \(AccessDenied\)$/),
      })
    })
  })
})

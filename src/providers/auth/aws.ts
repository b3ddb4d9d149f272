// Signatures of AWS (version 4) and the keys they are made with. The signer and the chain of credentials are AWS's own,
// loaded when a provider first signs, because most gateways never do. Owns what is signed: host, date, type and body,
// and nothing that a proxy on the way may change.

import { createHash, createHmac } from 'node:crypto'
import type { AuthPlan } from '../../common/config/plan.ts'
import { type AuthTools, authFailure } from './tools.ts'

type AwsPlan = Extract<AuthPlan, { type: 'aws' }>

/** What a call looks like to a signer. */
export interface SignedCall {
  readonly method: string
  readonly origin: string
  /** Path and query. */
  readonly path: string
  readonly host: string | null
  readonly contentType: string | null
  readonly body: Uint8Array | string | null
  /** Say the body's hash in a field, too; AWS's own clients do. Default true. */
  readonly addHash?: boolean
}

interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

type KeySource = () => Promise<AwsKeys>
/** Fields that authorise a call. */
export type Signer = (call: SignedCall) => Promise<readonly string[]>

/** AWS's name of the service whose calls these are. */
const SERVICE = 'bedrock'
/** Keys of a role are fetched anew this long before they end. */
const ROLE_EARLY_MS = 5 * 60_000
const SESSION = 'sluice'

/** Hashes for AWS's signer, from Node. */
class Sha256 {
  private readonly hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>

  constructor(secret?: unknown) {
    this.hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }

  update(data: unknown): void {
    this.hash.update(bytesOf(data))
  }

  async digest(): Promise<Uint8Array> {
    return this.hash.digest()
  }

  reset(): void {
    throw new Error('a hash is used once')
  }
}

function bytesOf(data: unknown): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return new Uint8Array(data as ArrayBuffer)
}

/** A signer with the keys a provider's plan names, or finds. */
export async function awsSigner(provider: string, auth: AwsPlan, tools: AuthTools): Promise<Signer> {
  const found = await keySource(provider, auth)
  const keys = auth.roleArn === null ? found : roleKeys(provider, auth, auth.roleArn, found, tools)
  return signerWith(keys, auth.region, SERVICE, tools)
}

/** A signer for a region and service; also for AWS's own test vectors. */
export async function signerWith(
  keys: KeySource,
  region: string,
  service: string,
  tools: Pick<AuthTools, 'clock'>,
): Promise<Signer> {
  const { SignatureV4 } = await import('@smithy/signature-v4')
  const scope = { credentials: keys, region, service, sha256: Sha256 }
  const signer = new SignatureV4(scope)
  const bare = new SignatureV4({ ...scope, applyChecksum: false })
  return async call => {
    const url = new URL(call.path, call.origin)
    const query: Record<string, string | string[]> = {}
    for (const name of new Set(url.searchParams.keys())) {
      const values = url.searchParams.getAll(name)
      query[name] = values.length === 1 ? values[0]! : values
    }
    const headers: Record<string, string> = { host: call.host ?? url.host }
    if (call.contentType !== null) headers['content-type'] = call.contentType
    const signed = await (call.addHash === false ? bare : signer).sign(
      {
        method: call.method,
        protocol: url.protocol,
        hostname: url.hostname,
        // As it is sent: a URL would put it into another form.
        path: call.path.split('?')[0]!,
        query,
        headers,
        body: call.body ?? undefined,
      },
      { signingDate: new Date(tools.clock.epochMs()) },
    )
    return Object.entries(signed.headers)
      .filter(([name]) => name === 'authorization' || name.startsWith('x-amz-'))
      .flat()
  }
}

async function keySource(provider: string, auth: AwsPlan): Promise<KeySource> {
  const { accessKeyId, secretAccessKey, sessionToken } = auth
  if (accessKeyId !== null && secretAccessKey !== null) {
    const keys = {
      accessKeyId: accessKeyId.secret,
      secretAccessKey: secretAccessKey.secret,
      ...(sessionToken === null ? {} : { sessionToken: sessionToken.secret }),
    }
    return async () => keys
  }
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
  const chain = defaultProvider({
    clientConfig: { region: auth.region },
    ...(auth.profile === null ? {} : { profile: auth.profile }),
  })
  return async () => {
    try {
      return await chain()
    } catch (error) {
      throw authFailure(
        provider,
        'no AWS credentials were found in the environment, profiles or instance',
        error,
      )
    }
  }
}

/** The keys of a role that the found keys may assume, kept until they are about to end. */
function roleKeys(
  provider: string,
  auth: AwsPlan,
  role: string,
  found: KeySource,
  tools: AuthTools,
): KeySource {
  let keys: AwsKeys | null = null
  let asking: Promise<AwsKeys> | null = null
  return () => {
    const until = keys?.expiration?.getTime() ?? 0
    if (keys !== null && until - ROLE_EARLY_MS > tools.clock.epochMs()) return Promise.resolve(keys)
    asking ??= assumeRole(provider, auth, role, found, tools).then(
      won => {
        keys = won
        asking = null
        return won
      },
      (thrown: unknown) => {
        asking = null
        throw thrown
      },
    )
    return asking
  }
}

async function assumeRole(
  provider: string,
  auth: AwsPlan,
  role: string,
  found: KeySource,
  tools: AuthTools,
): Promise<AwsKeys> {
  const suffix = auth.region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  const origin = tools.env['AWS_ENDPOINT_URL_STS'] ?? `https://sts.${auth.region}.${suffix}`
  const body = new URLSearchParams({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: SESSION,
  }).toString()
  const contentType = 'application/x-www-form-urlencoded'
  const sign = await signerWith(found, auth.region, 'sts', tools)
  const fields = await sign({ method: 'POST', origin, path: '/', host: null, contentType, body })
  const reply = await tools.fetch({
    method: 'POST',
    url: `${origin}/`,
    headers: ['content-type', contentType, ...fields],
    body,
  })
  const read = (name: string): string | undefined =>
    new RegExp(`<${name}>([^<]+)</${name}>`).exec(reply.body)?.[1]
  const accessKeyId = read('AccessKeyId')
  const secretAccessKey = read('SecretAccessKey')
  const sessionToken = read('SessionToken')
  if (
    reply.status !== 200 ||
    accessKeyId === undefined ||
    secretAccessKey === undefined ||
    sessionToken === undefined
  ) {
    throw authFailure(provider, `the role cannot be assumed (${read('Code') ?? reply.status})`)
  }
  const end = Date.parse(read('Expiration') ?? '')
  return { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(Number.isNaN(end) ? 0 : end) }
}

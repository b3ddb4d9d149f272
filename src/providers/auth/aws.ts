// Signatures of AWS (version 4) and the keys they are made with. The signer and the chain of credentials are AWS's own,
// loaded when a provider first signs, because most gateways never do. Owns what is signed: host, date, type, body and
// AWS's own fields, and nothing that a proxy on the way may change.

import { createHash, createHmac } from 'node:crypto'
import type { AuthPlan } from '../../common/config/plan.ts'
import type { HeaderList } from '../../common/headers.ts'
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
  /** More fields to sign, as they are sent; a name may stand there several times. */
  readonly fields?: HeaderList
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
/** A call waits this long for the chain, which may ask STS or metadata. */
const CHAIN_MS_MAX = 10_000
/** A code that AWS answered, or the chain's word for nothing at all, which would say nothing. */
const AWS_CODE = /^(?!CredentialsProviderError$|Error$)\w{1,64}$/
const CONTAINER = ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI']

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
export async function awsSigner(
  provider: string,
  auth: AwsPlan,
  tools: AuthTools,
  chainMsMax = CHAIN_MS_MAX,
): Promise<Signer> {
  const found = await keySource(provider, auth, chainMsMax)
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
    const url = new URL(call.origin)
    const mark = call.path.indexOf('?')
    const signed = await (call.addHash === false ? bare : signer).sign(
      {
        method: call.method,
        protocol: url.protocol,
        hostname: url.hostname,
        // As it is sent: a URL would put it into another form.
        path: mark < 0 ? call.path : call.path.slice(0, mark),
        query: mark < 0 ? {} : queryOf(call.path.slice(mark + 1)),
        headers: fieldsToSign(call, url.host),
        body: call.body ?? undefined,
      },
      { signingDate: new Date(tools.clock.epochMs()) },
    )
    return Object.entries(signed.headers)
      .filter(([name]) => name === 'authorization' || name.startsWith('x-amz-'))
      .flat()
  }
}

function queryOf(text: string): Record<string, string | string[]> {
  const read = new URLSearchParams(text)
  const query: Record<string, string | string[]> = {}
  for (const name of new Set(read.keys())) {
    const values = read.getAll(name)
    query[name] = values.length === 1 ? values[0]! : values
  }
  return query
}

function fieldsToSign(call: SignedCall, host: string): Record<string, string> {
  const { contentType, fields = [] } = call
  const signed: Record<string, string> = { host: call.host ?? host }
  if (contentType !== null) signed['content-type'] = contentType
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!
    const value = fields[at + 1]!.trim()
    signed[name] = signed[name] === undefined ? value : `${signed[name]},${value}`
  }
  return signed
}

async function keySource(provider: string, auth: AwsPlan, chainMsMax: number): Promise<KeySource> {
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
      return await within(chainMsMax, chain())
    } catch (error) {
      const why = error instanceof NoAnswer ? error.message : nameOf(error)
      const code = why === null ? '' : ` (${why})`
      const reason = `no AWS credentials were found; asked: ${placesAsked(auth).join(', ')}${code}`
      throw authFailure(provider, reason, error)
    }
  }
}

class NoAnswer extends Error {}

/** The chain has no bound of its own: it asks hosts that may not be there. */
function within<T>(msMax: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new NoAnswer(`no answer in ${msMax} ms`)), msMax)
    timer.unref()
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function nameOf(error: unknown): string | null {
  return error instanceof Error && AWS_CODE.test(error.name) ? error.name : null
}

/** Where the chain looks with this environment, in its order: what an operator has to look at. */
function placesAsked(auth: AwsPlan): readonly string[] {
  const { env } = process
  const profile = auth.profile ?? env['AWS_PROFILE']
  const places = profile === undefined ? ['environment'] : []
  places.push(profile === undefined ? 'default profile' : `profile \`${profile}\``)
  if (env['AWS_WEB_IDENTITY_TOKEN_FILE'] !== undefined) places.push('web identity')
  if (CONTAINER.some(name => env[name] !== undefined)) places.push('container')
  else if (env['AWS_EC2_METADATA_DISABLED'] !== 'true') places.push('instance metadata')
  return places
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

// Checks a signature of AWS (version 4) by computing it again from what arrived. Written from AWS's description and
// apart from the product's signer, so that a mistake would have to be made twice to go unseen.

import { createHash, createHmac } from 'node:crypto'
import type { RecordedRequest } from '../types.ts'

export interface AwsExpectation {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly region: string
  readonly service: string
}

/** Clocks may differ by this much. */
const SKEW_MS = 5 * 60_000

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/

type Signed = Pick<RecordedRequest, 'method' | 'path' | 'body' | 'header'>

/** What is wrong with the signature, or null. `nowMs` null leaves the date unchecked. */
export function signatureFault(
  request: Signed,
  expected: AwsExpectation,
  nowMs: number | null,
): string | null {
  const match = AUTHORIZATION.exec(request.header('authorization') ?? '')
  if (match === null) return 'authorization is no signature of version 4'
  const [, keyId, day, region, service, signedNames = '', signature] = match
  const date = request.header('x-amz-date') ?? ''
  if (keyId !== expected.accessKeyId) return `the key is ${keyId}`
  if (region !== expected.region || service !== expected.service) return `the scope is ${region}/${service}`
  if (!date.startsWith(day!) || !/^\d{8}T\d{6}Z$/.test(date)) return 'x-amz-date does not fit the scope'
  if (nowMs !== null && Math.abs(nowMs - timeOf(date)) > SKEW_MS) return 'the signature has expired'
  const names = signedNames.split(';')
  if (!names.includes('host') || !names.includes('x-amz-date')) return 'host and x-amz-date must be signed'
  const token = request.header('x-amz-security-token')
  if (token !== (expected.sessionToken ?? null)) return 'the security token is not the session’s'
  if (token !== null && !names.includes('x-amz-security-token')) return 'the security token is not signed'
  const bodyHash = sha256(request.body)
  const declared = request.header('x-amz-content-sha256')
  if (declared !== null && declared !== bodyHash) return 'x-amz-content-sha256 is not the hash of the body'
  const canonical = canonicalRequest(request, names, bodyHash)
  const scope = `${day}/${region}/${service}/aws4_request`
  const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`
  const computed = hmac(signingKey(expected, day!), toSign).toString('hex')
  return computed === signature ? null : `the signature does not match:\n${canonical}`
}

function canonicalRequest(request: Signed, names: readonly string[], bodyHash: string): string {
  const [path = '', query = ''] = request.path.split('?')
  const fields = names.map(name => `${name}:${(request.header(name) ?? '').trim().replace(/ +/g, ' ')}\n`)
  return [
    request.method,
    canonicalPath(path),
    canonicalQuery(query),
    fields.join(''),
    names.join(';'),
    bodyHash,
  ].join('\n')
}

/** Every service but S3 takes out empty and dotted segments, and encodes what is encoded already once more. */
function canonicalPath(path: string): string {
  const kept: string[] = []
  const segments = path.split('/')
  for (const segment of segments) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(encoded(segment))
  }
  const folder = kept.length > 0 && segments.at(-1) === ''
  return `/${kept.join('/')}${folder ? '/' : ''}`
}

function canonicalQuery(query: string): string {
  return (
    [...new URLSearchParams(query)]
      .map(([name, value]) => [encoded(name), encoded(value)] as const)
      // By name first: as whole texts `a-b=` would come before `a=`.
      .sort(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
      .map(([name, value]) => `${name}=${value}`)
      .join('&')
  )
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function signingKey({ secretAccessKey, region, service }: AwsExpectation, day: string): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, day), region), service), 'aws4_request')
}

function timeOf(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}

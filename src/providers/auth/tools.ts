// What the ways of authorising need from outside: time, a way to ask, files and the environment. All of it injected.

import type { Clock } from '../../common/clock.ts'
import { GatewayError } from '../../common/errors.ts'
import type { HeaderList } from '../../common/headers.ts'

export interface TokenRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: HeaderList
  readonly body: string | null
}

export interface TokenReply {
  readonly status: number
  readonly headers: HeaderList
  readonly body: string
}

/** Sends a small request and reads a small reply, both bounded; rejects when there is none in time. */
export type TokenFetch = (request: TokenRequest) => Promise<TokenReply>

export interface AuthTools {
  readonly clock: Clock
  readonly fetch: TokenFetch
  readonly env: Readonly<Record<string, string | undefined>>
}

/** What is shown to a caller whose provider cannot be authorised: who, and why, never with what. */
export function authFailure(provider: string, reason: string, cause?: unknown): GatewayError {
  return new GatewayError('no-credential', `provider \`${provider}\` cannot be authorised: ${reason}`, {
    cause,
  })
}

/** The code of an OAuth error reply, when it is one; descriptions may quote what was sent. */
export function oauthError(reply: TokenReply): string {
  const read = parsedObject(reply.body)
  // Google's own interfaces put an object there.
  const code = objectOf(read?.['error'])?.['status'] ?? read?.['error']
  const word = typeof code === 'string' && /^[\w.-]{1,64}$/.test(code) ? ` (${code})` : ''
  return `the token endpoint answered ${reply.status}${word}`
}

export function parsedObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return objectOf(JSON.parse(text))
  } catch {
    return null
  }
}

export function objectOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Plain HTTP never leaves the machine under these. */
const PLAIN_HTTP = /^http:\/\/(?:127\.0\.0\.1|localhost|169\.254\.169\.254|metadata\.google\.internal)[:/]/

/** An address that a key file names. Credentials are sent there: anything but https is a mistake or worse. */
export function safeUrl(
  provider: string,
  account: Readonly<Record<string, unknown>>,
  member: string,
  usual: string,
): string {
  const url = textOf(account[member]) || usual
  if (URL.canParse(url) && (url.startsWith('https://') || PLAIN_HTTP.test(url))) return url
  throw authFailure(provider, `\`${member}\` of the key file is not https`)
}

/** Claims of a token, unchecked: only its issuer could be fooled by a wrong one. */
export function claimsOf(token: string): Record<string, unknown> | null {
  const part = token.split('.')[1]
  return part === undefined ? null : parsedObject(Buffer.from(part, 'base64url').toString('utf8'))
}

export function formBody(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString()
}

export const FORM: HeaderList = [
  'content-type',
  'application/x-www-form-urlencoded',
  'accept',
  'application/json',
]

// Google accounts that stand on another: a workload of another cloud shows its own token and gets one of Google's
// (token exchange, RFC 8693), a login of a workforce pool is renewed, a service account is impersonated.
// Owns where the other token is read: a file or an address that the key file names. Refuses to run programs, and keys
// of AWS as a proof: who has those can be given a token in a file as well.

import { readFile, stat } from 'node:fs/promises'
import type { HeaderList } from '../../common/headers.ts'
import { bearerToken, type Token } from './token-cache.ts'
import {
  type AuthTools,
  authFailure,
  FORM,
  formBody,
  oauthError,
  objectOf,
  parsedObject,
  safeUrl,
  textOf,
} from './tools.ts'

type Account = Readonly<Record<string, unknown>>

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const EXCHANGE_URL = 'https://sts.googleapis.com/v1/token'
/** Life of an impersonated token unless the file says otherwise: the longest that needs no leave. */
const IMPERSONATED_LIFE_S = 3_600
/** A token is some kilobytes. */
const SUBJECT_BYTES_MAX = 64 * 1024

/** A token for a workload that proves who it is elsewhere; of a service account where the file names one. */
export async function federatedToken(
  provider: string,
  account: Account,
  scope: string,
  tools: AuthTools,
): Promise<Token> {
  const poolUser = textOf(account['workforce_pool_user_project'])
  const reply = await tools.fetch({
    method: 'POST',
    url: safeUrl(provider, account, 'token_url', EXCHANGE_URL),
    headers: withClient(account),
    body: formBody({
      grant_type: EXCHANGE,
      audience: textOf(account['audience']),
      scope,
      requested_token_type: ACCESS_TOKEN,
      subject_token: await subjectToken(provider, account, tools),
      subject_token_type: textOf(account['subject_token_type']),
      ...(poolUser === '' ? {} : { options: JSON.stringify({ userProject: poolUser }) }),
    }),
  })
  const token = reply.status === 200 ? bearerToken(parsedObject(reply.body), tools.clock.epochMs()) : null
  if (token === null) throw authFailure(provider, `federation: ${oauthError(reply)}`)
  if (textOf(account['service_account_impersonation_url']) === '') return token
  return impersonatedToken(provider, account, token, scope, tools)
}

/** A token of the service account that `account` names, won with another's. */
export async function impersonatedToken(
  provider: string,
  account: Account,
  source: Token,
  scope: string,
  tools: AuthTools,
): Promise<Token> {
  const lifeS = Number(objectOf(account['service_account_impersonation'])?.['token_lifetime_seconds'])
  const reply = await tools.fetch({
    method: 'POST',
    url: safeUrl(provider, account, 'service_account_impersonation_url', ''),
    headers: ['content-type', 'application/json', 'accept', 'application/json', ...source.fields],
    body: JSON.stringify({
      scope: [scope],
      lifetime: `${Number.isInteger(lifeS) && lifeS > 0 ? lifeS : IMPERSONATED_LIFE_S}s`,
      ...(Array.isArray(account['delegates']) ? { delegates: account['delegates'] } : {}),
    }),
  })
  const read = reply.status === 200 ? parsedObject(reply.body) : null
  const endMs = Date.parse(textOf(read?.['expireTime']))
  const nowMs = tools.clock.epochMs()
  const seconds = Number.isNaN(endMs) ? undefined : (endMs - nowMs) / 1_000
  const token = bearerToken({ access_token: read?.['accessToken'], expires_in: seconds }, nowMs)
  if (token === null) throw authFailure(provider, `impersonation: ${oauthError(reply)}`)
  return token
}

/** A token for somebody of a workforce pool who has logged in. */
export async function refreshedLogin(provider: string, account: Account, tools: AuthTools): Promise<Token> {
  const reply = await tools.fetch({
    method: 'POST',
    url: safeUrl(provider, account, 'token_url', EXCHANGE_URL),
    headers: withClient(account),
    body: formBody({ grant_type: 'refresh_token', refresh_token: textOf(account['refresh_token']) }),
  })
  const token = reply.status === 200 ? bearerToken(parsedObject(reply.body), tools.clock.epochMs()) : null
  if (token === null) throw authFailure(provider, oauthError(reply))
  return token
}

function withClient(account: Account): HeaderList {
  const id = textOf(account['client_id'])
  if (id === '') return FORM
  const pair = [id, textOf(account['client_secret'])].map(encodeURIComponent).join(':')
  return [...FORM, 'authorization', `Basic ${Buffer.from(pair).toString('base64')}`]
}

/** Written anew by whoever issues it, therefore read for each use. */
async function subjectToken(provider: string, account: Account, tools: AuthTools): Promise<string> {
  const source = objectOf(account['credential_source'])
  const [file, url] = [textOf(source?.['file']), textOf(source?.['url'])]
  if (file !== '') return tokenIn(provider, source, await subjectFile(provider, file))
  if (url === '') {
    const why = 'its key file proves who it is neither with a `file` nor with a `url`'
    throw authFailure(provider, `${why}; programs and keys of AWS are not used`)
  }
  const reply = await tools.fetch({
    method: 'GET',
    url: safeUrl(provider, { 'credential_source.url': url }, 'credential_source.url', ''),
    headers: Object.entries(objectOf(source?.['headers']) ?? {}).flatMap(([name, value]) => [
      name.toLowerCase(),
      textOf(value),
    ]),
    body: null,
  })
  if (reply.status !== 200) throw authFailure(provider, `the issuer of its proof answered ${reply.status}`)
  return tokenIn(provider, source, reply.body)
}

async function subjectFile(provider: string, file: string): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size <= SUBJECT_BYTES_MAX) return await readFile(file, 'utf8')
  } catch (error) {
    throw authFailure(provider, 'the file of its proof cannot be read', error)
  }
  throw authFailure(provider, `the file of its proof is longer than ${SUBJECT_BYTES_MAX} bytes`)
}

function tokenIn(provider: string, source: Account | null, content: string): string {
  const format = objectOf(source?.['format'])
  const json = format?.['type'] === 'json'
  const member = textOf(format?.['subject_token_field_name'])
  const token = json ? textOf(parsedObject(content)?.[member]) : content.trim()
  if (token === '') throw authFailure(provider, 'its proof is empty')
  return token
}

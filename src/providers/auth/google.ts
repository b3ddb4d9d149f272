// Tokens of Google: a service account signs an assertion, a user's login is renewed, a machine asks its metadata
// server; federated and impersonated accounts are `google-federated.ts`. Our own, because it is a handful of requests:
// the official library brings its own HTTP stack past our bounds. Kinds that run programs are refused by name.

import { createPrivateKey, createSign, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import type { AuthPlan } from '../../common/config/plan.ts'
import { federatedToken, impersonatedToken, refreshedLogin } from './google-federated.ts'
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

type GooglePlan = Extract<AuthPlan, { type: 'google' }>

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
const TOKEN_URL = 'https://oauth2.googleapis.com/token'
/** The longest life an assertion may have. */
const ASSERTION_LIFE_S = 3_600
const USERS_FILE = '.config/gcloud/application_default_credentials.json'

/** What a key file holds, or the machine itself. */
type Account = Readonly<Record<string, unknown>>
type TokenAsk = Parameters<AuthTools['fetch']>[0]

export async function googleToken(provider: string, auth: GooglePlan, tools: AuthTools): Promise<Token> {
  const account = await accountOf(provider, auth, tools)
  return account === 'metadata'
    ? askedFor(provider, metadataRequest(tools), tools)
    : accountToken(provider, account, tools)
}

/** The kinds are Google's words for them. */
async function accountToken(provider: string, account: Account, tools: AuthTools): Promise<Token> {
  const ask = (fields: Readonly<Record<string, string>>): Promise<Token> =>
    askedFor(
      provider,
      { method: 'POST', url: tokenUrl(provider, account), headers: FORM, body: formBody(fields) },
      tools,
    )
  switch (account['type']) {
    case 'service_account':
      return ask(assertionFields(provider, account, tools))
    case 'authorized_user':
      return ask({
        grant_type: 'refresh_token',
        client_id: textOf(account['client_id']),
        client_secret: textOf(account['client_secret']),
        refresh_token: textOf(account['refresh_token']),
      })
    case 'external_account':
      return federatedToken(provider, account, SCOPE, tools)
    case 'external_account_authorized_user':
      return refreshedLogin(provider, account, tools)
    case 'impersonated_service_account': {
      const source = objectOf(account['source_credentials'])
      if (source === null || source['type'] === 'impersonated_service_account')
        throw authFailure(provider, 'its key file impersonates from no account of its own')
      return impersonatedToken(provider, account, await accountToken(provider, source, tools), SCOPE, tools)
    }
    default:
      throw unknownKind(provider)
  }
}

async function askedFor(provider: string, ask: TokenAsk, tools: AuthTools): Promise<Token> {
  const reply = await tools.fetch(ask)
  const token = reply.status === 200 ? bearerToken(parsedObject(reply.body), tools.clock.epochMs()) : null
  if (token === null) throw authFailure(provider, oauthError(reply))
  return token
}

function metadataRequest(tools: AuthTools): TokenAsk {
  const host = tools.env['GCE_METADATA_HOST'] ?? 'metadata.google.internal'
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token?scopes=${encodeURIComponent(SCOPE)}`
  return { method: 'GET', url, headers: ['metadata-flavor', 'Google'], body: null }
}

function assertionFields(provider: string, account: Account, tools: AuthTools): Record<string, string> {
  const nowS = Math.floor(tools.clock.epochMs() / 1_000)
  const header = { alg: 'RS256', typ: 'JWT', kid: textOf(account['private_key_id']) }
  const claims = {
    iss: textOf(account['client_email']),
    scope: SCOPE,
    aud: tokenUrl(provider, account),
    iat: nowS,
    exp: nowS + ASSERTION_LIFE_S,
  }
  const signed = `${base64url(header)}.${base64url(claims)}`
  const signature = createSign('RSA-SHA256')
    .update(signed)
    .sign(privateKey(provider, textOf(account['private_key'])))
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: `${signed}.${signature.toString('base64url')}`,
  }
}

function privateKey(provider: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    // The cause would quote the key's text.
    throw authFailure(provider, 'the private key in the key file cannot be read')
  }
}

/** A key file names who issues its tokens. */
function tokenUrl(provider: string, account: Account): string {
  return safeUrl(provider, account, 'token_uri', TOKEN_URL)
}

async function accountOf(
  provider: string,
  auth: GooglePlan,
  tools: AuthTools,
): Promise<Account | 'metadata'> {
  const { env } = tools
  const named = auth.credentialsFile ?? env['GOOGLE_APPLICATION_CREDENTIALS'] ?? null
  const file = named ?? resolve(env['HOME'] ?? homedir(), USERS_FILE)
  let content: string
  try {
    content = await readFile(file, 'utf8')
  } catch (error) {
    // Without a file this is a machine of Google's, or nothing.
    if (named === null) return 'metadata'
    throw authFailure(provider, 'its key file cannot be read', error)
  }
  const account = parsedObject(content)
  if (account === null) throw unknownKind(provider)
  return account
}

function unknownKind(provider: string): Error {
  return authFailure(
    provider,
    'its key file is of none of the known kinds: service_account, authorized_user, external_account, external_account_authorized_user, impersonated_service_account',
  )
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

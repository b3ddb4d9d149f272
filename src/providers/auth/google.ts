// Tokens of Google: a service account signs an assertion, a user's login is renewed, a machine asks its metadata
// server. Our own, because it is three requests: the official library brings its own HTTP stack past our bounds.
// Federated and impersonated accounts are refused by name.

import { createPrivateKey, createSign, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import type { AuthPlan } from '../../common/config/plan.ts'
import { bearerToken, type Token } from './token-cache.ts'
import { type AuthTools, authFailure, FORM, formBody, oauthError, parsedObject } from './tools.ts'

type GooglePlan = Extract<AuthPlan, { type: 'google' }>

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
const TOKEN_URL = 'https://oauth2.googleapis.com/token'
/** The longest life an assertion may have. */
const ASSERTION_LIFE_S = 3_600
const USERS_FILE = '.config/gcloud/application_default_credentials.json'

export async function googleToken(provider: string, auth: GooglePlan, tools: AuthTools): Promise<Token> {
  const account = await accountOf(provider, auth, tools)
  const reply = await tools.fetch(requestFor(provider, account, tools))
  const token = reply.status === 200 ? bearerToken(parsedObject(reply.body), tools.clock.epochMs()) : null
  if (token === null) throw authFailure(provider, oauthError(reply))
  return token
}

type Account = Readonly<Record<string, unknown>> | 'metadata'
type TokenAsk = Parameters<AuthTools['fetch']>[0]

function requestFor(provider: string, account: Account, tools: AuthTools): TokenAsk {
  if (account === 'metadata') return metadataRequest(tools)
  const fields =
    account['type'] === 'service_account'
      ? assertionFields(provider, account, tools)
      : {
          grant_type: 'refresh_token',
          client_id: text(account['client_id']),
          client_secret: text(account['client_secret']),
          refresh_token: text(account['refresh_token']),
        }
  return { method: 'POST', url: tokenUrl(provider, account), headers: FORM, body: formBody(fields) }
}

function metadataRequest(tools: AuthTools): TokenAsk {
  const host = tools.env['GCE_METADATA_HOST'] ?? 'metadata.google.internal'
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token?scopes=${encodeURIComponent(SCOPE)}`
  return { method: 'GET', url, headers: ['metadata-flavor', 'Google'], body: null }
}

function assertionFields(
  provider: string,
  account: Readonly<Record<string, unknown>>,
  tools: AuthTools,
): Record<string, string> {
  const nowS = Math.floor(tools.clock.epochMs() / 1_000)
  const header = { alg: 'RS256', typ: 'JWT', kid: text(account['private_key_id']) }
  const claims = {
    iss: text(account['client_email']),
    scope: SCOPE,
    aud: tokenUrl(provider, account),
    iat: nowS,
    exp: nowS + ASSERTION_LIFE_S,
  }
  const signed = `${base64url(header)}.${base64url(claims)}`
  const signature = createSign('RSA-SHA256')
    .update(signed)
    .sign(privateKey(provider, text(account['private_key'])))
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

/** A key file names who issues its tokens; anything but https there is a mistake or worse. */
function tokenUrl(provider: string, account: Readonly<Record<string, unknown>>): string {
  const url = text(account['token_uri']) || TOKEN_URL
  if (!/^https:\/\/|^http:\/\/(?:127\.0\.0\.1|localhost)[:/]/.test(url)) {
    throw authFailure(provider, '`token_uri` of the key file is not https')
  }
  return url
}

async function accountOf(provider: string, auth: GooglePlan, tools: AuthTools): Promise<Account> {
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
  const type = account?.['type']
  if (account === null || (type !== 'service_account' && type !== 'authorized_user')) {
    throw authFailure(provider, 'its key file is neither of a service account nor of a user')
  }
  return account
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

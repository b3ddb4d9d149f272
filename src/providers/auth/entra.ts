// Tokens of Microsoft Entra for Azure: the client credentials flow with a secret or with a federated token (workload
// identity). Managed identities without one are `managed-identity.ts`.

import { readFile } from 'node:fs/promises'
import type { AuthPlan } from '../../common/config/plan.ts'
import { bearerToken, type Token } from './token-cache.ts'
import { type AuthTools, authFailure, FORM, formBody, oauthError, parsedObject } from './tools.ts'

type EntraPlan = Extract<AuthPlan, { type: 'entra' }>

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export async function entraToken(provider: string, auth: EntraPlan, tools: AuthTools): Promise<Token> {
  const proof =
    auth.federatedTokenFile === null
      ? { client_secret: auth.clientSecret?.secret ?? '' }
      : {
          client_assertion_type: ASSERTION_TYPE,
          client_assertion: await federatedToken(provider, auth.federatedTokenFile),
        }
  const reply = await tools.fetch({
    method: 'POST',
    url: `${auth.authority}/${encodeURIComponent(auth.tenantId)}/oauth2/v2.0/token`,
    headers: FORM,
    body: formBody({
      grant_type: 'client_credentials',
      client_id: auth.clientId,
      scope: auth.scope,
      ...proof,
    }),
  })
  const token = reply.status === 200 ? bearerToken(parsedObject(reply.body), tools.clock.epochMs()) : null
  if (token === null) throw authFailure(provider, oauthError(reply))
  return token
}

/** Written anew by the platform every hour or so, therefore read for each use. */
async function federatedToken(provider: string, file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw authFailure(provider, `the federated token file cannot be read`, error)
  }
}

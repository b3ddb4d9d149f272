// Tokens of Azure's managed identities: a machine, or an App Service, asks its own platform. Owns which of the two is
// there; what the platform's addresses are is the platform's word, in the environment.

import type { AuthPlan } from '../../common/config/plan.ts'
import { bearerToken, type Token } from './token-cache.ts'
import { type AuthTools, authFailure, oauthError, parsedObject, type TokenRequest } from './tools.ts'

type IdentityPlan = Extract<AuthPlan, { type: 'managed_identity' }>

/** Every virtual machine and container of Azure finds its metadata there. */
const MACHINE = 'http://169.254.169.254'
const MACHINE_VERSION = '2018-02-01'
const APP_SERVICE_VERSION = '2019-08-01'

export async function managedIdentityToken(
  provider: string,
  auth: IdentityPlan,
  tools: AuthTools,
): Promise<Token> {
  const request = requestFor(auth, tools.env)
  const reply = await tools.fetch(request).catch((error: unknown) => {
    throw authFailure(provider, `no managed identity answers at ${new URL(request.url).host}`, error)
  })
  const token = reply.status === 200 ? bearerToken(parsedObject(reply.body), tools.clock.epochMs()) : null
  if (token === null) throw authFailure(provider, `managed identity: ${oauthError(reply)}`)
  return token
}

function requestFor(auth: IdentityPlan, env: AuthTools['env']): TokenRequest {
  const { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: proof } = env
  const appService = endpoint !== undefined && proof !== undefined && URL.canParse(endpoint)
  const root = env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] ?? MACHINE
  const url = new URL(appService ? endpoint : `${root.replace(/\/+$/, '')}/metadata/identity/oauth2/token`)
  url.searchParams.set('api-version', appService ? APP_SERVICE_VERSION : MACHINE_VERSION)
  // These services want the resource, where Entra wants what may be done with it.
  url.searchParams.set('resource', auth.scope.replace(/\/\.default$/, ''))
  if (auth.clientId !== null) url.searchParams.set('client_id', auth.clientId)
  return {
    method: 'GET',
    url: url.href,
    headers: appService ? ['x-identity-header', proof] : ['metadata', 'true'],
    body: null,
  }
}

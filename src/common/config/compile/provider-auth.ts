// `auth`, `region`, `project`, `api_version`: what a provider is called with besides keys, and what follows from it for
// its address. Owns defaults that only the vendor and its host can tell: the region in a Bedrock host, the token's
// audience for Azure. Nothing is read or asked here; that is `providers/auth`.

import { homedir } from 'node:os'
import { resolve } from 'node:path'
import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type { AuthPlan } from '../plan.ts'
import type { ProviderEntry } from '../schema/providers.ts'
import type { Vendor } from '../vendors.ts'
import { subscriptionFile } from '../subscription.ts'

export interface AuthSources {
  readonly findings: Findings
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths start here. */
  readonly folder: string
}

/** Where Azure's tokens are for, unless the file says otherwise. */
const ENTRA_SCOPE = 'https://cognitiveservices.azure.com/.default'
const ENTRA_AUTHORITY = 'https://login.microsoftonline.com'
const CHATGPT_TOKEN_URL = 'https://auth.openai.com/oauth/token'
const BEDROCK_HOST =
  /^https:\/\/bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/

/** The address of vendors whose host depends on a region; null where that does not say enough. */
export function regionalAddress(
  entry: ProviderEntry,
  vendor: Vendor,
): { origin: string; root: string } | null {
  const { region, project } = entry
  if (vendor.id === 'amazon_bedrock' && region !== undefined) {
    const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
    return { origin: `https://bedrock-runtime.${region}.${suffix}`, root: vendor.pathPrefix }
  }
  if (vendor.id === 'vertex' && project !== undefined) {
    const location = region ?? 'global'
    const root = `/v1/projects/${encodeURIComponent(project)}/locations/${encodeURIComponent(location)}`
    return { origin: `https://${vertexHost(location)}.googleapis.com`, root }
  }
  return null
}

/** Single regions, all of them, and the two that are groups of regions each have a form of their own. */
function vertexHost(location: string): string {
  if (location === 'global') return 'aiplatform'
  return location === 'us' || location === 'eu' ? `aiplatform.${location}.rep` : `${location}-aiplatform`
}

/** Calls are signed for one region, so the addresses of an entry must be in it. */
export function checkRegions(
  auth: AuthPlan | null,
  hosts: readonly { readonly base: { readonly origin: string }; readonly path: Path }[],
  findings: Findings,
): void {
  if (auth?.type !== 'aws') return
  for (const { base, path } of hosts) {
    const region = BEDROCK_HOST.exec(base.origin)?.[1]
    if (hosts.length < 2 || region === undefined || region === auth.region) continue
    const message = `calls are signed for ${auth.region}; give ${region} an entry of its own and name it in \`fallbacks\``
    findings.error({ code: 'S18', path, message, showFound: false })
  }
}

/** Null when calls are authorised by a key, or not at all. */
export function providerAuth(
  entry: ProviderEntry,
  path: Path,
  vendor: Vendor,
  origin: string,
  keyed: boolean,
  sources: AuthSources,
): AuthPlan | null {
  const { auth } = entry
  if (keyed) {
    if (auth !== undefined) {
      const message = 'calls are authorised by a key or by the caller, so `auth` is not used'
      sources.findings.warn({ code: 'W17', path: [...path, 'auth'], message, showFound: false })
    }
    return null
  }
  switch (auth?.type ?? usualType(vendor, origin)) {
    case 'aws':
      return awsAuth(entry, path, origin, sources)
    case 'google':
      return { type: 'google', credentialsFile: fileOf(auth?.file, sources) }
    case 'entra':
      return entraAuth(entry, path, sources)
    case 'managed_identity':
      return {
        type: 'managed_identity',
        clientId: auth?.client_id ?? sources.env['AZURE_CLIENT_ID'] ?? null,
        scope: auth?.scope ?? ENTRA_SCOPE,
      }
    case 'chatgpt':
      return {
        type: 'chatgpt',
        file: fileOf(auth?.file, sources) ?? subscriptionFile(),
        tokenUrl: auth?.token_url ?? CHATGPT_TOKEN_URL,
      }
    default:
      return null
  }
}

/** What a vendor's own host wants from whoever has no key. */
function usualType(vendor: Vendor, origin: string): AuthPlan['type'] | null {
  if (vendor.id === 'amazon_bedrock' && BEDROCK_HOST.test(origin)) return 'aws'
  if (
    vendor.id === 'vertex' &&
    /^https:\/\/(?:[\w-]+-)?aiplatform(?:\.(?:us|eu)\.rep)?\.googleapis\.com$/.test(origin)
  )
    return 'google'
  return null
}

function awsAuth(entry: ProviderEntry, path: Path, origin: string, sources: AuthSources): AuthPlan | null {
  const { auth } = entry
  const region =
    entry.region ??
    BEDROCK_HOST.exec(origin)?.[1] ??
    sources.env['AWS_REGION'] ??
    sources.env['AWS_DEFAULT_REGION']
  if (region === undefined) {
    const message = 'signing needs the region: write `region`, like us-east-1'
    sources.findings.error({ code: 'S18', path: [...path, 'auth'], message, showFound: false })
    return null
  }
  const accessKeyId = auth?.access_key_id ?? null
  const secretAccessKey = auth?.secret_access_key ?? null
  if ((accessKeyId === null) !== (secretAccessKey === null)) {
    const message =
      '`access_key_id` and `secret_access_key` belong together; leave both out to use the usual chain'
    sources.findings.error({ code: 'S18', path: [...path, 'auth'], message, showFound: false })
  }
  return {
    type: 'aws',
    region,
    accessKeyId,
    secretAccessKey,
    sessionToken: auth?.session_token ?? null,
    profile: auth?.profile ?? null,
    roleArn: auth?.role_arn ?? null,
  }
}

function entraAuth(entry: ProviderEntry, path: Path, sources: AuthSources): AuthPlan | null {
  const { auth } = entry
  const { env, findings } = sources
  const tenantId = auth?.tenant_id ?? env['AZURE_TENANT_ID']
  const clientId = auth?.client_id ?? env['AZURE_CLIENT_ID']
  const clientSecret = auth?.client_secret ?? null
  const federatedTokenFile = fileOf(auth?.file ?? env['AZURE_FEDERATED_TOKEN_FILE'], sources)
  const missing = [
    ...(tenantId === undefined ? ['tenant_id'] : []),
    ...(clientId === undefined ? ['client_id'] : []),
    ...(clientSecret === null && federatedTokenFile === null ? ['client_secret or file'] : []),
  ]
  if (tenantId === undefined || clientId === undefined || missing.length > 0) {
    const message = `tokens of Entra also need ${missing.join(' and ')}`
    findings.error({ code: 'S18', path: [...path, 'auth'], message, showFound: false })
    return null
  }
  return {
    type: 'entra',
    tenantId,
    clientId,
    clientSecret,
    federatedTokenFile: clientSecret === null ? federatedTokenFile : null,
    scope: auth?.scope ?? ENTRA_SCOPE,
    authority: (auth?.authority ?? env['AZURE_AUTHORITY_HOST'] ?? ENTRA_AUTHORITY).replace(/\/+$/, ''),
  }
}

function fileOf(path: string | undefined, sources: AuthSources): string | null {
  if (path === undefined) return null
  const home = path.startsWith('~/') ? resolve(homedir(), path.slice(2)) : path
  return resolve(sources.folder, home)
}

// Secrets, wrapped so that nothing prints them by accident. Structured clone drops the class on the way to another
// thread, so whoever receives a plan wraps it again with `rewrapSecrets`.

import { inspect } from 'node:util'
import type { Plan, SecretText, WeightedKey } from './plan.ts'

export const MASK = '***'

export class Secret implements SecretText {
  readonly secret: string

  constructor(secret: string) {
    this.secret = secret
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }

  [inspect.custom](): string {
    return MASK
  }
}

/** One of several keys of a provider. */
export class WeightedSecret extends Secret implements WeightedKey {
  readonly weight: number

  constructor(secret: string, weight: number) {
    super(secret)
    this.weight = weight
  }
}

/** The plan with its secrets wrapped again; for the receiving side of a structured clone. */
export function rewrapSecrets(plan: Plan): Plan {
  return mapSecrets(plan, ({ secret, weight }) =>
    weight === undefined ? new Secret(secret) : new WeightedSecret(secret, weight),
  ) as Plan
}

/** Keys of the well-known vendors, bearer values, passwords in URLs, and long mixed text. */
const LOOKS_SECRET =
  /\b(?:sk|pk|rk|xai|gsk|ghp|glpat|vck)[-_][\w-]{8,}|\bAIza[\w-]{8,}|(?<=[Bb]earer )\S+|(?<=:\/\/)[^\s/@]+(?=@)|(?<=[?&][\w-]*(?:key|token|secret|sig)[\w-]*=)[^\s&"]+|\b(?=\w*[a-z])(?=\w*[A-Z])(?=\w*\d)\w{32,}/g

/** Text without what has the form of a secret, known or not. */
export function maskForms(text: string): string {
  return text.replace(LOOKS_SECRET, MASK)
}

/** The plan as a thread gets it that only calls providers: with their credentials and those of the way to them. */
export function callersPlan(plan: Plan): Plan {
  const { providers, upstream, ...rest } = plan
  return { ...(mapSecrets(rest, () => new Secret('')) as typeof rest), providers, upstream }
}

/** Names of header fields whose value is a credential. */
export const SECRET_HEADER = /auth|key|token|secret|cookie|password/i

/** Keys whose whole value is a secret, wherever they stand. */
export const SECRET_KEYS: ReadonlySet<string> = new Set([
  'access_key',
  'access_keys',
  'api_key',
  'token',
  'connection_string',
  'password',
  'access_key_id',
  'secret_access_key',
  'session_token',
  'client_secret',
])

/** A shorter text is also a common word: `k` as a key must not mask every `k`. */
const MASKED_CHARS_MIN = 6

/** The plan as it may be shown to anyone. */
export function maskedPlan(plan: Plan): unknown {
  const secrets = new Set<string>()
  mapSecrets(plan, ({ secret }) => secrets.add(secret))
  const providers = plan.providers.map(provider => ({
    ...provider,
    headers: maskedHeaders(provider.headers),
    ...maskedAddress(provider),
    ...(provider.hosts === undefined
      ? {}
      : { hosts: provider.hosts.map(host => ({ ...host, ...maskedAddress(host) })) }),
  }))
  const masked = mapSecrets({ ...plan, providers }, () => MASK)
  return maskTexts(masked, secrets)
}

/** A text that equals a secret, or stands under the name of one, is masked wherever it stands. */
function maskTexts(value: unknown, secrets: ReadonlySet<string>): unknown {
  if (typeof value === 'string') return value.length >= MASKED_CHARS_MIN && secrets.has(value) ? MASK : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(item => maskTexts(item, secrets))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      typeof item === 'string' && SECRET_KEYS.has(key) ? MASK : maskTexts(item, secrets),
    ]),
  )
}

function maskedAddress({ query }: { readonly query?: string }): { readonly query?: string } {
  return query === undefined ? {} : { query: maskedQuery(query) }
}

/** Some hosts take their key as a parameter. */
function maskedQuery(query: string): string {
  return query.replace(/([^&=]+)=([^&]*)/g, (pair, name: string) =>
    SECRET_HEADER.test(name) || SIGNATURE.test(name) ? `${name}=${MASK}` : pair,
  )
}

/** Parameters of signed addresses. */
const SIGNATURE = /^(?:sig|signature|code)$/i

/** Header fields are plain text in a plan, because every call sends them. */
function maskedHeaders(headers: readonly string[]): string[] {
  return headers.map((text, at) => (at % 2 === 1 && SECRET_HEADER.test(headers[at - 1]!) ? MASK : text))
}

/** Copies plain data, replacing every secret record. */
export function mapSecrets(
  value: unknown,
  replace: (secret: SecretText & Partial<WeightedKey>) => unknown,
): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (isSecret(value)) return replace(value)
  if (Array.isArray(value)) return value.map(item => mapSecrets(item, replace))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, NAMED_MAPS.has(key) ? item : mapSecrets(item, replace)]),
  )
}

/** Maps whose keys people choose; one of them may be called `secret`. */
const NAMED_MAPS: ReadonlySet<string> = new Set(['aliases', 'modelAliases', 'staticAttributes'])

/** A record with a member `secret`: the classes here, and what structured clone makes of them. */
function isSecret(value: object): value is SecretText & Partial<WeightedKey> {
  return typeof (value as Partial<SecretText>).secret === 'string'
}

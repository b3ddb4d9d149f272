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

/** Names of header fields whose value is a credential. */
export const SECRET_HEADER = /auth|key|token|secret|cookie|password/i

/** The plan as it may be shown to anyone. */
export function maskedPlan(plan: Plan): unknown {
  const providers = plan.providers.map(provider => ({
    ...provider,
    headers: maskedHeaders(provider.headers),
  }))
  return mapSecrets({ ...plan, providers }, () => MASK)
}

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
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapSecrets(item, replace)]))
}

/** A record with a member `secret`: the classes here, and what structured clone makes of them. */
function isSecret(value: object): value is SecretText & Partial<WeightedKey> {
  return typeof (value as Partial<SecretText>).secret === 'string'
}

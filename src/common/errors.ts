// Expected failures of the gateway itself. One table turns a kind into status, retryability and log
// level; no status code of ours stands anywhere else. How a failure looks on the wire is the caller's
// dialect's business (`translate/errors.ts`).

import type { ErrorKind as WireErrorKind } from '../translate/index.ts'

interface KindFacts {
  readonly status: number
  /** May another candidate be tried, as long as no byte has reached the client? */
  readonly retry: boolean
  readonly log: 'debug' | 'info' | 'warn' | 'error'
  /** Which form of error a client sees; see `translate/errors.ts`. */
  readonly wire: WireErrorKind
}

export const KINDS = {
  'bad-request': { status: 400, retry: false, log: 'info', wire: 'invalid' },
  'unsupported-media': { status: 415, retry: false, log: 'info', wire: 'invalid' },
  unauthorized: { status: 401, retry: false, log: 'info', wire: 'auth' },
  forbidden: { status: 403, retry: false, log: 'info', wire: 'permission' },
  'not-found': { status: 404, retry: false, log: 'info', wire: 'not_found' },
  'model-not-found': { status: 404, retry: false, log: 'info', wire: 'not_found' },
  'method-not-allowed': { status: 405, retry: false, log: 'info', wire: 'invalid' },
  'request-timeout': { status: 408, retry: false, log: 'info', wire: 'timeout' },
  'body-too-large': { status: 413, retry: false, log: 'info', wire: 'too_large' },
  'headers-too-large': { status: 431, retry: false, log: 'info', wire: 'invalid' },
  'rate-limited': { status: 429, retry: false, log: 'info', wire: 'rate_limit' },
  'client-closed': { status: 499, retry: false, log: 'debug', wire: 'canceled' },
  'upstream-connect': { status: 502, retry: true, log: 'warn', wire: 'upstream' },
  'upstream-broke': { status: 502, retry: true, log: 'warn', wire: 'incomplete_stream' },
  'upstream-protocol': { status: 502, retry: true, log: 'warn', wire: 'upstream' },
  'upstream-timeout': { status: 504, retry: true, log: 'warn', wire: 'timeout' },
  'no-credential': { status: 500, retry: false, log: 'error', wire: 'upstream' },
  overloaded: { status: 503, retry: false, log: 'warn', wire: 'overloaded' },
  draining: { status: 503, retry: false, log: 'info', wire: 'overloaded' },
  internal: { status: 500, retry: false, log: 'error', wire: 'internal' },
} as const satisfies Record<string, KindFacts>

export type ErrorKind = keyof typeof KINDS

export interface GatewayErrorDetails {
  /** The request member at fault, as a path: `messages[3].content`. */
  readonly param?: string | null
  /** Machine-readable code in the caller's vocabulary; null lets the dialect choose. */
  readonly code?: string | null
  /** How long the caller should wait before it tries again, milliseconds. */
  readonly retryAfterMs?: number | null
  readonly cause?: unknown
}

/** Messages name the field and the bound; they never contain prompts, replies, keys or header values. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly kind: ErrorKind
  readonly param: string | null
  readonly code: string | null
  readonly retryAfterMs: number | null

  constructor(kind: ErrorKind, message: string, details: GatewayErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.kind = kind
    this.param = details.param ?? null
    this.code = details.code ?? null
    this.retryAfterMs = details.retryAfterMs ?? null
  }

  get status(): number {
    return KINDS[this.kind].status
  }
}

/** Whatever was thrown, as one of ours; an unknown throwable is a bug and becomes `internal`. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  return new GatewayError('internal', 'the gateway met an unexpected condition', { cause: thrown })
}

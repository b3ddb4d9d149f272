// What an error is before it takes a dialect's form. Facts: `wire-formats` specification, section 4.

import type { DialectId } from './dialect.ts'

/** Every kind of error that any dialect can express. */
export type ErrorKind =
  | 'invalid'
  | 'unsupported'
  | 'context_length'
  | 'too_large'
  | 'auth'
  | 'permission'
  | 'not_found'
  | 'conflict'
  | 'rate_limit'
  | 'quota'
  | 'filter'
  | 'overloaded'
  | 'timeout'
  | 'upstream'
  | 'incomplete_stream'
  | 'internal'
  | 'canceled'

/** An error on its way to a client: made by us, or read from an upstream's reply. */
export interface ErrorReply {
  readonly kind: ErrorKind
  /** HTTP status it came with, or the one a client of the neutral form would get. */
  readonly status: number
  readonly message: string
  /** Request member at fault, as the caller would write it, or null. */
  readonly param: string | null
  /** Code in the vocabulary of `from`, or null to let the writer choose. */
  readonly code: string | null
  readonly retryAfterMs: number | null
  readonly from: DialectId | 'gateway'
  readonly requestId: string | null
}

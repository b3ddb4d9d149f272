// Replies that the gateway makes by itself: errors in the caller's dialect and small JSON documents.
// Owns the step from a GatewayError to bytes; the forms themselves are the leaf's (`writeError`).

import { GatewayError, KINDS } from '../common/errors.ts'
import { type DialectId, type ErrorReply, writeError } from '../translate/index.ts'

export interface WholeReply {
  readonly status: number
  readonly headers: string[]
  readonly body: Uint8Array
}

const encoder = new TextEncoder()

/** The neutral record of one of our errors, ready for any dialect's writer. */
export function errorReply(error: GatewayError, requestId: string | null): ErrorReply {
  const facts = KINDS[error.kind]
  return {
    kind: facts.wire,
    status: facts.status,
    message: error.message,
    param: error.param,
    code: error.code,
    retryAfterMs: error.retryAfterMs,
    from: 'gateway',
    requestId,
  }
}

/** An error as a whole reply in `dialect`, with the headers every reply of ours carries. */
export function errorBytes(error: GatewayError, dialect: DialectId, requestId: string | null): WholeReply {
  return wireBytes(errorReply(error, requestId), dialect, requestId)
}

/** A neutral error as a whole reply in `dialect`. */
export function wireBytes(error: ErrorReply, dialect: DialectId, requestId: string | null): WholeReply {
  const written = writeError(dialect, error)
  const headers = [...written.headers]
  if (requestId !== null) headers.push('x-request-id', requestId)
  return { status: written.status, headers, body: written.body }
}

export function jsonReply(status: number, document: unknown): WholeReply {
  return {
    status,
    headers: ['content-type', 'application/json'],
    body: encoder.encode(JSON.stringify(document)),
  }
}

/** 405 naming what is allowed. */
export function methodNotAllowed(method: string, pattern: string, allowed: string): GatewayError {
  return new GatewayError('method-not-allowed', `${method} is not allowed on ${pattern}; use ${allowed}`)
}

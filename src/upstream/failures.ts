// Every way a call can fail, in words. Messages name the place (host and port), the deadline or the cause's code;
// they never hold header values or bodies.

import { GatewayError } from '../common/errors.ts'
import type { DeadlineName } from './deadlines.ts'
import { ProxyFault } from './tunnel.ts'

/** Text of foreign origin (a certificate's names) that may enter a message. */
const REASON_CHARS_MAX = 200

/** The code of a socket's error: `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, … */
export function causeCode(error: unknown): string {
  if (error === null || typeof error !== 'object') return 'unknown cause'
  const { code, errors } = error as { code?: unknown; errors?: unknown }
  if (typeof code === 'string') return code
  // Several addresses were tried: the first one's code tells as much as any.
  if (Array.isArray(errors) && errors.length > 0) return causeCode(errors[0])
  return error instanceof Error ? error.name : 'unknown cause'
}

/** Why a certificate was not accepted, where TLS says more than a code. */
function reasonOf(error: unknown): string {
  const reason = (error as { reason?: unknown } | null)?.reason
  if (typeof reason !== 'string') return ''
  return `: ${reason.slice(0, REASON_CHARS_MAX).replace(/[^\x20-\x7e]/g, '?')}`
}

export function connectFailed(place: string, cause: unknown): GatewayError {
  const message = `cannot connect to ${place}: ${causeCode(cause)}${reasonOf(cause)}`
  return new GatewayError('upstream-connect', message, { cause })
}

/** The same where it did not come further than the proxy; `cause` null: the proxy closed without a word. */
export function proxyFailed(place: string, cause: unknown): GatewayError {
  const what =
    cause === null
      ? 'closed the connection before it answered'
      : cause instanceof ProxyFault
        ? cause.message
        : `cannot be connected to: ${causeCode(cause)}${reasonOf(cause)}`
  const message = `cannot connect to ${place}: the proxy ${what}`
  return new GatewayError('upstream-connect', message, cause === null ? {} : { cause })
}

export function connectClosed(place: string): GatewayError {
  const message = `cannot connect to ${place}: it closed the connection before it was ready`
  return new GatewayError('upstream-connect', message)
}

/** The bound is ours: nothing of it is held against the upstream. */
export function queueFull(place: string, connectionsMax: number, queuedMax: number): GatewayError {
  const message = `no connection to ${place}: all ${connectionsMax} are busy and ${queuedMax} calls wait`
  return new GatewayError('overloaded', message)
}

/** The same for a call that waited until its time was over. */
export function poolBusy(place: string, connectionsMax: number, waitMs: number): GatewayError {
  const message = `no connection to ${place} within ${waitMs} ms (connect deadline): all ${connectionsMax} are busy`
  return new GatewayError('overloaded', message)
}

export function tooManyPools(place: string, poolsMax: number): GatewayError {
  return new GatewayError('upstream-connect', `no connection to ${place}: ${poolsMax} upstreams are in use`)
}

export function clientClosed(place: string): GatewayError {
  return new GatewayError('upstream-connect', `no connection to ${place}: the gateway is shutting down`)
}

const MISSED: Record<DeadlineName, string> = {
  connect: 'gave no connection',
  headers: 'sent no reply headers',
  'first-byte': 'sent headers but no body byte',
  'first-content': 'sent no content',
  'between-bytes': 'sent nothing more',
  total: 'did not finish its reply',
}

export function timedOut(place: string, deadline: DeadlineName, waitMs: number): GatewayError {
  const message = `${place} ${MISSED[deadline]} within ${waitMs} ms (${deadline} deadline)`
  return new GatewayError('upstream-timeout', message)
}

/** One stream was reset; the connection it was on may serve others. */
export function streamReset(place: string, headRead: boolean, bodyBytes: number, code: string): GatewayError {
  const when = headRead ? `after ${bodyBytes} bytes of an unfinished body` : 'before its reply headers'
  return new GatewayError('upstream-broke', `${place} reset the stream (${code}) ${when}`)
}

/** The upstream says that it has not begun with the request: as good as no connection. */
export function neverProcessed(place: string): GatewayError {
  return new GatewayError('upstream-connect', `${place} took no new stream and has not seen the request`)
}

/** The request is at fault, not the upstream. */
export function unwritable(place: string, cause: unknown): GatewayError {
  const message = `the request to ${place} cannot be written in HTTP/2: ${causeCode(cause)}`
  return new GatewayError('bad-request', message, { cause })
}

export function noStreams(place: string): GatewayError {
  return new GatewayError('upstream-connect', `cannot connect to ${place}: it allows no streams`)
}

/** `cause` null: the upstream closed in order, but too early. */
export function broke(place: string, headRead: boolean, bodyBytes: number, cause: unknown): GatewayError {
  const how = cause === null ? 'closed the connection' : `broke the connection (${causeCode(cause)})`
  const when = headRead ? `after ${bodyBytes} bytes of an unfinished body` : 'before its reply headers'
  const details = cause === null ? {} : { cause }
  return new GatewayError('upstream-broke', `${place} ${how} ${when}`, details)
}

export function unsound(place: string, problem: string): GatewayError {
  return new GatewayError('upstream-protocol', `the reply of ${place} is not sound HTTP: ${problem}`)
}

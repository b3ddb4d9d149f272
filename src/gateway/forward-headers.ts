// Which header fields cross the gateway, in either direction.
// Towards upstreams an allow-list: whatever identifies or authorises the caller towards us stays here.
// Towards clients a deny-list: providers' rate-limit, request-id and timing headers pass; what belongs to one
// connection, to one account's cookies or to another origin's transport does not.

import { type HeaderList, headerValue, HOP_BY_HOP } from '../common/headers.ts'
import { continueTrace } from '../common/ids.ts'

/** Fields of the caller that every upstream may see. */
const TO_ANY_UPSTREAM: ReadonlySet<string> = new Set(['user-agent', 'tracestate', 'x-client-request-id'])

/** Fields that mean something only to an upstream of the caller's own dialect. */
const TO_SAME_DIALECT: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'content-type',
  'anthropic-version',
  'anthropic-beta',
  'anthropic-user-profile-id',
  'openai-beta',
  'idempotency-key',
  'x-claude-code-session-id',
  'x-stainless-helper-method',
])

/** Fields of an upstream that a client must not see. */
const NOT_TO_CLIENT: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'content-length',
  'set-cookie',
  'alt-svc',
  'strict-transport-security',
  'x-request-id',
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-expose-headers',
  'access-control-max-age',
])

/**
 * Caller's fields for an upstream call. `accept-encoding: identity` because usage is read from the bytes that
 * pass, and a compressed stream would have to be held to be read.
 */
export function headersToUpstream(client: HeaderList, requestId: string, sameDialect: boolean): string[] {
  const out: string[] = []
  for (let at = 0; at < client.length; at += 2) {
    const name = client[at]!
    if (TO_ANY_UPSTREAM.has(name) || (sameDialect && TO_SAME_DIALECT.has(name))) {
      out.push(name, client[at + 1]!)
    }
  }
  if (!sameDialect) out.push('content-type', 'application/json')
  out.push('accept-encoding', 'identity', 'x-request-id', requestId)
  const trace = continueTrace(headerValue(client, 'traceparent'))
  if (trace !== null) out.push('traceparent', trace)
  return out
}

/**
 * An upstream's fields for the client. The upstream's own `x-request-id` moves to
 * `x-gateway-upstream-request-id`, because `x-request-id` is the one the caller can grep our logs for. A reply that
 * was written anew has a `contentType` of its own.
 */
export function headersToClient(
  upstream: HeaderList,
  requestId: string,
  planHash: string,
  contentType: string | null = null,
): string[] {
  const out: string[] = []
  for (let at = 0; at < upstream.length; at += 2) {
    const name = upstream[at]!
    if (contentType !== null && name === 'content-type') continue
    if (!NOT_TO_CLIENT.has(name)) out.push(name, upstream[at + 1]!)
    else if (name === 'x-request-id') out.push('x-gateway-upstream-request-id', upstream[at + 1]!)
  }
  if (contentType !== null) out.push('content-type', contentType)
  out.push('x-request-id', requestId, 'x-gateway-plan', planHash)
  return out
}

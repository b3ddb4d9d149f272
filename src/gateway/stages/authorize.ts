// Stage 7, between: a prepared call is given what has to be obtained or computed for it: a token, a signature, a key
// that was rotated. Most calls have their key already and go on within the same turn of the loop.

import { withFields } from '../../providers/index.ts'
import type { Exchange } from '../exchange.ts'
import type { Prepared } from './attempt.ts'
import type { GatewayLane } from './route.ts'

export function authorized(
  exchange: Exchange,
  lane: GatewayLane,
  prepared: Prepared | Promise<Prepared>,
): Prepared | Promise<Prepared> {
  if (prepared instanceof Promise) return prepared.then(ready => authorized(exchange, lane, ready))
  const { provider } = lane.target
  const { authorizer } = exchange.services
  const { more, request } = prepared
  // A body that streams through cannot be hashed first; endpoints whose calls are signed have none.
  const body = request.body instanceof Uint8Array ? request.body : null
  if (provider.auth === undefined && provider.keyFiles === undefined) return prepared
  if (more !== undefined && more.length > 0) return authorizedAll(exchange, lane, prepared, more)
  const fields = authorizer.authorize(provider, prepared.dialect, { ...request, body }, lane.key)
  if (fields === null) return prepared
  if (fields instanceof Promise) return fields.then(more => withAuthorization(prepared, more))
  return withAuthorization(prepared, fields)
}

function withAuthorization(prepared: Prepared, fields: readonly string[]): Prepared {
  const { request } = prepared
  return { ...prepared, request: { ...request, headers: withFields(request.headers, fields) } }
}

/** Several calls of one candidate: each has a signature of its own. */
async function authorizedAll(
  exchange: Exchange,
  lane: GatewayLane,
  prepared: Prepared,
  more: readonly Prepared['request'][],
): Promise<Prepared> {
  const alone = { ...prepared, more: [] }
  const [first, ...rest] = await Promise.all(
    [prepared.request, ...more].map(async request => authorized(exchange, lane, { ...alone, request })),
  )
  return { ...prepared, request: first!.request, more: rest.map(({ request }) => request) }
}

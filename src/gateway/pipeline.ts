// The compositions: which stages an operation runs, in which order. Stages are functions of the exchange; this
// file is the only one that knows their order.

import { addProviderHeaders, upstreamPath } from '../providers/index.ts'
import { relayReply, spliceRequest } from '../translate/index.ts'
import type { Exchange, Operate } from './exchange.ts'
import { headersToUpstream } from './forward-headers.ts'
import { Attempt, type Prepared } from './stages/attempt.ts'
import { countHere } from './stages/count.ts'
import { prepareCall } from './stages/prepare.ts'
import { readRequest } from './stages/read.ts'
import { type Candidate, routeExchange } from './stages/route.ts'

/** A model call: read, route, attempt; the reply and the settlement follow from the attempt. */
export const generate: Operate = exchange => {
  const scan = readRequest(exchange)
  const candidate = routeExchange(exchange, exchange.pathModel ?? scan.model)
  begin(exchange, prepareCall(exchange, candidate))
}

/** A token count: read, route, then either the vendor's own count or ours. */
export const countTokens: Operate = exchange => {
  const scan = readRequest(exchange)
  const candidate = routeExchange(exchange, exchange.pathModel ?? scan.model)
  if (vendorCounts(exchange, candidate)) begin(exchange, prepareCount(exchange, candidate))
  else countHere(exchange, candidate.model)
}

function begin(exchange: Exchange, prepared: Prepared): void {
  const attempt = new Attempt(exchange, prepared)
  exchange.attempt = attempt
  attempt.start()
}

/** Compatible hosts rarely implement counting; the vendor itself always does. */
function vendorCounts(exchange: Exchange, candidate: Candidate): boolean {
  return exchange.dialect === 'anthropic-messages' && candidate.provider.provider === 'anthropic'
}

function prepareCount(exchange: Exchange, candidate: Candidate): Prepared {
  const { provider, model } = candidate
  const dialect = exchange.dialect
  const headers = headersToUpstream(exchange.request.headers, exchange.requestId)
  addProviderHeaders(provider, dialect, exchange.request.headers, headers)
  return {
    candidate,
    dialect,
    streaming: false,
    verbatim: true,
    extraHeaders: [],
    request: {
      origin: provider.origin,
      method: 'POST',
      path: upstreamPath(provider, dialect, 'count-tokens', model, false),
      headers,
      body: spliceRequest(exchange.scan!, { model }),
      deadlines: exchange.listener.deadlines,
    },
    openReply: (_streamed, _headers, out) => relayReply({ dialect, streaming: false, hideUsage: false, out }),
  }
}

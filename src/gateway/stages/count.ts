// `count_tokens`: forwarded where the vendor itself counts, counted here for every other model. A count of ours
// says so in a header, because only the vendor's own is exact.

import { addProviderHeaders, upstreamPath } from '../../providers/index.ts'
import { relayReply, spliceRequest } from '../../translate/index.ts'
import type { Exchange } from '../exchange.ts'
import { headersToClient, headersToUpstream } from '../forward-headers.ts'
import { jsonReply } from '../replies.ts'
import type { Prepared } from './attempt.ts'
import type { GatewayLane, Target } from './route.ts'

/** Compatible hosts rarely implement counting; the vendor itself always does. */
export function vendorCounts(exchange: Exchange, target: Target): boolean {
  return exchange.dialect === 'anthropic-messages' && target.provider.provider === 'anthropic'
}

/** The vendor's own count, relayed. */
export function prepareCount(exchange: Exchange, lane: GatewayLane): Prepared {
  const { target } = lane
  const { dialect } = exchange
  const headers = headersToUpstream(exchange.request.headers, exchange.requestId, true)
  addProviderHeaders(target.provider, dialect, exchange.request, headers, lane.key)
  return {
    target,
    dialect,
    streaming: false,
    verbatim: true,
    contentType: null,
    extraHeaders: [],
    request: {
      origin: target.provider.origin,
      method: 'POST',
      path: upstreamPath(target.provider, dialect, 'count-tokens', target.model, false),
      headers,
      body: spliceRequest(exchange.scan!, { model: target.model }),
      deadlines: exchange.deadlinesFor(lane.target.provider),
    },
    openReply: (_streams, _headers, out) => relayReply({ dialect, streaming: false, hideUsage: false, out }),
  }
}

/** Counts in the compute pool and answers in the caller's form. */
export function countHere(exchange: Exchange, model: string): void {
  const { services, dialect, bytes } = exchange
  services.countTokens(model, dialect, bytes).then(
    count => {
      const document =
        dialect === 'gemini-generate' ? { totalTokens: count.tokens } : { input_tokens: count.tokens }
      const reply = jsonReply(200, document)
      const source = `${count.estimated ? 'estimated' : 'counted'}; encoding=${count.encoding}`
      const headers = headersToClient(reply.headers, exchange.requestId, exchange.view.hash)
      headers.push('x-gateway-token-count', source)
      exchange.answer(reply.status, headers, reply.body, 'ok')
    },
    (thrown: unknown) => exchange.fail(thrown),
  )
}

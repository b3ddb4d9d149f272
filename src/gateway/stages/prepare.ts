// Stage 7, first half: what is sent to a candidate and how its reply will be read. Relay where the client's
// dialect is the upstream's: only the members that must differ are spliced into the body.

import { GatewayError } from '../../common/errors.ts'
import { addProviderHeaders, upstreamPath } from '../../providers/index.ts'
import { type DialectId, relayReply, spliceRequest } from '../../translate/index.ts'
import type { Exchange } from '../exchange.ts'
import { headersToUpstream } from '../forward-headers.ts'
import type { Prepared } from './attempt.ts'
import type { Candidate } from './route.ts'

export function prepareCall(exchange: Exchange, candidate: Candidate): Prepared {
  const dialect = upstreamDialect(exchange.dialect, candidate)
  return prepareRelay(exchange, candidate, dialect)
}

/** The client's own dialect where the provider speaks it, else the provider's preferred one. */
function upstreamDialect(client: DialectId, candidate: Candidate): DialectId {
  const { dialects, name } = candidate.provider
  if (dialects.includes(client)) return client
  throw new GatewayError(
    'bad-request',
    `\`${name}\` speaks ${dialects.join(', ')}; this path speaks ${client}, and translation between them is not built yet`,
    { param: 'model' },
  )
}

function prepareRelay(exchange: Exchange, candidate: Candidate, dialect: DialectId): Prepared {
  const scan = exchange.scan!
  const { provider, model } = candidate
  const streaming = exchange.endpoint.streaming ?? scan.stream
  // Usage is asked for in every stream, because tokens are accounted for; what the client did not ask for, it
  // does not see.
  const addUsage = dialect === 'openai-chat' && streaming && scan.includeUsage !== true
  const modelInBody = dialect !== 'bedrock-converse' && dialect !== 'gemini-generate'
  const edits = {
    ...(modelInBody && scan.model !== model ? { model } : {}),
    ...(addUsage ? { includeUsage: true } : {}),
  }
  const headers = headersToUpstream(exchange.request.headers, exchange.requestId)
  addProviderHeaders(provider, dialect, exchange.request.headers, headers)
  return {
    candidate,
    dialect,
    streaming,
    verbatim: true,
    extraHeaders: [],
    request: {
      origin: provider.origin,
      method: 'POST',
      path: upstreamPath(provider, dialect, 'generate', model, streaming),
      headers,
      body: spliceRequest(scan, edits),
      deadlines: exchange.listener.deadlines,
    },
    openReply: (streamed, _headers, out) =>
      relayReply({ dialect, streaming: streamed, hideUsage: addUsage && streamed, out }),
  }
}

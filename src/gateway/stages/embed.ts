// Embeddings at vendors without OpenAI's interface for them: the request becomes one or many calls in the vendor's own
// form, and their replies the one the caller understands. Everything else about `/v1/embeddings` is `forward.ts`.

import { GatewayError } from '../../common/errors.ts'
import { headerValue } from '../../common/headers.ts'
import { addProviderHeaders, embeddingsPath } from '../../providers/index.ts'
import {
  type DialectId,
  type EmbeddingsCalls,
  type EmbeddingsPrompt,
  type EmbeddingsVendor,
  embeddingsReply,
  formatWarnings,
  readEmbeddingsPrompt,
  TranslateError,
  writeEmbeddingsCalls,
} from '../../translate/index.ts'
import type { UpstreamRequest } from '../../upstream/index.ts'
import type { Exchange } from '../exchange.ts'
import { headersToUpstream } from '../forward-headers.ts'
import type { Prepared } from './attempt.ts'
import { tokensToldBy } from './fan-out.ts'
import { asGatewayFault } from './read.ts'
import type { GatewayLane } from './route.ts'

/** Whose credentials and errors a vendor's interface for embeddings shares. */
const DIALECTS: Readonly<Record<EmbeddingsVendor, DialectId>> = {
  gemini: 'gemini-generate',
  vertex: 'gemini-generate',
  bedrock: 'bedrock-converse',
}

/** Throws for what the model cannot do, before anything is sent. */
export function prepareEmbeddings(exchange: Exchange, lane: GatewayLane, vendor: EmbeddingsVendor): Prepared {
  const { prompt, calls } = written(exchange, lane, vendor)
  const [first, ...more] = calls.bodies.map(body => callFor(exchange, lane, vendor, body))
  const warnings = formatWarnings(prompt.losses.items)
  exchange.record.losses = prompt.losses.items.length
  const modelShown = exchange.record.modelAsked ?? ''
  return {
    target: lane.target,
    dialect: DIALECTS[vendor],
    streaming: false,
    verbatim: false,
    contentType: 'application/json',
    extraHeaders: warnings === null ? [] : ['x-gateway-warnings', warnings],
    request: first!,
    more,
    openReply: (_streams, headers, out) =>
      embeddingsReply({ prompt, calls, modelShown, tokensTold: tokensToldBy(headers), out }),
  }
}

function written(
  exchange: Exchange,
  lane: GatewayLane,
  vendor: EmbeddingsVendor,
): { readonly prompt: EmbeddingsPrompt; readonly calls: EmbeddingsCalls } {
  try {
    const prompt = readEmbeddingsPrompt(exchange.bytes)
    const calls = writeEmbeddingsCalls(vendor, prompt, lane.target.model)
    if (headerValue(exchange.request.headers, 'x-gateway-strict')?.toLowerCase() === 'true')
      prompt.losses.refuse()
    return { prompt, calls }
  } catch (thrown) {
    if (!(thrown instanceof TranslateError) || thrown.kind !== 'not_found') throw asGatewayFault(thrown)
    throw new GatewayError('model-not-found', thrown.message, { param: 'model', code: thrown.code })
  }
}

function callFor(
  exchange: Exchange,
  lane: GatewayLane,
  vendor: EmbeddingsVendor,
  body: Uint8Array,
): UpstreamRequest {
  const { provider, model } = lane.target
  const fields = exchange.request.headers
  const headers = headersToUpstream(fields, exchange.requestId, false)
  if (vendor === 'bedrock') headers.push('accept', 'application/json')
  addProviderHeaders(provider, DIALECTS[vendor], exchange.request, headers, lane.key)
  return {
    origin: provider.origin,
    method: 'POST',
    path: embeddingsPath(provider, vendor, model),
    headers,
    body,
    deadlines: exchange.deadlinesFor(provider),
  }
}

// Stage 7, first half: what is sent to a target and how its reply will be read. Relay where the client's dialect is
// the upstream's: only the members that must differ are spliced into the body. Everything else goes through the
// pivot, and what is lost on the way is reported.

import { headerValue } from '../../common/headers.ts'
import {
  addCacheMarks,
  addProviderHeaders,
  neededFixups,
  pathNamesModel,
  relayable,
  upstreamDialects,
  upstreamPath,
} from '../../providers/index.ts'
import {
  type DialectId,
  fixBody,
  formatWarnings,
  type InlineImage,
  type Loss,
  mentionsEnvelope,
  openReply,
  PATH_DIALECTS,
  type PathFacts,
  type ReplyContext,
  relayReply,
  spliceRequest,
  type TargetFacts,
  translatePrompt,
  type WrittenPrompt,
} from '../../translate/index.ts'
import type { Exchange } from '../exchange.ts'
import { headersToUpstream } from '../forward-headers.ts'
import { imagesToInline } from './linked-images.ts'
import { asGatewayFault } from './read.ts'
import type { Prepared } from './attempt.ts'
import type { GatewayLane, Target } from './route.ts'

/** The client's own dialect where the provider speaks it, else the provider's preferred one. */
function upstreamDialect(client: DialectId, target: Target): DialectId {
  const dialects = upstreamDialects(target.provider, target.model)
  return dialects.includes(client) ? client : dialects[0]!
}

export function prepareCall(exchange: Exchange, lane: GatewayLane): Prepared | Promise<Prepared> {
  const dialect = upstreamDialect(exchange.dialect, lane.target)
  // Reasoning material of one vendor travels through clients of another in an envelope; it must be opened, or left
  // out, before the body goes anywhere.
  const { provider } = lane.target
  // Streams are asked of upstreams as events; a client that wants its stream as one array gets it written anew.
  const same = dialect === exchange.dialect && !mentionsEnvelope(exchange.bytes) && !wantsArray(exchange)
  if (same && relayable(provider, dialect, wantsStream(exchange), exchange.bytes)) {
    return prepareRelay(exchange, lane)
  }
  return prepareTranslated(exchange, lane, dialect)
}

/** Gemini's streams come as one JSON array unless events are asked for. */
function wantsArray(exchange: Exchange): boolean {
  const { dialect, endpoint, request } = exchange
  return (
    dialect === 'gemini-generate' && endpoint.streaming === true && !/[?&]alt=sse(?:&|$)/.test(request.target)
  )
}

function wantsStream(exchange: Exchange): boolean {
  return exchange.endpoint.streaming ?? exchange.scan!.stream
}

function prepareRelay(exchange: Exchange, lane: GatewayLane): Prepared {
  const scan = exchange.scan!
  const { dialect } = exchange
  const { target } = lane
  const streaming = wantsStream(exchange)
  const traits = exchange.view.target(target).traits
  // Usage is asked for in every stream, because tokens are accounted for; what the client did not ask for, it does
  // not see.
  const addUsage =
    dialect === 'openai-chat' && streaming && scan.includeUsage !== true && traits.streamOptions
  const edits = {
    ...(!pathNamesModel(target.provider, dialect) && scan.model !== target.model
      ? { model: target.model }
      : {}),
    ...(addUsage ? { includeUsage: true } : {}),
  }
  const { body, losses } = finishBody(exchange, lane, dialect, spliceRequest(scan, edits, Buffer.allocUnsafe))
  return {
    target,
    dialect,
    streaming,
    verbatim: true,
    contentType: null,
    extraHeaders: lossHeaders(exchange, losses),
    request: requestFor(exchange, lane, dialect, streaming, body),
    openReply: (streams, _headers, out) =>
      relayReply({ dialect, streaming: streams, hideUsage: addUsage && streams, out }),
  }
}

function prepareTranslated(
  exchange: Exchange,
  lane: GatewayLane,
  dialect: DialectId,
): Prepared | Promise<Prepared> {
  const { target } = lane
  const streaming = wantsStream(exchange)
  const path = pathFacts(exchange, streaming)
  const facts = exchange.view.target(target).targetFacts(dialect)
  const write = (images: readonly InlineImage[]): WrittenPrompt | Promise<WrittenPrompt> =>
    written(exchange, target, dialect, facts, path, images)
  const images = imagesToInline(exchange, dialect, facts, path)
  const ready = images instanceof Promise ? images.then(write) : write(images)
  if (ready instanceof Promise) {
    return ready.then(prompt => translated(exchange, lane, dialect, streaming, prompt))
  }
  return translated(exchange, lane, dialect, streaming, ready)
}

function written(
  exchange: Exchange,
  target: Target,
  dialect: DialectId,
  facts: TargetFacts,
  path: PathFacts | null,
  images: readonly InlineImage[],
): WrittenPrompt | Promise<WrittenPrompt> {
  const strict = isStrict(exchange, target)
  const { translatePrompt: elsewhere } = exchange.services
  if (exchange.bytes.length > INLINE_BYTES_MAX && elsewhere !== null) {
    return elsewhere(exchange.dialect, dialect, exchange.bytes, facts, strict, path, images).catch(
      (thrown: unknown) => {
        throw asGatewayFault(thrown)
      },
    )
  }
  try {
    return translatePrompt(exchange.dialect, dialect, exchange.bytes, facts, strict, path, images)
  } catch (thrown) {
    throw asGatewayFault(thrown)
  }
}

/** Bodies above this are translated in the compute pool: 100 KB take a shard about a millisecond. */
const INLINE_BYTES_MAX = 128 * 1024

function translated(
  exchange: Exchange,
  lane: GatewayLane,
  dialect: DialectId,
  streaming: boolean,
  written: WrittenPrompt,
): Prepared {
  const { context } = written
  const { body, losses } = finishBody(exchange, lane, dialect, written.body)
  fillContext(exchange, context)
  const client = exchange.dialect
  return {
    target: lane.target,
    dialect,
    streaming,
    verbatim: false,
    contentType: contentType(client, streaming, context),
    extraHeaders: lossHeaders(
      exchange,
      losses.length === 0 ? written.losses : [...written.losses, ...losses],
    ),
    request: requestFor(exchange, lane, dialect, streaming, body),
    openReply: (streams, _headers, out) =>
      openReply({ client, upstream: dialect, streaming, upstreamStreaming: streams, context, out }),
  }
}

/** The repairs that the final provider and model need, whatever way the body came; then marks for its cache. */
function finishBody(
  exchange: Exchange,
  lane: GatewayLane,
  dialect: DialectId,
  bytes: Uint8Array,
): { body: Uint8Array; losses: readonly Loss[] } {
  const { view } = exchange
  const { target } = lane
  const fixups = view.target(target).bodyFixups(dialect)
  try {
    const fixed =
      fixups === null
        ? { body: bytes, losses: [] }
        : fixBody(bytes, neededFixups(fixups, bytes), isStrict(exchange, target))
    if (target.provider.cacheMarks !== true || !wantsCache(exchange)) return fixed
    const { cacheMarks } = view.target(target).targetFacts(dialect).facts
    const body = addCacheMarks(target.provider, target.model, dialect, cacheMarks, fixed.body)
    return { body, losses: fixed.losses }
  } catch (thrown) {
    throw asGatewayFault(thrown)
  }
}

function wantsCache(exchange: Exchange): boolean {
  return headerValue(exchange.request.headers, 'x-plano-cache')?.toLowerCase() !== 'off'
}

/** What only the engine knows: time, a seed for ids, the model as the caller named it, the form of the stream. */
function fillContext(exchange: Exchange, context: ReplyContext): void {
  context.nowS = Math.floor(exchange.services.clock.epochMs() / 1000)
  context.idSeed = exchange.requestId
  context.modelShown = exchange.record.modelAsked ?? ''
  if (wantsArray(exchange)) context.streamForm = 'array'
}

/** What path and header fields say of the prompt beside its body. */
function pathFacts(exchange: Exchange, stream: boolean): PathFacts | null {
  if (PATH_DIALECTS.has(exchange.dialect)) return { model: exchange.pathModel ?? '', stream }
  const betas = headerValue(exchange.request.headers, 'anthropic-beta')
  if (exchange.dialect !== 'anthropic-messages' || betas === null) return null
  return { model: exchange.record.modelAsked ?? '', stream, betas: betaNames(betas) }
}

/** More names than any client sends; a name is a word with dashes. */
const BETAS_MAX = 32

function betaNames(field: string): readonly string[] {
  const names = field.split(',').map(name => name.trim())
  return names.filter(name => /^[\w-]{1,80}$/.test(name)).slice(0, BETAS_MAX)
}

function isStrict(exchange: Exchange, target: Target): boolean {
  if (target.provider.strict === true) return true
  return headerValue(exchange.request.headers, 'x-gateway-strict')?.toLowerCase() === 'true'
}

function lossHeaders(exchange: Exchange, losses: readonly Loss[]): readonly string[] {
  const warnings = formatWarnings(losses)
  if (warnings === null) return []
  exchange.record.losses = losses.length
  return ['x-gateway-warnings', warnings]
}

function contentType(client: DialectId, streaming: boolean, context: ReplyContext): string {
  if (!streaming || (client === 'gemini-generate' && context.streamForm === 'array')) {
    return 'application/json'
  }
  return client === 'bedrock-converse'
    ? 'application/vnd.amazon.eventstream'
    : 'text/event-stream; charset=utf-8'
}

function requestFor(
  exchange: Exchange,
  lane: GatewayLane,
  dialect: DialectId,
  streaming: boolean,
  body: Uint8Array,
): Prepared['request'] {
  const { provider, model } = lane.target
  const headers = headersToUpstream(
    exchange.request.headers,
    exchange.requestId,
    exchange.dialect === dialect,
  )
  addProviderHeaders(provider, dialect, exchange.request, headers, lane.key)
  return {
    origin: provider.origin,
    method: 'POST',
    path: upstreamPath(provider, dialect, 'generate', model, streaming) + betaQuery(exchange, dialect),
    headers,
    body,
    deadlines: exchange.deadlinesFor(provider),
  }
}

/** The one query that official clients send and that means something to an upstream of the same dialect. */
function betaQuery(exchange: Exchange, dialect: DialectId): string {
  if (dialect !== 'anthropic-messages' || exchange.dialect !== dialect) return ''
  return /[?&]beta=true(?:&|$)/.test(exchange.request.target) ? '?beta=true' : ''
}

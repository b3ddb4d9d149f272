// Endpoints that are forwarded: the request goes to the upstream's same path and the reply comes back, byte for byte.
// Owns which bytes differ (the model's name, and for older completions the wish for usage) and what may be sent again;
// translates nothing.

// Not through the door: a shard would load the schema and the YAML reader with it.
import { atHosts } from '../../common/config/hosts.ts'
import type { ProviderPlan } from '../../common/config/index.ts'
import { GatewayError } from '../../common/errors.ts'
import { headerValue } from '../../common/headers.ts'
import { addProviderHeaders, embeddingsForm, forwardPath } from '../../providers/index.ts'
import { findModel } from '../../routing/index.ts'
import {
  type ByteSink,
  type ForwardForm,
  forwardReply,
  relayReply,
  type ReplyPath,
  type RequestScan,
  spliceRequest,
} from '../../translate/index.ts'
import type { BodySource, UpstreamRequest } from '../../upstream/index.ts'
import { normalPath } from '../endpoints.ts'
import type { Exchange } from '../exchange.ts'
import { headersToUpstream } from '../forward-headers.ts'
import { unknownModel } from '../model-lists.ts'
import type { Prepared } from './attempt.ts'
import { Attempts, type Prepare, type Repeatable } from './attempts.ts'
import { prepareEmbeddings } from './embed.ts'
import type { Failure } from './failure.ts'
import { PROVIDER_HEADER, routeByModel, routeByProvider, type Serves, speaksOpenAi } from './forward-route.ts'
import { checkContentType, readRequest } from './read.ts'
import type { GatewayLane, Target } from './route.ts'

/** The model as a form names it, and where in the bytes that are held. */
export interface FormModel {
  readonly value: string
  readonly from: number
  readonly to: number
  /** It was not found within the bound, though it may come. */
  readonly late: boolean
}

/** A form on its way. */
export interface Form extends BodySource {
  readonly given: boolean
  rename(model: FormModel, name: string): void
  renameLate(exchangeFor: (value: string) => string): void
}

/** Forwards a request whose body has been collected, or that has none. */
export function forwardWhole(exchange: Exchange): void {
  const forward = exchange.endpoint.forward!
  const { headers, method } = exchange.request
  const repeatable = (targets: readonly Target[]): Repeatable =>
    targets.every(({ provider }) => mayRepeat(exchange, provider)) ? ALWAYS : UNCONNECTED
  if (forward.routedBy === 'provider') {
    if (exchange.bytes.length > 0) checkContentType(headerValue(headers, 'content-type'))
    const body = method === 'POST' ? exchange.bytes : null
    const targets = routeByProvider(exchange)
    run(exchange, targets, repeatable(targets), lane => prepareForward(exchange, lane, body))
    return
  }
  const scan = readRequest(exchange)
  const targets =
    scan.model === null ? routeByProvider(exchange) : routeByModel(exchange, scan.model, speaksOpenAi)
  run(exchange, targets, repeatable(targets), lane => prepareJson(exchange, lane, scan))
}

/** Embeddings are made by more vendors than those with OpenAI's interface. */
export function forwardEmbeddings(exchange: Exchange): void {
  const scan = readRequest(exchange)
  const targets =
    scan.model === null ? routeByProvider(exchange) : routeByModel(exchange, scan.model, makesEmbeddings)
  run(exchange, targets, ALWAYS, lane => {
    const vendor = scan.model === null ? null : embeddingsForm(lane.target.provider)
    return vendor === null ? prepareJson(exchange, lane, scan) : prepareEmbeddings(exchange, lane, vendor)
  })
}

const makesEmbeddings: Serves = provider => speaksOpenAi(provider) || embeddingsForm(provider) !== null

/** Forwards a form whose start has come. */
export function forwardUpload(exchange: Exchange, form: Form, model: FormModel | null): void {
  const targets = uploadTargets(exchange, model)
  const repeatable: Repeatable = () => !form.given
  run(exchange, targets, repeatable, lane => {
    if (model?.late === true) form.renameLate(value => lateModel(exchange, lane.target, value))
    else if (model !== null && lane.target.model !== '') form.rename(model, lane.target.model)
    return prepareForward(exchange, lane, form)
  })
}

function uploadTargets(exchange: Exchange, model: FormModel | null): readonly Target[] {
  if (model === null) return routeByProvider(exchange)
  if (model.late) return lateTargets(exchange)
  exchange.record.modelAsked = model.value
  // A name can be exchanged once; the first target's is the one.
  return routeByModel(exchange, model.value, speaksOpenAi).slice(0, 1)
}

/** The form's model stands behind a file that is not held: it goes where requests without one go. */
function lateTargets(exchange: Exchange): readonly Target[] {
  try {
    return routeByProvider(exchange)
  } catch (thrown) {
    if (!(thrown instanceof GatewayError) || thrown.code !== 'provider_required') throw thrown
    throw new GatewayError(
      'bad-request',
      `the form's \`model\` stands behind its file; put it in front, or name the provider in the header ${PROVIDER_HEADER}`,
      { param: 'model', code: 'model_too_late' },
    )
  }
}

/** The name at the provider that the form is already on its way to. */
function lateModel(exchange: Exchange, target: Target, asked: string): string {
  const { record, view } = exchange
  const found = findModel(view.models, asked)
  const known = !('unknown' in found)
  if (!known && asked.includes('/')) throw unknownModel(asked, found.unknown, view.publicModels)
  if (known && !samePlace(found.provider, target.provider)) {
    throw new GatewayError(
      'bad-request',
      `the form's \`model\` stands behind its file and belongs to another provider; put it in front, or name the provider in the header ${PROVIDER_HEADER}`,
      { param: 'model', code: 'model_too_late' },
    )
  }
  const sent = known ? found.upstreamModel : asked
  record.modelAsked = asked
  record.modelSent = sent
  exchange.billed = { provider: known ? found.provider : target.provider, model: sent }
  record.modelLabel = exchange.billed.provider.name
  return sent
}

/** Whoever serves one entry there serves the other. */
function samePlace(one: ProviderPlan, other: ProviderPlan): boolean {
  if (one.provider !== other.provider) return false
  return atHosts(one).some(at => at.origin === other.origin && at.pathPrefix === other.pathPrefix)
}

/** The same call twice is no more than once, or its provider's operator wants it so. */
function mayRepeat({ endpoint, request: { method } }: Exchange, { retryUnsafe }: ProviderPlan): boolean {
  if (retryUnsafe === true) return true
  return (
    endpoint.operation === 'embed' || endpoint.forward!.repeatable || method === 'GET' || method === 'HEAD'
  )
}

const ALWAYS: Repeatable = () => true

/** What must not happen twice is sent again only when it was never sent. */
const UNCONNECTED: Repeatable = (failure: Failure | null) =>
  failure !== null && failure.kind === 'broken' && failure.error.kind === 'upstream-connect'

function run(
  exchange: Exchange,
  targets: readonly Target[],
  repeatable: Repeatable,
  prepare: (lane: GatewayLane) => ReturnType<Prepare>,
): void {
  exchange.attempts = new Attempts(exchange, targets, (_exchange, lane) => prepare(lane), repeatable)
  exchange.attempts.start()
}

function prepareJson(exchange: Exchange, lane: GatewayLane, scan: RequestScan): Prepared {
  const { model } = lane.target
  const { streamOptions } = exchange.endpoint.forward!
  const rename = model !== '' && scan.model !== model
  // As in Chat: usage is asked for in every stream, and a client that did not ask for it does not see it.
  const addUsage =
    streamOptions &&
    scan.stream &&
    !scan.includeUsage &&
    exchange.view.target(lane.target).traits.streamOptions
  const body = spliceRequest(scan, {
    ...(rename ? { model } : {}),
    ...(addUsage ? { includeUsage: true } : {}),
  })
  const prepared = prepareForward(exchange, lane, body)
  if (!streamOptions) return prepared
  return {
    ...prepared,
    streaming: scan.stream,
    openReply: (streams, _headers, out) =>
      relayReply({ dialect: 'openai-chat', streaming: streams, hideUsage: addUsage && streams, out }),
  }
}

function prepareForward(
  exchange: Exchange,
  lane: GatewayLane,
  body: Uint8Array | BodySource | null,
): Prepared {
  return {
    target: lane.target,
    dialect: 'openai-chat',
    // Whatever the upstream streams is streamed on.
    streaming: true,
    verbatim: true,
    contentType: null,
    extraHeaders: [],
    request: forwardRequest(exchange, lane, body),
    openReply: (streams, headers, out) => openForwarded(streams, headerValue(headers, 'content-type'), out),
  }
}

function openForwarded(streams: boolean, contentType: string | null, out: ByteSink): ReplyPath {
  const json = contentType !== null && /^application\/(?:[\w.+-]+\+)?json\b/i.test(contentType)
  const form: ForwardForm = streams ? 'events' : json ? 'document' : 'bytes'
  return forwardReply(form, out)
}

function forwardRequest(
  exchange: Exchange,
  lane: GatewayLane,
  body: Uint8Array | BodySource | null,
): UpstreamRequest {
  const { provider, model } = lane.target
  const { headers: fields, method, target } = exchange.request
  const headers = headersToUpstream(fields, exchange.requestId, true)
  addProviderHeaders(provider, 'openai-chat', exchange.request, headers, lane.key)
  const query = target.indexOf('?')
  const suffix = normalPath(target).slice('/v1'.length)
  return {
    origin: provider.origin,
    method,
    path: forwardPath(provider, model, suffix, query < 0 ? '' : target.slice(query + 1)),
    headers,
    body,
    ...(mayRepeat(exchange, provider) ? {} : { once: true }),
    deadlines: exchange.deadlinesFor(provider),
  }
}

// The engine of a shard: takes requests from acceptors, starts exchanges, and knows what is still running.
// Owns the current plan view and the drain; the work of an exchange is its own.

import type { Plan } from '../common/config/index.ts'
import { GatewayError } from '../common/errors.ts'
import { headerValue } from '../common/headers.ts'
import { keepRequestId } from '../common/ids.ts'
import { Roll } from '../common/roll.ts'
import { ExchangeRecord, type Outcome } from '../telemetry/index.ts'
import type { DialectId } from '../translate/index.ts'
import type { ClientRequest, Engine, ReplySink, RequestSink } from './edge.ts'
import { dialectOfPath, ENDPOINTS, type EndpointMatch, matchEndpoint, normalPath } from './endpoints.ts'
import { Exchange, type ExchangeRegister, type Operate } from './exchange.ts'
import { Immediate } from './immediate.ts'
import { Lookout } from './lookout.ts'
import { listDialect, modelCard, modelCards, modelEntry, modelList } from './model-lists.ts'
import { countTokens, embed, forward, generate } from './pipeline.ts'
import { PlanView } from './plan-view.ts'
import { errorBytes, jsonReply, methodNotAllowed, type WholeReply } from './replies.ts'
import type { Services } from './services.ts'
import { uploadOf } from './stages/upload.ts'

/** Handler name of requests that match no endpoint. */
const NOT_FOUND = 'not_found'

/** A body that nobody reads still has to be read off the socket; more than this closes the connection. */
const DISCARD_BYTES_MAX = 1024 * 1024

export class GatewayEngine implements Engine, ExchangeRegister {
  private readonly services: Services
  private view: PlanView
  private readonly running: Roll<Exchange> = new Roll()
  private readonly lookout: Lookout

  constructor(services: Services, plan: Plan) {
    this.services = services
    this.view = new PlanView(plan, services)
    this.lookout = new Lookout(services.clock, this.running)
    this.lookout.use(this.view)
  }

  /** Makes a plan ready; the step returned puts it to use for later exchanges. Running ones keep theirs. */
  readyPlan(plan: Plan): () => void {
    const view = new PlanView(plan, this.services)
    return () => {
      this.view = view
      this.lookout.use(view)
    }
  }

  usePlan(plan: Plan): void {
    this.readyPlan(plan)()
  }

  /** Exchanges that have not settled. */
  get active(): number {
    return this.running.size
  }

  /** Ends every running exchange with the error form of its dialect; returns how many. */
  cut(): number {
    const cut = this.running.all()
    for (const exchange of cut) exchange.fail(new GatewayError('draining', 'the gateway is shutting down'))
    return cut.length
  }

  add(exchange: Exchange): void {
    this.running.add(exchange)
    this.lookout.start()
  }

  remove(exchange: Exchange): void {
    this.running.remove(exchange)
  }

  open(request: ClientRequest, reply: ReplySink): RequestSink {
    const path = normalPath(request.target)
    const match = matchEndpoint(path)
    const requestId = keepRequestId(headerValue(request.headers, 'x-request-id'))
    if (match === null) return this.refuseHere(request, reply, requestId, NOT_FOUND, path, noSuchPath(path))
    const { endpoint } = match
    const method = request.method === 'HEAD' ? 'GET' : request.method
    if (!endpoint.methods.some(allowed => allowed === method))
      return this.wrongMethod(request, reply, requestId, match, path)
    switch (endpoint.operation) {
      case 'generate':
        return this.exchange(request, reply, requestId, match, generate)
      case 'count-tokens':
        return this.exchange(request, reply, requestId, match, countTokens)
      case 'embed':
        return this.exchange(request, reply, requestId, match, embed)
      case 'forward':
        return this.exchange(request, reply, requestId, match, forward)
      case 'health':
        return this.answerNow(request, reply, requestId, endpoint.pattern, EMPTY_OK, 'ok')
      case 'list-models':
      case 'show-model':
        return this.models(request, reply, requestId, match, path)
    }
  }

  refuse(target: string | null, error: GatewayError): WholeReply {
    const path = target === null ? '/' : normalPath(target)
    return errorBytes(
      error,
      matchEndpoint(path)?.endpoint.dialect ?? dialectOfPath(path),
      keepRequestId(null),
    )
  }

  private exchange(
    request: ClientRequest,
    reply: ReplySink,
    requestId: string,
    match: EndpointMatch,
    operate: Operate,
  ): RequestSink {
    return new Exchange({
      services: this.services,
      view: this.view,
      request,
      reply,
      endpoint: match.endpoint,
      dialect: match.endpoint.dialect!,
      pathModel: match.model,
      requestId,
      register: this,
      operate,
      openUpload: uploadOf(match.endpoint, request),
    })
  }

  private models(
    request: ClientRequest,
    reply: ReplySink,
    requestId: string,
    match: EndpointMatch,
    path: string,
  ): RequestSink {
    const { target } = request
    const at = target.indexOf('?')
    const query = at < 0 ? '' : target.slice(at + 1)
    const dialect = listDialect(request.headers, path, query)
    const { pattern } = match.endpoint
    const { view } = this
    const { catalogue } = this.services
    try {
      const document =
        match.model === null
          ? modelList(dialect, modelCards(view, catalogue), query)
          : modelEntry(dialect, modelCard(view, catalogue, match.model))
      return this.answerNow(request, reply, requestId, pattern, jsonReply(200, document), 'ok')
    } catch (thrown) {
      if (!(thrown instanceof GatewayError)) throw thrown
      return this.refuseHere(request, reply, requestId, pattern, path, thrown, dialect)
    }
  }

  private wrongMethod(
    request: ClientRequest,
    reply: ReplySink,
    requestId: string,
    match: EndpointMatch,
    path: string,
  ): RequestSink {
    const { endpoint } = match
    // `{model}:{method}` of a method there is not looks like a model to be shown.
    if (endpoint.operation === 'show-model' && path.includes(':')) {
      return this.refuseHere(request, reply, requestId, NOT_FOUND, path, noSuchPath(path))
    }
    const listing = endpoint.dialect === null
    const allowed = listing ? 'GET, HEAD, OPTIONS' : endpoint.methods.join(', ')
    if (request.method === 'OPTIONS' && listing) {
      const headers = [...CORS_HEADERS, 'allow', 'GET, OPTIONS']
      const preflight = { status: 204, headers, body: EMPTY_OK.body }
      return this.answerNow(request, reply, requestId, endpoint.pattern, preflight, 'ok')
    }
    const error = methodNotAllowed(request.method, path, allowed)
    const dialect = endpoint.dialect ?? listDialect(request.headers, path)
    return this.refuseHere(request, reply, requestId, endpoint.pattern, path, error, dialect, [
      'allow',
      allowed,
    ])
  }

  private refuseHere(
    request: ClientRequest,
    reply: ReplySink,
    requestId: string,
    handler: string,
    path: string,
    error: GatewayError,
    dialect: DialectId = dialectOfPath(path),
    extra: readonly string[] = [],
  ): RequestSink {
    const refusal = errorBytes(error, dialect, requestId)
    refusal.headers.push(...extra)
    return this.answerNow(request, reply, requestId, handler, refusal, 'refused', error.kind)
  }

  private answerNow(
    request: ClientRequest,
    reply: ReplySink,
    requestId: string,
    handler: string,
    answer: WholeReply,
    outcome: Outcome,
    errorKind: string | null = null,
  ): RequestSink {
    const { clock, recorder } = this.services
    const record = new ExchangeRecord(
      requestId,
      request.listener,
      handler,
      request.method,
      clock.monotonicMs(),
    )
    recorder.begin(handler)
    const headers = [...answer.headers]
    if (outcome === 'ok') headers.push('x-request-id', requestId)
    reply.whole(answer.status, headers, answer.body)
    record.status = answer.status
    record.bytesOut = answer.body.length
    record.outcome = outcome
    record.errorKind = errorKind
    record.endedMs = clock.monotonicMs()
    recorder.settle(record)
    return new Immediate(DISCARD_BYTES_MAX)
  }
}

const EMPTY_OK: WholeReply = { status: 200, headers: [], body: new Uint8Array(0) }

/** For browsers that list models; a list of names is no secret, and calls need a credential anyway. */
const CORS_HEADERS: readonly string[] = [
  'access-control-allow-origin',
  '*',
  'access-control-allow-headers',
  'Authorization, Content-Type',
  'access-control-allow-methods',
  'GET, POST, OPTIONS',
]

function noSuchPath(path: string): GatewayError {
  const shown = path.length > 100 ? `${path.slice(0, 100)}…` : path
  const exists = ENDPOINTS.map(endpoint => `${endpoint.methods.join('/')} ${endpoint.pattern}`).join(', ')
  return new GatewayError('not-found', `nothing is served at ${shown}; there is ${exists}`, {
    code: 'unknown_url',
  })
}

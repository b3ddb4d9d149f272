// What the gateway would do with a request: found out by doing it, with the engine that serves traffic, up to the moment
// its provider is called. Owns the still world around such an exchange (no network, no chance, a clock that
// stands) and reading off what became of it. Refuses to imitate: nothing here decides what a stage decides.

import type { Clock } from '../common/clock.ts'
import type { Plan } from '../common/config/index.ts'
import { type HeaderList, headerValue } from '../common/headers.ts'
import { Authorizer } from '../providers/index.ts'
import { loadCatalogue } from '../routing/index.ts'
import type { DialectId } from '../translate/index.ts'
import { breakerKey, BreakerTable, newBreakerMemory } from '../upstream/index.ts'
import type { ClientRequest, ReplySink } from './edge.ts'
import { matchEndpoint, normalPath } from './endpoints.ts'
import { GatewayEngine } from './engine.ts'
import { Exchange } from './exchange.ts'
import type { Services } from './services.ts'
import type { Prepared } from './stages/attempt.ts'
import type { GatewayLane } from './stages/route.ts'

export interface RehearsedRequest {
  readonly method: string
  readonly target: string
  readonly headers: HeaderList
  readonly body: Uint8Array
  /** Names of provider entries that rest after failures. */
  readonly unavailable: readonly string[]
  /** Every random draw. */
  readonly random: number
}

/** A loss as the reply's header tells it. */
export interface RehearsedLoss {
  readonly action: string
  readonly field: string
  readonly reason: string
}

export interface Rehearsed {
  /** 200 when a provider would be called or we would answer ourselves; else the status of our refusal. */
  readonly status: number
  /** The refusal's message, or null. */
  readonly error: string | null
  /** The call, or null when none would be made. */
  readonly call: {
    readonly provider: string
    readonly vendor: string
    readonly model: string
    readonly dialect: DialectId
    /** Query included. */
    readonly url: string
    readonly losses: readonly RehearsedLoss[]
  } | null
}

/** The moment at which rehearsals take place; any would do. */
const STILL_MS = 1_700_000_000_000

const STILL: Clock = { epochMs: () => STILL_MS, monotonicMs: () => STILL_MS }

/** Ends a rehearsal where the call would begin; never seen by anybody. */
class Called extends Error {
  override readonly name = 'Called'
}

/** Rehearses requests against one plan. Made anew for each: what rests in one must not rest in the next. */
export function rehearse(plan: Plan, request: RehearsedRequest): Rehearsed {
  const stage = new Stage(plan, request)
  return stage.run()
}

/** How a body must come on a path: a form for a few, JSON for the others. */
export function bodyForm(target: string): 'json' | 'multipart' {
  const forward = matchEndpoint(normalPath(target))?.endpoint.forward
  return forward?.body === 'multipart' ? 'multipart' : 'json'
}

/** Asks nobody for tokens and signatures: what a call is, not what opens the door. */
class StillAuthorizer extends Authorizer {
  override authorize(): null {
    return null
  }
}

class Stage {
  private readonly plan: Plan
  private readonly wish: RehearsedRequest
  private readonly services: Services
  private readonly reply = new KeptReply()
  private bug: unknown = null

  constructor(plan: Plan, wish: RehearsedRequest) {
    this.plan = plan
    this.wish = wish
    const calm = wish.unavailable.length === 0
    const breakers = new BreakerTable(calm ? calmMemory() : newBreakerMemory(), STILL)
    for (const name of wish.unavailable) rest(breakers, plan, name)
    this.services = {
      clock: STILL,
      upstream: {
        send: () => {
          throw new Called()
        },
        pools: () => [],
        close: async () => {},
      },
      breakers,
      catalogue: loadCatalogue(),
      authorizer: new StillAuthorizer({ clock: STILL, fetch: () => Promise.reject(new Called()), env: {} }),
      random: () => wish.random,
      recorder: { begin: () => {}, settle: () => {} },
      // Never answers: a count of ours is the end of a rehearsal, as a call is.
      countTokens: () => new Promise(() => {}),
      translatePrompt: null,
      images: null,
      bug: error => {
        if (!(error instanceof Called)) this.bug = error
      },
    }
  }

  run(): Rehearsed {
    const { method, target, headers, body } = this.wish
    const request: ClientRequest = {
      method,
      target,
      headers,
      remoteAddress: '127.0.0.1',
      listener: this.plan.listeners[0]?.name ?? '',
      contentLength: body.length,
    }
    const sink = new GatewayEngine(this.services, this.plan).open(request, this.reply)
    if (sink.bodyMode === 'whole') sink.body(body)
    else if (sink.bodyMode === 'chunks') {
      sink.chunk(body)
      sink.bodyEnd()
    }
    if (this.bug !== null) throw this.bug
    const launched = sink instanceof Exchange ? (sink.attempts?.launched ?? null) : null
    return launched === null ? this.answered() : called(launched.lane, launched.prepared)
  }

  private answered(): Rehearsed {
    const { status, text } = this.reply
    if (status === 0) return { status: 200, error: null, call: null }
    return { status, error: status < 400 ? null : messageOf(text), call: null }
  }
}

function called({ target }: GatewayLane, prepared: Prepared): Rehearsed {
  const { provider, model } = target
  const { origin, path } = prepared.request
  const call = {
    provider: provider.name,
    vendor: provider.provider,
    model,
    dialect: prepared.dialect,
    url: origin + path,
    losses: parseWarnings(headerValue(prepared.extraHeaders, 'x-gateway-warnings')),
  }
  return { status: 200, error: null, call }
}

/** The sentence in an error of ours, whatever the dialect wraps it in. */
function messageOf(text: string): string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return text
  }
  if (Array.isArray(value)) value = value[0]
  const { error, message } = (value ?? {}) as { error?: { message?: unknown }; message?: unknown }
  const found = error?.message ?? message
  return typeof found === 'string' ? found : text
}

let calmWords: SharedArrayBuffer | null = null

/** Where nothing rests and no call is ever made, nothing is written either: one memory serves all. */
function calmMemory(): SharedArrayBuffer {
  calmWords ??= newBreakerMemory()
  return calmWords
}

/** The clock of a rehearsal stands, so any pause lasts. */
const REST_MS = 60_000

/** Every key of the entries with this name rests. */
function rest(breakers: BreakerTable, plan: Plan, name: string): void {
  for (const provider of plan.providers.filter(one => one.name === name)) {
    const keys = Math.max(1, provider.accessKeys.length)
    for (let key = 0; key < keys; key += 1) breakers.cell(breakerKey(name, key)).rest(REST_MS)
  }
}

/** The header of `formatWarnings` taken apart again. */
function parseWarnings(header: string | null): RehearsedLoss[] {
  if (header === null) return []
  return header.split(', ').map(entry => {
    const [, action = '', field = '', reason = ''] = /^([^;]*);field=([^;]*);reason=(.*)$/.exec(entry) ?? []
    return { action, field, reason }
  })
}

/** The reply of a rehearsal: kept, never sent. */
class KeptReply implements ReplySink {
  status = 0
  text = ''
  readonly pendingBytes = 0

  head(status: number): void {
    this.status = status
  }

  write(): boolean {
    return true
  }

  end(): void {}

  whole(status: number, _headers: HeaderList, body: Uint8Array): void {
    this.status = status
    this.text = new TextDecoder().decode(body)
  }

  abort(): void {}

  resumeBody(): void {}
}

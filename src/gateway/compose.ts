// Puts an engine together: the one place where a shard's parts meet. Owns what outlives a plan (the upstream
// client, the breakers); refuses to know threads and sockets of clients.

import { isDeepStrictEqual } from 'node:util'
import { type Clock, systemClock } from '../common/clock.ts'
import type { Plan } from '../common/config/index.ts'
import { Authorizer } from '../providers/index.ts'
import { loadCatalogue } from '../routing/index.ts'
import {
  BreakerTable,
  createImageFetcher,
  createUpstreamClient,
  type ImageFetcher,
  type UpstreamCall,
  type UpstreamClient,
  type UpstreamHandler,
  type UpstreamOptions,
  type UpstreamPoolFacts,
  type UpstreamRequest,
} from '../upstream/index.ts'
import { GatewayEngine } from './engine.ts'
import type { Services } from './services.ts'
import { tokenFetch } from './token-fetch.ts'

export type GatewayParts = Pick<Services, 'recorder' | 'countTokens' | 'translatePrompt' | 'bug'> & {
  /** What the shards of a process decide together, made once: the breakers' memory. */
  readonly shared: SharedArrayBuffer
  readonly clock?: Clock
}

/** An engine and what it stands on. */
export class Gateway {
  readonly engine: GatewayEngine
  private readonly upstream: PlannedUpstream
  private readonly images: ImageFetcher

  constructor(plan: Plan, parts: GatewayParts) {
    const { shared, clock = systemClock, recorder, countTokens, translatePrompt, bug } = parts
    this.upstream = new PlannedUpstream(plan, clock)
    this.images = createImageFetcher({ clock })
    const services: Services = {
      clock,
      upstream: this.upstream,
      breakers: new BreakerTable(shared, clock),
      catalogue: loadCatalogue(),
      authorizer: new Authorizer({ clock, fetch: tokenFetch(this.upstream), env: process.env }),
      random: Math.random,
      recorder,
      countTokens,
      translatePrompt,
      images: this.images,
      bug,
    }
    this.engine = new GatewayEngine(services, plan)
  }

  /** Makes a plan ready; the step returned puts it to use for later exchanges. Running ones keep theirs. */
  readyPlan(plan: Plan): () => void {
    const put = this.engine.readyPlan(plan)
    return () => {
      this.upstream.usePlan(plan)
      put()
    }
  }

  pools(): readonly UpstreamPoolFacts[] {
    return this.upstream.pools()
  }

  async close(): Promise<void> {
    await Promise.all([this.upstream.close(), this.images.close()])
  }
}

/** The client of the plan in use. A plan that changes the client itself gets a new one; the old one ends its calls. */
class PlannedUpstream implements UpstreamClient {
  private readonly clock: Clock
  private client: UpstreamClient
  private options: ClientOptions

  constructor(plan: Plan, clock: Clock) {
    this.clock = clock
    this.options = clientOptions(plan)
    this.client = createUpstreamClient({ ...this.options, clock })
  }

  usePlan(plan: Plan): void {
    const options = clientOptions(plan)
    if (isDeepStrictEqual(options, this.options)) return
    const old = this.client
    this.options = options
    this.client = createUpstreamClient({ ...options, clock: this.clock })
    void old.close()
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    return this.client.send(request, handler)
  }

  pools(): readonly UpstreamPoolFacts[] {
    return this.client.pools()
  }

  close(): Promise<void> {
    return this.client.close()
  }
}

export type ClientOptions = Pick<UpstreamOptions, 'connectionsMax' | 'kind' | 'proxies'>

/** What of a plan makes another client; compared by value. */
export function clientOptions({ upstream }: Plan): ClientOptions {
  const { connectionsMax, http2, proxies = null } = upstream
  return { connectionsMax, kind: http2 === 'auto' ? 'negotiated' : 'http1', proxies }
}

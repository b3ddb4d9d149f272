// The only door of the upstream module.

import type { LookupFunction } from 'node:net'
import { type Clock, systemClock } from '../common/clock.ts'
import type { ProxiesPlan } from '../common/config/plan.ts'
import { ProxyRules } from '../common/proxies.ts'
import { PooledClient } from './client.ts'
import { Connector } from './connect.ts'
import type { Connection } from './connection.ts'
import { type ImageFetcher, judgedLookup, PublicImages } from './fetch-image.ts'
import { Http1Connection } from './http1.ts'
import { REPLY_HEADER_BYTES_MAX } from './http1-reply.ts'
import { Http2Sessions } from './http2-sessions.ts'
import type { OpenConnection, OriginPool } from './pools.ts'
import { isPublicAddress } from './public-address.ts'
import { UndiciConnection } from './undici.ts'
import type { UpstreamClient } from './upstream.ts'

export { askWhole, type Question, type QuestionBounds, type WholeAnswer } from './ask.ts'
export type { FetchedImage, ImageFetcher } from './fetch-image.ts'
export { isPublicAddress } from './public-address.ts'
export type { Breaker, BreakerCell, BreakerFacts } from './breaker.ts'
export { breakerKey, BreakerTable, type ModelTrouble, newBreakerMemory } from './breaker-table.ts'
export { LaneBreaker } from './lane-breaker.ts'
export { backOffMs, RETRY_AFTER_MS_MAX, RetryBudget } from './retry-budget.ts'
export { askForTunnel, ProxyFault } from './tunnel.ts'
export { type HostFailure, type Lane, Tries, type Try, type TryFailure } from './tries.ts'
export type {
  BodySink,
  BodySource,
  Deadlines,
  UpstreamCall,
  UpstreamClient,
  UpstreamHandler,
  UpstreamPoolFacts,
  UpstreamRequest,
} from './upstream.ts'

export interface UpstreamOptions {
  /**
   * Which implementation; all keep the contract. `negotiated`: HTTP/2 with `https:` upstreams that offer it, else as
   * `http1`. Default `http1`.
   */
  readonly kind?: 'http1' | 'undici' | 'negotiated'
  /** Sockets per origin. */
  readonly connectionsMax: number
  /** Calls per origin that may wait for one. Default 1,024. */
  readonly queuedMax?: number
  /** Default 30 s. */
  readonly idleMsMax?: number
  /** Default 5 min. */
  readonly ageMsMax?: number
  /** Default 64 KiB. */
  readonly headerBytesMax?: number
  /** PEM certificates to trust instead of the built-in ones. */
  readonly ca?: string | null
  /** Name resolution; the system's by default. */
  readonly lookup?: LookupFunction | null
  /** Which proxies to go through; none by default. */
  readonly proxies?: ProxiesPlan | null
  readonly clock?: Clock
}

const QUEUED_MAX = 1_024
const IDLE_MS_MAX = 30_000
const AGE_MS_MAX = 5 * 60_000
const ORPHAN_CONNECT_MS_MAX = 30_000

export function createUpstreamClient(options: UpstreamOptions): UpstreamClient {
  const { kind = 'http1', headerBytesMax = REPLY_HEADER_BYTES_MAX } = options
  const connector = new Connector({ ca: options.ca ?? null, lookup: options.lookup ?? null })
  const limits = {
    connectionsMax: options.connectionsMax,
    queuedMax: options.queuedMax ?? QUEUED_MAX,
    idleMsMax: options.idleMsMax ?? IDLE_MS_MAX,
    ageMsMax: options.ageMsMax ?? AGE_MS_MAX,
    orphanConnectMsMax: ORPHAN_CONNECT_MS_MAX,
  }
  const clock = options.clock ?? systemClock
  const open = opener(kind, connector, headerBytesMax, clock)
  return new PooledClient(limits, open, new ProxyRules(options.proxies ?? null), clock)
}

type Kind = NonNullable<UpstreamOptions['kind']>

function opener(kind: Kind, connector: Connector, headerBytesMax: number, clock: Clock): OpenConnection {
  const http1 = (pool: OriginPool): Connection => new Http1Connection(pool, connector, headerBytesMax)
  if (kind === 'http1') return http1
  if (kind === 'undici') return pool => new UndiciConnection(pool, connector, headerBytesMax)
  const sessions = new WeakMap<OriginPool, Http2Sessions>()
  return pool => {
    if (!pool.target.secure) return http1(pool)
    let own = sessions.get(pool)
    if (own === undefined) {
      own = new Http2Sessions(pool, connector, headerBytesMax)
      sessions.set(pool, own)
    }
    return own.open(clock.monotonicMs())
  }
}

export interface ImageOptions extends Pick<UpstreamOptions, 'ca' | 'lookup' | 'clock'> {
  /** Which addresses may be connected to; the public ones by default. */
  readonly allowed?: (address: string) => boolean
}

/** Few sockets per host, soon closed: the hosts are whatever callers name. */
const IMAGE_CONNECTIONS_MAX = 4
const IMAGE_QUEUED_MAX = 64
const IMAGE_IDLE_MS_MAX = 1_000

/** Sockets of its own, so that nothing a caller chose shares one with a provider. */
export function createImageFetcher(options: ImageOptions = {}): ImageFetcher {
  const { allowed = isPublicAddress, clock = systemClock, ca = null } = options
  const client = createUpstreamClient({
    connectionsMax: IMAGE_CONNECTIONS_MAX,
    queuedMax: IMAGE_QUEUED_MAX,
    idleMsMax: IMAGE_IDLE_MS_MAX,
    lookup: judgedLookup(options.lookup ?? null, allowed),
    clock,
    ca,
  })
  return new PublicImages(client, clock, allowed)
}

// The compiled configuration: what the supervisor sends to the shards and every exchange pins. Plain data only
// (it crosses threads by structured clone), immutable by convention, identified by `hash`.

import type { DialectId } from '../../translate/index.ts'
import type { FeaturePlan } from './plan-features.ts'

/** A secret crosses threads as this record and is never printed; see `secret.ts`. */
export interface SecretText {
  readonly secret: string
}

/** One of several keys of a provider. */
export interface WeightedKey extends SecretText {
  /** Share of the calls that begin with it, against the other keys' weights; positive. */
  readonly weight: number
}

export interface TlsPlan {
  /** Paths of PEM files; read by whoever opens the socket. */
  readonly certificateFile: string
  readonly keyFile: string
}

export interface ListenerPlan {
  readonly name: string
  readonly type: 'model' | 'prompt' | 'agent'
  readonly address: string
  readonly port: number
  /** Whole-request bound, milliseconds. */
  readonly timeoutMs: number
  readonly maxRetries: number
  readonly tls: TlsPlan | null
}

export interface ProviderPlan {
  /** As written in `name`, or `model` when there is none; unique. */
  readonly name: string
  /** Vendor id: `openai`, `anthropic`, … or `demo`. */
  readonly provider: string
  /** Model id sent upstream, `*` for a wildcard. */
  readonly model: string
  /** Prefix a wildcard answers to, without the `/`. Null when not a wildcard. */
  readonly wildcardPrefix: string | null
  /** Dialects the upstream speaks, preferred first. */
  readonly dialects: readonly DialectId[]
  /** `scheme://host:port`. */
  readonly origin: string
  /** Path in front of the API suffix, no trailing slash: the vendor's own (`/v1`, `/openai/v1`) or that of `base_url`. */
  readonly pathPrefix: string
  /** Roots of dialects that live elsewhere on the host than `pathPrefix`. */
  readonly dialectPrefixes?: Readonly<Partial<Record<DialectId, string>>>
  /** Keys to call with, in the order of the file; empty when there is none. */
  readonly accessKeys: readonly WeightedKey[]
  /** Names of models to try, in order, when this one fails before its first content. */
  readonly fallbacks: readonly string[]
  readonly passthroughAuth: boolean
  /** The host may be called without a key: one named by `base_url`, or the demo. */
  readonly keyOptional: boolean
  readonly headers: readonly string[]
  readonly httpHost: string | null
  readonly isDefault: boolean
  /** Not shown in `/v1/models`. */
  readonly internal: boolean
  /** Where this entry came from, for the start-up lines: `env OPENAI_API_KEY`, `config.yaml:12`, `demo`. */
  readonly sourceNote: string
}

export interface ServerPlan {
  readonly shards: number
  readonly acceptor: 'auto' | 'uws' | 'node'
  readonly drainMs: number
  readonly bodyBytesMax: number
  readonly headerBytesMax: number
  /** From the first byte of a request to the end of its header block. */
  readonly headersWaitMsMax: number
  /** Between two pieces of a request body. */
  readonly bodyWaitMsMax: number
  readonly idleMsMax: number
  /** Bytes per reply that may wait for a slow client before its upstream is paused. */
  readonly replyPendingBytesMax: number
}

export interface UpstreamPlan {
  readonly connectMs: number
  readonly headersMs: number
  readonly firstByteMs: number
  readonly betweenBytesMs: number
  /** Sockets per origin and shard. */
  readonly connectionsMax: number
}

export interface AdminPlan {
  readonly address: string
  readonly port: number
  readonly token: SecretText | null
}

export interface Plan {
  /** Grows by one with every switch; 1 is the first. */
  readonly epoch: number
  /** Canonical hash of everything below it. */
  readonly hash: string
  readonly listeners: readonly ListenerPlan[]
  readonly providers: readonly ProviderPlan[]
  /** alias → provider name. */
  readonly aliases: Readonly<Record<string, string>>
  readonly server: ServerPlan
  readonly upstream: UpstreamPlan
  readonly admin: AdminPlan
  /** What belongs to features beyond sockets and models; always there in a loaded plan. */
  readonly features?: FeaturePlan
}

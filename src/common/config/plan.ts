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
  /** Of what stood in both when the plan was made: another certificate is another plan. Not there in tests' plans. */
  readonly contentHash?: string
}

export interface ListenerPlan {
  readonly name: string
  readonly type: 'model' | 'prompt' | 'agent'
  readonly address: string
  readonly port: number
  /** Whole-request bound, milliseconds. */
  readonly timeoutMs: number
  readonly maxRetries: number
  /** Silence towards the client of an event stream until it is shown a sign of life; 0: never. Absent: the default. */
  readonly keepAliveMs?: number
  readonly tls: TlsPlan | null
}

/** Credentials that are obtained, renewed or computed, not shown as they stand. */
export type AuthPlan =
  | {
      readonly type: 'aws'
      readonly region: string
      /** Both null: the chain of the environment, profiles, roles, containers and instances. */
      readonly accessKeyId: SecretText | null
      readonly secretAccessKey: SecretText | null
      readonly sessionToken: SecretText | null
      readonly profile: string | null
      readonly roleArn: string | null
    }
  | {
      readonly type: 'google'
      /** Key file of any of Google's kinds; null for the usual places. */
      readonly credentialsFile: string | null
    }
  | {
      readonly type: 'entra'
      readonly tenantId: string
      readonly clientId: string
      /** One of the two. */
      readonly clientSecret: SecretText | null
      readonly federatedTokenFile: string | null
      readonly scope: string
      readonly authority: string
    }
  | {
      /** Of Azure: what the machine or the App Service is. */
      readonly type: 'managed_identity'
      /** Of one identity among several; null for the platform's own. */
      readonly clientId: string | null
      readonly scope: string
    }
  | {
      readonly type: 'chatgpt'
      readonly file: string
      readonly tokenUrl: string
    }

export type ProviderWaits = Partial<
  Pick<UpstreamPlan, 'connectMs' | 'headersMs' | 'firstByteMs' | 'firstContentMs' | 'betweenBytesMs'>
>

/** One of several addresses that serve the same. */
export interface HostPlan
  extends Pick<ProviderPlan, 'origin' | 'pathPrefix' | 'dialectPrefixes' | 'query' | 'apiVersion'> {
  /** As metrics and messages name it: host and port, and the path where two of an entry share those. */
  readonly label: string
  /** Share of the calls that begin there, against the other hosts' weights; positive. */
  readonly weight: number
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
  /** Query that every call has, without `?`: that of `base_url`. */
  readonly query?: string
  /** Several addresses, in the order of the file; the first one's members stand above as well. Absent: one. */
  readonly hosts?: readonly HostPlan[]
  /** A host of the operator's own that speaks like this vendor. */
  readonly custom?: boolean
  /** Azure: the dated interface, with deployments in its paths. */
  readonly apiVersion?: string
  /** How calls are authorised when not by a key. */
  readonly auth?: AuthPlan
  /** Waits of its own, in place of those of `upstream`. */
  readonly waits?: ProviderWaits
  /** Cache marks are put into prompts that have none. */
  readonly cacheMarks?: boolean
  /** Prompts that would lose something on their way to it are refused. */
  readonly strict?: boolean
  /** Calls that make or cost something each time are sent again after a failure as others are. */
  readonly retryUnsafe?: boolean
  /** Chat: whether the host knows `stream_options`, where the file says so. */
  readonly streamOptions?: boolean
  /** For each key the file it was read from, which is read again when it changes; null for other keys. */
  readonly keyFiles?: readonly (string | null)[]
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
  /** Pictures named by address are fetched for upstreams that take them by value only. */
  readonly fetchImages?: boolean
}

export interface UpstreamPlan {
  readonly connectMs: number
  readonly headersMs: number
  readonly firstByteMs: number
  /** Streams: until the first piece of model output. */
  readonly firstContentMs?: number
  readonly betweenBytesMs: number
  /** A stream that begins later than this counts against its upstream as if it had failed. */
  readonly slowStartMs?: number
  /** Sockets per origin and shard. */
  readonly connectionsMax: number
  /** HTTP/2 where an `https://` upstream offers it; absent: never. */
  readonly http2?: 'auto'
  /** Named by the environment; absent when it names none. */
  readonly proxies?: ProxiesPlan
}

/** Which proxies calls go through; see `common/proxies.ts`. */
export interface ProxiesPlan {
  /** For `http://` upstreams. */
  readonly http: ProxyPlan | null
  /** For `https://` upstreams. */
  readonly https: ProxyPlan | null
  /** Entries of NO_PROXY that can be understood. */
  readonly except: readonly string[]
}

export interface ProxyPlan {
  /** The proxy itself is spoken to over TLS. */
  readonly secure: boolean
  /** Without brackets. */
  readonly host: string
  readonly port: number
  /** `user:password`. */
  readonly credentials: SecretText | null
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

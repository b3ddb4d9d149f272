// What is remembered of an exchange, written once at its end by the gateway. Metrics, logs and later judgements read this and
// nothing else. One shape: every field is set here.

import type { DialectId, Usage } from '../translate/index.ts'

export type Outcome =
  /** The reply reached its proper end (whatever its status). */
  | 'ok'
  /** We answered with an error of ours before any upstream was called. */
  | 'refused'
  /** The upstream answered with an error status, or put an error into its reply. */
  | 'upstream-error'
  /** The upstream went away in the middle of its reply. */
  | 'upstream-broke'
  /** The upstream could not be reached, or broke before anything reached the client. */
  | 'upstream-unreachable'
  | 'timeout'
  /** The client left. Never counted against an upstream. */
  | 'client-closed'
  /** Ended by us because the process stops. */
  | 'cut'
  /** A bug of ours. */
  | 'internal'

/** How one try ended: the closed set of label values. */
export type TryResult =
  | 'ok'
  /** No connection. */
  | 'connect'
  | 'timeout'
  /** No reply, half of one, or one that is not sound. */
  | 'broken'
  /** The upstream would not have the key. */
  | 'refused'
  /** The upstream asked for less. */
  | 'limited'
  /** The upstream said that it failed. */
  | 'upstream_error'
  /** The upstream found fault with the request. */
  | 'request_fault'
  | 'client_closed'
  /** Ended by us. */
  | 'cut'

/** A try of which the client saw nothing. */
export interface FailedTry {
  /** Name of the provider entry. */
  readonly provider: string
  readonly result: TryResult
  /** Another try was made because of it. */
  followed: boolean
}

export class ExchangeRecord {
  requestId: string
  listener: string
  /** Endpoint pattern, or `not_found`. */
  handler: string
  method: string
  clientDialect: DialectId | null = null
  upstreamDialect: DialectId | null = null
  /** Name of the provider entry, or null when none was chosen. */
  provider: string | null = null
  modelAsked: string | null = null
  /** Id sent upstream. */
  modelSent: string | null = null
  /** Configured name that metrics may use as a label, or null. */
  modelLabel: string | null = null
  status = 0
  upstreamStatus: number | null = null
  outcome: Outcome = 'ok'
  /** Kind of GatewayError, or null. */
  errorKind: string | null = null
  startedMs: number
  /** First byte of the reply's content towards the client; null when none. */
  firstByteMs: number | null = null
  /** First piece of model output, as against protocol frames; null when none. */
  firstContentMs: number | null = null
  upstreamStartedMs: number | null = null
  endedMs = 0
  bytesIn = 0
  bytesOut = 0
  usage: Usage | null = null
  /** The reply ended early: `usage` is what was seen until then, completed by a guess where it says `estimated`. */
  usagePartial = false
  /** US dollars by the catalogue's prices, or null where no price is known. */
  costUsd: number | null = null
  streaming = false
  attempts = 0
  /** The provider is shown the caller's credential, and the caller has none. */
  credentialAbsent = false
  /** Tries that failed before the client saw anything of them, in order; null when none did. */
  failedTries: FailedTry[] | null = null
  /** Members of the request that the upstream's dialect could not carry. */
  losses = 0

  constructor(requestId: string, listener: string, handler: string, method: string, startedMs: number) {
    this.requestId = requestId
    this.listener = listener
    this.handler = handler
    this.method = method
    this.startedMs = startedMs
  }
}

/** Takes the finished record; called exactly once per exchange. */
export interface Recorder {
  begin(handler: string): void
  settle(record: ExchangeRecord): void
}

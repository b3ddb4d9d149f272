// What a failed try means: for the next try, for the breaker, for the key. The only place that judges upstreams.

import { type GatewayError, KINDS } from '../../common/errors.ts'
import type { TryResult } from '../../telemetry/index.ts'
import type { ErrorKind, ErrorReply } from '../../translate/index.ts'
import type { HostFailure, TryFailure } from '../../upstream/index.ts'
import type { UpstreamFault } from './fault.ts'

/** How a try ended without an answer for the client. */
export type Failure =
  /** No reply, or a broken one: the transport's or the protocol's fault. */
  | { readonly kind: 'broken'; readonly error: GatewayError }
  /** The upstream answered with an error status. */
  | { readonly kind: 'status'; readonly fault: UpstreamFault; readonly error: ErrorReply }
  /** The upstream put an error into its reply before any content. */
  | { readonly kind: 'reply'; readonly error: ErrorReply }

export interface Judgement extends TryFailure {
  /** Counts against the upstream. */
  readonly upstreamFault: boolean
  /** The key is refused or used up. */
  readonly keyFault: boolean
  /** A bound of the gateway's own: says nothing about the upstream, and another one may have room. */
  readonly ours: boolean
}

/** Conflicts are locks; too-early and time-outs are the upstream's moment. What official clients retry, too. */
const RETRY_STATUSES: ReadonlySet<number> = new Set([408, 409, 425, 429, 500, 502, 503, 504, 529])
const RETRY_KINDS: ReadonlySet<ErrorKind> = new Set<ErrorKind>([
  'rate_limit',
  'overloaded',
  'timeout',
  'upstream',
  'incomplete_stream',
  'internal',
])

export function judge(failure: Failure): Judgement {
  if (failure.kind === 'broken') {
    const { kind } = failure.error
    const { retry } = KINDS[kind]
    const ours = kind === 'overloaded'
    return {
      retry: retry || ours,
      laneOver: ours,
      host: kind === 'upstream-connect' || ours ? 'unreachable' : hostFailure(retry),
      retryAfterMs: null,
      upstreamFault: retry,
      keyFault: false,
      ours,
    }
  }
  const { error } = failure
  const keyFault =
    error.kind === 'auth' || error.kind === 'permission' || error.kind === 'quota' || error.status === 402
  const limited = error.kind === 'rate_limit' || error.status === 429
  const status = failure.kind === 'status' ? failure.fault.status : null
  const retry =
    keyFault || RETRY_KINDS.has(error.kind) || (status !== null && RETRY_STATUSES.has(status)) || limited
  const upstreamFault = retry && !keyFault && !limited && status !== 409
  return {
    retry,
    laneOver: keyFault,
    host: hostFailure(upstreamFault),
    retryAfterMs: error.retryAfterMs,
    upstreamFault,
    keyFault: keyFault || limited,
    ours: false,
  }
}

function hostFailure(failed: boolean): HostFailure {
  return failed ? 'failed' : 'none'
}

/** The same for the books. */
export function tryResult(failure: Failure, judgement: Judgement): TryResult {
  if (failure.kind === 'broken') {
    if (failure.error.kind === 'upstream-connect') return 'connect'
    return failure.error.kind === 'upstream-timeout' ? 'timeout' : 'broken'
  }
  // Half a reply: nobody said that anything failed.
  if (failure.error.kind === 'incomplete_stream') return 'broken'
  if (judgement.laneOver) return 'refused'
  if (judgement.keyFault) return 'limited'
  return judgement.retry ? 'upstream_error' : 'request_fault'
}

// What an exchange may use, in the gateway's own words. `compose.ts` passes the real things; tests pass others.

import type { Clock } from '../common/clock.ts'
import type { Authorizer } from '../providers/index.ts'
import type { Catalogue } from '../routing/index.ts'
import type { ExchangeRecord } from '../telemetry/index.ts'
import type { DialectId, InlineImage, PathFacts, TargetFacts, WrittenPrompt } from '../translate/index.ts'
import type { BreakerTable, ImageFetcher, UpstreamClient } from '../upstream/index.ts'

export interface TokenCount {
  readonly tokens: number
  /** True when it is a guess: unknown tokenizer, a cut piece, or the byte estimate of a full queue. */
  readonly estimated: boolean
  /** Name of the encoding, or `bytes`. */
  readonly encoding: string
}

export interface Services {
  readonly clock: Clock
  readonly upstream: UpstreamClient
  /** Shared by the shards of the process. */
  readonly breakers: BreakerTable
  readonly catalogue: Catalogue
  /** Tokens, signatures and keys in files; lives as long as the shard. */
  readonly authorizer: Authorizer
  /** In [0, 1). */
  readonly random: () => number
  readonly recorder: {
    begin(handler: string): void
    settle(record: ExchangeRecord): void
  }
  /** Counts off the loop; never rejects for a full queue (see `TokenCount.estimated`). */
  readonly countTokens: (model: string, dialect: DialectId, body: Uint8Array) => Promise<TokenCount>
  /** Translates a large body off the loop; null where there is no pool. Rejects with what `translatePrompt` throws. */
  readonly translatePrompt: TranslateElsewhere | null
  /** Fetches pictures that callers name by address; null where nothing is fetched. */
  readonly images: ImageFetcher | null
  /** A bug of ours was caught in an exchange: for the log, without bodies. */
  readonly bug: (error: unknown, requestId: string) => void
}

export type TranslateElsewhere = (
  client: DialectId,
  upstream: DialectId,
  body: Uint8Array,
  target: TargetFacts,
  strict: boolean,
  path: PathFacts | null,
  images: readonly InlineImage[],
) => Promise<WrittenPrompt>

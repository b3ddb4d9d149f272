// Every metric by name: what it means, its labels, its buckets. Owns the names; counting is elsewhere.
// `brightstaff_*` and the names without a prefix are those that dashboards of the reference use; `sluice_*` are
// our own. Facts: `brain` specification, section 9, and `gateway-filters` specification, B.11.

import type { MetricSpec } from './families.ts'
import { PROCESS_METRICS } from './process.ts'

/** Seconds until a reply's head. */
const HEAD_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
/** Seconds of a model call. */
const MODEL_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
/** Milliseconds until the first token. */
const FIRST_TOKEN_MS = [
  100, 500, 800, 1000, 1200, 1400, 1600, 1800, 2000, 2200, 2400, 3000, 3500, 4000, 4500, 5000, 6000, 10_000,
  60_000, 180_000,
]
/** The proxy's own default buckets, which dashboards expect of every other histogram of this family. */
const PROXY_DEFAULT = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
]
/** Seconds a loop came late; fine around the 10 ms that a shard may not exceed. */
const LOOP_SECONDS = [0.001, 0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]

function counter(name: string, labels: readonly string[], help: string): MetricSpec {
  return { name, help, type: 'counter', labels, buckets: [] }
}

function gauge(name: string, labels: readonly string[], help: string): MetricSpec {
  return { name, help, type: 'gauge', labels, buckets: [] }
}

function histogram(
  name: string,
  labels: readonly string[],
  buckets: readonly number[],
  help: string,
): MetricSpec {
  return { name, help, type: 'histogram', labels, buckets }
}

const MODEL = ['provider', 'model']
/** A way to an upstream: an entry of the file, the place of a key, and a host of those that the entry names. */
const WAY = ['entry', 'key', 'host']
const CALL = ['provider', 'model', 'listener', 'status_class']

export const METRICS = {
  httpRequests: counter(
    'brightstaff_http_requests_total',
    ['handler', 'method', 'status_class'],
    'Client requests that have ended.',
  ),
  httpDuration: histogram(
    'brightstaff_http_request_duration_seconds',
    ['handler'],
    HEAD_SECONDS,
    'Seconds from the header block of a request to the first byte of its reply.',
  ),
  httpInFlight: gauge('brightstaff_http_in_flight_requests', ['handler'], 'Client requests in progress.'),
  llmRequests: counter(
    'brightstaff_llm_upstream_requests_total',
    ['provider', 'model', 'status_class', 'error_class'],
    'Model calls that have ended.',
  ),
  llmDuration: histogram(
    'brightstaff_llm_upstream_duration_seconds',
    MODEL,
    MODEL_SECONDS,
    'Seconds from the start of a model call to the end of its reply.',
  ),
  llmFirstToken: histogram(
    'brightstaff_llm_time_to_first_token_seconds',
    MODEL,
    MODEL_SECONDS,
    'Seconds from the start of a streamed model call to the first piece of model output.',
  ),
  llmTokens: counter(
    'brightstaff_llm_tokens_total',
    ['provider', 'model', 'kind'],
    'Tokens by kind; cache_read, cache_write and reasoning are parts of prompt and completion.',
  ),
  llmUsageMissing: counter(
    'brightstaff_llm_tokens_usage_missing_total',
    MODEL,
    'Complete replies that told no usage.',
  ),
  promptCache: counter(
    'brightstaff_prompt_cache_requests_total',
    ['provider', 'model', 'outcome'],
    'Model calls with known usage, by whether a prompt cache was read or written.',
  ),
  buildInfo: gauge('brightstaff_build_info', ['version', 'git_sha'], 'Always 1.'),
  activeCalls: gauge('active_http_calls', [], 'Upstream connections that carry a call.'),
  rateLimited: counter('ratelimited_rq', MODEL, 'Requests we answered with 429.'),
  inputLength: histogram('input_sequence_length', CALL, PROXY_DEFAULT, 'Input tokens of a model call.'),
  outputLength: histogram('output_sequence_length', CALL, PROXY_DEFAULT, 'Output tokens of a model call.'),
  firstToken: histogram(
    'time_to_first_token',
    CALL,
    FIRST_TOKEN_MS,
    'Milliseconds from the header block of a streamed request to the first piece of model output.',
  ),
  perToken: histogram(
    'time_per_output_token',
    CALL,
    PROXY_DEFAULT,
    'Milliseconds per output token after the first; streams only.',
  ),
  tokensPerSecond: histogram(
    'tokens_per_second',
    CALL,
    PROXY_DEFAULT,
    'Output tokens per second after the first; streams only.',
  ),
  requestLatency: histogram(
    'request_latency',
    CALL,
    PROXY_DEFAULT,
    'Milliseconds from the header block of a request to the end of its reply.',
  ),
  exchanges: counter(
    'sluice_exchanges_total',
    ['endpoint', 'outcome'],
    'Exchanges by how they ended; cut: ended by us because a shard stopped.',
  ),
  bytes: counter('sluice_body_bytes_total', ['direction'], 'Body bytes from and to clients.'),
  loopDelay: histogram(
    'sluice_loop_delay_seconds',
    ['shard'],
    LOOP_SECONDS,
    'Seconds by which the event loop of a shard ran a timer late.',
  ),
  connections: gauge(
    'sluice_client_connections',
    ['shard', 'listener'],
    'Client connections, or requests in progress where the acceptor does not tell of idle ones.',
  ),
  attempts: counter(
    'sluice_upstream_attempts_total',
    ['provider', 'model', 'result'],
    'Calls of an upstream, each try counted by how it ended.',
  ),
  retries: counter(
    'sluice_upstream_retries_total',
    ['provider', 'model', 'reason'],
    'Tries that followed a failed one, by how and where that one failed.',
  ),
  cost: counter(
    'sluice_llm_cost_usd_total',
    MODEL,
    'US dollars by the catalogue, for calls whose usage and price are known.',
  ),
  usagePartial: counter(
    'sluice_llm_usage_partial_total',
    MODEL,
    'Calls that ended early and are booked with what was seen, completed by a guess.',
  ),
  breakerState: gauge(
    'sluice_breaker_state',
    WAY,
    'Per provider entry, key (counted from 0 in the order of the file) and host: 0 closed, 1 half-open, 2 open.',
  ),
  breakerOpenings: counter('sluice_breaker_openings_total', WAY, 'Times a breaker opened.'),
  breakerModels: gauge(
    'sluice_breaker_models',
    WAY,
    'Models of a wildcard that are not called just now, each for itself.',
  ),
  keyRest: gauge(
    'sluice_key_rest_seconds',
    WAY,
    'Seconds for which a key still rests that its provider refused or limited.',
  ),
  upstreamConnections: gauge(
    'sluice_upstream_connections',
    ['origin', 'state'],
    'Connections to an upstream by state.',
  ),
  upstreamQueued: gauge('sluice_upstream_queued', ['origin'], 'Calls that wait for a connection.'),
  upstreamOpened: counter('sluice_upstream_connections_opened_total', ['origin'], 'Connections ever opened.'),
  upstreamResent: counter(
    'sluice_upstream_resent_total',
    ['origin'],
    'Requests sent a second time because a kept connection had died.',
  ),
  tokenCounts: counter(
    'sluice_token_counts_total',
    ['how'],
    'Token counts asked of the compute pool; estimated: answered by the byte estimate.',
  ),
  tokenQueue: gauge('sluice_token_count_queue', ['shard'], 'Token counts that wait or run.'),
  logDropped: counter(
    'sluice_log_lines_dropped_total',
    ['where'],
    'Log lines dropped because whoever reads the log is slow.',
  ),
  shards: gauge('sluice_shards', ['state'], 'Shards by state.'),
  shardRestarts: counter('sluice_shard_restarts_total', ['reason'], 'Shards started anew.'),
  shardCuts: counter(
    'sluice_shard_exchanges_cut_total',
    ['reason'],
    'Exchanges that were running when their shard ended, by why it ended.',
  ),
  shardsSilent: gauge(
    'sluice_scrape_shards_silent',
    [],
    'Shards that did not answer this scrape in time; their last known numbers are used.',
  ),
  planInfo: gauge('sluice_plan_info', ['hash'], 'Always 1; the hash of the plan in use.'),
  configReloads: counter(
    'sluice_config_reloads_total',
    ['result'],
    'Attempts to use a changed configuration; refused: it was wrong and the plan in use stayed.',
  ),
  configReloadedAt: gauge(
    'sluice_config_last_reload_success_timestamp_seconds',
    [],
    'Unix time at which the configuration was last found usable.',
  ),
  configOk: gauge(
    'sluice_config_ok',
    [],
    '1 while the newest configuration is in use, 0 while it was refused.',
  ),
  planEpoch: gauge('sluice_plan_epoch', [], 'Grows with every switch to another plan.'),
} as const satisfies Record<string, MetricSpec>

export const METRIC_BY_NAME: ReadonlyMap<string, MetricSpec> = new Map(
  [...Object.values(METRICS), ...Object.values(PROCESS_METRICS)].map((spec: MetricSpec) => [spec.name, spec]),
)

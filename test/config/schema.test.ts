// tidy: long because it is a table
// Every key of the language: forms it accepts, forms it refuses, and what it is when nobody writes it.

import { describe, expect, test } from 'vitest'
import { configJsonSchema } from '../../src/common/config/index.ts'
import { document } from '../../src/common/config/schema/document.ts'
import { isSecretPath } from '../../src/common/config/values.ts'
import { keysOf, type SchemaNode } from './keys.ts'

/** The key must be written. */
const REQUIRED = Symbol('required')
/** The key is not there when nobody writes it. */
const ABSENT = undefined

type Row = readonly [
  path: string,
  accepted: readonly unknown[],
  refused: readonly unknown[],
  unwritten: unknown,
]

const LONG = 'x'.repeat(501)
const TEXT_REFUSED = [1, true, null, ['a'], { a: 1 }]
const NAME_REFUSED = ['', LONG, 1, null, ['a']]
const FLAG: readonly [readonly unknown[], readonly unknown[]] = [
  [true, false],
  ['true', 0, 1, null, []],
]
const DURATION: readonly [readonly unknown[], readonly unknown[]] = [
  ['1s', '0.5s', '250ms', '1m30s', '2h', '0s'],
  ['1', 'fast', '1 s', '-1s', 30, '', '1w', '100d', null],
]
/** A duration that may not be zero. */
const WAIT: readonly [readonly unknown[], readonly unknown[]] = [
  ['1s', '0.5s', '250ms', '1m30s', '2h'],
  [...DURATION[1], '0s', '0ms'],
]
const SIZE: readonly [readonly unknown[], readonly unknown[]] = [
  [1, 65_536, '64KiB', '32 MiB', '1.5MB', '512'],
  [0, -1, 1.5, '64 potatoes', 'KiB', '', null, '-1KiB'],
]
const LIST_REFUSED = ['a', 1, { a: 1 }, null, [1], [null]]
const MAP_REFUSED = ['a', 1, null, []]
const PRICE: readonly [readonly unknown[], readonly unknown[]] = [
  [0, 0.15, 75],
  [-1, '0.15', null, Number.NaN, 1e9],
]
/** Of something that is used up. */
const COUNT: readonly [readonly unknown[], readonly unknown[]] = [
  [1, 1_000_000],
  [0, -1, 1.5, '1', null],
]
const PORT: readonly [readonly unknown[], readonly unknown[]] = [
  [0, 1, 65_535],
  [-1, 65_536, '12000', 1.5, null],
]

const ROWS: readonly Row[] = [
  [
    '.version',
    ['v0.1', 'v0.1.0', '0.1-beta', '0.2.0', 'v0.3.0', 'v0.4.0'],
    ['v0.2.0', 'v0.5.0', 0.4, '', null],
    REQUIRED,
  ],
  ['.listeners', [[], [{ type: 'model', name: 'a' }]], LIST_REFUSED, REQUIRED],
  ['.listeners.type', ['model', 'prompt', 'agent'], ['llm', '', null], REQUIRED],
  ['.listeners.name', ['llm', 'two words'], NAME_REFUSED, REQUIRED],
  ['.listeners.port', ...PORT, ABSENT],
  ['.listeners.address', ['0.0.0.0', '::1', 'localhost'], NAME_REFUSED, '0.0.0.0'],
  ['.listeners.timeout', ...DURATION, ABSENT],
  ['.listeners.max_retries', [0, 3, 20], [-1, 21, 1.5, '3', null], ABSENT],
  ['.listeners.keep_alive', ...DURATION, ABSENT],
  ['.listeners.router', ['plano_orchestrator_v1'], ['other', null], ABSENT],
  ['.listeners.agents', [[], [{ id: 'a', description: '' }]], LIST_REFUSED, ABSENT],
  ['.listeners.agents.id', ['a'], NAME_REFUSED, REQUIRED],
  ['.listeners.agents.description', ['', 'text'], TEXT_REFUSED, REQUIRED],
  ['.listeners.agents.default', ...FLAG, false],
  ['.listeners.agents.input_filters', [[], ['a', 'b']], LIST_REFUSED, ABSENT],
  ['.listeners.input_filters', [[], ['a', 'b']], LIST_REFUSED, ABSENT],
  ['.listeners.output_filters', [[], ['a', 'b']], LIST_REFUSED, ABSENT],
  ['.listeners.tls', [{ certificate_file: 'a', key_file: 'b' }], [...MAP_REFUSED, {}], ABSENT],
  ['.listeners.tls.certificate_file', ['a.pem'], NAME_REFUSED, REQUIRED],
  ['.listeners.tls.key_file', ['a.key'], NAME_REFUSED, REQUIRED],

  ['.model_providers', [[], [{ model: 'openai/a' }]], LIST_REFUSED, []],
  ['.model_providers.model', ['openai/gpt-4o', 'openai/*', 'anything'], NAME_REFUSED, REQUIRED],
  ['.model_providers.name', ['mine', 'openai/gpt-4o'], NAME_REFUSED, ABSENT],
  ['.model_providers.access_key', ['sk-1', ''], TEXT_REFUSED, ABSENT],
  ['.model_providers.access_keys', [['a'], [{ key: 'b' }, 'c']], [...LIST_REFUSED, []], ABSENT],
  ['.model_providers.access_keys.key', ['sk-1'], TEXT_REFUSED, REQUIRED],
  ['.model_providers.access_keys.weight', [0.001, 1, 3], [0, -1, '3', null, Number.POSITIVE_INFINITY], 1],
  ['.model_providers.default', ...FLAG, false],
  ['.model_providers.base_url', ['http://h', ''], TEXT_REFUSED, ABSENT],
  [
    '.model_providers.base_urls',
    [['http://h'], [{ url: 'http://h' }, 'http://i']],
    [...LIST_REFUSED, []],
    ABSENT,
  ],
  ['.model_providers.base_urls.url', ['http://h', ''], TEXT_REFUSED, REQUIRED],
  ['.model_providers.base_urls.weight', [0.001, 1, 3], [0, -1, '3', null, Number.POSITIVE_INFINITY], 1],
  ['.model_providers.http_host', ['h'], NAME_REFUSED, ABSENT],
  [
    '.model_providers.provider_interface',
    [
      'plano',
      'deepseek',
      'groq',
      'mistral',
      'openai',
      'xiaomi',
      'gemini',
      'chatgpt',
      'digitalocean',
      'vercel',
      'openrouter',
      'edenai',
      'moonshotai',
      'anthropic',
      'amazon_bedrock',
    ],
    ['claude', 'arch', 'xai', '', null],
    ABSENT,
  ],
  [
    '.model_providers.upstream_api',
    [
      'openai-chat',
      'openai-responses',
      'anthropic-messages',
      'bedrock-converse',
      'gemini-generate',
      ['openai-chat', 'openai-responses'],
    ],
    ['chat', [], ['chat'], null, 1],
    ABSENT,
  ],
  ['.model_providers.passthrough_auth', ...FLAG, false],
  ['.model_providers.headers', [{}, { 'x-a': 'b' }], [...MAP_REFUSED, { a: 1 }], ABSENT],
  ['.model_providers.routing_preferences', [[], 'anything', [{ name: 'a' }]], [], ABSENT],
  ['.model_providers.region', ['us-east-1'], NAME_REFUSED, ABSENT],
  ['.model_providers.project', ['p-1'], NAME_REFUSED, ABSENT],
  ['.model_providers.api_version', ['2024-10-21', 'preview'], NAME_REFUSED, ABSENT],
  ['.model_providers.cache_marks', ...FLAG, false],
  ['.model_providers.strict', ...FLAG, false],
  ['.model_providers.retry_unsafe', ...FLAG, false],
  ['.model_providers.stream_options', ...FLAG, ABSENT],
  ['.model_providers.auth', [{ type: 'aws' }], [...MAP_REFUSED, {}], ABSENT],
  [
    '.model_providers.auth.type',
    ['aws', 'google', 'entra', 'managed_identity', 'chatgpt'],
    ['key', '', null],
    REQUIRED,
  ],
  ['.model_providers.auth.access_key_id', ['a', ''], TEXT_REFUSED, ABSENT],
  ['.model_providers.auth.secret_access_key', ['a', ''], TEXT_REFUSED, ABSENT],
  ['.model_providers.auth.session_token', ['a', ''], TEXT_REFUSED, ABSENT],
  ['.model_providers.auth.profile', ['a'], NAME_REFUSED, ABSENT],
  ['.model_providers.auth.role_arn', ['arn:aws:iam::1:role/a'], NAME_REFUSED, ABSENT],
  ['.model_providers.auth.tenant_id', ['a'], NAME_REFUSED, ABSENT],
  ['.model_providers.auth.client_id', ['a'], NAME_REFUSED, ABSENT],
  ['.model_providers.auth.client_secret', ['a', ''], TEXT_REFUSED, ABSENT],
  ['.model_providers.auth.scope', ['https://h/.default'], NAME_REFUSED, ABSENT],
  ['.model_providers.auth.authority', ['https://h'], TEXT_REFUSED, ABSENT],
  ['.model_providers.auth.file', ['key.json'], NAME_REFUSED, ABSENT],
  ['.model_providers.auth.token_url', ['https://h/t'], TEXT_REFUSED, ABSENT],
  ['.model_providers.waits', [{}, { connect: '1s' }], MAP_REFUSED, ABSENT],
  ['.model_providers.waits.connect', ...WAIT, ABSENT],
  ['.model_providers.waits.headers', ...WAIT, ABSENT],
  ['.model_providers.waits.first_byte', ...WAIT, ABSENT],
  ['.model_providers.waits.first_content', ...WAIT, ABSENT],
  ['.model_providers.waits.between_bytes', ...WAIT, ABSENT],
  ['.model_providers.fallbacks', [[], ['a']], LIST_REFUSED, ABSENT],
  ['.model_providers.prices', [{ input: 1, output: 2 }], [...MAP_REFUSED, {}], ABSENT],
  ['.model_providers.prices.input', ...PRICE, REQUIRED],
  ['.model_providers.prices.output', ...PRICE, REQUIRED],
  ['.model_providers.prices.cache_read', ...PRICE, ABSENT],
  ['.model_providers.prices.cache_write', ...PRICE, ABSENT],
  ['.model_providers.prices.cache_write_long', ...PRICE, ABSENT],

  ['.model_aliases', [{}, { a: { target: 'b' } }], MAP_REFUSED, {}],
  ['.model_aliases.target', ['gpt-4o'], NAME_REFUSED, REQUIRED],

  ['.agents', [[], [{ id: 'a', url: 'http://h' }]], LIST_REFUSED, []],
  ['.agents.id', ['a'], NAME_REFUSED, REQUIRED],
  ['.agents.url', ['http://h'], NAME_REFUSED, REQUIRED],
  ['.filters', [[], [{ id: 'a', url: 'http://h' }]], LIST_REFUSED, []],
  ['.filters.id', ['a'], NAME_REFUSED, REQUIRED],
  ['.filters.url', ['http://h'], NAME_REFUSED, REQUIRED],
  ['.filters.type', ['mcp', 'http'], ['grpc', null], 'mcp'],
  ['.filters.transport', ['streamable-http'], ['sse', null], ABSENT],
  ['.filters.tool', ['a'], NAME_REFUSED, ABSENT],

  ['.endpoints', [{}, { a: { endpoint: 'h' } }], MAP_REFUSED, {}],
  ['.endpoints.endpoint', ['h', 'h:1'], NAME_REFUSED, REQUIRED],
  ['.endpoints.protocol', ['http', 'https'], ['grpc', null], 'http'],
  ['.endpoints.connect_timeout', ...WAIT, ABSENT],
  ['.endpoints.http_host', ['h'], NAME_REFUSED, ABSENT],
  ['.endpoints.prefix_affinity', ...FLAG, false],

  ['.prompt_targets', [[], [{ name: 'a', description: 'b' }]], LIST_REFUSED, []],
  ['.prompt_targets.name', ['a'], NAME_REFUSED, REQUIRED],
  ['.prompt_targets.description', ['', 'a'], TEXT_REFUSED, REQUIRED],
  ['.prompt_targets.default', ...FLAG, false],
  ['.prompt_targets.auto_llm_dispatch_on_response', ...FLAG, true],
  ['.prompt_targets.system_prompt', ['', 'a'], TEXT_REFUSED, ABSENT],
  ['.prompt_targets.endpoint', [{ name: 'a', path: '/' }], [...MAP_REFUSED, {}], ABSENT],
  ['.prompt_targets.endpoint.name', ['a'], NAME_REFUSED, REQUIRED],
  ['.prompt_targets.endpoint.path', ['/a/{b}'], NAME_REFUSED, REQUIRED],
  ['.prompt_targets.endpoint.http_method', ['GET', 'POST'], ['PUT', 'get', null], 'GET'],
  ['.prompt_targets.endpoint.http_headers', [{}, { a: 'b' }], [...MAP_REFUSED, { a: 1 }], ABSENT],
  ['.prompt_targets.parameters', [[], [{ name: 'a', description: 'b', type: 'str' }]], LIST_REFUSED, ABSENT],
  ['.prompt_targets.parameters.name', ['a'], NAME_REFUSED, REQUIRED],
  ['.prompt_targets.parameters.description', ['', 'a'], TEXT_REFUSED, REQUIRED],
  [
    '.prompt_targets.parameters.type',
    ['str', 'string', 'int', 'integer', 'bool', 'list'],
    NAME_REFUSED,
    REQUIRED,
  ],
  ['.prompt_targets.parameters.required', ...FLAG, false],
  ['.prompt_targets.parameters.default', ['a', 7, true], [null, [], {}], ABSENT],
  ['.prompt_targets.parameters.enum', [[], ['a', 1, true]], ['a', null, [null], [[]]], ABSENT],
  ['.prompt_targets.parameters.in_path', ...FLAG, ABSENT],
  ['.prompt_targets.parameters.format', ['', 'a'], TEXT_REFUSED, ABSENT],
  ['.system_prompt', ['', 'a'], TEXT_REFUSED, ABSENT],
  ['.prompt_guards', [{}, { input_guards: {} }], [...MAP_REFUSED, { a: 1 }], ABSENT],
  ['.prompt_guards.input_guards', [{}, { jailbreak: {} }], [...MAP_REFUSED, { toxicity: {} }], ABSENT],
  ['.prompt_guards.input_guards.jailbreak', [{}, { on_exception: {} }], MAP_REFUSED, ABSENT],
  ['.prompt_guards.input_guards.jailbreak.on_exception', [{}, { message: 'a' }], MAP_REFUSED, ABSENT],
  ['.prompt_guards.input_guards.jailbreak.on_exception.message', ['', 'a'], TEXT_REFUSED, ABSENT],

  ['.routing_preferences', [[], [{ name: 'a', description: 'b', models: ['c'] }]], LIST_REFUSED, []],
  ['.routing_preferences.name', ['a'], NAME_REFUSED, REQUIRED],
  ['.routing_preferences.description', ['', 'a'], TEXT_REFUSED, REQUIRED],
  ['.routing_preferences.models', [['a'], ['a', 'b']], [...LIST_REFUSED, []], REQUIRED],
  ['.routing_preferences.selection_policy', [{ prefer: 'none' }], [...MAP_REFUSED, {}], { prefer: 'none' }],
  [
    '.routing_preferences.selection_policy.prefer',
    ['cheapest', 'fastest', 'none'],
    ['best', null, ''],
    REQUIRED,
  ],

  ['.model_metrics_sources', [[], [{ type: 'cost', provider: 'models.dev' }]], LIST_REFUSED, []],
  ['.model_metrics_sources.type', ['cost'], ['price', null, 'latency'], REQUIRED],
  ['.model_metrics_sources.provider', ['digitalocean', 'models.dev'], ['prometheus', null], REQUIRED],
  ['.model_metrics_sources.url', ['http://h'], NAME_REFUSED, ABSENT],
  ['.model_metrics_sources.refresh_interval', [1, 3_600], [0, -1, 1.5, '60', null], ABSENT],
  ['.model_metrics_sources.model_aliases', [{}, { a: 'b' }], [...MAP_REFUSED, { a: 1 }], ABSENT],
  ['.model_metrics_sources.query', ['up'], TEXT_REFUSED, REQUIRED],

  ['.routing', [{}], MAP_REFUSED, ABSENT],
  ['.routing.model', ['a'], TEXT_REFUSED, ABSENT],
  ['.routing.llm_provider', ['a'], TEXT_REFUSED, ABSENT],
  ['.routing.session_ttl_seconds', [1, 600], [0, 1.5, '600', null], 600],
  ['.routing.session_max_entries', [1, 10_000], [0, 10_001, '1', null], 10_000],
  ['.routing.session_cache', [{}, { type: 'memory' }], MAP_REFUSED, { type: 'memory' }],
  ['.routing.session_cache.type', ['memory', 'redis'], ['disk', null], 'memory'],
  ['.routing.session_cache.url', ['redis://h'], TEXT_REFUSED, ABSENT],
  ['.routing.session_cache.tenant_header', ['x-a'], NAME_REFUSED, ABSENT],
  ['.routing.routing_budget', [{ max_switch_spend_pct: 1 }], [...MAP_REFUSED, {}], ABSENT],
  [
    '.routing.routing_budget.max_switch_spend_pct',
    [0, 12.5, 100],
    [-1, 100.1, '10', null, Number.NaN],
    REQUIRED,
  ],
  ['.routing.routing_budget.replenish_on_rebind', ...FLAG, true],
  ['.routing.routing_budget.cache_read_discount', [0, 0.5, 1], [-0.1, 1.1, null], 0.1],
  ['.routing.routing_budget.record_counterfactual', ...FLAG, false],
  ['.routing.route_on_user_only', ...FLAG, false],

  ['.prompt_caching', [{}], MAP_REFUSED, ABSENT],
  ['.prompt_caching.enabled', ...FLAG, false],
  ['.prompt_caching.session_affinity', ...FLAG, true],
  ['.prompt_caching.inject_cache_control', ...FLAG, true],
  ['.prompt_caching.min_prefix_tokens', [1, 1_024], [0, 1.5, '1', null], 1_024],
  ['.prompt_caching.session_ttl_seconds', [1, 600], [0, 1.5, '1', null], ABSENT],

  ['.ratelimits', [[]], LIST_REFUSED, []],
  ['.ratelimits.model', ['a', '*'], NAME_REFUSED, REQUIRED],
  ['.ratelimits.selector', [{ key: 'a' }], [...MAP_REFUSED, {}], REQUIRED],
  ['.ratelimits.selector.key', ['x-a'], NAME_REFUSED, REQUIRED],
  ['.ratelimits.selector.value', ['a', '*'], NAME_REFUSED, ABSENT],
  ['.ratelimits.limit', [{ tokens: 1, unit: 'day' }], [...MAP_REFUSED, {}], REQUIRED],
  ['.ratelimits.limit.tokens', [1, 1_000_000], [0, -1, 1.5, '1', null], REQUIRED],
  ['.limits', [{}, { rules: [] }], MAP_REFUSED, 'defaults'],
  ['.limits.store', [{}, { type: 'memory' }], MAP_REFUSED, 'defaults'],
  ['.limits.store.type', ['memory', 'redis'], ['postgres', null], 'memory'],
  ['.limits.store.url', ['redis://h:1'], TEXT_REFUSED, ABSENT],
  ['.limits.store.on_failure', ['allow', 'refuse'], ['fail', true, null], 'allow'],
  ['.limits.rules', [[]], LIST_REFUSED, []],
  ['.limits.rules.name', ['a', 'two words'], NAME_REFUSED, REQUIRED],
  ['.limits.rules.match', [{}, { models: ['a'] }], MAP_REFUSED, ABSENT],
  ['.limits.rules.match.models', [['a', 'openai/*']], [...LIST_REFUSED, []], ABSENT],
  ['.limits.rules.match.listeners', [['a']], [...LIST_REFUSED, []], ABSENT],
  [
    '.limits.rules.match.headers',
    [{}, { 'x-team': '*', 'X-Plan': 'free' }],
    [...MAP_REFUSED, { 'x team': 'a' }, { '': 'a' }, { 'x-team': 1 }, { 'x-team': '' }],
    ABSENT,
  ],
  [
    '.limits.rules.per',
    [[], ['model', 'provider', 'listener', 'key', 'address', 'header:x-team']],
    [...LIST_REFUSED, ['user'], ['header:'], ['header:x team']],
    ABSENT,
  ],
  ['.limits.rules.requests', ...COUNT, ABSENT],
  ['.limits.rules.tokens', ...COUNT, ABSENT],
  ['.limits.rules.input_tokens', ...COUNT, ABSENT],
  ['.limits.rules.output_tokens', ...COUNT, ABSENT],
  ['.limits.rules.cost', [0.000_001, 0.5, 1_000], [0, -1, '1', null, 1e12], ABSENT],
  ['.limits.rules.concurrent', [1, 1_000_000], [0, -1, 1.5, 1_000_001, '1', null], ABSENT],
  ['.limits.rules.window', ...WAIT, ABSENT],
  ['.limits.rules.period', ['hour', 'day', 'week', 'month'], ['year', 'minute', null], ABSENT],
  ['.limits.rules.action', ['refuse', 'report'], ['block', null], 'refuse'],
  ['.prices', [{}, { a: { input: 1, output: 2 } }], [...MAP_REFUSED, { a: 1 }, { a: {} }], {}],
  ['.prices.input', ...PRICE, REQUIRED],
  ['.prices.output', ...PRICE, REQUIRED],
  ['.prices.cache_read', ...PRICE, ABSENT],
  ['.prices.cache_write', ...PRICE, ABSENT],
  ['.prices.cache_write_long', ...PRICE, ABSENT],
  ['.ratelimits.limit.unit', ['second', 'minute', 'hour', 'day'], ['month', 'week', null], REQUIRED],

  ['.overrides', [{}], MAP_REFUSED, ABSENT],
  ['.overrides.prompt_target_intent_matching_threshold', [0.6, 1], ['0.6', null], ABSENT],
  ['.overrides.optimize_context_window', ...FLAG, false],
  ['.overrides.use_agent_orchestrator', ...FLAG, false],
  ['.overrides.disable_signals', ...FLAG, false],
  ['.overrides.upstream_connect_timeout', ...WAIT, ABSENT],
  ['.overrides.upstream_tls_ca_path', ['/a.pem'], NAME_REFUSED, ABSENT],
  ['.overrides.llm_routing_model', ['plano/a'], NAME_REFUSED, ABSENT],
  ['.overrides.agent_orchestration_model', ['plano/a'], NAME_REFUSED, ABSENT],
  ['.overrides.orchestrator_model_context_length', [1, 32_768], [0, 1.5, '1', null], 8_192],

  ['.state_storage', [{ type: 'memory' }], [...MAP_REFUSED, {}], ABSENT],
  ['.state_storage.type', ['memory', 'postgres'], ['redis', null], REQUIRED],
  ['.state_storage.connection_string', ['postgres://h'], TEXT_REFUSED, ABSENT],

  ['.tracing', [{}], MAP_REFUSED, ABSENT],
  ['.tracing.random_sampling', [0, 1, 100], [-1, 101, 0.5, '1', null], 0],
  ['.tracing.opentracing_grpc_endpoint', ['http://h:1'], NAME_REFUSED, ABSENT],
  ['.tracing.trace_arch_internal', ...FLAG, ABSENT],
  ['.tracing.span_attributes', [{}], MAP_REFUSED, ABSENT],
  ['.tracing.span_attributes.header_prefixes', [[], ['x-']], LIST_REFUSED, ABSENT],
  [
    '.tracing.span_attributes.static',
    [{}, { a: 'b', c: 1, d: true }],
    [...MAP_REFUSED, { a: null }, { a: [] }],
    ABSENT,
  ],
  ['.tracing.exporters', [[]], LIST_REFUSED, ABSENT],
  ['.tracing.exporters.type', ['posthog'], ['otlp', null], REQUIRED],
  ['.tracing.exporters.url', ['http://h'], NAME_REFUSED, REQUIRED],
  ['.tracing.exporters.api_key', ['k'], TEXT_REFUSED, REQUIRED],
  ['.tracing.exporters.distinct_id_header', ['x-a'], NAME_REFUSED, ABSENT],
  ['.tracing.exporters.capture_messages', ...FLAG, false],
  ['.mode', ['llm', 'prompt'], ['agent', null], ABSENT],

  ['.server', [{}], MAP_REFUSED, 'defaults'],
  ['.server.shards', [1, 256], [0, 257, 1.5, '2', null], ABSENT],
  ['.server.acceptor', ['auto', 'uws', 'node'], ['nginx', null], 'auto'],
  ['.server.drain', ...DURATION, '30s'],
  ['.server.body_bytes_max', ...SIZE, '32MiB'],
  ['.server.header_bytes_max', ...SIZE, '64KiB'],
  ['.server.headers_wait_max', ...WAIT, '10s'],
  ['.server.body_wait_max', ...WAIT, '30s'],
  ['.server.idle_max', ...WAIT, '75s'],
  ['.server.reply_pending_bytes_max', ...SIZE, '256KiB'],
  ['.server.hosted_models', ...FLAG, false],
  ['.server.fetch_images', ...FLAG, false],
  ['.server.tls', [{ certificate_file: 'a', key_file: 'b' }], [...MAP_REFUSED, {}], ABSENT],
  ['.server.tls.certificate_file', ['a'], NAME_REFUSED, REQUIRED],
  ['.server.tls.key_file', ['a'], NAME_REFUSED, REQUIRED],
  ['.upstream', [{}], MAP_REFUSED, 'defaults'],
  ['.upstream.connect', ...WAIT, ABSENT],
  ['.upstream.headers', ...WAIT, '300s'],
  ['.upstream.first_byte', ...WAIT, '300s'],
  ['.upstream.first_content', ...WAIT, '300s'],
  ['.upstream.between_bytes', ...WAIT, '120s'],
  ['.upstream.slow_start', ...WAIT, '120s'],
  ['.upstream.connections_max', [1, 100_000], [0, 100_001, '1', null], 8_192],
  ['.upstream.http2', ['never', 'auto'], ['off', 'h2', true, null], 'never'],
  ['.admin', [{}], MAP_REFUSED, {}],
  ['.admin.address', ['127.0.0.1'], NAME_REFUSED, ABSENT],
  ['.admin.port', ...PORT, ABSENT],
  ['.admin.token', ['t'], TEXT_REFUSED, ABSENT],

  ['.tests', [[], [{ name: 'a', request: {}, expect: {} }]], LIST_REFUSED, []],
  ['.tests.name', ['a sentence'], NAME_REFUSED, REQUIRED],
  ['.tests.request', [{}], [...MAP_REFUSED, { a: 1 }], REQUIRED],
  ['.tests.request.path', ['/v1/messages'], NAME_REFUSED, ABSENT],
  ['.tests.request.method', ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'], ['get', 'TRACE', '', null], 'POST'],
  ['.tests.request.dialect', ['openai-chat', 'gemini-generate'], ['openai', '', null], 'openai-chat'],
  ['.tests.request.model', ['', 'fast'], TEXT_REFUSED, ABSENT],
  ['.tests.request.stream', ...FLAG, false],
  ['.tests.request.headers', [{}, { 'x-a': 'b' }], [...MAP_REFUSED, { a: 1 }], {}],
  ['.tests.request.body', [{}, { max_tokens: 1, any: [{ thing: null }] }], MAP_REFUSED, {}],
  ['.tests.facts', [{}], [...MAP_REFUSED, { a: 1 }], 'defaults'],
  ['.tests.facts.unavailable', [[], ['openai/a']], ['a', 1, null, [1], ['']], []],
  ['.tests.facts.random', [0, 0.5], [-1, 1, '0', null], 0],
  ['.tests.expect', [{}], [...MAP_REFUSED, { a: 1 }], REQUIRED],
  ['.tests.expect.status', [200, 404, 599], [0, 199, 600, '200', null], ABSENT],
  ['.tests.expect.error', ['does not exist'], NAME_REFUSED, ABSENT],
  ['.tests.expect.model', ['gpt-4o'], NAME_REFUSED, ABSENT],
  ['.tests.expect.provider', ['openai'], NAME_REFUSED, ABSENT],
  ['.tests.expect.upstream_dialect', ['bedrock-converse'], ['openai', '', null], ABSENT],
  ['.tests.expect.url', ['https://h/v1/chat/completions'], NAME_REFUSED, ABSENT],
  ['.tests.expect.losses', [[], ['/a', { field: '/b' }]], ['a', null, [1], [{ a: 1 }]], ABSENT],
  ['.tests.expect.losses.field', ['/a'], NAME_REFUSED, REQUIRED],
  ['.tests.expect.losses.action', ['drop', 'map', 'emulate'], ['lose', '', null], ABSENT],
  ['.tests.expect.losses.reason', ['unsupported'], NAME_REFUSED, ABSENT],
  ['.tests.expect.limit', ['pass', 'refuse'], ['deny', '', null], ABSENT],
  ['.tests.expect.guard', ['pass', 'refuse', 'redact'], ['deny', '', null], ABSENT],
]

/** A document in which every container exists once; a row sets or removes one key of it. */
function whole(): Record<string, unknown> {
  const tls = { certificate_file: 'a', key_file: 'b' }
  return {
    version: 'v0.4.0',
    listeners: [{ type: 'model', name: 'a', tls: { ...tls }, agents: [{ id: 'a', description: 'b' }] }],
    model_providers: [
      {
        model: 'openai/a',
        access_keys: [{ key: 'k' }],
        base_urls: [{ url: 'http://h' }],
        auth: { type: 'aws' },
        prices: { input: 1, output: 2 },
        waits: {},
      },
    ],
    model_aliases: { a: { target: 'b' } },
    agents: [{ id: 'a', url: 'http://h' }],
    filters: [{ id: 'a', url: 'http://h' }],
    endpoints: { a: { endpoint: 'h' } },
    prompt_targets: [
      {
        name: 'a',
        description: 'b',
        endpoint: { name: 'a', path: '/' },
        parameters: [{ name: 'a', description: 'b', type: 'str' }],
      },
    ],
    prompt_guards: { input_guards: { jailbreak: { on_exception: {} } } },
    routing_preferences: [
      { name: 'a', description: 'b', models: ['c'], selection_policy: { prefer: 'none' } },
    ],
    model_metrics_sources: [{ type: 'cost', provider: 'models.dev' }],
    routing: { session_cache: {}, routing_budget: { max_switch_spend_pct: 1 } },
    prompt_caching: {},
    ratelimits: [{ model: 'a', selector: { key: 'b' }, limit: { tokens: 1, unit: 'day' } }],
    limits: { store: {}, rules: [{ name: 'a', match: {} }] },
    prices: { a: { input: 1, output: 2 } },
    overrides: {},
    state_storage: { type: 'memory' },
    tracing: { span_attributes: {}, exporters: [{ type: 'posthog', url: 'http://h', api_key: 'k' }] },
    server: { tls: { ...tls } },
    upstream: {},
    admin: {},
    tests: [{ name: 'a', request: {}, facts: {}, expect: { losses: [{ field: '/a' }] } }],
  }
}

/** Maps of names: the path goes on in their first value. */
const NAMED = new Set(['model_aliases', 'endpoints', 'prices'])

function holderOf(root: unknown, keys: readonly string[]): Record<string, unknown> {
  let value = root as Record<string, unknown>
  for (const [at, key] of keys.entries()) {
    value = value[key] as Record<string, unknown>
    if (Array.isArray(value)) value = value[0] as Record<string, unknown>
    else if (at === 0 && NAMED.has(key)) value = Object.values(value)[0] as Record<string, unknown>
  }
  return value
}

function place(path: string): {
  root: Record<string, unknown>
  holder: Record<string, unknown>
  key: string
} {
  const keys = path.split('.').slice(1)
  const key = keys.pop()!
  const root = whole()
  if (path === '.model_metrics_sources.query') {
    root['model_metrics_sources'] = [
      { type: 'latency', provider: 'prometheus', url: 'http://h', query: 'up' },
    ]
  }
  return { root, holder: holderOf(root, keys), key }
}

test('the document of this table is valid', () => {
  expect(document.safeParse(whole()).error).toBeUndefined()
})

describe.each(ROWS)('%s', (path, accepted, refused, unwritten) => {
  test('accepts and refuses', () => {
    for (const value of accepted) {
      const { root, holder, key } = place(path)
      holder[key] = value
      expect(document.safeParse(root).error, `${JSON.stringify(value)} is accepted`).toBeUndefined()
    }
    for (const value of refused) {
      const { root, holder, key } = place(path)
      holder[key] = value
      expect(document.safeParse(root).success, `${JSON.stringify(value)} is refused`).toBe(false)
    }
  })

  test('unwritten', () => {
    const { root, holder, key } = place(path)
    delete holder[key]
    const result = document.safeParse(root)
    expect(result.success).toBe(unwritten !== REQUIRED)
    if (!result.success || unwritten === 'defaults') return
    const found = holderOf(result.data, path.split('.').slice(1, -1))[key]
    expect(found).toEqual(unwritten)
  })

  test('nothing unknown stands beside it', () => {
    const { root, holder, key } = place(path)
    holder[`${key}_`] = 1
    // Names of one's own are free in maps of names.
    expect(document.safeParse(root).success).toBe(false)
  })
})

test('every key of the language has a row', () => {
  const rows = new Set(ROWS.map(([path]) => path))
  const keys = keysOf(configJsonSchema() as SchemaNode)
    .map(({ path }) => path)
    // Deprecated forms become others before this schema sees them; `migrations.test.ts` has them.
    .filter(path => !path.startsWith('.llm_providers') && !/^\.listeners\.(?:e|in)gress_traffic/.test(path))
  expect([...new Set(keys)].filter(path => !rows.has(path))).toEqual([])
})

test('every secret of the schema is one by its path, also in a file full of errors', () => {
  const secrets = keysOf(configJsonSchema() as SchemaNode).filter(({ node }) => holdsSecret(node))
  expect(secrets.length).toBeGreaterThan(8)
  expect(
    secrets.filter(({ path }) => !isSecretPath(path.split('.').slice(1))).map(({ path }) => path),
  ).toEqual([])
})

function holdsSecret(node: SchemaNode): boolean {
  if (node.writeOnly === true) return true
  return node.items !== undefined && holdsSecret(node.items)
}

test('every row is a key of the language', () => {
  const keys = new Set(keysOf(configJsonSchema() as SchemaNode).map(({ path }) => path))
  expect(ROWS.map(([path]) => path).filter(path => !keys.has(path))).toEqual([])
})

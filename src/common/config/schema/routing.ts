// `routing_preferences`, `model_metrics_sources`, `routing`, `prompt_caching`, `overrides`.

import { z } from 'zod'
import { amount, flag, list, name, pick, secret, text, url, wait, whole } from './pieces.ts'

export const routingPreference = z.strictObject({
  name: name('Unique name.'),
  description: text('What prompts it is for; the router reads this.'),
  models: list('Candidates in order.', name('Name or model id of a provider entry.')).min(1),
  selection_policy: z
    .strictObject({
      prefer: pick('`cheapest` needs a cost source, `fastest` a latency source.', [
        'cheapest',
        'fastest',
        'none',
      ]),
    })
    .describe('How the candidates are ordered.')
    .default({ prefer: 'none' }),
})

const refresh = whole('Seconds between two fetches.', 1, 2_000_000).optional()

const costSource = z.strictObject({
  type: z.literal('cost').describe('Prices.'),
  provider: pick('Which price list.', ['digitalocean', 'models.dev']),
  url: url('Another address of the list.').optional(),
  refresh_interval: refresh,
  model_aliases: z
    .record(z.string(), z.string())
    .describe('Name in the list → name in this file.')
    .optional(),
})

const latencySource = z.strictObject({
  type: z.literal('latency').describe('Latencies.'),
  provider: pick('Where latencies come from.', ['prometheus']),
  url: url('Address of the server.'),
  query: text('Query that yields one value per model.'),
  refresh_interval: refresh,
})

export const metricsSource = z.discriminatedUnion('type', [costSource, latencySource])

export const routing = z
  .strictObject({
    model: text('Accepted for old files; has no meaning.').optional(),
    llm_provider: text('Accepted for old files; has no meaning.').optional(),
    session_ttl_seconds: whole('How long a session stays with its model.', 1, 2_000_000_000).default(600),
    session_max_entries: whole('Sessions remembered.', 1, 10_000).default(10_000),
    session_cache: z
      .strictObject({
        type: pick('Where sessions are remembered.', ['memory', 'redis']).default('memory'),
        url: secret('`redis://` or `rediss://` address.').optional(),
        tenant_header: name('Header that separates tenants.').optional(),
      })
      .describe('Where sessions are remembered.')
      .default({ type: 'memory' }),
    routing_budget: z
      .strictObject({
        max_switch_spend_pct: amount('Share of the spend that changes of model may cost, per cent.', 0, 100),
        replenish_on_rebind: flag('A new binding starts with a full budget.').default(true),
        cache_read_discount: amount('Price of cached input relative to fresh input.', 0, 1).default(0.1),
        record_counterfactual: flag('Record what the other choice would have cost.').default(false),
      })
      .describe('Keeps sessions on a model whose prompt cache is warm. Needs a cost source.')
      .optional(),
    route_on_user_only: flag("Choose a model only when the last message is the user's.").default(false),
  })
  .describe('How models are chosen for sessions.')

export const promptCaching = z
  .strictObject({
    enabled: flag('Master switch; while false the rest is ignored.').default(false),
    session_affinity: flag('Derive a session from the prompt prefix.').default(true),
    inject_cache_control: flag('Mark cacheable prefixes for vendors that want marks.').default(true),
    min_prefix_tokens: whole('Shorter prefixes are not marked.', 1, 100_000_000).default(1_024),
    session_ttl_seconds: whole('Default: `routing.session_ttl_seconds`.', 1, 2_000_000_000).optional(),
  })
  .describe('Prompt caches of vendors.')

export const overrides = z
  .strictObject({
    prompt_target_intent_matching_threshold: z
      .number()
      .describe('Accepted for old files; has no meaning.')
      .optional(),
    optimize_context_window: flag('Tell function calling to shorten the context.').default(false),
    use_agent_orchestrator: flag('Send every prompt to the one endpoint.').default(false),
    disable_signals: flag('Skip the analysis of conversations.').default(false),
    upstream_connect_timeout: wait('Bound for connecting to any upstream. Default 5s.').optional(),
    upstream_tls_ca_path: name('PEM file of trusted authorities for upstreams.').optional(),
    llm_routing_model: name('Router model; text up to the first `/` is dropped.').optional(),
    agent_orchestration_model: name('Model that chooses agents.').optional(),
    orchestrator_model_context_length: whole('Prompt budget of the router, tokens.', 1, 100_000_000).default(
      8_192,
    ),
  })
  .describe('Settings over everything.')

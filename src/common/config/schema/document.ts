// The whole file, after migration. One key of the top per line.

import { z } from 'zod'
import { agent, endpoint, filter } from './agents.ts'
import { listener } from './listeners.ts'
import { limits, rateLimit } from './limits.ts'
import { list, name, pick, text } from './pieces.ts'
import { promptGuards, promptTarget } from './prompt-targets.ts'
import { alias, price, provider } from './providers.ts'
import { metricsSource, overrides, promptCaching, routing, routingPreference } from './routing.ts'
import { admin, server, upstream } from './server.ts'
import { stateStorage, tracing } from './state.ts'
import { configTest } from './tests.ts'

export const VERSIONS = ['v0.1', 'v0.1.0', '0.1-beta', '0.2.0', 'v0.3.0', 'v0.4.0'] as const

export const document = z.strictObject({
  version: pick('Version of the language the file is written in.', VERSIONS),
  listeners: list('The sockets. Without a model listener one on port 12000 is added.', listener),
  model_providers: list('The upstream models.', provider).default([]),
  model_aliases: z.record(name('An alias.'), alias).describe('Further names of models.').default({}),
  agents: list('Agents that listeners may choose.', agent).default([]),
  filters: list('Filters that listeners and agents may run.', filter).default([]),
  endpoints: z.record(z.string(), endpoint).describe('Hosts of prompt targets.').default({}),
  prompt_targets: list('Functions of prompt listeners.', promptTarget).default([]),
  system_prompt: text('System message of prompt targets.').optional(),
  prompt_guards: promptGuards.optional(),
  routing_preferences: list('Which models are good for which prompts.', routingPreference).default([]),
  model_metrics_sources: list('Where prices and latencies come from.', metricsSource).default([]),
  routing: routing.optional(),
  prompt_caching: promptCaching.optional(),
  overrides: overrides.optional(),
  ratelimits: list('Limits on input tokens.', rateLimit).default([]),
  limits: limits.prefault({}),
  prices: z
    .record(name('Name, model id or alias, or a model under a wildcard.'), price)
    .describe('What models cost, where no entry says it; win over every price list.')
    .default({}),
  state_storage: stateStorage.optional(),
  tracing: tracing.optional(),
  mode: pick('Accepted for old files; has no meaning.', ['llm', 'prompt']).optional(),
  server: server.prefault({}),
  upstream: upstream.prefault({}),
  admin: admin.prefault({}),
  tests: list('What the file promises; checked before it is used.', configTest).default([]),
})

export type ConfigDocument = z.output<typeof document>

// Which keys of the language nothing obeys yet. Whoever builds a feature deletes its row; the start-up line and
// `check` read the rest.

import type { ConfigDocument } from './schema/document.ts'

interface Dormant {
  /** As shown: the key of the file. */
  readonly key: string
  readonly used: (document: ConfigDocument) => boolean
}

const DORMANT: readonly Dormant[] = [
  { key: 'agents', used: document => document.agents.length > 0 },
  { key: 'filters', used: document => document.filters.length > 0 },
  { key: 'endpoints', used: document => Object.keys(document.endpoints).length > 0 },
  { key: 'prompt_targets', used: document => document.prompt_targets.length > 0 },
  { key: 'system_prompt', used: document => document.system_prompt !== undefined },
  { key: 'prompt_guards', used: document => document.prompt_guards !== undefined },
  { key: 'routing_preferences', used: document => document.routing_preferences.length > 0 },
  { key: 'model_metrics_sources', used: document => document.model_metrics_sources.length > 0 },
  { key: 'routing', used: document => document.routing !== undefined },
  { key: 'prompt_caching', used: document => document.prompt_caching?.enabled === true },
  { key: 'ratelimits', used: document => document.ratelimits.length > 0 },
  { key: 'limits', used: document => document.limits.rules.length > 0 },
  { key: 'state_storage', used: document => document.state_storage !== undefined },
  { key: 'tracing', used: document => document.tracing !== undefined },
  { key: 'tests[].expect.limit', used: hasExpectation('limit') },
  { key: 'tests[].expect.guard', used: hasExpectation('guard') },
  { key: 'listeners[].type: prompt', used: hasType('prompt') },
  { key: 'listeners[].type: agent', used: hasType('agent') },
  { key: 'listeners[].input_filters', used: hasList('input_filters') },
  { key: 'listeners[].output_filters', used: hasList('output_filters') },
  ...(
    [
      'optimize_context_window',
      'use_agent_orchestrator',
      'disable_signals',
      'upstream_tls_ca_path',
      'llm_routing_model',
      'agent_orchestration_model',
    ] as const
  ).map(key => ({
    key: `overrides.${key}`,
    used: (document: ConfigDocument) => Boolean(document.overrides?.[key]),
  })),
]

function hasType(type: 'prompt' | 'agent') {
  return (document: ConfigDocument) => document.listeners.some(listener => listener.type === type)
}

function hasList(key: 'input_filters' | 'output_filters') {
  return (document: ConfigDocument) => document.listeners.some(listener => (listener[key] ?? []).length > 0)
}

function hasExpectation(key: 'limit' | 'guard') {
  return (document: ConfigDocument) => document.tests.some(test => test.expect[key] !== undefined)
}

/** Keys of this file that are kept in the plan and that nothing obeys yet. */
export function notActive(document: ConfigDocument): string[] {
  return DORMANT.filter(entry => entry.used(document)).map(entry => entry.key)
}

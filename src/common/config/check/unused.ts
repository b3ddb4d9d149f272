// Keys that are read and have no meaning, and combinations that have none: one warning each, so that nobody relies
// on them.

import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type { ConfigDocument } from '../schema/document.ts'

/** Reports every such key of the file. */
export function warnUnused(document: ConfigDocument, findings: Findings): void {
  const warn = (path: Path, why = 'this key has no meaning and is ignored') =>
    findings.warn({ code: 'W17', path, at: 'key', message: why, showFound: false })
  if (document.mode !== undefined) warn(['mode'])
  if (document.routing?.model !== undefined) warn(['routing', 'model'])
  if (document.routing?.llm_provider !== undefined) warn(['routing', 'llm_provider'])
  if (document.overrides?.prompt_target_intent_matching_threshold !== undefined) {
    warn(['overrides', 'prompt_target_intent_matching_threshold'])
  }
  if (document.tracing?.trace_arch_internal !== undefined) warn(['tracing', 'trace_arch_internal'])
  for (const [at, listener] of document.listeners.entries()) {
    if (listener.router !== undefined) warn(['listeners', at, 'router'])
  }
  for (const [at, filter] of document.filters.entries()) {
    if (filter.transport !== undefined && filter.type === 'http') {
      warn(['filters', at, 'transport'], '`transport` is a setting of MCP filters; this one is http')
    }
  }
  for (const [at, target] of document.prompt_targets.entries()) {
    for (const [index, parameter] of (target.parameters ?? []).entries()) {
      if (parameter.in_path !== undefined) warn(['prompt_targets', at, 'parameters', index, 'in_path'])
    }
  }
  if (document.prompt_caching !== undefined && !document.prompt_caching.enabled) {
    warn(
      ['prompt_caching'],
      'prompt caching is off, so the other keys of this block are ignored; set `enabled: true`',
    )
  }
  warnGuards(document, findings)
  warnSessions(document, findings)
}

/** A guard that guards nothing is worse than none. */
function warnGuards(document: ConfigDocument, findings: Findings): void {
  if (document.prompt_guards?.input_guards?.jailbreak === undefined) return
  const message =
    'no guard is built in yet: PROMPTS ARE NOT CHECKED for attempts to break out. Use an input filter on the listener'
  findings.warn({ code: 'W18', path: ['prompt_guards'], at: 'key', message, showFound: false })
}

function warnSessions(document: ConfigDocument, findings: Findings): void {
  const cache = document.routing?.session_cache
  if (cache?.type !== 'memory' || cache.url === undefined) return
  const message = 'the session cache is in memory, so its `url` is ignored; set `type: redis`'
  findings.warn({ code: 'W17', path: ['routing', 'session_cache', 'url'], message, showFound: false })
}

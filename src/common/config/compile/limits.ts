// `limits` and `ratelimits`: how much callers may use. Owns what a rule must say to be countable.

import { durationMs } from '../durations.ts'
import { nearestNames } from '../../nearest.ts'
import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type { ListenerPlan } from '../plan.ts'
import type { LimitPlan, LimitStorePlan, LimitTrait, RateLimitPlan } from '../plan-features.ts'
import type { ConfigDocument } from '../schema/document.ts'
import type { LimitRule } from '../schema/limits.ts'
import type { ModelNames } from './names.ts'
import { resolved } from './resolved.ts'

type Aliases = Readonly<Record<string, string>>

const WINDOWS_MS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const

export interface LimitSources {
  readonly document: ConfigDocument
  readonly names: ModelNames
  readonly aliases: Aliases
  readonly sockets: readonly ListenerPlan[]
  readonly findings: Findings
}

export function compileRateLimits({ document, names, aliases, findings }: LimitSources): RateLimitPlan[] {
  const seen = new Set<string>()
  return document.ratelimits.map((entry, at) => {
    const path: Path = ['ratelimits', at]
    const header = entry.selector.key.toLowerCase()
    const value = entry.selector.value === '*' ? null : (entry.selector.value ?? null)
    const models =
      entry.model === '*'
        ? null
        : resolved(entry.model, [...path, 'model'], 'S14', 'the rate limit', names, aliases, findings)
    const key = JSON.stringify([models, header, value])
    if (seen.has(key)) {
      const message = 'the same model and selector has a limit above; both count'
      findings.warn({ code: 'W16', path, message, showFound: false })
    }
    seen.add(key)
    return { models, header, value, tokens: entry.limit.tokens, windowMs: WINDOWS_MS[entry.limit.unit] }
  })
}

export function compileLimits(sources: LimitSources): LimitPlan[] {
  const taken = new Set<string>()
  return sources.document.limits.rules.map((rule, at) => {
    const path: Path = ['limits', 'rules', at]
    if (taken.has(rule.name)) {
      const message = 'another limit has this name; names are unique'
      sources.findings.error({ code: 'S22', path: [...path, 'name'], message })
    }
    taken.add(rule.name)
    checkCountable(rule, path, sources.findings)
    return {
      name: rule.name,
      models: modelsOf(rule, path, sources),
      listeners: listenersOf(rule, path, sources),
      headers: headersOf(rule),
      per: (rule.per ?? []).map(traitOf),
      requests: rule.requests ?? null,
      tokens: rule.tokens ?? null,
      inputTokens: rule.input_tokens ?? null,
      outputTokens: rule.output_tokens ?? null,
      costUsd: rule.cost ?? null,
      concurrent: rule.concurrent ?? null,
      windowMs: rule.window === undefined ? null : durationMs(rule.window),
      period: rule.period ?? null,
      action: rule.action,
    }
  })
}

/** What is counted over time. */
const AMOUNTS = ['requests', 'tokens', 'input_tokens', 'output_tokens', 'cost'] as const

function checkCountable(rule: LimitRule, path: Path, findings: Findings): void {
  const amounts = AMOUNTS.filter(key => rule[key] !== undefined)
  const times = (['window', 'period'] as const).filter(key => rule[key] !== undefined)
  const fail = (message: string) => findings.error({ code: 'S20', path, message, showFound: false })
  if (amounts.length === 0 && rule.concurrent === undefined) {
    fail(`the limit \`${rule.name}\` counts nothing; give it ${AMOUNTS.join(', ')} or concurrent`)
  } else if (amounts.length > 0 && times.length === 0) {
    fail(
      `the limit \`${rule.name}\` does not say over what time; give it \`window\`, like 1m, or \`period\`, like day`,
    )
  } else if (times.length === 2) {
    fail(`the limit \`${rule.name}\` has a window and a period; give it one of them`)
  } else if (amounts.length === 0 && times.length > 0) {
    fail(`the limit \`${rule.name}\` counts what is at the same time; leave its ${times[0]} out`)
  }
}

function modelsOf(rule: LimitRule, path: Path, sources: LimitSources): string[] | null {
  const { names, aliases, findings } = sources
  return (
    rule.match?.models?.flatMap((model, index) => {
      if (names.isWildcard(model)) return [model]
      const place: Path = [...path, 'match', 'models', index]
      return resolved(model, place, 'S14', `the limit \`${rule.name}\``, names, aliases, findings)
    }) ?? null
  )
}

/** In the order of their names: that of keys means nothing. */
function headersOf(rule: LimitRule): LimitPlan['headers'] {
  return Object.entries(rule.match?.headers ?? {})
    .map(([name, value]) => ({ name: name.toLowerCase(), value: value === '*' ? null : value }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function listenersOf(rule: LimitRule, path: Path, { sockets, findings }: LimitSources): string[] | null {
  const known = sockets.map(listener => listener.name)
  for (const [index, name] of (rule.match?.listeners ?? []).entries()) {
    if (known.includes(name)) continue
    const message = `the limit \`${rule.name}\` names a listener that is not configured`
    findings.error({
      code: 'S21',
      path: [...path, 'match', 'listeners', index],
      message,
      allowed: known.join(', '),
      suggestions: nearestNames(name, known, 1),
    })
  }
  return rule.match?.listeners ?? null
}

function traitOf(text: string): LimitTrait {
  const header = /^header:(.*)$/.exec(text)
  if (header !== null) return { kind: 'header', header: header[1]!.toLowerCase() }
  return { kind: text as Exclude<LimitTrait['kind'], 'header'>, header: null }
}

export function compileLimitStore({ document: { limits }, findings }: LimitSources): LimitStorePlan {
  const { type, url, on_failure: onFailure } = limits.store
  if (type === 'redis' && (url === undefined || !/^rediss?:\/\/./.test(url.secret))) {
    const message = 'a redis store of limits needs `url`, starting with redis:// or rediss://'
    findings.error({ code: 'E67', path: ['limits', 'store'], message, showFound: false })
  }
  return { type, redisUrl: url ?? null, onFailure }
}

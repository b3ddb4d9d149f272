// From the arguments of a command to a plan, and the plan in the few facts a script asks for.

import { resolve } from 'node:path'
import type { ConfigIssue, LoadedPlan, Plan, ProviderPlan } from '../common/config/index.ts'
import { atHosts, loadPlan } from '../common/config/index.ts'
import { upstreamPath } from '../providers/index.ts'
import { publicModels } from '../routing/index.ts'
import { maskerOf } from './secrets.ts'
import type { Env, Shell } from './terminal.ts'

export interface FileOptions {
  /** Where the file is looked for. */
  readonly path?: string
}

export interface Target {
  readonly file: string | null
  readonly cwd: string
  readonly env: Env
}

/** What the file argument and `--path` mean together. */
export function targetOf(shell: Shell, file: string | undefined, { path }: FileOptions): Target {
  return { file: file ?? null, cwd: resolve(shell.cwd, path ?? '.'), env: shell.env }
}

/** Throws `ConfigErrors`, which the command line prints. */
export function loadTarget(target: Target): LoadedPlan {
  return loadPlan(target)
}

/** One finding, for a script. */
export interface Finding {
  readonly code: string
  readonly file: string
  readonly line: number | null
  readonly column: number | null
  readonly path: string
  readonly message: string
}

export function findingOf({ code, file, line, column, path, message }: ConfigIssue): Finding {
  return { code, file, line, column, path, message }
}

export interface PlanSummary {
  readonly listeners: readonly { name: string; type: string; address: string; port: number }[]
  readonly models: readonly string[]
  readonly aliases: Readonly<Record<string, string>>
  readonly default: string | null
  readonly routing_preferences: Readonly<Record<string, readonly string[]>>
  /** By entry; a list where it has several addresses. */
  readonly upstreams: Readonly<Record<string, string | readonly string[]>>
}

export function summaryOf(plan: Plan): PlanSummary {
  const mask = maskerOf(plan)
  return {
    listeners: plan.listeners.map(({ name, type, address, port }) => ({ name, type, address, port })),
    models: publicModels(plan).map(model => model.id),
    aliases: plan.aliases,
    default: plan.providers.find(provider => provider.isDefault)?.name ?? null,
    routing_preferences: Object.fromEntries(
      (plan.features?.routes ?? []).map(route => [route.name, route.models]),
    ),
    upstreams: Object.fromEntries(
      plan.providers.map(provider => {
        const places = atHosts(provider).map(at => mask(endpointOf(at, provider.model)))
        return [provider.name, places.length === 1 ? places[0]! : places]
      }),
    ),
  }
}

/** Where calls of a provider with one address go. */
export function endpointOf(provider: ProviderPlan, model: string): string {
  return provider.origin + upstreamPath(provider, provider.dialects[0]!, 'generate', model, false)
}

export const NO_PLAN: PlanSummary = {
  listeners: [],
  models: [],
  aliases: {},
  default: null,
  routing_preferences: {},
  upstreams: {},
}

/** Shown of a hash; the same length as in reply headers. */
export const HASH_CHARS = 12

/** A wildcard entry by what it answers to, another by its name. */
export function entryName(provider: Plan['providers'][number]): string {
  return provider.wildcardPrefix === null ? provider.name : `${provider.wildcardPrefix}/*`
}

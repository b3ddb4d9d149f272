// `prompt_targets` and the orchestrator switch: functions of prompt listeners and the hosts they call.

import { nearestNames } from '../../nearest.ts'
import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type { PromptTargetPlan } from '../plan-features.ts'
import type { ConfigDocument } from '../schema/document.ts'
import type { PromptTargetEntry } from '../schema/prompt-targets.ts'
import { Secret } from '../secret.ts'
import type { Remotes } from './remotes.ts'

export function compilePromptTargets(
  document: ConfigDocument,
  { endpoints, ids }: Remotes,
  findings: Findings,
): PromptTargetPlan[] {
  const known = new Set([
    ...endpoints.map(endpoint => endpoint.name),
    ...ids,
    ...Object.keys(document.endpoints),
  ])
  const names = new Set<string>()
  return document.prompt_targets.map((entry, at) => {
    const path: Path = ['prompt_targets', at]
    if (names.has(entry.name)) {
      const message = 'another prompt target has this name; names are unique'
      findings.error({ code: 'S12', path: [...path, 'name'], message })
    }
    names.add(entry.name)
    checkEndpoint(entry, path, known, findings)
    checkParameters(entry, path, findings)
    return targetOf(entry, document.system_prompt)
  })
}

function checkEndpoint(
  entry: PromptTargetEntry,
  path: Path,
  known: ReadonlySet<string>,
  findings: Findings,
): void {
  const name = entry.endpoint?.name
  if (name === undefined || known.has(name)) return
  findings.error({
    code: 'E21',
    path: [...path, 'endpoint', 'name'],
    message: `the prompt target \`${entry.name}\` calls an endpoint that is not in \`endpoints\``,
    allowed: known.size === 0 ? 'none is configured' : [...known].join(', '),
    suggestions: nearestNames(name, known, 1),
  })
}

/** A placeholder without a parameter can never be filled. */
function checkParameters(entry: PromptTargetEntry, path: Path, findings: Findings): void {
  const names = new Set((entry.parameters ?? []).map(parameter => parameter.name))
  for (const [, name] of (entry.endpoint?.path ?? '').matchAll(/\{([^{}]+)\}/g)) {
    if (names.has(name!)) continue
    const message = `the path names \`{${name}}\`, and the target has no such parameter`
    const suggestions = nearestNames(name!, names, 1)
    findings.warn({
      code: 'W15',
      path: [...path, 'endpoint', 'path'],
      message,
      showFound: false,
      suggestions,
    })
  }
}

function targetOf(entry: PromptTargetEntry, systemPrompt: string | undefined): PromptTargetPlan {
  const { endpoint } = entry
  return {
    name: entry.name,
    description: entry.description,
    isDefault: entry.default,
    dispatchOnResponse: entry.auto_llm_dispatch_on_response,
    systemPrompt: entry.system_prompt ?? systemPrompt ?? null,
    endpoint:
      endpoint === undefined
        ? null
        : {
            name: endpoint.name,
            path: endpoint.path,
            method: endpoint.http_method,
            // Sorted, because the order of a map means nothing and must not change the hash.
            headers: Object.entries(endpoint.http_headers ?? {})
              .map(([name, value]) => ({ name: name.toLowerCase(), value: new Secret(value) }))
              .sort((a, b) => (a.name < b.name ? -1 : 1)),
          },
    parameters: (entry.parameters ?? []).map(parameter => ({
      name: parameter.name,
      description: parameter.description,
      type: parameter.type,
      required: parameter.required,
      default: parameter.default ?? null,
      enum: parameter.enum ?? null,
      format: parameter.format ?? null,
    })),
  }
}

/** The one endpoint of `overrides.use_agent_orchestrator`; agents and filters count as endpoints. */
export function orchestratorEndpoint(
  document: ConfigDocument,
  { ids }: Remotes,
  findings: Findings,
): string | null {
  if (document.overrides?.use_agent_orchestrator !== true) return null
  const names = [...new Set([...Object.keys(document.endpoints), ...ids])]
  const path = ['overrides', 'use_agent_orchestrator']
  if (names.length === 0) {
    const message = 'the orchestrator needs one endpoint to send prompts to, and there is none'
    findings.error({ code: 'E40', path, message, showFound: false })
    return null
  }
  if (names.length > 1) {
    const message = `the orchestrator needs exactly one endpoint, and there are ${names.length} (agents and filters count)`
    findings.error({ code: 'E41', path, message, showFound: false, allowed: names.join(', ') })
    return null
  }
  return names[0]!
}

// M9: the models that choose routes, agents and functions in the reference live at a host of its maker. Here they are
// added only where the file says `server.hosted_models: true`, because prompts would go to that host; without it
// nobody's prompt leaves for a place the operator did not name.

import type { ProviderPlan } from '../plan.ts'
import type { ConfigDocument } from '../schema/document.ts'
import { vendorOf } from '../vendors.ts'

const DEFAULT_MODEL = 'Plano-Orchestrator'
const FUNCTION_NAME = 'arch-function'
const FUNCTION_MODEL = 'Arch-Function'

/** The internal entries of a file, none without the switch. */
export function internalProviders(
  document: ConfigDocument,
  providers: readonly ProviderPlan[],
): ProviderPlan[] {
  if (document.server.hosted_models !== true) return []
  const { overrides } = document
  const has = (model: string) => providers.some(provider => provider.model === model)
  const added: ProviderPlan[] = []
  const router = bare(overrides?.llm_routing_model)
  if (document.routing_preferences.length > 0 && !has(router))
    added.push(hosted('plano-orchestrator', router))
  if (!providers.some(provider => provider.name === FUNCTION_NAME)) {
    added.push(hosted(FUNCTION_NAME, FUNCTION_MODEL))
  }
  const agents = bare(overrides?.agent_orchestration_model)
  if (!has(agents)) added.push(hosted('plano/orchestrator', agents))
  return added
}

function bare(model: string | undefined): string {
  return model === undefined ? DEFAULT_MODEL : model.slice(model.indexOf('/') + 1)
}

function hosted(name: string, model: string): ProviderPlan {
  const vendor = vendorOf('plano')!
  return {
    name,
    provider: vendor.id,
    model,
    wildcardPrefix: null,
    dialects: vendor.dialects,
    origin: vendor.origin!,
    pathPrefix: vendor.pathPrefix,
    dialectPrefixes: {},
    accessKeys: [],
    fallbacks: [],
    passthroughAuth: false,
    keyOptional: true,
    headers: [],
    httpHost: null,
    isDefault: false,
    internal: true,
    sourceNote: 'server.hosted_models',
  }
}

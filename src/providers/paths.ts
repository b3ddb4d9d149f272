// Where a call goes at a provider, and in which dialect. The suffix depends on the upstream dialect only; the root is
// the provider's. Facts: `translation` specification, sections 2.3 and 2.4, and the vendors' references.

import type { ProviderPlan } from '../common/config/plan.ts'
import type { DialectId } from '../translate/index.ts'

export type UpstreamOperation = 'generate' | 'count-tokens'

/** A date is a version of Azure's old interface; words like `preview` are versions of the undated one. */
const DATED = /^\d{4}-\d{2}-\d{2}/

/** What a provider speaks when asked for this model, preferred first. */
export function upstreamDialects(provider: ProviderPlan, model: string): readonly DialectId[] {
  if (provider.provider !== 'vertex' || provider.dialects.length < 2) return provider.dialects
  // Vertex has a dialect per publisher, and a wildcard does not say whose model is meant.
  return [isClaude(model) ? 'anthropic-messages' : 'gemini-generate']
}

/** The body names the model and says whether the reply is a stream; elsewhere the path does. */
export function pathNamesModel(provider: ProviderPlan, dialect: DialectId): boolean {
  return dialect === 'bedrock-converse' || dialect === 'gemini-generate' || provider.provider === 'vertex'
}

/** Path and query of a call; `model` is the id at the provider. */
export function upstreamPath(
  provider: ProviderPlan,
  dialect: DialectId,
  operation: UpstreamOperation,
  model: string,
  streaming: boolean,
): string {
  const path = dialectPath(provider, dialect, operation, model, streaming)
  if (provider.query === undefined) return path
  return `${path}${path.includes('?') ? '&' : '?'}${provider.query}`
}

function dialectPath(
  provider: ProviderPlan,
  dialect: DialectId,
  operation: UpstreamOperation,
  model: string,
  streaming: boolean,
): string {
  const root = provider.dialectPrefixes?.[dialect] ?? provider.pathPrefix
  if (provider.provider === 'azure_openai') return azurePath(provider, root, dialect, model)
  switch (dialect) {
    case 'openai-chat':
      return `${root}/chat/completions`
    case 'openai-responses':
      return `${root}/responses`
    case 'anthropic-messages': {
      if (provider.provider === 'vertex') return vertexClaudePath(root, operation, model, streaming)
      // An Anthropic-compatible root such as `/anthropic` keeps its versioned path below it.
      const versioned = /\/v\d+$/.test(root) ? root : `${root}/v1`
      return operation === 'count-tokens' ? `${versioned}/messages/count_tokens` : `${versioned}/messages`
    }
    case 'bedrock-converse':
      return `${root}/model/${segment(model)}/${streaming ? 'converse-stream' : 'converse'}`
    case 'gemini-generate':
      return `${geminiModel(provider, root, model)}:${geminiMethod(operation, streaming)}`
  }
}

function azurePath(provider: ProviderPlan, root: string, dialect: DialectId, model: string): string {
  const { apiVersion } = provider
  const suffix = dialect === 'openai-responses' ? 'responses' : 'chat/completions'
  const query = apiVersion === undefined ? '' : `?api-version=${encodeURIComponent(apiVersion)}`
  if (apiVersion === undefined || !DATED.test(apiVersion)) {
    const versioned = root.endsWith('/openai') ? `${root}/v1` : root
    return `${versioned}/${suffix}${query}`
  }
  const [above = '', deployment] = root.replace(/\/v1$/, '').split('/deployments/')
  if (suffix === 'responses') return `${above}/${suffix}${query}`
  return `${above}/deployments/${deployment ?? segment(model)}/${suffix}${query}`
}

function vertexClaudePath(
  root: string,
  operation: UpstreamOperation,
  model: string,
  streaming: boolean,
): string {
  const models = `${root}/publishers/anthropic/models`
  if (operation === 'count-tokens') return `${models}/count-tokens:rawPredict`
  return `${models}/${segment(model)}:${streaming ? 'streamRawPredict' : 'rawPredict'}`
}

function geminiModel(provider: ProviderPlan, root: string, model: string): string {
  const id = model.startsWith('models/') ? model.slice('models/'.length) : model
  if (provider.provider === 'vertex') return `${root}/publishers/google/models/${segment(id)}`
  const versioned = /\/v\d+(?:(?:alpha|beta)\d*)?(?:\/|$)/.test(root) ? root : `${root}/v1beta`
  return `${versioned}/models/${segment(id)}`
}

function geminiMethod(operation: UpstreamOperation, streaming: boolean): string {
  if (operation === 'count-tokens') return 'countTokens'
  return streaming ? 'streamGenerateContent?alt=sse' : 'generateContent'
}

/** One segment, whatever is in it: only unreserved characters stay. */
function segment(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

export function isClaude(model: string): boolean {
  return /(?:^|[./])claude/i.test(model)
}

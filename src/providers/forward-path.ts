// Where a forwarded call goes at a provider with an OpenAI-compatible interface, and where embeddings are made at those
// without one. Facts: `wire-formats` specification, section 1.6, and the vendors' references.

import type { ProviderPlan } from '../common/config/plan.ts'

/** A date is a version of Azure's old interface, which names the deployment in the path. */
const DATED = /^\d{4}-\d{2}-\d{2}/

/** `suffix` is what stands behind `/v1`, `query` the caller's own, `model` '' where none is named. */
export function forwardPath(provider: ProviderPlan, model: string, suffix: string, query: string): string {
  const root = provider.dialectPrefixes?.['openai-chat'] ?? provider.pathPrefix
  const { apiVersion } = provider
  const asked = withoutKey(query)
  const version = apiVersion === undefined ? '' : `api-version=${encodeURIComponent(apiVersion)}`
  if (provider.provider !== 'azure_openai') return withQuery(root + suffix, asked, provider.query)
  if (apiVersion === undefined || !DATED.test(apiVersion)) {
    const versioned = root.endsWith('/openai') ? `${root}/v1` : root
    return withQuery(versioned + suffix, asked, version, provider.query)
  }
  const [above = '', deployment] = root.replace(/\/v1$/, '').split('/deployments/')
  // Files and batches belong to the resource, everything with a model to its deployment.
  const name = deployment ?? (model === '' ? null : encodeURIComponent(model))
  const place =
    name === null || /^\/(?:files|batches)\b/.test(suffix) ? above : `${above}/deployments/${name}`
  return withQuery(place + suffix, asked, version, provider.query)
}

/** A key in the caller's query was meant for us. */
function withoutKey(query: string): string {
  if (!query.includes('key=')) return query
  return query
    .split('&')
    .filter(part => !/^(?:api[_-]?)?key=/i.test(part))
    .join('&')
}

export type EmbeddingsForm = 'gemini' | 'vertex' | 'bedrock'

/** The form of a provider's own interface for embeddings; null where it is OpenAI's, or where there is none. */
export function embeddingsForm(provider: ProviderPlan): EmbeddingsForm | null {
  if (provider.dialects.includes('bedrock-converse')) return 'bedrock'
  if (!provider.dialects.includes('gemini-generate')) return null
  return provider.provider === 'vertex' ? 'vertex' : 'gemini'
}

/** Path of one call for embeddings in a form of its own. */
export function embeddingsPath(provider: ProviderPlan, form: EmbeddingsForm, model: string): string {
  const id = model.startsWith('models/') ? model.slice('models/'.length) : model
  const name = encodeURIComponent(id)
  if (form === 'bedrock') {
    const root = provider.dialectPrefixes?.['bedrock-converse'] ?? provider.pathPrefix
    return withQuery(`${root}/model/${name}/invoke`, provider.query)
  }
  const root = provider.dialectPrefixes?.['gemini-generate'] ?? provider.pathPrefix
  if (form === 'vertex') return withQuery(`${root}/publishers/google/models/${name}:predict`, provider.query)
  const versioned = /\/v\d+(?:(?:alpha|beta)\d*)?(?:\/|$)/.test(root) ? root : `${root}/v1beta`
  return withQuery(`${versioned}/models/${name}:batchEmbedContents`, provider.query)
}

function withQuery(path: string, ...queries: readonly (string | undefined)[]): string {
  const query = queries.filter(text => text !== undefined && text !== '').join('&')
  return query === '' ? path : `${path}?${query}`
}

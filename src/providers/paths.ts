// Where a call goes at a provider. The suffix depends on the upstream dialect only; the root is the provider's.
// Facts: `translation` specification, sections 2.3 and 2.4.

import type { ProviderPlan } from '../common/config/plan.ts'
import type { DialectId } from '../translate/index.ts'

export type UpstreamOperation = 'generate' | 'count-tokens'

/** Path and query of a call; `model` is the id at the provider. */
export function upstreamPath(
  provider: ProviderPlan,
  dialect: DialectId,
  operation: UpstreamOperation,
  model: string,
  streaming: boolean,
): string {
  const root = provider.dialectPrefixes?.[dialect] ?? provider.pathPrefix
  switch (dialect) {
    case 'openai-chat':
      return `${root}/chat/completions`
    case 'openai-responses':
      return `${root}/responses`
    case 'anthropic-messages': {
      // An Anthropic-compatible root such as `/anthropic` keeps its versioned path below it.
      const versioned = /\/v\d+$/.test(root) ? root : `${root}/v1`
      return operation === 'count-tokens' ? `${versioned}/messages/count_tokens` : `${versioned}/messages`
    }
    case 'bedrock-converse':
      return `${root}/model/${encodeURIComponent(model)}/${streaming ? 'converse-stream' : 'converse'}`
    case 'gemini-generate': {
      const id = model.startsWith('models/') ? model.slice('models/'.length) : model
      const versioned = /\/v\d+(?:(?:alpha|beta)\d*)?(?:\/|$)/.test(root) ? root : `${root}/v1beta`
      if (operation === 'count-tokens') return `${versioned}/models/${encodeURIComponent(id)}:countTokens`
      const method = streaming ? 'streamGenerateContent?alt=sse' : 'generateContent'
      return `${versioned}/models/${encodeURIComponent(id)}:${method}`
    }
  }
}

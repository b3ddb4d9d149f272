// Where each wish of a prompt stands in a client's body, per dialect. A table: losses and refusals name the member
// the caller wrote, not the one in our record.

import type { DialectId } from './dialect.ts'

export type WishName =
  | 'messages'
  | 'tools'
  | 'toolChoice'
  | 'parallelCalls'
  | 'outputTokensMax'
  | 'choices'
  | 'stop'
  | 'verbosity'
  | 'modalities'
  | 'format'
  | 'logprobs'
  | 'prediction'
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'seed'
  | 'presencePenalty'
  | 'frequencyPenalty'
  | 'logitBias'
  | 'reasoning'
  | 'cacheAuto'
  | 'cacheKey'
  | 'cacheResource'
  | 'userId'
  | 'metadata'
  | 'tier'
  | 'store'
  | 'previousId'
  | 'conversation'
  | 'background'

const CHAT: Record<WishName, string> = {
  messages: '/messages',
  tools: '/tools',
  toolChoice: '/tool_choice',
  parallelCalls: '/parallel_tool_calls',
  outputTokensMax: '/max_completion_tokens',
  choices: '/n',
  stop: '/stop',
  verbosity: '/verbosity',
  modalities: '/modalities',
  format: '/response_format',
  logprobs: '/logprobs',
  prediction: '/prediction',
  temperature: '/temperature',
  topP: '/top_p',
  topK: '/top_k',
  seed: '/seed',
  presencePenalty: '/presence_penalty',
  frequencyPenalty: '/frequency_penalty',
  logitBias: '/logit_bias',
  reasoning: '/reasoning_effort',
  cacheAuto: '/prompt_cache_options',
  cacheKey: '/prompt_cache_key',
  cacheResource: '/prompt_cache_options',
  userId: '/safety_identifier',
  metadata: '/metadata',
  tier: '/service_tier',
  store: '/store',
  previousId: '/previous_response_id',
  conversation: '/conversation',
  background: '/background',
}

const POINTERS: Record<DialectId, Record<WishName, string>> = {
  'openai-chat': CHAT,
  'openai-responses': {
    ...CHAT,
    messages: '/input',
    outputTokensMax: '/max_output_tokens',
    verbosity: '/text/verbosity',
    format: '/text/format',
    logprobs: '/top_logprobs',
    reasoning: '/reasoning',
  },
  'anthropic-messages': {
    ...CHAT,
    outputTokensMax: '/max_tokens',
    parallelCalls: '/tool_choice/disable_parallel_tool_use',
    stop: '/stop_sequences',
    format: '/output_config/format',
    reasoning: '/thinking',
    cacheAuto: '/cache_control',
    userId: '/metadata/user_id',
  },
  'bedrock-converse': {
    ...CHAT,
    tools: '/toolConfig/tools',
    toolChoice: '/toolConfig/toolChoice',
    outputTokensMax: '/inferenceConfig/maxTokens',
    stop: '/inferenceConfig/stopSequences',
    temperature: '/inferenceConfig/temperature',
    topP: '/inferenceConfig/topP',
    topK: '/additionalModelRequestFields/top_k',
    format: '/outputConfig/textFormat',
    reasoning: '/additionalModelRequestFields/thinking',
    metadata: '/requestMetadata',
    tier: '/serviceTier',
  },
  'gemini-generate': {
    ...CHAT,
    messages: '/contents',
    toolChoice: '/toolConfig',
    outputTokensMax: '/generationConfig/maxOutputTokens',
    choices: '/generationConfig/candidateCount',
    stop: '/generationConfig/stopSequences',
    modalities: '/generationConfig/responseModalities',
    format: '/generationConfig/responseJsonSchema',
    logprobs: '/generationConfig/responseLogprobs',
    temperature: '/generationConfig/temperature',
    topP: '/generationConfig/topP',
    topK: '/generationConfig/topK',
    seed: '/generationConfig/seed',
    presencePenalty: '/generationConfig/presencePenalty',
    frequencyPenalty: '/generationConfig/frequencyPenalty',
    reasoning: '/generationConfig/thinkingConfig',
    cacheResource: '/cachedContent',
    metadata: '/labels',
    tier: '/serviceTier',
  },
}

export function pointerOf(dialect: DialectId, wish: WishName): string {
  return POINTERS[dialect][wish]
}

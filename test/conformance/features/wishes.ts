// Features beside the turns: output, reasoning, sampling, and who asks.

import type { DialectId } from '../../../src/translate/dialect.ts'
import { type Json, SCHEMA, wishing } from './bodies.ts'
import { type Feature, samples } from './feature.ts'

const chat = (more: Json): Json => wishing('openai-chat', more)
const responses = (more: Json): Json => wishing('openai-responses', more)
const messages = (more: Json): Json => wishing('anthropic-messages', more)
const converse = (more: Json): Json => wishing('bedrock-converse', more)
const gemini = (more: Json): Json => wishing('gemini-generate', more)
const inference = (more: Json): Json => converse({ inferenceConfig: more })
const generation = (more: Json): Json => gemini({ generationConfig: more })
const fields = (more: Json): Json => converse({ additionalModelRequestFields: more })

const sameSchema = (schema: string | null): boolean => /"city":/.test(schema ?? '')

const OUTPUT: readonly Feature[] = [
  {
    id: 'output-limit',
    about: 'how many tokens the answer may have',
    samples: samples(
      chat({ max_completion_tokens: 77 }),
      responses({ max_output_tokens: 77 }),
      messages({ max_tokens: 77 }),
      inference({ maxTokens: 77 }),
      generation({ maxOutputTokens: 77 }),
    ),
    arrived: prompt => prompt.outputTokensMax === 77,
  },
  {
    id: 'stop-texts',
    about: 'texts at which the answer ends',
    samples: samples(
      chat({ stop: ['END', 'FIN'] }),
      null,
      messages({ stop_sequences: ['END', 'FIN'] }),
      inference({ stopSequences: ['END', 'FIN'] }),
      generation({ stopSequences: ['END', 'FIN'] }),
    ),
    arrived: prompt => prompt.stop.join() === 'END,FIN',
  },
  {
    id: 'stop-texts-many',
    about: 'more stop texts than some hosts take',
    samples: samples(
      chat({ stop: ['A', 'B', 'C', 'D', 'E', 'F'] }),
      null,
      messages({ stop_sequences: ['A', 'B', 'C', 'D', 'E', 'F'] }),
      inference({ stopSequences: ['A', 'B', 'C', 'D', 'E', 'F'] }),
      generation({ stopSequences: ['A', 'B', 'C', 'D', 'E', 'F'] }),
    ),
    arrived: prompt => prompt.stop.length === 6,
  },
  {
    id: 'json-schema-output',
    about: 'the answer is JSON of a schema',
    samples: samples(
      chat({
        response_format: { type: 'json_schema', json_schema: { name: 'w', schema: SCHEMA, strict: true } },
      }),
      responses({ text: { format: { type: 'json_schema', name: 'w', schema: SCHEMA, strict: true } } }),
      messages({ output_config: { format: { type: 'json_schema', schema: SCHEMA } } }),
      converse({
        outputConfig: {
          textFormat: {
            type: 'json_schema',
            structure: { jsonSchema: { name: 'w', schema: JSON.stringify(SCHEMA) } },
          },
        },
      }),
      generation({ responseMimeType: 'application/json', responseJsonSchema: SCHEMA }),
    ),
    arrived: prompt => prompt.format?.kind === 'schema' && sameSchema(prompt.format.schema),
  },
  {
    id: 'json-schema-output-lax',
    about: 'the answer is JSON of a schema that need not be obeyed to the letter',
    samples: samples(
      chat({ response_format: { type: 'json_schema', json_schema: { name: 'w', schema: SCHEMA } } }),
      responses({ text: { format: { type: 'json_schema', name: 'w', schema: SCHEMA, strict: false } } }),
      null,
      null,
      generation({
        responseMimeType: 'application/json',
        responseSchema: { type: 'OBJECT', properties: { city: { type: 'STRING' } } },
      }),
    ),
    arrived: prompt => prompt.format?.kind === 'schema' && sameSchema(prompt.format.schema),
  },
  {
    id: 'json-output',
    about: 'the answer is some JSON object',
    samples: samples(
      chat({ response_format: { type: 'json_object' } }),
      responses({ text: { format: { type: 'json_object' } } }),
      null,
      null,
      generation({ responseMimeType: 'application/json' }),
    ),
    arrived: prompt => prompt.format?.kind === 'json',
  },
  {
    id: 'one-of-some-words',
    about: 'the answer is one of some words',
    samples: samples(
      null,
      null,
      null,
      null,
      generation({
        responseMimeType: 'text/x.enum',
        responseSchema: { type: 'STRING', enum: ['warm', 'cold'] },
      }),
    ),
    arrived: prompt => prompt.format?.kind === 'enum',
  },
  {
    id: 'several-answers',
    about: 'more than one answer to one prompt',
    samples: samples(chat({ n: 3 }), null, null, null, generation({ candidateCount: 3 })),
    arrived: prompt => prompt.choices === 3,
  },
  {
    id: 'log-probabilities',
    about: 'probabilities of tokens and their alternatives',
    samples: samples(
      chat({ logprobs: true, top_logprobs: 2 }),
      responses({ include: ['message.output_text.logprobs'], top_logprobs: 2 }),
      null,
      null,
      generation({ responseLogprobs: true, logprobs: 2 }),
    ),
    arrived: prompt => prompt.logprobs === 2,
  },
  {
    id: 'verbosity',
    about: 'how much to say',
    samples: samples(chat({ verbosity: 'low' }), responses({ text: { verbosity: 'low' } }), null, null, null),
    arrived: prompt => prompt.verbosity === 'low',
  },
  {
    id: 'prediction',
    about: 'text of which the answer will repeat much',
    samples: samples(chat({ prediction: { type: 'content', content: 'let a = 1' } }), null, null, null, null),
    arrived: prompt => prompt.prediction !== null,
  },
  {
    id: 'spoken-answer',
    about: 'the answer as sound',
    samples: samples(
      chat({ modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } }),
      null,
      null,
      null,
      generation({ responseModalities: ['AUDIO'] }),
    ),
    arrived: prompt => prompt.modalities.includes('audio'),
  },
  {
    id: 'drawn-answer',
    about: 'the answer with images',
    samples: samples(
      null,
      responses({ tools: [{ type: 'image_generation' }] }),
      null,
      null,
      generation({ responseModalities: ['TEXT', 'IMAGE'] }),
    ),
    arrived: prompt =>
      prompt.modalities.includes('image') || prompt.tools.some(tool => tool.name === 'image_generation'),
  },
  {
    id: 'streamed-usage',
    about: 'token counts at the end of a stream',
    samples: samples(
      chat({ stream: true, stream_options: { include_usage: true } }),
      responses({ stream: true }),
      messages({ stream: true }),
      converse({}),
      gemini({}),
    ),
    impliedIn: ['openai-responses', 'anthropic-messages', 'bedrock-converse', 'gemini-generate'],
    arrived: prompt => prompt.wantUsage,
  },
]

const UNTOLD: readonly DialectId[] = ['openai-chat', 'openai-responses', 'gemini-generate']

const REASONING: readonly Feature[] = [
  {
    id: 'reasoning-effort',
    about: 'how hard to think, as a word',
    samples: samples(
      chat({ reasoning_effort: 'low' }),
      responses({ reasoning: { effort: 'low' } }),
      messages({ output_config: { effort: 'low' } }),
      converse({ outputConfig: { effort: 'low' } }),
      generation({ thinkingConfig: { thinkingLevel: 'LOW' } }),
    ),
    arrived: prompt => prompt.reasoning?.effort === 'low',
  },
  {
    id: 'reasoning-budget',
    about: 'how long to think, in tokens',
    samples: samples(
      null,
      null,
      messages({ max_tokens: 9000, thinking: { type: 'enabled', budget_tokens: 2048 } }),
      converse({
        inferenceConfig: { maxTokens: 9000 },
        additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 2048 } },
      }),
      generation({ thinkingConfig: { thinkingBudget: 2048 } }),
    ),
    facts: {
      'anthropic-messages': { reasoning: 'budget' },
      'bedrock-converse': { reasoning: 'budget' },
      'gemini-generate': { reasoning: 'budget' },
    },
    arrived: prompt => prompt.reasoning?.budgetTokens === 2048,
  },
  {
    id: 'reasoning-off',
    about: 'no thinking',
    samples: samples(
      chat({ reasoning_effort: 'none' }),
      responses({ reasoning: { effort: 'none' } }),
      messages({ thinking: { type: 'disabled' } }),
      fields({ thinking: { type: 'disabled' } }),
      generation({ thinkingConfig: { thinkingBudget: 0 } }),
    ),
    facts: { 'gemini-generate': { reasoning: 'budget' } },
    arrived: prompt => prompt.reasoning?.mode === 'off',
  },
  {
    id: 'reasoning-adaptive',
    about: 'the model decides how long to think',
    samples: samples(
      null,
      null,
      messages({ thinking: { type: 'adaptive' } }),
      fields({ thinking: { type: 'adaptive' } }),
      generation({ thinkingConfig: { thinkingBudget: -1 } }),
    ),
    // Elsewhere a model that is told nothing decides by itself.
    impliedIn: UNTOLD,
    arrived: prompt =>
      prompt.reasoning === null ? UNTOLD.includes(prompt.dialect) : prompt.reasoning.mode === 'adaptive',
  },
  {
    id: 'reasoning-shown',
    about: 'thoughts, or a summary of them, are to be shown',
    samples: samples(
      null,
      responses({ reasoning: { effort: 'low', summary: 'auto' } }),
      messages({ thinking: { type: 'adaptive', display: 'summarized' } }),
      fields({ thinking: { type: 'adaptive', display: 'summarized' } }),
      generation({ thinkingConfig: { thinkingLevel: 'LOW', includeThoughts: true } }),
    ),
    arrived: prompt =>
      (prompt.reasoning !== null && prompt.reasoning.show !== null) ||
      prompt.vendorWishes.some(wish => wish.name === 'reasoning/summary'),
  },
]

const number = (
  id: string,
  about: string,
  member: 'temperature' | 'topP' | 'topK' | 'presencePenalty' | 'frequencyPenalty',
  value: number,
  made: Feature['samples'],
): Feature => ({ id, about, samples: made, arrived: prompt => prompt[member] === value })

const SAMPLING: readonly Feature[] = [
  number(
    'temperature',
    'how freely to choose words',
    'temperature',
    0.5,
    samples(
      chat({ temperature: 0.5 }),
      responses({ temperature: 0.5 }),
      messages({ temperature: 0.5 }),
      inference({ temperature: 0.5 }),
      generation({ temperature: 0.5 }),
    ),
  ),
  number(
    'temperature-above-1',
    'a temperature that some vendors refuse',
    'temperature',
    1.5,
    samples(
      chat({ temperature: 1.5 }),
      responses({ temperature: 1.5 }),
      null,
      null,
      generation({ temperature: 1.5 }),
    ),
  ),
  number(
    'top-p',
    'words of what probability to choose from',
    'topP',
    0.9,
    samples(
      chat({ top_p: 0.9 }),
      responses({ top_p: 0.9 }),
      messages({ top_p: 0.9 }),
      inference({ topP: 0.9 }),
      generation({ topP: 0.9 }),
    ),
  ),
  number(
    'top-k',
    'how many words to choose from',
    'topK',
    40,
    samples(
      chat({ top_k: 40 }),
      null,
      messages({ top_k: 40 }),
      fields({ top_k: 40 }),
      generation({ topK: 40 }),
    ),
  ),
  {
    id: 'seed',
    about: 'a seed, for answers that can be had again',
    samples: samples(chat({ seed: 42 }), null, null, null, generation({ seed: 42 })),
    arrived: prompt => prompt.seed === '42',
  },
  {
    id: 'seed-of-64-bits',
    about: 'a long seed, digit for digit',
    samples: samples(
      chat({ seed: 9007199254740991 }),
      null,
      null,
      null,
      generation({ seed: 9007199254740991 }),
    ),
    arrived: prompt => prompt.seed === '9007199254740991',
  },
  number(
    'presence-penalty',
    'said words are to be avoided',
    'presencePenalty',
    0.5,
    samples(chat({ presence_penalty: 0.5 }), null, null, null, generation({ presencePenalty: 0.5 })),
  ),
  number(
    'frequency-penalty',
    'frequent words are to be avoided',
    'frequencyPenalty',
    0.5,
    samples(chat({ frequency_penalty: 0.5 }), null, null, null, generation({ frequencyPenalty: 0.5 })),
  ),
  {
    id: 'logit-bias',
    about: 'single tokens made likelier or less so',
    samples: samples(chat({ logit_bias: { '50256': -100 } }), null, null, null, null),
    arrived: prompt => prompt.logitBias !== null,
  },
]

const CALLER: readonly Feature[] = [
  {
    id: 'service-tier',
    about: 'a cheaper, slower tier',
    samples: samples(
      chat({ service_tier: 'flex' }),
      responses({ service_tier: 'flex' }),
      null,
      converse({ serviceTier: { type: 'flex' } }),
      gemini({ serviceTier: 'flex' }),
    ),
    arrived: prompt => prompt.tier === 'flex',
  },
  {
    id: 'service-tier-fast',
    about: 'a dearer, faster tier',
    samples: samples(
      chat({ service_tier: 'priority' }),
      responses({ service_tier: 'priority' }),
      null,
      converse({ serviceTier: { type: 'priority' } }),
      gemini({ serviceTier: 'priority' }),
    ),
    arrived: prompt => prompt.tier === 'fast',
  },
  {
    id: 'end-user',
    about: 'who asks, for the vendor`s abuse checks',
    samples: samples(
      chat({ safety_identifier: 'u-1' }),
      responses({ safety_identifier: 'u-1' }),
      messages({ metadata: { user_id: 'u-1' } }),
      null,
      null,
    ),
    arrived: prompt => prompt.userId === 'u-1' || prompt.metadata.some(entry => entry.value === 'u-1'),
  },
  {
    id: 'metadata',
    about: 'names and values kept with the request',
    samples: samples(
      chat({ metadata: { team: 'blue' } }),
      responses({ metadata: { team: 'blue' } }),
      null,
      converse({ requestMetadata: { team: 'blue' } }),
      gemini({ labels: { team: 'blue' } }),
    ),
    arrived: prompt => prompt.metadata.some(({ name, value }) => name === 'team' && value === 'blue'),
  },
  {
    id: 'cache-automatic',
    about: 'the vendor places cache marks itself',
    samples: samples(
      chat({ prompt_cache_options: { mode: 'implicit' } }),
      responses({ prompt_cache_options: { mode: 'implicit' } }),
      messages({ cache_control: { type: 'ephemeral' } }),
      null,
      null,
    ),
    arrived: prompt =>
      prompt.cacheAuto !== null || prompt.turns.some(turn => turn.parts.some(part => part.cache !== null)),
  },
  {
    id: 'cache-key',
    about: 'a key that brings like prompts to one cache',
    samples: samples(
      chat({ prompt_cache_key: 'k-1' }),
      responses({ prompt_cache_key: 'k-1' }),
      null,
      null,
      null,
    ),
    arrived: prompt => prompt.cacheKey === 'k-1',
  },
  {
    id: 'cache-resource',
    about: 'a cache that has been stored at the vendor',
    samples: samples(null, null, null, null, gemini({ cachedContent: 'cachedContents/1' })),
    arrived: prompt => prompt.cacheResource === 'cachedContents/1',
  },
  {
    id: 'safety-settings',
    about: 'the vendor`s own filters, set by the client',
    samples: samples(
      chat({ moderation: { mode: 'strict' } }),
      responses({ moderation: { mode: 'strict' } }),
      null,
      converse({ guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: '1' } }),
      gemini({
        safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      }),
    ),
    arrived: prompt => prompt.safety.length > 0,
  },
  {
    id: 'stored-answer',
    about: 'the vendor shall keep the answer',
    samples: samples(chat({ store: true }), responses({ store: true }), null, null, gemini({ store: true })),
    arrived: prompt => prompt.store === true,
  },
  {
    id: 'stored-turns',
    about: 'earlier turns are stored at the vendor',
    samples: samples(null, responses({ previous_response_id: 'resp_1' }), null, null, null),
    arrived: prompt => prompt.previousId === 'resp_1',
  },
  {
    id: 'stored-conversation',
    about: 'the conversation is stored at the vendor',
    samples: samples(null, responses({ conversation: 'conv_1' }), null, null, null),
    arrived: prompt => prompt.conversation === 'conv_1',
  },
  {
    id: 'background',
    about: 'the answer is fetched later',
    samples: samples(null, responses({ background: true }), null, null, null),
    arrived: prompt => prompt.background,
  },
  {
    id: 'stored-prompt',
    about: 'the prompt is a template stored at the vendor',
    samples: samples(
      null,
      responses({ prompt: { id: 'pmpt_1' } }),
      null,
      converse({ promptVariables: { city: { text: 'Oslo' } } }),
      null,
    ),
    arrived: prompt => prompt.vendorWishes.some(wish => wish.essential),
  },
  {
    id: 'unknown-member',
    about: 'a member nobody has documented',
    samples: samples(
      chat({ x_new: 1 }),
      responses({ x_new: 1 }),
      messages({ x_new: 1 }),
      converse({ xNew: 1 }),
      gemini({ xNew: 1 }),
    ),
    arrived: prompt => prompt.extra.some(({ name }) => /^x_?new$/i.test(name)),
  },
]

export const WISH_FEATURES: readonly Feature[] = [...OUTPUT, ...REASONING, ...SAMPLING, ...CALLER]

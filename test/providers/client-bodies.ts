// What clients of each dialect send: a conversation with a tool loop and the members that their SDKs like to add, so
// that a host which is strict about any of them finds it.

import type { DialectId } from '../../src/translate/index.ts'

type Body = Readonly<Record<string, unknown>>

export interface ClientCall {
  readonly path: string
  readonly body: Body
}

const QUESTION = 'What is the weather in Bergen?'
/** What the fake answers after a tool's result: the result. */
export const RESULT = 'sunny and twelve degrees'
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const SYSTEM = 'Answer in one sentence.'
const CITY = '{"city":"Bergen"}'

const CHAT: Body = {
  messages: [
    { role: 'system', content: SYSTEM },
    { role: 'user', content: QUESTION, name: 'ada' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'call_abc123', type: 'function', function: { name: 'weather', arguments: CITY } }],
    },
    { role: 'tool', tool_call_id: 'call_abc123', content: RESULT },
  ],
  tools: [{ type: 'function', function: { name: 'weather', description: 'Weather.', parameters: SCHEMA } }],
  tool_choice: 'auto',
  parallel_tool_calls: false,
  temperature: 0.5,
  max_completion_tokens: 500,
  seed: 7,
  user: 'u-1',
  store: false,
  metadata: { team: 'a' },
  service_tier: 'auto',
  logit_bias: { '50256': -100 },
  logprobs: true,
  frequency_penalty: 0.1,
}

const RESPONSES: Body = {
  instructions: SYSTEM,
  input: [
    { role: 'user', content: QUESTION },
    { type: 'function_call', call_id: 'call_abc123', name: 'weather', arguments: CITY },
    { type: 'function_call_output', call_id: 'call_abc123', output: RESULT },
  ],
  tools: [{ type: 'function', name: 'weather', description: 'Weather.', parameters: SCHEMA, strict: false }],
  temperature: 0.5,
  max_output_tokens: 500,
  store: false,
  metadata: { team: 'a' },
}

const MESSAGES: Body = {
  system: SYSTEM,
  max_tokens: 500,
  messages: [
    { role: 'user', content: QUESTION },
    {
      role: 'assistant',
      content: [{ type: 'tool_use', id: 'toolu_abc123', name: 'weather', input: { city: 'Bergen' } }],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_abc123', content: RESULT }] },
  ],
  tools: [{ name: 'weather', description: 'Weather.', input_schema: SCHEMA }],
  temperature: 0.5,
  metadata: { user_id: 'u-1' },
}

const CONVERSE: Body = {
  system: [{ text: SYSTEM }],
  messages: [
    { role: 'user', content: [{ text: QUESTION }] },
    {
      role: 'assistant',
      content: [{ toolUse: { toolUseId: 'tooluse_abc123', name: 'weather', input: { city: 'Bergen' } } }],
    },
    {
      role: 'user',
      content: [{ toolResult: { toolUseId: 'tooluse_abc123', content: [{ text: RESULT }] } }],
    },
  ],
  inferenceConfig: { maxTokens: 500, temperature: 0.5 },
  toolConfig: {
    tools: [{ toolSpec: { name: 'weather', description: 'Weather.', inputSchema: { json: SCHEMA } } }],
  },
}

const GEMINI: Body = {
  systemInstruction: { parts: [{ text: SYSTEM }] },
  contents: [
    { role: 'user', parts: [{ text: QUESTION }] },
    { role: 'model', parts: [{ functionCall: { name: 'weather', args: { city: 'Bergen' } } }] },
    { role: 'user', parts: [{ functionResponse: { name: 'weather', response: { result: RESULT } } }] },
  ],
  tools: [{ functionDeclarations: [{ name: 'weather', description: 'Weather.', parameters: SCHEMA }] }],
  generationConfig: { temperature: 0.5, maxOutputTokens: 500 },
}

/** The call of a client of `dialect` that names `model`. */
export function clientCall(dialect: DialectId, model: string, stream: boolean): ClientCall {
  const flag = stream ? { stream: true } : {}
  switch (dialect) {
    case 'openai-chat':
      return { path: '/v1/chat/completions', body: { model, ...CHAT, ...flag } }
    case 'openai-responses':
      return { path: '/v1/responses', body: { model, ...RESPONSES, ...flag } }
    case 'anthropic-messages':
      return { path: '/v1/messages', body: { model, ...MESSAGES, ...flag } }
    case 'bedrock-converse':
      return { path: `/model/${model}/${stream ? 'converse-stream' : 'converse'}`, body: CONVERSE }
    case 'gemini-generate': {
      const method = stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
      return { path: `/v1beta/models/${model}:${method}`, body: GEMINI }
    }
  }
}

// Features of tools: kinds of tools, the choice among them, calls and results.

import type { DialectId } from '../../../src/translate/dialect.ts'
import type { Prompt } from '../../../src/translate/prompt.ts'
import { type Json, loop, SCHEMA, tools, wishing } from './bodies.ts'
import { type Feature, samples, some } from './feature.ts'

const withTools = (dialect: DialectId, beside: Json = {}, ofTool: Json = {}): Json =>
  wishing(dialect, tools(dialect, ['weather', 'time'], beside, ofTool))

const chosen =
  (mode: string, names: readonly string[] = [], forced?: boolean) =>
  ({ toolChoice }: Prompt): boolean =>
    toolChoice !== null &&
    toolChoice.mode === mode &&
    toolChoice.names.join() === names.join() &&
    (forced === undefined || toolChoice.forced === forced)

const KINDS: readonly Feature[] = [
  {
    id: 'function-tool',
    about: 'a function with a description and a schema',
    samples: samples(
      withTools('openai-chat'),
      withTools('openai-responses'),
      withTools('anthropic-messages'),
      withTools('bedrock-converse'),
      withTools('gemini-generate'),
    ),
    arrived: prompt =>
      prompt.tools.some(
        tool =>
          tool.name === 'weather' &&
          tool.description === 'Tells the weather.' &&
          JSON.stringify(JSON.parse(tool.schema ?? 'null')) === JSON.stringify(SCHEMA),
      ),
  },
  {
    id: 'function-tool-with-openapi-schema',
    about: 'a function whose schema is of the OpenAPI subset',
    samples: samples(
      null,
      null,
      null,
      null,
      wishing('gemini-generate', {
        tools: [
          {
            functionDeclarations: [
              {
                name: 'weather',
                parameters: { type: 'OBJECT', properties: { city: { type: 'STRING', nullable: true } } },
              },
            ],
          },
        ],
      }),
    ),
    arrived: prompt =>
      prompt.tools.some(tool => /"city":/.test(tool.schema ?? '') && /null/.test(tool.schema ?? '')),
  },
  {
    id: 'strict-tool',
    about: 'arguments must match the schema',
    samples: samples(
      withTools('openai-chat', {}, { strict: true }),
      withTools('openai-responses', {}, { strict: true }),
      withTools('anthropic-messages', {}, { strict: true }),
      withTools('bedrock-converse', {}, { strict: true }),
      withTools('gemini-generate', { toolConfig: { functionCallingConfig: { mode: 'VALIDATED' } } }),
    ),
    arrived: prompt => prompt.tools.some(tool => tool.strict === true),
  },
  {
    id: 'custom-tool',
    about: 'a tool whose input is free text',
    samples: samples(
      wishing('openai-chat', {
        tools: [{ type: 'custom', custom: { name: 'sql', description: 'Runs it.' } }],
      }),
      wishing('openai-responses', { tools: [{ type: 'custom', name: 'sql', description: 'Runs it.' }] }),
      null,
      null,
      null,
    ),
    arrived: prompt => prompt.tools.some(tool => tool.name === 'sql'),
  },
  {
    id: 'custom-tool-with-grammar',
    about: 'a tool whose input follows a grammar',
    samples: samples(
      wishing('openai-chat', {
        tools: [
          {
            type: 'custom',
            custom: {
              name: 'sql',
              format: { type: 'grammar', grammar: { syntax: 'regex', definition: 'SELECT .*' } },
            },
          },
        ],
      }),
      wishing('openai-responses', {
        tools: [
          {
            type: 'custom',
            name: 'sql',
            format: { type: 'grammar', syntax: 'regex', definition: 'SELECT .*' },
          },
        ],
      }),
      null,
      null,
      null,
    ),
    arrived: prompt => prompt.tools.some(tool => tool.grammar?.definition === 'SELECT .*'),
  },
  {
    id: 'tools-in-namespaces',
    about: 'functions of one name in two namespaces',
    samples: samples(
      null,
      wishing('openai-responses', {
        tools: ['crm', 'shop'].map(name => ({
          type: 'namespace',
          name,
          tools: [{ type: 'function', name: 'find', parameters: SCHEMA }],
        })),
      }),
      null,
      null,
      null,
    ),
    arrived: prompt =>
      new Set(prompt.tools.map(tool => `${tool.namespace}.${tool.name}`)).size === 2 &&
      prompt.tools.length === 2,
  },
  {
    id: 'hosted-web-search',
    about: 'a web search that the vendor runs',
    samples: samples(
      wishing('openai-chat', { web_search_options: {} }),
      wishing('openai-responses', { tools: [{ type: 'web_search' }] }),
      wishing('anthropic-messages', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }),
      wishing('bedrock-converse', {
        toolConfig: { tools: [{ systemTool: { name: 'nova_grounding' } }] },
      }),
      wishing('gemini-generate', { tools: [{ googleSearch: {} }] }),
    ),
    facts: { 'bedrock-converse': { webSearch: 'nova_grounding', vendorFields: 'amazon' } },
    arrived: prompt => prompt.tools.some(tool => tool.kind === 'hosted'),
  },
  {
    id: 'hosted-code',
    about: 'code that the vendor runs',
    samples: samples(
      null,
      wishing('openai-responses', { tools: [{ type: 'code_interpreter', container: { type: 'auto' } }] }),
      wishing('anthropic-messages', {
        tools: [{ type: 'code_execution_20250825', name: 'code_execution' }],
      }),
      wishing('bedrock-converse', {
        toolConfig: { tools: [{ systemTool: { name: 'nova_code_interpreter' } }] },
      }),
      wishing('gemini-generate', { tools: [{ codeExecution: {} }] }),
    ),
    arrived: prompt => prompt.tools.some(tool => tool.kind === 'hosted'),
  },
  {
    id: 'client-tool-of-the-vendor',
    about: 'a tool the client runs and the vendor has taught its model',
    samples: samples(
      null,
      wishing('openai-responses', { tools: [{ type: 'local_shell' }] }),
      wishing('anthropic-messages', { tools: [{ type: 'bash_20250124', name: 'bash' }] }),
      wishing('bedrock-converse', {
        additionalModelRequestFields: { tools: [{ type: 'bash_20250124', name: 'bash' }] },
      }),
      null,
    ),
    arrived: prompt => prompt.tools.some(tool => tool.kind === 'hosted'),
  },
  {
    id: 'cache-mark-on-tools',
    about: 'a cache mark behind the tools',
    samples: samples(
      null,
      null,
      withTools('anthropic-messages', {}, { cache_control: { type: 'ephemeral' } }),
      wishing('bedrock-converse', {
        toolConfig: {
          tools: [
            { toolSpec: { name: 'weather', inputSchema: { json: SCHEMA } } },
            { cachePoint: { type: 'default' } },
          ],
        },
      }),
      null,
    ),
    arrived: prompt => prompt.tools.some(tool => tool.cache !== null),
  },
  {
    id: 'cache-mark-on-result',
    about: 'a cache mark behind the result of a tool',
    samples: samples(
      null,
      null,
      loop('anthropic-messages', { ofResult: { cache_control: { type: 'ephemeral' } } }),
      null,
      null,
    ),
    arrived: prompt =>
      prompt.turns.some(turn => turn.parts.some(part => part.cache !== null)) ||
      some(prompt, 'text', part => part.cache !== null),
  },
]

const calling = (mode: string, names?: readonly string[]): Json => ({
  toolConfig: {
    functionCallingConfig: { mode, ...(names === undefined ? {} : { allowedFunctionNames: names }) },
  },
})

const allowed = (mode: string, nested: boolean): Json => {
  const list = [{ type: 'function', ...(nested ? { function: { name: 'weather' } } : { name: 'weather' }) }]
  return nested
    ? { tool_choice: { type: 'allowed_tools', allowed_tools: { mode, tools: list } } }
    : { tool_choice: { type: 'allowed_tools', mode, tools: list } }
}

/** Only the allowed tools reach the model: as a choice, or because the others were left out. */
const onlyWeather = (prompt: Prompt): boolean =>
  prompt.tools.length > 0 &&
  ((prompt.toolChoice?.mode === 'subset' && prompt.toolChoice.names.join() === 'weather') ||
    (prompt.toolChoice?.mode === 'one' && prompt.toolChoice.names.join() === 'weather') ||
    prompt.tools.every(tool => tool.name === 'weather'))

const CHOICES: readonly Feature[] = [
  {
    id: 'tool-choice-none',
    about: 'no tool may be called',
    samples: samples(
      withTools('openai-chat', { tool_choice: 'none' }),
      withTools('openai-responses', { tool_choice: 'none' }),
      withTools('anthropic-messages', { tool_choice: { type: 'none' } }),
      null,
      withTools('gemini-generate', calling('NONE')),
    ),
    // Converse has no such choice: none can be called when none is there.
    impliedIn: ['bedrock-converse'],
    arrived: prompt =>
      prompt.toolChoice?.mode === 'none' ||
      (prompt.dialect === 'bedrock-converse' && prompt.tools.length === 0),
  },
  {
    id: 'tool-choice-any',
    about: 'some tool must be called',
    samples: samples(
      withTools('openai-chat', { tool_choice: 'required' }),
      withTools('openai-responses', { tool_choice: 'required' }),
      withTools('anthropic-messages', { tool_choice: { type: 'any' } }),
      withTools('bedrock-converse', { toolChoice: { any: {} } }),
      withTools('gemini-generate', calling('ANY')),
    ),
    arrived: chosen('any'),
  },
  {
    id: 'tool-choice-one',
    about: 'one named tool must be called',
    samples: samples(
      withTools('openai-chat', { tool_choice: { type: 'function', function: { name: 'weather' } } }),
      withTools('openai-responses', { tool_choice: { type: 'function', name: 'weather' } }),
      withTools('anthropic-messages', { tool_choice: { type: 'tool', name: 'weather' } }),
      withTools('bedrock-converse', { toolChoice: { tool: { name: 'weather' } } }),
      withTools('gemini-generate', calling('ANY', ['weather'])),
    ),
    arrived: chosen('one', ['weather']),
  },
  {
    id: 'tool-choice-among-some',
    about: 'only some of the tools may be called',
    samples: samples(
      withTools('openai-chat', allowed('auto', true)),
      withTools('openai-responses', allowed('auto', false)),
      null,
      null,
      withTools('gemini-generate', calling('VALIDATED', ['weather'])),
    ),
    arrived: prompt => onlyWeather(prompt) && prompt.toolChoice?.forced !== true,
  },
  {
    id: 'tool-choice-one-of-some',
    about: 'one of some of the tools must be called',
    samples: samples(
      withTools('openai-chat', allowed('required', true)),
      withTools('openai-responses', allowed('required', false)),
      null,
      null,
      null,
    ),
    arrived: prompt =>
      onlyWeather(prompt) && (prompt.toolChoice?.forced === true || prompt.toolChoice?.mode === 'any'),
  },
  {
    id: 'one-call-at-a-time',
    about: 'no parallel calls',
    samples: samples(
      withTools('openai-chat', { parallel_tool_calls: false }),
      withTools('openai-responses', { parallel_tool_calls: false }),
      withTools('anthropic-messages', { tool_choice: { type: 'auto', disable_parallel_tool_use: true } }),
      wishing('bedrock-converse', {
        ...tools('bedrock-converse', ['weather']),
        additionalModelRequestFields: {
          tool_choice: { type: 'auto', disable_parallel_tool_use: true },
        },
      }),
      null,
    ),
    arrived: prompt => prompt.parallelCalls === false,
  },
]

const answered = (prompt: Prompt): boolean =>
  some(prompt, 'call', call => call.name === 'weather' && JSON.parse(call.input).city === 'Oslo') &&
  some(prompt, 'result', result => result.callId === 'call_1')

const LOOPS: readonly Feature[] = [
  {
    id: 'tool-loop',
    about: 'a call and its result',
    samples: samples(
      loop('openai-chat', {}),
      loop('openai-responses', {}),
      loop('anthropic-messages', {}),
      loop('bedrock-converse', {}),
      loop('gemini-generate', {}),
    ),
    arrived: prompt => answered(prompt) && some(prompt, 'text', part => part.text === 'sunny'),
  },
  {
    id: 'parallel-calls',
    about: 'three calls and their three results, told apart',
    samples: samples(
      loop('openai-chat', { ids: ['a', 'b', 'c'] }),
      loop('openai-responses', { ids: ['a', 'b', 'c'] }),
      loop('anthropic-messages', { ids: ['a', 'b', 'c'] }),
      loop('bedrock-converse', { ids: ['a', 'b', 'c'] }),
      loop('gemini-generate', { ids: ['a', 'b', 'c'] }),
    ),
    arrived: prompt => {
      const ids = (kind: 'call' | 'result'): string =>
        prompt.turns
          .flatMap(turn => turn.parts)
          .flatMap(part => (part.kind === kind ? [part.kind === 'call' ? part.id : part.callId] : []))
          .join()
      return ids('call') === 'a,b,c' && ids('result') === 'a,b,c'
    },
  },
  {
    id: 'odd-call-ids',
    about: 'ids of calls in a form the upstream may refuse: calls and results still match',
    samples: samples(
      loop('openai-chat', { ids: ['functions.f:0'] }),
      loop('openai-responses', { ids: ['functions.f:0'] }),
      loop('anthropic-messages', { ids: ['functions.f:0'] }),
      loop('bedrock-converse', { ids: ['functions.f:0'] }),
      loop('gemini-generate', { ids: ['functions.f:0'] }),
    ),
    arrived: prompt => {
      const ids = prompt.turns
        .flatMap(turn => turn.parts)
        .flatMap(part => (part.kind === 'call' ? [part.id] : []))
      return ids.length === 1 && some(prompt, 'result', part => part.callId === ids[0])
    },
  },
  {
    id: 'failed-tool-result',
    about: 'the result says that the tool failed',
    samples: samples(
      null,
      null,
      loop('anthropic-messages', { ofResult: { is_error: true } }),
      loop('bedrock-converse', { ofResult: { status: 'error' } }),
      loop('gemini-generate', { result: { error: 'sunny' } }),
    ),
    arrived: prompt =>
      some(prompt, 'result', part => part.failed) ||
      some(prompt, 'result', part =>
        part.parts.some(inner => inner.kind === 'text' && /error/i.test(inner.text)),
      ),
  },
  {
    id: 'tool-result-as-object',
    about: 'a result that is a JSON value, its numbers spelled as they came',
    samples: samples(
      null,
      null,
      null,
      loop('bedrock-converse', { result: [{ json: { degrees: 21 } }] }),
      loop('gemini-generate', { result: { degrees: 21 } }),
    ),
    arrived: prompt =>
      some(prompt, 'result', part => /"degrees":\s*21/.test(part.json ?? '')) ||
      some(prompt, 'text', part => /"degrees":\s*21/.test(part.text)),
  },
]

export const TOOL_FEATURES: readonly Feature[] = [...KINDS, ...CHOICES, ...LOOPS]

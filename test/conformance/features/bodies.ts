// Bodies of the five dialects in their smallest sound form. Owns how each dialect spells a turn, a tool and a tool
// loop; what is special about a feature is given by its sample.

import type { DialectId } from '../../../src/translate/dialect.ts'

export type Json = { readonly [name: string]: unknown }

export const PNG = 'iVBORw0KGgo='
export const PDF = 'JVBERi0xLjQK'
export const WAV = 'UklGRiQAAABXQVZF'
export const MP4 = 'AAAAIGZ0eXBpc29t'
export const SCHEMA: Json = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}

export function text(dialect: DialectId, said: string): Json {
  if (dialect === 'openai-responses') return { type: 'input_text', text: said }
  if (dialect === 'bedrock-converse' || dialect === 'gemini-generate') return { text: said }
  return { type: 'text', text: said }
}

/** One message of a role, as the dialect lists them. */
export function message(dialect: DialectId, role: 'user' | 'model', content: readonly Json[]): Json {
  if (dialect === 'gemini-generate') return { role, parts: content }
  return { role: role === 'model' ? 'assistant' : 'user', content }
}

const LISTS: Readonly<Record<DialectId, string>> = {
  'openai-chat': 'messages',
  'openai-responses': 'input',
  'anthropic-messages': 'messages',
  'bedrock-converse': 'messages',
  'gemini-generate': 'contents',
}

const REQUIRED: Readonly<Record<DialectId, Json>> = {
  'openai-chat': { model: 'asked-model' },
  'openai-responses': { model: 'asked-model' },
  'anthropic-messages': { model: 'asked-model', max_tokens: 100 },
  'bedrock-converse': {},
  'gemini-generate': {},
}

/** A body with these messages and members. */
export function body(dialect: DialectId, messages: readonly Json[], more: Json = {}): Json {
  return { ...REQUIRED[dialect], [LISTS[dialect]]: messages, ...more }
}

/** A body whose only turn is the user's, with this content. */
export function asking(dialect: DialectId, content: readonly Json[], more: Json = {}): Json {
  return body(dialect, [message(dialect, 'user', content)], more)
}

/** A body that says nothing but these members. */
export function wishing(dialect: DialectId, more: Json): Json {
  return asking(dialect, [text(dialect, 'hi')], more)
}

const DESCRIPTION = 'Tells the weather.'

/** Function tools by name, with members of the tool and of what stands beside the list. */
export function tools(
  dialect: DialectId,
  names: readonly string[],
  beside: Json = {},
  ofTool: Json = {},
): Json {
  const list = names.map(name => ({ name, description: DESCRIPTION, ...ofTool }))
  switch (dialect) {
    case 'openai-chat':
      return {
        tools: list.map(made => ({ type: 'function', function: { ...made, parameters: SCHEMA } })),
        ...beside,
      }
    case 'openai-responses':
      return { tools: list.map(made => ({ type: 'function', ...made, parameters: SCHEMA })), ...beside }
    case 'anthropic-messages':
      return { tools: list.map(made => ({ ...made, input_schema: SCHEMA })), ...beside }
    case 'bedrock-converse': {
      const specs = list.map(made => ({ toolSpec: { ...made, inputSchema: { json: SCHEMA } } }))
      return { toolConfig: { tools: specs, ...beside } }
    }
    case 'gemini-generate': {
      const declared = list.map(made => ({ ...made, parametersJsonSchema: SCHEMA }))
      return { tools: [{ functionDeclarations: declared }], ...beside }
    }
  }
}

export interface Loop {
  /** What the model said before it called, as blocks (items in Responses, members of the message in Chat). */
  readonly before?: readonly Json[]
  /** Ids of calls to `weather`; default one. */
  readonly ids?: readonly string[]
  /** What every result holds: content in the dialect's form; a string where that is its form. */
  readonly result?: unknown
  /** Members of every result. */
  readonly ofResult?: Json
  /** Members of every call. */
  readonly ofCall?: Json
  readonly more?: Json
}

/** A question, calls, their results: the body that lets the model go on. */
export function loop(dialect: DialectId, given: Loop): Json {
  const { before = [], ids = ['call_1'], ofResult = {}, ofCall = {}, more = {} } = given
  const result = given.result ?? defaultResult(dialect)
  const args = { city: 'Oslo' }
  const question = message(dialect, 'user', [text(dialect, 'How is the weather?')])
  const all = { ...tools(dialect, ['weather']), ...more }
  switch (dialect) {
    case 'openai-chat': {
      const calls = ids.map(id => ({
        id,
        type: 'function',
        function: { name: 'weather', arguments: JSON.stringify(args) },
        ...ofCall,
      }))
      const model = Object.assign({ role: 'assistant', content: null, tool_calls: calls }, ...before)
      const told = ids.map(id => ({ role: 'tool', tool_call_id: id, content: result, ...ofResult }))
      return body(dialect, [question, model, ...told], all)
    }
    case 'openai-responses': {
      const calls = ids.map(id => ({
        type: 'function_call',
        call_id: id,
        name: 'weather',
        arguments: JSON.stringify(args),
        ...ofCall,
      }))
      const told = ids.map(id => ({
        type: 'function_call_output',
        call_id: id,
        output: result,
        ...ofResult,
      }))
      return body(dialect, [question, ...before, ...calls, ...told], all)
    }
    case 'anthropic-messages': {
      const calls = ids.map(id => ({ type: 'tool_use', id, name: 'weather', input: args, ...ofCall }))
      const told = ids.map(id => ({ type: 'tool_result', tool_use_id: id, content: result, ...ofResult }))
      return body(dialect, exchanged(dialect, question, [...before, ...calls], told), all)
    }
    case 'bedrock-converse': {
      const calls = ids.map(id => ({ toolUse: { toolUseId: id, name: 'weather', input: args, ...ofCall } }))
      const told = ids.map(id => ({ toolResult: { toolUseId: id, content: result, ...ofResult } }))
      return body(dialect, exchanged(dialect, question, [...before, ...calls], told), all)
    }
    case 'gemini-generate': {
      const calls = ids.map(id => ({ functionCall: { id, name: 'weather', args }, ...ofCall }))
      const told = ids.map(id => ({
        functionResponse: { id, name: 'weather', response: result, ...ofResult },
      }))
      return body(dialect, exchanged(dialect, question, [...before, ...calls], told), all)
    }
  }
}

function exchanged(
  dialect: DialectId,
  question: Json,
  model: readonly Json[],
  user: readonly Json[],
): readonly Json[] {
  return [question, message(dialect, 'model', model), message(dialect, 'user', user)]
}

function defaultResult(dialect: DialectId): unknown {
  switch (dialect) {
    case 'bedrock-converse':
      return [{ text: 'sunny' }]
    case 'gemini-generate':
      return { output: 'sunny' }
    default:
      return 'sunny'
  }
}

export const bytesOf = (json: Json): Uint8Array => new TextEncoder().encode(JSON.stringify(json))

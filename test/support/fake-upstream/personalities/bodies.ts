// What each dialect's first party takes in a body: the documented members, and the rules that it enforces with a 400.

import type { Json } from '../types.ts'

const set = (names: string): ReadonlySet<string> => new Set(names.trim().split(/\s+/))

const CHAT = set(`
  model messages stream stream_options temperature top_p n stop max_tokens max_completion_tokens presence_penalty
  frequency_penalty logit_bias logprobs top_logprobs user seed tools tool_choice parallel_tool_calls response_format
  reasoning_effort verbosity store metadata service_tier modalities audio prediction web_search_options functions
  function_call safety_identifier prompt_cache_key prompt_cache_retention`)

const RESPONSES = set(`
  model input instructions stream store max_output_tokens temperature top_p tools tool_choice parallel_tool_calls
  reasoning text metadata previous_response_id include truncation user service_tier background max_tool_calls prompt
  safety_identifier prompt_cache_key prompt_cache_retention top_logprobs stream_options conversation`)

const MESSAGES = set(`
  model messages system max_tokens stream temperature top_p top_k stop_sequences tools tool_choice thinking metadata
  service_tier container mcp_servers context_management output_config output_format cache_control inference_geo`)

const CONVERSE = set(`
  messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables
  additionalModelResponseFieldPaths requestMetadata performanceConfig outputConfig serviceTier`)

const GEMINI = set(`
  contents systemInstruction generationConfig tools toolConfig safetySettings cachedContent labels model serviceTier
  store`)

export function foreign(body: Json, known: ReadonlySet<string>, at = ''): string[] {
  return Object.keys(body ?? {})
    .filter(name => !known.has(name))
    .map(name => `unknown member ${at}${name}`)
}

/** What all vendors take as the name of a function. */
const FUNCTION_NAME = /^[A-Za-z0-9_-]{1,64}$/

function outside(value: Json, from: number, to: number, name: string): string[] {
  return value === undefined || (value >= from && value <= to)
    ? []
    : [`${name} must be from ${from} to ${to}`]
}

export function chatFaults(body: Json, known: ReadonlySet<string> = CHAT): string[] {
  const faults = foreign(body, known)
  if (typeof body.model !== 'string' || body.model === '') faults.push('model is missing')
  if (!Array.isArray(body.messages) || body.messages.length === 0) return [...faults, 'messages are missing']
  const open = new Set<string>()
  for (const message of body.messages) {
    if (!['system', 'developer', 'user', 'assistant', 'tool'].includes(message.role)) {
      faults.push(`unknown role ${message.role}`)
    }
    if (message.role === 'tool' && !open.delete(message.tool_call_id)) {
      faults.push(`the tool message answers no call: ${message.tool_call_id}`)
    }
    if (message.role !== 'tool' && open.size > 0) faults.push('a call has no answer')
    for (const call of message.tool_calls ?? []) open.add(call.id)
  }
  if (open.size > 0) faults.push('a call has no answer')
  const tools: Json[] = body.tools ?? []
  for (const name of ['tool_choice', 'parallel_tool_calls']) {
    if (name in body && tools.length === 0) faults.push(`${name} is only allowed when tools are specified`)
  }
  if ('tools' in body && tools.length === 0) faults.push('tools must not be empty')
  for (const tool of tools) {
    if (tool.type === 'function' && !FUNCTION_NAME.test(tool.function?.name ?? '')) {
      faults.push('the name of a function has a wrong form')
    }
  }
  for (const message of body.messages) faults.push(...chatMessageFaults(message))
  if ('top_logprobs' in body && body.logprobs !== true) faults.push('top_logprobs without logprobs')
  faults.push(...outside(body.temperature, 0, 2, 'temperature'), ...outside(body.top_p, 0, 1, 'top_p'))
  if ('max_tokens' in body && 'max_completion_tokens' in body) faults.push('two limits')
  if ('stream_options' in body && body.stream !== true) faults.push('stream_options without stream')
  return faults
}

function chatMessageFaults(message: Json): string[] {
  const faults: string[] = []
  const calls: Json[] = message.tool_calls ?? []
  if (message.role !== 'assistant' && (message.content ?? null) === null) faults.push('content is null')
  if (message.role === 'assistant' && (message.content ?? null) === null && calls.length === 0) {
    if (message.audio === undefined && message.function_call === undefined)
      faults.push('an answer says nothing')
  }
  if ('tool_calls' in message && calls.length === 0) faults.push('tool_calls is too short')
  for (const call of calls) {
    if (call.type === 'function' && typeof call.function?.arguments !== 'string') {
      faults.push('arguments must be a string')
    }
  }
  return faults
}

export function responsesFaults(body: Json): string[] {
  const faults = foreign(body, RESPONSES)
  if (typeof body.model !== 'string' || body.model === '') faults.push('model is missing')
  if ('messages' in body) faults.push('messages are of Chat')
  if (typeof body.input !== 'string' && !Array.isArray(body.input)) faults.push('input is missing')
  const [calls, answered] = [new Set<string>(), new Set<string>()]
  for (const item of Array.isArray(body.input) ? body.input : []) {
    if (item.type === 'function_call') {
      calls.add(item.call_id)
      if (typeof item.arguments !== 'string') faults.push('arguments must be a string')
      if (item.id !== undefined && !item.id.startsWith('fc'))
        faults.push("expected an ID that begins with 'fc'")
    }
    if (item.type === 'function_call_output') {
      answered.add(item.call_id)
      if (!calls.has(item.call_id)) faults.push('an output without its call')
    }
    if (item.type === 'message' && item.role === 'assistant') {
      const parts: Json[] = Array.isArray(item.content) ? item.content : []
      if (parts.some(part => part.type === 'input_text')) faults.push('an answer holds output_text')
    }
  }
  for (const id of calls) if (!answered.has(id)) faults.push(`No tool output found for function call ${id}`)
  for (const tool of body.tools ?? []) {
    if (tool.type !== 'function') continue
    if (tool.function !== undefined) faults.push('a tool of Chat')
    if (!FUNCTION_NAME.test(tool.name ?? '')) faults.push('the name of a function has a wrong form')
  }
  if (body.max_output_tokens < 16) faults.push('max_output_tokens: expected a value >= 16')
  return [...faults, ...outside(body.temperature, 0, 2, 'temperature')]
}

/** Signatures are opaque; what is not base64 is not one of Anthropic's. */
const SIGNATURE = /^[A-Za-z0-9+/]+={0,2}$/

export function messagesFaults(body: Json, extra: readonly string[] = []): string[] {
  const faults = foreign(body, new Set([...MESSAGES, ...extra]))
  if (!Number.isInteger(body.max_tokens) || body.max_tokens < 1) faults.push('max_tokens: field required')
  if (!Array.isArray(body.messages) || body.messages.length === 0) return [...faults, 'messages are missing']
  if (body.messages[0].role !== 'user') faults.push('the first message must be the user’s')
  let open: string[] = []
  for (const message of body.messages) {
    if (message.role !== 'user' && message.role !== 'assistant') faults.push(`unknown role ${message.role}`)
    const blocks: Json[] = Array.isArray(message.content) ? message.content : []
    const results = blocks.filter(block => block.type === 'tool_result').map(block => block.tool_use_id)
    if (open.some(id => !results.includes(id)))
      faults.push('tool_use without a tool_result in the next message')
    if (results.some(id => !open.includes(id))) faults.push('tool_result without its tool_use')
    open = blocks.filter(block => block.type === 'tool_use').map(block => block.id)
    if (open.some(id => !/^[\w-]{1,64}$/.test(id))) faults.push('an id of a tool use has a wrong form')
    for (const block of blocks) {
      if (block.type === 'thinking' && !SIGNATURE.test(block.signature ?? '')) {
        faults.push('Invalid `signature` in `thinking` block')
      }
      if (block.type === 'text' && block.text === '') faults.push('text content blocks must be non-empty')
      faults.push(...blockFaults(block))
    }
    // Results come first in a message that has any.
    const first = blocks.findIndex(block => block.type !== 'tool_result')
    if (first !== -1 && blocks.slice(first).some(block => block.type === 'tool_result')) {
      faults.push('tool_result blocks must come before other content')
    }
  }
  if (open.length > 0) faults.push('tool_use without a tool_result in the next message')
  faults.push(...messagesToolFaults(body), ...outside(body.temperature, 0, 1, 'temperature'))
  if (body.thinking?.type === 'enabled' && !(body.thinking.budget_tokens >= 1_024)) {
    faults.push('thinking.budget_tokens: Input should be greater than or equal to 1024')
  }
  const last = body.messages.at(-1)
  const ending = typeof last.content === 'string' ? last.content : (last.content?.at(-1)?.text ?? '')
  if (last.role === 'assistant' && /\s$/.test(ending)) {
    faults.push('final assistant content cannot end with trailing whitespace')
  }
  if ((JSON.stringify(body).match(/"cache_control":/g) ?? []).length > 4) {
    faults.push('A maximum of 4 blocks with cache_control may be provided')
  }
  const budget = body.thinking?.budget_tokens
  if (budget !== undefined && budget >= body.max_tokens)
    faults.push('max_tokens must be greater than the budget')
  if ('temperature' in body && 'top_p' in body) faults.push('temperature and top_p cannot both be specified')
  return faults
}

const BLOCKS: Readonly<Record<string, ReadonlySet<string>>> = {
  text: set('type text citations cache_control'),
  thinking: set('type thinking signature'),
  redacted_thinking: set('type data'),
  tool_use: set('type id name input cache_control caller'),
  tool_result: set('type tool_use_id content is_error cache_control'),
  image: set('type source cache_control'),
  document: set('type source title context citations cache_control'),
}

function blockFaults(block: Json): string[] {
  const known = BLOCKS[block.type]
  if (known === undefined) return []
  const faults = foreign(block, known, `${block.type}.`)
  if (block.type === 'tool_use' && (typeof block.input !== 'object' || block.input === null)) {
    faults.push('tool_use.input: Input should be a valid dictionary')
  }
  return faults
}

const MESSAGES_TOOL = set(`
  name description input_schema type cache_control strict eager_input_streaming defer_loading allowed_callers
  input_examples`)

function messagesToolFaults(body: Json): string[] {
  const faults: string[] = []
  const names = new Set<string>()
  for (const tool of body.tools ?? []) {
    if (tool.type !== undefined && tool.type !== 'custom') continue
    faults.push(...foreign(tool, MESSAGES_TOOL, 'tools.'))
    if (!/^[A-Za-z0-9_-]{1,128}$/.test(tool.name ?? '')) faults.push('the name of a tool has a wrong form')
    if (tool.input_schema?.type !== 'object') faults.push('tools.input_schema.type: Field required')
    if (names.has(tool.name)) faults.push('Tool names must be unique.')
    names.add(tool.name)
  }
  const choice = body.tool_choice?.type
  if (choice !== undefined && !['auto', 'any', 'tool', 'none'].includes(choice)) {
    faults.push(`tool_choice: unknown type ${choice}`)
  }
  if (choice !== undefined && names.size === 0 && (body.tools ?? []).length === 0) {
    faults.push('tool_choice may only be specified while providing tools')
  }
  const forced = choice === 'any' || choice === 'tool'
  if (forced && (body.thinking?.type ?? 'disabled') !== 'disabled') {
    faults.push('Thinking may not be enabled when tool_choice forces tool use')
  }
  return faults
}

export function converseFaults(body: Json): string[] {
  const faults = foreign(body, CONVERSE)
  if (!Array.isArray(body.messages) || body.messages.length === 0) return [...faults, 'messages are missing']
  let before = 'assistant'
  let open: string[] = []
  for (const message of body.messages) {
    if (message.role === before) faults.push('roles must alternate between "user" and "assistant"')
    before = message.role
    if (!Array.isArray(message.content) || message.content.length === 0) {
      faults.push('the content field is empty')
      continue
    }
    const content: Json[] = message.content
    const results = content.flatMap(block => block.toolResult?.toolUseId ?? [])
    if (open.length !== results.length || open.some(id => !results.includes(id))) {
      faults.push('toolResult and toolUse blocks do not fit')
    }
    open = content.flatMap(block => block.toolUse?.toolUseId ?? [])
    if (content.some(block => block.text === '')) faults.push('a text block is blank')
    if (content.some(block => Object.keys(block).length !== 1)) faults.push('a block must have one member')
  }
  if (body.messages[0].role !== 'user') faults.push('a conversation must start with a user message')
  if (open.length > 0) faults.push('toolResult and toolUse blocks do not fit')
  return [...faults, ...converseToolFaults(body), ...inferenceFaults(body.inferenceConfig)]
}

const CONVERSE_NAME = /^[a-zA-Z0-9_-]{1,64}$/

function converseToolFaults(body: Json): string[] {
  const faults: string[] = []
  const used: Json[] = body.messages.flatMap((message: Json) => message.content ?? [])
  const tools: Json[] = body.toolConfig?.tools ?? []
  if (
    used.some(block => block.toolUse !== undefined || block.toolResult !== undefined) &&
    tools.length === 0
  ) {
    faults.push('The toolConfig field must be defined when using toolUse and toolResult content blocks.')
  }
  if ('toolConfig' in body && tools.length === 0)
    faults.push('toolConfig.tools must have length of at least 1')
  for (const { toolUse } of used) {
    if (toolUse === undefined) continue
    if (!CONVERSE_NAME.test(toolUse.toolUseId) || !CONVERSE_NAME.test(toolUse.name)) {
      faults.push('toolUse must satisfy the pattern [a-zA-Z0-9_-]+')
    }
    if (typeof toolUse.input !== 'object') faults.push('toolUse.input must be a document')
  }
  for (const { toolSpec } of tools) {
    if (toolSpec === undefined) continue
    if (!CONVERSE_NAME.test(toolSpec.name))
      faults.push('toolSpec.name must satisfy the pattern [a-zA-Z0-9_-]+')
    if (toolSpec.description === '') faults.push('toolSpec.description must have length of at least 1')
    if (toolSpec.inputSchema?.json?.type !== 'object')
      faults.push('toolSpec.inputSchema.json.type must be object')
  }
  return faults
}

function inferenceFaults(config: Json): string[] {
  const faults = foreign(config, set('maxTokens temperature topP stopSequences'), 'inferenceConfig.')
  if (config?.maxTokens < 1) faults.push('inferenceConfig.maxTokens must be at least 1')
  faults.push(...outside(config?.temperature, 0, 1, 'inferenceConfig.temperature'))
  return [...faults, ...outside(config?.topP, 0, 1, 'inferenceConfig.topP')]
}

export function geminiFaults(body: Json): string[] {
  const faults = foreign(body, GEMINI)
  if (!Array.isArray(body.contents) || body.contents.length === 0) return [...faults, 'contents are missing']
  let calls = 0
  for (const content of body.contents) {
    if (content.role !== undefined && content.role !== 'user' && content.role !== 'model') {
      faults.push(`Please use a valid role: ${content.role}`)
    }
    const parts: Json[] = content.parts ?? []
    if (parts.length === 0) faults.push('a content has no parts')
    const answers = parts.filter(part => part.functionResponse !== undefined).length
    if (answers !== calls && (answers > 0 || calls > 0)) {
      faults.push('function response parts must equal the function call parts of the turn before')
    }
    calls = parts.filter(part => part.functionCall !== undefined).length
    for (const part of parts) faults.push(...foreign(part, GEMINI_PART, 'parts.'))
  }
  faults.push(...foreign(body.generationConfig, GEMINI_CONFIG, 'generationConfig.'))
  faults.push(...outside(body.generationConfig?.temperature, 0, 2, 'temperature'))
  for (const tool of body.tools ?? []) {
    for (const declared of tool.functionDeclarations ?? []) {
      faults.push(...foreign(declared, GEMINI_FUNCTION, 'functionDeclarations.'))
      if (!/^[A-Za-z_][A-Za-z0-9_.:-]{0,63}$/.test(declared.name ?? '')) faults.push('Invalid function name')
      if ('parameters' in declared && 'parametersJsonSchema' in declared) faults.push('two schemas')
      faults.push(...geminiSchemaFaults(declared.parameters))
    }
  }
  return faults
}

const GEMINI_PART = set(`
  text inlineData fileData functionCall functionResponse executableCode codeExecutionResult thought thoughtSignature
  videoMetadata mediaResolution partMetadata`)

const GEMINI_CONFIG = set(`
  stopSequences responseMimeType responseSchema responseJsonSchema _responseJsonSchema responseModalities candidateCount
  maxOutputTokens temperature topP topK seed presencePenalty frequencyPenalty responseLogprobs logprobs
  enableEnhancedCivicAnswers speechConfig thinkingConfig imageConfig mediaResolution audioTimestamp routingConfig`)

const GEMINI_FUNCTION = set(
  'name description behavior parameters parametersJsonSchema response responseJsonSchema',
)

/** The part of OpenAPI that `parameters` and `responseSchema` take; anything else has its own member. */
const GEMINI_SCHEMA = set(`
  type format title description nullable enum maxItems minItems properties required minProperties maxProperties minLength
  maxLength pattern example anyOf propertyOrdering default items minimum maximum`)

function geminiSchemaFaults(schema: Json): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const nested: Json[] = [...Object.values(schema.properties ?? {}), schema.items, ...(schema.anyOf ?? [])]
  return [...foreign(schema, GEMINI_SCHEMA, 'schema.'), ...nested.flatMap(geminiSchemaFaults)]
}

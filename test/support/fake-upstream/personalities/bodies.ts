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

function foreign(body: Json, known: ReadonlySet<string>): string[] {
  return Object.keys(body)
    .filter(name => !known.has(name))
    .map(name => `unknown member ${name}`)
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
  if ('max_tokens' in body && 'max_completion_tokens' in body) faults.push('two limits')
  if ('stream_options' in body && body.stream !== true) faults.push('stream_options without stream')
  return faults
}

export function responsesFaults(body: Json): string[] {
  const faults = foreign(body, RESPONSES)
  if (typeof body.model !== 'string' || body.model === '') faults.push('model is missing')
  if ('messages' in body) faults.push('messages are of Chat')
  if (typeof body.input !== 'string' && !Array.isArray(body.input)) faults.push('input is missing')
  const calls = new Set<string>()
  for (const item of Array.isArray(body.input) ? body.input : []) {
    if (item.type === 'function_call') calls.add(item.call_id)
    if (item.type === 'function_call_output' && !calls.has(item.call_id))
      faults.push('an output without its call')
  }
  return faults
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
    }
  }
  const budget = body.thinking?.budget_tokens
  if (budget !== undefined && budget >= body.max_tokens)
    faults.push('max_tokens must be greater than the budget')
  if ('temperature' in body && 'top_p' in body) faults.push('temperature and top_p cannot both be specified')
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
  return faults
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
  }
  return faults
}

// A Chat Completions body as a prompt. Owns this dialect's request members; refuses wrong kinds by their path and
// keeps what it does not know. Deprecated forms (functions, function_call, role function) become tools here.

import { type JsonArray, JsonObject, readBody } from '../bytes/json-tree.ts'
import { effortOf } from '../efforts.ts'
import { fileOfData, imageOfUrl, mediaKindOf, normalMime } from '../media.ts'
import { unwrapOpaque } from '../opaque.ts'
import {
  callPart,
  type CacheMark,
  DETAILS,
  mediaPart,
  type Opaque,
  type OutputFormat,
  type Part,
  Prompt,
  type PromptTurn,
  promptTurn,
  reasoningPart,
  refusalPart,
  resultPart,
  textPart,
  type Tool,
  type ToolChoice,
  vendorPart,
  VERBOSITIES,
} from '../prompt.ts'
import { LOGPROBS_MAX } from '../ranges.ts'
import { TranslateError } from '../translate-error.ts'
import { BODY_MEMBERS, MESSAGE_MEMBERS, PART_MEMBERS, TIERS } from './wire.ts'

export function readPrompt(bytes: Uint8Array): Prompt {
  const body = readBody(bytes)
  const prompt = new Prompt('openai-chat', body.requiredString('model'))
  prompt.stream = body.boolean('stream') ?? false
  prompt.wantUsage = body.object('stream_options')?.boolean('include_usage') ?? false
  prompt.wantReasoningDetails =
    body.get('include_reasoning') === true || body.get('reasoning') instanceof JsonObject
  new MessageReader(prompt).read(body.requiredArray('messages'))
  readTools(body, prompt)
  readOutput(body, prompt)
  readSampling(body, prompt)
  readCaller(body, prompt)
  prompt.extra = body.extras(BODY_MEMBERS)
  return prompt
}

/** Reads messages in order; remembers calls, because results do not name their tool. */
class MessageReader {
  private readonly prompt: Prompt
  private readonly nameOfCall = new Map<string, string>()
  private readonly customCalls = new Set<string>()
  private legacyCalls = 0
  private lastLegacyId = ''

  constructor(prompt: Prompt) {
    this.prompt = prompt
  }

  read(messages: JsonArray): void {
    if (messages.length === 0) {
      throw new TranslateError(
        'invalid',
        'messages: found an empty array, allowed is one or more',
        'messages',
      )
    }
    for (const message of messages.objects()) {
      const turn = this.turn(message)
      const leading = turn.role === 'system' && this.prompt.turns.length === 0
      if (leading) this.prompt.instructions.push(turn)
      else this.prompt.turns.push(turn)
    }
  }

  private turn(message: JsonObject): PromptTurn {
    const at = message.pointer
    const more = { name: message.string('name'), extra: message.extras(MESSAGE_MEMBERS) }
    const role = message.requiredString('role')
    switch (role) {
      case 'system':
      case 'developer':
        return promptTurn('system', contentParts(message), at, { ...more, developer: role === 'developer' })
      case 'user':
        return promptTurn('user', contentParts(message), at, more)
      case 'assistant':
        return promptTurn('model', this.modelParts(message), at, more)
      case 'tool':
        return promptTurn('user', [this.result(message, message.requiredString('tool_call_id'))], at, {
          extra: more.extra,
        })
      case 'function':
        return promptTurn('user', [this.result(message, this.lastLegacyId)], at, { extra: more.extra })
      default:
        throw message.refuse('role', 'developer, system, user, assistant, tool or function')
    }
  }

  private result(message: JsonObject, callId: string): Part {
    const name = this.nameOfCall.get(callId) ?? message.string('name')
    const custom = this.customCalls.has(callId)
    return resultPart({ callId, name, parts: contentParts(message), custom }, message.pointer)
  }

  private modelParts(message: JsonObject): Part[] {
    const parts: Part[] = [...reasoningOf(message), ...contentParts(message)]
    const refusal = message.string('refusal')
    if (refusal !== null) parts.push(refusalPart(refusal, message.pointerOf('refusal')))
    const audio = message.jsonOf('audio')
    if (audio !== null) parts.push(vendorPart('openai-chat', 'audio', audio, message.pointerOf('audio')))
    for (const call of message.array('tool_calls')?.objects() ?? []) parts.push(this.call(call))
    const legacy = message.object('function_call')
    if (legacy !== null) parts.push(this.legacyCall(legacy))
    return parts
  }

  private call(call: JsonObject): Part {
    const id = call.requiredString('id')
    const custom = call.object('custom')
    const made = custom ?? call.requiredObject('function')
    const name = made.requiredString('name')
    this.nameOfCall.set(id, name)
    if (custom !== null) {
      this.customCalls.add(id)
      return callPart({ id, name, input: custom.string('input') ?? '', custom: true }, call.pointer)
    }
    return callPart({ id, name, input: argumentsOf(made) }, call.pointer)
  }

  private legacyCall(call: JsonObject): Part {
    this.legacyCalls += 1
    this.lastLegacyId = `call_legacy_${this.legacyCalls}`
    const name = call.requiredString('name')
    this.nameOfCall.set(this.lastLegacyId, name)
    return callPart({ id: this.lastLegacyId, name, input: argumentsOf(call) }, call.pointer)
  }
}

/** Arguments are text; hosts that speak loosely give an object, whose source is taken. */
function argumentsOf(call: JsonObject): string {
  const value = call.get('arguments')
  return typeof value === 'string' ? value : (call.jsonOf('arguments') ?? '')
}

/** Readable reasoning and what only its issuer can read, as compatible hosts and our own replies spell them. */
function reasoningOf(message: JsonObject): Part[] {
  const value = message.get('reasoning_content') ?? message.get('reasoning')
  const text = typeof value === 'string' ? value : ''
  const details = message.get('reasoning_details')
  const parts: Part[] = []
  const at = message.pointerOf('reasoning_content')
  for (const detail of details === undefined || details === null
    ? []
    : (message.array('reasoning_details')?.objects() ?? [])) {
    const opaque = opaqueOf(detail)
    const section = detail.string('text') ?? detail.string('summary') ?? ''
    if (opaque !== null || section !== '') {
      parts.push(reasoningPart(section === '' ? [] : [section], opaque, detail.pointer))
    }
  }
  const readable = parts.some(part => part.kind === 'reasoning' && part.sections.length > 0)
  if (text !== '' && !readable) {
    // Signatures stream apart from their text: the text belongs to the first of them.
    const first = parts[0]
    if (first?.kind === 'reasoning') parts[0] = { ...first, sections: [text] }
    else parts.push(reasoningPart([text], null, at))
  }
  return parts
}

function opaqueOf(detail: JsonObject): Opaque | null {
  const id = detail.string('id')
  const signature = detail.string('signature')
  if (signature !== null) return unwrapOpaque(signature, 'openai-chat', 'signature', id)
  const data = detail.string('data')
  return data === null ? null : unwrapOpaque(data, 'openai-chat', 'encrypted', id)
}

function contentParts(message: JsonObject): Part[] {
  const content = message.get('content')
  if (content === undefined || content === null) return []
  if (typeof content === 'string')
    return content === '' ? [] : [textPart(content, message.pointerOf('content'))]
  return message.requiredArray('content').objects().map(contentPart)
}

function contentPart(part: JsonObject): Part {
  const at = part.pointer
  const cache = cacheMarkOf(part)
  const type = part.requiredString('type')
  switch (type) {
    case 'text':
      return textPart(part.requiredString('text'), at, cache, [], null, part.extras(PART_MEMBERS))
    case 'refusal':
      return refusalPart(part.requiredString('refusal'), at)
    case 'image_url': {
      const bare = part.get('image_url')
      if (typeof bare === 'string') return imageOfUrl(bare, at, null, cache)
      const image = part.requiredObject('image_url')
      return imageOfUrl(image.requiredString('url'), at, image.word('detail', DETAILS), cache)
    }
    case 'input_audio': {
      const audio = part.requiredObject('input_audio')
      const format = audio.string('format') ?? 'wav'
      const mime = normalMime(`audio/${format === 'mp3' ? 'mpeg' : format}`)
      return mediaPart('audio', mime, { kind: 'base64', data: audio.requiredString('data') }, at, { cache })
    }
    case 'file':
      return filePart(part.requiredObject('file'), at, cache)
    default:
      return vendorPart('openai-chat', type, part.json, at, null, true)
  }
}

function filePart(file: JsonObject, at: string, cache: CacheMark | null): Part {
  const name = file.string('filename')
  const data = file.string('file_data')
  if (data !== null) return fileOfData(data, name, at, cache)
  const id = file.requiredString('file_id')
  return mediaPart(mediaKindOf(null), null, { kind: 'file', id, dialect: 'openai-chat' }, at, { name, cache })
}

function cacheMarkOf(part: JsonObject): CacheMark | null {
  const mark = part.object('prompt_cache_breakpoint') ?? part.object('cache_control')
  if (mark === null) return null
  const ttl = mark.string('ttl')
  return ttl === '12h' || ttl === '1h' ? 'long' : 'short'
}

function readTools(body: JsonObject, prompt: Prompt): void {
  for (const tool of body.array('tools')?.objects() ?? []) prompt.tools.push(toolOf(tool))
  for (const legacy of body.array('functions')?.objects() ?? [])
    prompt.tools.push(functionTool(legacy, legacy))
  const search = body.jsonOf('web_search_options')
  if (search !== null) {
    const hosted = { dialect: 'openai-chat' as const, type: 'web_search_options', json: search }
    prompt.tools.push({ ...bareTool('hosted', 'web_search', '/web_search_options'), hosted })
  }
  prompt.toolChoice = toolChoiceOf(body)
  prompt.parallelCalls = body.boolean('parallel_tool_calls')
}

function bareTool(kind: Tool['kind'], name: string, at: string): Tool {
  return {
    kind,
    name,
    namespace: null,
    description: null,
    schema: null,
    schemaForm: 'json-schema',
    strict: null,
    grammar: null,
    hosted: null,
    cache: null,
    at,
    extra: [],
  }
}

function toolOf(tool: JsonObject): Tool {
  const type = tool.string('type') ?? 'function'
  if (type === 'function') return functionTool(tool.requiredObject('function'), tool)
  if (type === 'custom') return customTool(tool.requiredObject('custom'), tool)
  const hosted = { dialect: 'openai-chat' as const, type, json: tool.json }
  return { ...bareTool('hosted', type, tool.pointer), hosted }
}

const TOOL_MEMBERS = new Set([
  'type',
  'function',
  'custom',
  'name',
  'description',
  'parameters',
  'strict',
  'cache_control',
])

function functionTool(made: JsonObject, tool: JsonObject): Tool {
  const schema = made.get('parameters')
  if (schema !== undefined && schema !== null && !(schema instanceof JsonObject)) {
    throw made.refuse('parameters', 'a JSON Schema object')
  }
  return {
    ...bareTool('function', made.requiredString('name'), tool.pointer),
    description: made.string('description'),
    schema: made.jsonOf('parameters'),
    strict: made.boolean('strict'),
    cache: cacheMarkOf(tool),
    extra: tool.extras(TOOL_MEMBERS),
  }
}

function customTool(made: JsonObject, tool: JsonObject): Tool {
  const format = made.object('format')
  const grammar = format?.object('grammar') ?? null
  return {
    ...bareTool('custom', made.requiredString('name'), tool.pointer),
    description: made.string('description'),
    grammar:
      grammar === null
        ? null
        : { syntax: grammar.requiredString('syntax'), definition: grammar.requiredString('definition') },
    cache: cacheMarkOf(tool),
  }
}

function toolChoiceOf(body: JsonObject): ToolChoice | null {
  const name = body.has('tool_choice') ? 'tool_choice' : 'function_call'
  const choice = body.get(name)
  if (choice === undefined || choice === null) return null
  if (choice === 'auto' || choice === 'none') return { mode: choice, names: [], forced: false }
  if (choice === 'required') return { mode: 'any', names: [], forced: true }
  if (!(choice instanceof JsonObject)) throw body.refuse(name, 'none, auto, required or an object')
  const allowed = choice.object('allowed_tools')
  if (allowed !== null) {
    const names = allowed.requiredArray('tools').objects().map(chosenName)
    return { mode: 'subset', names, forced: allowed.string('mode') === 'required' }
  }
  return { mode: 'one', names: [chosenName(choice)], forced: true }
}

function chosenName(choice: JsonObject): string {
  const made = choice.object('function') ?? choice.object('custom') ?? choice
  return made.requiredString('name')
}

function readOutput(body: JsonObject, prompt: Prompt): void {
  const limit = body.has('max_completion_tokens') ? 'max_completion_tokens' : 'max_tokens'
  prompt.outputTokensMax = body.count(limit, 1)
  prompt.choices = body.count('n', 1)
  const stop = body.get('stop')
  if (typeof stop === 'string') prompt.stop = [stop]
  else if (stop !== undefined && stop !== null) prompt.stop = body.requiredArray('stop').strings()
  prompt.verbosity = body.word('verbosity', VERBOSITIES)
  prompt.modalities = body.array('modalities')?.strings() ?? []
  prompt.audio = body.jsonOf('audio')
  prompt.format = formatOf(body.object('response_format'))
  const alternatives = body.count('top_logprobs', 0, LOGPROBS_MAX)
  if (body.boolean('logprobs') === true) prompt.logprobs = alternatives ?? 0
  prompt.prediction = body.jsonOf('prediction')
}

function formatOf(format: JsonObject | null): OutputFormat | null {
  if (format === null) return null
  const bare = {
    name: null,
    description: null,
    schema: null,
    schemaForm: 'json-schema' as const,
    strict: null,
  }
  switch (format.requiredString('type')) {
    case 'text':
      return { kind: 'text', ...bare }
    case 'json_object':
      return { kind: 'json', ...bare }
    case 'json_schema': {
      const made = format.requiredObject('json_schema')
      made.object('schema')
      return {
        kind: 'schema',
        name: made.string('name'),
        description: made.string('description'),
        schema: made.jsonOf('schema') ?? '{}',
        schemaForm: 'json-schema',
        strict: made.boolean('strict'),
      }
    }
    default:
      throw format.refuse('type', 'text, json_object or json_schema')
  }
}

function readSampling(body: JsonObject, prompt: Prompt): void {
  prompt.temperature = body.number('temperature')
  prompt.topP = body.number('top_p')
  prompt.topK = body.number('top_k')
  body.number('seed')
  prompt.seed = body.jsonOf('seed')
  prompt.presencePenalty = body.number('presence_penalty')
  prompt.frequencyPenalty = body.number('frequency_penalty')
  prompt.logitBias = body.jsonOf('logit_bias')
  const word = body.string('reasoning_effort')
  if (word === null) return
  const effort = effortOf(word)
  if (effort === null) throw body.refuse('reasoning_effort', 'none, minimal, low, medium, high, xhigh or max')
  prompt.reasoning = { mode: effort === 'none' ? 'off' : 'effort', effort, budgetTokens: null, show: null }
}

function readCaller(body: JsonObject, prompt: Prompt): void {
  prompt.cacheKey = body.string('prompt_cache_key')
  const cache = body.object('prompt_cache_options')
  if (cache?.string('mode') === 'implicit')
    prompt.cacheAuto = cache.string('ttl') === '12h' ? 'long' : 'short'
  prompt.userId = body.string('safety_identifier') ?? body.string('user')
  const metadata = body.object('metadata')
  for (const name of metadata?.keys ?? [])
    prompt.metadata.push({ name, value: metadata!.requiredString(name) })
  const tier = body.string('service_tier')
  if (tier !== null) prompt.tier = TIERS[tier] ?? 'auto'
  prompt.store = body.boolean('store')
  const moderation = body.jsonOf('moderation')
  if (moderation !== null) prompt.safety.push({ name: 'moderation', json: moderation })
}

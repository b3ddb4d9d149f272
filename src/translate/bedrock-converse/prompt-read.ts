// A Converse body as a prompt. Owns this dialect's request members; refuses wrong kinds by their path and keeps what
// it does not know. The model and whether to stream stand in the path, not here.

import { JsonObject, readBody, readJson } from '../bytes/json-tree.ts'
import {
  type OutputFormat,
  type Part,
  Prompt,
  promptTurn,
  textPart,
  type Tool,
  type ToolChoice,
  vendorPart,
} from '../prompt.ts'
import { TranslateError } from '../translate-error.ts'
import { cacheMarkOf, ContentReader, guarded, kindOf } from './content-read.ts'
import { readVendorFields, wordOf } from './vendor-read.ts'
import {
  BARE_TOOL,
  BODY_MEMBERS,
  INFERENCE_MEMBERS,
  MESSAGE_MEMBERS,
  type NestedMember,
  OUTPUT_MEMBERS,
  RESPONSE_PATHS,
  STOP_SEQUENCE_PATH,
  TIERS,
  TOOL_CONFIG_MEMBERS,
  TOOL_MEMBERS,
} from './wire.ts'

export function readPrompt(bytes: Uint8Array): Prompt {
  const body = readBody(bytes)
  const prompt = new Prompt('bedrock-converse', '')
  prompt.wantUsage = true
  readSystem(body, prompt)
  readMessages(body, prompt)
  readInference(body, prompt)
  readTools(body, prompt)
  readOutput(body, prompt)
  readVendorFields(body, prompt)
  readCaller(body, prompt)
  readOwnWishes(body, prompt)
  return prompt
}

function readSystem(body: JsonObject, prompt: Prompt): void {
  const blocks = body.array('system')?.objects() ?? []
  if (blocks.length === 0) return
  const parts: Part[] = []
  for (const block of blocks) {
    const kind = kindOf(block)
    const last = parts.at(-1)
    if (kind === 'cachePoint' && last !== undefined && last.cache === null) {
      parts[parts.length - 1] = { ...last, cache: cacheMarkOf(block) }
    } else if (kind === 'text') parts.push(textPart(block.requiredString('text'), block.pointer))
    else if (kind === 'guardContent') parts.push(guarded(block))
    else parts.push(vendorPart('bedrock-converse', kind, block.json, block.pointer))
  }
  prompt.instructions.push(promptTurn('system', parts, '/system'))
}

function readMessages(body: JsonObject, prompt: Prompt): void {
  const messages = body.requiredArray('messages')
  if (messages.length === 0) {
    throw new TranslateError('invalid', 'messages: found an empty array, allowed is one or more', 'messages')
  }
  const reader = new ContentReader()
  for (const message of messages.objects()) {
    const role = message.requiredString('role')
    if (role !== 'user' && role !== 'assistant' && role !== 'system') {
      throw message.refuse('role', 'user, assistant or system')
    }
    const parts = reader.read(message.requiredArray('content'))
    const more = { extra: message.extras(MESSAGE_MEMBERS) }
    prompt.turns.push(promptTurn(role === 'assistant' ? 'model' : role, parts, message.pointer, more))
  }
}

function readInference(body: JsonObject, prompt: Prompt): void {
  const config = body.object('inferenceConfig')
  if (config === null) return
  prompt.outputTokensMax = config.count('maxTokens', 1)
  prompt.temperature = config.number('temperature')
  prompt.topP = config.number('topP')
  prompt.stop = config.array('stopSequences')?.strings() ?? []
  keepUnknown(config, 'inferenceConfig', INFERENCE_MEMBERS, prompt)
}

function keepUnknown(
  owner: JsonObject,
  member: NestedMember,
  known: ReadonlySet<string>,
  prompt: Prompt,
): void {
  for (const extra of owner.extras(known))
    prompt.extra.push({ name: `${member}/${extra.name}`, json: extra.json })
}

function readTools(body: JsonObject, prompt: Prompt): void {
  const config = body.object('toolConfig')
  if (config === null) return
  for (const entry of config.array('tools')?.objects() ?? []) {
    const kind = kindOf(entry)
    const last = prompt.tools.at(-1)
    if (kind === 'cachePoint' && last !== undefined && last.cache === null) {
      prompt.tools[prompt.tools.length - 1] = { ...last, cache: cacheMarkOf(entry) }
    } else prompt.tools.push(kind === 'toolSpec' ? toolOf(entry) : ownTool(entry, kind))
  }
  const choice = config.object('toolChoice')
  if (choice !== null) prompt.toolChoice = toolChoiceOf(choice, config)
  keepUnknown(config, 'toolConfig', TOOL_CONFIG_MEMBERS, prompt)
}

function toolOf(entry: JsonObject): Tool {
  const spec = entry.requiredObject('toolSpec')
  return {
    ...BARE_TOOL,
    kind: 'function',
    name: spec.requiredString('name'),
    description: spec.string('description'),
    schema: spec.requiredObject('inputSchema').requiredObject('json').json,
    strict: spec.boolean('strict'),
    at: entry.pointer,
    extra: spec.extras(TOOL_MEMBERS),
  }
}

/** A tool of the service's own, or a kind of entry that is new to us. */
function ownTool(entry: JsonObject, kind: string): Tool {
  const name = kind === 'systemTool' ? entry.requiredObject(kind).requiredString('name') : kind
  const hosted = { dialect: 'bedrock-converse' as const, type: kind, json: entry.json }
  return { ...BARE_TOOL, kind: 'hosted', name, hosted, at: entry.pointer }
}

function toolChoiceOf(choice: JsonObject, config: JsonObject): ToolChoice {
  const kind = kindOf(choice)
  if (kind === 'auto') return { mode: 'auto', names: [], forced: false }
  if (kind === 'any') return { mode: 'any', names: [], forced: true }
  if (kind !== 'tool') throw config.refuse('toolChoice', 'an object with auto, any or tool')
  return { mode: 'one', names: [choice.requiredObject('tool').requiredString('name')], forced: true }
}

function readOutput(body: JsonObject, prompt: Prompt): void {
  const config = body.object('outputConfig')
  if (config === null) return
  prompt.format = formatOf(config.object('textFormat'))
  const effort = wordOf(config, 'effort')
  if (effort !== null) prompt.reasoning = { mode: 'effort', effort, budgetTokens: null, show: null }
  keepUnknown(config, 'outputConfig', OUTPUT_MEMBERS, prompt)
}

function formatOf(format: JsonObject | null): OutputFormat | null {
  if (format === null) return null
  if (format.requiredString('type') !== 'json_schema') throw format.refuse('type', 'json_schema')
  const made = format.requiredObject('structure').requiredObject('jsonSchema')
  const schema = made.requiredString('schema')
  if (!isSchema(schema)) throw made.refuse('schema', 'the text of a JSON Schema object')
  return {
    kind: 'schema',
    name: made.string('name'),
    description: made.string('description'),
    schema,
    schemaForm: 'json-schema',
    strict: null,
  }
}

function isSchema(text: string): boolean {
  try {
    return readJson(text) instanceof JsonObject
  } catch (error) {
    if (error instanceof TranslateError) return false
    throw error
  }
}

function readCaller(body: JsonObject, prompt: Prompt): void {
  const metadata = body.object('requestMetadata')
  for (const name of metadata?.keys ?? [])
    prompt.metadata.push({ name, value: metadata!.requiredString(name) })
  const tier = body.object('serviceTier')
  if (tier !== null) prompt.tier = TIERS[tier.requiredString('type')] ?? 'auto'
  const guardrail = body.object('guardrailConfig')
  if (guardrail !== null) prompt.safety.push({ name: 'guardrailConfig', json: guardrail.json })
}

/** Members that only hosts of this dialect can honour. */
function readOwnWishes(body: JsonObject, prompt: Prompt): void {
  const paths = body.array(RESPONSE_PATHS)
  if (paths !== null) {
    // The reply's writer looks it up; the only path we can serve for a model behind another dialect is the stop text.
    prompt.echo.push({ name: RESPONSE_PATHS, json: paths.json })
    if (paths.strings().some(path => path !== STOP_SEQUENCE_PATH)) {
      prompt.vendorWishes.push({ name: RESPONSE_PATHS, json: paths.json, essential: false })
    }
  }
  const known = new Set([...BODY_MEMBERS, RESPONSE_PATHS, 'performanceConfig', 'promptVariables'])
  const performance = body.jsonOf('performanceConfig')
  if (performance !== null)
    prompt.vendorWishes.push({ name: 'performanceConfig', json: performance, essential: false })
  // The prompt itself is stored at the vendor.
  const variables = body.jsonOf('promptVariables')
  if (variables !== null)
    prompt.vendorWishes.push({ name: 'promptVariables', json: variables, essential: true })
  prompt.extra.push(...body.extras(known))
}

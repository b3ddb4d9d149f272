// A generateContent body as a prompt. Owns this dialect's request members in both their spellings; refuses wrong
// kinds by their path and keeps what it does not know. Model and streaming are said by the path.

import { type JsonObject, readBody } from '../bytes/json-tree.ts'
import {
  type Effort,
  type OutputFormat,
  Prompt,
  promptTurn,
  type ReasoningWish,
  textPart,
  type Tool,
  type ToolChoice,
  type VendorWish,
} from '../prompt.ts'
import { LOGPROBS_MAX } from '../ranges.ts'
import { isStrictSchema } from '../schema.ts'
import { ContentReader } from './contents-read.ts'
import { both, extrasWithin, hasList, objectsOf, spelled } from './spelling.ts'
import {
  BODY_MEMBERS,
  CONFIG_MEMBERS,
  CONTENT_MEMBERS,
  DECLARATION_MEMBERS,
  THINKING_MEMBERS,
  TIERS,
} from './wire.ts'
import { wordTable } from '../word-table.ts'

export function readPrompt(bytes: Uint8Array): Prompt {
  const body = readBody(bytes)
  const prompt = new Prompt('gemini-generate', '')
  prompt.wantUsage = true
  if (!hasList(body, 'contents')) throw body.refuse('contents', 'an array of contents')
  readSystem(body, prompt)
  new ContentReader(prompt).read(objectsOf(body, 'contents'))
  readTools(body, prompt)
  readToolConfig(body.object(spelled(body, 'toolConfig')), prompt)
  const config = body.object(spelled(body, 'generationConfig'))
  if (config !== null) {
    readSampling(config, prompt)
    readOutput(config, prompt)
    prompt.reasoning = reasoningOf(config, prompt)
    readRest(config, 'generationConfig', CONFIG_MEMBERS, CONFIG_WISHES, prompt)
  }
  readCaller(body, prompt)
  prompt.extra.push(...body.extras(BODY_MEMBERS))
  return prompt
}

function readSystem(body: JsonObject, prompt: Prompt): void {
  const system = body.object(spelled(body, 'systemInstruction'))
  if (system === null) return
  const parts = objectsOf(system, 'parts').map(part => textPart(part.string('text') ?? '', part.pointer))
  const said = parts.filter(part => part.text !== '')
  const extra = system.extras(CONTENT_MEMBERS)
  if (said.length > 0 || extra.length > 0)
    prompt.instructions.push(promptTurn('system', said, system.pointer, { extra }))
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

/** One entry holds declarations and hosted tools side by side. */
function readTools(body: JsonObject, prompt: Prompt): void {
  for (const entry of objectsOf(body, 'tools')) {
    const declared = spelled(entry, 'functionDeclarations')
    for (const declaration of objectsOf(entry, 'functionDeclarations'))
      prompt.tools.push(functionTool(declaration))
    for (const key of entry.keys) {
      if (key === declared || !entry.has(key)) continue
      const json = `{${JSON.stringify(key)}:${entry.jsonOf(key)}}`
      // Every dialect's web search begins with these words, so that they find each other.
      const type = SEARCHES.has(key) ? 'web_search' : key
      const hosted = { dialect: 'gemini-generate' as const, type, json }
      prompt.tools.push({ ...bareTool('hosted', type, entry.pointerOf(key)), hosted })
    }
  }
}

const SEARCHES: ReadonlySet<string> = both(['googleSearch', 'googleSearchRetrieval'])

function functionTool(declaration: JsonObject): Tool {
  const json = spelled(declaration, 'parametersJsonSchema')
  const asJson = declaration.has(json)
  const name = asJson ? json : 'parameters'
  declaration.object(name)
  return {
    ...bareTool('function', declaration.requiredString('name'), declaration.pointer),
    description: declaration.string('description'),
    schema: declaration.jsonOf(name),
    schemaForm: asJson ? 'json-schema' : 'openapi',
    extra: declaration.extras(DECLARATION_MEMBERS),
  }
}

const CALLING_MEMBERS = both(['mode', 'allowedFunctionNames'])
const TOOL_CONFIG_MEMBERS = both(['functionCallingConfig'])
const TOOL_CONFIG_WISHES = both(['retrievalConfig', 'includeServerSideToolInvocations'])

function readToolConfig(config: JsonObject | null, prompt: Prompt): void {
  if (config === null) return
  readRest(config, 'toolConfig', TOOL_CONFIG_MEMBERS, TOOL_CONFIG_WISHES, prompt)
  const calling = config.object(spelled(config, 'functionCallingConfig'))
  if (calling === null) return
  const at = 'toolConfig/functionCallingConfig'
  readRest(calling, at, CALLING_MEMBERS, both(['streamFunctionCallArguments']), prompt)
  const mode = calling.string('mode')?.toUpperCase() ?? 'AUTO'
  const names = calling.array(spelled(calling, 'allowedFunctionNames'))?.strings() ?? []
  if (mode === 'VALIDATED' && names.length === 0) validateAll(prompt, at)
  else prompt.toolChoice = toolChoiceOf(calling, mode, names)
}

function toolChoiceOf(calling: JsonObject, mode: string, names: string[]): ToolChoice {
  switch (mode) {
    case 'AUTO':
    case 'MODE_UNSPECIFIED':
      return { mode: 'auto', names: [], forced: false }
    case 'NONE':
      return { mode: 'none', names: [], forced: false }
    case 'ANY':
      if (names.length === 0) return { mode: 'any', names, forced: true }
      return { mode: names.length === 1 ? 'one' : 'subset', names, forced: true }
    case 'VALIDATED':
      return { mode: 'subset', names, forced: false }
    default:
      throw calling.refuse('mode', 'AUTO, ANY, NONE or VALIDATED')
  }
}

/** Arguments that must match: what other dialects call strict, where their form of it takes the schemas. */
function validateAll(prompt: Prompt, at: string): void {
  prompt.toolChoice = { mode: 'auto', names: [], forced: false }
  const functions = prompt.tools.filter(tool => tool.kind === 'function')
  const strict = functions.every(
    tool => tool.schemaForm === 'json-schema' && tool.schema !== null && isStrictSchema(tool.schema),
  )
  if (strict) {
    prompt.tools = prompt.tools.map(tool => (tool.kind === 'function' ? { ...tool, strict } : tool))
  } else prompt.vendorWishes.push({ name: `${at}/mode`, json: '"VALIDATED"', essential: false })
}

/** Known members without a place of their own, and unknown ones. */
function readRest(
  node: JsonObject,
  path: string,
  placed: ReadonlySet<string>,
  wishes: ReadonlySet<string>,
  prompt: Prompt,
): void {
  for (const extra of extrasWithin(node, path, placed)) {
    const name = extra.name.slice(path.length + 1)
    if (extra.json === 'null') continue
    if (wishes.has(name)) prompt.vendorWishes.push({ ...extra, essential: ESSENTIAL.has(name) })
    else prompt.extra.push(extra)
  }
}

const CONFIG_WISHES = both([
  'speechConfig',
  'mediaResolution',
  'imageConfig',
  'audioTimestamp',
  'audioTranscriptionConfig',
  'enableAffectiveDialog',
  'enableEnhancedCivicAnswers',
  'modelSelectionConfig',
  'responseFormat',
  'routingConfig',
  'translationConfig',
])

/** The form of the answer is not a detail. */
const ESSENTIAL = both(['responseFormat'])

function readSampling(config: JsonObject, prompt: Prompt): void {
  const number = (name: string): number | null => config.number(spelled(config, name))
  prompt.temperature = number('temperature')
  prompt.topP = number('topP')
  prompt.topK = number('topK')
  prompt.presencePenalty = number('presencePenalty')
  prompt.frequencyPenalty = number('frequencyPenalty')
  config.number('seed')
  prompt.seed = config.jsonOf('seed')
}

function readOutput(config: JsonObject, prompt: Prompt): void {
  prompt.outputTokensMax = config.count(spelled(config, 'maxOutputTokens'), 1)
  prompt.choices = config.count(spelled(config, 'candidateCount'), 1)
  prompt.stop = config.array(spelled(config, 'stopSequences'))?.strings() ?? []
  const modalities = config.array(spelled(config, 'responseModalities'))?.strings() ?? []
  prompt.modalities = modalities.map(modality => modality.toLowerCase())
  const alternatives = config.count('logprobs', 0, LOGPROBS_MAX)
  if (config.boolean(spelled(config, 'responseLogprobs')) === true) prompt.logprobs = alternatives ?? 0
  prompt.format = formatOf(config)
}

function formatOf(config: JsonObject): OutputFormat | null {
  const mime = config.string(spelled(config, 'responseMimeType'))
  const json = spelled(config, 'responseJsonSchema')
  const openapi = spelled(config, 'responseSchema')
  const asJson = config.has(json)
  const key = asJson ? json : openapi
  config.object(key)
  const format = {
    name: null,
    description: null,
    schema: config.jsonOf(key),
    schemaForm: asJson ? ('json-schema' as const) : ('openapi' as const),
    strict: null,
  }
  switch (mime) {
    case null:
      return format.schema === null ? null : { kind: 'schema', ...format }
    case 'text/plain':
      return { kind: 'text', ...format, schema: null }
    case 'application/json':
      return { kind: format.schema === null ? 'json' : 'schema', ...format }
    case 'text/x.enum':
      return { kind: 'enum', ...format }
    default:
      throw config.refuse(spelled(config, 'responseMimeType'), 'text/plain, application/json or text/x.enum')
  }
}

const LEVELS: Readonly<Record<string, Effort>> = wordTable({
  MINIMAL: 'minimal',
  LOW: 'low',
  MEDIUM: 'medium',
  HIGH: 'high',
})

/** Asks for nothing when only thoughts are not to be shown: whether to think is left to the model. */
function reasoningOf(config: JsonObject, prompt: Prompt): ReasoningWish | null {
  const thinking = config.object(spelled(config, 'thinkingConfig'))
  if (thinking === null) return null
  prompt.extra.push(...extrasWithin(thinking, 'generationConfig/thinkingConfig', THINKING_MEMBERS))
  const shown = thinking.boolean(spelled(thinking, 'includeThoughts'))
  const show = shown === null ? null : shown ? 'auto' : 'none'
  const wish = { effort: null, budgetTokens: null, show } as const
  const budgetTokens = thinking.integer(spelled(thinking, 'thinkingBudget'))
  if (budgetTokens !== null) {
    if (budgetTokens < -1)
      throw thinking.refuse(spelled(thinking, 'thinkingBudget'), '-1, 0 or a number of tokens')
    if (budgetTokens === 0) return { ...wish, mode: 'off' }
    return budgetTokens === -1 ? { ...wish, mode: 'adaptive' } : { ...wish, mode: 'budget', budgetTokens }
  }
  const key = spelled(thinking, 'thinkingLevel')
  const level = thinking.string(key)?.toUpperCase() ?? 'THINKING_LEVEL_UNSPECIFIED'
  if (level !== 'THINKING_LEVEL_UNSPECIFIED') {
    const effort = LEVELS[level]
    if (effort === undefined) throw thinking.refuse(key, 'MINIMAL, LOW, MEDIUM or HIGH')
    return { ...wish, mode: 'effort', effort }
  }
  return shown === true ? { ...wish, mode: 'adaptive' } : null
}

function readCaller(body: JsonObject, prompt: Prompt): void {
  for (const name of ['safetySettings', 'modelArmorConfig']) {
    const json = body.jsonOf(spelled(body, name))
    if (json !== null) prompt.safety.push({ name, json })
  }
  prompt.cacheResource = body.string(spelled(body, 'cachedContent'))
  const labels = body.object('labels')
  for (const name of labels?.keys ?? []) prompt.metadata.push({ name, value: labels!.requiredString(name) })
  const tier = body.string(spelled(body, 'serviceTier'))
  if (tier !== null) prompt.tier = TIERS[tier.toLowerCase()] ?? 'auto'
  prompt.store = body.boolean('store')
  const token = body.jsonOf(spelled(body, 'continuationToken'))
  const wish: VendorWish | null =
    token === null ? null : { name: 'continuationToken', json: token, essential: true }
  if (wish !== null) prompt.vendorWishes.push(wish)
}

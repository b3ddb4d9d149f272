// A prompt as a Converse body. Owns what Converse hosts can be told; everything else is reported as lost. The model
// and whether to stream stand in the path: the body has neither.

import { hashHex } from '../bytes/hash.ts'
import { JsonOut } from '../bytes/json-out.ts'
import { CLIENT_TOOLS } from '../anthropic-messages/wire.ts'
import type { WishName } from '../fields.ts'
import type { Prompt, PromptTurn, ServiceTier, Tool } from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'
import {
  boundlessSchema,
  CUSTOM_INPUT_SCHEMA,
  customDescription,
  EMPTY_OBJECT_SCHEMA,
  jsonInstruction,
  objectSchema,
} from '../schema.ts'
import { cleanTurns } from '../turns.ts'
import { BlockWriter, mediaToUser } from './blocks-write.ts'
import { CacheMarks } from './cache-marks.ts'
import { type ReasoningPlan, reasoningPlan, vendorOf } from './reasoning.ts'
import {
  cachePoint,
  type NestedMember,
  ownMembers,
  RESPONSE_PATHS,
  STOP_SEQUENCE_PATH,
  VENDOR_FIELDS,
} from './wire.ts'

const JSON_TOOL = 'json_response'
const NO_TOOLS_SENTENCE = 'Answer without calling any tool.'
/** Bounds of the service for entries of `requestMetadata`. */
const METADATA_ENTRIES_MAX = 16
const METADATA_CHARS_MAX = 256
const METADATA_CHARS = /[^A-Za-z0-9\s:_@$#=/+,.-]/g

/** What the rest of the body must agree with. */
interface Plan extends ReasoningPlan {
  /** Structured output by a forced tool. */
  readonly jsonTool: boolean
  /** Tools that are sent as entries of `toolConfig`. */
  readonly tools: readonly Tool[]
  /** Sentences after the instructions that say what no member can. */
  readonly sentences: readonly string[]
}

export function writePrompt(prompt: Prompt, writing: PromptWriting): Uint8Array {
  writing.refuseForeign(prompt)
  for (const tool of prompt.tools)
    if (tool.kind !== 'hosted') writing.names.toTarget(tool.name, tool.namespace)
  const own = prompt.dialect === 'bedrock-converse'
  const turns = own ? prompt.turns : mediaToUser(cleanTurns(prompt, writing), writing)
  const plan = planOf(prompt, turns, writing)
  const marks = new CacheMarks(prompt, plan.tools, turns, writing, own)
  const blocks = new BlockWriter(prompt, writing, marks, plan.thinks)
  const out = new JsonOut().object()
  writeTools(out, prompt, writing, plan, marks)
  blocks.writeSystem(out, prompt.instructions, plan.sentences)
  out.key('messages').array()
  for (const [index, turn] of turns.entries()) {
    blocks.writeTurn(out, turn, index === turns.length - 1 ? prompt.cacheAuto : null)
  }
  out.endArray()
  writeInference(out, prompt, writing, plan)
  writeOutput(out, prompt, writing, plan)
  writeVendorFields(out, prompt, writing, plan)
  writeResponsePaths(out, prompt)
  writeCaller(out, prompt, writing)
  noteUnsaid(prompt, writing)
  out.extras(ownMembers(prompt, null))
  return out.endObject().bytes()
}

function planOf(prompt: Prompt, turns: readonly PromptTurn[], writing: PromptWriting): Plan {
  const { facts } = writing.target
  const sentences: string[] = []
  const wantsSchema = prompt.format?.kind === 'schema' && !facts.jsonSchema
  const jsonTool = wantsSchema && facts.forcedToolChoice
  if (jsonTool) {
    writing.jsonTool = writing.names.toTarget(JSON_TOOL)
    writing.loseWish('emulate', 'format', 'schema_by_tool')
  } else if (wantsSchema) {
    writing.loseWish('emulate', 'format', 'schema_by_instruction')
    sentences.push(jsonInstruction(prompt.format?.schema ?? null))
  }
  if (prompt.format?.kind === 'json') {
    writing.loseWish('emulate', 'format', 'json_by_instruction')
    sentences.push(jsonInstruction(null))
  } else if (prompt.format?.kind === 'enum') writing.loseWish('drop', 'format', 'unsupported')
  const tools = chosenTools(prompt, turns, writing, sentences)
  return { ...reasoningPlan(prompt, turns, writing, jsonTool), jsonTool, tools, sentences }
}

/** The tools to offer. There is no choice `none`: it is said by offering nothing, or by a sentence. */
function chosenTools(
  prompt: Prompt,
  turns: readonly PromptTurn[],
  writing: PromptWriting,
  sentences: string[],
): Tool[] {
  const { toolChoice } = prompt
  const called = turns.flatMap(turn => turn.parts).filter(part => part.kind === 'call')
  const subset = toolChoice?.mode === 'subset' ? toolChoice.names : null
  if (subset !== null) writing.loseWish('emulate', 'toolChoice', 'subset_of_tools_sent')
  const tools = prompt.tools.filter(
    tool => (subset === null || subset.includes(tool.name)) && isWritable(tool, prompt, writing),
  )
  if (toolChoice?.mode === 'none' && tools.length > 0) {
    writing.loseWish(
      'emulate',
      'toolChoice',
      called.length === 0 ? 'tools_not_sent' : 'no_calls_by_instruction',
    )
    if (called.length === 0) return []
    sentences.push(NO_TOOLS_SENTENCE)
  }
  if (tools.length > 0 || called.length === 0 || prompt.dialect === 'bedrock-converse') return tools
  // Blocks of calls are refused where no tool is declared.
  writing.loseWish('emulate', 'tools', 'tools_of_history')
  const names = new Map(
    called.map(call => [writing.names.toTarget(call.name, call.namespace), call] as const),
  )
  return [...names.values()].map(call => ({
    ...HISTORY_TOOL,
    name: call.name,
    namespace: call.namespace,
    at: call.at,
  }))
}

const HISTORY_TOOL = {
  kind: 'function',
  description: null,
  schema: EMPTY_OBJECT_SCHEMA,
  schemaForm: 'json-schema',
  strict: null,
  grammar: null,
  hosted: null,
  cache: null,
  extra: [],
} as const

/** What runs at another vendor cannot be offered here; what the client would have to run must not just vanish. */
function isWritable(tool: Tool, prompt: Prompt, writing: PromptWriting): boolean {
  const { hosted } = tool
  if (hosted === null || hosted.dialect === 'bedrock-converse') return true
  if (isVendorTool(tool, prompt, writing)) return false
  if (hosted.type.startsWith('web_search') && writing.target.facts.webSearch !== null) {
    writing.lose('map', tool.at, 'web_search_settings')
    return true
  }
  if (hosted.dialect === 'anthropic-messages' && isClientTool(hosted.type)) {
    writing.refuse(tool.at, `this model has no tool of type ${hosted.type}`)
  }
  writing.lose('drop', tool.at, 'hosted_tool')
  return false
}

function isClientTool(type: string): boolean {
  return CLIENT_TOOLS.some(start => type.startsWith(start))
}

/** Claude's built-in tools go into the model's own fields, as Messages spells them. */
function isVendorTool(tool: Tool, prompt: Prompt, writing: PromptWriting): boolean {
  if (tool.hosted?.dialect !== 'anthropic-messages') return false
  if (prompt.dialect === 'bedrock-converse') return true
  return vendorOf(prompt, writing) === 'anthropic' && isClientTool(tool.hosted.type)
}

function writeTools(
  out: JsonOut,
  prompt: Prompt,
  writing: PromptWriting,
  plan: Plan,
  marks: CacheMarks,
): void {
  const config = new JsonOut().object()
  if (plan.tools.length > 0 || plan.jsonTool) {
    config.key('tools').array()
    for (const tool of plan.tools) {
      writeTool(config, tool, writing)
      const mark = marks.take(tool.cache, tool.at)
      if (mark !== null) config.raw(cachePoint(mark))
    }
    if (plan.jsonTool) {
      config.object().key('toolSpec').object().member('name', writing.jsonTool)
      config.member('description', 'Give the answer in this form.').key('inputSchema').object()
      config.memberRaw('json', objectSchema(prompt.format?.schema ?? null)).endObject()
      config.endObject().endObject()
    }
    config.endArray()
    writeToolChoice(config, prompt, writing, plan)
  }
  config.extras(ownMembers(prompt, 'toolConfig'))
  memberUnlessEmpty(out, 'toolConfig', config)
}

function memberUnlessEmpty(out: JsonOut, name: NestedMember, made: JsonOut): void {
  const json = made.endObject().text
  if (json !== '{}') out.memberRaw(name, json)
}

function writeTool(out: JsonOut, tool: Tool, writing: PromptWriting): void {
  if (tool.hosted !== null) {
    const name = JSON.stringify(writing.target.facts.webSearch)
    out.raw(tool.hosted.dialect === 'bedrock-converse' ? tool.hosted.json : `{"systemTool":{"name":${name}}}`)
    return
  }
  const custom = tool.kind === 'custom'
  if (custom) writing.lose('emulate', tool.at, 'custom_tool_as_function')
  const description = custom ? customDescription(tool.description, tool.grammar) : tool.description
  out.object().key('toolSpec').object().member('name', writing.names.toTarget(tool.name, tool.namespace))
  if (description !== '') out.memberIf('description', description)
  out.key('inputSchema').object()
  out.memberRaw('json', custom ? CUSTOM_INPUT_SCHEMA : objectSchema(tool.schema)).endObject()
  if (tool.strict !== null && writing.target.facts.strictTools) out.member('strict', tool.strict)
  else if (tool.strict) writing.lose('drop', tool.at, 'strict')
  if (writing.client === writing.upstream) out.extras(tool.extra)
  else for (const extra of tool.extra) writing.lose('drop', `${tool.at}/${extra.name}`, 'unknown_member')
  out.endObject().endObject()
}

/** What must be called; null for what is the default anyway. */
function choiceOf(prompt: Prompt, writing: PromptWriting, plan: Plan): 'auto' | 'any' | 'tool' | null {
  if (plan.jsonTool) return plan.tools.length === 0 ? 'tool' : 'any'
  const choice = prompt.toolChoice
  if (choice === null || choice.mode === 'none') return null
  if (!choice.forced) return choice.mode === 'auto' ? 'auto' : null
  if (!writing.target.facts.forcedToolChoice) {
    writing.loseWish('map', 'toolChoice', 'forced_choice_unsupported')
    return null
  }
  return choice.mode === 'one' ? 'tool' : 'any'
}

function chosenName(prompt: Prompt, writing: PromptWriting, plan: Plan): string {
  return plan.jsonTool
    ? (writing.jsonTool ?? JSON_TOOL)
    : writing.names.toTarget(prompt.toolChoice?.names[0] ?? '')
}

function writeToolChoice(out: JsonOut, prompt: Prompt, writing: PromptWriting, plan: Plan): void {
  // Said once only: beside the model's own member the service takes this one for a conflict.
  if (singleCall(prompt, writing, plan)) return
  const choice = choiceOf(prompt, writing, plan)
  if (choice === null) return
  out.key('toolChoice').object().key(choice).object()
  if (choice === 'tool') out.member('name', chosenName(prompt, writing, plan))
  out.endObject().endObject()
}

/** True when Claude shall make one call at a time, which only its own member says. */
function singleCall(prompt: Prompt, writing: PromptWriting, plan: Plan): boolean {
  return (
    prompt.parallelCalls === false &&
    !plan.jsonTool &&
    plan.tools.length > 0 &&
    prompt.toolChoice?.mode !== 'none' &&
    writing.target.facts.parallelSwitch &&
    vendorOf(prompt, writing) === 'anthropic'
  )
}

function writeInference(out: JsonOut, prompt: Prompt, writing: PromptWriting, plan: Plan): void {
  const { facts } = writing.target
  const drop = (wish: WishName, reason: string): void => writing.loseWish('drop', wish, reason)
  const reason = plan.samplingOff ? 'not_while_thinking' : 'unsupported'
  const config = new JsonOut().object().memberIf('maxTokens', plan.outputTokensMax)
  if (prompt.temperature !== null) {
    if (facts.sampling === 'none' || plan.samplingOff) drop('temperature', reason)
    else {
      if (prompt.temperature > 1) writing.loseWish('map', 'temperature', 'clamped')
      config.member('temperature', Math.min(Math.max(prompt.temperature, 0), 1))
    }
  }
  if (prompt.topP !== null) {
    const both = facts.sampling === 'one' && prompt.temperature !== null
    if (facts.sampling === 'none' || (plan.samplingOff && prompt.topP < 0.95) || both) drop('topP', reason)
    else config.member('topP', prompt.topP)
  }
  // Claude refuses blank texts; other models take a line break for one.
  const blank = prompt.dialect !== 'bedrock-converse' && vendorOf(prompt, writing) === 'anthropic'
  const stops = prompt.stop.filter(stop => (blank ? stop.trim() : stop) !== '')
  if (stops.length < prompt.stop.length) drop('stop', 'blank_stop_text')
  if (stops.length > facts.stopsMax) drop('stop', facts.stopsMax === 0 ? 'unsupported' : 'too_many')
  const sent = stops.slice(0, facts.stopsMax)
  if (sent.length > 0) config.memberRaw('stopSequences', JSON.stringify(sent))
  config.extras(ownMembers(prompt, 'inferenceConfig'))
  memberUnlessEmpty(out, 'inferenceConfig', config)
}

function writeOutput(out: JsonOut, prompt: Prompt, writing: PromptWriting, plan: Plan): void {
  const config = new JsonOut().object()
  const { format } = prompt
  if (format?.kind === 'schema' && writing.target.facts.jsonSchema) {
    const schema = format.schema ?? '{}'
    const sent = prompt.dialect === 'bedrock-converse' ? schema : boundlessSchema(schema)
    if (sent !== schema) writing.loseWish('map', 'format', 'schema_without_bounds')
    config.key('textFormat').object().member('type', 'json_schema').key('structure').object()
    config.key('jsonSchema').object().member('schema', sent).memberIf('name', format.name)
    config.memberIf('description', format.description).endObject().endObject().endObject()
  }
  config.memberIf('effort', plan.effort).extras(ownMembers(prompt, 'outputConfig'))
  memberUnlessEmpty(out, 'outputConfig', config)
}

/** What only the model itself understands, in the names of its vendor. */
function writeVendorFields(out: JsonOut, prompt: Prompt, writing: PromptWriting, plan: Plan): void {
  const vendor = vendorOf(prompt, writing)
  const fields = new JsonOut().object()
  for (const [name, json] of plan.fields) fields.memberRaw(name, json)
  writeTopK(fields, prompt, writing, plan)
  if (singleCall(prompt, writing, plan)) {
    const choice = choiceOf(prompt, writing, plan) ?? 'auto'
    fields.key('tool_choice').object().member('type', choice)
    if (choice === 'tool') fields.member('name', chosenName(prompt, writing, plan))
    fields.member('disable_parallel_tool_use', true).endObject()
  } else if (prompt.parallelCalls === false && plan.tools.length > 0) {
    writing.loseWish('drop', 'parallelCalls', 'no_switch')
  }
  const tools = prompt.tools.filter(tool => isVendorTool(tool, prompt, writing))
  if (tools.length > 0) fields.memberRaw('tools', `[${tools.map(tool => tool.hosted!.json).join(',')}]`)
  if (prompt.betas.length > 0 && vendor === 'anthropic') {
    fields.memberRaw('anthropic_beta', JSON.stringify(prompt.betas))
  }
  fields.extras(ownMembers(prompt, VENDOR_FIELDS))
  memberUnlessEmpty(out, VENDOR_FIELDS, fields)
}

function writeTopK(out: JsonOut, prompt: Prompt, writing: PromptWriting, plan: Plan): void {
  if (prompt.topK === null) return
  const { facts } = writing.target
  const vendor = vendorOf(prompt, writing)
  if (!facts.topK || vendor === null || vendor === 'openai') writing.loseWish('drop', 'topK', 'unsupported')
  else if (plan.samplingOff) writing.loseWish('drop', 'topK', 'not_while_thinking')
  else if (vendor === 'amazon') out.key('inferenceConfig').object().member('topK', prompt.topK).endObject()
  else out.member('top_k', prompt.topK)
}

/** Which stop text matched is told only when asked for; Messages clients are told it in every reply. */
function writeResponsePaths(out: JsonOut, prompt: Prompt): void {
  const asked = prompt.echo.find(member => member.name === RESPONSE_PATHS)
  if (prompt.dialect === 'bedrock-converse') out.memberRawIf(RESPONSE_PATHS, asked?.json ?? null)
  else if (prompt.dialect === 'anthropic-messages' && prompt.stop.length > 0) {
    out.memberRaw(RESPONSE_PATHS, JSON.stringify([STOP_SEQUENCE_PATH]))
  }
}

function writeCaller(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  if (prompt.dialect === 'bedrock-converse')
    for (const safety of prompt.safety) out.memberRaw(safety.name, safety.json)
  writeMetadata(out, prompt, writing)
  if (prompt.tier !== null && prompt.tier !== 'auto') writeTier(out, prompt.tier, prompt, writing)
}

function writeMetadata(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const entries = prompt.metadata.map(({ name, value }) => ({ name, value }))
  if (prompt.userId !== null && !entries.some(entry => entry.name === 'user_id')) {
    const legal = cleaned(prompt.userId) === prompt.userId
    entries.unshift({
      name: 'user_id',
      value: legal ? prompt.userId : `user_${hashHex(prompt.userId, 24)}`,
    })
  }
  if (entries.length === 0) return
  if (entries.length > METADATA_ENTRIES_MAX) writing.loseWish('drop', 'metadata', 'too_many_entries')
  out.key('requestMetadata').object()
  for (const { name, value } of entries.slice(0, METADATA_ENTRIES_MAX)) {
    if (cleaned(name) !== name || cleaned(value) !== value) writing.loseWish('map', 'metadata', 'cleaned')
    out.member(cleaned(name), cleaned(value))
  }
  out.endObject()
}

function cleaned(text: string): string {
  return text.replace(METADATA_CHARS, '_').slice(0, METADATA_CHARS_MAX)
}

const TIER_WORDS: Readonly<Partial<Record<ServiceTier, string>>> = {
  standard: 'default',
  flex: 'flex',
  fast: 'priority',
  faster: 'priority',
  reserved: 'reserved',
}

function writeTier(out: JsonOut, tier: ServiceTier, prompt: Prompt, writing: PromptWriting): void {
  const word = TIER_WORDS[tier]
  const dear = tier !== 'standard' && tier !== 'flex'
  if (word === undefined) writing.loseWish('drop', 'tier', 'unsupported')
  else if (dear && !writing.target.dearTiers && prompt.dialect !== 'bedrock-converse')
    writing.loseWish('drop', 'tier', 'not_enabled')
  else {
    if (tier === 'faster') writing.loseWish('map', 'tier', 'nearest_tier')
    out.key('serviceTier').object().member('type', word).endObject()
  }
}

/** Wishes this dialect has no member for. */
function noteUnsaid(prompt: Prompt, writing: PromptWriting): void {
  if (prompt.choices !== null && prompt.choices > 1) {
    writing.refuseWish('choices', `found ${prompt.choices}, allowed is 1`)
  }
  const unsaid: readonly [WishName, unknown][] = [
    ['verbosity', prompt.verbosity],
    ['logprobs', prompt.logprobs],
    ['prediction', prompt.prediction],
    ['seed', prompt.seed],
    ['presencePenalty', prompt.presencePenalty],
    ['frequencyPenalty', prompt.frequencyPenalty],
    ['logitBias', prompt.logitBias],
    ['store', prompt.store === true ? true : null],
  ]
  for (const [wish, value] of unsaid) if (value !== null) writing.loseWish('drop', wish, 'unsupported')
}

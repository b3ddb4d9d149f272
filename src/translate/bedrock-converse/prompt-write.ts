// A prompt as a Converse body. Owns what Converse hosts can be told; everything else is reported as lost. The model
// and whether to stream stand in the path: the body has neither.

import { JsonOut } from '../bytes/json-out.ts'
import { noteCacheHints } from '../cache-hints.ts'
import type { WishName } from '../fields.ts'
import { fittingMetadata, fittingUserId, type MetadataBounds } from '../metadata.ts'
import type { Prompt, PromptTurn, ServiceTier } from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'
import { boundlessSchema, jsonInstruction } from '../schema.ts'
import { cleanTurns } from '../turns.ts'
import { BlockWriter, mediaToUser } from './blocks-write.ts'
import { CacheMarks } from './cache-marks.ts'
import { type ReasoningPlan, reasoningPlan, vendorOf } from './reasoning.ts'
import { chosenTools, JSON_TOOL, type ToolPlan, writeTools, writeVendorTools } from './tools-write.ts'
import { memberUnlessEmpty, ownMembers, RESPONSE_PATHS, STOP_SEQUENCE_PATH, VENDOR_FIELDS } from './wire.ts'

/** Bounds of the service for entries of `requestMetadata`. */
const METADATA: MetadataBounds = {
  entriesMax: 16,
  nameUnitsMax: 256,
  valueUnitsMax: 256,
  refused: /[^A-Za-z0-9\s:_@$#=/+,.-]/g,
}

/** Nova's own bound. */
const NOVA_TOP_K_MAX = 128

/** What the rest of the body must agree with. */
interface Plan extends ReasoningPlan, ToolPlan {
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
  noteCacheHints(prompt, writing, {
    marks: true,
    toolMarks: true,
    resultMarks: true,
    automatic: true,
    key: false,
  })
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

function writeInference(out: JsonOut, prompt: Prompt, writing: PromptWriting, plan: Plan): void {
  const { facts } = writing.target
  const drop = (wish: WishName, reason: string): void => writing.loseWish('drop', wish, reason)
  const reason = plan.samplingOff ? 'not_while_thinking' : 'unsupported'
  const config = new JsonOut().object().memberIf('maxTokens', plan.outputTokensMax)
  if (prompt.temperature !== null) {
    if (facts.sampling === 'none' || plan.samplingOff) drop('temperature', reason)
    else config.member('temperature', writing.ranged('temperature', prompt.temperature))
  }
  if (prompt.topP !== null) {
    const both = facts.sampling === 'one' && prompt.temperature !== null
    if (facts.sampling === 'none' || (plan.samplingOff && prompt.topP < 0.95) || both) drop('topP', reason)
    else config.member('topP', writing.ranged('topP', prompt.topP))
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
  writeVendorTools(fields, prompt, writing, plan)
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
  else if (vendor === 'amazon') {
    const topK = writing.topK(prompt.topK, NOVA_TOP_K_MAX)
    if (topK !== null) out.key('inferenceConfig').object().member('topK', topK).endObject()
  } else out.memberIf('top_k', writing.topK(prompt.topK))
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
  const { userId } = prompt
  if (userId !== null && userId !== '' && !entries.some(entry => entry.name === 'user_id')) {
    const value = fittingUserId(userId, METADATA.valueUnitsMax, METADATA.refused)
    entries.unshift({ name: 'user_id', value })
  }
  if (entries.length === 0) return
  out.key('requestMetadata').object()
  for (const [name, value] of fittingMetadata(entries, METADATA, writing)) out.member(name, value)
  out.endObject()
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

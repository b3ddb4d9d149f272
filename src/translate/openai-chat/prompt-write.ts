// A prompt as a Chat Completions body. Owns what Chat hosts can be told; everything else is reported as lost.

import { JsonOut } from '../bytes/json-out.ts'
import { noteCacheHints } from '../cache-hints.ts'
import { acceptedEffort, effortOfWish } from '../efforts.ts'
import type { WishName } from '../fields.ts'
import { fittingMetadata, fittingUserId, OPENAI_METADATA } from '../metadata.ts'
import type { OutputFormat, Prompt, Tool } from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'
import type { RangedWish } from '../ranges.ts'
import { CUSTOM_INPUT_SCHEMA, isStrictSchema, jsonInstruction } from '../schema.ts'
import { writeMessages } from './messages-write.ts'
import { TIER_WORDS } from './wire.ts'

/** OpenAI's own bounds. */
const STOPS_MAX = 4
const USER_ID_UNITS_MAX = 64

export function writePrompt(prompt: Prompt, writing: PromptWriting): Uint8Array {
  writing.refuseForeign(prompt)
  const out = new JsonOut()
  out.object().member('model', writing.target.model)
  for (const tool of prompt.tools)
    if (tool.kind !== 'hosted') writing.names.toTarget(tool.name, tool.namespace)
  const instruction = instructionFor(prompt, writing)
  out.key('messages').array()
  writeMessages(out, prompt, writing, instruction)
  out.endArray()
  writeTools(out, prompt, writing)
  writeOutput(out, prompt, writing, instruction !== null)
  writeSampling(out, prompt, writing)
  writeReasoning(out, prompt, writing)
  writeCaller(out, prompt, writing)
  const { firstParty, facts } = writing.target
  noteCacheHints(prompt, writing, {
    marks: facts.cacheMarks,
    toolMarks: false,
    resultMarks: false,
    automatic: firstParty,
    key: firstParty,
  })
  if (prompt.stream) {
    // Usage is always asked for: it is metered even when the client does not want to see it.
    out.member('stream', true).memberRaw('stream_options', '{"include_usage":true}')
  }
  if (prompt.dialect === 'openai-chat') out.extras(prompt.extra)
  return out.endObject().bytes()
}

/** Structured output that the host cannot be asked for becomes a sentence in the instructions. */
function instructionFor(prompt: Prompt, writing: PromptWriting): string | null {
  const format = prompt.format
  const facts = writing.target.facts
  if (format === null || format.kind === 'text') return null
  if (format.kind === 'json') {
    if (facts.jsonObject) return null
    writing.loseWish('emulate', 'format', 'json_by_instruction')
    return jsonInstruction(null)
  }
  if (facts.jsonSchema) return null
  writing.loseWish('emulate', 'format', 'schema_by_instruction')
  return jsonInstruction(format.schema)
}

function writeTools(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const tools = prompt.tools.filter(tool => isWritable(tool, writing))
  const search = prompt.tools.find(tool => tool.hosted !== null && isSearch(tool, writing))
  if (search !== undefined) {
    const own = search.hosted?.dialect === 'openai-chat' && search.hosted.type === 'web_search_options'
    if (!own) writing.lose('map', search.at, 'web_search_settings')
    out.memberRaw('web_search_options', own ? search.hosted!.json : '{}')
  }
  if (tools.length === 0) return
  out.key('tools').array()
  for (const tool of tools) writeTool(out, tool, writing)
  out.endArray()
  writeToolChoice(out, prompt, writing)
  if (prompt.parallelCalls === null) return
  if (writing.target.facts.parallelSwitch) out.member('parallel_tool_calls', prompt.parallelCalls)
  else if (!prompt.parallelCalls) writing.loseWish('drop', 'parallelCalls', 'no_switch')
}

function isSearch(tool: Tool, writing: PromptWriting): boolean {
  return tool.hosted!.type.startsWith('web_search') && writing.target.facts.webSearch === 'web_search_options'
}

/** Hosted tools run at their vendor; a missing one changes what the model can do, and is reported. */
function isWritable(tool: Tool, writing: PromptWriting): boolean {
  if (tool.hosted === null) return true
  if (tool.hosted.dialect === 'openai-chat' && tool.hosted.type !== 'web_search_options') return true
  if (!isSearch(tool, writing)) writing.lose('drop', tool.at, 'hosted_tool')
  return false
}

function writeTool(out: JsonOut, tool: Tool, writing: PromptWriting): void {
  if (tool.hosted !== null) {
    out.raw(tool.hosted.json)
    return
  }
  const name = writing.names.toTarget(tool.name, tool.namespace)
  out.object()
  if (tool.kind === 'custom' && writing.target.facts.customTools) {
    out.member('type', 'custom').key('custom').object().member('name', name)
    out.memberIf('description', tool.description)
    if (tool.grammar !== null) {
      out.key('format').object().member('type', 'grammar').key('grammar').object()
      out.member('syntax', tool.grammar.syntax).member('definition', tool.grammar.definition)
      out.endObject().endObject()
    }
    out.endObject()
  } else {
    const custom = tool.kind === 'custom'
    out.member('type', 'function').key('function').object().member('name', name)
    out.memberIf('description', writing.descriptionOf(tool))
    out.memberRawIf('parameters', custom ? CUSTOM_INPUT_SCHEMA : tool.schema)
    out.memberIf('strict', writing.strictness(tool))
    out.endObject()
  }
  writing.extras(out, tool)
  out.endObject()
}

function writeToolChoice(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const choice = prompt.toolChoice
  if (choice === null) return
  const isCustom = (name: string): boolean =>
    writing.target.facts.customTools &&
    prompt.tools.some(tool => tool.kind === 'custom' && tool.name === name)
  const named = (name: string): string => {
    const kind = isCustom(name) ? 'custom' : 'function'
    return `{"type":"${kind}","${kind}":{"name":${JSON.stringify(writing.names.toTarget(name))}}}`
  }
  switch (choice.mode) {
    case 'auto':
    case 'none':
      out.member('tool_choice', choice.mode)
      return
    case 'any':
      out.member('tool_choice', 'required')
      return
    case 'one':
      out.memberRaw('tool_choice', named(choice.names[0] ?? ''))
      return
    case 'subset':
      out.key('tool_choice').object().member('type', 'allowed_tools').key('allowed_tools').object()
      out
        .member('mode', choice.forced ? 'required' : 'auto')
        .key('tools')
        .array()
      for (const name of choice.names) out.raw(named(name))
      out.endArray().endObject().endObject()
  }
}

function writeOutput(out: JsonOut, prompt: Prompt, writing: PromptWriting, instructed: boolean): void {
  const { facts, limitMember } = writing.target
  if (prompt.outputTokensMax !== null) {
    out.member(limitMember, writing.outputLimit(prompt.outputTokensMax))
  }
  if (prompt.choices !== null && prompt.choices > 1) {
    if (prompt.choices > facts.choicesMax)
      writing.refuseWish('choices', `found ${prompt.choices}, allowed is 1`)
    out.member('n', prompt.choices)
  }
  writeStops(out, prompt, writing)
  if (prompt.verbosity !== null) {
    if (facts.verbosity) out.member('verbosity', prompt.verbosity)
    else writing.loseWish('drop', 'verbosity', 'unsupported')
  }
  if (prompt.dialect === 'openai-chat') {
    if (prompt.modalities.length > 0) out.memberRaw('modalities', JSON.stringify(prompt.modalities))
    out.memberRawIf('audio', prompt.audio).memberRawIf('prediction', prompt.prediction)
  } else if (prompt.prediction !== null) writing.loseWish('drop', 'prediction', 'unsupported')
  if (prompt.format !== null && !instructed) writeFormat(out, prompt.format, writing)
  if (prompt.logprobs === null) return
  if (!facts.logprobs) writing.loseWish('drop', 'logprobs', 'unsupported')
  else {
    out.member('logprobs', true)
    if (prompt.logprobs > 0) out.member('top_logprobs', prompt.logprobs)
  }
}

function writeStops(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const stops = prompt.stop.filter(stop => stop !== '')
  const allowed = Math.min(writing.target.facts.stopsMax, STOPS_MAX)
  if (stops.length > allowed) writing.loseWish('drop', 'stop', allowed === 0 ? 'unsupported' : 'too_many')
  if (stops.length > 0 && allowed > 0) out.memberRaw('stop', JSON.stringify(stops.slice(0, allowed)))
}

function writeFormat(out: JsonOut, format: OutputFormat, writing: PromptWriting): void {
  out.key('response_format').object()
  if (format.kind === 'text') out.member('type', 'text')
  else if (format.kind === 'json') out.member('type', 'json_object')
  else {
    const schema = format.schema ?? '{}'
    out
      .member('type', 'json_schema')
      .key('json_schema')
      .object()
      .member('name', writing.formatName(format.name))
    out.memberIf('description', format.description).memberRaw('schema', schema)
    const foreign = writing.client !== 'openai-chat' && writing.client !== 'openai-responses'
    out.memberIf('strict', format.strict ?? (foreign ? isStrictSchema(schema) : null)).endObject()
  }
  out.endObject()
}

function writeSampling(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const { facts } = writing.target
  const { temperature, topP, topK, seed, presencePenalty, frequencyPenalty, logitBias } = prompt
  const sampling = facts.sampling !== 'none'
  const takes = (taken: boolean, wish: WishName): boolean => {
    if (!taken) writing.loseWish('drop', wish, 'unsupported')
    return taken
  }
  const ranged = (taken: boolean, wish: RangedWish, name: string, asked: number | null): void => {
    if (asked !== null && takes(taken, wish)) out.member(name, writing.ranged(wish, asked))
  }
  ranged(sampling, 'temperature', 'temperature', temperature)
  ranged(sampling, 'topP', 'top_p', topP)
  if (topK !== null && takes(facts.topK && !writing.target.firstParty, 'topK')) {
    out.memberIf('top_k', writing.topK(topK))
  }
  if (seed !== null && takes(facts.seed, 'seed')) out.memberRawIf('seed', writing.seed(seed))
  ranged(facts.penalties, 'presencePenalty', 'presence_penalty', presencePenalty)
  ranged(facts.penalties, 'frequencyPenalty', 'frequency_penalty', frequencyPenalty)
  if (logitBias !== null && takes(facts.logitBias, 'logitBias')) out.memberRaw('logit_bias', logitBias)
}

function writeReasoning(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const wish = prompt.reasoning
  if (wish === null) return
  // OpenAI shows thoughts in Responses only; other hosts show them unasked.
  if (writing.target.firstParty && wish.show !== null && wish.show !== 'none') {
    writing.loseWish('drop', 'reasoning', 'thoughts_not_shown')
  }
  const wanted = effortOfWish(wish)
  if (wanted === null) return
  if (writing.target.facts.reasoning === 'none') {
    if (wanted !== 'none') writing.loseWish('drop', 'reasoning', 'unsupported')
    return
  }
  const accepted = acceptedEffort(wanted, writing.target.facts)
  if (accepted === null) {
    writing.loseWish('drop', 'reasoning', 'unsupported')
    return
  }
  if (accepted !== wanted) writing.loseWish('map', 'reasoning', 'nearest_effort')
  else if (wish.budgetTokens !== null) writing.loseWish('map', 'reasoning', 'budget_as_effort')
  out.member('reasoning_effort', accepted)
}

function writeCaller(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const { firstParty, dearTiers } = writing.target
  if (prompt.userId !== null && prompt.userId !== '') {
    const userId = fittingUserId(prompt.userId, USER_ID_UNITS_MAX)
    out.member(firstParty ? 'safety_identifier' : 'user', firstParty ? userId : prompt.userId)
  }
  if (prompt.metadata.length > 0) {
    if (firstParty) {
      out.key('metadata').object()
      const entries = fittingMetadata(prompt.metadata, OPENAI_METADATA, writing)
      for (const [name, value] of entries) out.member(name, value)
      out.endObject()
    } else writing.loseWish('drop', 'metadata', 'unsupported')
  }
  if (firstParty) out.memberIf('prompt_cache_key', prompt.cacheKey)
  if (firstParty && prompt.cacheAuto !== null) {
    const ttl = prompt.cacheAuto === 'long' ? '12h' : '30m'
    out.memberRaw('prompt_cache_options', `{"mode":"implicit","ttl":"${ttl}"}`)
  }
  if (firstParty) out.memberIf('store', prompt.store)
  else if (prompt.store) writing.loseWish('drop', 'store', 'unsupported')
  if (prompt.tier !== null && prompt.tier !== 'auto') {
    const dear = prompt.tier !== 'standard' && prompt.tier !== 'flex'
    if (!firstParty) writing.loseWish('drop', 'tier', 'unsupported')
    else if (dear && !dearTiers && prompt.dialect !== 'openai-chat')
      writing.loseWish('drop', 'tier', 'not_enabled')
    else out.member('service_tier', TIER_WORDS[prompt.tier])
  }
  if (prompt.dialect === 'openai-chat')
    for (const safety of prompt.safety) out.memberRaw(safety.name, safety.json)
}

// A prompt as a generateContent body. Owns what Gemini hosts can be told; everything else is reported as lost.

import { JsonOut } from '../bytes/json-out.ts'
import { noteCacheHints } from '../cache-hints.ts'
import { acceptedEffort, effortOfWish } from '../efforts.ts'
import { pointerOf, type WishName } from '../fields.ts'
import { openapiOf, withoutConst } from '../openapi.ts'
import type { Effort, Extra, OutputFormat, Prompt, ReasoningWish, SchemaForm, Tool } from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'
import type { Range, RangedWish } from '../ranges.ts'
import { CUSTOM_INPUT_SCHEMA, jsonInstruction, objectSchema } from '../schema.ts'
import { cleanTurns } from '../turns.ts'
import { ContentWriter } from './contents-write.ts'
import { extrasAt } from './spelling.ts'
import { TIER_WORDS } from './wire.ts'

/** The reference's own bounds. */
const STOPS_MAX = 5

/** Tokens that stand for a word where only a budget is understood; the highest is what every such model takes. */
const BUDGET_TOKENS: Record<Effort, number> = {
  none: 0,
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
}

/** Budgets that every such model takes. */
const BUDGETS: Range = { least: BUDGET_TOKENS.minimal, most: BUDGET_TOKENS.max }

export function writePrompt(prompt: Prompt, writing: PromptWriting): Uint8Array {
  writing.refuseForeign(prompt)
  for (const tool of prompt.tools)
    if (tool.kind !== 'hosted') writing.names.toTarget(tool.name, tool.namespace)
  const own = prompt.dialect === 'gemini-generate'
  const instruction = instructionFor(prompt, writing)
  const turns = own ? prompt.turns : cleanTurns(prompt, writing, false)
  const out = new JsonOut().object()
  const contents = new ContentWriter(out, writing, own)
  contents.writeSystem(prompt.instructions, instruction)
  out.key('contents').array()
  for (const turn of turns) contents.writeTurn(turn)
  out.endArray()
  writeTools(out, prompt, writing)
  writeConfig(out, prompt, writing)
  writeCaller(out, prompt, writing, own)
  noteUnsaid(prompt, writing)
  noteCacheHints(prompt, writing, {
    marks: false,
    toolMarks: false,
    resultMarks: false,
    automatic: false,
    key: false,
  })
  if (own) out.extras(extrasAt(restOf(prompt), ''))
  return out.endObject().bytes()
}

/** Members that only this dialect honours, and unknown ones, by their path. */
function restOf(prompt: Prompt): Extra[] {
  return prompt.dialect === 'gemini-generate' ? [...prompt.vendorWishes, ...prompt.extra] : []
}

/** Structured output that the host cannot be asked for becomes a sentence in the instructions. */
function instructionFor(prompt: Prompt, writing: PromptWriting): string | null {
  const { format } = prompt
  const { facts } = writing.target
  if (format?.kind === 'json' && !facts.jsonObject) {
    writing.loseWish('emulate', 'format', 'json_by_instruction')
    return jsonInstruction(null)
  }
  if (format?.kind !== 'schema' || facts.jsonSchema) return null
  writing.loseWish('emulate', 'format', 'schema_by_instruction')
  return jsonInstruction(format.schema)
}

function writeTools(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const functions = prompt.tools.filter(tool => tool.hosted === null)
  const hosted = prompt.tools.flatMap(tool => hostedJson(tool, writing))
  if (functions.length > 0 || hosted.length > 0) {
    out.key('tools').array()
    if (functions.length > 0) {
      out.object().key('functionDeclarations').array()
      for (const tool of functions) writeFunction(out, tool, writing)
      out.endArray().endObject()
    }
    for (const json of hosted) out.raw(json)
    out.endArray()
  }
  writeToolConfig(out, prompt, writing, functions)
  if (prompt.parallelCalls === false) writing.loseWish('drop', 'parallelCalls', 'no_switch')
}

/** Hosted tools run at their vendor; a missing one changes what the model can do, and is reported. */
function hostedJson(tool: Tool, writing: PromptWriting): string[] {
  if (tool.hosted === null) return []
  if (tool.hosted.dialect === 'gemini-generate') return [tool.hosted.json]
  const search = writing.target.facts.webSearch
  if (tool.hosted.type.startsWith('web_search') && search !== null) {
    writing.lose('map', tool.at, 'web_search_settings')
    return [`{${JSON.stringify(search)}:{}}`]
  }
  writing.lose('drop', tool.at, 'hosted_tool')
  return []
}

function writeFunction(out: JsonOut, tool: Tool, writing: PromptWriting): void {
  const custom = tool.kind === 'custom'
  out.object().member('name', writing.names.toTarget(tool.name, tool.namespace))
  out.memberIf('description', writing.descriptionOf(tool))
  const schema = custom ? CUSTOM_INPUT_SCHEMA : tool.schema
  if (schema !== null && tool.schemaForm === 'openapi') out.memberRaw('parameters', schema)
  else if (schema !== null && saysMembers(schema)) {
    const written = schemaFor(writing, objectSchema(schema), tool.at)
    out.memberRaw(written.form === 'openapi' ? 'parameters' : 'parametersJsonSchema', written.json)
  }
  if (tool.strict && !writing.target.facts.strictTools) writing.lose('drop', tool.at, 'strict')
  writing.extras(out, tool)
  out.endObject()
}

/** A function without parameters is declared without a schema: an object without members is refused. */
function saysMembers(schema: string): boolean {
  return schema !== '{}' && schema !== '{"type":"object"}' && schema !== '{"type":"object","properties":{}}'
}

/** A JSON Schema in the form the target takes. */
function schemaFor(
  writing: PromptWriting,
  schema: string,
  at: string,
): { readonly form: SchemaForm; readonly json: string } {
  if (writing.target.schemaForm === 'json-schema') return { form: 'json-schema', json: schema }
  const { json, lossy } = openapiOf(schema, message => writing.refuse(at, message))
  if (lossy) writing.lose('map', at, 'schema_subset')
  return { form: 'openapi', json }
}

function writeToolConfig(
  out: JsonOut,
  prompt: Prompt,
  writing: PromptWriting,
  functions: readonly Tool[],
): void {
  const rest = restOf(prompt)
  const inner = extrasAt(rest, 'toolConfig/functionCallingConfig')
  const outer = extrasAt(rest, 'toolConfig')
  const calling = functions.length === 0 ? null : callingOf(prompt, writing, functions)
  if (calling === null && inner.length === 0 && outer.length === 0) return
  out.key('toolConfig').object()
  if (calling !== null || inner.length > 0) {
    out.key('functionCallingConfig').object()
    const given = inner.some(extra => extra.name === 'mode')
    if (calling !== null && !given) out.member('mode', calling.mode)
    if (calling !== null && calling.names.length > 0) {
      const names = calling.names.map(name => writing.names.toTarget(name))
      out.memberRaw('allowedFunctionNames', JSON.stringify(names))
    }
    out.extras(inner).endObject()
  }
  out.extras(outer).endObject()
}

interface Calling {
  readonly mode: 'AUTO' | 'ANY' | 'NONE' | 'VALIDATED'
  readonly names: readonly string[]
}

function callingOf(prompt: Prompt, writing: PromptWriting, functions: readonly Tool[]): Calling | null {
  const choice = prompt.toolChoice
  const { facts } = writing.target
  const strict = facts.strictTools && functions.some(tool => tool.strict === true)
  const auto = strict ? 'VALIDATED' : 'AUTO'
  if (choice === null) return strict ? { mode: auto, names: [] } : null
  if (choice.mode === 'none') return { mode: 'NONE', names: [] }
  if (choice.mode === 'auto') return { mode: auto, names: [] }
  if (choice.forced && !facts.forcedToolChoice) {
    writing.loseWish('map', 'toolChoice', 'forced_choice_unsupported')
    return { mode: auto, names: [] }
  }
  return { mode: choice.forced ? 'ANY' : 'VALIDATED', names: choice.names }
}

function writeConfig(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const config = new JsonOut().object()
  writeOutput(config, prompt, writing)
  writeSampling(config, prompt, writing)
  if (prompt.format !== null) writeFormat(config, prompt.format, writing)
  writeThinking(config, prompt, writing)
  writeResolution(config, prompt, writing)
  config.extras(extrasAt(restOf(prompt), 'generationConfig')).endObject()
  if (config.text !== '{}') out.memberRaw('generationConfig', config.text)
}

function writeOutput(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const { facts } = writing.target
  if (prompt.outputTokensMax !== null) {
    out.member('maxOutputTokens', writing.outputLimit(prompt.outputTokensMax))
  }
  if (prompt.choices !== null) {
    if (prompt.choices > 1 && prompt.choices > facts.choicesMax) {
      writing.refuseWish('choices', `found ${prompt.choices}, allowed is ${facts.choicesMax}`)
    }
    if (prompt.choices > 1 || prompt.dialect === 'gemini-generate')
      out.member('candidateCount', prompt.choices)
  }
  const stops = prompt.stop.filter(stop => stop !== '')
  const allowed = Math.min(facts.stopsMax, STOPS_MAX)
  if (stops.length > allowed) writing.loseWish('drop', 'stop', allowed === 0 ? 'unsupported' : 'too_many')
  if (stops.length > 0 && allowed > 0) out.memberRaw('stopSequences', JSON.stringify(stops.slice(0, allowed)))
  if (prompt.dialect === 'gemini-generate' && prompt.modalities.length > 0) {
    const words = prompt.modalities.map(modality => modality.toUpperCase())
    out.memberRaw('responseModalities', JSON.stringify(words))
  }
  writeLogprobs(out, prompt, writing)
}

function writeLogprobs(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  if (prompt.logprobs === null) return
  if (!writing.target.facts.logprobs) {
    writing.loseWish('drop', 'logprobs', 'unsupported')
    return
  }
  out.member('responseLogprobs', true)
  if (prompt.logprobs > 0) out.member('logprobs', prompt.logprobs)
}

function writeSampling(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const { facts } = writing.target
  const { temperature, topP, topK, seed, presencePenalty, frequencyPenalty } = prompt
  const both = facts.sampling === 'one' && temperature !== null
  const sampling = facts.sampling !== 'none'
  const takes = (taken: boolean, wish: WishName): boolean => {
    if (!taken) writing.loseWish('drop', wish, 'unsupported')
    return taken
  }
  // The dialect calls them what we call them.
  const ranged = (taken: boolean, wish: RangedWish, asked: number | null): void => {
    if (asked !== null && takes(taken, wish)) out.member(wish, writing.ranged(wish, asked))
  }
  ranged(sampling, 'temperature', temperature)
  ranged(sampling && !both, 'topP', topP)
  if (topK !== null && takes(sampling && facts.topK, 'topK')) out.memberIf('topK', writing.topK(topK))
  ranged(facts.penalties, 'presencePenalty', presencePenalty)
  ranged(facts.penalties, 'frequencyPenalty', frequencyPenalty)
  if (seed !== null && takes(facts.seed, 'seed')) out.memberRawIf('seed', writing.seed(seed))
}

function writeFormat(out: JsonOut, format: OutputFormat, writing: PromptWriting): void {
  const { facts } = writing.target
  switch (format.kind) {
    case 'text':
      if (writing.client === writing.upstream) out.member('responseMimeType', 'text/plain')
      return
    case 'json':
      if (facts.jsonObject) out.member('responseMimeType', 'application/json')
      return
    case 'enum':
      out.member('responseMimeType', 'text/x.enum')
      break
    case 'schema':
      if (facts.jsonObject || facts.jsonSchema) out.member('responseMimeType', 'application/json')
      if (!facts.jsonSchema) return
  }
  if (format.schema === null) return
  if (format.schemaForm === 'openapi') {
    out.memberRaw('responseSchema', format.schema)
    return
  }
  const own = writing.client === writing.upstream
  const written = schemaFor(
    writing,
    own ? format.schema : withoutConst(format.schema),
    pointerOf(writing.client, 'format'),
  )
  out.memberRaw(written.form === 'openapi' ? 'responseSchema' : 'responseJsonSchema', written.json)
}

function writeThinking(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const wish = prompt.reasoning
  const rest = extrasAt(restOf(prompt), 'generationConfig/thinkingConfig')
  const members = new JsonOut().object()
  if (wish !== null && writeDepth(members, wish, prompt, writing)) {
    const shown = showsThoughts(wish, prompt)
    if (shown || (wish.show === 'none' && prompt.dialect === 'gemini-generate'))
      members.member('includeThoughts', shown)
  }
  members.extras(rest).endObject()
  if (members.text !== '{}') out.memberRaw('thinkingConfig', members.text)
}

/** Thoughts are asked for when the client can show them: Responses and our own clients say so themselves. */
function showsThoughts(wish: ReasoningWish, prompt: Prompt): boolean {
  if (wish.mode === 'off' || wish.show === 'none') return false
  if (wish.show !== null) return true
  return prompt.dialect !== 'gemini-generate' && prompt.dialect !== 'openai-responses'
}

/** How much to think. False when the model cannot be told. */
function writeDepth(out: JsonOut, wish: ReasoningWish, prompt: Prompt, writing: PromptWriting): boolean {
  const { facts } = writing.target
  const wanted = effortOfWish(wish)
  if (facts.reasoning === 'none' && prompt.dialect !== 'gemini-generate') {
    if (wanted !== 'none') writing.loseWish('drop', 'reasoning', 'unsupported')
    return false
  }
  const byBudget = facts.reasoning === 'budget' || (facts.reasoning === 'none' && wish.mode !== 'effort')
  if (byBudget) writeBudget(out, wish, wanted, writing)
  else writeLevel(out, wish, wanted, writing)
  return true
}

function writeBudget(out: JsonOut, wish: ReasoningWish, wanted: Effort | null, writing: PromptWriting): void {
  const { facts } = writing.target
  if (wanted === 'none') {
    if (facts.reasoningCanBeOff) out.member('thinkingBudget', 0)
    else writing.loseWish('map', 'reasoning', 'cannot_be_off')
  } else if (wish.budgetTokens !== null) {
    const own = writing.client === writing.upstream
    const tokens = wish.budgetTokens
    out.member('thinkingBudget', own ? tokens : writing.clamped('reasoning', tokens, BUDGETS))
  } else if (wanted !== null) {
    writing.loseWish('map', 'reasoning', 'effort_as_budget')
    out.member('thinkingBudget', BUDGET_TOKENS[wanted])
  } else out.member('thinkingBudget', -1)
}

function writeLevel(out: JsonOut, wish: ReasoningWish, wanted: Effort | null, writing: PromptWriting): void {
  // Without a word the model decides, as it does when it is not told anything.
  if (wanted === null) return
  const { facts } = writing.target
  const word = wanted === 'none' ? 'minimal' : wanted === 'xhigh' || wanted === 'max' ? 'high' : wanted
  const accepted = facts.efforts.length === 0 ? word : acceptedEffort(word, facts)
  if (accepted === null || accepted === 'none') {
    writing.loseWish('drop', 'reasoning', 'unsupported')
    return
  }
  if (wanted === 'none') writing.loseWish('map', 'reasoning', 'cannot_be_off')
  else if (accepted !== wanted) writing.loseWish('map', 'reasoning', 'nearest_effort')
  else if (wish.budgetTokens !== null) writing.loseWish('map', 'reasoning', 'budget_as_effort')
  out.member('thinkingLevel', accepted.toUpperCase())
}

/** How finely images are seen is said once for all of them by clients of other dialects. */
function writeResolution(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  if (prompt.dialect === 'gemini-generate') return
  const images = prompt.turns
    .flatMap(turn => turn.parts)
    .flatMap(part => (part.kind === 'media' && part.media === 'image' ? [part] : []))
  const fine = images.find(image => image.detail === 'high' || image.detail === 'original')
  const coarse = images.find(image => image.detail === 'low')
  if (fine === undefined && coarse === undefined) return
  const agreed = images.every(image => image.detail === 'low')
  if (coarse !== undefined && !agreed) writing.lose('drop', coarse.at, 'image_detail')
  if (fine !== undefined) out.member('mediaResolution', 'MEDIA_RESOLUTION_HIGH')
  else if (agreed) out.member('mediaResolution', 'MEDIA_RESOLUTION_LOW')
}

function writeCaller(out: JsonOut, prompt: Prompt, writing: PromptWriting, own: boolean): void {
  if (own) {
    for (const safety of prompt.safety) out.memberRaw(safety.name, safety.json)
    out.memberIf('cachedContent', prompt.cacheResource).memberIf('store', prompt.store)
    if (prompt.metadata.length > 0) {
      out.key('labels').object()
      for (const entry of prompt.metadata) out.member(entry.name, entry.value)
      out.endObject()
    }
  } else if (prompt.metadata.length > 0) writing.loseWish('drop', 'metadata', 'unsupported')
  if (prompt.tier === null || (prompt.tier === 'auto' && !own)) return
  const dear = prompt.tier !== 'auto' && prompt.tier !== 'standard' && prompt.tier !== 'flex'
  if (dear && !writing.target.dearTiers && !own) writing.loseWish('drop', 'tier', 'not_enabled')
  else out.member('serviceTier', TIER_WORDS[prompt.tier])
}

/** Wishes this dialect has no member for. */
function noteUnsaid(prompt: Prompt, writing: PromptWriting): void {
  const unsaid: readonly [WishName, unknown][] = [
    ['verbosity', prompt.verbosity],
    ['prediction', prompt.prediction],
    ['logitBias', prompt.logitBias],
    ['userId', prompt.userId],
    ['store', prompt.dialect !== 'gemini-generate' && prompt.store === true ? true : null],
  ]
  for (const [wish, value] of unsaid) if (value !== null) writing.loseWish('drop', wish, 'unsupported')
}

// A prompt as a Messages body. Owns what Messages hosts can be told; everything else is reported as lost.

import { JsonOut } from '../bytes/json-out.ts'
import { noteCacheHints } from '../cache-hints.ts'
import { acceptedEffort, BUDGET_TOKENS_MIN, budgetOfEffort, effortOfWish } from '../efforts.ts'
import type { WishName } from '../fields.ts'
import { fittingUserId } from '../metadata.ts'
import type { Prompt, Tool } from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'
import { COUNT_MAX } from '../ranges.ts'
import { boundlessSchema, CUSTOM_INPUT_SCHEMA, jsonInstruction, objectSchema } from '../schema.ts'
import { cleanTurns } from '../turns.ts'
import { BlockWriter } from './blocks-write.ts'
import { cacheControl } from './wire.ts'

/** Asked for when neither the client nor the catalogue says how long a reply may be. */
const OUTPUT_TOKENS_DEFAULT = 4096
const USER_ID_UNITS_MAX = 256
const JSON_TOOL = 'json_response'

/** What the rest of the body must agree with. */
interface Plan {
  /** Thinking member as JSON, or null. */
  readonly thinking: string | null
  readonly effort: string | null
  readonly thinks: boolean
  readonly outputTokensMax: number
  /** Structured output by a forced tool. */
  readonly jsonTool: boolean
  readonly instruction: string | null
}

export function writePrompt(prompt: Prompt, writing: PromptWriting): Uint8Array {
  writing.refuseForeign(prompt)
  for (const tool of prompt.tools)
    if (tool.kind !== 'hosted') writing.names.toTarget(tool.name, tool.namespace)
  const own = prompt.dialect === 'anthropic-messages'
  const plan = planOf(prompt, writing)
  const turns = own ? prompt.turns : cleanTurns(prompt, writing)
  const blocks = new BlockWriter(writing, own, plan.thinks)
  const out = new JsonOut().object()
  out.member('model', writing.target.model).member('max_tokens', plan.outputTokensMax)
  blocks.writeSystem(out, prompt.instructions, plan.instruction)
  out.key('messages').array()
  for (const turn of turns) blocks.writeTurn(out, turn)
  out.endArray()
  writeTools(out, prompt, writing, plan)
  writeSampling(out, prompt, writing, plan)
  out.memberRawIf('thinking', plan.thinking)
  writeOutputConfig(out, prompt, plan, writing)
  writeCaller(out, prompt, writing)
  noteUnsaid(prompt, writing)
  noteCacheHints(prompt, writing, {
    marks: true,
    toolMarks: true,
    resultMarks: true,
    automatic: true,
    key: false,
  })
  if (prompt.stream) out.member('stream', true)
  if (own) out.extras(prompt.extra)
  return out.endObject().bytes()
}

function planOf(prompt: Prompt, writing: PromptWriting): Plan {
  const { facts } = writing.target
  const wantsSchema = prompt.format?.kind === 'schema' && !facts.jsonSchema
  const jsonTool = wantsSchema && facts.forcedToolChoice
  if (jsonTool) {
    writing.jsonTool = writing.names.toTarget(JSON_TOOL)
    writing.loseWish('emulate', 'format', 'schema_by_tool')
  } else if (wantsSchema) writing.loseWish('emulate', 'format', 'schema_by_instruction')
  let instruction = wantsSchema && !jsonTool ? jsonInstruction(prompt.format?.schema ?? null) : null
  if (prompt.format?.kind === 'json') {
    instruction = jsonInstruction(null)
    writing.loseWish('emulate', 'format', 'json_by_instruction')
  }
  return { ...reasoningPlan(prompt, writing, jsonTool), jsonTool, instruction }
}

/** Thinking, effort and the output limit depend on each other. */
function reasoningPlan(
  prompt: Prompt,
  writing: PromptWriting,
  jsonTool: boolean,
): Pick<Plan, 'thinking' | 'effort' | 'thinks' | 'outputTokensMax'> {
  const { facts } = writing.target
  const modelMax = facts.outputTokensMax ?? COUNT_MAX
  const asked = prompt.outputTokensMax
  // A Messages client may ask for nothing at all, to fill its cache.
  const least = prompt.dialect === 'anthropic-messages' ? 0 : 1
  let outputTokensMax =
    asked === null ? (facts.outputTokensMax ?? OUTPUT_TOKENS_DEFAULT) : writing.outputLimit(asked, least)
  const silent = { thinking: null, effort: null, thinks: false, outputTokensMax }
  const wish = prompt.reasoning
  if (wish === null) return silent
  const wanted = effortOfWish(wish)
  if (wanted === 'none') {
    if (facts.reasoning === 'none') return silent
    if (facts.reasoningCanBeOff) return { ...silent, thinking: '{"type":"disabled"}' }
    writing.loseWish('map', 'reasoning', 'cannot_be_off')
    return silent
  }
  if (facts.reasoning === 'none' || jsonTool) {
    writing.loseWish('drop', 'reasoning', jsonTool ? 'forced_tool' : 'unsupported')
    return silent
  }
  const display = wish.show === null ? '' : `,"display":"${wish.show === 'none' ? 'omitted' : 'summarized'}"`
  if (writing.forcesTool(prompt)) {
    writing.loseWish('drop', 'reasoning', 'forced_tool_choice')
    return silent
  }
  if (facts.reasoning === 'budget') {
    const budget = wish.budgetTokens ?? budgetOfEffort(wanted ?? 'medium')
    if (prompt.outputTokensMax === null) outputTokensMax = Math.min(modelMax, outputTokensMax + budget)
    const fitting = Math.min(Math.max(budget, BUDGET_TOKENS_MIN), outputTokensMax - 1)
    if (fitting < BUDGET_TOKENS_MIN) {
      writing.loseWish('drop', 'reasoning', 'output_limit_too_small')
      return silent
    }
    if (wish.budgetTokens === null) writing.loseWish('map', 'reasoning', 'effort_as_budget')
    else if (fitting !== wish.budgetTokens) writing.loseWish('map', 'reasoning', 'clamped')
    const thinking = `{"type":"enabled","budget_tokens":${fitting}${display}}`
    return { thinking, effort: null, thinks: true, outputTokensMax }
  }
  const effort = wanted === null ? null : acceptedEffort(wanted === 'minimal' ? 'low' : wanted, facts)
  if (wanted !== null && effort !== wanted) writing.loseWish('map', 'reasoning', 'nearest_effort')
  if (wish.budgetTokens !== null) writing.loseWish('map', 'reasoning', 'budget_as_effort')
  if (wish.mode === 'effort' && prompt.dialect === 'anthropic-messages')
    return { ...silent, effort, thinks: true }
  const type = wish.mode === 'between-tools' ? 'between_tools' : 'adaptive'
  return { thinking: `{"type":"${type}"${display}}`, effort, thinks: true, outputTokensMax }
}

function writeTools(out: JsonOut, prompt: Prompt, writing: PromptWriting, plan: Plan): void {
  const subset = prompt.toolChoice?.mode === 'subset' ? prompt.toolChoice.names : null
  if (subset !== null) writing.loseWish('emulate', 'toolChoice', 'subset_of_tools_sent')
  const tools = prompt.tools.filter(
    tool => (subset === null || subset.includes(tool.name)) && isWritable(tool, writing),
  )
  if (tools.length === 0 && !plan.jsonTool) return
  out.key('tools').array()
  for (const tool of tools) writeTool(out, tool, writing)
  if (plan.jsonTool) {
    out.object().member('name', writing.jsonTool).member('description', 'Give the answer in this form.')
    out.memberRaw('input_schema', objectSchema(prompt.format?.schema ?? null)).endObject()
  }
  out.endArray()
  writeToolChoice(out, prompt, writing, plan, tools.length)
}

/** Tools that run at their vendor, and built-in tools of other vendors, cannot be offered here. */
function isWritable(tool: Tool, writing: PromptWriting): boolean {
  if (tool.hosted === null || tool.hosted.dialect === 'anthropic-messages') return true
  if (tool.hosted.type.startsWith('web_search') && writing.target.facts.webSearch !== null) {
    writing.lose('map', tool.at, 'web_search_settings')
    return true
  }
  writing.lose('drop', tool.at, 'hosted_tool')
  return false
}

function writeTool(out: JsonOut, tool: Tool, writing: PromptWriting): void {
  if (tool.hosted !== null) {
    const own = tool.hosted.dialect === 'anthropic-messages'
    const type = writing.target.facts.webSearch
    out.raw(own ? tool.hosted.json : `{"type":${JSON.stringify(type)},"name":"web_search"}`)
    return
  }
  const custom = tool.kind === 'custom'
  out.object().member('name', writing.names.toTarget(tool.name, tool.namespace))
  out.memberIf('description', writing.descriptionOf(tool))
  out.memberRaw('input_schema', custom ? CUSTOM_INPUT_SCHEMA : objectSchema(tool.schema))
  out.memberIf('strict', writing.strictness(tool))
  if (tool.cache !== null) out.memberRaw('cache_control', cacheControl(tool.cache))
  writing.extras(out, tool)
  out.endObject()
}

function writeToolChoice(
  out: JsonOut,
  prompt: Prompt,
  writing: PromptWriting,
  plan: Plan,
  tools: number,
): void {
  const choice = prompt.toolChoice
  const single = prompt.parallelCalls === false && !plan.jsonTool
  if (plan.jsonTool) {
    const forced =
      tools === 0 ? `{"type":"tool","name":${JSON.stringify(writing.jsonTool)}}` : '{"type":"any"}'
    out.memberRaw('tool_choice', forced)
    return
  }
  if (choice === null && !single) return
  let type: 'auto' | 'any' | 'tool' | 'none' = 'auto'
  if (choice?.mode === 'none') type = 'none'
  else if (choice?.mode === 'any' || choice?.forced) type = choice.mode === 'one' ? 'tool' : 'any'
  if ((type === 'any' || type === 'tool') && !writing.target.facts.forcedToolChoice) {
    writing.loseWish('map', 'toolChoice', 'forced_choice_unsupported')
    type = 'auto'
  }
  out.key('tool_choice').object().member('type', type)
  if (type === 'tool') out.member('name', writing.names.toTarget(choice?.names[0] ?? ''))
  if (single && type !== 'none') out.member('disable_parallel_tool_use', true)
  out.endObject()
}

function writeSampling(out: JsonOut, prompt: Prompt, writing: PromptWriting, plan: Plan): void {
  const { facts } = writing.target
  const drop = (wish: WishName, reason: string): void => writing.loseWish('drop', wish, reason)
  const allowed = facts.sampling !== 'none' && !plan.thinks
  const reason = plan.thinks ? 'not_while_thinking' : 'unsupported'
  if (prompt.temperature !== null) {
    if (!allowed) drop('temperature', reason)
    else out.member('temperature', writing.ranged('temperature', prompt.temperature))
  }
  if (prompt.topP !== null) {
    const both = facts.sampling === 'one' && prompt.temperature !== null
    if (facts.sampling === 'none' || (plan.thinks && prompt.topP < 0.95) || both) drop('topP', reason)
    else out.member('top_p', writing.ranged('topP', prompt.topP))
  }
  if (prompt.topK !== null) {
    if (!allowed || !facts.topK) drop('topK', reason)
    else out.memberIf('top_k', writing.topK(prompt.topK))
  }
  const stops = prompt.stop.filter(stop => stop.trim() !== '')
  if (stops.length < prompt.stop.length) drop('stop', 'blank_stop_text')
  if (stops.length > 0) out.memberRaw('stop_sequences', JSON.stringify(stops))
}

function writeOutputConfig(out: JsonOut, prompt: Prompt, plan: Plan, writing: PromptWriting): void {
  const schema =
    prompt.format?.kind === 'schema' && writing.target.facts.jsonSchema ? prompt.format.schema : null
  if (plan.effort === null && schema === null) return
  out.key('output_config').object().memberIf('effort', plan.effort)
  if (schema !== null) {
    const own = prompt.dialect === 'anthropic-messages'
    const sent = own ? schema : boundlessSchema(schema)
    if (sent !== schema) writing.loseWish('map', 'format', 'schema_without_bounds')
    out.key('format').object().member('type', 'json_schema').memberRaw('schema', sent).endObject()
  }
  out.endObject()
}

function writeCaller(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  if (prompt.userId !== null && prompt.userId !== '') {
    const userId = fittingUserId(prompt.userId, USER_ID_UNITS_MAX)
    out.key('metadata').object().member('user_id', userId).endObject()
  }
  if (prompt.metadata.length > 0) writing.loseWish('drop', 'metadata', 'unsupported')
  if (prompt.tier === 'auto' || prompt.tier === 'standard') {
    out.member('service_tier', prompt.tier === 'auto' ? 'auto' : 'standard_only')
  } else if (prompt.tier !== null) writing.loseWish('drop', 'tier', 'unsupported')
  if (prompt.cacheAuto !== null) out.memberRaw('cache_control', cacheControl(prompt.cacheAuto))
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

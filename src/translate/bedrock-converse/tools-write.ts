// The tools of a Converse body and what must be called. Owns what stands for the choices that this dialect lacks.

import { CLIENT_TOOLS } from '../anthropic-messages/wire.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { Prompt, PromptTurn, Tool } from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'
import { CUSTOM_INPUT_SCHEMA, EMPTY_OBJECT_SCHEMA, objectSchema } from '../schema.ts'
import type { CacheMarks } from './cache-marks.ts'
import { vendorOf } from './reasoning.ts'
import { cachePoint, memberUnlessEmpty, ownMembers } from './wire.ts'

export const JSON_TOOL = 'json_response'
const NO_TOOLS_SENTENCE = 'Answer without calling any tool.'

export interface ToolPlan {
  /** Structured output by a forced tool. */
  readonly jsonTool: boolean
  /** Tools that are sent as entries of `toolConfig`. */
  readonly tools: readonly Tool[]
}

/** The tools to offer. There is no choice `none`: it is said by offering nothing, or by a sentence. */
export function chosenTools(
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
  if (/^(?:web_search|googleSearch)/.test(hosted.type) && writing.target.facts.webSearch !== null) {
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

export function writeTools(
  out: JsonOut,
  prompt: Prompt,
  writing: PromptWriting,
  plan: ToolPlan,
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

function writeTool(out: JsonOut, tool: Tool, writing: PromptWriting): void {
  if (tool.hosted !== null) {
    const name = JSON.stringify(writing.target.facts.webSearch)
    out.raw(tool.hosted.dialect === 'bedrock-converse' ? tool.hosted.json : `{"systemTool":{"name":${name}}}`)
    return
  }
  const custom = tool.kind === 'custom'
  const description = writing.descriptionOf(tool)
  out.object().key('toolSpec').object().member('name', writing.names.toTarget(tool.name, tool.namespace))
  if (description !== '') out.memberIf('description', description)
  out.key('inputSchema').object()
  out.memberRaw('json', custom ? CUSTOM_INPUT_SCHEMA : objectSchema(tool.schema)).endObject()
  out.memberIf('strict', writing.strictness(tool))
  writing.extras(out, tool)
  out.endObject().endObject()
}

/** What must be called; null for what is the default anyway. */
function choiceOf(prompt: Prompt, writing: PromptWriting, plan: ToolPlan): 'auto' | 'any' | 'tool' | null {
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

function chosenName(prompt: Prompt, writing: PromptWriting, plan: ToolPlan): string {
  return plan.jsonTool
    ? (writing.jsonTool ?? JSON_TOOL)
    : writing.names.toTarget(prompt.toolChoice?.names[0] ?? '')
}

function writeToolChoice(out: JsonOut, prompt: Prompt, writing: PromptWriting, plan: ToolPlan): void {
  // Said once only: beside the model's own member the service takes this one for a conflict.
  if (singleCall(prompt, writing, plan)) return
  const choice = choiceOf(prompt, writing, plan)
  if (choice === null) return
  out.key('toolChoice').object().key(choice).object()
  if (choice === 'tool') out.member('name', chosenName(prompt, writing, plan))
  out.endObject().endObject()
}

/** True when Claude shall make one call at a time, which only its own member says. */
function singleCall(prompt: Prompt, writing: PromptWriting, plan: ToolPlan): boolean {
  return (
    prompt.parallelCalls === false &&
    !plan.jsonTool &&
    plan.tools.length > 0 &&
    prompt.toolChoice?.mode !== 'none' &&
    writing.target.facts.parallelSwitch &&
    vendorOf(prompt, writing) === 'anthropic'
  )
}

/** What Claude alone is told about tools, in its own fields. */
export function writeVendorTools(out: JsonOut, prompt: Prompt, writing: PromptWriting, plan: ToolPlan): void {
  if (singleCall(prompt, writing, plan)) {
    const choice = choiceOf(prompt, writing, plan) ?? 'auto'
    out.key('tool_choice').object().member('type', choice)
    if (choice === 'tool') out.member('name', chosenName(prompt, writing, plan))
    out.member('disable_parallel_tool_use', true).endObject()
  } else if (prompt.parallelCalls === false && plan.tools.length > 0) {
    writing.loseWish('drop', 'parallelCalls', 'no_switch')
  }
  const tools = prompt.tools.filter(tool => isVendorTool(tool, prompt, writing))
  if (tools.length > 0) out.memberRaw('tools', `[${tools.map(tool => tool.hosted!.json).join(',')}]`)
}

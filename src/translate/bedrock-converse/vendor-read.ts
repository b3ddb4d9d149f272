// Fields of the model itself (`additionalModelRequestFields`), read where we know their vendor's names: Claude's,
// Nova's and those of OpenAI's open models. Everything else is kept for hosts of this dialect.

import { JsonObject } from '../bytes/json-tree.ts'
import { effortOf } from '../efforts.ts'
import type { Effort, Prompt, ReasoningWish, Tool, ToolChoice } from '../prompt.ts'
import { BARE_TOOL, VENDOR_FIELDS } from './wire.ts'

export function readVendorFields(body: JsonObject, prompt: Prompt): void {
  const fields = body.object(VENDOR_FIELDS)
  if (fields === null) return
  const taken = new Set<string>()
  const take = (name: string): void => void taken.add(name)
  if (typeof fields.get('top_k') === 'number') {
    prompt.topK = fields.number('top_k')
    take('top_k')
  }
  const novaConfig = fields.get('inferenceConfig')
  if (novaConfig instanceof JsonObject && novaConfig.keys.length === 1 && novaConfig.has('topK')) {
    prompt.topK = novaConfig.number('topK')
    take('inferenceConfig')
  }
  readReasoning(fields, prompt, take)
  const choice = fields.get('tool_choice')
  if (choice instanceof JsonObject && typeof choice.get('disable_parallel_tool_use') === 'boolean') {
    prompt.parallelCalls = choice.get('disable_parallel_tool_use') === false
    prompt.toolChoice ??= vendorChoice(choice)
    take('tool_choice')
  }
  if (fields.get('tools') !== undefined) {
    for (const tool of fields.array('tools')?.objects() ?? []) prompt.tools.push(vendorTool(tool))
    take('tools')
  }
  for (const extra of fields.extras(taken)) {
    prompt.vendorWishes.push({ name: `${VENDOR_FIELDS}/${extra.name}`, json: extra.json, essential: false })
  }
}

/** Claude's own way to choose, which is the only place for its parallel switch. */
function vendorChoice(choice: JsonObject): ToolChoice | null {
  const name = choice.string('name')
  switch (choice.string('type')) {
    case 'any':
      return { mode: 'any', names: [], forced: true }
    case 'none':
      return { mode: 'none', names: [], forced: false }
    case 'tool':
      return { mode: 'one', names: [name ?? ''], forced: true }
    default:
      return null
  }
}

/** Claude's built-in tools, which Converse has no entry for: they are spelled as Messages spells them. */
function vendorTool(tool: JsonObject): Tool {
  const type = tool.string('type') ?? 'custom'
  const hosted = { dialect: 'anthropic-messages' as const, type, json: tool.json }
  return { ...BARE_TOOL, kind: 'hosted', name: tool.string('name') ?? type, hosted, at: tool.pointer }
}

function readReasoning(fields: JsonObject, prompt: Prompt, take: (name: string) => void): void {
  const word = fields.get('reasoning_effort')
  const config = fields.get('output_config')
  let effort = prompt.reasoning?.effort ?? null
  if (typeof word === 'string') {
    effort ??= wordOf(fields, 'reasoning_effort')
    take('reasoning_effort')
  }
  if (config instanceof JsonObject && config.keys.length === 1 && config.has('effort')) {
    effort ??= wordOf(config, 'effort')
    take('output_config')
  }
  if (effort !== null)
    prompt.reasoning = { mode: effort === 'none' ? 'off' : 'effort', effort, budgetTokens: null, show: null }
  const nova = fields.get('reasoningConfig')
  if (nova instanceof JsonObject) {
    prompt.reasoning = novaReasoning(nova)
    take('reasoningConfig')
  }
  const thinking = fields.get('thinking')
  if (thinking instanceof JsonObject) {
    prompt.reasoning = thinkingOf(thinking, effort)
    take('thinking')
  }
}

function novaReasoning(config: JsonObject): ReasoningWish {
  const effort = wordOf(config, 'maxReasoningEffort')
  const mode =
    config.string('type') === 'disabled' ? 'off' : effort === null ? ('adaptive' as const) : 'effort'
  return { mode, effort, budgetTokens: null, show: null }
}

function thinkingOf(thinking: JsonObject, effort: Effort | null): ReasoningWish {
  const display = thinking.string('display')
  const show = display === 'omitted' ? 'none' : display === null ? null : 'summary'
  const wish = { effort, budgetTokens: null, show } as const
  switch (thinking.requiredString('type')) {
    case 'enabled':
      return { ...wish, mode: 'budget', budgetTokens: thinking.count('budget_tokens', 1) }
    case 'adaptive':
      return { ...wish, mode: 'adaptive' }
    case 'between_tools':
      return { ...wish, mode: 'between-tools' }
    case 'disabled':
      return { ...wish, mode: 'off' }
    default:
      throw thinking.refuse('type', 'enabled, adaptive, between_tools or disabled')
  }
}

export function wordOf(owner: JsonObject, name: string): Effort | null {
  const word = owner.string(name)
  const effort = effortOf(word)
  if (word !== null && effort === null)
    throw owner.refuse(name, 'none, minimal, low, medium, high, xhigh or max')
  return effort
}

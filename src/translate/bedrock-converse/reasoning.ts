// How a model behind Converse is told to think. Owns the members of each vendor, and what the rest of the body must
// agree with: the limit of the output, sampling, forced tools.

import { acceptedEffort, BUDGET_TOKENS_MIN, budgetOfEffort, effortOfWish } from '../efforts.ts'
import type { Effort, Prompt, PromptTurn, ReasoningWish } from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'
import { COUNT_MAX } from '../ranges.ts'

/** Room for the answer beside the thoughts when neither the client nor the catalogue names a limit. */
const ANSWER_TOKENS = 4096

export interface ReasoningPlan {
  /** Members of `additionalModelRequestFields`: name and JSON. */
  readonly fields: readonly (readonly [string, string])[]
  /** `outputConfig.effort`, or null. */
  readonly effort: string | null
  /** Earlier thoughts may be sent again. */
  readonly thinks: boolean
  /** The model refuses sampling while it thinks. */
  readonly samplingOff: boolean
  readonly outputTokensMax: number | null
}

export function reasoningPlan(
  prompt: Prompt,
  turns: readonly PromptTurn[],
  writing: PromptWriting,
  jsonTool: boolean,
): ReasoningPlan {
  const silent = silentPlan(prompt, writing)
  const wish = prompt.reasoning
  if (wish === null) return silent
  const { facts } = writing.target
  const wanted = effortOfWish(wish)
  if (wanted === 'none') return offPlan(prompt, silent, writing)
  if (facts.reasoning === 'none' || jsonTool) {
    writing.loseWish('drop', 'reasoning', jsonTool ? 'forced_tool' : 'unsupported')
    return silent
  }
  const claude = vendorOf(prompt, writing) === 'anthropic'
  if (claude && writing.forcesTool(prompt)) {
    writing.loseWish('drop', 'reasoning', 'forced_tool_choice')
    return silent
  }
  if (claude && facts.reasoning === 'budget') return budgetPlan(prompt, turns, wish, wanted, silent, writing)
  const effort = wordFor(wish, wanted, writing)
  switch (vendorOf(prompt, writing)) {
    case 'amazon': {
      const word = effort ?? acceptedEffort('medium', facts) ?? 'medium'
      const config = `{"type":"enabled","maxReasoningEffort":"${word}"}`
      return { ...silent, fields: [['reasoningConfig', config]], thinks: true }
    }
    case 'openai':
      if (effort === null) return silent
      return { ...silent, fields: [['reasoning_effort', `"${effort}"`]], thinks: true }
    default:
      return adaptivePlan(prompt, wish, effort, claude, silent)
  }
}

/** Whose names the model's own fields have. A Converse client spoke to the model itself: Claude's are assumed. */
export function vendorOf(prompt: Prompt, writing: PromptWriting): 'anthropic' | 'amazon' | 'openai' | null {
  return writing.target.facts.vendorFields ?? (prompt.dialect === 'bedrock-converse' ? 'anthropic' : null)
}

function silentPlan(prompt: Prompt, writing: PromptWriting): ReasoningPlan {
  const asked = prompt.outputTokensMax
  const outputTokensMax = asked === null ? null : writing.outputLimit(asked)
  return { fields: [], effort: null, thinks: false, samplingOff: false, outputTokensMax }
}

function offPlan(prompt: Prompt, silent: ReasoningPlan, writing: PromptWriting): ReasoningPlan {
  const { facts } = writing.target
  if (facts.reasoning === 'none') return silent
  const vendor = facts.reasoningCanBeOff ? vendorOf(prompt, writing) : null
  if (vendor === 'anthropic') return { ...silent, fields: [['thinking', '{"type":"disabled"}']] }
  if (vendor === 'amazon') return { ...silent, fields: [['reasoningConfig', '{"type":"disabled"}']] }
  if (vendor === 'openai' && facts.efforts.includes('none')) {
    return { ...silent, fields: [['reasoning_effort', '"none"']] }
  }
  writing.loseWish('map', 'reasoning', 'cannot_be_off')
  return silent
}

function wordFor(wish: ReasoningWish, wanted: Effort | null, writing: PromptWriting): Effort | null {
  const { facts } = writing.target
  const least = wanted === 'minimal' && !facts.efforts.includes('minimal') ? 'low' : wanted
  const effort = least === null ? null : acceptedEffort(least, facts)
  if (wanted !== null && effort !== wanted) writing.loseWish('map', 'reasoning', 'nearest_effort')
  if (wish.budgetTokens !== null) writing.loseWish('map', 'reasoning', 'budget_as_effort')
  return effort
}

function adaptivePlan(
  prompt: Prompt,
  wish: ReasoningWish,
  effort: Effort | null,
  claude: boolean,
  silent: ReasoningPlan,
): ReasoningPlan {
  const wordOnly = wish.mode === 'effort' && prompt.dialect === 'bedrock-converse'
  if (!claude || wordOnly) return { ...silent, effort, thinks: true }
  const type = wish.mode === 'between-tools' ? 'between_tools' : 'adaptive'
  const thinking = `{"type":"${type}"${displayOf(wish)}}`
  return { ...silent, fields: [['thinking', thinking]], effort, thinks: true, samplingOff: true }
}

function budgetPlan(
  prompt: Prompt,
  turns: readonly PromptTurn[],
  wish: ReasoningWish,
  wanted: Effort | null,
  silent: ReasoningPlan,
  writing: PromptWriting,
): ReasoningPlan {
  if (prompt.dialect !== 'bedrock-converse' && lacksThoughts(turns, writing)) {
    writing.loseWish('drop', 'reasoning', 'tool_loop_without_signature')
    return silent
  }
  const budget = Math.max(wish.budgetTokens ?? budgetOfEffort(wanted ?? 'medium'), BUDGET_TOKENS_MIN)
  const modelMax = writing.target.facts.outputTokensMax
  const outputTokensMax =
    silent.outputTokensMax ?? (modelMax === null ? Math.min(budget + ANSWER_TOKENS, COUNT_MAX) : null)
  const fitting = Math.min(budget, (outputTokensMax ?? modelMax ?? Number.POSITIVE_INFINITY) - 1)
  if (fitting < BUDGET_TOKENS_MIN) {
    writing.loseWish('drop', 'reasoning', 'output_limit_too_small')
    return silent
  }
  if (wish.budgetTokens === null) writing.loseWish('map', 'reasoning', 'effort_as_budget')
  else if (fitting !== wish.budgetTokens) writing.loseWish('map', 'reasoning', 'clamped')
  const thinking = `{"type":"enabled","budget_tokens":${fitting}${displayOf(wish)}}`
  return { fields: [['thinking', thinking]], effort: null, thinks: true, samplingOff: true, outputTokensMax }
}

/** A turn of calls that is being answered must begin with its signed thoughts when thinking by budget is on. */
function lacksThoughts(turns: readonly PromptTurn[], writing: PromptWriting): boolean {
  if (turns.at(-1)?.parts.some(part => part.kind === 'result') !== true) return false
  const asking = turns.findLast(turn => turn.role === 'model')
  return asking?.parts.every(part => part.kind !== 'reasoning' || !isOurs(part.opaque, writing)) === true
}

function isOurs(opaque: { readonly family: string } | null, writing: PromptWriting): boolean {
  return opaque !== null && opaque.family === writing.target.family
}

function displayOf(wish: ReasoningWish): string {
  if (wish.show === null) return ''
  return `,"display":"${wish.show === 'none' ? 'omitted' : 'summarized'}"`
}

// A prompt as a Responses body. Owns what Responses hosts can be told; everything else is reported as lost.

import { JsonOut } from '../bytes/json-out.ts'
import { noteCacheHints } from '../cache-hints.ts'
import { acceptedEffort, effortOfWish } from '../efforts.ts'
import type { WishName } from '../fields.ts'
import { fittingMetadata, fittingUserId, OPENAI_METADATA } from '../metadata.ts'
import type { OutputFormat, Prompt, ReasoningWish } from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'
import { isStrictSchema, jsonInstruction } from '../schema.ts'
import { InputWriter } from './input-write.ts'
import { writeTools } from './tools-write.ts'
import { ENCRYPTED_REASONING, TEXT_LOGPROBS, TIER_WORDS } from './wire.ts'

/** OpenAI's own bounds. */
const OUTPUT_TOKENS_MIN = 16
const USER_ID_UNITS_MAX = 64

export function writePrompt(prompt: Prompt, writing: PromptWriting): Uint8Array {
  writing.refuseForeign(prompt)
  const own = prompt.dialect === 'openai-responses'
  if (!own) {
    for (const tool of prompt.tools) {
      if (tool.kind !== 'hosted') writing.names.toTarget(tool.name, tool.namespace)
    }
  }
  const out = new JsonOut().object().member('model', writing.target.model)
  const instruction = instructionFor(prompt, writing)
  new InputWriter(out, writing, prompt).write(instruction)
  writeTools(out, prompt, writing)
  writeSampling(out, prompt, writing)
  writeText(out, prompt, writing, instruction !== null)
  writeReasoning(out, prompt, writing)
  writeInclude(out, prompt, writing)
  writeState(out, prompt, writing)
  writeCaller(out, prompt, writing)
  noteUnsaid(prompt, writing)
  const { firstParty, facts } = writing.target
  const told = own || firstParty
  const marks = own || (firstParty && facts.cacheMarks)
  noteCacheHints(prompt, writing, { marks, toolMarks: false, resultMarks: false, automatic: told, key: told })
  if (prompt.stream) out.member('stream', true)
  if (own) {
    for (const wish of prompt.vendorWishes)
      if (!WRITTEN_ELSEWHERE.test(wish.name)) out.memberRaw(wish.name, wish.json)
    out.extras(prompt.extra.filter(extra => !extra.name.startsWith('text/')))
  }
  return out.endObject().bytes()
}

/** Wishes that belong inside a member that is written anyway. */
const WRITTEN_ELSEWHERE = /^(?:include|tool_choice)$|\//

/** Structured output that the host cannot be asked for becomes a sentence in the instructions. */
function instructionFor(prompt: Prompt, writing: PromptWriting): string | null {
  const { format } = prompt
  const { facts } = writing.target
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

function writeSampling(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const { facts, firstParty } = writing.target
  if (prompt.outputTokensMax !== null) {
    const least = firstParty ? OUTPUT_TOKENS_MIN : 1
    out.member('max_output_tokens', writing.outputLimit(prompt.outputTokensMax, least))
  }
  const sampling = facts.sampling !== 'none'
  if (prompt.temperature !== null) {
    if (sampling) out.member('temperature', writing.ranged('temperature', prompt.temperature))
    else writing.loseWish('drop', 'temperature', 'unsupported')
  }
  if (prompt.topP !== null) {
    if (sampling) out.member('top_p', writing.ranged('topP', prompt.topP))
    else writing.loseWish('drop', 'topP', 'unsupported')
  }
  if (prompt.logprobs === null) return
  if (!facts.logprobs) writing.loseWish('drop', 'logprobs', 'unsupported')
  else if (prompt.logprobs > 0) out.member('top_logprobs', prompt.logprobs)
}

function writeText(out: JsonOut, prompt: Prompt, writing: PromptWriting, instructed: boolean): void {
  const nested =
    prompt.dialect === 'openai-responses' ? prompt.extra.filter(extra => extra.name.startsWith('text/')) : []
  const verbosity = writing.target.facts.verbosity ? prompt.verbosity : null
  if (prompt.verbosity !== null && verbosity === null) writing.loseWish('drop', 'verbosity', 'unsupported')
  const format = instructed ? null : prompt.format
  if (verbosity === null && format === null && nested.length === 0) return
  out.key('text').object()
  if (format !== null) writeFormat(out, format, writing)
  out.memberIf('verbosity', verbosity)
  for (const extra of nested) out.memberRaw(extra.name.slice('text/'.length), extra.json)
  out.endObject()
}

function writeFormat(out: JsonOut, format: OutputFormat, writing: PromptWriting): void {
  out.key('format').object()
  if (format.kind === 'text') out.member('type', 'text')
  else if (format.kind === 'json') out.member('type', 'json_object')
  else {
    const schema = format.schema ?? '{}'
    out.member('type', 'json_schema').member('name', writing.formatName(format.name))
    out.memberIf('description', format.description).memberRaw('schema', schema)
    const foreign = writing.client !== 'openai-chat' && writing.client !== 'openai-responses'
    out.memberIf('strict', format.strict ?? (foreign ? isStrictSchema(schema) : null))
  }
  out.endObject()
}

function writeReasoning(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const own = prompt.dialect === 'openai-responses'
  const effort = effortFor(prompt, writing)
  const reasons = effort !== null || showsWithoutEffort(prompt, writing)
  const summary = !reasons || prompt.reasoning === null ? null : summaryFor(prompt.reasoning, prompt)
  const nested = own ? prompt.vendorWishes.filter(wish => wish.name.startsWith('reasoning/')) : []
  if (effort === null && summary === null && nested.length === 0) return
  out.key('reasoning').object().memberIf('effort', effort).memberIf('summary', summary)
  for (const wish of nested) out.memberRaw(wish.name.slice('reasoning/'.length), wish.json)
  out.endObject()
}

/** The model decides how hard to think, and the client wants to see it. */
function showsWithoutEffort(prompt: Prompt, writing: PromptWriting): boolean {
  const wish = prompt.reasoning
  if (wish === null || effortOfWish(wish) !== null || writing.target.facts.reasoning === 'none') return false
  return wish.show !== null
}

function effortFor(prompt: Prompt, writing: PromptWriting): string | null {
  const wish = prompt.reasoning
  const wanted = wish === null ? null : effortOfWish(wish)
  if (wish === null || wanted === null) return null
  const { facts } = writing.target
  const accepted = facts.reasoning === 'none' ? null : acceptedEffort(wanted, facts)
  if (accepted === null) {
    if (wanted !== 'none') writing.loseWish('drop', 'reasoning', 'unsupported')
    return null
  }
  if (accepted !== wanted) writing.loseWish('map', 'reasoning', 'nearest_effort')
  else if (wish.budgetTokens !== null) writing.loseWish('map', 'reasoning', 'budget_as_effort')
  return accepted
}

/** A summary is made only when asked for. Clients of other dialects ask for it by turning thinking on. */
function summaryFor(wish: ReasoningWish, prompt: Prompt): string | null {
  if (wish.mode === 'off' || wish.show === 'none') return null
  if (wish.show === 'detailed') return 'detailed'
  if (prompt.dialect === 'openai-responses') return wish.show === 'summary' ? 'concise' : wish.show
  const seen = prompt.dialect !== 'openai-chat' || prompt.wantReasoningDetails
  return wish.show !== null || seen ? 'auto' : null
}

function writeInclude(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const own = prompt.dialect === 'openai-responses'
  const include: string[] = []
  // Without it the next turn could not bring back what only the vendor can read: nothing is stored there.
  const carries = prompt.dialect !== 'openai-chat' || prompt.wantReasoningDetails
  const reasons = writing.target.facts.reasoning !== 'none'
  if (own ? prompt.wantEncryptedReasoning : carries && reasons) include.push(ENCRYPTED_REASONING)
  if (prompt.logprobs !== null && writing.target.facts.logprobs) include.push(TEXT_LOGPROBS)
  const rest = own ? prompt.vendorWishes.find(wish => wish.name === 'include') : undefined
  if (rest !== undefined) include.push(...(JSON.parse(rest.json) as string[]))
  if (include.length > 0) out.memberRaw('include', JSON.stringify(include))
}

function writeState(out: JsonOut, prompt: Prompt, _writing: PromptWriting): void {
  if (prompt.dialect === 'openai-responses') {
    out.memberIf('store', prompt.store).memberIf('previous_response_id', prompt.previousId)
    out.memberIf('conversation', prompt.conversation)
    if (prompt.background) out.member('background', true)
  } else {
    // The vendor stores replies unless told not to; no other dialect's client expects that.
    out.member('store', prompt.store === true)
  }
}

function writeCaller(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const { firstParty, dearTiers } = writing.target
  const own = prompt.dialect === 'openai-responses'
  if (prompt.metadata.length > 0) {
    if (own || firstParty) {
      out.key('metadata').object()
      const entries = fittingMetadata(prompt.metadata, OPENAI_METADATA, writing)
      for (const [name, value] of entries) out.member(name, value)
      out.endObject()
    } else writing.loseWish('drop', 'metadata', 'unsupported')
  }
  if (prompt.userId !== null && prompt.userId !== '') {
    const userId = fittingUserId(prompt.userId, USER_ID_UNITS_MAX)
    out.member(firstParty ? 'safety_identifier' : 'user', firstParty ? userId : prompt.userId)
  }
  if (own || firstParty) out.memberIf('prompt_cache_key', prompt.cacheKey)
  if (prompt.cacheAuto !== null && (own || firstParty)) {
    const ttl = prompt.cacheAuto === 'long' ? '12h' : '30m'
    out.memberRaw('prompt_cache_options', `{"mode":"implicit","ttl":"${ttl}"}`)
  }
  if (prompt.tier !== null && prompt.tier !== 'auto') {
    const dear = prompt.tier !== 'standard' && prompt.tier !== 'flex'
    if (!own && !firstParty) writing.loseWish('drop', 'tier', 'unsupported')
    else if (dear && !dearTiers && !own) writing.loseWish('drop', 'tier', 'not_enabled')
    else out.member('service_tier', TIER_WORDS[prompt.tier])
  }
  if (own) for (const safety of prompt.safety) out.memberRaw(safety.name, safety.json)
}

/** Wishes this dialect has no member for. */
function noteUnsaid(prompt: Prompt, writing: PromptWriting): void {
  if (prompt.choices !== null && prompt.choices > 1) {
    writing.refuseWish('choices', `found ${prompt.choices}, allowed is 1`)
  }
  const unsaid: readonly [WishName, unknown][] = [
    ['stop', prompt.stop.some(stop => stop !== '') ? prompt.stop : null],
    ['prediction', prompt.prediction],
    ['topK', prompt.topK],
    ['seed', prompt.seed],
    ['presencePenalty', prompt.presencePenalty],
    ['frequencyPenalty', prompt.frequencyPenalty],
    ['logitBias', prompt.logitBias],
  ]
  for (const [wish, value] of unsaid) if (value !== null) writing.loseWish('drop', wish, 'unsupported')
}

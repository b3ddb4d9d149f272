// A Responses body as a prompt. Owns this dialect's request members; refuses wrong kinds by their path and keeps
// what it does not know. What lives at the vendor (stored turns, templates) is noted, and other dialects refuse it.

import { JsonObject, readBody } from '../bytes/json-tree.ts'
import { effortOf } from '../efforts.ts'
import {
  type OutputFormat,
  Prompt,
  promptTurn,
  type ReasoningWish,
  textPart,
  VERBOSITIES,
} from '../prompt.ts'
import { LOGPROBS_MAX } from '../ranges.ts'
import { TranslateError } from '../translate-error.ts'
import { InputReader } from './input-read.ts'
import { readTools } from './tools-read.ts'
import {
  BODY_MEMBERS,
  ECHO_MEMBERS,
  ENCRYPTED_REASONING,
  REASONING_MEMBERS,
  TEXT_LOGPROBS,
  TEXT_MEMBERS,
  TIERS,
} from './wire.ts'

export function readPrompt(bytes: Uint8Array): Prompt {
  const body = readBody(bytes)
  const prompt = new Prompt('openai-responses', body.requiredString('model'))
  prompt.stream = body.boolean('stream') ?? false
  prompt.wantUsage = true
  readState(body, prompt)
  readInput(body, prompt)
  readTools(body, prompt)
  readOutput(body, prompt)
  readReasoning(body, prompt)
  readCaller(body, prompt)
  for (const name of ECHO_MEMBERS) {
    const json = body.jsonOf(name)
    if (json !== null) prompt.echo.push({ name, json: detached(json) })
  }
  prompt.extra.push(...body.extras(BODY_MEMBERS))
  return prompt
}

/** A copy: a slice would keep the whole body in memory for as long as the reply runs. */
function detached(json: string): string {
  return ` ${json}`.slice(1)
}

/** What the vendor has stored of earlier turns, and templates. */
function readState(body: JsonObject, prompt: Prompt): void {
  prompt.previousId = body.string('previous_response_id')
  const conversation = body.get('conversation')
  if (conversation instanceof JsonObject) prompt.conversation = conversation.requiredString('id')
  else prompt.conversation = body.string('conversation')
  prompt.background = body.boolean('background') ?? false
  prompt.store = body.boolean('store')
  body.object('prompt')
  wish(body, prompt, 'prompt', true)
}

function wish(body: JsonObject, prompt: Prompt, name: string, essential: boolean): void {
  const json = body.jsonOf(name)
  if (json !== null) prompt.vendorWishes.push({ name, json, essential })
}

function readInput(body: JsonObject, prompt: Prompt): void {
  const instructions = body.string('instructions')
  if (instructions !== null && instructions !== '') {
    const at = '/instructions'
    prompt.instructions.push(
      promptTurn('system', [textPart(instructions, at)], at, {
        developer: true,
      }),
    )
  }
  new InputReader(prompt).read(body)
  if (prompt.turns.length > 0 || prompt.instructions.length > 0) return
  if (prompt.previousId !== null || prompt.conversation !== null || body.has('prompt')) return
  const found = body.has('input') ? 'found nothing to answer' : 'missing'
  throw new TranslateError('invalid', `input: ${found}, required is a string or one or more items`, 'input')
}

function readOutput(body: JsonObject, prompt: Prompt): void {
  prompt.outputTokensMax = body.count('max_output_tokens', 1)
  prompt.temperature = body.number('temperature')
  prompt.topP = body.number('top_p')
  const text = body.object('text')
  prompt.verbosity = text?.word('verbosity', VERBOSITIES) ?? null
  prompt.format = formatOf(text?.object('format') ?? null)
  for (const extra of text?.extras(TEXT_MEMBERS) ?? []) {
    prompt.extra.push({ name: `text/${extra.name}`, json: extra.json })
  }
  body.integer('max_tool_calls')
  wish(body, prompt, 'max_tool_calls', false)
  readInclude(body, prompt)
}

/** Two of the values are wishes of their own; the others belong to tools that run at the vendor. */
function readInclude(body: JsonObject, prompt: Prompt): void {
  const include = body.array('include')?.strings() ?? []
  prompt.wantEncryptedReasoning = include.includes(ENCRYPTED_REASONING)
  const alternatives = body.count('top_logprobs', 0, LOGPROBS_MAX)
  if (include.includes(TEXT_LOGPROBS)) prompt.logprobs = alternatives ?? 0
  else if (alternatives !== null && alternatives > 0) prompt.logprobs = alternatives
  const rest = include.filter(value => value !== ENCRYPTED_REASONING && value !== TEXT_LOGPROBS)
  if (rest.length > 0) {
    prompt.vendorWishes.push({ name: 'include', json: JSON.stringify(rest), essential: false })
  }
}

function formatOf(format: JsonObject | null): OutputFormat | null {
  if (format === null) return null
  const bare = { name: null, description: null, schema: null, strict: null }
  switch (format.requiredString('type')) {
    case 'text':
      return { kind: 'text', schemaForm: 'json-schema', ...bare }
    case 'json_object':
      return { kind: 'json', schemaForm: 'json-schema', ...bare }
    case 'json_schema':
      return {
        kind: 'schema',
        name: format.string('name'),
        description: format.string('description'),
        schema: format.requiredObject('schema').json,
        schemaForm: 'json-schema',
        strict: format.boolean('strict'),
      }
    default:
      throw format.refuse('type', 'text, json_object or json_schema')
  }
}

const SHOWN: ReadonlyMap<string, ReasoningWish['show']> = new Map([
  ['auto', 'auto'],
  ['concise', 'summary'],
  ['detailed', 'detailed'],
])

function readReasoning(body: JsonObject, prompt: Prompt): void {
  const reasoning = body.object('reasoning')
  if (reasoning === null) return
  const word = reasoning.string('effort')
  const effort = effortOf(word)
  if (word !== null && effort === null) {
    throw reasoning.refuse('effort', 'none, minimal, low, medium, high, xhigh or max')
  }
  const member = reasoning.has('summary') ? 'summary' : 'generate_summary'
  const summary = reasoning.string(member)
  const show = summary === null ? null : (SHOWN.get(summary) ?? null)
  if (summary !== null && show === null) throw reasoning.refuse(member, 'auto, concise or detailed')
  for (const extra of reasoning.extras(REASONING_MEMBERS)) {
    prompt.vendorWishes.push({ name: `reasoning/${extra.name}`, json: extra.json, essential: false })
  }
  if (effort !== null) {
    prompt.reasoning = { mode: effort === 'none' ? 'off' : 'effort', effort, budgetTokens: null, show }
  } else if (summary !== null) {
    // Only how to show it is said, not that it shall be: elsewhere that would turn reasoning on.
    const json = JSON.stringify(summary)
    prompt.vendorWishes.push({ name: 'reasoning/summary', json, essential: false })
  }
}

function readCaller(body: JsonObject, prompt: Prompt): void {
  prompt.cacheKey = body.string('prompt_cache_key')
  readCache(body, prompt)
  prompt.userId = body.string('safety_identifier') ?? body.string('user')
  const metadata = body.object('metadata')
  for (const name of metadata?.keys ?? []) {
    prompt.metadata.push({ name, value: metadata!.requiredString(name) })
  }
  const tier = body.string('service_tier')
  if (tier !== null) prompt.tier = TIERS.get(tier) ?? 'auto'
  const truncation = body.string('truncation')
  if (truncation !== null && truncation !== 'disabled') wish(body, prompt, 'truncation', false)
  for (const name of ['context_management', 'prompt_cache_retention', 'access_programs', 'image']) {
    wish(body, prompt, name, false)
  }
  const moderation = body.jsonOf('moderation')
  if (moderation !== null) prompt.safety.push({ name: 'moderation', json: moderation })
  body.object('stream_options')
}

function readCache(body: JsonObject, prompt: Prompt): void {
  const cache = body.object('prompt_cache_options')
  if (cache === null) return
  const plain = cache.keys.every(key => key === 'mode' || key === 'ttl')
  if (plain && cache.string('mode') !== 'explicit') {
    prompt.cacheAuto = cache.string('ttl') === '12h' ? 'long' : 'short'
  } else wish(body, prompt, 'prompt_cache_options', false)
}

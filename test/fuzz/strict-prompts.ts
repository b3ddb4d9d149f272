// The strictest host of each dialect there is: what its reference states of numbers, words, names and lengths. It is
// the measure for what a prompt writer may send. It shares no code with the product it judges.

import type { DialectId } from '../../src/translate/index.ts'

type Judge = (value: unknown) => boolean
/** Members by path; `*` stands for every element or member, `?` for the names of the members. */
type Rules = Readonly<Record<string, Judge>>

const number =
  (least: number, most: number): Judge =>
  value =>
    typeof value === 'number' && value >= least && value <= most

const whole =
  (least: number, most: number): Judge =>
  value =>
    number(least, most)(value) && Number.isInteger(value)

const text =
  (least: number, most: number, pattern = /^/): Judge =>
  value =>
    typeof value === 'string' && value.length >= least && value.length <= most && pattern.test(value)

const word =
  (...words: readonly string[]): Judge =>
  value =>
    words.includes(value as string)

const list =
  (least: number, most: number): Judge =>
  value =>
    Array.isArray(value) && value.length >= least && value.length <= most

const members =
  (least: number, most: number): Judge =>
  value =>
    list(least, most)(Object.keys(value as object))

/** A caller's own tool. What runs at the vendor is spelled by the client in the vendor's own words. */
const namedTool =
  (name: Judge): Judge =>
  tool =>
    (tool as Readonly<Record<string, unknown>>)['type'] !== undefined ||
    name((tool as Readonly<Record<string, unknown>>)['name'])

const INT32 = 2 ** 31 - 1
const INT64 = 2 ** 63
const LETTERS = /^[A-Za-z0-9_-]+$/
const NOT_BLANK = /\S/
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']
const CLAUDE_EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max']
const IMAGES = ['jpeg', 'png', 'gif', 'webp']
const METADATA_CHARS = /^[A-Za-z0-9\s:_@$#=/+,.-]*$/

const OPENAI: Rules = {
  temperature: number(0, 2),
  top_p: number(0, 1),
  top_logprobs: whole(0, 20),
  service_tier: word('auto', 'default', 'flex', 'scale', 'priority'),
  safety_identifier: text(1, 64),
  metadata: members(0, 16),
  'metadata.?': text(1, 64),
  'metadata.*': text(0, 512),
}

const RULES: Readonly<Record<DialectId, Rules>> = {
  'openai-chat': {
    ...OPENAI,
    presence_penalty: number(-2, 2),
    frequency_penalty: number(-2, 2),
    n: whole(1, 128),
    max_completion_tokens: whole(1, INT32),
    max_tokens: whole(1, INT32),
    seed: whole(-INT64, INT64),
    top_k: whole(1, INT32),
    stop: list(1, 4),
    'stop.*': text(1, INT32),
    verbosity: word('low', 'medium', 'high'),
    reasoning_effort: word(...EFFORTS),
    'tools.*.function.name': text(1, 64, LETTERS),
    'tools.*.custom.name': text(1, 64, LETTERS),
    'tool_choice.function.name': text(1, 64, LETTERS),
    'response_format.json_schema.name': text(1, 64, LETTERS),
    'messages.*.tool_calls.*.id': text(1, 40),
    'messages.*.tool_calls.*.function.name': text(1, 64, LETTERS),
    'messages.*.tool_call_id': text(1, 40),
    'messages.*.content.*.image_url.detail': word('auto', 'low', 'high'),
  },
  'openai-responses': {
    ...OPENAI,
    max_output_tokens: whole(1, INT32),
    'text.verbosity': word('low', 'medium', 'high'),
    'text.format.name': text(1, 64, LETTERS),
    'reasoning.effort': word(...EFFORTS),
    'reasoning.summary': word('auto', 'concise', 'detailed'),
    'tools.*.name': text(1, 64, LETTERS),
    'tool_choice.name': text(1, 64, LETTERS),
    'input.*.call_id': text(1, 64),
    'input.*.name': text(1, 64, LETTERS),
    'input.*.content.*.detail': word('auto', 'low', 'high', 'original'),
  },
  'anthropic-messages': {
    temperature: number(0, 1),
    top_p: number(0, 1),
    top_k: whole(1, INT32),
    max_tokens: whole(1, INT32),
    'thinking.budget_tokens': whole(1024, INT32),
    'output_config.effort': word(...CLAUDE_EFFORTS),
    'stop_sequences.*': text(1, INT32, NOT_BLANK),
    service_tier: word('auto', 'standard_only'),
    'metadata.user_id': text(0, 256),
    'system.*.text': text(1, INT32, NOT_BLANK),
    'tools.*': namedTool(text(1, 128, LETTERS)),
    'tool_choice.name': text(1, 128, LETTERS),
    'messages.*.content.*.id': text(1, 128, LETTERS),
    'messages.*.content.*.tool_use_id': text(1, 128, LETTERS),
    'messages.*.content.*.name': text(1, 128, LETTERS),
    'messages.*.content.*.text': text(1, INT32, NOT_BLANK),
  },
  'bedrock-converse': {
    'inferenceConfig.temperature': number(0, 1),
    'inferenceConfig.topP': number(0, 1),
    'inferenceConfig.maxTokens': whole(1, INT32),
    'inferenceConfig.stopSequences': list(0, 2500),
    'inferenceConfig.stopSequences.*': text(1, INT32),
    'additionalModelRequestFields.top_k': whole(1, INT32),
    'additionalModelRequestFields.inferenceConfig.topK': whole(1, 128),
    'additionalModelRequestFields.thinking.budget_tokens': whole(1024, INT32),
    'additionalModelRequestFields.reasoning_effort': word(...EFFORTS),
    'outputConfig.effort': word(...CLAUDE_EFFORTS),
    'serviceTier.type': word('default', 'flex', 'priority', 'reserved'),
    requestMetadata: members(1, 16),
    'requestMetadata.?': text(1, 256, METADATA_CHARS),
    'requestMetadata.*': text(0, 256, METADATA_CHARS),
    'system.*.text': text(1, INT32),
    'toolConfig.tools': list(1, INT32),
    'toolConfig.tools.*.toolSpec.name': text(1, 64, LETTERS),
    'toolConfig.tools.*.toolSpec.description': text(1, INT32),
    'toolConfig.toolChoice.tool.name': text(1, 64, LETTERS),
    'messages.*.content.*.toolUse.toolUseId': text(1, 64, LETTERS),
    'messages.*.content.*.toolUse.name': text(1, 64, LETTERS),
    'messages.*.content.*.toolResult.toolUseId': text(1, 64, LETTERS),
    'messages.*.content.*.image.format': word(...IMAGES),
    'messages.*.content.*.document.name': text(1, 200, /^[A-Za-z0-9\s()[\]-]+$/),
  },
  'gemini-generate': {
    'generationConfig.temperature': number(0, 2),
    'generationConfig.topP': number(0, 1),
    'generationConfig.topK': whole(1, INT32),
    'generationConfig.candidateCount': whole(1, 8),
    'generationConfig.maxOutputTokens': whole(1, INT32),
    'generationConfig.presencePenalty': number(-2, 2),
    'generationConfig.frequencyPenalty': number(-2, 2),
    'generationConfig.logprobs': whole(1, 20),
    'generationConfig.seed': whole(-INT32 - 1, INT32),
    'generationConfig.stopSequences': list(1, 5),
    'generationConfig.stopSequences.*': text(1, INT32),
    'generationConfig.thinkingConfig.thinkingBudget': whole(-1, 24_576),
    'generationConfig.thinkingConfig.thinkingLevel': word('MINIMAL', 'LOW', 'MEDIUM', 'HIGH'),
    'tools.*.functionDeclarations.*.name': text(1, 64, /^[A-Za-z_][A-Za-z0-9_.:-]*$/),
    'contents.*.parts.*.functionCall.name': text(1, 64),
    'contents.*.parts.*.functionResponse.name': text(1, 64),
  },
}

type Node = Readonly<Record<string, unknown>>

const nodes = (body: unknown, path: string): Node[] =>
  valuesAt(body, path.split('.'), '').map(([, value]) => value as Node)

/** What members must agree on; each fault is one sentence. */
const AGREEMENTS: Readonly<Record<DialectId, (body: Node) => string[]>> = {
  'openai-chat': () => [],
  'openai-responses': () => [],
  'anthropic-messages': body => {
    const [thinking] = nodes(body, 'thinking')
    const thinks = thinking !== undefined && thinking['type'] !== 'disabled'
    const choice = nodes(body, 'tool_choice.type')[0] as unknown
    const budget = thinking?.['budget_tokens'] as number | undefined
    const topP = body['top_p'] as number | undefined
    return [
      ...told(thinks && (choice === 'any' || choice === 'tool'), 'a tool is forced while the model thinks'),
      ...told(thinks && body['temperature'] !== undefined, 'a temperature while the model thinks'),
      ...told(thinks && body['top_k'] !== undefined, 'candidates are counted while the model thinks'),
      ...told(thinks && topP !== undefined && topP < 0.95, 'few candidates while the model thinks'),
      ...told(budget !== undefined && budget >= (body['max_tokens'] as number), 'no room for the answer'),
      ...told(marks(body, 'cache_control') > 4, 'more than four cache marks'),
      ...turnFaults(nodes(body, 'messages.*'), answersOfMessages),
    ]
  },
  'bedrock-converse': body => [
    ...told(
      nodes(body, 'additionalModelRequestFields.thinking').some(
        thinking => thinking['type'] !== 'disabled',
      ) && nodes(body, 'toolConfig.toolChoice').some(choice => 'any' in choice || 'tool' in choice),
      'a tool is forced while the model thinks',
    ),
    ...told(marks(body, 'cachePoint') > 4, 'more than four cache points'),
    ...told(
      nodes(body, 'messages.*.content.*.toolUse').length > 0 && nodes(body, 'toolConfig').length === 0,
      'calls without tools',
    ),
    ...told(
      nodes(body, 'messages.*').some((turn, at, all) => turn['role'] === all[at - 1]?.['role']),
      'two turns of one role',
    ),
    ...turnFaults(nodes(body, 'messages.*'), answersOfConverse),
  ],
  'gemini-generate': body => [
    ...told(nodes(body, 'contents.*').length === 0, 'no content'),
    ...turnFaults(nodes(body, 'contents.*'), answersOfGemini),
  ],
}

function told(wrong: boolean, fault: string): string[] {
  return wrong ? [fault] : []
}

function marks(value: unknown, name: string): number {
  if (typeof value !== 'object' || value === null) return 0
  return Object.entries(value).reduce((sum, [key, child]) => sum + (key === name ? 1 : marks(child, name)), 0)
}

/** Names or ids of the calls in a turn, and of the results in it, in their order. */
type Answers = (turn: Node) => readonly [calls: readonly unknown[], results: readonly unknown[]]

const answersOfMessages: Answers = turn => [
  nodes(turn, 'content.*').flatMap(block => (block['type'] === 'tool_use' ? [block['id']] : [])),
  nodes(turn, 'content.*').flatMap(block => (block['type'] === 'tool_result' ? [block['tool_use_id']] : [])),
]
const answersOfConverse: Answers = turn => [
  nodes(turn, 'content.*.toolUse.toolUseId'),
  nodes(turn, 'content.*.toolResult.toolUseId'),
]
const answersOfGemini: Answers = turn => [
  nodes(turn, 'parts.*.functionCall.name'),
  nodes(turn, 'parts.*.functionResponse.name'),
]

/** The user begins, and every call is answered in the turn behind it, and nothing else is. */
function turnFaults(turns: readonly Node[], answersOf: Answers): string[] {
  const faults = told(turns[0] !== undefined && (turns[0]['role'] ?? 'user') !== 'user', 'the model begins')
  for (const [at, turn] of turns.entries()) {
    const [, results] = answersOf(turn)
    const calls = at === 0 ? [] : answersOf(turns[at - 1]!)[0]
    const same = JSON.stringify([...calls].sort()) === JSON.stringify([...results].sort())
    if (!same)
      faults.push(`turn ${at} answers ${JSON.stringify(results)}, asked was ${JSON.stringify(calls)}`)
  }
  return faults
}

/** Everything in a body that the strictest host of its dialect would refuse, as `path: value`. */
export function faultsOf(dialect: DialectId, body: unknown): string[] {
  const faults: string[] = AGREEMENTS[dialect](body as Node)
  for (const [path, judge] of Object.entries(RULES[dialect])) {
    for (const [where, value] of valuesAt(body, path.split('.'), '')) {
      if (!judge(value)) faults.push(`${where}: ${JSON.stringify(value)?.slice(0, 100)}`)
    }
  }
  return faults
}

function valuesAt(value: unknown, path: readonly string[], where: string): [string, unknown][] {
  const [step, ...rest] = path
  if (step === undefined) return [[where, value]]
  if (typeof value !== 'object' || value === null) return []
  if (step === '?') return Object.keys(value).map(name => [`${where}.${name}`, name])
  const names = step === '*' ? Object.keys(value) : Object.hasOwn(value, step) ? [step] : []
  return names.flatMap(name =>
    valuesAt((value as Record<string, unknown>)[name], rest, where === '' ? name : `${where}.${name}`),
  )
}

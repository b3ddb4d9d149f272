// A Messages body as a prompt. Owns this dialect's request members; refuses wrong kinds by their path and keeps
// what it does not know.

import { JsonArray, JsonObject, readBody } from '../bytes/json-tree.ts'
import { argumentsText } from '../bytes/json-text.ts'
import { effortOf } from '../efforts.ts'
import { normalMime } from '../media.ts'
import { unwrapOpaque } from '../opaque.ts'
import {
  type CacheMark,
  type Citation,
  callPart,
  type MediaKind,
  type MediaSource,
  mediaPart,
  type OutputFormat,
  type Part,
  Prompt,
  promptTurn,
  type ReasoningWish,
  reasoningPart,
  resultPart,
  type SearchResultPart,
  textPart,
  type Tool,
  type ToolChoice,
  vendorPart,
} from '../prompt.ts'
import { TranslateError } from '../translate-error.ts'
import { BLOCK_MEMBERS, BODY_MEMBERS, MESSAGE_MEMBERS, TOOL_MEMBERS } from './wire.ts'
import { wordTable } from '../word-table.ts'

export function readPrompt(bytes: Uint8Array): Prompt {
  const body = readBody(bytes)
  const prompt = new Prompt('anthropic-messages', body.requiredString('model'))
  prompt.stream = body.boolean('stream') ?? false
  prompt.wantUsage = true
  readSystem(body, prompt)
  new BlockReader(prompt).read(body.requiredArray('messages'))
  for (const tool of body.array('tools')?.objects() ?? []) prompt.tools.push(toolOf(tool))
  readToolChoice(body, prompt)
  readOutput(body, prompt)
  readCaller(body, prompt)
  prompt.extra = body.extras(BODY_MEMBERS)
  return prompt
}

function readSystem(body: JsonObject, prompt: Prompt): void {
  const system = body.get('system')
  if (system === undefined || system === null) return
  const at = '/system'
  if (typeof system === 'string') {
    if (system !== '') prompt.instructions.push(promptTurn('system', [textPart(system, at)], at))
    return
  }
  const blocks = body.requiredArray('system').objects()
  const parts = blocks.map(block => textPart(block.requiredString('text'), block.pointer, cacheMarkOf(block)))
  prompt.instructions.push(promptTurn('system', parts, at))
}

/** Reads turns in order; remembers calls, because results do not name their tool. */
class BlockReader {
  private readonly prompt: Prompt
  private readonly nameOfCall = new Map<string, string>()

  constructor(prompt: Prompt) {
    this.prompt = prompt
  }

  read(messages: JsonArray): void {
    if (messages.length === 0) {
      throw new TranslateError(
        'invalid',
        'messages: found an empty array, allowed is one or more',
        'messages',
      )
    }
    for (const message of messages.objects()) {
      const role = message.requiredString('role')
      if (role !== 'user' && role !== 'assistant' && role !== 'system') {
        throw message.refuse('role', 'user, assistant or system')
      }
      const more = { extra: message.extras(MESSAGE_MEMBERS) }
      this.prompt.turns.push(
        promptTurn(role === 'assistant' ? 'model' : role, this.content(message), message.pointer, more),
      )
    }
  }

  /** Content of a message or a tool result: a string or blocks. */
  private content(owner: JsonObject): Part[] {
    const content = owner.get('content')
    if (content === undefined || content === null) return []
    if (typeof content === 'string')
      return content === '' ? [] : [textPart(content, owner.pointerOf('content'))]
    if (!(content instanceof JsonArray)) throw owner.refuse('content', 'a string or an array of blocks')
    return content.objects().map(block => this.block(block))
  }

  private block(block: JsonObject): Part {
    const at = block.pointer
    const cache = cacheMarkOf(block)
    const type = block.requiredString('type')
    switch (type) {
      case 'text':
        return textPart(
          block.requiredString('text'),
          at,
          cache,
          citationsOf(block),
          null,
          block.extras(BLOCK_MEMBERS),
        )
      case 'image':
        return mediaPart('image', ...this.source(block, 'image'), at, {
          cache,
          extra: block.extras(BLOCK_MEMBERS),
        })
      case 'document':
        return mediaPart('document', ...this.source(block, 'document'), at, {
          cache,
          title: block.string('title'),
          context: block.string('context'),
          cite: citesOn(block),
          extra: block.extras(BLOCK_MEMBERS),
        })
      case 'search_result':
        return this.searchResult(block, at, cache)
      case 'thinking': {
        const signature = block.string('signature') ?? ''
        const text = block.string('thinking') ?? ''
        const opaque = signature === '' ? null : unwrapOpaque(signature, 'anthropic-messages', 'signature')
        return reasoningPart(text === '' ? [] : [text], opaque, at)
      }
      case 'redacted_thinking':
        return reasoningPart(
          [],
          unwrapOpaque(block.requiredString('data'), 'anthropic-messages', 'redacted'),
          at,
        )
      case 'tool_use':
        return this.call(block, at, cache)
      case 'tool_result': {
        const callId = block.requiredString('tool_use_id')
        const result = { callId, name: this.nameOfCall.get(callId) ?? null, parts: this.content(block) }
        return resultPart({ ...result, failed: block.boolean('is_error') ?? false }, at, cache)
      }
      default:
        return vendorPart('anthropic-messages', type, block.json, at, textOfResult(block), isEssential(type))
    }
  }

  private call(block: JsonObject, at: string, cache: CacheMark | null): Part {
    const id = block.requiredString('id')
    const name = block.requiredString('name')
    block.object('input')
    this.nameOfCall.set(id, name)
    const input = argumentsText(block.jsonOf('input') ?? '{}')
    return callPart({ id, name, input }, at, cache, block.extras(BLOCK_MEMBERS))
  }

  private searchResult(block: JsonObject, at: string, cache: CacheMark | null): SearchResultPart {
    return {
      kind: 'search-result',
      title: block.string('title') ?? '',
      url: block.string('source') ?? '',
      parts: this.content(block),
      cite: citesOn(block),
      at,
      cache,
      extra: block.extras(BLOCK_MEMBERS),
    }
  }

  private source(block: JsonObject, media: MediaKind): [string | null, MediaSource] {
    const source = block.requiredObject('source')
    const mime = source.string('media_type')
    switch (source.requiredString('type')) {
      case 'base64':
        return [
          mime === null ? null : normalMime(mime),
          { kind: 'base64', data: source.requiredString('data') },
        ]
      case 'url':
        return [
          media === 'document' ? 'application/pdf' : null,
          { kind: 'url', url: source.requiredString('url') },
        ]
      case 'file':
        return [null, { kind: 'file', id: source.requiredString('file_id'), dialect: 'anthropic-messages' }]
      case 'text':
        return [mime ?? 'text/plain', { kind: 'text', text: source.requiredString('data') }]
      case 'content':
        return [null, { kind: 'parts', parts: this.content(source) }]
      default:
        throw source.refuse('type', 'base64, url, file, text or content')
    }
  }
}

/** What a model cannot do without: the others are traces of tools that ran at the vendor. */
function isEssential(type: string): boolean {
  return type === 'container_upload' || type === 'compaction'
}

/** Plain text inside a vendor's tool result, or null. */
function textOfResult(block: JsonObject): string | null {
  const content = block.get('content')
  if (typeof content === 'string') return content
  if (!(content instanceof JsonArray)) return null
  const texts = content.values.flatMap(value => {
    const text = value instanceof JsonObject ? value.get('text') : null
    return typeof text === 'string' ? [text] : []
  })
  return texts.length === 0 ? null : texts.join('\n')
}

function citesOn(block: JsonObject): boolean {
  const citations = block.get('citations')
  return citations instanceof JsonObject && citations.boolean('enabled') === true
}

function citationsOf(block: JsonObject): Citation[] {
  const citations = block.get('citations')
  if (!(citations instanceof JsonArray)) return []
  return citations.objects().map(citation => ({ ...readCitation(citation), json: citation.json }))
}

const CITATION_KINDS: Readonly<Record<string, readonly [Citation['kind'], string]>> = wordTable({
  char_location: ['char', 'char'],
  page_location: ['page', 'page'],
  content_block_location: ['block', 'block'],
  web_search_result_location: ['url', ''],
  search_result_location: ['url', ''],
})

/** A citation with the range it has in its document. */
export function readCitation(citation: JsonObject): Citation {
  const text = (name: string): string | null => {
    const value = citation.get(name)
    return typeof value === 'string' ? value : null
  }
  const count = (name: string): number | null => {
    const value = citation.get(name)
    return typeof value === 'number' ? value : null
  }
  const [kind, unit] = CITATION_KINDS[text('type') ?? ''] ?? ['file', '']
  const suffix = unit === 'page' ? '_page_number' : `_${unit}_index`
  return {
    kind,
    url: text('url') ?? (kind === 'url' ? text('source') : null),
    title: text('title') ?? text('document_title'),
    quote: text('cited_text'),
    start: unit === '' ? null : count(`start${suffix}`),
    end: unit === '' ? null : count(`end${suffix}`),
    documentIndex: count('document_index'),
    dialect: 'anthropic-messages',
    json: citation.json,
  }
}

export function cacheMarkOf(owner: JsonObject): CacheMark | null {
  const mark = owner.object('cache_control')
  if (mark === null) return null
  return mark.string('ttl') === '1h' ? 'long' : 'short'
}

function toolOf(tool: JsonObject): Tool {
  const type = tool.string('type') ?? 'custom'
  const own = type === 'custom'
  return {
    kind: own ? 'function' : 'hosted',
    name: own ? tool.requiredString('name') : (tool.string('name') ?? type),
    namespace: null,
    description: tool.string('description'),
    schema: own ? (tool.object('input_schema')?.json ?? null) : null,
    schemaForm: 'json-schema',
    strict: tool.boolean('strict'),
    grammar: null,
    hosted: own ? null : { dialect: 'anthropic-messages', type, json: tool.json },
    cache: cacheMarkOf(tool),
    at: tool.pointer,
    extra: own ? tool.extras(TOOL_MEMBERS) : [],
  }
}

function readToolChoice(body: JsonObject, prompt: Prompt): void {
  const choice = body.object('tool_choice')
  if (choice === null) return
  const off = choice.boolean('disable_parallel_tool_use')
  if (off !== null) prompt.parallelCalls = !off
  prompt.toolChoice = toolChoiceOf(choice)
}

function toolChoiceOf(choice: JsonObject): ToolChoice {
  switch (choice.requiredString('type')) {
    case 'auto':
      return { mode: 'auto', names: [], forced: false }
    case 'any':
      return { mode: 'any', names: [], forced: true }
    case 'none':
      return { mode: 'none', names: [], forced: false }
    case 'tool':
      return { mode: 'one', names: [choice.requiredString('name')], forced: true }
    default:
      throw choice.refuse('type', 'auto, any, tool or none')
  }
}

function readOutput(body: JsonObject, prompt: Prompt): void {
  prompt.outputTokensMax = body.count('max_tokens', 0)
  if (prompt.outputTokensMax === null) throw body.refuse('max_tokens', 'an integer')
  prompt.stop = body.array('stop_sequences')?.strings() ?? []
  prompt.temperature = body.number('temperature')
  prompt.topP = body.number('top_p')
  prompt.topK = body.number('top_k')
  const config = body.object('output_config')
  prompt.format = formatOf(config?.object('format') ?? body.object('output_format'))
  prompt.reasoning = reasoningOf(body.object('thinking'), config)
}

function formatOf(format: JsonObject | null): OutputFormat | null {
  if (format === null) return null
  if (format.requiredString('type') !== 'json_schema') throw format.refuse('type', 'json_schema')
  return {
    kind: 'schema',
    name: null,
    description: null,
    schema: format.requiredObject('schema').json,
    schemaForm: 'json-schema',
    strict: null,
  }
}

function reasoningOf(thinking: JsonObject | null, config: JsonObject | null): ReasoningWish | null {
  const word = config?.string('effort') ?? null
  const effort = effortOf(word)
  if (word !== null && effort === null) throw config!.refuse('effort', 'low, medium, high, xhigh or max')
  if (thinking === null) {
    return effort === null ? null : { mode: 'effort', effort, budgetTokens: null, show: null }
  }
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

function readCaller(body: JsonObject, prompt: Prompt): void {
  prompt.cacheAuto = cacheMarkOf(body)
  prompt.userId = body.object('metadata')?.string('user_id') ?? null
  const tier = body.string('service_tier')
  if (tier !== null) prompt.tier = tier === 'standard_only' ? 'standard' : 'auto'
}

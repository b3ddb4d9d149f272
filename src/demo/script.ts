// What the demo model says. Deterministic: the same request gives the same reply. It echoes, calls a tool when
// asked for one, and answers a tool's result in words.

import { pieces } from './pieces.ts'

/** A request as far as the demo reads it, whatever dialect it came in. */
export interface DemoRequest {
  readonly model: string
  readonly stream: boolean
  /** Every text the model reads: system, messages, tool results. */
  readonly texts: readonly string[]
  /** The last thing the user said, or null when the last message is a tool's result. */
  readonly lastUserText: string | null
  /** The last tool result, when that is what the last message is. */
  readonly lastToolResult: string | null
  readonly tools: readonly DemoTool[]
  /** `none`, `auto`, `any`, or the name of the tool that must be called. */
  readonly toolChoice: string
  readonly outputTokensMax: number | null
}

export interface DemoTool {
  readonly name: string
  readonly schema: unknown
}

export interface DemoReply {
  readonly id: string
  readonly pieces: readonly string[]
  readonly call: { readonly id: string; readonly name: string; readonly input: string } | null
  /** The output limit cut the text. */
  readonly cut: boolean
  readonly inputTokens: number
  readonly outputTokens: number
}

export function demoReply(request: DemoRequest): DemoReply {
  const tool = toolToCall(request)
  const said = tool === null ? pieces(text(request)) : []
  const limit = request.outputTokensMax ?? said.length
  const kept = said.slice(0, limit)
  const input = tool === null ? '' : JSON.stringify(sample(tool.schema, 0))
  const inputTokens = request.texts.reduce((sum, one) => sum + pieces(one).length, 0)
  const seed = hash(request.texts.join('\u0000') + request.model)
  return {
    id: seed,
    pieces: kept,
    call: tool === null ? null : { id: `demo_${seed}`, name: tool.name, input },
    cut: kept.length < said.length,
    inputTokens,
    outputTokens: kept.length + pieces(input).length,
  }
}

function text(request: DemoRequest): string {
  if (request.lastToolResult !== null) return `The tool answered: ${request.lastToolResult}`
  const said = request.lastUserText ?? ''
  return (
    `You said: ${said === '' ? '(nothing)' : said}\n\n` +
    'This is the demo model of Sluice. It repeats what it hears, so that you can see a request go through. ' +
    'Set OPENAI_API_KEY, ANTHROPIC_API_KEY or another provider key and start again to talk to a real model.'
  )
}

/** A tool is called when the request demands one, or when the user's text names one. */
function toolToCall(request: DemoRequest): DemoTool | null {
  if (request.tools.length === 0 || request.toolChoice === 'none') return null
  if (request.toolChoice !== 'auto' && request.toolChoice !== 'any') {
    return request.tools.find(tool => tool.name === request.toolChoice) ?? null
  }
  if (request.lastUserText === null) return null
  const said = request.lastUserText.toLowerCase()
  const named = request.tools.find(tool => {
    const name = tool.name.toLowerCase()
    return said.includes(name) || said.includes(name.replace(/[_-]+/g, ' '))
  })
  if (named !== undefined) return named
  const asked = request.toolChoice === 'any' || /\b(?:tool|function)\b/.test(said)
  return asked ? request.tools[0]! : null
}

/** Schemas nest; a sample of one does not have to go further than this. */
const SCHEMA_DEPTH_MAX = 8

/** A value that fits a JSON Schema well enough to be parsed by the tool's owner. */
function sample(schema: unknown, depth: number): unknown {
  if (typeof schema !== 'object' || schema === null || depth > SCHEMA_DEPTH_MAX) return {}
  const node = schema as Record<string, unknown>
  if ('const' in node) return node['const']
  if ('default' in node) return node['default']
  if (Array.isArray(node['enum']) && node['enum'].length > 0) return node['enum'][0]
  const variants = node['anyOf'] ?? node['oneOf']
  if (Array.isArray(variants) && variants.length > 0) return sample(variants[0], depth + 1)
  const type = Array.isArray(node['type']) ? node['type'][0] : node['type']
  switch (type) {
    case 'string':
      return 'demo'
    case 'integer':
    case 'number':
      return typeof node['minimum'] === 'number' ? node['minimum'] : 1
    case 'boolean':
      return true
    case 'null':
      return null
    case 'array':
      return [sample(node['items'] ?? { type: 'string' }, depth + 1)]
    default:
      return sampleObject(node, depth)
  }
}

function sampleObject(node: Record<string, unknown>, depth: number): Record<string, unknown> {
  const properties = (node['properties'] ?? {}) as Record<string, unknown>
  const required = Array.isArray(node['required']) ? (node['required'] as unknown[]) : Object.keys(properties)
  const made: Record<string, unknown> = {}
  for (const name of required) {
    if (typeof name === 'string' && Object.hasOwn(properties, name))
      made[name] = sample(properties[name], depth + 1)
  }
  return made
}

/** FNV-1a over UTF-16 units: an id that is the same for the same request. */
function hash(text: string): string {
  let low = 0x811c9dc5
  let high = 0x01000193
  for (let at = 0; at < text.length; at += 1) {
    low = Math.imul(low ^ text.charCodeAt(at), 0x01000193)
    high = Math.imul(high ^ text.charCodeAt(at), 0x85ebca6b)
  }
  return (low >>> 0).toString(16).padStart(8, '0') + (high >>> 0).toString(16).padStart(8, '0')
}

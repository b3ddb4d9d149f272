// Tools and the choice among them, as a Responses body names them. Members of a namespace become tools of their
// own; tools that run at the vendor are kept as they were written.

import { JsonObject } from '../bytes/json-tree.ts'
import type { Prompt, Tool } from '../prompt.ts'
import { TOOL_MEMBERS } from './wire.ts'

export function readTools(body: JsonObject, prompt: Prompt): void {
  for (const tool of body.array('tools')?.objects() ?? []) readTool(tool, prompt)
  readChoice(body, prompt)
  prompt.parallelCalls = body.boolean('parallel_tool_calls')
}

function readTool(tool: JsonObject, prompt: Prompt): void {
  const type = tool.string('type') ?? 'function'
  switch (type) {
    case 'function':
      prompt.tools.push(functionTool(tool, null))
      return
    case 'custom':
      prompt.tools.push(customTool(tool, null))
      return
    case 'namespace':
      readNamespace(tool, prompt)
      return
    default: {
      // Several servers share the type `mcp`; their label tells them apart.
      const name = type === 'mcp' ? tool.requiredString('server_label') : type
      const hosted = { dialect: 'openai-responses' as const, type, json: tool.json }
      prompt.tools.push({ ...bareTool('hosted', name, tool), hosted })
    }
  }
}

function readNamespace(tool: JsonObject, prompt: Prompt): void {
  const namespace = tool.requiredString('name')
  for (const member of tool.requiredArray('tools').objects()) {
    const type = member.string('type') ?? 'function'
    if (type === 'function') prompt.tools.push(functionTool(member, namespace))
    else if (type === 'custom') prompt.tools.push(customTool(member, namespace))
    else throw member.refuse('type', 'function or custom')
  }
  const description = tool.jsonOf('description')
  if (description !== null) {
    const name = tool.pointerOf('description').slice(1)
    prompt.vendorWishes.push({ name, json: description, essential: false })
  }
}

function bareTool(kind: Tool['kind'], name: string, tool: JsonObject): Tool {
  return {
    kind,
    name,
    namespace: null,
    description: null,
    schema: null,
    schemaForm: 'json-schema',
    strict: null,
    grammar: null,
    hosted: null,
    cache: null,
    at: tool.pointer,
    extra: [],
  }
}

function functionTool(tool: JsonObject, namespace: string | null): Tool {
  const schema = tool.get('parameters')
  if (schema !== undefined && schema !== null && !(schema instanceof JsonObject)) {
    throw tool.refuse('parameters', 'a JSON Schema object')
  }
  return {
    ...bareTool('function', tool.requiredString('name'), tool),
    namespace,
    description: tool.string('description'),
    schema: tool.jsonOf('parameters'),
    strict: tool.boolean('strict'),
    extra: tool.extras(TOOL_MEMBERS),
  }
}

function customTool(tool: JsonObject, namespace: string | null): Tool {
  const format = tool.object('format')
  const grammar =
    format?.string('type') === 'grammar'
      ? { syntax: format.requiredString('syntax'), definition: format.requiredString('definition') }
      : null
  return {
    ...bareTool('custom', tool.requiredString('name'), tool),
    namespace,
    description: tool.string('description'),
    grammar,
    extra: tool.extras(TOOL_MEMBERS),
  }
}

function readChoice(body: JsonObject, prompt: Prompt): void {
  const choice = body.get('tool_choice')
  if (choice === undefined || choice === null) return
  if (choice === 'auto' || choice === 'none') prompt.toolChoice = { mode: choice, names: [], forced: false }
  else if (choice === 'required') prompt.toolChoice = { mode: 'any', names: [], forced: true }
  else if (choice instanceof JsonObject) readChoiceObject(choice, prompt)
  else throw body.refuse('tool_choice', 'none, auto, required or an object')
}

function readChoiceObject(choice: JsonObject, prompt: Prompt): void {
  const type = choice.requiredString('type')
  if (type === 'function' || type === 'custom') {
    prompt.toolChoice = { mode: 'one', names: [choice.requiredString('name')], forced: true }
    return
  }
  if (type === 'allowed_tools') {
    const mode = choice.requiredString('mode')
    if (mode !== 'auto' && mode !== 'required') throw choice.refuse('mode', 'auto or required')
    const tools = choice.requiredArray('tools').objects()
    const named = tools.filter(tool => isNamed(tool.requiredString('type')))
    const names = named.map(tool => tool.requiredString('name'))
    prompt.toolChoice = { mode: 'subset', names, forced: mode === 'required' }
    if (named.length === tools.length) return
  }
  // A tool that runs at the vendor is chosen: others are told what can be said, this dialect all of it.
  prompt.vendorWishes.push({ name: 'tool_choice', json: choice.json, essential: false })
}

function isNamed(type: string): boolean {
  return type === 'function' || type === 'custom'
}

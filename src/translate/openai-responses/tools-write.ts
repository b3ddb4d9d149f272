// Tools and the choice among them, as Responses hosts name them. Owns which tools of other vendors exist here.

import type { JsonOut } from '../bytes/json-out.ts'
import type { Prompt, Tool } from '../prompt.ts'
import type { PromptWriting } from '../prompt-writing.ts'
import { CUSTOM_INPUT_SCHEMA, objectSchema } from '../schema.ts'

const STRICT_EMPTY_SCHEMA = '{"type":"object","properties":{},"required":[],"additionalProperties":false}'

export function writeTools(out: JsonOut, prompt: Prompt, writing: PromptWriting): void {
  const tools = prompt.tools.filter(tool => isWritable(tool, writing))
  if (tools.length > 0) {
    out.key('tools').array()
    const writer = new ToolWriter(out, prompt, writing)
    for (const tool of tools) writer.write(tool)
    writer.end()
    out.endArray()
  }
  const own = prompt.dialect === 'openai-responses'
  const raw = own ? prompt.vendorWishes.find(wish => wish.name === 'tool_choice') : undefined
  if (raw !== undefined) out.memberRaw('tool_choice', raw.json)
  else if (tools.length > 0 || own) writeToolChoice(out, prompt, writing, tools)
  if (prompt.parallelCalls === null || (tools.length === 0 && !own)) return
  if (own || writing.target.facts.parallelSwitch) out.member('parallel_tool_calls', prompt.parallelCalls)
  else if (!prompt.parallelCalls) writing.loseWish('drop', 'parallelCalls', 'no_switch')
}

function isSearch(tool: Tool): boolean {
  return /^(?:web_search|google_?search)/i.test(tool.hosted?.type ?? '')
}

/** Tools that run at another vendor cannot be offered here. */
function isWritable(tool: Tool, writing: PromptWriting): boolean {
  if (tool.hosted === null || tool.hosted.dialect === 'openai-responses') return true
  if (isSearch(tool) && writing.target.facts.webSearch !== null) {
    writing.lose('map', tool.at, 'web_search_settings')
    return true
  }
  writing.lose('drop', tool.at, 'hosted_tool')
  return false
}

/** Writes tools in order; neighbours of one namespace stand in it together. */
class ToolWriter {
  private readonly out: JsonOut
  private readonly prompt: Prompt
  private readonly writing: PromptWriting
  private readonly own: boolean
  private namespace: string | null = null

  constructor(out: JsonOut, prompt: Prompt, writing: PromptWriting) {
    this.out = out
    this.prompt = prompt
    this.writing = writing
    this.own = prompt.dialect === 'openai-responses'
  }

  write(tool: Tool): void {
    const namespace = this.own ? tool.namespace : null
    if (namespace !== this.namespace) {
      this.end()
      if (namespace !== null) this.begin(namespace, tool)
    }
    if (tool.hosted !== null) {
      const own = tool.hosted.dialect === 'openai-responses'
      this.out.raw(own ? tool.hosted.json : `{"type":${JSON.stringify(this.writing.target.facts.webSearch)}}`)
    } else if (tool.kind === 'custom' && (this.own || this.writing.target.facts.customTools))
      this.custom(tool)
    else this.function(tool)
  }

  /** Closes the namespace that is open, if one is. */
  end(): void {
    if (this.namespace !== null) this.out.endArray().endObject()
    this.namespace = null
  }

  private begin(namespace: string, first: Tool): void {
    this.namespace = namespace
    this.out.object().member('type', 'namespace').member('name', namespace)
    const place = first.at.replace(/\/tools\/\d+$/, '/description').slice(1)
    const described = this.prompt.vendorWishes.find(wish => wish.name === place)
    this.out
      .memberRawIf('description', described?.json ?? null)
      .key('tools')
      .array()
  }

  private nameOf(tool: Tool): string {
    return this.own ? tool.name : this.writing.names.toTarget(tool.name, tool.namespace)
  }

  private custom(tool: Tool): void {
    const { out } = this
    out.object().member('type', 'custom').member('name', this.nameOf(tool))
    out.memberIf('description', tool.description)
    if (tool.grammar !== null) {
      out.key('format').object().member('type', 'grammar').member('syntax', tool.grammar.syntax)
      out.member('definition', tool.grammar.definition).endObject()
    }
    this.close(tool)
  }

  private function(tool: Tool): void {
    const { out } = this
    const custom = tool.kind === 'custom'
    out.object().member('type', 'function').member('name', this.nameOf(tool))
    out.memberIf('description', this.writing.descriptionOf(tool))
    if (this.own) out.memberRawIf('parameters', tool.schema).memberIf('strict', tool.strict)
    else {
      let strict = tool.strict ?? false
      if (strict && !this.writing.target.facts.strictTools) {
        this.writing.lose('drop', tool.at, 'strict')
        strict = false
      }
      const schema = tool.schema === null && strict ? STRICT_EMPTY_SCHEMA : objectSchema(tool.schema)
      // Said outright: a host that is told nothing tries the schema as a strict one.
      out.memberRaw('parameters', custom ? CUSTOM_INPUT_SCHEMA : schema).member('strict', strict)
    }
    this.close(tool)
  }

  private close(tool: Tool): void {
    this.writing.extras(this.out, tool)
    this.out.endObject()
  }
}

function writeToolChoice(out: JsonOut, prompt: Prompt, writing: PromptWriting, tools: readonly Tool[]): void {
  const choice = prompt.toolChoice
  if (choice === null) return
  const own = prompt.dialect === 'openai-responses'
  /** A choice as this dialect spells it; null for a tool that was left out. */
  const named = (name: string): string | null => {
    const tool = tools.find(candidate => candidate.name === name)
    if (tool?.hosted != null) return hostedChoice(tool, writing)
    if (tool === undefined && prompt.tools.some(candidate => candidate.name === name)) return null
    const custom = tool?.kind === 'custom' && (own || writing.target.facts.customTools)
    const shown = own ? name : writing.names.toTarget(name, tool?.namespace ?? null)
    return `{"type":"${custom ? 'custom' : 'function'}","name":${JSON.stringify(shown)}}`
  }
  switch (choice.mode) {
    case 'auto':
    case 'none':
      out.member('tool_choice', choice.mode)
      return
    case 'any':
      out.member('tool_choice', 'required')
      return
    case 'one': {
      const one = named(choice.names[0] ?? '')
      if (one === null) writing.loseWish('drop', 'toolChoice', 'hosted_tool')
      out.memberRawIf('tool_choice', one)
      return
    }
    case 'subset': {
      const some = choice.names.map(named)
      if (some.includes(null)) writing.loseWish('drop', 'toolChoice', 'hosted_tool')
      out.key('tool_choice').object().member('type', 'allowed_tools')
      out
        .member('mode', choice.forced ? 'required' : 'auto')
        .key('tools')
        .array()
      for (const one of some) if (one !== null) out.raw(one)
      out.endArray().endObject()
    }
  }
}

function hostedChoice(tool: Tool, writing: PromptWriting): string {
  if (tool.hosted?.dialect !== 'openai-responses') {
    return `{"type":${JSON.stringify(writing.target.facts.webSearch)}}`
  }
  const label = tool.hosted.type === 'mcp' ? `,"server_label":${JSON.stringify(tool.name)}` : ''
  return `{"type":${JSON.stringify(tool.hosted.type)}${label}}`
}

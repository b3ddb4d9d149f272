// What the writer and the reader of a reply must know about its request. Made by writing the prompt; the engine
// adds the time and a seed, because this folder has neither clock nor randomness.

import { hashHex } from './bytes/hash.ts'
import type { DialectId } from './dialect.ts'
import { NATIVE_FAMILY } from './opaque.ts'
import type { Extra, Prompt } from './prompt.ts'
import type { PromptWriting } from './prompt-writing.ts'
import { type NamePair, NAME_RULES, ToolNames } from './tool-names.ts'

/** A context as plain data, to cross to another thread. */
export type ReplyContextData = Omit<ReplyContext, 'names' | 'customTools' | 'freshId' | 'toData'> & {
  readonly names: readonly NamePair[]
  readonly customTools: readonly string[]
}

export class ReplyContext {
  readonly client: DialectId
  readonly upstream: DialectId
  /** Model name shown to the client; '' shows what the upstream says. */
  modelShown: string
  /** The client wants usage in a stream. Dialects that always tell it ignore this. */
  wantUsage: boolean
  /** Chat clients that take `reasoning_details`. */
  wantReasoningDetails: boolean
  /** Responses clients that asked for `reasoning.encrypted_content`. */
  wantEncryptedReasoning: boolean
  names: ToolNames
  /** Client's names of the tools it declared as custom: their calls go back as custom calls. */
  customTools: ReadonlySet<string>
  /** Upstream's name of the tool that stands in for structured output, or null. */
  jsonTool: string | null
  /** Family of the upstream's opaque reasoning material. */
  family: string
  /** Request members a Responses reply repeats. */
  echo: readonly Extra[]
  /** Gemini clients: a stream is server-sent events, or the elements of one JSON array. */
  streamForm: 'sse' | 'array'
  /** Texts of an upstream's broken reply may be shown to the client. */
  showUpstreamText: boolean
  /** Seconds since 1970, for replies whose upstream does not say when. */
  nowS: number
  /** Different for every exchange; ids the upstream did not give are derived from it. */
  idSeed: string

  constructor(client: DialectId, upstream: DialectId) {
    this.client = client
    this.upstream = upstream
    this.modelShown = ''
    this.wantUsage = true
    this.wantReasoningDetails = false
    this.wantEncryptedReasoning = false
    this.names = new ToolNames(NAME_RULES[upstream])
    this.customTools = new Set()
    this.jsonTool = null
    this.family = NATIVE_FAMILY[upstream]
    this.echo = []
    this.streamForm = 'sse'
    this.showUpstreamText = false
    this.nowS = 0
    this.idSeed = ''
  }

  /** Every member; those that are no plain data as what they can be made of again. */
  toData(): ReplyContextData {
    return { ...this, names: this.names.toData(), customTools: [...this.customTools] }
  }

  static fromData(data: ReplyContextData): ReplyContext {
    return Object.assign(new ReplyContext(data.client, data.upstream), data, {
      names: ToolNames.fromData(NAME_RULES[data.upstream], data.names),
      customTools: new Set(data.customTools),
    })
  }

  /** An id the upstream did not give: the same for the same exchange and purpose. */
  freshId(prefix: string, purpose: string): string {
    return prefix + hashHex(`${this.idSeed}/${purpose}`, 24)
  }
}

export function replyContext(prompt: Prompt, writing: PromptWriting): ReplyContext {
  const context = new ReplyContext(prompt.dialect, writing.upstream)
  context.modelShown = prompt.model
  context.wantUsage = prompt.wantUsage
  context.wantReasoningDetails = prompt.wantReasoningDetails
  context.wantEncryptedReasoning = prompt.wantEncryptedReasoning
  context.names = writing.names
  context.customTools = new Set(prompt.tools.filter(tool => tool.kind === 'custom').map(tool => tool.name))
  context.jsonTool = writing.jsonTool
  context.family = writing.target.family
  context.echo = prompt.echo
  return context
}

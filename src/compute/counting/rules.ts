// What the parts of a prompt cost together, by what vendors publish about the frame around the text. Owns every
// such figure. OpenAI's are those of its cookbook, "How to count tokens with tiktoken"; no other vendor publishes
// its tokenizer, so everything counted for their models is an estimate.

import type { ModelEncoding } from '../encodings.ts'
import type { Tokenizer, Work } from '../tokenizer.ts'
import {
  type CountedImage,
  type CountedMessage,
  type CountedPrompt,
  type CountedTool,
  jsonText,
  type Members,
  membersOf,
} from './counted.ts'
import { claudeImageTokens, geminiImageTokens, imageSize, openaiImageTokens } from './images.ts'

/** Around every message, the same again before the reply, and one for a name. */
const MESSAGE_TOKENS = 3
const REPLY_TOKENS = 3
const NAME_TOKENS = 1

/** Around a function: `gpt-4o` and later, and the models of `cl100k_base` before it. */
const FUNCTION_TOKENS = 7
const FUNCTION_TOKENS_CL100K = 10
/** After the last function, once for all. */
const FUNCTIONS_END_TOKENS = 12
const PROPERTIES_TOKENS = 3
const PROPERTY_TOKENS = 3
/** The cookbook's figure: a list of values saves what its first value then costs. */
const ENUM_TOKENS = -3
const ENUM_VALUE_TOKENS = 3

/** Not published; the size of the frame around a message. */
const CALL_TOKENS = 3

/** Claude's instructions for tools, from Anthropic's page on tool use: when it may and when it must call one. */
const CLAUDE_TOOLS_TOKENS = 346
const CLAUDE_FORCED_TOOLS_TOKENS = 313

/** An image whose size the body does not tell is taken for a square of 1,024: this is its price in `gpt-4o`. */
const IMAGE_TOKENS_GUESS = 765
/** Sound, video and documents by value: between a compressed sound (a token in 500 bytes) and a text PDF (in 30). */
const MEDIA_BYTES_PER_TOKEN = 100
/** The same by reference: two pages, or a minute of sound. */
const MEDIA_REFERENCE_TOKENS = 1_500

/** Schemas nest; deeper than this they are counted as JSON text. */
const SCHEMA_DEPTH_MAX = 16

export interface Subject {
  /** Bare and lower case. */
  readonly model: string
  readonly encoding: ModelEncoding
  readonly tokenizer: Tokenizer
  readonly work: Work
}

export interface Tally {
  readonly tokens: number
  readonly estimated: boolean
}

export function tally(prompt: CountedPrompt, subject: Subject): Tally {
  const counting = new Counting(subject, prompt.odd)
  for (const message of prompt.messages) counting.message(message)
  if (prompt.messages.length > 0) counting.tokens += REPLY_TOKENS
  for (const text of prompt.loose) counting.text(text)
  counting.tools(prompt)
  counting.tokens += Math.ceil(prompt.mediaBytes / MEDIA_BYTES_PER_TOKEN)
  counting.tokens += prompt.mediaReferences * MEDIA_REFERENCE_TOKENS
  return { tokens: counting.tokens, estimated: counting.estimated || subject.work.cut }
}

class Counting {
  tokens: number
  estimated: boolean
  private readonly subject: Subject

  constructor(subject: Subject, odd: boolean) {
    this.subject = subject
    this.tokens = 0
    this.estimated = odd || !subject.encoding.known
  }

  text(text: string): void {
    if (text !== '') this.tokens += this.subject.tokenizer.count(text, this.subject.work)
  }

  message(message: CountedMessage): void {
    this.tokens += MESSAGE_TOKENS
    this.text(message.role)
    if (message.name !== null) {
      this.tokens += NAME_TOKENS
      this.text(message.name)
    }
    for (const text of message.texts) this.text(text)
    for (const call of message.calls) {
      this.estimated = true
      this.tokens += CALL_TOKENS
      this.text(call.name)
      this.text(call.input)
    }
    for (const image of message.images) this.image(image)
  }

  private image(image: CountedImage): void {
    const { model, encoding } = this.subject
    let tokens: number | null
    if (encoding.known) tokens = openaiImageTokens(model, image.base64, image.detail)
    else {
      const size = image.base64 === null ? null : imageSize(image.base64)
      const price = model.includes('gemini') ? geminiImageTokens : claudeImageTokens
      tokens = size === null ? null : price(size)
    }
    if (tokens === null) this.estimated = true
    this.tokens += tokens ?? IMAGE_TOKENS_GUESS
  }

  tools(prompt: CountedPrompt): void {
    if (prompt.tools.length === 0) return
    const { model, encoding } = this.subject
    if (encoding.known) {
      for (const tool of prompt.tools) this.openaiTool(tool)
      this.tokens += FUNCTIONS_END_TOKENS
      return
    }
    if (model.includes('claude')) {
      this.tokens += prompt.toolForced ? CLAUDE_FORCED_TOOLS_TOKENS : CLAUDE_TOOLS_TOKENS
    }
    for (const tool of prompt.tools) {
      this.text(tool.name)
      this.text(tool.description)
      this.text(jsonText(tool.schema))
    }
  }

  private openaiTool(tool: CountedTool): void {
    const old = this.subject.encoding.encoding === 'cl100k_base'
    this.tokens += old ? FUNCTION_TOKENS_CL100K : FUNCTION_TOKENS
    this.text(`${tool.name}:${withoutFullStop(tool.description)}`)
    const schema = membersOf(tool.schema)
    if (schema === null) this.beyondCookbook(tool.schema)
    else this.properties(schema, 0)
  }

  private properties(schema: Members, depth: number): void {
    const properties = membersOf(schema['properties'])
    const names = properties === null ? [] : Object.keys(properties)
    if (names.length > 0) this.tokens += PROPERTIES_TOKENS
    for (const name of names) {
      const property = membersOf(properties![name])
      if (property === null || depth >= SCHEMA_DEPTH_MAX) this.beyondCookbook({ [name]: properties![name] })
      else this.property(name, property, depth)
    }
    for (const keyword of Object.keys(schema)) {
      if (!OBJECT_KEYWORDS.has(keyword)) this.beyondCookbook({ [keyword]: schema[keyword] })
    }
  }

  private property(name: string, property: Members, depth: number): void {
    const { type, description, enum: values, properties, items } = property
    if (typeof type !== 'string' || typeof description !== 'string') this.estimated = true
    this.tokens += PROPERTY_TOKENS
    if (Array.isArray(values)) {
      this.tokens += ENUM_TOKENS
      for (const value of values) {
        this.tokens += ENUM_VALUE_TOKENS
        this.text(typeof value === 'string' ? value : jsonText(value))
      }
    }
    const kind = typeof type === 'string' ? type : jsonText(type)
    this.text(`${name}:${kind}:${typeof description === 'string' ? withoutFullStop(description) : ''}`)
    // What the cookbook's example has not is counted by the same figures, as an estimate.
    if (membersOf(properties) !== null) {
      this.estimated = true
      this.properties({ properties }, depth + 1)
    }
    if (membersOf(items) !== null) {
      this.estimated = true
      this.properties({ properties: { items } }, depth + 1)
    }
    for (const keyword of Object.keys(property)) {
      if (!PROPERTY_KEYWORDS.has(keyword)) this.beyondCookbook({ [keyword]: property[keyword] })
    }
  }

  private beyondCookbook(json: unknown): void {
    if (json === undefined || json === null) return
    this.estimated = true
    this.text(jsonText(json))
  }
}

/** Keywords that cost nothing in the cookbook's example, or whose cost is counted above. */
const OBJECT_KEYWORDS = new Set([
  'type',
  'properties',
  'required',
  'additionalProperties',
  '$schema',
  'title',
])
const PROPERTY_KEYWORDS = new Set([...OBJECT_KEYWORDS, 'description', 'enum', 'items'])

function withoutFullStop(text: string): string {
  return text.endsWith('.') ? text.slice(0, -1) : text
}

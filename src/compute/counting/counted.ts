// What a prompt says to the model, without its protocol: the texts, tools and media that cost tokens. Owns the
// form, and the tolerant look into parsed JSON that the readers of this folder share. Nothing here throws: what has
// the wrong kind is searched for text, and the count becomes an estimate.

export type Members = { readonly [name: string]: unknown }

/** An image by what its price depends on; null where the body does not tell. */
export interface CountedImage {
  /** Bytes as base64, at least their beginning, or null when the image is given by address. */
  readonly base64: string | null
  /** OpenAI's `detail`, or ''. */
  readonly detail: string
}

export interface CountedCall {
  readonly name: string
  readonly input: string
}

export class CountedMessage {
  readonly role: string
  name: string | null
  readonly texts: string[]
  readonly images: CountedImage[]
  readonly calls: CountedCall[]

  constructor(role: string) {
    this.role = role
    this.name = null
    this.texts = []
    this.images = []
    this.calls = []
  }
}

export interface CountedTool {
  readonly name: string
  readonly description: string
  /** JSON Schema of its input, as parsed. */
  readonly schema: unknown
}

export class CountedPrompt {
  readonly messages: CountedMessage[]
  readonly tools: CountedTool[]
  /** Tools are to be called: some vendors' instructions for that are of another length. */
  toolForced: boolean
  /** Texts that belong to no message. */
  readonly loose: string[]
  /** Bytes of documents, sound and video given by value. */
  mediaBytes: number
  /** The same given by address or by the id of an upload. */
  mediaReferences: number
  /** Something had the wrong kind, or is known to be counted by the vendor in a way that is not published. */
  odd: boolean

  constructor() {
    this.messages = []
    this.tools = []
    this.toolForced = false
    this.loose = []
    this.mediaBytes = 0
    this.mediaReferences = 0
    this.odd = false
  }

  message(role: unknown): CountedMessage {
    const message = new CountedMessage(typeof role === 'string' ? role : 'user')
    this.messages.push(message)
    return message
  }

  /** A document, sound or video: by value when there are bytes, else by reference. */
  media(base64: unknown): void {
    this.odd = true
    if (typeof base64 === 'string') this.mediaBytes += Math.floor((base64.length * 3) / 4)
    else this.mediaReferences += 1
  }

  /** Text wherever it stands, for what no reader knows. */
  oddity(value: unknown, into: string[]): void {
    if (value === undefined || value === null) return
    this.odd = true
    collectText(value, into)
  }
}

export function membersOf(value: unknown): Members | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The elements of a list; a single value counts as a list of one, nothing as none. */
export function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return value === undefined || value === null ? [] : [value]
}

/** The first member that is there: Gemini takes every name in two spellings. */
export function either(members: Members, camel: string, snake: string): unknown {
  return members[camel] ?? members[snake]
}

/** Members whose strings are bytes in base64, addresses or ciphers: no model reads them as text. */
const NOT_TEXT = new Set([
  'data',
  'bytes',
  'url',
  'uri',
  'image_url',
  'file_url',
  'file_data',
  'fileUri',
  'signature',
  'thoughtSignature',
  'encrypted_content',
  'redactedContent',
  'id',
  'call_id',
  'tool_call_id',
  'tool_use_id',
  'toolUseId',
  'type',
  'cache_control',
])

/** All strings within a value, in order, without recursion: bodies nest as deep as their bytes allow. */
export function collectText(value: unknown, into: string[]): void {
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next === 'string') into.push(next)
    else if (Array.isArray(next)) {
      for (let at = next.length - 1; at >= 0; at--) open.push(next[at])
    } else if (typeof next === 'object' && next !== null) {
      const names = Object.keys(next)
      for (let at = names.length - 1; at >= 0; at--) {
        const name = names[at]!
        if (!NOT_TEXT.has(name)) open.push((next as Members)[name])
      }
    }
  }
}

/** A value as the JSON text a model is shown; what is nested too deep for the host's printer gives its strings. */
export function jsonText(value: unknown): string {
  if (value === undefined) return ''
  try {
    return JSON.stringify(value)
  } catch {
    const texts: string[] = []
    collectText(value, texts)
    return texts.join(' ')
  }
}

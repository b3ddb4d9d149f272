// From the replies of the calls to the one that OpenAI's client reads. Owns the order of vectors and their encoding. A
// reply that has not exactly one vector of numbers per text fails: a wrong vector is worse than none.

import { countOf, listOf, type Members, membersOf } from '../bytes/json-look.ts'
import { ByteOut } from '../bytes/byte-out.ts'
import type { ErrorReply } from '../errors.ts'
import type { ByteSink, ReplyFacts, ReplyPath, ReplyState } from '../reply-path.ts'
import { brokenReply } from '../translate-error.ts'
import type { Usage } from '../usage.ts'
import type { EmbeddingsCalls, EmbeddingsForm } from './calls.ts'
import type { EmbeddingsPrompt } from './prompt.ts'

/** 2,048 vectors of 3,072 numbers, as the longest-winded vendor writes them, are below this. */
const REPLIES_BYTES_MAX = 192 * 1024 * 1024

/** Where a vendor does not count: tokens have about this many characters. */
const CHARS_PER_TOKEN = 4

/** `btoa` takes text, and an argument list must stay short. */
const ENCODE_BYTES = 0x2000

export interface EmbeddingsWish {
  readonly prompt: EmbeddingsPrompt
  readonly calls: EmbeddingsCalls
  /** The model as the caller named it. */
  readonly modelShown: string
  /** Tokens as reply headers told them, or null. */
  readonly tokensTold: number | null
  readonly out: ByteSink
}

/** Takes the reply of the only call, or a JSON list of the replies of all. Answers at its end. */
export function embeddingsReply(wish: EmbeddingsWish): ReplyPath {
  return new EmbeddingsReply(wish)
}

class EmbeddingsFacts implements ReplyFacts {
  state: ReplyState = 'open'
  usage: Usage | null = null
  readonly finish = null
  contentSeen = false
  readonly model = null
  readonly id = null
  error: ErrorReply | null = null

  fail(error: ErrorReply): void {
    if (this.state !== 'open') return
    this.state = 'failed'
    this.error = error
  }
}

class EmbeddingsReply implements ReplyPath {
  readonly facts = new EmbeddingsFacts()
  readonly betweenEvents = false
  private readonly wish: EmbeddingsWish
  private readonly decoder = new TextDecoder()
  private text = ''
  private bytes = 0

  constructor(wish: EmbeddingsWish) {
    this.wish = wish
  }

  write(chunk: Uint8Array): void {
    if (this.facts.state !== 'open') return
    this.bytes += chunk.length
    if (this.bytes > REPLIES_BYTES_MAX) this.break(`it is longer than ${REPLIES_BYTES_MAX} bytes`)
    else this.text += this.decoder.decode(chunk, { stream: true })
  }

  end(): void {
    const { facts, wish } = this
    if (facts.state !== 'open') return
    const { calls, prompt } = wish
    const replies = this.replies(calls.bodies.length)
    const vectors: (readonly number[])[] = []
    let tokens: number | null = 0
    for (const [at, reply] of replies.entries()) {
      const count = Math.min(calls.textsPerCall, prompt.inputs.length - at * calls.textsPerCall)
      const found = vectorsOf(calls.form, reply)
      if (found.length !== count || !found.every(isVector)) {
        this.break(`${found.length} embeddings for ${count} texts, or not of numbers`)
        return
      }
      vectors.push(...found)
      const counted = tokensOf(calls.form, reply)
      tokens = tokens === null || counted === null ? null : tokens + counted
    }
    if (vectors.length !== prompt.inputs.length) {
      this.break('a call has no reply')
      return
    }
    this.answer(vectors, tokens ?? wish.tokensTold)
  }

  cut(error: ErrorReply): void {
    this.facts.fail(error)
  }

  private replies(calls: number): readonly Members[] {
    let value: unknown
    try {
      value = JSON.parse(this.text)
    } catch {
      return []
    }
    this.text = ''
    const list = calls === 1 ? [value] : listOf(value)
    return list.map(membersOf).filter(members => members !== null)
  }

  private answer(vectors: readonly (readonly number[])[], told: number | null): void {
    const { modelShown, out, prompt } = this.wish
    const tokens = told ?? guessTokens(prompt.inputs)
    const written = new ByteOut()
    written.text('{"object":"list","data":[')
    for (const [index, vector] of vectors.entries()) {
      const embedding = prompt.base64 ? `"${base64Of(vector)}"` : JSON.stringify(vector)
      written.text(
        `${index === 0 ? '' : ','}{"object":"embedding","index":${index},"embedding":${embedding}}`,
      )
    }
    const usage = `{"prompt_tokens":${tokens},"total_tokens":${tokens}}`
    written.text(`],"model":${JSON.stringify(modelShown)},"usage":${usage}}`)
    this.facts.contentSeen = true
    this.facts.usage = usageOf(tokens, told === null)
    this.facts.state = 'complete'
    written.flush(out)
  }

  private break(why: string): void {
    this.text = ''
    this.facts.fail(brokenReply(why))
  }
}

function vectorsOf(form: EmbeddingsForm, reply: Members): readonly unknown[] {
  switch (form) {
    case 'gemini':
      return listOf(reply['embeddings']).map(item => membersOf(item)?.['values'])
    case 'vertex':
      return listOf(reply['predictions']).map(item => membersOf(membersOf(item)?.['embeddings'])?.['values'])
    case 'titan':
      return [reply['embedding'] ?? membersOf(reply['embeddingsByType'])?.['float']]
    case 'cohere':
      return listOf(membersOf(reply['embeddings'])?.['float'] ?? reply['embeddings'])
  }
}

/** Null where the reply does not say. */
function tokensOf(form: EmbeddingsForm, reply: Members): number | null {
  switch (form) {
    case 'gemini':
      return countOf(membersOf(reply['usageMetadata'])?.['promptTokenCount'])
    case 'titan':
      return countOf(reply['inputTextTokenCount'])
    case 'cohere':
      return null
    case 'vertex': {
      let tokens: number | null = 0
      for (const item of listOf(reply['predictions'])) {
        const counted = countOf(
          membersOf(membersOf(membersOf(item)?.['embeddings'])?.['statistics'])?.['token_count'],
        )
        tokens = tokens === null || counted === null ? null : tokens + counted
      }
      return tokens
    }
  }
}

function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every(part => Number.isFinite(part))
}

function guessTokens(inputs: readonly string[]): number {
  let tokens = 0
  for (const input of inputs) tokens += Math.ceil(input.length / CHARS_PER_TOKEN)
  return tokens
}

function usageOf(tokens: number, estimated: boolean): Usage {
  return {
    inputTokens: tokens,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    cacheWriteLongTokens: null,
    outputTokens: 0,
    reasoningTokens: null,
    audioInputTokens: null,
    audioOutputTokens: null,
    estimated,
  }
}

/** Little-endian, whatever the machine. */
function base64Of(vector: readonly number[]): string {
  const bytes = new Uint8Array(vector.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [at, part] of vector.entries()) view.setFloat32(at * 4, part, true)
  let binary = ''
  for (let at = 0; at < bytes.length; at += ENCODE_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(at, at + ENCODE_BYTES))
  }
  return btoa(binary)
}

// The names of the wire protocols, and what a folder of one of them must provide. Everything that is keyed by
// protocol is keyed by these names. Pairs are never written: any reader can drive any writer.

import type { ByteOut } from './bytes/byte-out.ts'
import type { PromptWriting } from './prompt-writing.ts'
import type { Prompt } from './prompt.ts'
import type { ReplyContext } from './reply-context.ts'
import type { ReplyReader, TurnSink } from './turn.ts'

export const DIALECTS = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'bedrock-converse',
  'gemini-generate',
] as const

export type DialectId = (typeof DIALECTS)[number]

/**
 * Dialects whose requests name the model, and whether to stream, in the path. Their prompts are read with an empty
 * model until `PathFacts` are set, and their bodies are written with neither.
 */
export const PATH_DIALECTS: ReadonlySet<DialectId> = new Set(['bedrock-converse', 'gemini-generate'])

/** What a request says outside its body: in the path, and in `anthropic-beta`. */
export interface PathFacts {
  readonly model: string
  readonly stream: boolean
  readonly betas?: readonly string[]
}

/**
 * One wire protocol, both ways. Prompt functions throw `TranslateError` for what must be refused; readers of
 * replies never throw, they end the turn with `fail`.
 */
export interface Dialect {
  readonly id: DialectId
  /** The client's body. Knows every member of its protocol; what it does not know goes into `extra`. */
  readPrompt(body: Uint8Array): Prompt
  /** The body for an upstream. Deterministic: the same prompt and target give the same bytes. */
  writePrompt(prompt: Prompt, writing: PromptWriting): Uint8Array
  /** Reads one whole reply body, given in pieces; pushes the turn when `end` is called. */
  replyReader(to: TurnSink, context: ReplyContext): ReplyReader
  /** Writes one whole reply body when the turn ends. Writes the dialect's error body when it fails. */
  replyWriter(out: ByteOut, context: ReplyContext): TurnSink
  /** Reads a streamed reply; pushes what each piece leads to before `write` returns. */
  streamReader(to: TurnSink, context: ReplyContext): ReplyReader
  /** Writes a streamed reply, or the dialect's error form in mid-stream. Owns all numbering. */
  streamWriter(out: ByteOut, context: ReplyContext): TurnSink
}

// What the upstream of the benchmark answers, and what the generator therefore expects. Both processes build the same
// bytes from the same command, so that every reply can be compared without sending a reference along.
// A command stands in the request body (`"user":"bench:stream,52,0!"`), because gateways drop unknown headers.

import { type DialectId, streamOf } from './dialects.ts'

export type Command =
  | { readonly kind: 'chat'; readonly waitMs: number }
  | { readonly kind: 'stream'; readonly frames: number; readonly paceMs: number }
  /** The same as vendors dress it, in whatever dialect the upstream is asked. */
  | { readonly kind: 'dressed'; readonly frames: number; readonly paceMs: number }
  | { readonly kind: 'bulk'; readonly bytes: number }
  /** One frame, then silence until the client leaves. */
  | { readonly kind: 'hold' }

export const COMMAND_OPEN = 'bench:'
export const COMMAND_CLOSE = '!'
/** The head of a stream's last three frames: finish, usage, [DONE]. */
const ENDING_FRAMES = 3
const CHAT_BYTES = 1024
/** Enough for every dialect to have a text frame. */
const HELD_FRAMES = 12
const BULK_FRAME_TEXT_BYTES = 800
export const MODEL = 'gpt-4o-mini'

const WORDS = [
  ' the',
  ' water',
  ' rises',
  ' and',
  ' the',
  ' gate',
  ' opens',
  ' slowly',
  ',',
  ' one',
  ' board',
  ' at',
  ' a',
  ' time',
  '.',
  ' Then',
  ' it',
  ' closes',
  ' again',
] // prettier-ignore

export function commandText(command: Command): string {
  return COMMAND_OPEN + fieldsOf(command).join(',') + COMMAND_CLOSE
}

function fieldsOf(command: Command): (string | number)[] {
  switch (command.kind) {
    case 'chat':
      return ['chat', command.waitMs]
    case 'stream':
    case 'dressed':
      return [command.kind, command.frames, command.paceMs]
    case 'bulk':
      return ['bulk', command.bytes]
    case 'hold':
      return ['hold']
  }
}

/** The inverse of `commandText` without its brackets; null when it is no command of ours. */
export function parseCommand(text: string): Command | null {
  const [kind, first, second] = text.split(',')
  if (kind === 'chat') return { kind, waitMs: Number(first) }
  if (kind === 'stream' || kind === 'dressed') return { kind, frames: Number(first), paceMs: Number(second) }
  if (kind === 'bulk') return { kind, bytes: Number(first) }
  return kind === 'hold' ? { kind } : null
}

/** Every frame of the reply by itself, or the one JSON body of a plain answer. */
export function framesOf(command: Command, dialect: DialectId = 'openai-chat'): Buffer[] {
  switch (command.kind) {
    case 'chat':
      return [chatBody()]
    case 'stream':
      return streamFrames(command.frames).map(frame => Buffer.from(frame))
    case 'dressed':
      return streamOf(dialect, command.frames, wordAt)
    case 'bulk':
      return bulkFrames(command.bytes).map(frame => Buffer.from(frame))
    case 'hold':
      if (dialect !== 'openai-chat') return heldFrames(dialect)
      return [Buffer.from(frame({ role: 'assistant', content: '' }, null))]
  }
}

/** Up to the first text: some dialects say nothing before that a client could be shown. */
function heldFrames(dialect: DialectId): Buffer[] {
  const frames = streamOf(dialect, HELD_FRAMES, wordAt)
  const first = frames.findIndex(bytes => bytes.includes(wordAt(0)))
  return [Buffer.concat(frames.slice(0, first + 1))]
}

export function wordAt(n: number): string {
  return WORDS[n % WORDS.length]!
}

/** The bytes a client must see, whatever the chunking on the wire. */
export function bodyOf(command: Command): Buffer {
  return Buffer.concat(framesOf(command))
}

/** The text a client must see from a gateway that writes replies anew instead of relaying them. */
export function textOf(command: Command): string {
  return bodyText(bodyOf(command).toString())
}

/** All content of a plain or streamed answer, in order. Empty when there is none. */
export function bodyText(body: string): string {
  if (!body.startsWith('data:')) return contentOf(JSON.parse(body), 'message')
  return body
    .split('\n')
    .filter(line => line.startsWith('data:') && !line.includes('[DONE]'))
    .map(line => contentOf(JSON.parse(line.slice(5)), 'delta'))
    .join('')
}

function contentOf(reply: unknown, member: 'message' | 'delta'): string {
  const { choices } = reply as {
    choices?: { message?: { content?: string }; delta?: { content?: string } }[]
  }
  return choices?.[0]?.[member]?.content ?? ''
}

function chatBody(): Buffer {
  const reply = (content: string): Buffer =>
    Buffer.from(
      JSON.stringify({
        id: 'chatcmpl-bench',
        object: 'chat.completion',
        created: 1_764_000_000,
        model: MODEL,
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content, refusal: null },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
        usage: { prompt_tokens: 187, completion_tokens: 140, total_tokens: 327 },
        system_fingerprint: 'fp_bench',
      }),
    )
  return reply(words(CHAT_BYTES - reply('').length))
}

/** Exactly `bytes` letters of running text; the words are ASCII. */
export function words(bytes: number): string {
  const round = WORDS.join('')
  return round.repeat(Math.ceil(bytes / round.length)).slice(0, bytes)
}

function frame(delta: object, finish: string | null): string {
  return `data: ${JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_764_000_000,
    model: MODEL,
    system_fingerprint: 'fp_bench',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    usage: null,
  })}\n\n`
}

function streamFrames(count: number): string[] {
  const frames = [frame({ role: 'assistant', content: '' }, null)]
  for (let at = 0; frames.length < count - ENDING_FRAMES; at += 1) {
    frames.push(frame({ content: wordAt(at) }, null))
  }
  return [...frames, ...ending(count)]
}

function bulkFrames(bytes: number): string[] {
  const one = frame({ content: words(BULK_FRAME_TEXT_BYTES) }, null)
  const frames = [frame({ role: 'assistant', content: '' }, null)]
  for (let total = 0; total < bytes; total += one.length) frames.push(one)
  return [...frames, ...ending(frames.length)]
}

function ending(completionTokens: number): string[] {
  const usage = {
    prompt_tokens: 187,
    completion_tokens: completionTokens,
    total_tokens: 187 + completionTokens,
  }
  const last = { id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1_764_000_000, model: MODEL }
  return [
    frame({}, 'stop'),
    `data: ${JSON.stringify({ ...last, choices: [], usage })}\n\n`,
    'data: [DONE]\n\n',
  ]
}

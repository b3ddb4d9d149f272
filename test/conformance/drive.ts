// Small ways to ask the leaf one question: what does this prompt become, what does this reply look like.

import type { DialectId } from '../../src/translate/dialect.ts'
import type { ReplyContext } from '../../src/translate/reply-context.ts'
import type { ModelFacts, TargetFacts } from '../../src/translate/target.ts'
import { openReply, readPrompt, writePrompt } from '../../src/translate/pair.ts'
import { PATH_DIALECTS } from '../../src/translate/dialect.ts'
import { ByteOut } from '../../src/translate/bytes/byte-out.ts'
import type { ReplyFacts } from '../../src/translate/reply-path.ts'
import { ableTarget, bytes, contextFor, framed, legible, text, translateReply } from '../translate/harness.ts'
import { type Json, wishing } from './features/bodies.ts'

// biome-ignore lint/suspicious/noExplicitAny: bodies of five protocols, looked into by tests only
export type Loose = any

export interface Asked {
  readonly body: Loose
  readonly raw: string
  /** `action field reason`. */
  readonly losses: readonly string[]
  readonly context: ReplyContext
}

export interface Asking {
  readonly facts?: Partial<ModelFacts>
  readonly target?: Partial<TargetFacts>
  readonly strict?: boolean
}

/** What the upstream is sent for a client's body. */
export function ask(client: DialectId, upstream: DialectId, body: Json | string, more: Asking = {}): Asked {
  const path = PATH_DIALECTS.has(client) ? { model: 'asked-model', stream: false } : null
  const source = typeof body === 'string' ? body : JSON.stringify(body)
  const target = { ...ableTarget(upstream, more.facts), ...more.target }
  const prompt = readPrompt(client, bytes(source), path)
  const written = writePrompt(prompt, upstream, target, more.strict ?? false)
  const raw = text(written.body)
  const losses = written.losses.map(loss => `${loss.action} ${loss.field} ${loss.reason}`)
  return { body: JSON.parse(raw), raw, losses, context: written.context }
}

/** The same for a body that says nothing but these members. */
export const askWishing = (client: DialectId, upstream: DialectId, wishes: Json, more: Asking = {}): Asked =>
  ask(client, upstream, wishing(client, wishes), more)

export interface Told {
  readonly facts: ReplyFacts
  readonly shown: string
}

/** What a client is shown of a whole reply. */
export function tell(
  client: DialectId,
  upstream: DialectId,
  reply: Json | string,
  context?: ReplyContext,
): Told & { readonly body: Loose } {
  const source = bytes(typeof reply === 'string' ? reply : JSON.stringify(reply))
  const { bytes: out, facts } = translateReply(client, upstream, false, [source], context)
  return { facts, shown: text(out), body: JSON.parse(text(out)) }
}

/** What a client is shown of a stream: the JSON of its events, in order. */
export function stream(
  client: DialectId,
  upstream: DialectId,
  pieces: string | readonly string[],
  context?: ReplyContext,
): Told & { readonly events: readonly Loose[] } {
  const list = typeof pieces === 'string' ? [pieces] : pieces
  const source = list.map(piece => (upstream === 'bedrock-converse' ? framed(piece) : bytes(piece)))
  const { bytes: out, facts } = translateReply(client, upstream, true, source, context)
  return { facts, ...eventsOf(client, out) }
}

function eventsOf(client: DialectId, out: Uint8Array): { shown: string; events: Loose[] } {
  const shown = legible(client, out)
  if (client === 'bedrock-converse') {
    const lines = shown.split('\n').filter(line => line !== '')
    const events = lines.map(line => {
      const [, name, ...json] = line.split(' ')
      return { [name!]: JSON.parse(json.join(' ')) }
    })
    return { shown, events }
  }
  const events = [...shown.matchAll(/^data: ?(.*)$/gm)].map(([, data]) =>
    data === '[DONE]' ? data : JSON.parse(data!),
  )
  return { shown, events }
}

/** A reply that comes as a stream for a client that wants it whole. */
export function fold(
  client: DialectId,
  upstream: DialectId,
  source: string,
): Told & { readonly body: Loose } {
  const out = new ByteOut()
  const context = contextFor(client, upstream)
  const sink = { write: (piece: Uint8Array) => out.bytes(piece) }
  const path = openReply({ client, upstream, streaming: false, upstreamStreaming: true, context, out: sink })
  path.write(bytes(source))
  path.end()
  const shown = text(out.take())
  return { facts: path.facts, shown, body: JSON.parse(shown) }
}

/** Server-sent events of Chat: chunks with one choice, their deltas given. */
export function chunks(...deltas: readonly (Json | string)[]): string {
  return deltas
    .map(delta => {
      if (typeof delta === 'string') return `data: ${delta}\n\n`
      const { finish = null, usage, ...rest } = delta as Loose
      const choice = { index: 0, delta: rest, finish_reason: finish }
      const chunk = { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [choice] }
      return `data: ${JSON.stringify(usage === undefined ? chunk : { ...chunk, usage })}\n\n`
    })
    .join('')
}

/** A chunk that only tells usage. */
export const usageChunk = (usage: Json): string =>
  JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage })

/** Server-sent events whose names are their types: Messages and Responses. */
export function events(...list: readonly Json[]): string {
  return list.map(event => `event: ${event['type']}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}

const STARTED = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  content: [],
  model: 'claude',
  stop_reason: null,
}

/** A Messages stream around its blocks; `end` null leaves it unfinished. */
export function messagesStream(blocks: readonly Json[], end: Json | null, usage: Json = {}): string {
  const start = { ...STARTED, usage: { input_tokens: 10, output_tokens: 1, ...usage } }
  const last = end === null ? [] : [{ type: 'message_delta', ...end }, { type: 'message_stop' }]
  return events({ type: 'message_start', message: start }, ...blocks, ...last)
}

/** Events of one block of a Messages stream. */
export function block(index: number, content: Json, ...deltas: readonly Json[]): Json[] {
  return [
    { type: 'content_block_start', index, content_block: content },
    ...deltas.map(delta => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]
}

/** Lines of a Converse stream. */
export const frames = (...list: readonly (readonly [name: string, payload: Json])[]): string =>
  list.map(([name, payload]) => `event ${name} ${JSON.stringify(payload)}`).join('\n')

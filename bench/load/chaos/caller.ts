// One request of a caller and what came of it: asked in any dialect, read to its end, and judged against the text that
// was asked for. Knows how each dialect says text, that it is done, and that it failed.

import { type Agent, request } from 'node:http'
import { createParser } from 'eventsource-parser'
import type { DialectId } from '../../../src/translate/index.ts'

export interface Wish {
  readonly id: string
  readonly dialect: DialectId
  readonly streaming: boolean
  readonly model: string
  readonly text: string
}

export type Verdict =
  /** The whole answer and its ending. */
  | 'ok'
  /** An error in the dialect's own form, whole or in mid-stream, or a connection that was cut in mid-document. */
  | 'told'
  /** Text that is not what was asked for. */
  | 'wrong'
  /** The ending of a success behind half an answer. */
  | 'invented'
  /** Neither an ending nor an error. */
  | 'silent'

export interface Answer {
  readonly verdict: Verdict
  readonly status: number
  readonly ms: number
  /** The end of the body, for a report. */
  readonly shown: string
}

// biome-ignore lint/suspicious/noExplicitAny: replies of five foreign shapes, read with care in one place each
type Json = any

interface Read {
  text: string
  done: boolean
  failed: boolean
}

const SHOWN_LETTERS = 200

function pathOf({ dialect, streaming, model }: Wish): string {
  switch (dialect) {
    case 'openai-chat':
      return '/v1/chat/completions'
    case 'openai-responses':
      return '/v1/responses'
    case 'anthropic-messages':
      return '/v1/messages'
    case 'bedrock-converse':
      return `/model/${encodeURIComponent(model)}/converse${streaming ? '-stream' : ''}`
    case 'gemini-generate': {
      const method = streaming ? 'streamGenerateContent?alt=sse' : 'generateContent'
      return `/v1beta/models/${encodeURIComponent(model)}:${method}`
    }
  }
}

function bodyOf({ dialect, streaming, model, text }: Wish): Json {
  const stream = streaming ? { stream: true } : {}
  const messages = [{ role: 'user', content: text }]
  switch (dialect) {
    case 'openai-chat':
      return { model, messages, ...stream }
    case 'openai-responses':
      return { model, input: text, ...stream }
    case 'anthropic-messages':
      return { model, max_tokens: 1_000, messages, ...stream }
    case 'bedrock-converse':
      return { messages: [{ role: 'user', content: [{ text }] }] }
    case 'gemini-generate':
      return { contents: [{ role: 'user', parts: [{ text }] }] }
  }
}

export function ask(port: number, agent: Agent, wish: Wish): Promise<Answer> {
  const startMs = performance.now()
  return new Promise(resolve => {
    const pieces: Buffer[] = []
    let status = 0
    const finish = (cut: boolean): void => {
      const bytes = Buffer.concat(pieces)
      const shown = bytes.toString('utf8').slice(-SHOWN_LETTERS)
      resolve({ verdict: judge(wish, status, bytes, cut), status, ms: performance.now() - startMs, shown })
    }
    const call = request(
      {
        port,
        host: '127.0.0.1',
        agent,
        method: 'POST',
        path: pathOf(wish),
        headers: { 'content-type': 'application/json', 'x-request-id': wish.id },
      },
      reply => {
        status = reply.statusCode ?? 0
        reply.on('data', (piece: Buffer) => pieces.push(piece))
        reply.on('end', () => finish(false))
        reply.on('error', () => finish(true))
      },
    )
    call.on('error', () => {
      if (status === 0) finish(true)
    })
    call.end(JSON.stringify(bodyOf(wish)))
  })
}

function judge({ dialect, streaming, text }: Wish, status: number, bytes: Buffer, cut: boolean): Verdict {
  // A gateway that lets a connection die without a status has said nothing.
  if (status === 0) return 'silent'
  if (status !== 200) return isError(dialect, bytes) ? 'told' : 'silent'
  const read: Read = { text: '', done: false, failed: false }
  try {
    if (streaming) readStream(dialect, bytes, read)
    else if (cut) return 'told'
    else readWhole(dialect, JSON.parse(bytes.toString('utf8')), read)
  } catch {
    return 'wrong'
  }
  const whole = `echo: ${text}`
  if (!whole.startsWith(read.text)) return 'wrong'
  if (read.done && read.text !== whole) return 'invented'
  if (read.done && !read.failed) return 'ok'
  return read.failed || cut ? 'told' : 'silent'
}

function isError(dialect: DialectId, bytes: Buffer): boolean {
  try {
    const body = JSON.parse(bytes.toString('utf8'))
    return typeof (dialect === 'bedrock-converse' ? body.message : body.error.message) === 'string'
  } catch {
    return false
  }
}

function readWhole(dialect: DialectId, body: Json, read: Read): void {
  read.done = true
  switch (dialect) {
    case 'openai-chat':
      read.text = body.choices[0].message.content
      return
    case 'openai-responses':
      read.text = body.output.find((item: Json) => item.type === 'message').content[0].text
      return
    case 'anthropic-messages':
      read.text = body.content[0].text
      return
    case 'bedrock-converse':
      read.text = body.output.message.content[0].text
      return
    case 'gemini-generate':
      read.text = body.candidates[0].content.parts.map((part: Json) => part.text).join('')
  }
}

function readStream(dialect: DialectId, bytes: Buffer, read: Read): void {
  if (dialect === 'bedrock-converse') {
    readFrames(bytes, read)
    return
  }
  createParser({
    onEvent: ({ data, event }) => {
      if (data === '[DONE]') read.done = true
      else readEvent(dialect, event ?? '', safely(data), read)
    },
  }).feed(bytes.toString('utf8'))
}

/** A torn event is no document; clients pass over it or fail, and none takes it for an answer. */
function safely(data: string): Json {
  try {
    return JSON.parse(data)
  } catch {
    return {}
  }
}

function readEvent(dialect: DialectId, event: string, data: Json, read: Read): void {
  // Official clients throw at the first error and read nothing behind it, nor beside it.
  if (data.error !== undefined && data.error !== null) read.failed = true
  if (read.failed) return
  switch (dialect) {
    case 'openai-chat':
      read.text += data.choices?.[0]?.delta?.content ?? ''
      return
    case 'openai-responses':
      if (event === 'response.output_text.delta') read.text += data.delta ?? ''
      if (event === 'response.completed') read.done = true
      if (event === 'error' || event === 'response.failed') read.failed = true
      return
    case 'anthropic-messages':
      if (event === 'content_block_delta') read.text += data.delta?.text ?? ''
      if (event === 'message_stop') read.done = true
      return
    default: {
      const candidate = Array.isArray(data.candidates) ? data.candidates[0] : undefined
      for (const part of candidate?.content?.parts ?? []) read.text += part.text ?? ''
      if (candidate?.finishReason !== undefined) read.done = true
    }
  }
}

const PRELUDE_BYTES = 12
const CHECKSUM_BYTES = 4

function readFrames(bytes: Buffer, read: Read): void {
  let at = 0
  while (bytes.length - at >= PRELUDE_BYTES + CHECKSUM_BYTES) {
    const total = bytes.readUInt32BE(at)
    if (total > bytes.length - at) return
    const headers = bytes.readUInt32BE(at + 4)
    const from = at + PRELUDE_BYTES + headers
    const head = bytes.toString('latin1', at + PRELUDE_BYTES, from)
    const data = safely(bytes.toString('utf8', from, at + total - CHECKSUM_BYTES))
    if (head.includes('exception')) read.failed = true
    if (head.includes('contentBlockDelta')) read.text += data.delta?.text ?? ''
    if (head.includes('messageStop')) read.done = true
    at += total
  }
}

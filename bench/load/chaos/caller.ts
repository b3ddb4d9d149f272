// One request of a caller and what came of it: asked in any dialect, read to its end or until the caller leaves, and
// judged against the text that was asked for. Knows how each dialect says text, that it is done, and that it failed.

import { type Agent, request } from 'node:http'
import { crc32 } from 'node:zlib'
import { createParser } from 'eventsource-parser'
import type { DialectId } from '../../../src/translate/index.ts'

export interface Wish {
  readonly id: string
  readonly dialect: DialectId
  readonly streaming: boolean
  readonly model: string
  readonly text: string
  /** Chat streams tell usage only to who asks. */
  readonly usageAsked?: boolean
  /** When the caller leaves, whatever it has got by then; absent: it stays to the end. */
  readonly leaves?: Leave
}

export type Leave =
  | { readonly when: 'time'; readonly ms: number }
  /** Once this much of the body has come. */
  | { readonly when: 'bytes'; readonly bytes: number }

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
  /** The caller left before the end, and nothing was wrong until then. */
  | 'left'

export interface Answer {
  readonly verdict: Verdict
  readonly status: number
  readonly startedMs: number
  readonly ms: number
  /** The body as it came. */
  readonly bytes: Buffer
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
const USAGE = { include_usage: true }

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

function bodyOf({ dialect, streaming, model, text, usageAsked }: Wish): Json {
  const usage = usageAsked === true && dialect === 'openai-chat' ? { stream_options: USAGE } : {}
  const stream = streaming ? { stream: true, ...usage } : {}
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
  return new Promise(resolve => new Call(wish, resolve).start(port, agent))
}

class Call {
  private readonly wish: Wish
  private readonly resolve: (answer: Answer) => void
  private readonly startedMs = performance.now()
  private readonly pieces: Buffer[] = []
  private received = 0
  private status = 0
  private timer: NodeJS.Timeout | null = null
  private ended = false

  constructor(wish: Wish, resolve: (answer: Answer) => void) {
    this.wish = wish
    this.resolve = resolve
  }

  start(port: number, agent: Agent): void {
    const { wish } = this
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
        this.status = reply.statusCode ?? 0
        reply.on('data', (piece: Buffer) => {
          this.pieces.push(piece)
          this.received += piece.length
          if (wish.leaves?.when === 'bytes' && this.received >= wish.leaves.bytes) leave()
        })
        reply.on('end', () => this.finish('end'))
        reply.on('error', () => this.finish('cut'))
      },
    )
    const leave = (): void => {
      this.finish('left')
      call.destroy()
    }
    if (wish.leaves?.when === 'time') this.timer = setTimeout(leave, wish.leaves.ms)
    call.on('error', () => {
      if (this.status === 0) this.finish('cut')
    })
    call.end(JSON.stringify(bodyOf(wish)))
  }

  private finish(how: Ending): void {
    if (this.ended) return
    this.ended = true
    if (this.timer !== null) clearTimeout(this.timer)
    const { status, startedMs } = this
    const bytes = Buffer.concat(this.pieces)
    const shown = bytes.toString('utf8').slice(-SHOWN_LETTERS)
    const verdict = judge(this.wish, status, bytes, how)
    this.resolve({ verdict, status, startedMs, ms: performance.now() - startedMs, bytes, shown })
  }
}

type Ending = 'end' | 'cut' | 'left'

function judge({ dialect, streaming, text }: Wish, status: number, bytes: Buffer, how: Ending): Verdict {
  if (how === 'left' && (status !== 200 || !streaming)) return 'left'
  // A gateway that lets a connection die without a status has said nothing.
  if (status === 0) return 'silent'
  if (status !== 200) return isError(dialect, bytes) ? 'told' : 'silent'
  const read: Read = { text: '', done: false, failed: false }
  try {
    if (streaming) readStream(dialect, bytes, read)
    else if (how === 'cut') return 'told'
    else readWhole(dialect, JSON.parse(bytes.toString('utf8')), read)
  } catch {
    return 'wrong'
  }
  const whole = `echo: ${text}`
  if (!whole.startsWith(read.text)) return 'wrong'
  if (read.done && read.text !== whole) return 'invented'
  if (how === 'left') return 'left'
  if (read.done && !read.failed) return 'ok'
  return read.failed || how === 'cut' ? 'told' : 'silent'
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
    const end = at + total - CHECKSUM_BYTES
    if (crc32(bytes.subarray(at, at + 8)) !== bytes.readUInt32BE(at + 8)) throw new Error('a prelude is torn')
    if (crc32(bytes.subarray(at, end)) !== bytes.readUInt32BE(end)) throw new Error('a frame is torn')
    const headers = bytes.readUInt32BE(at + 4)
    const from = at + PRELUDE_BYTES + headers
    const head = bytes.toString('latin1', at + PRELUDE_BYTES, from)
    const data = safely(bytes.toString('utf8', from, end))
    if (head.includes('exception')) read.failed = true
    if (head.includes('contentBlockDelta')) read.text += data.delta?.text ?? ''
    if (head.includes('messageStop')) read.done = true
    at += total
  }
}

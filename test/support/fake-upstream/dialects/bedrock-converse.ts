// The fake upstream's `bedrock-converse`: JSON whole, a binary event stream otherwise.

import { crc32 } from 'node:zlib'
import type { FakeDialect, FakeTurn, Json } from '../types.ts'
import { bytesOf, fragmentsOf, textOf } from './shared.ts'

const FINISH = { stop: 'end_turn', length: 'max_tokens', call: 'tool_use' } as const

const PATH = /\/model\/([^/]+)\/(converse|converse-stream)$/

/** Header value type 7: a string with a two-byte length. */
const STRING_VALUE = 7

function headerBytes(headers: readonly string[]): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < headers.length; at += 2) {
    const name = Buffer.from(headers[at]!)
    const value = Buffer.from(headers[at + 1]!)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(value.length)
    parts.push(Buffer.from([name.length]), name, Buffer.from([STRING_VALUE]), length, value)
  }
  return Buffer.concat(parts)
}

/** One message of the binary event stream: prelude, CRC of it, headers, payload, CRC of everything. */
export function eventMessage(headers: readonly string[], payload: Uint8Array): Uint8Array {
  const head = headerBytes(headers)
  const message = Buffer.alloc(12 + head.length + payload.length + 4)
  message.writeUInt32BE(message.length, 0)
  message.writeUInt32BE(head.length, 4)
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8)
  message.set(head, 12)
  message.set(payload, 12 + head.length)
  message.writeUInt32BE(crc32(message.subarray(0, message.length - 4)), message.length - 4)
  return message
}

function event(type: string, payload: Json): Uint8Array {
  const headers = [':event-type', type, ':content-type', 'application/json', ':message-type', 'event']
  return eventMessage(headers, bytesOf(JSON.stringify(payload)))
}

function usageOf(turn: FakeTurn): Json {
  return {
    inputTokens: turn.inputTokens,
    outputTokens: turn.outputTokens,
    totalTokens: turn.inputTokens + turn.outputTokens,
  }
}

function choiceOf(choice: Json): string {
  if (choice?.tool !== undefined) return choice.tool.name
  return choice?.any === undefined ? 'auto' : 'any'
}

export const bedrockConverse: FakeDialect = {
  id: 'bedrock-converse',
  streamType: 'application/vnd.amazon.eventstream',

  matches: (method, path) => method === 'POST' && PATH.test(path),

  readPrompt(path, body) {
    const messages: Json[] = body.messages ?? []
    const last = messages[messages.length - 1]
    const result = last?.content?.find((block: Json) => block.toolResult !== undefined)
    const texts = messages.map(message => textOf(message.content))
    const match = PATH.exec(path)!
    return {
      model: decodeURIComponent(match[1]!),
      stream: match[2] === 'converse-stream',
      streamUsage: true,
      texts: body.system === undefined ? texts : [textOf(body.system), ...texts],
      lastUserText: result === undefined ? textOf(last?.content) : null,
      lastToolResult: result === undefined ? null : textOf(result.toolResult.content),
      tools: (body.toolConfig?.tools ?? []).map((tool: Json) => ({
        name: tool.toolSpec?.name,
        schema: tool.toolSpec?.inputSchema?.json,
      })),
      toolChoice: choiceOf(body.toolConfig?.toolChoice),
      outputTokensMax: body.inferenceConfig?.maxTokens ?? null,
    }
  },

  wholeReply(turn) {
    const { call } = turn
    const block =
      call === null
        ? { text: turn.pieces.join('') }
        : { toolUse: { toolUseId: call.id, name: call.name, input: JSON.parse(call.input) } }
    return {
      output: { message: { role: 'assistant', content: [block] } },
      stopReason: FINISH[turn.finish],
      usage: usageOf(turn),
      metrics: { latencyMs: 1 },
    }
  },

  streamFrames(turn) {
    const { call } = turn
    const before = [event('messageStart', { role: 'assistant' })]
    if (call !== null) {
      const start = { toolUse: { toolUseId: call.id, name: call.name } }
      before.push(event('contentBlockStart', { contentBlockIndex: 0, start }))
    }
    const deltas =
      call === null
        ? turn.pieces.map(text => ({ text }))
        : fragmentsOf(call.input).map(input => ({ toolUse: { input } }))
    const content = deltas.map(delta => event('contentBlockDelta', { contentBlockIndex: 0, delta }))
    const after = [
      event('contentBlockStop', { contentBlockIndex: 0 }),
      event('messageStop', { stopReason: FINISH[turn.finish] }),
      event('metadata', { usage: usageOf(turn), metrics: { latencyMs: 1 } }),
    ]
    return { before, content, after }
  },

  errorReply: (_status, message) => ({ message }),
}

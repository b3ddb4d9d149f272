// The fake upstream's `anthropic-messages`.

import type { FakeDialect, FakePrompt, FakeTurn, Json } from '../types.ts'
import { fragmentsOf, namedFrame, textOf } from './shared.ts'

const FINISH = { stop: 'end_turn', length: 'max_tokens', call: 'tool_use' } as const

const ERRORS: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}

function choiceOf(choice: Json): string {
  if (choice?.type === 'tool') return choice.name
  return choice?.type ?? 'auto'
}

function toolResultOf(message: Json): string | null {
  if (!Array.isArray(message?.content)) return null
  const result = message.content.find((block: Json) => block?.type === 'tool_result')
  return result === undefined ? null : textOf(result.content)
}

export function readMessagesPrompt(body: Json): FakePrompt {
  const messages: Json[] = body.messages ?? []
  const last = messages[messages.length - 1]
  const lastToolResult = toolResultOf(last)
  const texts = messages.map(message => textOf(message.content) + (toolResultOf(message) ?? ''))
  return {
    model: String(body.model),
    stream: body.stream === true,
    streamUsage: true,
    texts: body.system === undefined ? texts : [textOf(body.system), ...texts],
    lastUserText: lastToolResult === null ? textOf(last?.content) : null,
    lastToolResult,
    tools: (body.tools ?? []).map((tool: Json) => ({ name: tool.name, schema: tool.input_schema })),
    toolChoice: choiceOf(body.tool_choice),
    outputTokensMax: body.max_tokens ?? null,
  }
}

function messageOf(turn: FakeTurn, content: Json[], stop: string | null, outputTokens: number): Json {
  return {
    id: `msg_${turn.id}`,
    type: 'message',
    role: 'assistant',
    model: turn.model,
    content,
    stop_reason: stop,
    stop_sequence: null,
    usage: {
      input_tokens: turn.inputTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: outputTokens,
    },
  }
}

function delta(delta: Json): Uint8Array {
  return namedFrame('content_block_delta', { type: 'content_block_delta', index: 0, delta })
}

export const anthropicMessages: FakeDialect = {
  id: 'anthropic-messages',
  streamType: 'text/event-stream; charset=utf-8',

  matches: (method, path) => method === 'POST' && path.endsWith('/messages'),

  readPrompt: (_path, body) => readMessagesPrompt(body),

  wholeReply(turn) {
    const { call } = turn
    const block =
      call === null
        ? { type: 'text', text: turn.pieces.join('') }
        : { type: 'tool_use', id: `toolu_${call.id}`, name: call.name, input: JSON.parse(call.input) }
    return messageOf(turn, [block], FINISH[turn.finish], turn.outputTokens)
  },

  streamFrames(turn) {
    const { call } = turn
    const block =
      call === null
        ? { type: 'text', text: '' }
        : { type: 'tool_use', id: `toolu_${call.id}`, name: call.name, input: {} }
    const before = [
      namedFrame('message_start', { type: 'message_start', message: messageOf(turn, [], null, 1) }),
      namedFrame('content_block_start', { type: 'content_block_start', index: 0, content_block: block }),
      namedFrame('ping', { type: 'ping' }),
    ]
    const content =
      call === null
        ? turn.pieces.map(piece => delta({ type: 'text_delta', text: piece }))
        : fragmentsOf(call.input).map(text => delta({ type: 'input_json_delta', partial_json: text }))
    const after = [
      namedFrame('content_block_stop', { type: 'content_block_stop', index: 0 }),
      namedFrame('message_delta', {
        type: 'message_delta',
        delta: { stop_reason: FINISH[turn.finish], stop_sequence: null },
        usage: { output_tokens: turn.outputTokens },
      }),
      namedFrame('message_stop', { type: 'message_stop' }),
    ]
    return { before, content, after }
  },

  errorReply: (status, message) => ({
    type: 'error',
    error: { type: ERRORS[status] ?? 'api_error', message },
    request_id: 'req_fake',
  }),
}

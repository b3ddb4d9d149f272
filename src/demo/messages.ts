// The demo model's `anthropic-messages` mouth and ears.

import type { DemoReply, DemoRequest, DemoTool } from './script.ts'
import { type Frame, isRecord, type Json, textOf } from './shared.ts'

export function readMessages(body: Json): DemoRequest {
  const messages = Array.isArray(body['messages']) ? body['messages'].filter(isRecord) : []
  const last = messages[messages.length - 1]
  const blocks = Array.isArray(last?.['content']) ? last['content'].filter(isRecord) : []
  const result = blocks.find(block => block['type'] === 'tool_result')
  const tools: DemoTool[] = []
  for (const tool of Array.isArray(body['tools']) ? body['tools'] : []) {
    if (isRecord(tool)) tools.push({ name: String(tool['name']), schema: tool['input_schema'] ?? {} })
  }
  const choice = isRecord(body['tool_choice']) ? body['tool_choice'] : { type: 'auto' }
  return {
    model: String(body['model']),
    stream: body['stream'] === true,
    texts: [textOf(body['system']), ...messages.map(message => textOf(message['content']))],
    lastUserText: result === undefined ? textOf(last?.['content']) : null,
    lastToolResult: result === undefined ? null : textOf(result['content']),
    tools,
    toolChoice: choice['type'] === 'tool' ? String(choice['name']) : String(choice['type']),
    outputTokensMax: typeof body['max_tokens'] === 'number' ? body['max_tokens'] : null,
  }
}

function stopOf(reply: DemoReply): string {
  return reply.call !== null ? 'tool_use' : reply.cut ? 'max_tokens' : 'end_turn'
}

export function messagesWhole(request: DemoRequest, reply: DemoReply): Json {
  const content: Json[] = []
  if (reply.call === null) content.push({ type: 'text', text: reply.pieces.join('') })
  else {
    const { id, name, input } = reply.call
    content.push({ type: 'tool_use', id, name, input: JSON.parse(input) })
  }
  return {
    id: `msg_demo_${reply.id}`,
    type: 'message',
    role: 'assistant',
    model: request.model,
    content,
    stop_reason: stopOf(reply),
    stop_sequence: null,
    usage: { input_tokens: reply.inputTokens, output_tokens: reply.outputTokens },
  }
}

function event(type: string, data: Json, paced: boolean): Frame {
  return { text: `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`, paced }
}

export function* messagesFrames(request: DemoRequest, reply: DemoReply): Generator<Frame> {
  const message = {
    ...messagesWhole(request, reply),
    content: [],
    stop_reason: null,
    usage: { input_tokens: reply.inputTokens, output_tokens: 0 },
  }
  yield event('message_start', { message }, false)
  yield event('ping', {}, false)
  if (reply.call === null) {
    yield event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }, false)
    for (const piece of reply.pieces) {
      yield event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: piece } }, true)
    }
  } else {
    const { id, name, input } = reply.call
    yield event(
      'content_block_start',
      { index: 0, content_block: { type: 'tool_use', id, name, input: {} } },
      false,
    )
    for (const part of input.match(/.{1,12}/gsu) ?? []) {
      const delta = { type: 'input_json_delta', partial_json: part }
      yield event('content_block_delta', { index: 0, delta }, true)
    }
  }
  yield event('content_block_stop', { index: 0 }, false)
  const delta = { stop_reason: stopOf(reply), stop_sequence: null }
  yield event('message_delta', { delta, usage: { output_tokens: reply.outputTokens } }, false)
  yield event('message_stop', {}, false)
}

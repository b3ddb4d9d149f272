// The fake upstream's `openai-responses`.

import type { FakeDialect, FakeTurn, Json } from '../types.ts'
import { CREATED_SECONDS, fragmentsOf, namedFrame, textOf } from './shared.ts'
import { openaiChat } from './openai-chat.ts'

function choiceOf(choice: Json): string {
  if (choice === 'none' || choice === 'auto') return choice
  if (choice === 'required') return 'any'
  return choice?.name ?? 'auto'
}

function itemOf(turn: FakeTurn, status: 'completed' | 'in_progress'): Json {
  const { call } = turn
  const done = status === 'completed'
  if (call !== null) {
    const input = done ? call.input : ''
    return {
      id: `fc_${turn.id}`,
      type: 'function_call',
      status,
      call_id: call.id,
      name: call.name,
      arguments: input,
    }
  }
  const part = { type: 'output_text', text: turn.pieces.join(''), annotations: [], logprobs: [] }
  return { id: `msg_${turn.id}`, type: 'message', status, role: 'assistant', content: done ? [part] : [] }
}

function responseOf(turn: FakeTurn, running: boolean): Json {
  const cut = turn.finish === 'length'
  return {
    id: `resp_${turn.id}`,
    object: 'response',
    created_at: CREATED_SECONDS,
    status: running ? 'in_progress' : cut ? 'incomplete' : 'completed',
    error: null,
    incomplete_details: !running && cut ? { reason: 'max_output_tokens' } : null,
    model: turn.model,
    output: running ? [] : [itemOf(turn, 'completed')],
    parallel_tool_calls: true,
    tools: [],
    usage: running
      ? null
      : {
          input_tokens: turn.inputTokens,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: turn.outputTokens,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: turn.inputTokens + turn.outputTokens,
        },
  }
}

export const openaiResponses: FakeDialect = {
  id: 'openai-responses',
  streamType: 'text/event-stream; charset=utf-8',

  matches: (method, path) => method === 'POST' && path.endsWith('/responses'),

  readPrompt(_path, body) {
    const input: Json[] =
      typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : (body.input ?? [])
    const last = input[input.length - 1]
    const isResult = last?.type === 'function_call_output'
    const texts = input.map(item => textOf(item.content) + textOf(item.output))
    return {
      model: String(body.model),
      stream: body.stream === true,
      streamUsage: true,
      texts: typeof body.instructions === 'string' ? [body.instructions, ...texts] : texts,
      lastUserText: isResult ? null : textOf(last?.content),
      lastToolResult: isResult ? textOf(last.output) : null,
      tools: (body.tools ?? []).map((tool: Json) => ({ name: tool.name, schema: tool.parameters })),
      toolChoice: choiceOf(body.tool_choice),
      outputTokensMax: body.max_output_tokens ?? null,
    }
  },

  wholeReply: turn => responseOf(turn, false),

  streamFrames(turn) {
    let sequence = 0
    const frame = (type: string, rest: Json): Uint8Array => {
      const bytes = namedFrame(type, { type, sequence_number: sequence, ...rest })
      sequence += 1
      return bytes
    }
    const item = itemOf(turn, 'in_progress')
    const at = { item_id: item.id, output_index: 0 }
    const before = [
      frame('response.created', { response: responseOf(turn, true) }),
      frame('response.in_progress', { response: responseOf(turn, true) }),
      frame('response.output_item.added', { output_index: 0, item }),
    ]
    const content: Uint8Array[] = []
    const after: Uint8Array[] = []
    if (turn.call !== null) {
      for (const delta of fragmentsOf(turn.call.input)) {
        content.push(frame('response.function_call_arguments.delta', { ...at, delta }))
      }
      after.push(frame('response.function_call_arguments.done', { ...at, arguments: turn.call.input }))
    } else {
      const text = turn.pieces.join('')
      const part = { type: 'output_text', text: '', annotations: [], logprobs: [] }
      const inPart = { ...at, content_index: 0 }
      before.push(frame('response.content_part.added', { ...inPart, part }))
      for (const delta of turn.pieces) {
        content.push(frame('response.output_text.delta', { ...inPart, delta, logprobs: [] }))
      }
      after.push(frame('response.output_text.done', { ...inPart, text, logprobs: [] }))
      after.push(frame('response.content_part.done', { ...inPart, part: { ...part, text } }))
    }
    after.push(frame('response.output_item.done', { output_index: 0, item: itemOf(turn, 'completed') }))
    const last = turn.finish === 'length' ? 'response.incomplete' : 'response.completed'
    after.push(frame(last, { response: responseOf(turn, false) }))
    return { before, content, after }
  },

  errorReply: (status, message) => openaiChat.errorReply(status, message),
}

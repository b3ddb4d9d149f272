// The fake upstream's `openai-chat`.

import type { FakeDialect, FakePrompt, FakeTurn, Json } from '../types.ts'
import { bytesOf, CREATED_SECONDS, dataFrame, fragmentsOf, textOf } from './shared.ts'

const FINISH = { stop: 'stop', length: 'length', call: 'tool_calls' } as const

function usageOf(turn: FakeTurn): Json {
  return {
    prompt_tokens: turn.inputTokens,
    completion_tokens: turn.outputTokens,
    total_tokens: turn.inputTokens + turn.outputTokens,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  }
}

function choiceOf(choice: Json): string {
  if (choice === 'none' || choice === 'auto') return choice
  if (choice === 'required') return 'any'
  return choice?.function?.name ?? 'auto'
}

export const openaiChat: FakeDialect = {
  id: 'openai-chat',
  streamType: 'text/event-stream; charset=utf-8',

  matches: (method, path) => method === 'POST' && path.endsWith('/chat/completions'),

  readPrompt(_path, body) {
    const messages: Json[] = body.messages ?? []
    const last = messages[messages.length - 1]
    const isResult = last?.role === 'tool'
    return {
      model: String(body.model),
      stream: body.stream === true,
      streamUsage: body.stream_options?.include_usage === true,
      texts: messages.map(message => textOf(message.content)),
      lastUserText: isResult ? null : textOf(last?.content),
      lastToolResult: isResult ? textOf(last.content) : null,
      tools: (body.tools ?? []).map((tool: Json) => ({
        name: tool.function?.name,
        schema: tool.function?.parameters,
      })),
      toolChoice: choiceOf(body.tool_choice),
      outputTokensMax: body.max_completion_tokens ?? body.max_tokens ?? null,
    }
  },

  wholeReply(turn) {
    const { call } = turn
    const calls =
      call === null
        ? {}
        : {
            tool_calls: [
              { id: call.id, type: 'function', function: { name: call.name, arguments: call.input } },
            ],
          }
    const content = call === null ? turn.pieces.join('') : null
    return {
      id: `chatcmpl-${turn.id}`,
      object: 'chat.completion',
      created: CREATED_SECONDS,
      model: turn.model,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content, refusal: null, ...calls },
          logprobs: null,
          finish_reason: FINISH[turn.finish],
        },
      ],
      usage: usageOf(turn),
      system_fingerprint: 'fp_fake',
    }
  },

  streamFrames(turn, prompt) {
    const { call } = turn
    const before = [chunk(turn, prompt, { role: 'assistant', content: call === null ? '' : null })]
    const content = turn.pieces.map(piece => chunk(turn, prompt, { content: piece }))
    if (call !== null) {
      const named = { id: call.id, type: 'function', function: { name: call.name, arguments: '' } }
      content.push(chunk(turn, prompt, { tool_calls: [{ index: 0, ...named }] }))
      for (const fragment of fragmentsOf(call.input)) {
        content.push(chunk(turn, prompt, { tool_calls: [{ index: 0, function: { arguments: fragment } }] }))
      }
    }
    const after = [chunk(turn, prompt, {}, FINISH[turn.finish])]
    if (prompt.streamUsage) after.push(dataFrame({ ...envelope(turn), choices: [], usage: usageOf(turn) }))
    after.push(bytesOf('data: [DONE]\n\n'))
    return { before, content, after }
  },

  errorReply: (status, message) => ({
    error: {
      message,
      type: status === 429 ? 'requests' : status < 500 ? 'invalid_request_error' : 'server_error',
      param: null,
      code: status === 429 ? 'rate_limit_exceeded' : null,
    },
  }),
}

function envelope(turn: FakeTurn): Json {
  return {
    id: `chatcmpl-${turn.id}`,
    object: 'chat.completion.chunk',
    created: CREATED_SECONDS,
    model: turn.model,
    system_fingerprint: 'fp_fake',
  }
}

function chunk(turn: FakeTurn, prompt: FakePrompt, delta: Json, finish: string | null = null): Uint8Array {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }]
  return dataFrame({ ...envelope(turn), choices, ...(prompt.streamUsage ? { usage: null } : {}) })
}

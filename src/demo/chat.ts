// The demo model's `openai-chat` mouth and ears.

import type { DemoReply, DemoRequest, DemoTool } from './script.ts'
import { type Frame, isRecord, type Json, textOf } from './shared.ts'

export function readChat(body: Json): DemoRequest {
  const messages = Array.isArray(body['messages']) ? body['messages'].filter(isRecord) : []
  const last = messages[messages.length - 1]
  const tools: DemoTool[] = []
  for (const tool of Array.isArray(body['tools']) ? body['tools'] : []) {
    if (isRecord(tool) && isRecord(tool['function'])) {
      tools.push({ name: String(tool['function']['name']), schema: tool['function']['parameters'] ?? {} })
    }
  }
  const limit = body['max_completion_tokens'] ?? body['max_tokens']
  return {
    model: String(body['model']),
    stream: body['stream'] === true,
    texts: messages.map(message => textOf(message['content'])),
    lastUserText: last?.['role'] === 'tool' ? null : textOf(last?.['content']),
    lastToolResult: last?.['role'] === 'tool' ? textOf(last['content']) : null,
    tools,
    toolChoice: choiceOf(body['tool_choice']),
    outputTokensMax: typeof limit === 'number' && limit > 0 ? limit : null,
  }
}

function choiceOf(choice: unknown): string {
  if (choice === 'none' || choice === 'auto') return choice
  if (choice === 'required') return 'any'
  if (isRecord(choice) && isRecord(choice['function'])) return String(choice['function']['name'])
  return 'auto'
}

function finishOf(reply: DemoReply): string {
  return reply.call !== null ? 'tool_calls' : reply.cut ? 'length' : 'stop'
}

function usageOf(reply: DemoReply): Json {
  return {
    prompt_tokens: reply.inputTokens,
    completion_tokens: reply.outputTokens,
    total_tokens: reply.inputTokens + reply.outputTokens,
  }
}

export function chatWhole(request: DemoRequest, reply: DemoReply, created: number): Json {
  const calls =
    reply.call === null
      ? {}
      : {
          tool_calls: [
            {
              id: reply.call.id,
              type: 'function',
              function: { name: reply.call.name, arguments: reply.call.input },
            },
          ],
        }
  return {
    id: `chatcmpl-demo-${reply.id}`,
    object: 'chat.completion',
    created,
    model: request.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: reply.call === null ? reply.pieces.join('') : null,
          refusal: null,
          ...calls,
        },
        logprobs: null,
        finish_reason: finishOf(reply),
      },
    ],
    usage: usageOf(reply),
  }
}

/** Frames in order; a frame with `paced` waits for the next beat. */
export function* chatFrames(
  request: DemoRequest,
  reply: DemoReply,
  created: number,
  includeUsage: boolean,
): Generator<Frame> {
  const envelope = {
    id: `chatcmpl-demo-${reply.id}`,
    object: 'chat.completion.chunk',
    created,
    model: request.model,
  }
  const usage = includeUsage ? { usage: null } : {}
  const chunk = (delta: Json, finish: string | null): string =>
    `data: ${JSON.stringify({ ...envelope, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...usage })}\n\n`
  yield { text: chunk({ role: 'assistant', content: reply.call === null ? '' : null }, null), paced: false }
  for (const piece of reply.pieces) yield { text: chunk({ content: piece }, null), paced: true }
  if (reply.call !== null) {
    const { id, name, input } = reply.call
    const start = { index: 0, id, type: 'function', function: { name, arguments: '' } }
    yield { text: chunk({ tool_calls: [start] }, null), paced: true }
    for (const part of input.match(/.{1,12}/gsu) ?? []) {
      yield { text: chunk({ tool_calls: [{ index: 0, function: { arguments: part } }] }, null), paced: true }
    }
  }
  yield { text: chunk({}, finishOf(reply)), paced: false }
  if (includeUsage) {
    yield {
      text: `data: ${JSON.stringify({ ...envelope, choices: [], usage: usageOf(reply) })}\n\n`,
      paced: false,
    }
  }
  yield { text: 'data: [DONE]\n\n', paced: false }
}

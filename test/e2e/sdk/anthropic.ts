// The official `@anthropic-ai/sdk` client: whole, and through its message accumulator.

import Anthropic from '@anthropic-ai/sdk'
import type { Message, MessageParam } from '@anthropic-ai/sdk/resources/messages'
import type { Answer, Client, Question } from './answer.ts'

/** Messages demands a limit; this one never bites. */
const LIMIT = 1_000

export const anthropicMessages: Client = {
  name: 'anthropic messages',
  ask: async (origin, question) => {
    const client = new Anthropic({ baseURL: origin, apiKey: 'client-key', maxRetries: 0 })
    const { tools, schema } = question
    const body = {
      model: question.model,
      max_tokens: question.limit ?? LIMIT,
      messages: messages(question),
      ...(question.system === undefined ? {} : { system: question.system }),
      ...(tools === undefined
        ? {}
        : {
            tools: tools.map(tool => ({
              name: tool.name,
              description: tool.description,
              input_schema: { type: 'object' as const, ...tool.parameters },
            })),
          }),
      ...(question.toolChoice === undefined ? {} : { tool_choice: { type: 'any' as const } }),
      ...(schema === undefined
        ? {}
        : { output_config: { format: { type: 'json_schema' as const, schema } } }),
    }
    if (!question.stream) return answer(await client.messages.create(body))
    return answer(await client.messages.stream(body).finalMessage())
  },
}

function messages(question: Question): MessageParam[] {
  const { result, image } = question
  return [
    {
      role: 'user',
      content: [
        { type: 'text', text: question.text },
        ...(image === undefined
          ? []
          : [
              {
                type: 'image' as const,
                source: { type: 'base64' as const, media_type: 'image/png' as const, data: image },
              },
            ]),
      ],
    },
    ...(result === undefined
      ? []
      : [
          {
            role: 'assistant' as const,
            content: [{ type: 'tool_use' as const, id: result.id, name: result.name, input: result.input }],
          },
          {
            role: 'user' as const,
            content: [{ type: 'tool_result' as const, tool_use_id: result.id, content: result.output }],
          },
        ]),
  ]
}

const FINISHES: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'calls',
  refusal: 'declined',
}

function answer(message: Message): Answer {
  let text = ''
  let reasoning = ''
  const calls: Answer['calls'][number][] = []
  for (const block of message.content) {
    if (block.type === 'text') text += block.text
    else if (block.type === 'thinking') reasoning += block.thinking
    else if (block.type === 'tool_use') calls.push({ name: block.name, input: block.input })
  }
  const { usage } = message
  const cached = usage.cache_read_input_tokens ?? 0
  return {
    text,
    reasoning,
    calls,
    finish: FINISHES[message.stop_reason ?? ''] ?? String(message.stop_reason),
    usage: {
      input: usage.input_tokens + cached + (usage.cache_creation_input_tokens ?? 0),
      output: usage.output_tokens,
      cached,
    },
  }
}

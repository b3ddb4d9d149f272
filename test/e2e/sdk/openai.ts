// The official `openai` client: Chat Completions and Responses, whole and through its own stream accumulators.

import OpenAI from 'openai'
import type { ChatCompletion, ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import type { Response, ResponseInputItem } from 'openai/resources/responses/responses'
import { type Answer, type Client, inputOf, type Question } from './answer.ts'

function clientFor(origin: string): OpenAI {
  return new OpenAI({ baseURL: `${origin}/v1`, apiKey: 'client-key', maxRetries: 0 })
}

export const openaiChat: Client = {
  name: 'openai chat.completions',
  ask: async (origin, question) => {
    const client = clientFor(origin)
    const { tools, schema } = question
    const body = {
      model: question.model,
      messages: chatMessages(question),
      ...(question.limit === undefined ? {} : { max_completion_tokens: question.limit }),
      ...(tools === undefined
        ? {}
        : { tools: tools.map(tool => ({ type: 'function' as const, function: { ...tool } })) }),
      ...(question.toolChoice === undefined ? {} : { tool_choice: 'required' as const }),
      ...(schema === undefined
        ? {}
        : {
            response_format: {
              type: 'json_schema' as const,
              json_schema: { name: 'answer', schema, strict: true },
            },
          }),
    }
    if (!question.stream) return chatAnswer(await client.chat.completions.create(body))
    const stream = client.chat.completions.stream({ ...body, stream_options: { include_usage: true } })
    return chatAnswer(await stream.finalChatCompletion())
  },
}

function chatMessages(question: Question): ChatCompletionMessageParam[] {
  const { result, image } = question
  const user: ChatCompletionMessageParam = {
    role: 'user',
    content:
      image === undefined
        ? question.text
        : [
            { type: 'text', text: question.text },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } },
          ],
  }
  return [
    ...(question.system === undefined ? [] : [{ role: 'system' as const, content: question.system }]),
    user,
    ...(result === undefined
      ? []
      : [
          {
            role: 'assistant' as const,
            tool_calls: [
              {
                id: result.id,
                type: 'function' as const,
                function: { name: result.name, arguments: JSON.stringify(result.input) },
              },
            ],
          },
          { role: 'tool' as const, tool_call_id: result.id, content: result.output },
        ]),
  ]
}

const CHAT_FINISHES: Readonly<Record<string, string>> = {
  tool_calls: 'calls',
  function_call: 'calls',
  content_filter: 'declined',
}

function chatAnswer(completion: ChatCompletion): Answer {
  const choice = completion.choices[0]!
  const { message } = choice
  const { usage } = completion
  const reasoning = (message as { reasoning_content?: string | null }).reasoning_content ?? ''
  return {
    text: (message.content ?? '') + (message.refusal ?? ''),
    reasoning,
    calls: (message.tool_calls ?? []).map(call => {
      if (call.type !== 'function') throw new Error('a custom call was not asked for')
      return { name: call.function.name, input: inputOf(call.function.arguments) }
    }),
    finish: message.refusal ? 'declined' : (CHAT_FINISHES[choice.finish_reason] ?? choice.finish_reason),
    usage:
      usage === undefined
        ? null
        : {
            input: usage.prompt_tokens,
            output: usage.completion_tokens,
            cached: usage.prompt_tokens_details?.cached_tokens ?? 0,
          },
  }
}

export const openaiResponses: Client = {
  name: 'openai responses',
  ask: async (origin, question) => {
    const client = clientFor(origin)
    const { tools, schema } = question
    const body = {
      model: question.model,
      input: responseInput(question),
      store: false,
      ...(question.system === undefined ? {} : { instructions: question.system }),
      ...(question.limit === undefined ? {} : { max_output_tokens: question.limit }),
      ...(tools === undefined
        ? {}
        : { tools: tools.map(tool => ({ type: 'function' as const, strict: false, ...tool })) }),
      ...(question.toolChoice === undefined ? {} : { tool_choice: 'required' as const }),
      ...(schema === undefined
        ? {}
        : { text: { format: { type: 'json_schema' as const, name: 'answer', schema, strict: true } } }),
    }
    if (!question.stream) return responseAnswer(await client.responses.create(body))
    // The accumulator takes the final state from `response.completed` alone; other endings carry theirs in events.
    const stream = client.responses.stream(body)
    let ended: Response | null = null
    stream.on('response.incomplete', event => {
      ended = event.response
    })
    let failure: Error | null = null
    stream.on('response.failed', event => {
      failure = new Error(event.response.error?.message)
    })
    const final = await stream.finalResponse()
    if (failure !== null) throw failure
    return responseAnswer(ended ?? final)
  },
}

function responseInput(question: Question): ResponseInputItem[] {
  const { result, image } = question
  return [
    {
      role: 'user',
      content: [
        { type: 'input_text', text: question.text },
        ...(image === undefined
          ? []
          : [
              {
                type: 'input_image' as const,
                detail: 'auto' as const,
                image_url: `data:image/png;base64,${image}`,
              },
            ]),
      ],
    },
    ...(result === undefined
      ? []
      : [
          {
            type: 'function_call' as const,
            call_id: result.id,
            name: result.name,
            arguments: JSON.stringify(result.input),
          },
          { type: 'function_call_output' as const, call_id: result.id, output: result.output },
        ]),
  ]
}

function responseAnswer(response: Response): Answer {
  let text = ''
  let reasoning = ''
  let refused = false
  const calls: Answer['calls'][number][] = []
  for (const item of response.output) {
    if (item.type === 'message') {
      for (const part of item.content) {
        refused ||= part.type === 'refusal'
        text += part.type === 'refusal' ? part.refusal : part.text
      }
    } else if (item.type === 'function_call') {
      calls.push({ name: item.name, input: inputOf(item.arguments) })
    } else if (item.type === 'reasoning') {
      reasoning += [...(item.summary ?? []), ...(item.content ?? [])].map(part => part.text).join('')
    }
  }
  const { usage, incomplete_details: incomplete } = response
  const filtered = incomplete?.reason === 'content_filter' || refused
  const finish = incomplete?.reason === 'max_output_tokens' ? 'length' : filtered ? 'declined' : null
  return {
    text,
    reasoning,
    calls,
    finish: finish ?? (calls.length > 0 ? 'calls' : 'stop'),
    usage:
      usage === undefined || usage === null
        ? null
        : {
            input: usage.input_tokens,
            output: usage.output_tokens,
            cached: usage.input_tokens_details?.cached_tokens ?? 0,
          },
  }
}

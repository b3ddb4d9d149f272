// The official AWS client of Bedrock Runtime. It has no accumulator, so the events are joined here by their index.

import {
  BedrockRuntimeClient,
  type ContentBlock,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  type ConverseStreamOutput,
  type Message,
  type TokenUsage,
} from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { type Answer, type Client, inputOf, type Question } from './answer.ts'

export const bedrockConverse: Client = {
  name: 'aws converse',
  ask: async (origin, question) => {
    const client = new BedrockRuntimeClient({
      endpoint: origin,
      region: 'us-east-1',
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'client-key' },
      maxAttempts: 1,
      // The client's default speaks HTTP/2 only.
      requestHandler: new NodeHttpHandler(),
    })
    try {
      if (!question.stream) {
        const reply = await client.send(new ConverseCommand(input(question)))
        return answer(reply.output?.message?.content ?? [], reply.stopReason, reply.usage)
      }
      const reply = await client.send(new ConverseStreamCommand(input(question)))
      return await joined(reply.stream!)
    } finally {
      client.destroy()
    }
  },
}

function input(question: Question): ConverseCommandInput {
  const { tools } = question
  return {
    modelId: question.model,
    messages: messages(question),
    ...(question.system === undefined ? {} : { system: [{ text: question.system }] }),
    ...(question.limit === undefined ? {} : { inferenceConfig: { maxTokens: question.limit } }),
    ...(tools === undefined
      ? {}
      : {
          toolConfig: {
            tools: tools.map(tool => ({
              toolSpec: {
                name: tool.name,
                description: tool.description,
                inputSchema: { json: tool.parameters as never },
              },
            })),
            ...(question.toolChoice === undefined ? {} : { toolChoice: { any: {} } }),
          },
        }),
  }
}

function messages(question: Question): Message[] {
  const { result, image } = question
  const user: ContentBlock[] = [
    { text: question.text },
    ...(image === undefined
      ? []
      : [{ image: { format: 'png' as const, source: { bytes: Buffer.from(image, 'base64') } } }]),
  ]
  return [
    { role: 'user', content: user },
    ...(result === undefined
      ? []
      : [
          {
            role: 'assistant' as const,
            content: [{ toolUse: { toolUseId: result.id, name: result.name, input: result.input as never } }],
          },
          {
            role: 'user' as const,
            content: [{ toolResult: { toolUseId: result.id, content: [{ text: result.output }] } }],
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
  content_filtered: 'declined',
  guardrail_intervened: 'declined',
}

function answer(blocks: ContentBlock[], stop: string | undefined, usage: TokenUsage | undefined): Answer {
  let text = ''
  let reasoning = ''
  const calls: Answer['calls'][number][] = []
  for (const block of blocks) {
    if (block.text !== undefined) text += block.text
    else if (block.toolUse !== undefined) {
      calls.push({ name: block.toolUse.name!, input: block.toolUse.input as unknown })
    } else if (block.reasoningContent?.reasoningText?.text !== undefined) {
      reasoning += block.reasoningContent.reasoningText.text
    } else if (block.citationsContent !== undefined) {
      text += (block.citationsContent.content ?? []).map(part => part.text ?? '').join('')
    }
  }
  const cached = usage?.cacheReadInputTokens ?? 0
  return {
    text,
    reasoning,
    calls,
    finish: FINISHES[stop ?? ''] ?? String(stop),
    usage:
      usage === undefined
        ? null
        : {
            input: usage.inputTokens! + cached + (usage.cacheWriteInputTokens ?? 0),
            output: usage.outputTokens!,
            cached,
          },
  }
}

async function joined(stream: AsyncIterable<ConverseStreamOutput>): Promise<Answer> {
  const blocks: { text: string; reasoning: string; name: string | null; input: string }[] = []
  let stop: string | undefined
  let usage: TokenUsage | undefined
  for await (const event of stream) {
    const at = event.contentBlockStart?.contentBlockIndex ?? event.contentBlockDelta?.contentBlockIndex
    if (at !== undefined) blocks[at] ??= { text: '', reasoning: '', name: null, input: '' }
    const name = event.contentBlockStart?.start?.toolUse?.name
    if (name !== undefined) blocks[at!]!.name = name
    const delta = event.contentBlockDelta?.delta
    blocks[at ?? 0] ??= { text: '', reasoning: '', name: null, input: '' }
    if (delta?.text !== undefined) blocks[at!]!.text += delta.text
    if (delta?.toolUse !== undefined) blocks[at!]!.input += delta.toolUse.input ?? ''
    if (delta?.reasoningContent?.text !== undefined) blocks[at!]!.reasoning += delta.reasoningContent.text
    if (event.messageStop !== undefined) stop = event.messageStop.stopReason
    if (event.metadata?.usage !== undefined) usage = event.metadata.usage
  }
  const content = blocks
    .filter(Boolean)
    .map(
      block =>
        (block.name !== null
          ? { toolUse: { toolUseId: 'x', name: block.name, input: inputOf(block.input) } }
          : block.reasoning !== ''
            ? { reasoningContent: { reasoningText: { text: block.reasoning } } }
            : { text: block.text }) as ContentBlock,
    )
  return answer(content, stop, usage)
}

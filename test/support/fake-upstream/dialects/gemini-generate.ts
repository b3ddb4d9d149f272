// The fake upstream's `gemini-generate`.

import type { FakeDialect, FakeTurn, Json } from '../types.ts'
import { bytesOf, textOf } from './shared.ts'

const FINISH = { stop: 'STOP', length: 'MAX_TOKENS', call: 'STOP' } as const

const STATUS: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

const PATH = /\/models\/([^/:]+):(generateContent|streamGenerateContent)(\?|$)/

function choiceOf(body: Json): string {
  const config = body.toolConfig?.functionCallingConfig
  if (config?.mode === 'NONE') return 'none'
  if (config?.mode === 'ANY') return config.allowedFunctionNames?.[0] ?? 'any'
  return 'auto'
}

function replyOf(turn: FakeTurn, parts: Json[], outputTokens: number, finish: string | null): Json {
  const candidate = { content: { role: 'model', parts }, index: 0 }
  return {
    candidates: [finish === null ? candidate : { ...candidate, finishReason: finish }],
    usageMetadata: {
      promptTokenCount: turn.inputTokens,
      candidatesTokenCount: outputTokens,
      totalTokenCount: turn.inputTokens + outputTokens,
    },
    modelVersion: turn.model,
    responseId: turn.id,
  }
}

function callPart(turn: FakeTurn): Json {
  return { functionCall: { name: turn.call!.name, args: JSON.parse(turn.call!.input) } }
}

function frameOf(json: Json): Uint8Array {
  return bytesOf(`data: ${JSON.stringify(json)}\r\n\r\n`)
}

export const geminiGenerate: FakeDialect = {
  id: 'gemini-generate',
  streamType: 'text/event-stream',

  matches: (method, path) => method === 'POST' && PATH.test(path),

  readPrompt(path, body) {
    const contents: Json[] = body.contents ?? []
    const last = contents[contents.length - 1]
    const result = last?.parts?.find((part: Json) => part.functionResponse !== undefined)
    const texts = contents.map(content => textOf(content.parts))
    const match = PATH.exec(path)!
    return {
      model: match[1]!,
      stream: match[2] === 'streamGenerateContent',
      streamUsage: true,
      texts: body.systemInstruction === undefined ? texts : [textOf(body.systemInstruction.parts), ...texts],
      lastUserText: result === undefined ? textOf(last?.parts) : null,
      lastToolResult: result === undefined ? null : JSON.stringify(result.functionResponse.response),
      tools: (body.tools ?? []).flatMap((tool: Json) =>
        (tool.functionDeclarations ?? []).map((declared: Json) => ({
          name: declared.name,
          schema: declared.parametersJsonSchema ?? declared.parameters,
        })),
      ),
      toolChoice: choiceOf(body),
      outputTokensMax: body.generationConfig?.maxOutputTokens ?? null,
    }
  },

  wholeReply(turn) {
    const parts = turn.call === null ? [{ text: turn.pieces.join('') }] : [callPart(turn)]
    return replyOf(turn, parts, turn.outputTokens, FINISH[turn.finish])
  },

  streamFrames(turn) {
    const content =
      turn.call === null
        ? turn.pieces.map((text, at) => frameOf(replyOf(turn, [{ text }], at + 1, null)))
        : [frameOf(replyOf(turn, [callPart(turn)], turn.outputTokens, null))]
    const last = replyOf(turn, [{ text: '' }], turn.outputTokens, FINISH[turn.finish])
    return { before: [], content, after: [frameOf(last)] }
  },

  errorReply: (status, message) => ({
    error: { code: status, message, status: STATUS[status] ?? 'INTERNAL', details: [] },
  }),
}

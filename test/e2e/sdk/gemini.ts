// The official `@google/genai` client. Chunks are joined here, because it has no accumulator.

import { type Content, type GenerateContentResponse, GoogleGenAI } from '@google/genai'
import type { Answer, Client, Question } from './answer.ts'

export const geminiGenerate: Client = {
  name: 'google generateContent',
  ask: async (origin, question) => {
    const client = new GoogleGenAI({
      apiKey: 'client-key',
      apiVersion: 'v1beta',
      httpOptions: { baseUrl: origin },
    })
    const request = { model: question.model, contents: contents(question), config: config(question) }
    if (!question.stream) return answer([await client.models.generateContent(request)])
    const chunks: GenerateContentResponse[] = []
    for await (const chunk of await client.models.generateContentStream(request)) chunks.push(chunk)
    return answer(chunks)
  },
}

function config(question: Question) {
  const { tools, schema } = question
  return {
    ...(question.system === undefined ? {} : { systemInstruction: question.system }),
    ...(question.limit === undefined ? {} : { maxOutputTokens: question.limit }),
    ...(tools === undefined
      ? {}
      : {
          tools: [
            {
              functionDeclarations: tools.map(tool => ({
                name: tool.name,
                description: tool.description,
                parametersJsonSchema: tool.parameters,
              })),
            },
          ],
        }),
    ...(question.toolChoice === undefined
      ? {}
      : { toolConfig: { functionCallingConfig: { mode: 'ANY' as never } } }),
    ...(schema === undefined ? {} : { responseMimeType: 'application/json', responseJsonSchema: schema }),
  }
}

function contents(question: Question): Content[] {
  const { result, image } = question
  return [
    {
      role: 'user',
      parts: [
        { text: question.text },
        ...(image === undefined ? [] : [{ inlineData: { mimeType: 'image/png', data: image } }]),
      ],
    },
    ...(result === undefined
      ? []
      : [
          {
            role: 'model',
            parts: [{ functionCall: { id: result.id, name: result.name, args: { ...result.input } } }],
          },
          {
            role: 'user',
            parts: [
              {
                functionResponse: { id: result.id, name: result.name, response: { output: result.output } },
              },
            ],
          },
        ]),
  ]
}

const FINISHES: Readonly<Record<string, string>> = { STOP: 'stop', MAX_TOKENS: 'length' }

function answer(chunks: readonly GenerateContentResponse[]): Answer {
  let text = ''
  let reasoning = ''
  let finish = ''
  let usage: GenerateContentResponse['usageMetadata']
  const calls: Answer['calls'][number][] = []
  for (const chunk of chunks) {
    const candidate = chunk.candidates?.[0]
    for (const part of candidate?.content?.parts ?? []) {
      if (part.functionCall !== undefined) {
        calls.push({ name: part.functionCall.name!, input: part.functionCall.args ?? {} })
      } else if (part.thought === true) reasoning += part.text ?? ''
      else text += part.text ?? ''
    }
    if (candidate?.finishReason !== undefined) finish = candidate.finishReason
    if (chunk.promptFeedback?.blockReason !== undefined) finish = 'SAFETY'
    usage = chunk.usageMetadata ?? usage
  }
  const word = FINISHES[finish] ?? (finish === '' ? 'none' : 'declined')
  return {
    text,
    reasoning,
    calls,
    finish: word === 'stop' && calls.length > 0 ? 'calls' : word,
    usage:
      usage === undefined
        ? null
        : {
            input: usage.promptTokenCount ?? 0,
            output: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
            cached: usage.cachedContentTokenCount ?? 0,
          },
  }
}

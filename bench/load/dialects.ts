// The five dialects as the benchmark speaks them: a stream of a given number of frames as the vendor sends it, the
// request that asks for one, and what a client must find in the reply. All streams of one length say the same text.
// The frames carry what vendors put around a delta (ids, obfuscation, usage), because that is what a reader reads.

import { DIALECTS, type DialectId } from '../../src/translate/index.ts'
import { eventMessage } from '../../test/support/fake-upstream/index.ts'

export { DIALECTS, type DialectId }

/** Models by the dialect of the upstream that serves them. */
export type Models = Readonly<Record<DialectId, string>>

export interface DialectRequest {
  readonly path: string
  readonly body: string
}

const OUTPUT_TOKENS_MAX = 512

/** One frame per element: `frames` of them, those that only begin or end the reply included. */
export function streamOf(dialect: DialectId, frames: number, word: (n: number) => string): Buffer[] {
  const words = Array.from({ length: frames - AROUND[dialect] }, (_, n) => word(n))
  return STREAMS[dialect](words).map(frame => Buffer.from(frame))
}

/** How many frames of a stream carry text. */
export function textFrames(dialect: DialectId, frames: number): number {
  return frames - AROUND[dialect]
}

/** The number of frames that say nothing. */
const AROUND: Readonly<Record<DialectId, number>> = {
  'openai-chat': 4,
  'openai-responses': 8,
  'anthropic-messages': 5,
  'bedrock-converse': 4,
  'gemini-generate': 1,
}

const STREAMS: Readonly<Record<DialectId, (words: readonly string[]) => (string | Uint8Array)[]>> = {
  'openai-chat': chatStream,
  'openai-responses': responsesStream,
  'anthropic-messages': messagesStream,
  'bedrock-converse': converseStream,
  'gemini-generate': geminiStream,
}

function chatStream(words: readonly string[]): string[] {
  const head =
    '{"id":"chatcmpl-Abc123Def456","object":"chat.completion.chunk","created":1760000000,"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_1"'
  const frame = (delta: string, finish: string): string =>
    `data: ${head},"choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}],"usage":null,"obfuscation":"aB3dE5gH"}\n\n`
  const usage = `{"prompt_tokens":9,"completion_tokens":${words.length},"total_tokens":${9 + words.length}}`
  return [
    frame('{"role":"assistant","content":"","refusal":null}', 'null'),
    ...words.map(word => frame(`{"content":${JSON.stringify(word)}}`, 'null')),
    frame('{}', '"stop"'),
    `data: ${head},"choices":[],"usage":${usage},"obfuscation":""}\n\n`,
    'data: [DONE]\n\n',
  ]
}

function sse(type: string, members: string): string {
  return `event: ${type}\ndata: {"type":"${type}"${members}}\n\n`
}

function messagesStream(words: readonly string[]): string[] {
  const message =
    '{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1}}'
  return [
    sse('message_start', `,"message":${message}`),
    sse('content_block_start', ',"index":0,"content_block":{"type":"text","text":""}'),
    ...words.map(word =>
      sse('content_block_delta', `,"index":0,"delta":{"type":"text_delta","text":${JSON.stringify(word)}}`),
    ),
    sse('content_block_stop', ',"index":0'),
    sse(
      'message_delta',
      `,"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":${words.length}}`,
    ),
    sse('message_stop', ''),
  ]
}

function responsesStream(words: readonly string[]): string[] {
  const id = 'msg_0123456789abcdef0123456789abcdef'
  const response = (status: string, output: string, usage: string): string =>
    `,"response":{"id":"resp_1","object":"response","created_at":1760000000,"status":"${status}","error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"model":"gpt-5","output":${output},"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"store":true,"temperature":1.0,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":1.0,"truncation":"disabled","usage":${usage},"metadata":{}}`
  const part = (text: string): string =>
    `{"type":"output_text","annotations":[],"logprobs":[],"text":${JSON.stringify(text)}}`
  const item = (status: string, content: string): string =>
    `{"id":"${id}","type":"message","status":"${status}","content":[${content}],"role":"assistant"}`
  const at = `,"item_id":"${id}","output_index":0,"content_index":0`
  const whole = part(words.join(''))
  const usage = `{"input_tokens":9,"output_tokens":${words.length},"total_tokens":${9 + words.length}}`
  const events: [string, string][] = [
    ['response.created', response('in_progress', '[]', 'null')],
    ['response.in_progress', response('in_progress', '[]', 'null')],
    ['response.output_item.added', `,"output_index":0,"item":${item('in_progress', '')}`],
    ['response.content_part.added', `${at},"part":${part('')}`],
    ...words.map((word): [string, string] => [
      'response.output_text.delta',
      `${at},"delta":${JSON.stringify(word)},"logprobs":[],"obfuscation":"aB3dE5gH"`,
    ]),
    ['response.output_text.done', `${at},"text":${JSON.stringify(words.join(''))},"logprobs":[]`],
    ['response.content_part.done', `${at},"part":${whole}`],
    ['response.output_item.done', `,"output_index":0,"item":${item('completed', whole)}`],
    ['response.completed', response('completed', `[${item('completed', whole)}]`, usage)],
  ]
  return events.map(([type, members], n) => sse(type, `,"sequence_number":${n}${members}`))
}

function converseStream(words: readonly string[]): Uint8Array[] {
  const event = (type: string, payload: string): Uint8Array => {
    const headers = [':event-type', type, ':content-type', 'application/json', ':message-type', 'event']
    return eventMessage(headers, Buffer.from(payload))
  }
  const usage = `{"inputTokens":9,"outputTokens":${words.length},"totalTokens":${9 + words.length}}`
  return [
    event('messageStart', '{"p":"abcdefgh","role":"assistant"}'),
    ...words.map(word =>
      event(
        'contentBlockDelta',
        `{"contentBlockIndex":0,"delta":{"text":${JSON.stringify(word)}},"p":"abcdefghijkl"}`,
      ),
    ),
    event('contentBlockStop', '{"contentBlockIndex":0,"p":"abcdefghij"}'),
    event('messageStop', '{"p":"abcd","stopReason":"end_turn"}'),
    event('metadata', `{"metrics":{"latencyMs":500},"p":"abc","usage":${usage}}`),
  ]
}

function geminiStream(words: readonly string[]): string[] {
  const frame = (text: string, finish: string, tokens: number): string => {
    const usage = `"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":${tokens},"totalTokenCount":${9 + tokens}}`
    return `data: {"candidates":[{"content":{"parts":[{"text":${JSON.stringify(text)}}],"role":"model"}${finish},"index":0}],${usage},"modelVersion":"gemini-x","responseId":"r1"}\r\n\r\n`
  }
  return [
    ...words.map((word, n) => frame(word, '', n + 1)),
    frame('', ',"finishReason":"STOP"', words.length),
  ]
}

/** A streamed prompt that says `text`. */
export function requestOf(client: DialectId, model: string, text: string): DialectRequest {
  const named = encodeURIComponent(model)
  switch (client) {
    case 'openai-chat':
      return {
        path: '/v1/chat/completions',
        body: JSON.stringify({
          model,
          stream: true,
          stream_options: { include_usage: true },
          messages: [{ role: 'user', content: text }],
        }),
      }
    case 'openai-responses':
      return {
        path: '/v1/responses',
        body: JSON.stringify({ model, stream: true, store: false, input: text }),
      }
    case 'anthropic-messages':
      return {
        path: '/v1/messages',
        body: JSON.stringify({
          model,
          stream: true,
          max_tokens: OUTPUT_TOKENS_MAX,
          messages: [{ role: 'user', content: text }],
        }),
      }
    case 'bedrock-converse':
      return {
        path: `/model/${named}/converse-stream`,
        body: JSON.stringify({ messages: [{ role: 'user', content: [{ text }] }] }),
      }
    case 'gemini-generate':
      return {
        path: `/v1beta/models/${named}:streamGenerateContent?alt=sse`,
        body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text }] }] }),
      }
  }
}

/** The dialect of a request that reached the upstream. */
export function dialectOfPath(path: string): DialectId {
  if (path.includes('/responses')) return 'openai-responses'
  if (path.includes('/messages')) return 'anthropic-messages'
  if (path.includes('/converse')) return 'bedrock-converse'
  return path.includes(':streamGenerateContent') ? 'gemini-generate' : 'openai-chat'
}

export function streamType(dialect: DialectId): string {
  return dialect === 'bedrock-converse'
    ? 'application/vnd.amazon.eventstream'
    : 'text/event-stream; charset=utf-8'
}

/** Text deltas of a stream. The words are ASCII without anything to escape, and whole texts follow their deltas. */
const DELTAS: Readonly<Record<DialectId, RegExp>> = {
  'openai-chat': /"delta":\{(?:"role":"assistant",)?"content":"([^"]*)"/g,
  'openai-responses': /"type":"response\.output_text\.delta"[^\n]*?"delta":"([^"]*)"/g,
  'anthropic-messages': /"type":"text_delta","text":"([^"]*)"/g,
  'bedrock-converse': /"delta":\{"text":"([^"]*)"/g,
  'gemini-generate': /"text":"([^"]*)"/g,
}

/** What stands in a stream only when it ended well. */
const ENDINGS: Readonly<Record<DialectId, string>> = {
  'openai-chat': 'data: [DONE]',
  'openai-responses': '"type":"response.completed"',
  'anthropic-messages': '"type":"message_stop"',
  'bedrock-converse': 'messageStop',
  'gemini-generate': '"finishReason":"STOP"',
}

/** The text of a whole stream, or null when the stream did not end well. */
export function streamText(dialect: DialectId, body: Buffer): string | null {
  const text = body.toString('latin1')
  if (!text.includes(ENDINGS[dialect])) return null
  return [...text.matchAll(DELTAS[dialect])].map(found => found[1]).join('')
}

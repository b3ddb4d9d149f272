// A stream of 52 frames through each pair of dialects, and prompts. Run after a build:
//   node dist/bench/micro/translate.bench.js
// One network piece carries four frames, as vendors send them.

import { bench, do_not_optimize, run, summary } from 'mitata'
import {
  type DialectId,
  openReply,
  ReplyContext,
  targetFacts,
  translatePrompt,
} from '../../src/translate/index.ts'

const FRAMES = 48
const encoder = new TextEncoder()

function chatFrame(delta: string, finish: string): string {
  const head =
    '{"id":"chatcmpl-Abc123Def456","object":"chat.completion.chunk","created":1760000000,"model":"gpt-x-2026-01-01"'
  return `data: ${head},"service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}],"obfuscation":"aB3dE5gH"}\n\n`
}

function chatStream(): string[] {
  const frames = [chatFrame('{"role":"assistant","content":"","refusal":null}', 'null')]
  for (let n = 0; n < FRAMES; n++) frames.push(chatFrame(`{"content":" word${n} and some"}`, 'null'))
  frames.push(chatFrame('{}', '"stop"'))
  frames.push(
    'data: {"id":"chatcmpl-Abc123Def456","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":48}}\n\n',
  )
  return [...frames, 'data: [DONE]\n\n']
}

function event(type: string, members: string): string {
  return `event: ${type}\ndata: {"type":"${type}"${members}}\n\n`
}

function messagesStream(): string[] {
  const message =
    '{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1}}'
  const frames = [event('message_start', `,"message":${message}`)]
  frames.push(event('content_block_start', ',"index":0,"content_block":{"type":"text","text":""}'))
  for (let n = 0; n < FRAMES - 1; n++) {
    frames.push(
      event('content_block_delta', `,"index":0,"delta":{"type":"text_delta","text":" word${n} and some"}`),
    )
  }
  frames.push(event('content_block_stop', ',"index":0'))
  frames.push(
    event(
      'message_delta',
      ',"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":48}',
    ),
  )
  return [...frames, event('message_stop', '')]
}

function geminiFrame(text: string, finish: string, outputTokens: number): string {
  const usage = `"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":${outputTokens},"totalTokenCount":${9 + outputTokens}}`
  return `data: {"candidates":[{"content":{"parts":[{"text":"${text}"}],"role":"model"}${finish},"index":0}],${usage},"modelVersion":"gemini-x","responseId":"r1"}\r\n\r\n`
}

function geminiStream(): string[] {
  const frames: string[] = []
  for (let n = 0; n < FRAMES + 3; n++) frames.push(geminiFrame(` word${n} and some`, '', n))
  return [...frames, geminiFrame('', ',"finishReason":"STOP"', FRAMES)]
}

function responsesStream(): string[] {
  const id = 'msg_0123456789abcdef0123456789abcdef'
  const response = (status: string, output: string, usage: string): string =>
    `,"response":{"id":"resp_1","object":"response","created_at":1760000000,"status":"${status}","error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"model":"gpt-x","output":${output},"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"store":true,"temperature":1.0,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":1.0,"truncation":"disabled","usage":${usage},"metadata":{}}`
  const part = (text: string): string =>
    `{"type":"output_text","annotations":[],"logprobs":[],"text":"${text}"}`
  const item = (status: string, content: string): string =>
    `,"output_index":0,"item":{"id":"${id}","type":"message","status":"${status}","content":[${content}],"role":"assistant"}`
  const at = `,"item_id":"${id}","output_index":0,"content_index":0`
  const words = Array.from({ length: FRAMES - 4 }, (_, n) => ` word${n} and some`)
  const whole = part(words.join(''))
  const frames: [string, string][] = [
    ['response.created', response('in_progress', '[]', 'null')],
    ['response.in_progress', response('in_progress', '[]', 'null')],
    ['response.output_item.added', item('in_progress', '')],
    ['response.content_part.added', `${at},"part":${part('')}`],
    ...words.map((word): [string, string] => [
      'response.output_text.delta',
      `${at},"delta":"${word}","logprobs":[],"obfuscation":"aB3dE5gH"`,
    ]),
    ['response.output_text.done', `${at},"text":"${words.join('')}","logprobs":[]`],
    ['response.content_part.done', `${at},"part":${whole}`],
    ['response.output_item.done', item('completed', whole)],
    ['response.completed', response('completed', '[]', '{"input_tokens":9,"output_tokens":48}')],
  ]
  return frames.map(([type, members], n) => event(type, `,"sequence_number":${n}${members}`))
}

const STREAMS: Partial<Record<DialectId, string[]>> = {
  'openai-chat': chatStream(),
  'openai-responses': responsesStream(),
  'anthropic-messages': messagesStream(),
  'gemini-generate': geminiStream(),
}

function pieces(frames: readonly string[]): Uint8Array[] {
  const joined: Uint8Array[] = []
  for (let at = 0; at < frames.length; at += 4) joined.push(encoder.encode(frames.slice(at, at + 4).join('')))
  return joined
}

function translate(client: DialectId, upstream: DialectId, body: readonly Uint8Array[]): number {
  const context = new ReplyContext(client, upstream)
  let bytes = 0
  const out = { write: (piece: Uint8Array) => void (bytes += piece.length) }
  const path = openReply({ client, upstream, streaming: true, context, out })
  for (const piece of body) path.write(piece)
  path.end()
  if (path.facts.state !== 'complete')
    throw new Error(`${client} from ${upstream}: ${path.facts.error?.message}`)
  return bytes
}

summary(() => {
  for (const [upstream, frames] of Object.entries(STREAMS) as [DialectId, string[]][]) {
    const body = pieces(frames)
    for (const client of Object.keys(STREAMS) as DialectId[]) {
      bench(`${frames.length} frames ${upstream} -> ${client}`, () =>
        do_not_optimize(translate(client, upstream, body)),
      )
    }
  }
})

function prompt(bytes: number): Uint8Array {
  const turns: unknown[] = []
  for (let n = 0; n < bytes / 1024; n++) {
    turns.push({
      role: n % 2 === 0 ? 'user' : 'assistant',
      content: `turn ${n} "quoted" \n ${'lorem ipsum '.repeat(80)}`,
    })
  }
  return encoder.encode(JSON.stringify({ model: 'm', max_tokens: 100, messages: turns }))
}

for (const bytes of [4 * 1024, 64 * 1024, 1024 * 1024]) {
  const body = prompt(bytes)
  const target = targetFacts('claude-x', 'anthropic')
  bench(`prompt of ${bytes / 1024} KiB openai-chat -> anthropic-messages`, () =>
    do_not_optimize(translatePrompt('openai-chat', 'anthropic-messages', body, target, false).body.length),
  )
}

await run()

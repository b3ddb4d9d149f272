// What the relay costs the bytes that pass: every dialect's stream, one frame per piece as paced streams arrive and
// in pieces of 16 KiB as they arrive under load; whole replies; the look at a request. Run after a build:
//   node dist/bench/micro/relay.bench.js
// Prints microseconds of CPU per frame (or per body) and MB/s: the lower quartile of rounds that take turns,
// because a shared machine only ever adds. The first line is the machine: one plain loop over the bytes of a frame.

import { type DialectId, relayReply, scanRequest, spliceRequest } from '../../src/translate/index.ts'
import { eventMessage } from '../../test/support/fake-upstream/index.ts'

/** Text frames of a stream; with the frames around them what the load bench calls a 52-frame stream. */
const FRAMES = 48
/** A socket read of a stream that has piled up. */
const LOADED_BYTES = 16 * 1024
const ROUNDS = 15
const ROUND_MS = 40
/** Runs between two looks at the clock. */
const RUNS = 4

const encoder = new TextEncoder()

interface Case {
  readonly name: string
  /** Frames, or bodies. */
  readonly units: number
  readonly bytes: number
  once(): void
}

function chatFrames(): string[] {
  const head =
    '{"id":"chatcmpl-Abc123Def456","object":"chat.completion.chunk","created":1760000000,"model":"gpt-x-2026-01-01","service_tier":"default","system_fingerprint":"fp_1"'
  const frame = (delta: string, finish: string): string =>
    `data: ${head},"choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}],"usage":null,"obfuscation":"aB3dE5gH"}\n\n`
  const frames = [frame('{"role":"assistant","content":"","refusal":null}', 'null')]
  for (let n = 0; n < FRAMES; n++) frames.push(frame(`{"content":" word${n} and some"}`, 'null'))
  frames.push(frame('{}', '"stop"'))
  frames.push(
    `data: ${head},"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":48,"total_tokens":57}}\n\n`,
  )
  return [...frames, 'data: [DONE]\n\n']
}

/** The same with two answers in turn: no frame is like the one before it. */
function turnsFrames(): Uint8Array[] {
  return chatFrames().map((frame, at) =>
    encoder.encode(at % 2 === 0 ? frame : frame.replace('"index":0', '"index":1')),
  )
}

function messagesFrames(): string[] {
  const event = (type: string, members: string): string =>
    `event: ${type}\ndata: {"type":"${type}"${members}}\n\n`
  const message =
    '{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1}}'
  const frames = [event('message_start', `,"message":${message}`)]
  frames.push(event('content_block_start', ',"index":0,"content_block":{"type":"text","text":""}'))
  for (let n = 0; n < FRAMES; n++) {
    frames.push(
      event('content_block_delta', `,"index":0,"delta":{"type":"text_delta","text":" word${n} and some"}`),
    )
  }
  frames.push(event('content_block_stop', ',"index":0'))
  frames.push(event('message_delta', ',"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":48}'))
  return [...frames, event('message_stop', '')]
}

function responsesFrames(): string[] {
  let sequence = 0
  const event = (type: string, members: string): string =>
    `event: ${type}\ndata: {"type":"${type}","sequence_number":${sequence++}${members}}\n\n`
  const response = (status: string, usage: string): string =>
    `,"response":{"id":"resp_1","object":"response","created_at":1760000000,"status":"${status}","error":null,"model":"gpt-x","output":[],"usage":${usage}}`
  const frames = [event('response.created', response('in_progress', 'null'))]
  for (let n = 0; n < FRAMES; n++) {
    frames.push(
      event(
        'response.output_text.delta',
        `,"item_id":"msg_1","output_index":0,"content_index":0,"delta":" word${n} and some","logprobs":[],"obfuscation":"aB3dE5gH"`,
      ),
    )
  }
  return [
    ...frames,
    event('response.completed', response('completed', '{"input_tokens":9,"output_tokens":48}')),
  ]
}

function geminiFrames(): string[] {
  const frame = (text: string, finish: string): string =>
    `data: {"candidates":[{"content":{"parts":[{"text":"${text}"}],"role":"model"},"index":0${finish}}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4,"totalTokenCount":13},"modelVersion":"gemini-x","responseId":"abc"}\r\n\r\n`
  const frames: string[] = []
  for (let n = 0; n < FRAMES; n++) frames.push(frame(` word${n} and some`, ''))
  return [...frames, frame('', ',"finishReason":"STOP"')]
}

function converseFrames(): Uint8Array[] {
  const event = (type: string, json: string): Uint8Array =>
    eventMessage(
      [':event-type', type, ':content-type', 'application/json', ':message-type', 'event'],
      encoder.encode(json),
    )
  const frames = [event('messageStart', '{"role":"assistant","p":"abcdef"}')]
  for (let n = 0; n < FRAMES; n++) {
    frames.push(
      event(
        'contentBlockDelta',
        `{"contentBlockIndex":0,"delta":{"text":" word${n} and some"},"p":"abcdefghijk"}`,
      ),
    )
  }
  frames.push(event('messageStop', '{"stopReason":"end_turn"}'))
  return [...frames, event('metadata', '{"usage":{"inputTokens":9,"outputTokens":48,"totalTokens":57}}')]
}

const STREAMS: readonly (readonly [DialectId, readonly Uint8Array[]])[] = [
  ['openai-chat', chatFrames().map(frame => encoder.encode(frame))],
  ['openai-responses', responsesFrames().map(frame => encoder.encode(frame))],
  ['anthropic-messages', messagesFrames().map(frame => encoder.encode(frame))],
  ['gemini-generate', geminiFrames().map(frame => encoder.encode(frame))],
  ['bedrock-converse', converseFrames()],
]

let written = 0
const out = { write: (bytes: Uint8Array) => void (written += bytes.length) }

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}

function streamCase(
  name: string,
  dialect: DialectId,
  pieces: readonly Uint8Array[],
  frames: number,
  hideUsage = false,
): Case {
  return {
    name,
    units: frames,
    bytes: sizeOf(pieces),
    once: () => {
      const path = relayReply({ dialect, streaming: true, hideUsage, out })
      for (const piece of pieces) path.write(piece)
      path.end()
      if (path.facts.state !== 'complete' || path.facts.usage === null)
        throw new Error(`${name} is not complete`)
    },
  }
}

/** Many streams' frames in one body, cut as a busy socket cuts them. */
function loaded(frames: readonly Uint8Array[]): Uint8Array[] {
  const body = new Uint8Array(sizeOf(frames))
  let at = 0
  for (const frame of frames) {
    body.set(frame, at)
    at += frame.length
  }
  const pieces: Uint8Array[] = []
  for (let from = 0; from < body.length; from += LOADED_BYTES)
    pieces.push(body.subarray(from, from + LOADED_BYTES))
  return pieces
}

function requestBody(textBytes: number): Uint8Array {
  const text = 'The quick brown fox \\"jumps\\" over the lazy dog.\\n'.repeat(Math.ceil(textBytes / 48))
  return encoder.encode(
    `{"model":"gpt-x","messages":[{"role":"user","content":"${text}"}],"stream":true,"temperature":0.7}`,
  )
}

function bodyCases(): Case[] {
  const small = requestBody(1_000)
  const large = requestBody(1_000_000)
  const edits = { model: 'some-other-model', includeUsage: true }
  const whole = encoder.encode(
    `{"id":"chatcmpl-1","object":"chat.completion","created":1760000000,"model":"gpt-x","choices":[{"index":0,"message":{"role":"assistant","content":"${'word '.repeat(160)}","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":160,"total_tokens":169}}`,
  )
  return [
    {
      name: 'scan a 1 KB request',
      units: 1,
      bytes: small.length,
      once: () => void scanRequest('openai-chat', small),
    },
    {
      name: 'scan and splice a 1 KB request',
      units: 1,
      bytes: small.length,
      once: () => void spliceRequest(scanRequest('openai-chat', small), edits),
    },
    {
      name: 'scan a 1 MB request',
      units: 1,
      bytes: large.length,
      once: () => void scanRequest('openai-chat', large),
    },
    {
      name: 'scan and splice a 1 MB request',
      units: 1,
      bytes: large.length,
      once: () => void spliceRequest(scanRequest('openai-chat', large), edits),
    },
    {
      name: 'relay a 1 KB whole reply',
      units: 1,
      bytes: whole.length,
      once: () => {
        const path = relayReply({ dialect: 'openai-chat', streaming: false, hideUsage: false, out })
        path.write(whole)
        path.end()
        if (path.facts.usage?.outputTokens !== 160) throw new Error('no usage')
      },
    },
  ]
}

/** The machine: what one look at every byte costs. */
function machineCase(pieces: readonly Uint8Array[]): Case {
  return {
    name: 'one look at every byte',
    units: pieces.length,
    bytes: sizeOf(pieces),
    once: () => {
      let lines = 0
      for (const piece of pieces) {
        for (let at = 0; at < piece.length; at++) if (piece[at] === 0x0a) lines += 1
      }
      written += lines
    },
  }
}

/** The floor: what a paced stream costs when every piece is only counted. */
function floorCase(pieces: readonly Uint8Array[]): Case {
  return {
    name: 'openai-chat, forwarded unseen',
    units: pieces.length,
    bytes: sizeOf(pieces),
    once: () => {
      for (const piece of pieces) out.write(piece)
    },
  }
}

function measure(cases: readonly Case[]): void {
  const times = cases.map(() => [] as number[])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, one] of cases.entries()) {
      const from = process.cpuUsage()
      const fromMs = performance.now()
      let runs = 0
      while (performance.now() - fromMs < ROUND_MS) {
        for (let run = 0; run < RUNS; run++) one.once()
        runs += RUNS
      }
      const { user, system } = process.cpuUsage(from)
      times[index]!.push((user + system) / runs)
    }
  }
  for (const [index, one] of cases.entries()) {
    const best = times[index]!.sort((left, right) => left - right)[ROUNDS >> 2]!
    const perUnit = best / one.units
    const speed = one.bytes / best
    console.log(
      `${one.name.padEnd(48)} ${perUnit.toFixed(3).padStart(10)} µs ${speed.toFixed(0).padStart(8)} MB/s`,
    )
  }
}

const cases: Case[] = [machineCase(STREAMS[0]![1]), floorCase(STREAMS[0]![1])]
for (const [dialect, frames] of STREAMS) {
  cases.push(streamCase(`${dialect}, a frame a piece`, dialect, frames, frames.length))
  cases.push(streamCase(`${dialect}, 16 KiB a piece`, dialect, loaded(frames), frames.length))
}
const turns = turnsFrames()
cases.push(streamCase('openai-chat, no frame like the last', 'openai-chat', turns, turns.length))
cases.push(
  streamCase(
    'openai-chat, usage hidden, a frame a piece',
    'openai-chat',
    STREAMS[0]![1],
    STREAMS[0]![1].length,
    true,
  ),
)
cases.push(...bodyCases())
measure(cases)
if (written === 0) throw new Error('nothing was relayed')

// Why the binary event stream has code of its own and server-sent events have not. Run after a build:
//   node dist/bench/micro/framing.bench.js

import { EventStreamCodec } from '@smithy/eventstream-codec'
import { bench, do_not_optimize, run, summary } from 'mitata'
import { ByteOut } from '../../src/translate/bytes/byte-out.ts'
import { EventStreamReader, writeFrame } from '../../src/translate/framing/event-stream.ts'
import { SseReader } from '../../src/translate/framing/sse.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const JSON_TEXT = '{"contentBlockIndex":0,"delta":{"text":" some words of a reply"},"p":"abcdefghijk"}'

function oneFrame(): Uint8Array {
  const out = new ByteOut()
  writeFrame(out, 'event', 'contentBlockDelta', JSON_TEXT)
  return out.take()
}

const frame = oneFrame()
const codec = new EventStreamCodec(
  bytes => decoder.decode(bytes),
  text => encoder.encode(text),
)
let seen = 0
const reader = new EventStreamReader({
  frame: (_kind, name, payload) => {
    seen += name.length + payload.length
  },
  broken: () => {
    throw new Error('broken')
  },
})

summary(() => {
  bench('read a frame: ours, incremental', () => reader.write(frame))
  bench('read a frame: vendor codec, whole', () => {
    const message = codec.decode(frame)
    seen += message.body.length + String(message.headers[':event-type']?.value).length
  })
})

const out = new ByteOut()
summary(() => {
  bench('write a frame: ours', () => {
    writeFrame(out, 'event', 'contentBlockDelta', JSON_TEXT)
    do_not_optimize(out.take().length)
  })
  bench('write a frame: vendor codec', () => {
    const message = codec.encode({
      headers: {
        ':event-type': { type: 'string', value: 'contentBlockDelta' },
        ':content-type': { type: 'string', value: 'application/json' },
        ':message-type': { type: 'string', value: 'event' },
      },
      body: encoder.encode(JSON_TEXT),
    })
    do_not_optimize(message.length)
  })
})

const sse = encoder.encode(`data: ${JSON_TEXT}\n\n`.repeat(4))
const sseReader = new SseReader({
  event: (_name, data) => {
    seen += data.length
  },
  comment: () => {},
  tooLong: () => {},
})
bench('read four server-sent events', () => sseReader.write(sse))

await run()
do_not_optimize(seen)

// Server-sent events and the binary event stream, as bytes.

import { EventStreamCodec } from '@smithy/eventstream-codec'
import { describe, expect, test } from 'vitest'
import { ByteOut } from '../../src/translate/bytes/byte-out.ts'
import { crc32 } from '../../src/translate/bytes/crc32.ts'
import { EventStreamReader, writeFrame } from '../../src/translate/framing/event-stream.ts'
import { SseReader } from '../../src/translate/framing/sse.ts'
import { bytes, text } from './harness.ts'

function events(input: Uint8Array, pieceBytes: number, unitsMax?: number): string[] {
  const seen: string[] = []
  const reader = new SseReader(
    {
      event: (name, data) => seen.push(`${name}|${data}`),
      comment: () => seen.push('comment'),
      tooLong: () => seen.push('too long'),
    },
    unitsMax,
  )
  for (let at = 0; at < input.length; at += pieceBytes) reader.write(input.subarray(at, at + pieceBytes))
  reader.end()
  return seen
}

const SSE_CASES: readonly [string, string, string[]][] = [
  ['LF', 'event: a\ndata: 1\n\n', ['a|1']],
  ['CRLF', 'event: a\r\ndata: 1\r\n\r\n', ['a|1']],
  ['lone CR', 'event: a\rdata: 1\r\rdata: 2\r\r', ['a|1', '|2']],
  ['no space after the colon', 'data:{"x":1}\n\n', ['|{"x":1}']],
  ['only one space is dropped', 'data:  1\n\n', ['| 1']],
  ['several data lines', 'data: 1\ndata: 2\n\n', ['|1\n2']],
  ['a byte order mark', '\ufeffdata: 1\n\n', ['|1']],
  ['comments', ': hi\n\ndata: 1\n\n', ['comment', '|1']],
  ['other fields', 'id: 7\nretry: 10\nnovel: x\ndata: 1\n\n', ['|1']],
  ['a last frame without its blank line', 'data: 1\n\ndata: 2', ['|1', '|2']],
  ['a frame without data', 'event: a\n\ndata: 1\n\n', ['|1']],
  ['characters of several bytes', 'data: ü€😀\n\n', ['|ü€😀']],
]

describe('server-sent events', () => {
  test.each(SSE_CASES)('%s', (_, input, wanted) => {
    for (const pieceBytes of [1, 2, 3, 7, 64, 4096]) expect(events(bytes(input), pieceBytes)).toEqual(wanted)
  })

  test('invalid bytes become replacement characters and the stream goes on', () => {
    const input = Uint8Array.from([...bytes('data: a'), 0xff, ...bytes('b\n\ndata: c\n\n')])
    expect(events(input, 1)).toEqual(['|a\ufffdb', '|c'])
  })

  test('a line of 5 MiB passes and a longer one than the bound does not', () => {
    const long = bytes(`data: ${'x'.repeat(5 * 1024 * 1024)}\n\n`)
    expect(events(long, 65_536)[0]?.length).toBe(5 * 1024 * 1024 + 1)
    expect(events(long, 65_536, 1024 * 1024)).toEqual(['too long'])
  })
})

interface Frames {
  readonly seen: string[]
  readonly clean: boolean
}

function frames(input: Uint8Array, pieceBytes: number, frameBytesMax?: number): Frames {
  const seen: string[] = []
  const reader = new EventStreamReader(
    {
      frame: (kind, name, payload) => seen.push(`${kind} ${name} ${text(payload)}`),
      broken: message => seen.push(`broken: ${message}`),
    },
    frameBytesMax,
  )
  for (let at = 0; at < input.length; at += pieceBytes) reader.write(input.subarray(at, at + pieceBytes))
  return { seen, clean: reader.end() }
}

function framesOf(...list: readonly (readonly ['event' | 'exception', string, string])[]): Uint8Array {
  const out = new ByteOut()
  for (const [kind, name, json] of list) writeFrame(out, kind, name, json)
  return out.take()
}

/** The example of the public description of the format. */
const MESSAGE_STOP = Uint8Array.from(
  (
    '0000007a00000051ca2c46650b3a6576656e742d7479706507000b6d65737361676553746f700d3a636f6e74656e742d74797065' +
    '0700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b2273746f70526561736f' +
    '6e223a22656e645f7475726e227d5fbf09fc'
  )
    .match(/../g)!
    .map(hex => Number.parseInt(hex, 16)),
)

describe('the binary event stream', () => {
  test('the published example is read and written byte for byte', () => {
    const payload = '{"stopReason":"end_turn"}'
    expect(frames(MESSAGE_STOP, 122).seen).toEqual([`event messageStop ${payload}`])
    expect(framesOf(['event', 'messageStop', payload])).toEqual(MESSAGE_STOP)
  })

  test('the vendor library reads what we write, and we read what it writes', () => {
    const codec = new EventStreamCodec(text, bytes)
    const message = codec.decode(framesOf(['exception', 'throttlingException', '{"message":"slow down"}']))
    expect(message.headers[':exception-type']?.value).toBe('throttlingException')
    expect(message.headers[':message-type']?.value).toBe('exception')
    const theirs = codec.encode({
      headers: {
        ':message-type': { type: 'string', value: 'event' },
        'a-flag': { type: 'boolean', value: true },
        'a-number': { type: 'integer', value: 7 },
        'some-bytes': { type: 'binary', value: bytes('xyz') },
        ':event-type': { type: 'string', value: 'messageStart' },
      },
      body: bytes('{"role":"assistant"}'),
    })
    expect(frames(theirs, 5).seen).toEqual(['event messageStart {"role":"assistant"}'])
  })

  test('an error frame carries its code and message', () => {
    const codec = new EventStreamCodec(text, bytes)
    const frame = codec.encode({
      headers: {
        ':message-type': { type: 'string', value: 'error' },
        ':error-code': { type: 'string', value: 'InternalError' },
        ':error-message': { type: 'string', value: 'it broke' },
      },
      body: new Uint8Array(0),
    })
    expect(frames(frame, 1).seen).toEqual(['error InternalError it broke'])
  })

  test('frames cut anywhere come out whole', () => {
    const stream = framesOf(
      ['event', 'messageStart', '{}'],
      ['event', 'contentBlockDelta', '{"x":"ü"}'],
      ['event', 'metadata', '{}'],
    )
    const whole = frames(stream, stream.length)
    for (let pieceBytes = 1; pieceBytes < 130; pieceBytes++) expect(frames(stream, pieceBytes)).toEqual(whole)
    expect(whole.clean).toBe(true)
    for (let length = 1; length < 100; length++)
      expect(frames(stream.subarray(0, length), 9).clean).toBe(false)
  })

  test('any flipped bit of a frame is found', () => {
    const frame = framesOf(['event', 'metadata', '{"usage":{}}'])
    for (let at = 0; at < frame.length; at++) {
      const bent = frame.slice()
      bent[at]! ^= 1 << (at % 8)
      expect(frames(bent, 1000).seen.join(), `byte ${at}`).toMatch(/^broken: /)
    }
  })

  test('a frame longer than the bound is refused by its prelude', () => {
    expect(frames(MESSAGE_STOP, 16, 100).seen).toEqual(['broken: event stream frame too long'])
  })

  test('the checksum is the one of zlib', () => {
    expect(crc32(bytes('123456789'))).toBe(0xcbf43926)
    expect(crc32(bytes('56789'), 0, 5, crc32(bytes('1234')))).toBe(0xcbf43926)
  })
})

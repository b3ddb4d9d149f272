// A frame like the one before it is not read. What is read must not be told from what is not: whole frames, which
// may be known, and single bytes, which never are, come to the same reply.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DialectId, openReply, ReplyContext } from '../../src/translate/index.ts'
import { Utf8Pieces } from '../../src/translate/framing/utf8-pieces.ts'
import { eventMessage } from '../support/fake-upstream/index.ts'

const SEED = Number(process.env['FAST_CHECK_SEED'] ?? 0)
const OPTIONS = { numRuns: 150, ...(SEED === 0 ? {} : { seed: SEED }) }
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** String literals: plain, escaped, beyond ASCII, and some that are none. */
const literal = fc.oneof(
  { weight: 8, arbitrary: fc.string({ maxLength: 12 }).map(text => JSON.stringify(text)) },
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }).map(text => JSON.stringify(text)) },
  { weight: 2, arbitrary: fc.constantFrom('"\\u0041"', '"\ufeffx"', '"\\ud83d"', '"\\ude00"', '""') },
  { weight: 1, arbitrary: fc.constantFrom('"\\x"', '"a\\"', 'null', '7', '{"a":"b"}', '["x"]') },
)
const count = fc.constantFrom('1', '2', '30', '007', '1.5', '-1', 'null')

/** What stands around the text: the usual, and what makes one frame differ from the next. */
const chatFrame = fc
  .tuple(literal, literal, fc.constantFrom('content', 'reasoning_content', 'refusal'), fc.nat(9))
  .map(([text, padding, member, kind]) => {
    const twice = kind === 0 ? `,"${member}":"again"` : ''
    const choice = `{"index":0,"delta":{"${member}":${text}${twice}},"finish_reason":null}`
    const json = `{"id":"c","choices":[${choice}],"obfuscation":${padding}}`
    if (kind === 1) return `: comment\n\ndata: ${json}\n\n`
    if (kind === 2) return `data: ${json}\r\n\r\n`
    if (kind === 3) return `data: {"id":"c",\ndata: ${json.slice('{"id":"c",'.length)}\n\n`
    return `data: ${json}\n\n`
  })

const messagesFrame = fc.tuple(literal, fc.nat(9)).map(([text, kind]) => {
  const member = kind === 0 ? 'thinking' : 'text'
  const data = `{"type":"content_block_delta","index":0,"delta":{"type":"${member}_delta","${member}":${text}}}`
  return `event: content_block_delta\ndata: ${data}\n\n`
})

const responsesFrame = fc.tuple(literal, literal, count).map(([text, padding, number]) => {
  const place = '"item_id":"m","output_index":0,"content_index":0'
  return `event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":${number},${place},"delta":${text},"logprobs":[],"obfuscation":${padding}}\n\n`
})

const geminiFrame = fc.tuple(literal, count, fc.nat(9)).map(([text, tokens, kind]) => {
  const thought = kind === 0 ? ',"thought":true' : ''
  const candidate = `{"content":{"parts":[{"text":${text}${thought}}],"role":"model"},"index":0}`
  return `data: {"candidates":[${candidate}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":${tokens}}}\r\n\r\n`
})

const conversePayload = fc.tuple(literal, literal, fc.nat(9)).map(([text, padding, kind]) => {
  return `{"contentBlockIndex":${kind === 0 ? 1 : 0},"delta":{"text":${text}},"p":${padding}}`
})

function converseFrame(payload: string): Uint8Array {
  return eventMessage([':event-type', 'contentBlockDelta', ':message-type', 'event'], encoder.encode(payload))
}

const BEGINNINGS: Readonly<Record<DialectId, string>> = {
  'openai-chat': '',
  'openai-responses':
    'data: {"type":"response.created","response":{"id":"r","model":"m"}}\n\ndata: {"type":"response.output_item.added","output_index":0,"item":{"id":"m","type":"message","content":[]}}\n\ndata: {"type":"response.content_part.added","item_id":"m","output_index":0,"content_index":0,"part":{"type":"output_text","text":""}}\n\n',
  'anthropic-messages':
    'data: {"type":"message_start","message":{"id":"m","model":"c"}}\n\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
  'bedrock-converse': '',
  'gemini-generate': '',
}

const FRAMES: Readonly<Record<DialectId, fc.Arbitrary<string>>> = {
  'openai-chat': chatFrame,
  'openai-responses': responsesFrame,
  'anthropic-messages': messagesFrame,
  'bedrock-converse': conversePayload,
  'gemini-generate': geminiFrame,
}

function beginning(dialect: DialectId): Uint8Array {
  return dialect === 'bedrock-converse'
    ? eventMessage(
        [':event-type', 'messageStart', ':message-type', 'event'],
        encoder.encode('{"role":"assistant"}'),
      )
    : encoder.encode(BEGINNINGS[dialect])
}

function reply(upstream: DialectId, pieces: readonly Uint8Array[]): unknown {
  let text = ''
  const client = upstream === 'anthropic-messages' ? 'openai-chat' : 'anthropic-messages'
  const out = { write: (bytes: Uint8Array) => void (text += decoder.decode(bytes)) }
  const context = new ReplyContext(client, upstream)
  const path = openReply({ client, upstream, streaming: true, context, out })
  for (const piece of pieces) path.write(piece)
  path.end()
  return { text, facts: path.facts }
}

function frameOf(dialect: DialectId, made: string): Uint8Array {
  return dialect === 'bedrock-converse' ? converseFrame(made) : encoder.encode(made)
}

/** Byte by byte no frame is known. Binary frames are put together first: there, white space makes each another. */
function neverKnown(dialect: DialectId, all: readonly Uint8Array[], made: readonly string[]): Uint8Array[] {
  if (dialect !== 'bedrock-converse') return Array.from(joined(all), byte => new Uint8Array([byte]))
  return [all[0]!, ...made.map((payload, at) => converseFrame(payload + ' '.repeat(at)))]
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces))
}

describe('a frame like the one before it', () => {
  for (const upstream of Object.keys(FRAMES) as DialectId[]) {
    test(`means the same to the reader of ${upstream} as one that is read`, () => {
      const frames = fc.array(FRAMES[upstream], { minLength: 1, maxLength: 12 })
      fc.assert(
        fc.property(frames, fc.nat(4), (made, together) => {
          const all = [beginning(upstream), ...made.map(one => frameOf(upstream, one))]
          const pieces: Uint8Array[] = []
          for (let at = 0; at < all.length; at += together + 1)
            pieces.push(joined(all.slice(at, at + together + 1)))
          const unknown = neverKnown(upstream, all, made)
          expect(reply(upstream, pieces)).toEqual(reply(upstream, unknown))
        }),
        OPTIONS,
      )
    })
  }
})

describe('text from pieces of UTF-8', () => {
  test('is what a decoder in streaming mode makes of them, whatever the bytes', () => {
    const byte = fc.oneof(
      fc.nat(255),
      fc.constantFrom(0xf0, 0x9f, 0x98, 0x80, 0xe2, 0x82, 0xc3, 0xef, 0xbb, 0xbf, 0x41),
    )
    fc.assert(
      fc.property(fc.array(fc.array(byte, { maxLength: 5 }), { maxLength: 8 }), made => {
        const ours = new Utf8Pieces()
        const theirs = new TextDecoder()
        const pieces = made.map(piece => new Uint8Array(piece))
        const expected =
          pieces.map(piece => theirs.decode(piece, { stream: true })).join('') + theirs.decode()
        expect(pieces.map(piece => ours.text(piece, 0, piece.length)).join('') + ours.end()).toBe(expected)
      }),
      { ...OPTIONS, numRuns: 1_000 },
    )
  })
})

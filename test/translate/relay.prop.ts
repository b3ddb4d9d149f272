// Laws of relayed replies: cuts change neither bytes nor facts, a torn reply never looks complete, and the client
// always finds the error form of its dialect behind whatever was torn.

import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EventStreamReader } from '../../src/translate/framing/event-stream.ts'
import { DIALECTS, type DialectId } from '../../src/translate/index.ts'
import { bytes as bytesOf, ENDINGS, text } from './harness.ts'
import {
  CUT,
  factsOf,
  fakeStream,
  frameEnds,
  pieces,
  relay,
  type Relayed,
  same,
  streamsOf,
} from './relay-fixtures.ts'

const SEED = Number(process.env['FAST_CHECK_SEED'] ?? 1)
const SSE = DIALECTS.filter(dialect => dialect !== 'bedrock-converse')
const ENDINGS_OF_INPUT = ['end', 'cut'] as const

/** Streams up to this length are tried at every byte; the others at every seventh, each from another start. */
const THOROUGH_BYTES_MAX = 2_000
const STRIDE = 7

/** Places to cut a stream at. */
function places(name: string, length: number): number[] {
  const stride = length <= THOROUGH_BYTES_MAX ? 1 : STRIDE
  const from = name.length % stride
  return Array.from({ length: Math.ceil((length - from) / stride) }, (_, index) => from + index * stride)
}

interface Seen {
  readonly name: string
  readonly data: string
}

/** What the official parser makes of the bytes a client got. */
function eventsOf(dialect: DialectId, bytes: Uint8Array): Seen[] {
  const seen: Seen[] = []
  if (dialect !== 'bedrock-converse') {
    const parser = createParser({
      onEvent: event => void seen.push({ name: event.event ?? '', data: event.data }),
    })
    parser.feed(text(bytes))
    return seen
  }
  const reader = new EventStreamReader({
    frame: (kind, name, payload) => void seen.push({ name: `${kind} ${name}`, data: text(payload) }),
    broken: message => void seen.push({ name: 'broken', data: message }),
  })
  reader.write(bytes)
  if (!reader.end()) seen.push({ name: 'broken', data: 'torn' })
  return seen
}

const IS_ERROR: Readonly<Record<DialectId, (event: Seen) => boolean>> = {
  'openai-chat': event => says(event.data, ['error']),
  'openai-responses': event =>
    event.name === 'error' ? says(event.data, []) : says(event.data, ['response', 'error']),
  'anthropic-messages': event => event.name === 'error' && says(event.data, ['error']),
  'gemini-generate': event => says(event.data, ['error']),
  'bedrock-converse': event => event.name === 'exception modelStreamErrorException' && says(event.data, []),
}

/** The document says one of our two messages at the path. */
function says(json: string, path: readonly string[]): boolean {
  let value: unknown = JSON.parse(json)
  for (const name of [...path, 'message']) value = (value as Record<string, unknown> | undefined)?.[name]
  return value === CUT.message || value === "the upstream's reply ended before it was complete"
}

/** What is wrong with a relay that was given only the first `length` bytes; '' when nothing is. */
function wrongWhenTorn(
  dialect: DialectId,
  bytes: Uint8Array,
  length: number,
  ending: 'end' | 'cut',
  ends: readonly number[],
): string {
  const sent = bytes.subarray(0, length)
  const torn = relay(dialect, [sent], ending)
  if (torn.facts.state === 'open') return 'left open'
  if (torn.facts.state === 'complete') {
    if (!ENDINGS[dialect].test(text(sent))) return 'complete without the end'
    return same(torn.bytes, sent) ? '' : 'complete with other bytes'
  }
  if (!same(torn.bytes.subarray(0, length), sent)) return 'other bytes than those sent'
  // An error of the upstream's own was the end.
  if (torn.bytes.length === length && torn.facts.error?.from === dialect) return ''
  const from = ends.findLast(end => end <= length)!
  const last = eventsOf(dialect, torn.bytes.subarray(from)).at(-1)
  return last !== undefined && IS_ERROR[dialect](last) ? '' : `no error form: ${JSON.stringify(last)}`
}

function checkTorn(dialect: DialectId, bytes: Uint8Array, lengths: readonly number[]): void {
  const ends = frameEnds(dialect, bytes)
  for (const length of lengths) {
    for (const ending of ENDINGS_OF_INPUT) {
      const wrong = wrongWhenTorn(dialect, bytes, length, ending, ends)
      if (wrong !== '') expect.fail(`${ending} after ${length} bytes: ${wrong}`)
    }
  }
}

function checkSame(torn: Relayed, whole: Relayed, how: string): void {
  if (JSON.stringify(factsOf(torn.facts)) !== JSON.stringify(factsOf(whole.facts)))
    expect(factsOf(torn.facts), how).toEqual(factsOf(whole.facts))
  if (!same(torn.bytes, whole.bytes)) expect(text(torn.bytes), how).toBe(text(whole.bytes))
}

describe.each(DIALECTS)('a relayed stream of %s', dialect => {
  test.each(streamsOf(dialect))(
    '$name cut anywhere passes the same bytes and says the same',
    ({ name, bytes }) => {
      const whole = relay(dialect, [bytes])
      for (const cut of places(name, bytes.length)) {
        checkSame(relay(dialect, [bytes.subarray(0, cut), bytes.subarray(cut)]), whole, `cut at ${cut}`)
      }
      const single = Array.from(bytes, byte => Uint8Array.of(byte))
      checkSame(relay(dialect, single), whole, 'byte by byte')
    },
  )

  test.each(streamsOf(dialect))('$name torn off anywhere ends in the error form', ({ name, bytes }) => {
    checkTorn(dialect, bytes, places(name, bytes.length))
  })

  test('nothing is held back: what a call brought has left when it returns', () => {
    for (const { bytes } of streamsOf(dialect)) {
      for (let cut = 0; cut < bytes.length; cut += 7) {
        expect(relay(dialect, [bytes.subarray(0, cut)], 'open').bytes.length).toBe(cut)
      }
    }
  })
})

/** The same stream with other line ends, and with a byte order mark. */
function respelled(bytes: Uint8Array, lineEnd: string): Uint8Array {
  return bytesOf(`\ufeff${text(bytes).replace(/\r?\n/g, lineEnd)}`)
}

describe.each(SSE)('a relayed stream of %s in other spellings', dialect => {
  test.each(['\n', '\r', '\r\n'])('with lines that end in %j says the same, however it is cut', lineEnd => {
    for (const { bytes } of streamsOf(dialect)) {
      const plain = relay(dialect, [bytes])
      const other = respelled(bytes, lineEnd)
      const whole = relay(dialect, [other])
      expect(factsOf(whole.facts)).toEqual(factsOf(plain.facts))
      fc.assert(
        fc.property(fc.array(fc.nat(other.length), { maxLength: 12 }), cuts =>
          checkSame(relay(dialect, pieces(other, cuts)), whole, String(cuts)),
        ),
        { seed: SEED, numRuns: 20 },
      )
    }
  })

  test.each(['\r', '\r\n'])(
    'with lines that end in %j and torn off anywhere ends in the error form',
    lineEnd => {
      const bytes = respelled(fakeStream(dialect), lineEnd)
      checkTorn(dialect, bytes, places('text', bytes.length))
    },
  )
})

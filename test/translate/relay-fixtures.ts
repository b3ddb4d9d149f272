// What the suites of the relay share: ways to drive one, and recorded streams of every dialect.

import { ByteOut } from '../../src/translate/bytes/byte-out.ts'
import { type DialectId, type ErrorReply, relayReply } from '../../src/translate/index.ts'
import type { ReplyFacts } from '../../src/translate/reply-path.ts'
import { FAKE_DIALECTS } from '../support/fake-upstream/index.ts'
import { type Fixture, streams } from './harness.ts'

/** Why a relay is cut in tests. */
export const CUT: ErrorReply = {
  kind: 'incomplete_stream',
  status: 502,
  message: 'the upstream closed the connection',
  param: null,
  code: null,
  retryAfterMs: null,
  from: 'gateway',
  requestId: null,
}

export interface Relayed {
  readonly bytes: Uint8Array
  readonly facts: ReplyFacts
}

/** `open` leaves the reply where it is. */
export type Ending = 'end' | 'cut' | 'open'

export interface Wish {
  readonly streaming?: boolean
  readonly hideUsage?: boolean
}

export function relay(
  dialect: DialectId,
  pieces: readonly Uint8Array[],
  ending: Ending = 'end',
  { streaming = true, hideUsage = false }: Wish = {},
): Relayed {
  const out = new ByteOut()
  const sink = { write: (bytes: Uint8Array) => out.bytes(bytes) }
  const path = relayReply({ dialect, streaming, hideUsage, out: sink })
  for (const piece of pieces) path.write(piece)
  if (ending === 'end') path.end()
  else if (ending === 'cut') path.cut(CUT)
  return { bytes: out.take(), facts: path.facts }
}

/** What a relay knows, as plain values. */
export function factsOf(facts: ReplyFacts): ReplyFacts {
  const { state, usage, finish, contentSeen, model, id, error } = facts
  return { state, usage, finish, contentSeen, model, id, error }
}

const TURN = {
  id: 'turn1',
  model: 'some-model',
  pieces: ['Hello ', 'there, ', 'über ', '😀 "quoted" \\ end'],
  call: null,
  inputTokens: 12,
  outputTokens: 4,
  finish: 'stop' as const,
}

const CALL = {
  ...TURN,
  pieces: [],
  call: { id: 'call_1', name: 'weather', input: '{"city":"Oslo","usage":{"a":1}}' },
  finish: 'call' as const,
}

/** A stream as the fake upstream sends it. */
export function fakeStream(dialect: DialectId, calls = false): Uint8Array {
  const prompt = {
    model: 'm',
    stream: true,
    streamUsage: true,
    texts: [],
    lastUserText: null,
    lastToolResult: null,
    tools: [],
    toolChoice: 'auto',
    outputTokensMax: null,
  }
  const frames = FAKE_DIALECTS[dialect].streamFrames(calls ? CALL : TURN, prompt)
  return joined([...frames.before, ...frames.content, ...frames.after])
}

/** Streams of a dialect: recorded ones, and those of the fake upstream. A stream in one JSON array is a document. */
export function streamsOf(dialect: DialectId): Fixture[] {
  const made = [
    { name: 'fake text', bytes: fakeStream(dialect) },
    { name: 'fake call', bytes: fakeStream(dialect, true) },
  ]
  return [...streams(dialect).filter(fixture => fixture.bytes[0] !== 0x5b), ...made]
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const out = new ByteOut()
  for (const piece of pieces) out.bytes(piece)
  return out.take()
}

export function same(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}

/** Cut at every given place. */
export function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const sorted = [...cuts].sort((left, right) => left - right)
  return [...sorted, bytes.length].map((to, index) => bytes.subarray(sorted[index - 1] ?? 0, to))
}

/** Where the frames of a stream end: nothing before such a place matters to what comes behind it. */
export function frameEnds(dialect: DialectId, bytes: Uint8Array): number[] {
  const ends = [0]
  if (dialect === 'bedrock-converse') {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at + 4 <= bytes.length; ) {
      at += view.getUint32(at)
      ends.push(at)
    }
    return ends
  }
  const latin = Buffer.from(bytes).toString('latin1')
  for (const match of latin.matchAll(/\r\n\r\n|\n\n|\r\r/g)) ends.push(match.index + match[0].length)
  return ends
}

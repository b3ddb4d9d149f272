// What the suites of the relay share: ways to drive one and recorded streams of every dialect.

import { ByteOut } from '../../src/translate/bytes/byte-out.ts'
import { DIALECTS, type DialectId, type ErrorReply, relayReply } from '../../src/translate/index.ts'
import type { ReplyFacts } from '../../src/translate/reply-path.ts'
import { FAKE_DIALECTS } from '../support/fake-upstream/index.ts'
import { type Fixture, streams } from './harness.ts'

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

export type Ending = 'end' | 'cut'

export function relay(
  dialect: DialectId,
  pieces: readonly Uint8Array[],
  ending: Ending = 'end',
  wish: { readonly streaming?: boolean; readonly hideUsage?: boolean } = {},
): Relayed {
  const out = new ByteOut()
  const { streaming = true, hideUsage = false } = wish
  const sink = { write: (bytes: Uint8Array) => out.bytes(bytes) }
  const path = relayReply({ dialect, streaming, hideUsage, out: sink })
  for (const piece of pieces) path.write(piece)
  if (ending === 'end') path.end()
  else path.cut(CUT)
  return { bytes: out.take(), facts: path.facts }
}

/** What a relay knows, as plain values. */
export function factsOf(facts: ReplyFacts): unknown {
  const { state, usage, finish, contentSeen, model, id, error } = facts
  return { state, usage, finish, contentSeen, model, id, error }
}

/** Streams of a dialect: recorded ones, and those of the fake upstream. */
export function streamsOf(dialect: DialectId): Fixture[] {
  const fake = FAKE_DIALECTS[dialect]
  const turn = {
    id: 'turn1',
    model: 'some-model',
    pieces: ['Hello ', 'there, ', 'über ', '😀 "quoted" \\ end'],
    call: null,
    inputTokens: 12,
    outputTokens: 4,
    finish: 'stop' as const,
  }
  const called = {
    ...turn,
    pieces: [],
    call: { id: 'call_1', name: 'weather', input: '{"city":"Oslo","usage":{"a":1}}' },
    finish: 'call' as const,
  }
  const made = [
    { name: 'fake text', turn },
    { name: 'fake call', turn: called },
    { name: 'fake length', turn: { ...turn, finish: 'length' as const } },
  ].map(({ name, turn: said }) => {
    const frames = fake.streamFrames(said, { streamUsage: true } as never)
    return { name, bytes: joined([...frames.before, ...frames.content, ...frames.after]) }
  })
  return [...streams(dialect), ...made]
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const out = new ByteOut()
  for (const piece of pieces) out.bytes(piece)
  return out.take()
}

export { DIALECTS }

// Readers meet bytes that no vendor would send. They never throw, always end the turn, keep its grammar, and what
// a pair writes from them is read by the client's own reader as what it is: complete or failed.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TranslateError } from '../../src/translate/translate-error.ts'
import { collected, dialects, prompts, replies, streams, translateReply } from './harness.ts'

const NOISE = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\n',
  '\r',
  '\n\n',
  '\\',
  'null',
  '-1',
  '1e999',
  '""',
  '[]',
  '{}',
  'data: ',
  'event: ',
  '\u0000',
  '\ufeff',
]
const encoder = new TextEncoder()

/** A call that a model could not spell ends a reply elsewhere; Responses has no finish reason and calls it failed. */
const BROKEN_CALLS =
  /^(malformed_(function_call|response|tool_use|model_output)|unexpected_tool_call|too_many_tool_calls)$/i

const edit = fc.oneof(
  fc.record({
    at: fc.nat(),
    cut: fc.nat({ max: 40 }),
    put: fc.constantFrom(...NOISE).map(noise => encoder.encode(noise)),
  }),
  fc.record({ at: fc.nat(), cut: fc.nat({ max: 200 }), put: fc.uint8Array({ maxLength: 3 }) }),
  fc.record({ at: fc.nat(), cut: fc.constant(0), put: fc.constant(null) }),
)

/** `put` null repeats a stretch of the input, which makes frames come twice. */
function mutated(
  input: Uint8Array,
  edits: readonly { at: number; cut: number; put: Uint8Array | null }[],
): Uint8Array {
  let bytes = input
  for (const { at, cut, put } of edits) {
    const start = at % (bytes.length + 1)
    const middle = put ?? bytes.slice(start, start + 300)
    const joined = new Uint8Array(start + middle.length + Math.max(0, bytes.length - start - cut))
    joined.set(bytes.subarray(0, start))
    joined.set(middle, start)
    joined.set(bytes.subarray(start + cut), start + middle.length)
    bytes = joined
  }
  return bytes
}

const edits = fc.array(edit, { minLength: 1, maxLength: 4 })

for (const upstream of dialects) {
  describe(`bent bytes of ${upstream.id}`, () => {
    for (const [kind, fixtures] of [
      ['stream', streams(upstream.id)],
      ['reply', replies(upstream.id)],
    ] as const) {
      test(`a ${kind} ends the turn and keeps its grammar`, () => {
        fc.assert(
          fc.property(
            fc.constantFrom(...fixtures),
            edits,
            fc.integer({ min: 1, max: 500 }),
            (fixture, list, pieceBytes) => {
              const bytes = mutated(fixture.bytes, list)
              const pieces: Uint8Array[] = []
              for (let at = 0; at < bytes.length; at += pieceBytes)
                pieces.push(bytes.subarray(at, at + pieceBytes))
              const turn = collected(upstream, kind === 'stream', pieces)
              expect(turn.ended).toBe(turn.error === null)
            },
          ),
          { numRuns: 600 },
        )
      })
    }

    for (const client of dialects) {
      test(`reach ${client.id} as a reply its own reader accepts`, () => {
        fc.assert(
          fc.property(fc.constantFrom(...streams(upstream.id)), edits, (fixture, list) => {
            const { bytes, facts } = translateReply(client.id, upstream.id, true, [
              mutated(fixture.bytes, list),
            ])
            const shown = collected(client, true, [bytes])
            const failed = client.id === 'openai-responses' && BROKEN_CALLS.test(facts.finish ?? '')
            expect(shown.error === null).toBe(facts.state === 'complete' && !failed)
          }),
          { numRuns: 400 },
        )
      })
    }

    test('as a prompt is read or refused, never anything else', () => {
      fc.assert(
        fc.property(fc.constantFrom(...prompts(upstream.id)), edits, (fixture, list) => {
          try {
            upstream.readPrompt(mutated(fixture.bytes, list))
          } catch (error) {
            expect(error).toBeInstanceOf(TranslateError)
          }
        }),
        { numRuns: 600 },
      )
    })
  })
}

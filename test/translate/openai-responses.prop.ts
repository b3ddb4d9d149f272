// Members of the wrong kind, in the wrong place and missing: the bytes are JSON and framed well, and say nonsense.
// Readers end the turn and keep its grammar; what is written from them keeps the order of events.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openaiResponses } from '../../src/translate/openai-responses/dialect.ts'
import { TranslateError } from '../../src/translate/translate-error.ts'
import { bytes, collected, dialects, prompts, replies, streams, text, translateReply } from './harness.ts'

const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1,
  1.5,
  1e300,
  '',
  'x',
  'constructor',
  '__proto__',
  'response.completed',
  'response.output_item.done',
  'reasoning',
  'message',
  'function_call',
  'incomplete',
  [],
  {},
  [[]],
  [{}],
  [null],
  { type: 'item', id: 'x' },
  { type: 'refusal' },
]

const change = fc.record({
  at: fc.nat(),
  put: fc.option(fc.constantFrom(...ODD), { nil: undefined }),
})
const changes = fc.array(change, { minLength: 1, maxLength: 4 })

interface Place {
  readonly owner: Record<string, unknown>
  readonly key: string
}

function placesIn(value: unknown, places: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return places
  for (const [key, member] of Object.entries(value)) {
    places.push({ owner: value as Record<string, unknown>, key })
    placesIn(member, places)
  }
  return places
}

/** The document with members replaced, or taken out where nothing is put. */
function bent(document: unknown, list: readonly { at: number; put: unknown }[]): unknown {
  for (const { at, put } of list) {
    const places = placesIn(document)
    const place = places[at % Math.max(1, places.length)]
    if (place === undefined) continue
    if (put === undefined) delete place.owner[place.key]
    else place.owner[place.key] = structuredClone(put)
  }
  return document
}

const framesOf = (stream: Uint8Array): unknown[] =>
  Array.from(text(stream).matchAll(/^data: (\{.*\})\r?$/gm), match => JSON.parse(match[1]!) as unknown)

const framed = (frames: readonly unknown[]): Uint8Array =>
  bytes(frames.map(frame => `data: ${JSON.stringify(frame)}\n\n`).join(''))

describe('nonsense in a Responses', () => {
  test('stream ends the turn, and reaches every client as what it is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...streams('openai-responses')), changes, (fixture, list) => {
        const stream = framed(bent(framesOf(fixture.bytes), list) as unknown[])
        const turn = collected(openaiResponses, true, [stream])
        expect(turn.ended).toBe(turn.error === null)
        for (const client of dialects) {
          const { bytes: shown, facts } = translateReply(client.id, 'openai-responses', true, [stream])
          const read = collected(client, true, [shown]).error === null
          expect({ client: client.id, read }).toEqual({ client: client.id, read: facts.state === 'complete' })
        }
      }),
      { numRuns: 500 },
    )
  })

  test('stream whose events come twice, or not at all, or in another order ends the turn', () => {
    const moves = fc.array(fc.record({ from: fc.nat(), to: fc.nat(), copy: fc.boolean() }), {
      minLength: 1,
      maxLength: 5,
    })
    fc.assert(
      fc.property(fc.constantFrom(...streams('openai-responses')), moves, (fixture, list) => {
        const frames = framesOf(fixture.bytes)
        for (const { from, to, copy } of list) {
          const [frame] = copy ? [frames[from % frames.length]] : frames.splice(from % frames.length, 1)
          frames.splice(to % (frames.length + 1), 0, frame)
        }
        const { bytes: shown, facts } = translateReply('openai-responses', 'openai-responses', true, [
          framed(frames),
        ])
        expect(collected(openaiResponses, true, [shown]).error === null).toBe(facts.state === 'complete')
      }),
      { numRuns: 500 },
    )
  })

  test('reply ends the turn', () => {
    fc.assert(
      fc.property(fc.constantFrom(...replies('openai-responses')), changes, (fixture, list) => {
        const body = bytes(JSON.stringify(bent(JSON.parse(text(fixture.bytes)), list)))
        const turn = collected(openaiResponses, false, [body])
        expect(turn.ended).toBe(turn.error === null)
      }),
      { numRuns: 500 },
    )
  })

  test('prompt is read or refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(...prompts('openai-responses')), changes, (fixture, list) => {
        try {
          openaiResponses.readPrompt(bytes(JSON.stringify(bent(JSON.parse(text(fixture.bytes)), list))))
        } catch (error) {
          expect(error).toBeInstanceOf(TranslateError)
        }
      }),
      { numRuns: 500 },
    )
  })
})

// Laws that every dialect and every pair keeps, tried on every fixture: cuts change nothing, a torn stream never
// looks complete, whole and streamed say the same, readers keep the grammar of turns.

import { describe, expect, test } from 'vitest'
import { ByteOut } from '../../src/translate/bytes/byte-out.ts'
import {
  collected,
  contextFor,
  dialects,
  ENDINGS,
  legible,
  replies,
  streams,
  SUCCESS_MARKS,
  summary,
  text,
  translateReply,
} from './harness.ts'

const ERROR_FORMS = /"error"|response\.failed|exception/

for (const upstream of dialects) {
  describe(`a stream of ${upstream.id}`, () => {
    const fixtures = streams(upstream.id)

    test.each(fixtures)('$name keeps the grammar of turns', fixture => {
      const turn = collected(upstream, true, [fixture.bytes])
      expect(turn.ended !== (turn.error !== null)).toBe(true)
    })

    for (const client of dialects) {
      test.each(fixtures)(`$name cut in two anywhere reaches ${client.id} the same`, fixture => {
        const whole = legible(client.id, translateReply(client.id, upstream.id, true, [fixture.bytes]).bytes)
        for (let cut = 0; cut <= fixture.bytes.length; cut++) {
          const pieces = [fixture.bytes.subarray(0, cut), fixture.bytes.subarray(cut)]
          const torn = translateReply(client.id, upstream.id, true, pieces)
          if (legible(client.id, torn.bytes) !== whole)
            expect({ cut, bytes: legible(client.id, torn.bytes) }).toBe(whole)
        }
      })

      test.each(fixtures)(`$name byte by byte reaches ${client.id} the same`, fixture => {
        const whole = translateReply(client.id, upstream.id, true, [fixture.bytes])
        const single = Array.from(fixture.bytes, byte => Uint8Array.of(byte))
        const torn = translateReply(client.id, upstream.id, true, single)
        expect(legible(client.id, torn.bytes)).toBe(legible(client.id, whole.bytes))
      })

      test.each(fixtures)(`$name torn off anywhere never looks complete to ${client.id}`, fixture => {
        for (let length = 0; length < fixture.bytes.length; length++) {
          const seen = fixture.bytes.subarray(0, length)
          const { bytes, facts } = translateReply(client.id, upstream.id, true, [seen])
          expect(facts.state, `after ${length} bytes`).not.toBe('open')
          const said = ENDINGS[upstream.id].test(text(seen))
          if (facts.state === 'complete') expect(said, `complete after ${length} bytes`).toBe(true)
          else {
            const shown = legible(client.id, bytes)
            expect(SUCCESS_MARKS[client.id].test(shown), `success mark after ${length} bytes`).toBe(false)
            expect(ERROR_FORMS.test(shown), `error form after ${length} bytes`).toBe(true)
          }
        }
      })
    }
  })

  describe(`a whole reply of ${upstream.id}`, () => {
    const fixtures = replies(upstream.id)
    const streamed = new Map(streams(upstream.id).map(fixture => [fixture.name, fixture]))

    test.each(fixtures)('$name keeps the grammar of turns', fixture => {
      const turn = collected(upstream, false, [fixture.bytes])
      expect(turn.ended !== (turn.error !== null)).toBe(true)
    })

    test.each(fixtures.filter(fixture => streamed.has(fixture.name)))(
      '$name says what its stream says',
      fixture => {
        const whole = collected(upstream, false, [fixture.bytes])
        const stream = collected(upstream, true, [streamed.get(fixture.name)!.bytes])
        expect(summary(stream)).toEqual(summary(whole))
      },
    )

    for (const client of dialects) {
      test.each(fixtures)(`$name torn off anywhere never looks complete to ${client.id}`, fixture => {
        const body = text(fixture.bytes).trimEnd()
        for (let length = 0; length < body.length; length += 7) {
          const seen = new TextEncoder().encode(body.slice(0, length))
          expect(translateReply(client.id, upstream.id, false, [seen]).facts.state).toBe('failed')
        }
      })
    }
  })

  for (const client of dialects) {
    describe(`${client.id} reads ${upstream.id}`, () => {
      test.each(streams(upstream.id))('$name whole as it reads it streamed', fixture => {
        const streamed = translateReply(client.id, upstream.id, true, [fixture.bytes])
        const collectedStream = collected(client, true, [streamed.bytes])
        const out = new ByteOut()
        const context = contextFor(upstream.id, upstream.id)
        const reader = upstream.streamReader(upstream.replyWriter(out, context), context)
        reader.write(fixture.bytes)
        reader.end()
        const whole = translateReply(client.id, upstream.id, false, [out.take()])
        const collectedWhole = collected(client, false, [whole.bytes])
        if (streamed.facts.state === 'failed') expect(whole.facts.state).toBe('failed')
        else expect(merged(collectedStream)).toEqual(merged(collectedWhole))
      })
    })
  }
}

/** Dialects whose whole form has one text per message cannot tell where parts were apart. */
function merged(turn: ReturnType<typeof collected>): unknown {
  return {
    usage: turn.usageTold ?? turn.head?.usage,
    choices: turn.choices.map(choice => ({
      reason: choice.finish?.reason,
      text: choice.textOf('text'),
      refusal: choice.textOf('refusal'),
      reasoning: choice.textOf('reasoning'),
      calls: choice.parts.flatMap(part =>
        part.call === null ? [] : [[part.call.id, part.call.name, part.input, part.text]],
      ),
      opaque: choice.parts.flatMap(part => (part.opaque === null ? [] : [part.opaque.value])),
    })),
  }
}

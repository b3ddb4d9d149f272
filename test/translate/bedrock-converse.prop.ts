// Bent bytes of a binary stream fail at its checksums. Here the frames are sound and what they carry is not.

import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bedrockConverse } from '../../src/translate/bedrock-converse/dialect.ts'
import { writePrompt } from '../../src/translate/pair.ts'
import { TranslateError } from '../../src/translate/translate-error.ts'
import { ableTarget, collected, dialects, framed, prompts, replies, translateReply } from './harness.ts'

const FOLDER = new URL('../fixtures/bedrock-converse/streams/', import.meta.url).pathname
const STREAMS = readdirSync(FOLDER).map(file =>
  readFileSync(FOLDER + file, 'utf8')
    .split('\n')
    .filter(line => line !== ''),
)

const NOISE = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\\',
  'null',
  '-1',
  '1e999',
  '""',
  '[]',
  '{}',
  '0',
  'true',
] as const

/** An edit of the lines: one is dropped, doubled, moved, or its text is bent. */
const edit = fc.record({
  kind: fc.constantFrom('drop', 'double', 'swap', 'bend', 'value'),
  line: fc.nat(),
  at: fc.nat(),
  cut: fc.nat({ max: 12 }),
  put: fc.constantFrom(...NOISE),
})

function bent(
  lines: readonly string[],
  edits: readonly (typeof edit extends fc.Arbitrary<infer E> ? E : never)[],
): string {
  const all = [...lines]
  for (const { kind, line, at, cut, put } of edits) {
    const index = line % all.length
    const text = all[index]!
    const json = text.indexOf('{')
    if (kind === 'drop' && all.length > 1) all.splice(index, 1)
    else if (kind === 'double') all.splice(index, 0, text)
    else if (kind === 'swap') all.splice(at % all.length, 0, ...all.splice(index, 1))
    else if (kind === 'bend' && json !== -1) {
      const from = json + (at % (text.length - json))
      all[index] = text.slice(0, from) + put + text.slice(from + cut)
    } else if (kind === 'value') {
      // One value becomes another: the text stays JSON, its shape does not.
      const values = [...text.matchAll(/(?<=:)(?:"[^"]*"|[\d.]+|\{[^{}]*\}|\[[^[\]]*\])/g)]
      const value = values[at % Math.max(1, values.length)]
      if (value !== undefined)
        all[index] = text.slice(0, value.index) + put + text.slice(value.index + value[0].length)
    }
  }
  return all.join('\n')
}

const stream = fc
  .tuple(fc.constantFrom(...STREAMS), fc.array(edit, { minLength: 1, maxLength: 4 }))
  .map(([lines, edits]) => bent(lines, edits))

test('a stream of sound frames with anything in them ends the turn and keeps its grammar', () => {
  fc.assert(
    fc.property(stream, lines => {
      const turn = collected(bedrockConverse, true, [framed(lines)])
      expect(turn.ended).toBe(turn.error === null)
    }),
    { numRuns: 3000 },
  )
})

for (const client of dialects) {
  test(`and reaches ${client.id} as a reply its own reader accepts`, () => {
    fc.assert(
      fc.property(stream, lines => {
        const { bytes, facts } = translateReply(client.id, 'bedrock-converse', true, [framed(lines)])
        const shown = collected(client, true, [bytes])
        expect(shown.error === null).toBe(facts.state === 'complete')
      }),
      { numRuns: 600 },
    )
  })
}

/** Any JSON in the place of any value. */
function revalued(json: string, at: number, value: string): string {
  const values = [...json.matchAll(/(?<=[:[,]\s*)(?:"(?:[^"\\]|\\.)*"|-?[\d.]+|true|false|\{|\[)/g)]
  const found = values[at % Math.max(1, values.length)]
  if (found === undefined) return json
  return json.slice(0, found.index) + value + json.slice(found.index + found[0].length)
}

const anyValue = fc.oneof(fc.constantFrom(...NOISE), fc.json({ maxDepth: 2 }))
const text = new TextDecoder()
const bytes = new TextEncoder()

test('a prompt with any value in any place is read, or refused, and what is read can be written', () => {
  const sources = prompts('bedrock-converse').map(fixture => text.decode(fixture.bytes))
  fc.assert(
    fc.property(
      fc.constantFrom(...sources),
      fc.nat(),
      anyValue,
      fc.constantFrom(...dialects),
      (json, at, value, upstream) => {
        try {
          const prompt = bedrockConverse.readPrompt(bytes.encode(revalued(json, at, value)))
          JSON.parse(text.decode(writePrompt(prompt, upstream.id, ableTarget(upstream.id), false).body))
        } catch (error) {
          expect(error).toBeInstanceOf(TranslateError)
        }
      },
    ),
    { numRuns: 3000 },
  )
})

test('a whole reply with any value in any place ends the turn', () => {
  const sources = replies('bedrock-converse').map(fixture => text.decode(fixture.bytes))
  fc.assert(
    fc.property(fc.constantFrom(...sources), fc.nat(), anyValue, (json, at, value) => {
      const turn = collected(bedrockConverse, false, [bytes.encode(revalued(json, at, value))])
      expect(turn.ended).toBe(turn.error === null)
    }),
    { numRuns: 3000 },
  )
})

// Laws of embeddings: whatever the vendor and however the bytes are torn, every text gets its own vector, in order.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type EmbeddingsVendor,
  embeddingsReply,
  readEmbeddingsPrompt,
  writeEmbeddingsCalls,
} from '../../src/translate/index.ts'

const SEED = Number(process.env['FAST_CHECK_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
console.info(`embeddings properties: FAST_CHECK_SEED=${SEED}`)
const RUNS = { seed: SEED, numRuns: 200 }

const VENDORS: readonly (readonly [EmbeddingsVendor, string])[] = [
  ['gemini', 'gemini-embedding-001'],
  ['vertex', 'text-embedding-005'],
  ['bedrock', 'amazon.titan-embed-text-v2:0'],
  ['bedrock', 'cohere.embed-v4:0'],
]

const encoder = new TextEncoder()

/** What a vendor would answer to one call: each text's vector is made of its own characters. */
function vendorAnswer(body: Uint8Array): unknown {
  const call = JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown>
  const list = (name: string) => call[name] as { [member: string]: unknown }[]
  if ('requests' in call) {
    const texts = list('requests').map(
      one => (one['content'] as { parts: { text: string }[] }).parts[0]!.text,
    )
    return { embeddings: texts.map(text => ({ values: vectorOf(text) })) }
  }
  if ('instances' in call) {
    return {
      predictions: list('instances').map(one => ({
        embeddings: { values: vectorOf(one['content'] as string) },
      })),
    }
  }
  if ('texts' in call) return { embeddings: { float: (call['texts'] as string[]).map(vectorOf) } }
  return { embedding: vectorOf(call['inputText'] as string), inputTextTokenCount: 1 }
}

function vectorOf(text: string): number[] {
  return [text.length, ...Array.from(text.slice(0, 20), character => character.codePointAt(0)! / 7)]
}

const texts = fc.array(fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }), {
  minLength: 1,
  maxLength: 230,
})

describe('embeddings', () => {
  test('give every text its own vector, in either encoding', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...VENDORS),
        texts,
        fc.boolean(),
        fc.integer({ min: 1, max: 999 }),
        (who, input, base64, step) => {
          const [vendor, model] = who
          const body = { model, input, encoding_format: base64 ? 'base64' : 'float' }
          const prompt = readEmbeddingsPrompt(encoder.encode(JSON.stringify(body)))
          const calls = writeEmbeddingsCalls(vendor, prompt, model)
          const answers = calls.bodies.map(vendorAnswer)
          const source = encoder.encode(JSON.stringify(answers.length === 1 ? answers[0] : answers, null, 1))
          const pieces: Buffer[] = []
          const out = { write: (piece: Uint8Array) => void pieces.push(Buffer.from(piece)) }
          const path = embeddingsReply({ prompt, calls, modelShown: 'm', tokensTold: null, out })
          for (let at = 0; at < source.length; at += step) path.write(source.subarray(at, at + step))
          path.end()
          expect(path.facts.error).toBeNull()
          const { data } = JSON.parse(Buffer.concat(pieces).toString()) as {
            data: { index: number; embedding: string | number[] }[]
          }
          expect(data.map(item => item.index)).toEqual(input.map((_, at) => at))
          for (const [at, { embedding }] of data.entries()) {
            const wanted = vectorOf(input[at]!)
            if (typeof embedding !== 'string') expect(embedding).toEqual(wanted)
            else {
              const raw = Buffer.from(embedding, 'base64')
              expect(Array.from(wanted, (_, part) => raw.readFloatLE(part * 4))).toEqual(
                wanted.map(Math.fround),
              )
            }
          }
        },
      ),
      RUNS,
    )
  })

  test('are answered or fail, whatever bytes a vendor sends, and never throw', () => {
    fc.assert(
      fc.property(fc.constantFrom(...VENDORS), fc.oneof(fc.json(), fc.string()), (who, text) => {
        const [vendor, model] = who
        const prompt = readEmbeddingsPrompt(encoder.encode(JSON.stringify({ input: ['a', 'b'] })))
        const calls = writeEmbeddingsCalls(vendor, prompt, model)
        let written = 0
        const out = { write: (piece: Uint8Array) => void (written += piece.length) }
        const path = embeddingsReply({ prompt, calls, modelShown: 'm', tokensTold: null, out })
        path.write(encoder.encode(text))
        path.end()
        expect([path.facts.state, written > 0]).toEqual(
          path.facts.error === null ? ['complete', true] : ['failed', false],
        )
      }),
      RUNS,
    )
  })

  test('are read or refused with a named member, whatever the caller sends', () => {
    fc.assert(
      fc.property(
        fc.record(
          { input: fc.jsonValue(), dimensions: fc.jsonValue(), encoding_format: fc.jsonValue() },
          { requiredKeys: [] },
        ),
        body => {
          try {
            readEmbeddingsPrompt(encoder.encode(JSON.stringify(body)))
          } catch (thrown) {
            expect(thrown).toMatchObject({
              name: 'TranslateError',
              param: expect.stringMatching(/^(?:input|dimensions|encoding_format)/) as string,
            })
          }
        },
      ),
      RUNS,
    )
  })
})

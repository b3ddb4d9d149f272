// Embeddings between OpenAI's form and those of Gemini, Vertex, Titan and Cohere.

import { describe, expect, test } from 'vitest'
import {
  type EmbeddingsVendor,
  embeddingsReply,
  readEmbeddingsPrompt,
  TranslateError,
  writeEmbeddingsCalls,
} from '../../src/translate/index.ts'

const GEMINI = 'gemini-embedding-001'
const TITAN = 'amazon.titan-embed-text-v2:0'
const COHERE = 'us.cohere.embed-v4:0'

function bytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

function read(body: Record<string, unknown>) {
  return readEmbeddingsPrompt(bytes({ model: 'm', ...body }))
}

function written(vendor: EmbeddingsVendor, model: string, body: Record<string, unknown>): unknown[] {
  const { bodies } = writeEmbeddingsCalls(vendor, read(body), model)
  return bodies.map(call => JSON.parse(new TextDecoder().decode(call)) as unknown)
}

function refusal(step: () => unknown): TranslateError {
  try {
    step()
  } catch (thrown) {
    if (thrown instanceof TranslateError) return thrown
    throw thrown
  }
  throw new Error('it was not refused')
}

describe('a request', () => {
  test('becomes one batch of Gemini', () => {
    const body = { input: ['a', 'b'], dimensions: 256, input_type: 'search_query' }
    expect(written('gemini', GEMINI, body)).toEqual([
      {
        requests: ['a', 'b'].map(text => ({
          model: `models/${GEMINI}`,
          content: { parts: [{ text }] },
          taskType: 'RETRIEVAL_QUERY',
          outputDimensionality: 256,
        })),
      },
    ])
  })

  test('of many texts becomes as many calls as the vendor needs, in order', () => {
    const input = Array.from({ length: 205 }, (_, at) => `t${at}`)
    const gemini = written('gemini', GEMINI, { input }) as {
      requests: { content: { parts: { text: string }[] } }[]
    }[]
    expect(gemini.map(call => call.requests.length)).toEqual([100, 100, 5])
    expect(gemini.flatMap(call => call.requests.map(one => one.content.parts[0]!.text))).toEqual(input)
    const cohere = written('bedrock', COHERE, { input }) as { texts: string[] }[]
    expect(cohere.flatMap(call => call.texts)).toEqual(input)
    expect(cohere.map(call => call.texts.length)).toEqual([96, 96, 13])
    expect(
      (written('bedrock', TITAN, { input }) as { inputText: string }[]).map(call => call.inputText),
    ).toEqual(input)
    expect(written('vertex', GEMINI, { input })).toHaveLength(205)
    expect(written('vertex', 'text-embedding-005', { input })).toHaveLength(5)
  })

  test('becomes Titan’s, Cohere’s and Vertex’s own', () => {
    expect(written('bedrock', TITAN, { input: 'a', dimensions: 512 })).toEqual([
      { inputText: 'a', dimensions: 512 },
    ])
    expect(written('bedrock', 'amazon.titan-embed-image-v1', { input: 'a', dimensions: 256 })).toEqual([
      { inputText: 'a', embeddingConfig: { outputEmbeddingLength: 256 } },
    ])
    expect(written('bedrock', COHERE, { input: 'a', dimensions: 512 })).toEqual([
      { texts: ['a'], input_type: 'search_document', embedding_types: ['float'], output_dimension: 512 },
    ])
    expect(written('vertex', GEMINI, { input: 'a', dimensions: 8, input_type: 'clustering' })).toEqual([
      { instances: [{ content: 'a', task_type: 'CLUSTERING' }], parameters: { outputDimensionality: 8 } },
    ])
  })

  test.each([
    ['token ids', { input: [1, 2] }, 'input', /token ids/],
    ['lists of token ids', { input: [[1], [2]] }, 'input', /token ids/],
    ['no text', {}, 'input', /missing/],
    ['no texts', { input: [] }, 'input', /0 texts/],
    ['too many texts', { input: new Array(2049).fill('a') }, 'input', /2049 texts/],
    ['an empty text', { input: ['a', ''] }, 'input[1]', /empty/],
    ['what is no text', { input: ['a', 1] }, 'input[1]', /a string/],
    ['an unknown encoding', { input: 'a', encoding_format: 'int8' }, 'encoding_format', /base64/],
    ['no length at all', { input: 'a', dimensions: 0 }, 'dimensions', /positive/],
  ])('with %s is refused and the member named', (_what, body, param, message) => {
    const error = refusal(() => read(body))
    expect(error.param).toBe(param)
    expect(error.message).toMatch(message)
  })

  test.each([['amazon.titan-embed-text-v1'], ['cohere.embed-english-v3']])(
    'for a length that %s has not is refused, because a vector of another length is of no use',
    model => {
      expect(refusal(() => written('bedrock', model, { input: 'a', dimensions: 256 })).param).toBe(
        'dimensions',
      )
    },
  )

  test('for a model that makes none is refused', () => {
    expect(refusal(() => written('bedrock', 'anthropic.claude-3-haiku', { input: 'a' })).kind).toBe(
      'not_found',
    )
  })

  test('reports what the vendor has no place for', () => {
    const prompt = read({ input: 'a', user: 'u', input_type: 'odd' })
    expect(prompt.losses.items.map(loss => loss.field)).toEqual(['/user', '/input_type'])
  })
})

interface Answered {
  readonly text: string
  readonly error: string | null
  readonly usage: { inputTokens: number; estimated: boolean } | null
}

/** Gives the vendor's reply in pieces and returns what the caller gets. */
function answered(
  vendor: EmbeddingsVendor,
  model: string,
  body: Record<string, unknown>,
  reply: unknown,
  tokensTold: number | null = null,
): Answered {
  const prompt = read(body)
  const calls = writeEmbeddingsCalls(vendor, prompt, model)
  let text = ''
  const out = { write: (piece: Uint8Array) => void (text += new TextDecoder().decode(piece)) }
  const path = embeddingsReply({ prompt, calls, modelShown: 'shown', tokensTold, out })
  const source = typeof reply === 'string' ? new TextEncoder().encode(reply) : bytes(reply)
  for (let at = 0; at < source.length; at += 7) path.write(source.subarray(at, at + 7))
  path.end()
  return { text, error: path.facts.error?.message ?? null, usage: path.facts.usage }
}

const TITANS = [0, 1, 2].map(at => ({ embedding: [at, 0.5], inputTextTokenCount: 3 }))

describe('a reply', () => {
  test.each<[string, EmbeddingsVendor, string, unknown, number, boolean]>([
    [
      'Gemini',
      'gemini',
      GEMINI,
      { embeddings: [{ values: [1, 2] }, { values: [3, 4] }], usageMetadata: { promptTokenCount: 7 } },
      7,
      false,
    ],
    [
      'Gemini without usage',
      'gemini',
      GEMINI,
      { embeddings: [{ values: [1, 2] }, { values: [3, 4] }] },
      4,
      true,
    ],
    [
      'Vertex',
      'vertex',
      'text-embedding-005',
      {
        predictions: [
          [1, 2],
          [3, 4],
        ].map(values => ({ embeddings: { values, statistics: { token_count: 2 } } })),
      },
      4,
      false,
    ],
    [
      'Titan',
      'bedrock',
      TITAN,
      [
        { embedding: [1, 2], inputTextTokenCount: 5 },
        { embedding: [3, 4], inputTextTokenCount: 6 },
      ],
      11,
      false,
    ],
    [
      'Cohere by type',
      'bedrock',
      COHERE,
      {
        embeddings: {
          float: [
            [1, 2],
            [3, 4],
          ],
        },
      },
      4,
      true,
    ],
    [
      'Cohere in floats',
      'bedrock',
      COHERE,
      {
        embeddings: [
          [1, 2],
          [3, 4],
        ],
      },
      4,
      true,
    ],
  ])('of %s is answered as OpenAI does', (_name, vendor, model, reply, tokens, estimated) => {
    const { text, usage } = answered(vendor, model, { input: ['five5', 'six666'] }, reply)
    expect(JSON.parse(text)).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [1, 2] },
        { object: 'embedding', index: 1, embedding: [3, 4] },
      ],
      model: 'shown',
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    })
    expect(usage).toMatchObject({ inputTokens: tokens, estimated })
  })

  test('is encoded as asked: little-endian floats in base64', () => {
    const body = { input: 'a', encoding_format: 'base64' }
    const vector = Array.from({ length: 3_000 }, (_, at) => Math.fround(Math.sin(at)))
    const { text } = answered('gemini', GEMINI, body, { embeddings: [{ values: vector }] })
    const { data } = JSON.parse(text) as { data: { embedding: string }[] }
    const raw = Buffer.from(data[0]!.embedding, 'base64')
    expect(Array.from({ length: vector.length }, (_, at) => raw.readFloatLE(at * 4))).toEqual(vector)
  })

  test('whose tokens a header tells is counted by it', () => {
    const { usage } = answered('bedrock', COHERE, { input: 'a' }, { embeddings: [[1]] }, 42)
    expect(usage).toMatchObject({ inputTokens: 42, estimated: false })
  })

  test.each<[string, unknown]>([
    ['too few vectors', TITANS.slice(0, 2)],
    ['too many replies', [...TITANS, TITANS[0]]],
    ['a reply without a vector', [TITANS[0], {}, TITANS[2]]],
    ['an empty vector', [TITANS[0], { embedding: [] }, TITANS[2]]],
    ['a vector of words', [TITANS[0], { embedding: ['1'] }, TITANS[2]]],
    ['no list', TITANS[0]],
    ['no JSON', '[{"embedding":[1'],
    ['nothing', ''],
  ])('with %s is broken, and nothing is answered', (_what, reply) => {
    const { error, text } = answered('bedrock', TITAN, { input: ['a', 'b', 'c'] }, reply)
    expect(error).toContain('broken')
    expect(text).toBe('')
  })
})

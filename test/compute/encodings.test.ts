// Which encoding a model counts with.

import { getEncodingNameForModel, type TiktokenModel } from 'js-tiktoken/lite'
import { describe, expect, test } from 'vitest'
import { encodingOf } from '../../src/compute/encodings.ts'

const NAMES: readonly TiktokenModel[] = [
  'gpt-5',
  'gpt-5-2025-08-07',
  'gpt-5-mini',
  'gpt-5-nano-2025-08-07',
  'gpt-5-chat-latest',
  'gpt-4.5-preview',
  'gpt-4.1',
  'gpt-4.1-nano-2025-04-14',
  'gpt-4o',
  'gpt-4o-2024-08-06',
  'gpt-4o-mini-search-preview-2025-03-11',
  'gpt-4o-realtime-preview-2024-12-17',
  'chatgpt-4o-latest',
  'o1',
  'o1-pro-2025-03-19',
  'o3-mini',
  'o4-mini-2025-04-16',
  'gpt-4',
  'gpt-4-0613',
  'gpt-4-32k-0314',
  'gpt-4-turbo-2024-04-09',
  'gpt-4-vision-preview',
  'gpt-3.5-turbo',
  'gpt-3.5-turbo-instruct-0914',
  'gpt-35-turbo',
  'text-embedding-ada-002',
  'text-embedding-3-large',
  'text-davinci-edit-001',
  'code-davinci-edit-001',
  'text-davinci-003',
  'code-cushman-002',
  'davinci-codex',
  'text-davinci-001',
  'text-ada-001',
  'davinci',
  'babbage',
  'text-similarity-curie-001',
  'text-search-ada-doc-001',
  'code-search-babbage-code-001',
]

describe('the encoding of a model', () => {
  test.each(NAMES)('%s is what js-tiktoken says', name => {
    expect(encodingOf(name)).toEqual({ encoding: getEncodingNameForModel(name), known: true })
  })

  test.each([
    ['openai/gpt-4o-mini', 'o200k_base'],
    ['azure/eastus/gpt-4', 'cl100k_base'],
    ['ft:gpt-4o-mini-2024-07-18:team::abc', 'o200k_base'],
    ['ft:gpt-3.5-turbo:team', 'cl100k_base'],
    ['openai.gpt-oss-120b-1:0', 'o200k_base'],
    ['us.openai.gpt-oss-20b-1:0', 'o200k_base'],
    ['GPT-4o', 'o200k_base'],
    ['gpt-5.1-codex', 'o200k_base'],
    ['o3', 'o200k_base'],
    // js-tiktoken and the vendor's own table differ about these two; the vendor's holds.
    ['davinci-002', 'cl100k_base'],
    ['babbage-002', 'cl100k_base'],
  ])('%s is known as %s', (name, encoding) => {
    expect(encodingOf(name)).toEqual({ encoding, known: true })
  })

  test.each([
    'claude-sonnet-4-5',
    'anthropic/claude-opus-4',
    'gemini-2.5-pro',
    'llama-3.3-70b',
    'gpt-40',
    'gpt-4omega',
    'o10',
    'demo/echo',
    '',
    'x'.repeat(100_000),
  ])('%.40s is not known, and the newest stands in', name => {
    expect(encodingOf(name)).toEqual({ encoding: 'o200k_base', known: false })
  })
})

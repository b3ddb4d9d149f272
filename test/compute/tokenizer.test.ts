// Our counts against js-tiktoken's, text by text, in every encoding.

import { Tiktoken } from 'js-tiktoken/lite'
import cl100k from 'js-tiktoken/ranks/cl100k_base'
import o200k from 'js-tiktoken/ranks/o200k_base'
import p50kBase from 'js-tiktoken/ranks/p50k_base'
import p50kEdit from 'js-tiktoken/ranks/p50k_edit'
import r50k from 'js-tiktoken/ranks/r50k_base'
import { describe, expect, test } from 'vitest'
import { PIECE_BYTES_MAX, Tokenizer, Work } from '../../src/compute/tokenizer.ts'
import { generated, longRuns, WRITTEN } from './corpus.ts'

const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20_261_126)
console.log(`token corpus: FAST_CHECK_SEED=${seed}`)

/** The newest encoding is tried hardest; the small ones share their pattern and all code with one another. */
const GENERATED_TEXTS: Readonly<Record<string, number>> = { o200k: 2_000, cl100k: 2_000 }
const GENERATED_TEXTS_OF_OTHERS = 500
/** Longer runs take the reference many seconds: its time grows faster than the square of the length. */
const RUN_UNITS_MAX: Readonly<Record<string, number>> = { o200k: 1_500, cl100k: 700 }
const RUN_UNITS_MAX_OF_OTHERS = 130
const ENOUGH = 1e9

const ENCODINGS = { o200k, cl100k, p50kBase, p50kEdit, r50k }

function count(tokenizer: Tokenizer, text: string): number {
  const work = new Work(ENOUGH)
  const tokens = tokenizer.count(text, work)
  expect(work.cut).toBe(false)
  return tokens
}

/** Texts counted otherwise than by the reference. */
function differences(ours: Tokenizer, theirs: Tiktoken, texts: readonly string[]): unknown[] {
  return texts.flatMap(text => {
    const want = theirs.encode(text, [], []).length
    const got = count(ours, text)
    return want === got ? [] : [{ text: text.slice(0, 200), want, got }]
  })
}

describe.each(Object.entries(ENCODINGS))('counts in %s equal those of js-tiktoken', (name, source) => {
  const ours = new Tokenizer(source)
  const theirs = new Tiktoken(source)
  const runUnitsMax = RUN_UNITS_MAX[name] ?? RUN_UNITS_MAX_OF_OTHERS
  const texts = GENERATED_TEXTS[name] ?? GENERATED_TEXTS_OF_OTHERS

  test('on texts in many languages, code, emoji, control characters, half pairs and special tokens', () => {
    expect(differences(ours, theirs, WRITTEN)).toEqual([])
  })

  test(`on ${texts} generated texts`, { timeout: 120_000 }, () => {
    expect(differences(ours, theirs, generated(seed, texts))).toEqual([])
  })

  test('and again, now that the memo is warm', () => {
    expect(differences(ours, theirs, generated(seed, 100))).toEqual([])
  })

  test('on long runs', { timeout: 120_000 }, () => {
    expect(differences(ours, theirs, longRuns(runUnitsMax))).toEqual([])
  })
})

describe('the bounds', () => {
  const ours = new Tokenizer(o200k)

  test('a piece as long as the bound is counted whole, one byte more is cut', () => {
    const within = new Work(ENOUGH)
    ours.count('a'.repeat(PIECE_BYTES_MAX), within)
    expect(within.cut).toBe(false)
    const beyond = new Work(ENOUGH)
    ours.count('a'.repeat(PIECE_BYTES_MAX + 1), beyond)
    expect(beyond.cut).toBe(true)
  })

  test('a cut piece counts as its stretches', () => {
    const stretch = count(ours, 'a'.repeat(PIECE_BYTES_MAX))
    const work = new Work(ENOUGH)
    expect(ours.count('a'.repeat(3 * PIECE_BYTES_MAX), work)).toBe(3 * stretch)
    expect(work.cut).toBe(true)
  })

  test('a character of four bytes is never split by the cut', () => {
    const text = '😀'.repeat(PIECE_BYTES_MAX)
    expect(ours.count(text, new Work(ENOUGH))).toBe(text.length / 2)
  })

  test('many short pieces in a long text meet no bound', () => {
    expect(count(ours, 'ab1 '.repeat(100_000))).toBeGreaterThan(200_000)
  })

  test('twenty thousand equal letters take milliseconds, not the reference’s 23 seconds', () => {
    const started = performance.now()
    expect(count(ours, 'a'.repeat(20_000))).toBe(2_500)
    expect(performance.now() - started).toBeLessThan(1_000)
  })

  test('work that is used up ends the counting, and the rest is estimated by what came before', () => {
    const sentence = 'The quick brown fox jumps over the lazy dog. '
    const whole = count(ours, sentence.repeat(1_000))
    const work = new Work(sentence.length * 100)
    const guessed = ours.count(sentence.repeat(1_000), work)
    expect(work.cut).toBe(true)
    expect(Math.abs(guessed - whole) / whole).toBeLessThan(0.02)
    // Without anything to go by: four units a token.
    expect(ours.count('abcd'.repeat(10), work)).toBe(10)
  })

  test('a piece that must be merged costs more than its length', () => {
    const work = new Work(ENOUGH)
    ours.count('qzxjvkqzxjvkqzxjvk', work)
    expect(ENOUGH - work.left).toBe(18 + 4 * 18)
  })
})

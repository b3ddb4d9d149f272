// Throws prompts, replies and streams of all five dialects at their readers: recorded ones, bent, and made-up ones.
// Prompts are read or refused; what is read can be written for any other dialect, whose own reader takes it, or is
// refused. Replies never throw, always end, keep the grammar of turns within their bounds, and look complete to the
// client only when they were.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { assert } from '../../src/common/assert.ts'
import {
  type DialectId,
  DIALECTS,
  type ModelFacts,
  PATH_DIALECTS,
  type TargetFacts,
  TranslateError,
} from '../../src/translate/index.ts'
import { readPrompt, writePrompt } from '../../src/translate/index.ts'
import {
  ableTarget,
  collected,
  contextFor,
  dialects,
  prompts,
  replies,
  translateReply,
} from '../translate/harness.ts'
import {
  bendBody,
  bendBytes,
  bendEdges,
  bendFrames,
  framesOf,
  generator,
  joined,
  madeBody,
  pick,
  pieces,
  type Random,
  wordsOf,
} from './bend.ts'
import type { FuzzOptions, FuzzResult } from './main.ts'
import { faultsOf } from './strict-prompts.ts'

/** Fifteen readers: three of each dialect. */
export const weight = 4

/** A reader that needs longer for a few kilobytes will be found by someone who sends megabytes. */
const LOOK_MS_MAX = 2_000
/** What a client is written for each byte of an upstream: a delta of one letter is repeated in whole events. */
const OUT_PER_IN_MAX = 600
const OUT_BYTES_FREE = 64 * 1024

/** What any form of a good end says; bent bytes may spell it with other blanks. */
const GOOD_ENDS: Readonly<Record<DialectId, RegExp>> = {
  'openai-chat': /finish_reason|\[DONE\]/,
  'openai-responses': /response\.(completed|incomplete)/,
  'anthropic-messages': /message_stop/,
  'bedrock-converse': /messageStop/,
  'gemini-generate': /finish_?reason|block_?reason/i,
}

/** A call that the model could not spell ends a reply elsewhere; Responses has no such reason and calls it failed. */
const BROKEN_CALLS =
  /^(malformed_(function_call|response|tool_use|model_output)|unexpected_tool_call|too_many_tool_calls)$/i

class Corpus {
  readonly dialect: DialectId
  readonly prompts: readonly Uint8Array[]
  readonly replies: readonly Uint8Array[]
  readonly frames: readonly (readonly string[])[]
  readonly words: readonly string[]

  constructor(dialect: DialectId) {
    this.dialect = dialect
    this.prompts = prompts(dialect).map(({ bytes }) => bytes)
    this.replies = replies(dialect).map(({ bytes }) => bytes)
    const texts = streamTexts(dialect)
    this.frames = texts.map(text => framesOf(dialect, text))
    const encoder = new TextEncoder()
    this.words = wordsOf([...this.prompts, ...this.replies, ...texts.map(text => encoder.encode(text))])
    assert(this.prompts.length > 5 && this.frames.length > 5, `fixtures of ${dialect} were not found`)
  }

  prompt(random: Random): Uint8Array {
    if (random(2) === 0) return bendEdges(this.dialect, pick(this.prompts, random), random)
    return this.body(this.prompts, random)
  }

  reply(random: Random): Uint8Array {
    return this.body(this.replies, random)
  }

  stream(random: Random): Uint8Array {
    const framed = bendFrames(this.dialect, this.frames, this.words, random)
    if (random(3) === 0) return bendBytes(framed, random)
    if (random(12) === 0) return joined([framed, bendFrames(this.dialect, this.frames, this.words, random)])
    return framed
  }

  private body(list: readonly Uint8Array[], random: Random): Uint8Array {
    const way = random(8)
    if (way === 0) return madeBody(this.words, random)
    const body = pick(list, random)
    return way < 3 ? bendBytes(body, random) : bendBody(body, this.words, random)
  }
}

/** Streams as they are stored: events, or lines of binary frames. */
function streamTexts(dialect: DialectId): string[] {
  const folder = ['../fixtures', '../../../test/fixtures']
    .map(place => resolve(import.meta.dirname, place, dialect, 'streams'))
    .find(place => readdirOf(place).length > 0)
  assert(folder !== undefined, `streams of ${dialect} were not found`)
  return readdirOf(folder).map(file => readFileSync(join(folder, file), 'utf8'))
}

function readdirOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

/** Runs one look; a failure shows the input that led to it. */
function look(what: string, bytes: Uint8Array, run: () => void): void {
  const begun = performance.now()
  try {
    run()
  } catch (error) {
    const input = Buffer.from(bytes)
    const shown = what.includes('bedrock-converse streamed')
      ? input.toString('base64')
      : input.toString('utf8')
    throw new Error(`${what}, of:\n${shown}`, { cause: error })
  }
  const tookMs = performance.now() - begun
  assert(tookMs < LOOK_MS_MAX, `${what} took ${tookMs.toFixed(0)} ms for ${bytes.length} bytes`)
}

function unlessRefused<Result>(run: () => Result): Result | null {
  try {
    return run()
  } catch (error) {
    if (error instanceof TranslateError) return null
    throw error
  }
}

/** A prompt is read or refused, and so is what is written of it. */
function lookAtPrompt(client: DialectId, upstream: DialectId, bytes: Uint8Array, target: TargetFacts): void {
  const pathOf = (dialect: DialectId) => (PATH_DIALECTS.has(dialect) ? { model: 'm', stream: true } : null)
  const prompt = unlessRefused(() => readPrompt(client, bytes, pathOf(client)))
  if (prompt === null) return
  const written = unlessRefused(() => writePrompt(prompt, upstream, target, false))
  if (written === null) return
  const body: unknown = JSON.parse(new TextDecoder().decode(written.body))
  if (client === upstream) return
  // What a host of its own dialect would refuse must have been refused, or mended, before.
  readPrompt(upstream, written.body, pathOf(upstream))
  const faults = faultsOf(upstream, body)
  assert(faults.length === 0, `${upstream} hosts refuse ${faults.join('; ')}`)
}

/** Models that can do everything their dialect says, and models that lack some of it. */
function someTarget(upstream: DialectId, random: Random): TargetFacts {
  if (random(3) === 0) return ableTarget(upstream)
  const yes = (): boolean => random(3) > 0
  const more: Partial<ModelFacts> = {
    outputTokensMax: pick([null, 64_000, 512], random),
    sampling: pick(['all', 'all', 'one', 'none'], random),
    stopsMax: pick([0, 1, 4, 5, 100], random),
    reasoning: pick(STYLES[upstream], random),
    reasoningCanBeOff: yes(),
    jsonSchema: yes(),
    jsonObject: yes(),
    strictTools: yes(),
    customTools: upstream.startsWith('openai') && yes(),
    forcedToolChoice: yes(),
    imageUrls: yes(),
    vendorFields: pick(['anthropic', 'amazon', 'openai', null], random),
  }
  const { facts, ...rest } = ableTarget(upstream, more)
  return { ...rest, facts, firstParty: yes(), dearTiers: yes() }
}

const STYLES: Readonly<Record<DialectId, readonly ModelFacts['reasoning'][]>> = {
  'openai-chat': ['effort', 'none'],
  'openai-responses': ['effort', 'none'],
  'anthropic-messages': ['adaptive', 'budget', 'none'],
  'bedrock-converse': ['adaptive', 'budget', 'none'],
  'gemini-generate': ['level', 'budget', 'none'],
}

function lookAtReply(
  client: DialectId,
  upstream: DialectId,
  streaming: boolean,
  bytes: Uint8Array,
  random: Random,
): void {
  const cut = pieces(bytes, random)
  const reader = dialects.find(dialect => dialect.id === upstream)!
  const turn = collected(reader, streaming, cut)
  assert(turn.ended === (turn.error === null), 'a turn ends well or fails, and never both')
  const context = contextFor(client, upstream)
  if (client === 'gemini-generate' && random(3) === 0) context.streamForm = 'array'
  const shown = translateReply(client, upstream, streaming, cut, context)
  const complete = shown.facts.state === 'complete'
  assert(complete || shown.facts.state === 'failed', 'the reply was left open')
  assert(
    shown.bytes.length <= OUT_BYTES_FREE + OUT_PER_IN_MAX * bytes.length,
    `${bytes.length} bytes became ${shown.bytes.length}`,
  )
  if (complete) {
    const text = new TextDecoder().decode(bytes)
    if (streaming) assert(GOOD_ENDS[upstream].test(text), 'a good end that the upstream never said')
    else JSON.parse(text)
  }
  const seen = collected(dialects.find(dialect => dialect.id === client)!, streaming, [shown.bytes])
  const unspelled = client === 'openai-responses' && BROKEN_CALLS.test(shown.facts.finish ?? '')
  assert((seen.error === null) === (complete && !unspelled), 'the client sees another end than there was')
}

export async function run({ seconds, seed }: FuzzOptions): Promise<FuzzResult> {
  const random = generator(seed)
  const corpora = DIALECTS.map(dialect => new Corpus(dialect))
  const end = performance.now() + seconds * 1_000
  let iterations = 0
  while (performance.now() < end) {
    const corpus = corpora[iterations % corpora.length]!
    const own = corpus.dialect
    const other = pick(DIALECTS, random)
    const asked = corpus.prompt(random)
    const target = someTarget(other, random)
    look(`a prompt of ${own} for ${other}`, asked, () => lookAtPrompt(own, other, asked, target))
    for (const streaming of [true, false]) {
      const said = streaming ? corpus.stream(random) : corpus.reply(random)
      const what = `a reply of ${own} ${streaming ? 'streamed' : 'whole'} to ${other}`
      look(what, said, () => lookAtReply(other, own, streaming, said, random))
    }
    iterations += 1
  }
  return { iterations }
}

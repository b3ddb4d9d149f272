// Bends recorded bodies and streams of the five dialects, and makes some up. Owns the ways of bending: at the level of
// bytes, of values inside a body, and of frames of a stream.

import { framed } from '../translate/harness.ts'
import type { DialectId } from '../../src/translate/index.ts'

export type Random = (below: number) => number

/** Small random numbers from a seed (mulberry32): a failing run replays. */
export function generator(seed: number): Random {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

export const pick = <Item>(list: readonly Item[], random: Random): Item => list[random(list.length)]!

const SPICE: readonly string[] = [
  ...['"', '{', '}', '[', ']', ',', ':', '\\', '\n', '\r', '\r\n\r\n', '\n\n', '\u0000', '\ufeff', '\u2028'],
  ...['null', 'true', '-1', '1e999', '0.1', '{}', '[]', '""', '\\u0000', '\\ud800', '[[[[[[[[', '{"a":{"a":'],
  ...[
    'data: ',
    'data:',
    'event: ',
    'event: error\n',
    'data: [DONE]\n\n',
    ': ping\n\n',
    'id: 1\n',
    'retry: 1\n',
  ],
]

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Bytes out, spice in, stretches doubled, the end torn off. */
export function bendBytes(input: Uint8Array, random: Random): Uint8Array {
  let bytes = input
  for (let blows = 1 + random(4); blows > 0; blows -= 1) {
    const at = random(bytes.length + 1)
    const cut = random(2) === 0 ? 0 : random(60)
    const put = [
      encoder.encode(pick(SPICE, random)),
      Uint8Array.of(random(256)),
      bytes.slice(at, at + random(300)),
      new Uint8Array(0),
    ][random(4)]!
    bytes = joined([bytes.subarray(0, at), put, bytes.subarray(at + cut)])
  }
  return random(8) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** Values of every kind, and the dialect's own words in wrong places. */
function noise(words: readonly string[], random: Random, depth: number): Json {
  const kind = random(depth > 3 ? 7 : 10)
  switch (kind) {
    case 0:
      return null
    case 1:
      return random(2) === 0
    case 2:
      return pick([0, -1, 1, 3.5, 1e21, 2 ** 53, 4096], random)
    case 3:
      return ''
    case 7:
      return Array.from({ length: random(4) }, () => noise(words, random, depth + 1))
    case 8:
    case 9:
      return Object.fromEntries(
        Array.from({ length: random(5) }, () => [pick(words, random), noise(words, random, depth + 1)]),
      )
    default:
      return pick(words, random)
  }
}

/** A value whose shape stays and one of whose places is changed, swapped or gone. */
function bendValue(value: Json, words: readonly string[], random: Random, depth = 0): Json {
  if (typeof value !== 'object' || value === null || random(6) === 0) return noise(words, random, depth)
  if (Array.isArray(value)) {
    if (value.length === 0) return [noise(words, random, depth)]
    const at = random(value.length)
    if (random(6) === 0) return value.toSpliced(at, 1)
    if (random(6) === 0) return value.toSpliced(at, 0, value[random(value.length)]!)
    return value.with(at, bendValue(value[at]!, words, random, depth + 1))
  }
  const names = Object.keys(value)
  if (names.length === 0) return { [pick(words, random)]: noise(words, random, depth) }
  const name = pick(names, random)
  if (random(8) === 0) return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name))
  if (random(8) === 0) return { ...value, [pick(words, random)]: noise(words, random, depth) }
  return { ...value, [name]: bendValue(value[name]!, words, random, depth + 1) }
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/** A body with some of its values bent; bent as bytes when it is no JSON. */
export function bendBody(body: Uint8Array, words: readonly string[], random: Random): Uint8Array {
  let value = parsed(decoder.decode(body))
  if (value === undefined) return bendBytes(body, random)
  for (let blows = 1 + random(3); blows > 0; blows -= 1) value = bendValue(value, words, random)
  return encoder.encode(JSON.stringify(value))
}

/** Numbers at and beyond the bounds that any dialect states, more of the small ones, which reach deeper. */
const EDGES: readonly Json[] = [
  ...[
    0, 1, 2, 3, 4, 0.5, 0.95, 1.5, 2.5, -0.5, -1, -2, -2.5, 5, 8, 9, 16, 20, 21, 64, 128, 129, 512, 1023,
    1024,
  ],
  ...[
    4096,
    24_577,
    65_536,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31) - 1,
    2 ** 53,
    2 ** 63,
    1e21,
    -1e21,
    1e308,
    1e-9,
    '…',
  ],
]

/** Names at and beyond every alphabet and length that any dialect states. */
const NAMES: readonly string[] = [
  ...['', ' ', '_', '-', '9lives', 'a b', 'a.b', 'a:b', 'a/b', 'naïve', '…', '🙂', 'ends_', '\ud800', 'a\nb'],
  ...[40, 41, 63, 64, 65, 128, 129, 256, 257, 512, 513].map(length => 'n'.repeat(length)),
]

/** Members that hold numbers, by the path to them. */
const NUMBERS: Readonly<Record<DialectId, readonly string[]>> = {
  'openai-chat': [
    ...[
      'temperature',
      'top_p',
      'top_k',
      'n',
      'seed',
      'presence_penalty',
      'frequency_penalty',
      'top_logprobs',
    ],
    ...['max_completion_tokens', 'max_tokens'],
  ],
  'openai-responses': ['temperature', 'top_p', 'top_logprobs', 'max_output_tokens', 'max_tool_calls'],
  'anthropic-messages': ['temperature', 'top_p', 'top_k', 'max_tokens', 'thinking.budget_tokens'],
  'bedrock-converse': [
    ...['inferenceConfig.temperature', 'inferenceConfig.topP', 'inferenceConfig.maxTokens'],
    ...['additionalModelRequestFields.top_k', 'additionalModelRequestFields.inferenceConfig.topK'],
    'additionalModelRequestFields.thinking.budget_tokens',
  ],
  'gemini-generate': [
    ...['temperature', 'topP', 'topK', 'candidateCount', 'maxOutputTokens', 'seed', 'logprobs'],
    ...['presencePenalty', 'frequencyPenalty', 'thinkingConfig.thinkingBudget'],
  ].map(name => `generationConfig.${name}`),
}

/** What turns a number on, or what stands beside it. */
const COMPANIONS: Readonly<Record<string, Json>> = {
  top_logprobs: true,
  logprobs: true,
  budget_tokens: 'enabled',
}
const COMPANION_NAMES: Readonly<Record<string, string>> = {
  top_logprobs: 'logprobs',
  logprobs: 'responseLogprobs',
  budget_tokens: 'type',
}

/** Members that hold names, ids and other short texts with an alphabet or a length of their own. */
const NAMED =
  /^(name|id|call_id|tool_call_id|tool_use_id|toolUseId|user|user_id|safety_identifier|title|filename|displayName|description|detail|verbosity|effort|service_tier|serviceTier|stop|labels|metadata|requestMetadata)$/

/** A sound body with one to three of its numbers and names at or beyond a bound of some dialect. */
export function bendEdges(dialect: DialectId, body: Uint8Array, random: Random): Uint8Array {
  let value = parsed(decoder.decode(body))
  if (value === undefined) return body
  for (let blows = 1 + random(3); blows > 0; blows -= 1) {
    value =
      random(3) === 0
        ? renamed(value, random)
        : withNumber(value, pick(NUMBERS[dialect], random).split('.'), pick(EDGES, random))
  }
  return encoder.encode(JSON.stringify(value))
}

function withNumber(value: Json, path: readonly string[], number: Json): Json {
  const [name, ...rest] = path
  if (name === undefined) return number
  const owner = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
  const made = { ...owner, [name]: withNumber(owner[name] ?? null, rest, number) }
  const companion = rest.length === 0 ? COMPANION_NAMES[name] : undefined
  // Responses has the number alone, and its host refuses the companion nowhere.
  return companion === undefined ? made : { ...made, [companion]: COMPANIONS[name]! }
}

/** One name somewhere in the body is another one; where it is an object, its names and texts are. */
function renamed(value: Json, random: Random): Json {
  const places: ((put: Json) => Json)[] = []
  const walk = (node: Json, put: (node: Json) => Json): void => {
    if (typeof node !== 'object' || node === null) return
    for (const [name, child] of Object.entries(node)) {
      const putChild = (made: Json): Json =>
        put(Array.isArray(node) ? node.with(Number(name), made) : { ...node, [name]: made })
      if (NAMED.test(name)) places.push(putChild)
      walk(child, putChild)
    }
  }
  walk(value, made => made)
  if (places.length === 0) return value
  const many = (): Json =>
    Object.fromEntries(
      Array.from({ length: 1 + random(20) }, (_, at) => [`${pick(NAMES, random)}${at}`, pick(NAMES, random)]),
    )
  return pick(places, random)(random(6) === 0 ? many() : pick(NAMES, random))
}

/** A body that nobody recorded: the dialect's members with anything in them. */
export function madeBody(words: readonly string[], random: Random): Uint8Array {
  const members = Array.from({ length: 1 + random(6) }, () => [pick(words, random), noise(words, random, 0)])
  return encoder.encode(JSON.stringify(Object.fromEntries(members)))
}

/** Every member name and short text of a dialect. */
export function wordsOf(bodies: readonly Uint8Array[]): string[] {
  const words = new Set<string>()
  for (const body of bodies) {
    for (const [, word] of decoder.decode(body).matchAll(/"([\w./ -]{1,40})"/g)) words.add(word!)
  }
  return [...words].sort()
}

/** The frames of a recorded stream as text: events between blank lines, or lines of binary frames. */
export function framesOf(dialect: DialectId, text: string): string[] {
  const frames = dialect === 'bedrock-converse' ? text.split('\n') : text.split(/(?<=\n\r?\n)/)
  return frames.filter(frame => frame.trim() !== '')
}

/** A stream of recorded frames: dropped, doubled, moved, their values bent, or frames of several streams mixed. */
export function bendFrames(
  dialect: DialectId,
  streams: readonly (readonly string[])[],
  words: readonly string[],
  random: Random,
): Uint8Array {
  let frames = [...pick(streams, random)]
  for (let blows = random(4); blows > 0 && frames.length > 0; blows -= 1) {
    const at = random(frames.length)
    switch (random(5)) {
      case 0:
        frames.splice(at, 1)
        break
      case 1:
        frames.splice(at, 0, frames[at]!)
        break
      case 2:
        frames.splice(at, 0, pick(pick(streams, random), random))
        break
      case 3:
        frames = frames.slice(0, at + 1)
        break
      default:
        frames[at] = bendFrame(frames[at]!, words, random)
    }
  }
  if (dialect === 'bedrock-converse') return framed(frames.join('\n'))
  const text = frames.join('')
  return encoder.encode(random(6) === 0 ? text.replaceAll('\n', pick(['\r', '\r\n'], random)) : text)
}

function bendFrame(frame: string, words: readonly string[], random: Random): string {
  const at = frame.indexOf('{')
  const value = at === -1 ? undefined : parsed(frame.slice(at))
  if (value === undefined) return frame
  const bent = JSON.stringify(bendValue(value, words, random))
  return `${frame.slice(0, at)}${bent}${/\s*$/.exec(frame)![0]}`
}

/** Cuts bytes into pieces of changing sizes. */
export function pieces(bytes: Uint8Array, random: Random): Uint8Array[] {
  if (random(3) === 0) return [bytes]
  const longest = pick([1, 7, 64, 700], random)
  const cut: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random(longest)
    cut.push(bytes.subarray(at, end))
    at = end
  }
  return cut
}

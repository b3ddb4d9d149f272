// Throws bytes at the relay of replies: recorded streams of every dialect, bent, spliced into each other and cut
// anywhere. It must never throw, never hold or change a byte but the chunk it may hide, never depend on the cuts, and
// always come to an end.

import { assert } from '../../src/common/assert.ts'
import { DIALECTS, type DialectId } from '../../src/translate/index.ts'
import { replies, streams } from '../translate/harness.ts'
import {
  type Ending,
  factsOf,
  fakeStream,
  pieces,
  relay,
  type Relayed,
  same,
} from '../translate/relay-fixtures.ts'
import type { FuzzOptions, FuzzResult } from './main.ts'

/** One iteration looks at this many bytes at most. */
const INPUT_BYTES_MAX = 6_000

const SPICE = [
  '\n\n',
  '\r',
  '\r\n\r\n',
  'data: ',
  'data:[DONE]\n\n',
  ': ping\n',
  'event: error\n',
  '"usage":{"prompt_tokens":3},',
  '"choices":[],',
  '"error":{"message":"x"},',
  '{',
  '}',
  ']',
  '"',
  '\\',
  '\u0000',
  '\u00e9',
  'null',
]

interface Sample {
  readonly dialect: DialectId
  readonly streaming: boolean
  readonly bytes: Uint8Array
}

function samples(): Sample[] {
  return DIALECTS.flatMap(dialect => [
    ...streams(dialect).map(({ bytes }) => ({ dialect, streaming: true, bytes })),
    { dialect, streaming: true, bytes: fakeStream(dialect) },
    { dialect, streaming: true, bytes: fakeStream(dialect, true) },
    ...replies(dialect).map(({ bytes }) => ({ dialect, streaming: false, bytes })),
  ])
}

/** Small random numbers from a seed (mulberry32): a failing run replays. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

function bend(random: (below: number) => number, sample: Sample, all: readonly Sample[]): Buffer {
  let bytes = Buffer.from(sample.bytes)
  for (let blow = random(6); blow > 0; blow--) {
    const at = random(bytes.length + 1)
    switch (random(5)) {
      case 0:
        if (bytes.length > 0) bytes[at % bytes.length] = random(256)
        break
      case 1:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(SPICE[random(SPICE.length)]!),
          bytes.subarray(at),
        ])
        break
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(30))])
        break
      case 3: {
        const other = all[random(all.length)]!.bytes
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(random(other.length))])
        break
      }
      default:
        bytes = Buffer.concat([bytes, bytes.subarray(at)])
    }
  }
  return bytes.subarray(0, INPUT_BYTES_MAX)
}

function check(
  sample: Sample,
  input: Buffer,
  cuts: readonly number[],
  ending: Ending,
  hideUsage: boolean,
): void {
  const wish = { streaming: sample.streaming, hideUsage }
  const run = (given: readonly Uint8Array[]): Relayed => relay(sample.dialect, given, ending, wish)
  const whole = run([input])
  const torn = run(pieces(input, cuts))
  assert(whole.facts.state !== 'open', 'a relay comes to an end')
  assert(same(torn.bytes, whole.bytes), 'cuts change no byte')
  assert(JSON.stringify(factsOf(torn.facts)) === JSON.stringify(factsOf(whole.facts)), 'cuts change no fact')
  if (!hideUsage) {
    assert(same(whole.bytes.subarray(0, input.length), input), 'every byte passes')
    const open = relay(sample.dialect, pieces(input, cuts), 'open', wish)
    assert(open.bytes.length === input.length, 'nothing is held')
  }
  if (!sample.streaming) assert(whole.bytes.length === input.length, 'nothing is added to a document')
  else if (whole.facts.state === 'complete') {
    assert(whole.bytes.length <= input.length, 'nothing is added to a complete stream')
  }
}

export async function run({ seconds, seed }: FuzzOptions): Promise<FuzzResult> {
  const random = generator(seed)
  const all = samples()
  const untilMs = performance.now() + seconds * 1_000
  let iterations = 0
  while (performance.now() < untilMs) {
    const sample = all[random(all.length)]!
    const input = bend(random, sample, all)
    const cuts = Array.from({ length: random(8) }, () => random(input.length + 1))
    const ending = random(2) === 0 ? 'end' : 'cut'
    const hideUsage = sample.dialect === 'openai-chat' && sample.streaming && random(2) === 0
    try {
      check(sample, input, cuts, ending, hideUsage)
    } catch (cause) {
      const what = `${sample.dialect}, ${sample.streaming ? 'streamed' : 'whole'}, ${ending}, hide ${hideUsage}`
      throw new Error(`${what}, cuts ${JSON.stringify(cuts)}: ${JSON.stringify(input.toString('latin1'))}`, {
        cause,
      })
    }
    iterations += 1
    // Other work of the process gets its turn.
    if (iterations % 500 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  return { iterations }
}

// Throws bytes at the reply parser: sound replies, damaged ones, spliced ones and noise, cut anywhere. It must
// never throw, never give more body than bytes, never depend on the cuts, and always come to an end.

import { assert } from '../../src/common/assert.ts'
import { ReplyParser, type ReplyResult } from '../../src/upstream/http1-reply.ts'
import {
  HTTP1_ONLY_REPLIES,
  HTTP1_UNSOUND_REPLIES,
  SOUND_REPLIES,
  UNSOUND_REPLIES,
} from '../upstream/replies.ts'
import type { FuzzOptions, FuzzResult } from './main.ts'

const CORPUS = [...SOUND_REPLIES, ...HTTP1_ONLY_REPLIES, ...UNSOUND_REPLIES, ...HTTP1_UNSOUND_REPLIES].map(
  reply => Buffer.from(reply.raw, 'latin1'),
)
const SPICE = [
  '\r\n',
  '\n',
  '\r',
  '0\r\n\r\n',
  ':',
  ' ',
  '\0',
  'content-length: 3\r\n',
  'chunked',
  'HTTP/1.1 200 OK\r\n',
  'ffffffff\r\n',
  ';',
]

/** One iteration looks at this many bytes at most. */
const INPUT_BYTES_MAX = 4_096

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

function mutate(random: (below: number) => number): Buffer {
  let bytes = Buffer.from(CORPUS[random(CORPUS.length)]!)
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
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          bytes.subarray(Math.min(bytes.length, at + 1 + random(20))),
        ])
        break
      case 3: {
        const other = CORPUS[random(CORPUS.length)]!
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(random(other.length))])
        break
      }
      default:
        bytes = Buffer.concat([bytes, bytes.subarray(at)])
    }
  }
  return bytes.subarray(0, INPUT_BYTES_MAX)
}

interface Outcome {
  readonly trace: string
  readonly bodyBytes: number
}

function parse(input: Buffer, cuts: readonly number[]): Outcome {
  const bodies: Buffer[] = []
  let heads = ''
  let bodyBytes = 0
  const parser = new ReplyParser({
    head: (status, headers) => {
      assert(bodyBytes === 0, 'a head comes before the body')
      heads += `${status}${JSON.stringify(headers)}`
    },
    data: piece => {
      assert(piece.length > 0 && heads !== '', 'a piece holds bytes and comes after the head')
      bodyBytes += piece.length
      bodies.push(Buffer.from(piece))
    },
  })
  parser.reset(false)
  let result: ReplyResult = 'more'
  let from = 0
  for (const to of [...cuts, input.length]) {
    if (to <= from) continue
    result = parser.push(Buffer.from(input.subarray(from, to)))
    from = to
    if (result !== 'more') break
  }
  const end = parser.finish()
  assert(bodyBytes <= input.length, 'a body is no longer than the bytes it came in')
  assert(result !== 'broken' || parser.problem !== '', 'a broken reply says why')
  assert(end !== 'more', 'the end of the connection is the end of the reply')
  const body = Buffer.concat(bodies).toString('latin1')
  return { trace: `${heads}|${body}|${result}|${end}|${parser.keepAlive}`, bodyBytes }
}

export async function run({ seconds, seed }: FuzzOptions): Promise<FuzzResult> {
  const random = generator(seed)
  const untilMs = performance.now() + seconds * 1_000
  let iterations = 0
  while (performance.now() < untilMs) {
    const input = mutate(random)
    const cuts = Array.from({ length: random(8) }, () => random(input.length + 1)).sort((a, b) => a - b)
    const whole = parse(input, [])
    const split = parse(input, cuts)
    if (split.trace !== whole.trace) {
      throw new Error(
        `cuts ${JSON.stringify(cuts)} change the outcome of ${JSON.stringify(input.toString('latin1'))}:\n` +
          `${whole.trace}\n${split.trace}`,
      )
    }
    iterations += 1
    // Other work of the process gets its turn.
    if (iterations % 1_000 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  return { iterations }
}

// What a text frame costs in the leaf: the table of all pairs, the relay on its diagonal. Run after a build:
//   node dist/bench/micro/translate.bench.js [--pieces N] [--only openai-chat,anthropic-messages] [--prompts]
// Prints microseconds of CPU per text frame: the lower quartile of rounds in which the pairs take turns, because a
// shared machine only ever adds. `--pieces` is how many frames a piece of input carries: 1 as paced streams arrive
// (the default), more as they pile up under load. `--only` names dialects, `--prompts` measures prompts instead.

import { parseArgs } from 'node:util'
import {
  DIALECTS,
  type DialectId,
  openReply,
  relayReply,
  ReplyContext,
  type ReplyPath,
  targetFacts,
  translatePrompt,
} from '../../src/translate/index.ts'
import { streamOf, textFrames } from '../load/dialects.ts'

/** Long enough that beginning and ending of a stream do not show. */
const FRAMES = 500
const ROUNDS = 15
const ROUND_MS = 25
const KIB = 1024

const { values: flags } = parseArgs({
  options: {
    pieces: { type: 'string', default: '1' },
    only: { type: 'string', default: DIALECTS.join(',') },
    prompts: { type: 'boolean', default: false },
  },
})
const encoder = new TextEncoder()
let written = 0
const out = { write: (piece: Uint8Array) => void (written += piece.length) }

interface Case {
  readonly name: string
  /** Frames, or bodies. */
  readonly units: number
  once(): void
}

function pieces(frames: readonly Buffer[], each: number): Uint8Array[] {
  const joined: Uint8Array[] = []
  for (let at = 0; at < frames.length; at += each) joined.push(Buffer.concat(frames.slice(at, at + each)))
  return joined
}

function pathOf(client: DialectId, upstream: DialectId): ReplyPath {
  if (client === upstream) return relayReply({ dialect: client, streaming: true, hideUsage: false, out })
  return openReply({ client, upstream, streaming: true, context: new ReplyContext(client, upstream), out })
}

function pairCase(client: DialectId, upstream: DialectId, body: readonly Uint8Array[]): Case {
  return {
    name: `${client} from ${upstream}`,
    units: textFrames(upstream, FRAMES),
    once: () => {
      const path = pathOf(client, upstream)
      for (const piece of body) path.write(piece)
      path.end()
      if (path.facts.state !== 'complete')
        throw new Error(`${client} from ${upstream}: ${path.facts.error?.message}`)
    },
  }
}

/** Lower quartiles in microseconds of CPU per unit. */
function measure(cases: readonly Case[]): number[] {
  const times = cases.map(() => [] as number[])
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, one] of cases.entries()) {
      const from = process.cpuUsage()
      const fromMs = performance.now()
      let runs = 0
      for (; performance.now() - fromMs < ROUND_MS; runs++) one.once()
      const { user, system } = process.cpuUsage(from)
      // The first round is for the compiler.
      if (round > 0) times[index]!.push((user + system) / runs / one.units)
    }
  }
  return times.map(all => all.sort((left, right) => left - right)[ROUNDS >> 2]!)
}

function table(dialects: readonly DialectId[], each: number): void {
  const cases = dialects.flatMap(upstream => {
    const body = pieces(
      streamOf(upstream, FRAMES, n => ` word${n} and some`),
      each,
    )
    return dialects.map(client => pairCase(client, upstream, body))
  })
  const found = measure(cases)
  console.log(`µs per text frame, ${each} to a piece; the diagonal is the relay\n`)
  console.log(`| upstream ↓ client → | ${dialects.join(' | ')} |`)
  console.log(`| --- |${' ---: |'.repeat(dialects.length)}`)
  for (const [row, upstream] of dialects.entries()) {
    const cells = dialects.map((_, at) => found[row * dialects.length + at]!.toFixed(2))
    console.log(`| ${upstream} | ${cells.join(' | ')} |`)
  }
}

function prompt(bytes: number): Uint8Array {
  const turns: unknown[] = []
  for (let n = 0; n < bytes / KIB; n++) {
    turns.push({
      role: n % 2 === 0 ? 'user' : 'assistant',
      content: `turn ${n} "quoted" \n ${'lorem ipsum '.repeat(80)}`,
    })
  }
  return encoder.encode(JSON.stringify({ model: 'm', max_tokens: 100, messages: turns }))
}

function prompts(): void {
  const target = targetFacts('claude-x', 'anthropic')
  const cases = [4, 64, 1024].map((kib): Case => {
    const body = prompt(kib * KIB)
    return {
      name: `prompt of ${kib} KiB, openai-chat to anthropic-messages`,
      units: 1,
      once: () => {
        const { body: made } = translatePrompt('openai-chat', 'anthropic-messages', body, target, false)
        written += made.length
      },
    }
  })
  for (const [index, us] of measure(cases).entries())
    console.log(`${cases[index]!.name}: ${us.toFixed(0)} µs`)
}

if (flags.prompts) prompts()
else {
  const wanted = flags.only.split(',')
  table(
    DIALECTS.filter(dialect => wanted.includes(dialect)),
    Number(flags.pieces),
  )
}
if (written === 0) throw new Error('nothing was translated')

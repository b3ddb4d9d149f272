// Counting tokens, ours against js-tiktoken's, and from which size on a prompt is better translated in the pool.
// Run after a build, on a machine with little else to do:
//   node dist/bench/micro/tokens.bench.js [count] [split] [away]
// Figures are of this thread: its processor time for counting, and how long its loop was held for translating. Each
// is the best of several rounds, because a shared machine only ever adds.

import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { Tiktoken } from 'js-tiktoken/lite'
import o200k from 'js-tiktoken/ranks/o200k_base'
import { createCompute } from '../../src/compute/index.ts'
import { splitterFor } from '../../src/compute/split.ts'
import { Tokenizer, Work } from '../../src/compute/tokenizer.ts'
import { targetFacts, translatePrompt } from '../../src/translate/index.ts'
import { randomOf } from '../../test/compute/corpus.ts'

const ROUNDS = 15
const ROOT = new URL('../../../', import.meta.url)
const asked = new Set(process.argv.slice(2))
const wants = (part: string): boolean => asked.size === 0 || asked.has(part)

/** A text of its own, flat and in one piece, as JSON.parse would make it. */
function flat(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8')
}

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

const random = randomOf(1)
const pick = (from: string): string => from[Math.floor(random() * from.length)]!

/** Characters and clauses of usual frequency and length, in no order. */
function chinese(units: number): string {
  const characters =
    '的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生自会那后能对着事其里所去行过家十用发天如然作方成者多日都三小军二无同么经法当起与好看学进种将还分此心前面又定见只主没公从'
  let text = ''
  while (text.length < units) {
    for (let left = 4 + random() * 14; left > 0; left--) text += pick(characters)
    text += pick('，，，。；')
  }
  return text
}

const LICENSE = read('LICENSE')
const TEXTS: Readonly<Record<string, string>> = {
  'prose, ASCII': flat(LICENSE.repeat(20)),
  'prose with curly quotes': flat(LICENSE.replaceAll('"', '”').repeat(20)),
  code: flat(read('node_modules/undici/lib/dispatcher/client-h1.js').repeat(6)),
  Chinese: flat(chinese(100_000)),
  'base64 in text': flat(
    Buffer.from(Array.from({ length: 150_000 }, () => random() * 256)).toString('base64'),
  ),
  'words of letters without order': flat(
    Array.from({ length: 60_000 }, () => Array.from({ length: 9 }, () => pick('etaoinshrdlu')).join('')).join(
      ' ',
    ),
  ),
  'one letter, 200 KB': 'a'.repeat(200_000),
}

/** Best processor time of one call, ms. */
function best(call: () => unknown, rounds = ROUNDS): number {
  let lowest = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    call()
    const { user, system } = process.cpuUsage(before)
    lowest = Math.min(lowest, (user + system) / 1000)
  }
  return lowest
}

function megabytesPerSecond(text: string, ms: number): number {
  return Number((Buffer.byteLength(text) / 1000 / ms).toPrecision(2))
}

function benchCount(): void {
  const ours = new Tokenizer(o200k)
  const theirs = new Tiktoken(o200k)
  const rows = Object.entries(TEXTS).map(([name, text]) => {
    const run = name.startsWith('one letter')
    // The reference needs minutes for a long run: it is given one hundredth, and takes all the longer per byte.
    const sample = run ? text.slice(0, 2_000) : text
    const oursMs = best(() => ours.count(text, new Work(1e12)))
    const theirsMs = best(() => theirs.encode(sample, [], []), run ? 1 : 2)
    return {
      text: name,
      KB: Math.round(Buffer.byteLength(text) / 1000),
      tokens: ours.count(text, new Work(1e12)),
      'ours MB/s': megabytesPerSecond(text, oursMs),
      'js-tiktoken MB/s': megabytesPerSecond(sample, theirsMs),
      'given KB': Math.round(sample.length / 1000),
    }
  })
  console.log('o200k_base')
  console.table(rows)
}

function benchSplit(): void {
  const split = splitterFor(o200k.pat_str)
  const walk = (text: string): void => {
    for (let at = 0; at < text.length; ) at = split(text, at)
  }
  const match = (text: string): void => {
    const pattern = new RegExp(o200k.pat_str, 'uy')
    while (pattern.test(text)) {
      // The end of the match is all that is wanted.
    }
  }
  const rows = Object.entries(TEXTS).map(([name, text]) => ({
    text: name,
    'walk MB/s': megabytesPerSecond(
      text,
      best(() => walk(text)),
    ),
    'pattern MB/s': megabytesPerSecond(
      text,
      best(() => match(text)),
    ),
  }))
  console.log('finding pieces')
  console.table(rows)
}

function chatBody(bytes: number): Uint8Array {
  const messages = []
  const text = LICENSE.repeat(1 + Math.ceil(bytes / 40 / LICENSE.length))
  const share = Math.ceil(bytes / 40)
  for (let at = 0; at < 40; at++) {
    messages.push({ role: at % 2 === 0 ? 'user' : 'assistant', content: text.slice(0, share) })
  }
  return Buffer.from(JSON.stringify({ model: 'm', messages, max_tokens: 100, stream: true }))
}

interface Held {
  readonly best: string
  readonly median: string
}

/** How long one call keeps this thread's loop busy, ms, in as many pieces as it may be. */
async function held(calls: number, call: () => unknown): Promise<Held> {
  const times: number[] = []
  for (let at = 0; at < calls; at++) {
    await new Promise(setImmediate)
    const before = performance.eventLoopUtilization()
    await call()
    times.push(performance.eventLoopUtilization(before).active)
  }
  times.sort((a, b) => a - b)
  return { best: times[0]!.toFixed(3), median: times[times.length >> 1]!.toFixed(3) }
}

async function benchAway(): Promise<void> {
  const compute = createCompute({ workerUrl: new URL('../../workers/compute.js', import.meta.url) })
  const target = targetFacts('claude-x', 'anthropic')
  const rows = []
  for (const kilobytes of [4, 16, 32, 64, 128, 256, 512, 1_024, 4_096]) {
    const body = chatBody(kilobytes * 1024)
    const calls = Math.min(400, Math.ceil((64 * 1024) / kilobytes))
    const here = (): unknown => translatePrompt('openai-chat', 'anthropic-messages', body, target, false)
    const there = (): unknown =>
      compute.translatePrompt('openai-chat', 'anthropic-messages', body, target, false)
    for (let at = 0; at < 20; at++) await there()
    const inPlace = await held(calls, here)
    const away = await held(calls, there)
    const started = performance.now()
    for (let at = 0; at < calls; at++) await there()
    const roundTripMs = (performance.now() - started) / calls
    rows.push({
      KB: kilobytes,
      'here, best': inPlace.best,
      'here, median': inPlace.median,
      'away, best': away.best,
      'away, median': away.median,
      'away, round trip': roundTripMs.toFixed(2),
    })
  }
  await compute.close()
  console.log('translating openai-chat → anthropic-messages: this loop is held, ms')
  console.table(rows)
}

if (wants('count')) benchCount()
if (wants('split')) benchSplit()
if (wants('away')) await benchAway()

// What it costs a peer to translate a stream, beside what the relay of the same stream costs it: same upstream, same
// frames, the client's dialect is the only difference. Owns three loads: streams at full load, paced streams, and
// streams held open. The trick: pairs and relays take turns in short windows, so that what the machine does to one
// it does to all; a pair's figure is the lower quartile of its windows.

import { type DialectId, DIALECTS, requestOf, textFrames } from '../dialects.ts'
import { type Call, closedLoop, pause } from '../drive.ts'
import { rssKb } from '../measure/proc.ts'
import { commandText, type Command, wordAt, words } from '../replies.ts'
import { requestWith, SMALL_BYTES } from '../requests.ts'
import { BASE, leave, open, SETTLE_MS } from './held.ts'
import { PACE_MS, pacedFrames, runPaced } from './paced.ts'
import {
  type Column,
  ERRORS,
  type Job,
  type JobResult,
  per,
  type Scenario,
  WRONG,
  windowOf,
} from './scenario.ts'

const FRAMES = 52
const CONNECTIONS = 16
/** Windows per pair and job. */
const ROUNDS = 5
const ROUNDS_PACED = 3
/** Part of the job's window that one pair gets in one round. */
const SHARE = 8
/** Warming up is most of a first window and hardly any of the later ones. */
const WARM_MS = 80
const WARM_FIRST_MS = 400
const HELD_STREAMS = 500
const HELD_STREAMS_QUICK = 200

interface Pair {
  readonly client: DialectId
  readonly upstream: DialectId
}

type Sums = { errors: number; wrong: number; reason: string }

const SHORT: Readonly<Record<DialectId, string>> = {
  'openai-chat': 'chat',
  'openai-responses': 'responses',
  'anthropic-messages': 'messages',
  'bedrock-converse': 'converse',
  'gemini-generate': 'gemini',
}

const ALL: readonly Pair[] = DIALECTS.flatMap(upstream => DIALECTS.map(client => ({ client, upstream })))
const CHAT_RELAY: Pair = { client: 'openai-chat', upstream: 'openai-chat' }
const MESSAGES_RELAY: Pair = { client: 'anthropic-messages', upstream: 'anthropic-messages' }
const MESSAGES_FROM_CHAT: Pair = { client: 'anthropic-messages', upstream: 'openai-chat' }
const CHAT_FROM_MESSAGES: Pair = { client: 'openai-chat', upstream: 'anthropic-messages' }

function hasChat({ client, upstream }: Pair): boolean {
  return client === 'openai-chat' || upstream === 'openai-chat' || client === upstream
}

function isRelay({ client, upstream }: Pair): boolean {
  return client === upstream
}

function keyOf({ client, upstream }: Pair): string {
  return `${SHORT[client]}From${SHORT[upstream]}`
}

function relayOf({ upstream }: Pair): Pair {
  return { client: upstream, upstream }
}

function pairCall(job: Job, pair: Pair, command: Command): Call {
  const { peer } = job
  const model = peer.models![pair.upstream]
  const { path, body } = requestOf(pair.client, model, `${commandText(command)} ${words(SMALL_BYTES)}`)
  const frames = command.kind === 'dressed' ? textFrames(pair.upstream, command.frames) : 0
  const text = Array.from({ length: frames }, (_, n) => wordAt(n)).join('')
  return {
    port: peer.port,
    bytes: requestWith({ ...peer, path }, body),
    expected: { kind: 'text', body: NOTHING, text, dialect: pair.client },
  }
}

/** One of many windows: the lowest quarter of them is the machine at rest. */
function lowerQuartile(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 4)] ?? null
}

function note(sums: Sums, { errors, wrong, reason }: Sums, pair: Pair): void {
  sums.errors += errors
  sums.wrong += wrong
  if (sums.reason === '' && reason !== '') sums.reason = `${keyOf(pair)}: ${reason}`
}

/** CPU of the lower quartile by pair; the pairs take turns. */
async function inTurns(
  pairs: readonly Pair[],
  rounds: number,
  once: (pair: Pair, first: boolean) => Promise<number | null>,
): Promise<Record<string, number | null>> {
  const found = new Map<Pair, number[]>(pairs.map(pair => [pair, []]))
  for (let round = 0; round <= rounds; round += 1) {
    for (const pair of pairs) {
      const cpuUs = await once(pair, round === 0)
      if (cpuUs !== null && round > 0) found.get(pair)!.push(cpuUs)
    }
  }
  return Object.fromEntries([...found].map(([pair, values]) => [keyOf(pair), lowerQuartile(values)]))
}

function ratio(cpuUs: Record<string, number | null>, pair: Pair): number | null {
  const relay = cpuUs[keyOf(relayOf(pair))] ?? null
  const own = cpuUs[keyOf(pair)] ?? null
  return own === null || relay === null || relay <= 0 ? null : own / relay
}

async function run(job: Job): Promise<JobResult> {
  if (job.peer.models === null) return { measures: {}, reason: '' }
  const pairs = job.settings.allPairs ? ALL : ALL.filter(hasChat)
  const sums: Sums = { errors: 0, wrong: 0, reason: '' }
  const { measureMs, pids } = windowOf(job)
  const cpuUs = await inTurns(pairs, ROUNDS, async (pair, first) => {
    const target = pairCall(job, pair, { kind: 'dressed', frames: FRAMES, paceMs: 0 })
    const warmMs = first ? WARM_FIRST_MS : WARM_MS
    const loaded = await closedLoop(target, CONNECTIONS, { warmMs, measureMs: measureMs / SHARE, pids })
    note(sums, loaded, pair)
    return per(loaded.cpuUs, loaded.requests)
  })
  const ratios = pairs.filter(pair => !isRelay(pair)).map(pair => [keyOf(pair), ratio(cpuUs, pair)] as const)
  const known = ratios.map(([, value]) => value).filter(value => value !== null)
  const relays = ALL.filter(isRelay).map(pair => [`${keyOf(pair)}Us`, cpuUs[keyOf(pair)] ?? null] as const)
  return {
    measures: {
      ...Object.fromEntries([...relays, ...ratios]),
      worst: known.length === 0 ? null : Math.max(...known),
      errors: sums.errors,
      wrong: sums.wrong,
    },
    reason: sums.reason,
  }
}

async function paced(job: Job): Promise<JobResult> {
  if (job.peer.models === null) return { measures: {}, reason: '' }
  const sums: Sums = { errors: 0, wrong: 0, reason: '' }
  const pairs = [CHAT_RELAY, MESSAGES_FROM_CHAT, MESSAGES_RELAY, CHAT_FROM_MESSAGES]
  const window = { ...windowOf(job), warmMs: WARM_FIRST_MS }
  const command: Command = { kind: 'dressed', frames: pacedFrames(window), paceMs: PACE_MS }
  const cpuUs = await inTurns(pairs, ROUNDS_PACED, async pair => {
    const { measures, reason } = await runPaced(pairCall(job, pair, command), window)
    note(sums, { errors: measures['errors']!, wrong: measures['wrong']!, reason }, pair)
    return measures['cpuUs']!
  })
  const more = (pair: Pair): number | null => {
    const own = cpuUs[keyOf(pair)] ?? null
    const relay = cpuUs[keyOf(relayOf(pair))] ?? null
    return own === null || relay === null ? null : own - relay
  }
  return {
    measures: {
      ...cpuUs,
      messagesMore: more(MESSAGES_FROM_CHAT),
      chatMore: more(CHAT_FROM_MESSAGES),
      errors: sums.errors,
      wrong: sums.wrong,
    },
    reason: sums.reason,
  }
}

/** Memory per open stream: streams of one kind open beside those of the kind before. */
async function held(job: Job): Promise<JobResult> {
  const { peer, settings } = job
  if (peer.models === null) return { measures: {}, reason: '' }
  const count = settings.quick ? HELD_STREAMS_QUICK : HELD_STREAMS
  const kb: Record<string, number> = {}
  let lost = 0
  let reason = ''
  for (const pair of [CHAT_RELAY, MESSAGES_FROM_CHAT, CHAT_FROM_MESSAGES]) {
    const loaded = pairCall(job, pair, { kind: 'dressed', frames: FRAMES, paceMs: 0 })
    await closedLoop(loaded, CONNECTIONS, { warmMs: 0, measureMs: settings.quick ? 400 : 1_500, pids: [] })
    const target = pairCall(job, pair, { kind: 'hold' })
    const base = await open(target, BASE)
    await pause(SETTLE_MS)
    const emptyKb = rssKb(peer.pids)
    const group = await open(target, count)
    await pause(SETTLE_MS)
    kb[keyOf(pair)] = (rssKb(peer.pids) - emptyKb) / count
    lost += group.errors + (count - group.opened) + base.errors + (BASE - base.opened)
    reason ||= group.reason || base.reason
    leave(group)
    leave(base)
    await pause(SETTLE_MS)
  }
  return { measures: { ...kb, errors: lost, wrong: 0 }, reason }
}

const NOTHING = Buffer.alloc(0)

function column(key: string, title: string, unit: string, digits: number): Column {
  return { key, title, unit, digits, ratioTo: null }
}

export const translated: Scenario = {
  name: 'translated',
  title: `translated streams of ${FRAMES} frames, full load, against the relay of the same stream`,
  columns: [
    ...ALL.filter(isRelay).map(pair =>
      column(`${keyOf(pair)}Us`, `CPU per relayed ${SHORT[pair.upstream]} stream`, 'µs', 0),
    ),
    ...ALL.filter(pair => !isRelay(pair)).map(pair =>
      column(keyOf(pair), `${SHORT[pair.client]} from ${SHORT[pair.upstream]}`, '× relay', 2),
    ),
    column('worst', 'worst pair', '× relay', 2),
    ERRORS,
    WRONG,
  ],
  run,
}

export const translatedPaced: Scenario = {
  name: 'translated-paced',
  title: 'paced frames, relayed and translated',
  columns: [
    column(keyOf(CHAT_RELAY), 'CPU per chat frame, relayed', 'µs', 1),
    column(keyOf(MESSAGES_FROM_CHAT), 'messages from chat', 'µs', 1),
    column(keyOf(MESSAGES_RELAY), 'CPU per messages frame, relayed', 'µs', 1),
    column(keyOf(CHAT_FROM_MESSAGES), 'chat from messages', 'µs', 1),
    column('messagesMore', 'messages from chat: more than the relay', 'µs', 1),
    column('chatMore', 'chat from messages: more than the relay', 'µs', 1),
    ERRORS,
    WRONG,
  ],
  run: paced,
}

export const translatedHeld: Scenario = {
  name: 'translated-held',
  title: `${HELD_STREAMS} idle open streams of each kind`,
  fresh: true,
  columns: [
    column(keyOf(CHAT_RELAY), 'memory per relayed chat stream', 'KB', 1),
    column(keyOf(MESSAGES_FROM_CHAT), 'memory per messages stream from chat', 'KB', 1),
    column(keyOf(CHAT_FROM_MESSAGES), 'memory per chat stream from messages', 'KB', 1),
    ERRORS,
    WRONG,
  ],
  run: held,
}

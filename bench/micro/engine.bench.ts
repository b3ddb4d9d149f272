// What the gateway's own work costs an exchange: everything between an acceptor and an upstream socket, without
// either. A request goes into a real engine; an upstream that answers at once gives the reply. Run after a build:
//   node dist/bench/micro/engine.bench.js [--seconds N]
// Prints microseconds of CPU per exchange: the lower quartile of rounds that take turns, because a shared machine only
// ever adds.

import { parseArgs } from 'node:util'
import { systemClock } from '../../src/common/clock.ts'
import { loadPlan } from '../../src/common/config/index.ts'
import { GatewayEngine, type ReplySink, type RequestSink, type Services } from '../../src/gateway/index.ts'
import { Authorizer } from '../../src/providers/index.ts'
import { loadCatalogue } from '../../src/routing/index.ts'
import { Log, ShardMetrics } from '../../src/telemetry/index.ts'
import {
  BreakerTable,
  newBreakerMemory,
  type UpstreamCall,
  type UpstreamClient,
  type UpstreamHandler,
  type UpstreamRequest,
} from '../../src/upstream/index.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '4' } } })
const ROUNDS = 20
/** Exchanges between two looks at the clock. */
const BATCH = 200

const encoder = new TextEncoder()
const NO_CALL: UpstreamCall = { pause: () => {}, resume: () => {}, abort: () => {} }

/** Answers every request in the next turn of the loop. */
class InstantUpstream implements UpstreamClient {
  reply: { readonly type: string; readonly pieces: readonly Uint8Array[] } = { type: '', pieces: [] }
  private readonly waiting: UpstreamHandler[] = []

  send(_request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall {
    this.waiting.push(handler)
    return NO_CALL
  }

  answer(): void {
    const { type, pieces } = this.reply
    let length = 0
    for (const piece of pieces) length += piece.length
    for (const handler of this.waiting.splice(0)) {
      handler.head(200, ['content-type', type, 'content-length', String(length), 'x-request-id', 'req_1'])
      for (const piece of pieces) handler.data(piece)
      handler.end()
    }
  }

  pools(): [] {
    return []
  }

  async close(): Promise<void> {}
}

class NoReply implements ReplySink {
  readonly pendingBytes = 0
  head(): void {}
  write(): boolean {
    return true
  }
  end(): void {}
  whole(): void {}
  abort(): void {}
  resumeBody(): void {}
}

const upstream = new InstantUpstream()
const { plan } = loadPlan({
  file: null,
  cwd: '/nowhere',
  env: { OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: 'sk-2' },
})
const metrics = new ShardMetrics(new Log('info', systemClock, {}, () => {}))
const services: Services = {
  clock: systemClock,
  upstream,
  breakers: new BreakerTable(newBreakerMemory(), systemClock),
  catalogue: loadCatalogue(),
  random: Math.random,
  recorder: metrics,
  countTokens: async () => ({ tokens: 0, estimated: true, encoding: 'bytes' }),
  translatePrompt: null,
  images: null,
  authorizer: new Authorizer({
    clock: systemClock,
    fetch: () => Promise.reject(new Error('no call for a token is made')),
    env: {},
  }),
  bug: error => {
    throw error
  },
}
const engine = new GatewayEngine(services, plan)
const REPLY = new NoReply()

const CLIENT_HEADERS = [
  'host',
  '127.0.0.1:12000',
  'content-type',
  'application/json',
  'authorization',
  'Bearer sk-client',
  'user-agent',
  'bench',
]

interface Case {
  readonly name: string
  readonly path: string
  readonly body: Uint8Array
  readonly type: string
  readonly pieces: readonly Uint8Array[]
}

const content = 'x'.repeat(700)
const chunk = (delta: object, finish: string | null): Uint8Array =>
  encoder.encode(
    `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
  )
const stream = [
  chunk({ role: 'assistant', content: '' }, null),
  ...Array.from({ length: 48 }, () => chunk({ content: 'some words ' }, null)),
  chunk({}, 'stop'),
  encoder.encode(
    'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":48,"total_tokens":49}}\n\n',
  ),
  encoder.encode('data: [DONE]\n\n'),
]
const whole = encoder.encode(
  JSON.stringify({
    id: 'c1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4o',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 },
  }),
)
const chat = (streamed: boolean): Uint8Array =>
  encoder.encode(
    JSON.stringify({ model: 'openai/gpt-4o', stream: streamed, messages: [{ role: 'user', content }] }),
  )
const messages = (streamed: boolean): Uint8Array =>
  encoder.encode(
    JSON.stringify({
      model: 'openai/gpt-4o',
      max_tokens: 100,
      stream: streamed,
      messages: [{ role: 'user', content }],
    }),
  )
const JSON_TYPE = 'application/json'
const SSE = 'text/event-stream'

const CASES: readonly Case[] = [
  {
    name: 'chat relayed, whole',
    path: '/v1/chat/completions',
    body: chat(false),
    type: JSON_TYPE,
    pieces: [whole],
  },
  {
    name: 'chat relayed, 52 frames',
    path: '/v1/chat/completions',
    body: chat(true),
    type: SSE,
    pieces: stream,
  },
  {
    name: 'messages → chat, whole',
    path: '/v1/messages',
    body: messages(false),
    type: JSON_TYPE,
    pieces: [whole],
  },
  {
    name: 'messages → chat, 52 frames',
    path: '/v1/messages',
    body: messages(true),
    type: SSE,
    pieces: stream,
  },
]

function round({ path, body, type, pieces }: Case, forMs: number): number {
  upstream.reply = { type, pieces }
  const untilMs = performance.now() + forMs
  const before = process.cpuUsage()
  let exchanges = 0
  do {
    for (let at = 0; at < BATCH; at += 1) {
      const sink: RequestSink = engine.open(
        {
          method: 'POST',
          target: path,
          headers: CLIENT_HEADERS,
          remoteAddress: '127.0.0.1',
          listener: 'llm',
          contentLength: body.length,
        },
        REPLY,
      )
      sink.body(body)
      upstream.answer()
    }
    exchanges += BATCH
  } while (performance.now() < untilMs)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / exchanges
}

const roundMs = (Number(values.seconds) * 1_000) / ROUNDS / CASES.length
const found = new Map<Case, number[]>(CASES.map(one => [one, []]))
for (const one of CASES) round(one, 500)
for (let turn = 0; turn < ROUNDS; turn += 1) {
  for (const one of CASES) found.get(one)!.push(round(one, roundMs))
}
for (const [{ name }, us] of found) {
  us.sort((a, b) => a - b)
  process.stdout.write(`${name.padEnd(30)} ${us[Math.floor(us.length / 4)]!.toFixed(1)} µs per exchange\n`)
}

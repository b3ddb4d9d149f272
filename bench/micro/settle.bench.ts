// What it costs to remember an exchange: begin, settle, and the log line nobody asked for. Run:
//   npm run build && node dist/bench/micro/settle.bench.js

import { bench, do_not_optimize, run } from 'mitata'
import { systemClock } from '../../src/common/clock.ts'
import { ExchangeRecord, Log, type LogLevel, ShardMetrics } from '../../src/telemetry/index.ts'

const MODELS = 20

function metricsAt(level: LogLevel): ShardMetrics {
  const metrics = new ShardMetrics(new Log(level, systemClock, { shard: '1' }, line => do_not_optimize(line)))
  metrics.useModels(
    Array.from({ length: MODELS }, (_, at) => ({
      name: `openai/model-${at}`,
      provider: 'openai',
      model: `model-${at}`,
    })),
  )
  return metrics
}

function record(at: number): ExchangeRecord {
  const made = new ExchangeRecord('8e6cfd1c-5d0a-4b0e', 'llm', '/v1/chat/completions', 'POST', 1_000)
  made.provider = `openai/model-${at % MODELS}`
  made.modelSent = `model-${at % MODELS}`
  made.status = 200
  made.upstreamStatus = 200
  made.attempts = 1
  made.streaming = true
  made.upstreamStartedMs = 1_001
  made.firstByteMs = 1_200
  made.firstContentMs = 1_250
  made.endedMs = 3_000 + at
  made.usage = {
    inputTokens: 200,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    cacheWriteLongTokens: null,
    outputTokens: 300,
    reasoningTokens: null,
    audioInputTokens: null,
    audioOutputTokens: null,
    estimated: false,
  }
  return made
}

const records = Array.from({ length: 64 }, (_, at) => record(at))

for (const level of ['info', 'debug'] as const) {
  const metrics = metricsAt(level)
  let at = 0
  bench(`begin and settle, LOG_LEVEL=${level}`, () => {
    const one = records[at++ & 63]!
    metrics.begin(one.handler)
    metrics.settle(one)
  })
}

const busy = metricsAt('info')
for (const one of records) {
  busy.begin(one.handler)
  busy.settle(one)
}
bench(`snapshot for a scrape, ${MODELS} models`, () => do_not_optimize(busy.snapshot()))

await run()

// Records, clocks and readers for the tests of this folder.

import type { Clock } from '../../src/common/clock.ts'
import { ExchangeRecord, Log, type LogLevel, ShardMetrics, type Snapshot } from '../../src/telemetry/index.ts'

export const CLOCK: Clock = { monotonicMs: () => 0, epochMs: () => Date.UTC(2026, 10, 26, 12, 0, 0) }

export interface Counted {
  readonly metrics: ShardMetrics
  readonly lines: string[]
}

export function counted(level: LogLevel = 'silent'): Counted {
  const lines: string[] = []
  const metrics = new ShardMetrics(new Log(level, CLOCK, { shard: '1' }, line => lines.push(line)))
  metrics.useModels([{ name: 'openai/gpt-4o-mini', provider: 'openai', model: 'openai/gpt-4o-mini' }])
  return { metrics, lines }
}

/** A streamed model call that went well: 2 s long, first token after 500 ms, 11 tokens. */
export function goodRecord(change: Partial<ExchangeRecord> = {}): ExchangeRecord {
  const record = new ExchangeRecord('r-1', 'llm', '/v1/chat/completions', 'POST', 1_000)
  return Object.assign(record, {
    clientDialect: 'openai-chat',
    upstreamDialect: 'openai-chat',
    provider: 'openai/gpt-4o-mini',
    modelAsked: 'openai/gpt-4o-mini',
    modelSent: 'gpt-4o-mini',
    status: 200,
    upstreamStatus: 200,
    firstByteMs: 1_450,
    firstContentMs: 1_500,
    upstreamStartedMs: 1_010,
    endedMs: 3_000,
    bytesIn: 100,
    bytesOut: 900,
    streaming: true,
    attempts: 1,
    usage: {
      inputTokens: 20,
      cacheReadTokens: 5,
      cacheWriteTokens: 0,
      cacheWriteLongTokens: null,
      outputTokens: 11,
      reasoningTokens: null,
      audioInputTokens: null,
      audioOutputTokens: null,
      estimated: false,
    },
    ...change,
  } satisfies Partial<ExchangeRecord>)
}

/** Values of the one series with these labels; fails the test by undefined when there is none. */
export function valuesOf(
  snapshot: Snapshot,
  name: string,
  ...labels: string[]
): readonly number[] | undefined {
  const rows = snapshot.find(metric => metric.name === name)?.rows
  return rows?.find(row => row.labels.join() === labels.join())?.values
}

/** What `settle` does to the books, as a page of text would show it. */
export function settled(metrics: ShardMetrics, record: ExchangeRecord): Snapshot {
  metrics.begin(record.handler)
  metrics.settle(record)
  return metrics.snapshot()
}

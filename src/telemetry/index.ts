// Telemetry: what is remembered of an exchange, how it is counted, and how log lines leave the process.

export {
  HistogramFamily,
  type MetricRow,
  type MetricRows,
  type MetricSpec,
  type Snapshot,
  SnapshotSum,
  ValueFamily,
} from './families.ts'
export { type LineBatch, LineQueue } from './line-queue.ts'
export { Log, type LogFields, type LogLevel, readLogLevel } from './log.ts'
export { LogWriter } from './log-writer.ts'
export { LoopDelay } from './loop-delay.ts'
export { METRIC_BY_NAME, METRICS } from './metrics.ts'
export { processRows } from './process.ts'
export { type MetricsPage, metricsPage } from './prometheus.ts'
export { ExchangeRecord, type FailedTry, type Outcome, type Recorder, type TryResult } from './record.ts'
export { type ModelLabels, ShardMetrics } from './shard-metrics.ts'

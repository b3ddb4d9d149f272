// What one shard counts, and the line it writes for an exchange. Owns the recorder that the gateway settles each
// exchange with; reads nothing but the record.

import { type ErrorKind, KINDS } from '../common/errors.ts'
import { type Histogram, HistogramFamily, OTHER, type Snapshot, type Value, ValueFamily } from './families.ts'
import { handlerLabel, lastResult, methodLabel, STATUS_CLASSES, statusClass } from './labels.ts'
import type { Log, LogLevel } from './log.ts'
import { METRICS } from './metrics.ts'
import { ModelFamilies, ModelSeries } from './model-series.ts'
import type { ExchangeRecord, Outcome, Recorder } from './record.ts'

const SECOND_MS = 1000

/** A provider entry as metrics name it. */
export interface ModelLabels {
  /** Name of the entry in the plan; the record's `provider`. */
  readonly name: string
  /** Vendor id. */
  readonly provider: string
  /** Configured model. */
  readonly model: string
}

/** Everything about an endpoint that is looked up once. */
class EndpointSeries {
  readonly handler: string
  readonly inFlight: Value
  readonly duration: Histogram
  readonly outcomes: Map<Outcome, Value> = new Map()
  /** By method, then by status class. */
  readonly requests: Map<string, (Value | null)[]> = new Map()

  constructor(handler: string, inFlight: Value, duration: Histogram) {
    this.handler = handler
    this.inFlight = inFlight
    this.duration = duration
  }
}

export class ShardMetrics implements Recorder {
  private readonly log: Log
  private readonly requests = new ValueFamily(METRICS.httpRequests)
  private readonly duration = new HistogramFamily(METRICS.httpDuration)
  private readonly inFlight = new ValueFamily(METRICS.httpInFlight)
  private readonly exchanges = new ValueFamily(METRICS.exchanges)
  private readonly bytes = new ValueFamily(METRICS.bytes)
  private readonly bytesIn = this.bytes.of('in')
  private readonly bytesOut = this.bytes.of('out')
  private readonly loopDelay = new HistogramFamily(METRICS.loopDelay)
  private readonly families = new ModelFamilies()
  private readonly endpoints: Map<string, EndpointSeries> = new Map()
  private models: Map<string, ModelSeries> = new Map()
  private readonly otherModel = new ModelSeries(this.families, OTHER, OTHER)

  constructor(log: Log) {
    this.log = log
  }

  /** The label sets of a plan; later records of other names count as `other`. */
  useModels(models: readonly ModelLabels[]): void {
    const old = this.models
    this.models = new Map(
      models.map(({ name, provider, model }) => [
        name,
        old.get(name) ?? new ModelSeries(this.families, provider, model),
      ]),
    )
  }

  /** Where a shard's loop delays are counted. */
  loopDelays(shard: string): Histogram {
    return this.loopDelay.of(shard)
  }

  begin(handler: string): void {
    this.endpoint(handler).inFlight.add(1)
  }

  settle(record: ExchangeRecord): void {
    const endpoint = this.endpoint(record.handler)
    endpoint.inFlight.add(-1)
    endpoint.duration.observe(((record.firstByteMs ?? record.endedMs) - record.startedMs) / SECOND_MS)
    this.request(endpoint, record.method, statusClass(record.status)).add(1)
    this.outcome(endpoint, record).add(1)
    this.bytesIn.add(record.bytesIn)
    this.bytesOut.add(record.bytesOut)
    if (record.provider !== null) {
      const model = this.models.get(record.provider) ?? this.otherModel
      model.settle(record)
      this.tries(record, model)
    }
    const level = exchangeLevel(record)
    if (this.log.enabled(level)) writeExchange(this.log, level, record)
  }

  /** Every try once: those that failed unseen where they failed, the last one by how the exchange ended. */
  private tries(record: ExchangeRecord, last: ModelSeries): void {
    const failed = record.failedTries
    if (failed !== null) {
      for (const { provider, result, followed } of failed) {
        const model = this.models.get(provider) ?? this.otherModel
        model.attempt(result, followed)
      }
    }
    if (record.attempts > (failed === null ? 0 : failed.length)) last.attempt(lastResult(record), false)
  }

  snapshot(): Snapshot {
    return [
      this.requests,
      this.duration,
      this.inFlight,
      this.exchanges,
      this.bytes,
      this.loopDelay,
      ...this.families.all(),
    ].map(family => family.rows())
  }

  private endpoint(pattern: string): EndpointSeries {
    const found = this.endpoints.get(pattern)
    if (found !== undefined) return found
    const handler = handlerLabel(pattern)
    const made = new EndpointSeries(handler, this.inFlight.of(handler), this.duration.of(handler))
    this.endpoints.set(pattern, made)
    return made
  }

  private request(endpoint: EndpointSeries, method: string, status: number): Value {
    const label = methodLabel(method)
    let byStatus = endpoint.requests.get(label)
    if (byStatus === undefined) {
      byStatus = new Array<Value | null>(STATUS_CLASSES.length).fill(null)
      endpoint.requests.set(label, byStatus)
    }
    return (byStatus[status] ??= this.requests.of(
      label === 'OPTIONS' ? 'cors_preflight' : endpoint.handler,
      label,
      STATUS_CLASSES[status]!,
    ))
  }

  private outcome(endpoint: EndpointSeries, record: ExchangeRecord): Value {
    const { outcome } = record
    let value = endpoint.outcomes.get(outcome)
    if (value === undefined) {
      value = this.exchanges.of(record.handler, outcome)
      endpoint.outcomes.set(outcome, value)
    }
    return value
  }
}

/**
 * What went well is `debug`: a line costs more than the rest of the record together. What failed says so by the
 * level of its error kind. A call without the credential that its provider waits for is worth a line as well.
 */
export function exchangeLevel(record: ExchangeRecord): LogLevel {
  switch (record.outcome) {
    case 'ok':
    case 'client-closed':
      return record.credentialAbsent ? 'info' : 'debug'
    case 'upstream-error':
      return (record.upstreamStatus ?? 0) < 500 ? 'info' : 'warn'
    default:
      return KINDS[record.errorKind as ErrorKind]?.log ?? 'warn'
  }
}

function writeExchange(log: Log, level: LogLevel, record: ExchangeRecord): void {
  const { usage } = record
  log.write(level, 'exchange', {
    requestId: record.requestId,
    listener: record.listener,
    endpoint: record.handler,
    method: record.method,
    status: record.status,
    outcome: record.outcome,
    error: record.errorKind,
    provider: record.provider,
    model: record.modelSent,
    upstreamStatus: record.upstreamStatus,
    attempts: record.attempts,
    credential: record.credentialAbsent ? 'absent' : null,
    streaming: record.streaming,
    losses: record.losses === 0 ? null : record.losses,
    ms: rounded(record.endedMs - record.startedMs),
    firstByteMs: record.firstByteMs === null ? null : rounded(record.firstByteMs - record.startedMs),
    firstContentMs: record.firstContentMs === null ? null : rounded(record.firstContentMs - record.startedMs),
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    inputTokens: usage === null ? null : usage.inputTokens,
    outputTokens: usage === null ? null : usage.outputTokens,
    usagePartial: record.usagePartial ? true : null,
    costUsd: record.costUsd,
  })
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}

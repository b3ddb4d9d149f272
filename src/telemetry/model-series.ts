// The series of one provider entry, looked up once and kept: what the end of a model call adds to.

import { type Histogram, HistogramFamily, type Value, ValueFamily } from './families.ts'
import { ERROR_CLASSES, errorClass, STATUS_CLASSES, statusClass, upstreamStatusClass } from './labels.ts'
import { METRICS } from './metrics.ts'
import type { ExchangeRecord, TryResult } from './record.ts'

const SECOND_MS = 1000

/** The metrics of model calls. */
export class ModelFamilies {
  readonly requests = new ValueFamily(METRICS.llmRequests)
  readonly duration = new HistogramFamily(METRICS.llmDuration)
  readonly firstToken = new HistogramFamily(METRICS.llmFirstToken)
  readonly tokens = new ValueFamily(METRICS.llmTokens)
  readonly usageMissing = new ValueFamily(METRICS.llmUsageMissing)
  readonly promptCache = new ValueFamily(METRICS.promptCache)
  readonly attempts = new ValueFamily(METRICS.attempts)
  readonly retries = new ValueFamily(METRICS.retries)
  readonly cost = new ValueFamily(METRICS.cost)
  readonly usagePartial = new ValueFamily(METRICS.usagePartial)
  readonly rateLimited = new ValueFamily(METRICS.rateLimited)
  readonly inputLength = new HistogramFamily(METRICS.inputLength)
  readonly outputLength = new HistogramFamily(METRICS.outputLength)
  readonly firstTokenMs = new HistogramFamily(METRICS.firstToken)
  readonly perToken = new HistogramFamily(METRICS.perToken)
  readonly tokensPerSecond = new HistogramFamily(METRICS.tokensPerSecond)
  readonly latency = new HistogramFamily(METRICS.requestLatency)

  all(): readonly (ValueFamily | HistogramFamily)[] {
    return [
      this.requests,
      this.duration,
      this.firstToken,
      this.tokens,
      this.usageMissing,
      this.promptCache,
      this.attempts,
      this.retries,
      this.cost,
      this.usagePartial,
      this.rateLimited,
      this.inputLength,
      this.outputLength,
      this.firstTokenMs,
      this.perToken,
      this.tokensPerSecond,
      this.latency,
    ]
  }
}

/** Series per listener and status class. */
class CallSeries {
  readonly latency: Histogram
  readonly input: Histogram
  readonly output: Histogram
  readonly firstToken: Histogram
  readonly perToken: Histogram
  readonly perSecond: Histogram

  constructor(families: ModelFamilies, labels: readonly string[]) {
    this.latency = families.latency.of(...labels)
    this.input = families.inputLength.of(...labels)
    this.output = families.outputLength.of(...labels)
    this.firstToken = families.firstTokenMs.of(...labels)
    this.perToken = families.perToken.of(...labels)
    this.perSecond = families.tokensPerSecond.of(...labels)
  }
}

export class ModelSeries {
  private readonly families: ModelFamilies
  private readonly provider: string
  private readonly model: string
  private readonly duration: Histogram
  private readonly firstToken: Histogram
  private readonly prompt: Value
  private readonly completion: Value
  private readonly cacheRead: Value
  private readonly cacheWrite: Value
  private readonly reasoning: Value
  private readonly usageMissing: Value
  private readonly cost: Value
  private readonly cacheHit: Value
  private readonly cacheMiss: Value
  private readonly attempts: Map<TryResult, Value> = new Map()
  /** By status class and error class. */
  private readonly requests: (Value | null)[]
  private readonly calls: Map<string, (CallSeries | null)[]> = new Map()

  constructor(families: ModelFamilies, provider: string, model: string) {
    this.families = families
    this.provider = provider
    this.model = model
    this.duration = families.duration.of(provider, model)
    this.firstToken = families.firstToken.of(provider, model)
    this.prompt = families.tokens.of(provider, model, 'prompt')
    this.completion = families.tokens.of(provider, model, 'completion')
    this.cacheRead = families.tokens.of(provider, model, 'cache_read')
    this.cacheWrite = families.tokens.of(provider, model, 'cache_write')
    this.reasoning = families.tokens.of(provider, model, 'reasoning')
    this.usageMissing = families.usageMissing.of(provider, model)
    this.cost = families.cost.of(provider, model)
    this.cacheHit = families.promptCache.of(provider, model, 'hit')
    this.cacheMiss = families.promptCache.of(provider, model, 'miss')
    this.requests = new Array<Value | null>(STATUS_CLASSES.length * ERROR_CLASSES.length).fill(null)
  }

  settle(record: ExchangeRecord): void {
    if (record.errorKind === 'rate-limited') this.families.rateLimited.of(this.provider, this.model).add(1)
    const call = this.call(record.listener, statusClass(record.status))
    call.latency.observe(record.endedMs - record.startedMs)
    if (record.attempts === 0) return
    this.request(upstreamStatusClass(record.upstreamStatus), errorClass(record)).add(1)
    const startMs = record.upstreamStartedMs ?? record.startedMs
    this.duration.observe((record.endedMs - startMs) / SECOND_MS)
    if (record.streaming && record.firstContentMs !== null) {
      this.firstToken.observe((record.firstContentMs - startMs) / SECOND_MS)
      call.firstToken.observe(record.firstContentMs - record.startedMs)
    }
    this.settleUsage(record, call)
  }

  /** A try at this entry; `followed` when another one was made because of it. */
  attempt(result: TryResult, followed: boolean): void {
    let value = this.attempts.get(result)
    if (value === undefined) {
      value = this.families.attempts.of(this.provider, this.model, result)
      this.attempts.set(result, value)
    }
    value.add(1)
    if (followed) this.families.retries.of(this.provider, this.model, result).add(1)
  }

  private settleUsage(record: ExchangeRecord, call: CallSeries): void {
    const { usage } = record
    if (usage === null) {
      if (record.outcome === 'ok') this.usageMissing.add(1)
      return
    }
    if (record.usagePartial) this.families.usagePartial.of(this.provider, this.model).add(1)
    this.cost.add(record.costUsd ?? 0)
    this.prompt.add(usage.inputTokens)
    this.completion.add(usage.outputTokens)
    this.cacheRead.add(usage.cacheReadTokens)
    this.cacheWrite.add(usage.cacheWriteTokens)
    this.reasoning.add(usage.reasoningTokens ?? 0)
    const cached = usage.cacheReadTokens > 0 || usage.cacheWriteTokens > 0
    ;(cached ? this.cacheHit : this.cacheMiss).add(1)
    call.input.observe(usage.inputTokens)
    call.output.observe(usage.outputTokens)
    if (!record.streaming || record.firstContentMs === null || usage.outputTokens <= 1) return
    const perTokenMs = (record.endedMs - record.firstContentMs) / (usage.outputTokens - 1)
    call.perToken.observe(perTokenMs)
    if (perTokenMs > 0) call.perSecond.observe(SECOND_MS / perTokenMs)
  }

  private request(status: number, error: number): Value {
    const at = status * ERROR_CLASSES.length + error
    const labels = [this.provider, this.model, STATUS_CLASSES[status]!, ERROR_CLASSES[error]!]
    return (this.requests[at] ??= this.families.requests.of(...labels))
  }

  private call(listener: string, status: number): CallSeries {
    let byStatus = this.calls.get(listener)
    if (byStatus === undefined) {
      byStatus = new Array<CallSeries | null>(STATUS_CLASSES.length).fill(null)
      this.calls.set(listener, byStatus)
    }
    const labels = [this.provider, this.model, listener, STATUS_CLASSES[status]!]
    return (byStatus[status] ??= new CallSeries(this.families, labels))
  }
}

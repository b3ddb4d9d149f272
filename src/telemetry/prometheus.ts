// The Prometheus page: what was counted, as prom-client writes it. Loaded at the first scrape only, because the
// library costs more to load than the rest of the supervisor.

import type { MetricObjectWithValues, MetricValue, MetricValueWithName, Registry } from 'prom-client'
import type { MetricRow, MetricSpec, Snapshot } from './families.ts'
import { METRIC_BY_NAME } from './metrics.ts'

export interface MetricsPage {
  readonly contentType: string
  readonly text: string
}

type Rows = MetricObjectWithValues<MetricValue<string> | MetricValueWithName<string>>

/** Writes a snapshot; metrics whose name nobody declared are left out. */
export async function metricsPage(snapshot: Snapshot): Promise<MetricsPage> {
  const { Registry } = await import('prom-client')
  const registry: Registry = new Registry()
  for (const { name, rows } of snapshot) {
    const spec = METRIC_BY_NAME.get(name)
    if (spec === undefined || rows.length === 0) continue
    const values = rows.flatMap(row => valuesOf(spec, row))
    const metric = { name, help: spec.help, type: spec.type, aggregator: 'sum', values }
    // A registry asks its metrics for `get` and `name` only; a histogram of the library's own could not be filled
    // with buckets that were counted elsewhere.
    registry.registerMetric({ name, get: () => Promise.resolve(metric as unknown as Rows) } as never)
  }
  return { contentType: registry.contentType, text: await registry.metrics() }
}

interface TextValue {
  readonly metricName?: string
  readonly labels: Record<string, string | number>
  readonly value: number
}

function valuesOf(spec: MetricSpec, row: MetricRow): TextValue[] {
  const labels = Object.fromEntries(spec.labels.map((label, at) => [label, row.labels[at] ?? '']))
  if (spec.type !== 'histogram') return [{ labels, value: row.values[0] ?? 0 }]
  let count = 0
  const bounds: (number | string)[] = [...spec.buckets, '+Inf']
  const buckets = bounds.map((le, at) => {
    count += row.values[at] ?? 0
    return { metricName: `${spec.name}_bucket`, labels: { le, ...labels }, value: count }
  })
  return [
    ...buckets,
    { metricName: `${spec.name}_sum`, labels, value: row.values[bounds.length] ?? 0 },
    { metricName: `${spec.name}_count`, labels, value: count },
  ]
}

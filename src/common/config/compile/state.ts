// `state_storage` and `tracing`.

import type { Findings } from '../issues.ts'
import type { Path } from '../places.ts'
import type { StatePlan, TracingPlan } from '../plan-features.ts'
import type { ConfigDocument } from '../schema/document.ts'
import type { Env } from '../values.ts'
import { checkUrl } from './routing.ts'

const OTLP_ENDPOINT = 'http://localhost:4317'
const OTLP_PORT = 4_317

export function compileState({ state_storage: state }: ConfigDocument, findings: Findings): StatePlan | null {
  if (state === undefined) return null
  const connection = state.connection_string ?? null
  if (state.type === 'postgres') {
    const path: Path = ['state_storage']
    if (connection === null || connection.secret === '') {
      const message = 'state in postgres needs `connection_string`, like postgres://host:5432/name'
      findings.error({ code: 'E68', path, message, showFound: false })
    } else if (
      !/^postgres(?:ql)?:\/\/./.test(connection.secret) &&
      !/\b(?:host|dbname)=/.test(connection.secret)
    ) {
      const message = 'the connection string must start with postgres:// or be a list of key=value'
      findings.error({ code: 'E68', path: [...path, 'connection_string'], message, showFound: false })
    }
  }
  return { type: state.type, connectionString: connection }
}

export function compileTracing(
  { tracing }: ConfigDocument,
  env: Env,
  findings: Findings,
): TracingPlan | null {
  if (tracing === undefined) return null
  const written = tracing.opentracing_grpc_endpoint
  for (const [at, exporter] of (tracing.exporters ?? []).entries()) {
    checkUrl(exporter.url, ['tracing', 'exporters', at, 'url'], findings)
  }
  return {
    samplingPct: tracing.random_sampling,
    endpoint:
      written === undefined
        ? (env['OTEL_TRACING_GRPC_ENDPOINT'] ?? OTLP_ENDPOINT)
        : otlpOrigin(written, ['tracing', 'opentracing_grpc_endpoint'], findings),
    headerPrefixes: (tracing.span_attributes?.header_prefixes ?? []).map(prefix => prefix.toLowerCase()),
    staticAttributes: tracing.span_attributes?.static ?? {},
    exporters: (tracing.exporters ?? []).map(exporter => ({
      type: exporter.type,
      url: exporter.url,
      apiKey: exporter.api_key,
      distinctIdHeader: exporter.distinct_id_header?.toLowerCase() ?? null,
      captureMessages: exporter.capture_messages,
    })),
  }
}

function otlpOrigin(text: string, path: Path, findings: Findings): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || url.protocol !== 'http:' || url.hostname === '') {
    const message = 'the receiver of traces is an address with http:// (gRPC without TLS)'
    const suggestions = url?.protocol === 'https:' ? [`http://${url.host}`] : []
    findings.error({ code: 'E50', path, message, suggestions })
    return text
  }
  if (url.pathname !== '/' || url.search !== '') {
    const message = 'the receiver of traces has no path'
    findings.error({ code: 'E51', path, message, suggestions: [url.origin] })
  } else if (!/:\d+\/?$/.test(text)) {
    const message = 'the receiver of traces needs a port'
    findings.error({ code: 'E72', path, message, suggestions: [`${url.origin}:${OTLP_PORT}`] })
  }
  return url.origin
}

// Label values: closed sets only. Whatever a client or an upstream can choose ends in one of a few words.

import type { ExchangeRecord, TryResult } from './record.ts'

export const STATUS_CLASSES = ['other', '1xx', '2xx', '3xx', '4xx', '5xx', 'error'] as const

/** Index into STATUS_CLASSES of a client's status; 0 when there was no reply. */
export function statusClass(status: number): number {
  return status >= 100 && status < 600 ? Math.floor(status / 100) : 0
}

/** Index into STATUS_CLASSES of an upstream's status; `error` when it never answered. */
export function upstreamStatusClass(status: number | null): number {
  return status === null ? STATUS_CLASSES.length - 1 : statusClass(status)
}

export const ERROR_CLASSES = [
  'none',
  'timeout',
  'connect',
  'parse',
  'stream',
  'client_closed',
  'other',
] as const
export type ErrorClass = (typeof ERROR_CLASSES)[number]

/** Index into ERROR_CLASSES: how a model call failed, `none` when the upstream's own status says it all. */
export function errorClass(record: ExchangeRecord): number {
  return ERROR_CLASSES.indexOf(errorWord(record))
}

function errorWord(record: ExchangeRecord): ErrorClass {
  switch (record.outcome) {
    case 'ok':
      return 'none'
    case 'timeout':
      return 'timeout'
    case 'upstream-unreachable':
      return 'connect'
    case 'upstream-broke':
      return record.errorKind === 'upstream-protocol' ? 'parse' : 'stream'
    case 'upstream-error':
      return (record.upstreamStatus ?? 0) >= 300 ? 'none' : 'stream'
    case 'client-closed':
      return 'client_closed'
    default:
      return 'other'
  }
}

/** How the try ended that the client saw something of, or left. */
export function lastResult(record: ExchangeRecord): TryResult {
  switch (record.outcome) {
    case 'ok':
      return 'ok'
    case 'client-closed':
      return 'client_closed'
    case 'timeout':
      return 'timeout'
    case 'upstream-error':
      return 'upstream_error'
    case 'cut':
    case 'internal':
    case 'refused':
      return 'cut'
    default:
      return 'broken'
  }
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'])

export function methodLabel(method: string): string {
  return METHODS.has(method) ? method : 'OTHER'
}

/** Endpoints that are forwarded, by the first word of their path. */
const FORWARDED = /^\/v1\/(embeddings|completions|moderations|rerank|images|audio|files|batches)(?:\/|$)/

/** The reference's word for an endpoint pattern; several patterns are one handler there. */
export function handlerLabel(pattern: string): string {
  if (pattern === 'not_found') return 'not_found'
  if (pattern === '/healthz') return 'health'
  if (/^\/v1(?:beta)?\/models(?:\/\{model\})?$/.test(pattern)) return 'list_models'
  const forwarded = FORWARDED.exec(pattern)
  if (forwarded !== null) return forwarded[1]!
  return /count_?tokens$/i.test(pattern) ? 'count_tokens' : 'llm_chat'
}

// Errors of generateContent: `{"error":{code,message,status,details}}`, the same inside a stream.

import { listOf, membersOf, textOf, textOrNull } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { ErrorKind, ErrorReply } from '../errors.ts'
import {
  type ErrorBody,
  type ErrorForm,
  fieldOf,
  kindOfStatus,
  messageOf,
  statusFor,
  written,
} from './form.ts'
import { durationMs, hintFields, hintOfFields } from './retry-hints.ts'
import { wordTable } from '../word-table.ts'

const SHAPES: Readonly<Record<ErrorKind, readonly [code: number, status: string]>> = {
  invalid: [400, 'INVALID_ARGUMENT'],
  unsupported: [400, 'INVALID_ARGUMENT'],
  context_length: [400, 'INVALID_ARGUMENT'],
  too_large: [413, 'INVALID_ARGUMENT'],
  auth: [401, 'UNAUTHENTICATED'],
  permission: [403, 'PERMISSION_DENIED'],
  not_found: [404, 'NOT_FOUND'],
  conflict: [409, 'ABORTED'],
  rate_limit: [429, 'RESOURCE_EXHAUSTED'],
  quota: [429, 'RESOURCE_EXHAUSTED'],
  filter: [400, 'INVALID_ARGUMENT'],
  overloaded: [503, 'UNAVAILABLE'],
  timeout: [504, 'DEADLINE_EXCEEDED'],
  upstream: [502, 'INTERNAL'],
  incomplete_stream: [502, 'INTERNAL'],
  internal: [500, 'INTERNAL'],
  canceled: [499, 'CANCELLED'],
}

const STATUS_KINDS: Readonly<Record<string, ErrorKind>> = wordTable({
  INVALID_ARGUMENT: 'invalid',
  FAILED_PRECONDITION: 'invalid',
  OUT_OF_RANGE: 'invalid',
  UNAUTHENTICATED: 'auth',
  PERMISSION_DENIED: 'permission',
  NOT_FOUND: 'not_found',
  ABORTED: 'conflict',
  ALREADY_EXISTS: 'conflict',
  RESOURCE_EXHAUSTED: 'rate_limit',
  CANCELLED: 'canceled',
  INTERNAL: 'upstream',
  UNKNOWN: 'upstream',
  UNAVAILABLE: 'overloaded',
  DEADLINE_EXCEEDED: 'timeout',
})

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo'
const QUOTA_FAILURE = 'type.googleapis.com/google.rpc.QuotaFailure'
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest'

export const geminiForm: ErrorForm = { read, write }

interface Details {
  readonly retryMs: number | null
  readonly reason: string
  /** A bucket that a wait does not refill: per day, or with a limit of nothing. */
  readonly spent: boolean
}

function detailsOf(value: unknown): Details {
  let retryMs: number | null = null
  let reason = ''
  let spent = false
  for (const entry of listOf(value)) {
    const detail = membersOf(entry)
    if (detail === null) continue
    retryMs = durationMs(textOf(detail['retryDelay'])) ?? retryMs
    reason = textOf(detail['reason']) || reason
    for (const item of listOf(detail['violations'])) {
      const violation = membersOf(item)
      const limit = violation?.['quotaValue']
      spent ||= /per.?day/i.test(textOf(violation?.['quotaId'])) || limit === '0' || limit === 0
    }
  }
  return { retryMs, reason, spent }
}

/** The error object of a body or of a frame. `status` counts when it names no code of its own. */
export function readGeminiError(value: unknown, status: number): ErrorReply {
  const error = membersOf(value)
  const code = error?.['code']
  const word = textOrNull(error?.['status'])
  const message = textOf(error?.['message'])
  const details = detailsOf(error?.['details'])
  const named = typeof code === 'number' && code >= 400 && code <= 599 ? code : status
  return {
    kind: kindFor(STATUS_KINDS[word ?? ''] ?? (named === 429 ? 'rate_limit' : 'upstream'), message, details),
    status: named,
    message,
    param: null,
    code: word,
    retryAfterMs: details.retryMs,
    from: 'gemini-generate',
    requestId: null,
  }
}

function kindFor(kind: ErrorKind, message: string, details: Details): ErrorKind {
  if (kind === 'invalid' && (details.reason === 'API_KEY_INVALID' || /api key not valid/i.test(message)))
    return 'auth'
  if (kind === 'invalid' && /token count .*exceeds the maximum/i.test(message)) return 'context_length'
  if (kind === 'rate_limit' && (details.spent || /limit: 0\b/.test(message))) return 'quota'
  return kind
}

function read(status: number, headers: readonly string[], body: ErrorBody): ErrorReply {
  const error = membersOf(body.json?.['error'])
  const found = readGeminiError(error, status)
  const word = textOf(error?.['status'])
  return {
    ...found,
    kind: STATUS_KINDS[word] === undefined ? kindOfStatus(status, body) : found.kind,
    status,
    message: messageOf(body),
    retryAfterMs: hintOfFields(headers) ?? found.retryAfterMs,
    requestId: fieldOf(headers, 'x-request-id'),
  }
}

function write(error: ErrorReply): ReturnType<ErrorForm['write']> {
  const [usual] = SHAPES[error.kind]
  return written(statusFor(error, usual), hintFields(error.retryAfterMs), geminiErrorJson(error))
}

/** `{"error":{…}}`. The code is always a number from 400 to 599, because the official client ignores others. */
export function geminiErrorJson(error: ErrorReply): string {
  const [usual, status] = SHAPES[error.kind]
  const out = new JsonOut().object().key('error').object().member('code', statusFor(error, usual))
  out.member('message', error.message).member('status', status)
  writeDetails(out, error)
  return out.endObject().endObject().text
}

function writeDetails(out: JsonOut, error: ErrorReply): void {
  const wait = error.kind === 'quota' ? null : error.retryAfterMs
  if (wait === null && error.kind !== 'quota' && error.param === null) return
  out.key('details').array()
  if (error.kind === 'quota') {
    out.object().member('@type', QUOTA_FAILURE).key('violations').array().object()
    out.member('description', error.message).endObject().endArray().endObject()
  }
  if (wait !== null) {
    out
      .object()
      .member('@type', RETRY_INFO)
      .member('retryDelay', `${Math.ceil(wait / 1_000)}s`)
      .endObject()
  }
  if (error.param !== null) {
    out.object().member('@type', BAD_REQUEST).key('fieldViolations').array().object()
    out.member('field', error.param).member('description', error.message).endObject().endArray().endObject()
  }
  out.endArray()
}

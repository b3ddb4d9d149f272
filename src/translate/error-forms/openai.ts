// Errors of Chat Completions and Responses: one form, `{"error":{message,type,param,code}}`.

import { membersOf, textOrNull } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { DialectId } from '../dialect.ts'
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
import { hintOfFields, hintOfMessage, openaiHintFields } from './retry-hints.ts'
import { wordTable } from '../word-table.ts'

type OpenaiId = Extract<DialectId, 'openai-chat' | 'openai-responses'>

interface Shape {
  readonly status: number
  readonly type: string
  readonly code: string | null
}

function shape(status: number, type: string, code: string | null): Shape {
  return { status, type, code }
}

const SHAPES: Readonly<Record<ErrorKind, Shape>> = {
  invalid: shape(400, 'invalid_request_error', null),
  unsupported: shape(400, 'invalid_request_error', 'unsupported_parameter'),
  context_length: shape(400, 'invalid_request_error', 'context_length_exceeded'),
  too_large: shape(413, 'invalid_request_error', 'request_too_large'),
  auth: shape(401, 'invalid_request_error', 'invalid_api_key'),
  permission: shape(403, 'permission_error', null),
  not_found: shape(404, 'invalid_request_error', 'model_not_found'),
  conflict: shape(409, 'invalid_request_error', 'conflict'),
  rate_limit: shape(429, 'rate_limit_error', 'rate_limit_exceeded'),
  quota: shape(429, 'insufficient_quota', 'insufficient_quota'),
  filter: shape(400, 'invalid_request_error', 'content_policy_violation'),
  overloaded: shape(503, 'service_unavailable_error', 'server_is_overloaded'),
  timeout: shape(504, 'server_error', 'timeout'),
  upstream: shape(502, 'server_error', 'upstream_error'),
  incomplete_stream: shape(502, 'server_error', 'upstream_error'),
  internal: shape(500, 'server_error', null),
  canceled: shape(499, 'server_error', 'canceled'),
}

const CODE_KINDS: Readonly<Record<string, ErrorKind>> = wordTable({
  context_length_exceeded: 'context_length',
  string_above_max_length: 'context_length',
  unsupported_parameter: 'unsupported',
  unsupported_value: 'unsupported',
  invalid_api_key: 'auth',
  model_not_found: 'not_found',
  insufficient_quota: 'quota',
  billing_hard_limit_reached: 'quota',
  usage_not_included: 'quota',
  rate_limit_exceeded: 'rate_limit',
  slow_down: 'rate_limit',
  rate_limit_error: 'rate_limit',
  content_policy_violation: 'filter',
  content_filter: 'filter',
  request_too_large: 'too_large',
  server_is_overloaded: 'overloaded',
  overloaded: 'overloaded',
  service_unavailable_error: 'overloaded',
  timeout: 'timeout',
  server_error: 'upstream',
  upstream_error: 'upstream',
  invalid_prompt: 'invalid',
  invalid_request_error: 'invalid',
})

/** `invalid_request_error` stands for almost everything, so another word beside it counts for more. */
function kindOfWords(code: string | null, type: string | null): ErrorKind | undefined {
  const byCode = CODE_KINDS[code ?? '']
  return byCode === undefined || byCode === 'invalid' ? (CODE_KINDS[type ?? ''] ?? byCode) : byCode
}

/** An error object of this family, wherever it stood. Inside a reply it has no `status` of its own: null. */
export function openaiErrorOf(
  from: OpenaiId,
  status: number | null,
  message: string,
  type: string | null,
  code: string | null,
  param: string | null,
): ErrorReply {
  const byCode = kindOfWords(code, type)
  const tooLong = (status ?? 0) < 500 && /maximum context length|context window/i.test(message)
  const kind = tooLong ? 'context_length' : (byCode ?? 'upstream')
  return {
    kind,
    status: status ?? SHAPES[kind].status,
    message,
    param,
    code,
    retryAfterMs: hintOfMessage(message),
    from,
    requestId: null,
  }
}

/** The code a client of this family looks for. */
export function openaiCode(error: ErrorReply): string | null {
  const own = error.from === 'openai-chat' || error.from === 'openai-responses' || error.from === 'gateway'
  return own && error.code !== null ? error.code : SHAPES[error.kind].code
}

export function openaiForm(from: OpenaiId): ErrorForm {
  return {
    read: (status, headers, body) => read(from, status, headers, body),
    write: error => write(from, error),
  }
}

function read(from: OpenaiId, status: number, headers: readonly string[], body: ErrorBody): ErrorReply {
  const error = membersOf(body.json?.['error']) ?? body.json
  const type = textOrNull(error?.['type'])
  const code = textOrNull(error?.['code'])
  const message = messageOf(body)
  const byStatus = kindOfStatus(status, body)
  const found = openaiErrorOf(from, status, message, type, code, textOrNull(error?.['param']))
  return {
    ...found,
    kind: kindFor(status, byStatus, found.kind, kindOfWords(code, type)),
    retryAfterMs: hintOfFields(headers) ?? found.retryAfterMs,
    requestId: fieldOf(headers, 'x-request-id') ?? fieldOf(headers, 'apim-request-id'),
  }
}

/** A code refines what the status says; `invalid_request_error` is on almost everything and refines nothing. */
function kindFor(
  status: number,
  byStatus: ErrorKind,
  found: ErrorKind,
  byCode: ErrorKind | undefined,
): ErrorKind {
  if (found === 'context_length' && status < 500) return found
  if (byCode === undefined || byCode === 'invalid') return byStatus
  // `server_error` is on every status from 500 on, and says less than 503, 504 or 529 do.
  if (byCode === 'upstream') return byStatus
  if (byCode === 'rate_limit' && status !== 429) return byStatus
  return byCode
}

function write(from: OpenaiId, error: ErrorReply): ReturnType<ErrorForm['write']> {
  const { status, type } = SHAPES[error.kind]
  const headers = openaiHintFields(error.retryAfterMs)
  // A quota does not fill up while a client backs off.
  if (error.kind === 'quota') headers.push('x-should-retry', 'false')
  return written(statusFor(error, status), headers, openaiErrorJson(error, type, paramOf(from, error)))
}

function paramOf(from: OpenaiId, error: ErrorReply): string | null {
  if (error.param !== null || error.kind !== 'context_length') return error.param
  return from === 'openai-chat' ? 'messages' : 'input'
}

/** `"error":{…}`, the member that clients of this family look for in everything they read. */
export function openaiErrorMember(error: ErrorReply): string {
  return openaiErrorJson(error, SHAPES[error.kind].type, error.param).slice(1, -1)
}

function openaiErrorJson(error: ErrorReply, type: string, param: string | null): string {
  const out = new JsonOut().object().key('error').object().member('message', error.message)
  out.member('type', type).member('param', param).member('code', openaiCode(error))
  return out.endObject().endObject().text
}

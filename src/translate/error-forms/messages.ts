// Errors of Messages: `{"type":"error","error":{type,message},"request_id"}`.

import { membersOf, textOf, textOrNull } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { ErrorKind, ErrorReply } from '../errors.ts'
import {
  type ErrorBody,
  type ErrorForm,
  fieldOf,
  kindOfStatus,
  messageOf,
  messageWithParam,
  statusFor,
  written,
} from './form.ts'
import { exactHintFields, hintOfFields, hintOfMessage } from './retry-hints.ts'

const SHAPES: Readonly<Record<ErrorKind, readonly [status: number, type: string]>> = {
  invalid: [400, 'invalid_request_error'],
  unsupported: [400, 'invalid_request_error'],
  context_length: [400, 'invalid_request_error'],
  too_large: [413, 'request_too_large'],
  auth: [401, 'authentication_error'],
  permission: [403, 'permission_error'],
  not_found: [404, 'not_found_error'],
  conflict: [409, 'conflict_error'],
  rate_limit: [429, 'rate_limit_error'],
  quota: [402, 'billing_error'],
  filter: [400, 'invalid_request_error'],
  overloaded: [529, 'overloaded_error'],
  timeout: [504, 'timeout_error'],
  upstream: [500, 'api_error'],
  incomplete_stream: [500, 'api_error'],
  internal: [500, 'api_error'],
  canceled: [499, 'api_error'],
}

const TYPE_KINDS: Readonly<Record<string, ErrorKind>> = {
  authentication_error: 'auth',
  billing_error: 'quota',
  permission_error: 'permission',
  not_found_error: 'not_found',
  conflict_error: 'conflict',
  request_too_large: 'too_large',
  rate_limit_error: 'rate_limit',
  timeout_error: 'timeout',
  overloaded_error: 'overloaded',
  api_error: 'upstream',
}

const SPEND_LIMITS: ReadonlySet<string> = new Set([
  'enforced_spend_limit_reached',
  'contract_spend_limit_reached',
])

export const messagesForm: ErrorForm = { read, write }

function read(status: number, headers: readonly string[], body: ErrorBody): ErrorReply {
  const error = membersOf(body.json?.['error'])
  const type = textOrNull(error?.['type'])
  const message = messageOf(body)
  return {
    kind: kindFor(
      type,
      textOf(membersOf(error?.['details'])?.['error_code']),
      message,
      kindOfStatus(status, body),
    ),
    status,
    message,
    param: null,
    code: type,
    retryAfterMs: hintOfFields(headers) ?? hintOfMessage(message),
    from: 'anthropic-messages',
    requestId: textOrNull(body.json?.['request_id']) ?? fieldOf(headers, 'request-id'),
  }
}

function kindFor(type: string | null, detail: string, message: string, byStatus: ErrorKind): ErrorKind {
  if (SPEND_LIMITS.has(detail)) return 'quota'
  const kind = TYPE_KINDS[type ?? ''] ?? byStatus
  if (kind !== 'invalid') return kind
  if (/prompt is too long|exceeds? (?:the )?context (?:limit|window)/i.test(message)) return 'context_length'
  return /credit balance/i.test(message) ? 'quota' : kind
}

function write(error: ErrorReply): ReturnType<ErrorForm['write']> {
  const [status, type] = SHAPES[error.kind]
  const headers = exactHintFields(error.retryAfterMs)
  if (error.requestId !== null) headers.push('request-id', error.requestId)
  const out = new JsonOut().object().member('type', 'error').key('error').object().member('type', type)
  out.member('message', messageFor(error)).endObject().member('request_id', error.requestId).endObject()
  return written(statusFor(error, status), headers, out.text)
}

/** Agents recognise a full context by how the vendor's message starts. */
function messageFor(error: ErrorReply): string {
  const message = messageWithParam(error)
  const long = error.kind === 'context_length' && !/^prompt is too long/i.test(message)
  return long ? `prompt is too long: ${message}` : message
}

// Errors of Messages: `{"type":"error","error":{type,message},"request_id"}`.

import { type Members, membersOf, textOf, textOrNull } from '../bytes/json-look.ts'
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
import { wordTable } from '../word-table.ts'

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
  upstream: [502, 'api_error'],
  incomplete_stream: [502, 'api_error'],
  internal: [500, 'api_error'],
  canceled: [499, 'api_error'],
}

const TYPE_KINDS: Readonly<Record<string, readonly [kind: ErrorKind, status: number]>> = wordTable({
  invalid_request_error: ['invalid', 400],
  authentication_error: ['auth', 401],
  billing_error: ['quota', 402],
  permission_error: ['permission', 403],
  not_found_error: ['not_found', 404],
  conflict_error: ['conflict', 409],
  request_too_large: ['too_large', 413],
  rate_limit_error: ['rate_limit', 429],
  api_error: ['upstream', 500],
  timeout_error: ['timeout', 504],
  overloaded_error: ['overloaded', 529],
})

const SPEND_LIMITS: ReadonlySet<string> = new Set([
  'enforced_spend_limit_reached',
  'contract_spend_limit_reached',
])

export const messagesForm: ErrorForm = { read, write }

function read(status: number, headers: readonly string[], body: ErrorBody): ErrorReply {
  const error = membersOf(body.json?.['error'])
  const found = readMessagesError(error, messageOf(body), textOrNull(body.json?.['request_id']))
  const typed = TYPE_KINDS[found.code ?? ''] !== undefined || found.kind === 'quota'
  return {
    ...found,
    kind: typed ? found.kind : refined(kindOfStatus(status, body), found.message),
    status,
    retryAfterMs: hintOfFields(headers) ?? found.retryAfterMs,
    requestId: found.requestId ?? fieldOf(headers, 'request-id'),
  }
}

/** The error object of a body or of an event. */
export function readMessagesError(
  error: Members | null,
  message: string,
  requestId: string | null,
): ErrorReply {
  const type = textOrNull(error?.['type'])
  const [kind, status] = TYPE_KINDS[type ?? ''] ?? UNKNOWN
  const detail = textOf(membersOf(error?.['details'])?.['error_code'])
  return {
    kind: SPEND_LIMITS.has(detail) ? 'quota' : refined(kind, message),
    status,
    message,
    param: null,
    code: type,
    retryAfterMs: hintOfMessage(message),
    from: 'anthropic-messages',
    requestId,
  }
}

const UNKNOWN: readonly [kind: ErrorKind, status: number] = ['upstream', 502]

function refined(kind: ErrorKind, message: string): ErrorKind {
  if (kind !== 'invalid') return kind
  if (/prompt is too long|exceeds? (?:the )?context (?:limit|window)/i.test(message)) return 'context_length'
  return /credit balance/i.test(message) ? 'quota' : kind
}

/** Type and message of an error object. */
export function messagesWords(error: ErrorReply): { readonly type: string; readonly message: string } {
  return { type: SHAPES[error.kind][1], message: messageFor(error) }
}

function write(error: ErrorReply): ReturnType<ErrorForm['write']> {
  const [status] = SHAPES[error.kind]
  const { type, message } = messagesWords(error)
  const headers = exactHintFields(error.retryAfterMs)
  if (error.requestId !== null) headers.push('request-id', error.requestId)
  const out = new JsonOut().object().member('type', 'error').key('error').object().member('type', type)
  out.member('message', message).endObject().member('request_id', error.requestId).endObject()
  return written(statusFor(error, status), headers, out.text)
}

/** Agents recognise a full context by how the vendor's message starts. */
function messageFor(error: ErrorReply): string {
  const message = messageWithParam(error)
  const long = error.kind === 'context_length' && !/^prompt is too long/i.test(message)
  return long ? `prompt is too long: ${message}` : message
}

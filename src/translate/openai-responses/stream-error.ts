// Errors of Responses: in a body, in `response.failed`, and as an event of their own.

import { type Members, membersOf, textOf, textOrNull } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { ErrorKind, ErrorReply } from '../errors.ts'

/** What a code means, and the status a client of the neutral form gets. */
const CODES: ReadonlyMap<string, readonly [ErrorKind, number]> = new Map([
  ['invalid_prompt', ['invalid', 400]],
  ['invalid_value', ['invalid', 400]],
  ['unsupported_parameter', ['unsupported', 400]],
  ['unsupported_value', ['unsupported', 400]],
  ['context_length_exceeded', ['context_length', 400]],
  ['bio_policy', ['filter', 400]],
  ['misalignment_policy_violation', ['filter', 400]],
  ['content_policy_violation', ['filter', 400]],
  ['image_content_policy_violation', ['filter', 400]],
  ['model_not_found', ['not_found', 404]],
  ['rate_limit_exceeded', ['rate_limit', 429]],
  ['slow_down', ['rate_limit', 429]],
  ['insufficient_quota', ['quota', 429]],
  ['usage_not_included', ['quota', 429]],
  ['server_is_overloaded', ['overloaded', 503]],
  ['vector_store_timeout', ['timeout', 504]],
])

/** Codes about an image the caller gave: `invalid_image_url`, `image_too_large`, `empty_image_file`, ... */
const IMAGE = /image/

const WAIT = /try again in (\d+(?:\.\d+)?) ?(ms|s)\b/i

function meaningOf(code: string | null): readonly [ErrorKind, number] {
  const known = CODES.get(code ?? '')
  if (known !== undefined) return known
  return code !== null && IMAGE.test(code) ? ['invalid', 400] : ['upstream', 502]
}

/** `error` of a body or of a failed response; the error event itself, whose members some servers nest. */
export function readErrorMembers(error: Members): ErrorReply {
  const code = textOrNull(error['code'])
  const message = textOf(error['message'])
  const [kind, status] = meaningOf(code)
  return {
    kind,
    status,
    message,
    param: textOrNull(error['param']),
    code,
    retryAfterMs: waitOf(message),
    from: 'openai-responses',
    requestId: null,
  }
}

export function readErrorEvent(event: Members): ErrorReply {
  return readErrorMembers(membersOf(event['error']) ?? event)
}

/** Failed replies tell how long to wait in words only. */
function waitOf(message: string): number | null {
  const match = WAIT.exec(message)
  if (match === null) return null
  return Math.round(Number(match[1]) * (match[2]?.toLowerCase() === 'ms' ? 1 : 1000))
}

const CODE_OF_KIND: Partial<Record<ErrorKind, string>> = {
  invalid: 'invalid_prompt',
  unsupported: 'invalid_prompt',
  filter: 'invalid_prompt',
  context_length: 'context_length_exceeded',
  rate_limit: 'rate_limit_exceeded',
  quota: 'insufficient_quota',
  overloaded: 'server_is_overloaded',
}

/** The upstream's own code where it is of this vocabulary, else the one that clients act upon. */
function codeOf(error: ErrorReply): string {
  const own = error.from === 'openai-responses' || error.from === 'openai-chat'
  return (own ? error.code : null) ?? CODE_OF_KIND[error.kind] ?? 'server_error'
}

/** `error` of a failed response. */
export function failureJson(error: ErrorReply): string {
  return new JsonOut().object().member('code', codeOf(error)).member('message', error.message).endObject()
    .text
}

/** Members of the error event after its type and number. */
export function errorEventMembers(error: ErrorReply): string {
  const param = JSON.stringify(error.param)
  return `"code":${JSON.stringify(codeOf(error))},"message":${JSON.stringify(error.message)},"param":${param}`
}

const TYPE_OF_KIND: Partial<Record<ErrorKind, string>> = {
  invalid: 'invalid_request_error',
  unsupported: 'invalid_request_error',
  context_length: 'invalid_request_error',
  too_large: 'invalid_request_error',
  filter: 'invalid_request_error',
  not_found: 'invalid_request_error',
  auth: 'authentication_error',
  permission: 'permission_error',
  rate_limit: 'rate_limit_error',
  quota: 'insufficient_quota',
}

/** A whole body. */
export function errorJson(error: ErrorReply): string {
  const out = new JsonOut().object().key('error').object().member('message', error.message)
  out.member('type', TYPE_OF_KIND[error.kind] ?? 'server_error').member('param', error.param)
  return out.member('code', codeOf(error)).endObject().endObject().text
}

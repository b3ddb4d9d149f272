// An error inside a Messages stream or body: the same object in both places.

import { type Members, membersOf, textOf, textOrNull } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { ErrorKind, ErrorReply } from '../errors.ts'

const KINDS: Readonly<Record<string, readonly [ErrorKind, number]>> = {
  invalid_request_error: ['invalid', 400],
  authentication_error: ['auth', 401],
  billing_error: ['quota', 402],
  permission_error: ['permission', 403],
  not_found_error: ['not_found', 404],
  request_too_large: ['too_large', 413],
  rate_limit_error: ['rate_limit', 429],
  timeout_error: ['timeout', 504],
  overloaded_error: ['overloaded', 529],
}

export function readErrorEvent(event: Members): ErrorReply {
  const error = membersOf(event['error'])
  const [kind, status] = KINDS[textOf(error?.['type'])] ?? ['upstream', 502]
  return {
    kind,
    status,
    message: textOf(error?.['message']),
    param: null,
    code: textOrNull(error?.['type']),
    retryAfterMs: null,
    from: 'anthropic-messages',
    requestId: textOrNull(event['request_id']),
  }
}

export function errorJson(error: ErrorReply): string {
  const type = Object.entries(KINDS).find(([, [kind]]) => kind === error.kind)?.[0] ?? 'api_error'
  const out = new JsonOut().object().member('type', 'error').key('error').object()
  return out.member('type', type).member('message', error.message).endObject().endObject().text
}

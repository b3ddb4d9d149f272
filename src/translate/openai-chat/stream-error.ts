// An error inside a Chat stream or body: the same object in both places.

import type { Members } from '../bytes/json-look.ts'
import { textOf, textOrNull } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { ErrorReply } from '../errors.ts'

export function readErrorMember(error: Members): ErrorReply {
  const code = error['code']
  const status = typeof code === 'number' && code >= 400 && code < 600 ? code : 502
  return {
    kind: status === 429 ? 'rate_limit' : 'upstream',
    status,
    message: textOf(error['message']),
    param: textOrNull(error['param']),
    code: textOrNull(code),
    retryAfterMs: null,
    from: 'openai-chat',
    requestId: null,
  }
}

export function errorJson(error: ErrorReply): string {
  const out = new JsonOut().object().key('error').object().member('message', error.message)
  return out
    .member('type', 'server_error')
    .member('param', error.param)
    .member('code', error.code)
    .endObject()
    .endObject().text
}

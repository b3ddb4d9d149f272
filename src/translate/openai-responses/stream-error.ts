// Errors of Responses inside replies: in a body, in `response.failed`, and as an event of their own. What the words
// of this family mean is error-forms/openai.ts's.

import { type Members, membersOf, textOf, textOrNull } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import { openaiErrorMember, openaiErrorOf } from '../error-forms/openai.ts'
import type { ErrorKind, ErrorReply } from '../errors.ts'

/** Codes of this dialect alone, as words of the family that mean the same. */
const FAMILY_WORDS: ReadonlyMap<string, string> = new Map([
  ['invalid_value', 'invalid_prompt'],
  ['bio_policy', 'content_policy_violation'],
  ['misalignment_policy_violation', 'content_policy_violation'],
  ['image_content_policy_violation', 'content_policy_violation'],
  ['vector_store_timeout', 'timeout'],
])

/** Codes about an image the caller gave: `invalid_image_url`, `image_too_large`, `empty_image_file`, ... */
const IMAGE = /image/

/** `error` of a body or of a failed response; the error event itself, whose members some servers nest. */
export function readErrorMembers(error: Members): ErrorReply {
  const code = textOrNull(error['code'])
  const word = FAMILY_WORDS.get(code ?? '') ?? (code !== null && IMAGE.test(code) ? 'invalid_prompt' : code)
  const [message, type, param] = [
    textOf(error['message']),
    textOrNull(error['type']),
    textOrNull(error['param']),
  ]
  return { ...openaiErrorOf('openai-responses', null, message, type, word, param), code }
}

export function readErrorEvent(event: Members): ErrorReply {
  return readErrorMembers(membersOf(event['error']) ?? event)
}

/** What clients act upon in a failed response, where a code exists at all. */
const CODE_OF_KIND: Partial<Record<ErrorKind, string>> = {
  invalid: 'invalid_prompt',
  unsupported: 'invalid_prompt',
  filter: 'invalid_prompt',
  context_length: 'context_length_exceeded',
  rate_limit: 'rate_limit_exceeded',
  quota: 'insufficient_quota',
  overloaded: 'server_is_overloaded',
}

/** The upstream's own code where it is of this vocabulary. */
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

/** A whole body. */
export function errorJson(error: ErrorReply): string {
  return `{${openaiErrorMember(error)}}`
}

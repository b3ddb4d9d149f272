// An error inside a Chat stream or body: the same object in both places, and the same words as in an error reply.

import { type Members, textOf, textOrNull } from '../bytes/json-look.ts'
import { openaiErrorMember, openaiErrorOf } from '../error-forms/openai.ts'
import type { ErrorReply } from '../errors.ts'

export function readErrorMember(error: Members): ErrorReply {
  const code = error['code']
  const message = textOf(error['message'])
  const [type, param] = [textOrNull(error['type']), textOrNull(error['param'])]
  const read = openaiErrorOf('openai-chat', null, message, type, textOrNull(code), param)
  // Some hosts put a status where the code belongs, and say no more than that.
  if (typeof code !== 'number' || code < 400 || code > 599) return read
  return { ...read, status: code, kind: code === 429 && read.kind === 'upstream' ? 'rate_limit' : read.kind }
}

export function errorJson(error: ErrorReply): string {
  return `{${openaiErrorMember(error)}}`
}

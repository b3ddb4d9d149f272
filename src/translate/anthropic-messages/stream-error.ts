// An error inside a Messages stream or body: the same object in both places, and the same words as in an error reply.

import { type Members, membersOf, textOf, textOrNull } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import { messagesWords, readMessagesError } from '../error-forms/messages.ts'
import type { ErrorReply } from '../errors.ts'

export function readErrorEvent(event: Members): ErrorReply {
  const error = membersOf(event['error'])
  return readMessagesError(error, textOf(error?.['message']), textOrNull(event['request_id']))
}

export function errorJson(error: ErrorReply): string {
  const { type, message } = messagesWords(error)
  const out = new JsonOut().object().member('type', 'error').key('error').object()
  return out.member('type', type).member('message', message).endObject().endObject().text
}

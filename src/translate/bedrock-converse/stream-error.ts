// Errors inside replies of Converse: exception and error frames of a stream, and the body of a whole reply. Names of
// exceptions and what they mean are those of ../error-forms/converse.ts.

import { type Members, textOf } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import { converseForm, readException } from '../error-forms/converse.ts'
import { fieldOf } from '../error-forms/form.ts'
import type { ErrorKind, ErrorReply } from '../errors.ts'

/** What the model's own status says where the service only says that the model failed. */
const MODEL_STATUS_KINDS: Readonly<Record<number, ErrorKind>> = {
  408: 'timeout',
  429: 'rate_limit',
  503: 'overloaded',
  504: 'timeout',
  529: 'overloaded',
}

/** An exception inside a reply. */
export function readFailure(name: string, body: Members | null): ErrorReply {
  const message = textOf(body?.['message']) || textOf(body?.['Message']) || textOf(body?.['originalMessage'])
  const error = readException(name, message)
  const status = body?.['originalStatusCode']
  if (error.kind !== 'upstream' || typeof status !== 'number' || status < 400 || status > 599) return error
  return { ...error, kind: MODEL_STATUS_KINDS[status] ?? error.kind, status }
}

/** Body of a whole reply that failed; `__type` serves clients that did not get the header. */
export function errorJson(error: ErrorReply): string {
  const { headers } = converseForm.write(error)
  const out = new JsonOut().object().member('__type', fieldOf(headers, 'x-amzn-errortype'))
  return out.member('message', error.message).endObject().text
}

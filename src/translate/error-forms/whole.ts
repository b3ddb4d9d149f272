// Errors as whole replies, both ways, for every dialect.

import type { DialectId } from '../dialect.ts'
import type { ErrorReply } from '../errors.ts'
import { converseForm } from './converse.ts'
import { ErrorBody, type ErrorForm, type HeaderFields, type WrittenError } from './form.ts'
import { geminiForm } from './gemini.ts'
import { messagesForm } from './messages.ts'
import { openaiForm } from './openai.ts'

const FORMS: Readonly<Record<DialectId, ErrorForm>> = {
  'openai-chat': openaiForm('openai-chat'),
  'openai-responses': openaiForm('openai-responses'),
  'anthropic-messages': messagesForm,
  'bedrock-converse': converseForm,
  'gemini-generate': geminiForm,
}

/** What an upstream's error reply says. Never throws: what cannot be read is told by its status. */
export function readError(
  dialect: DialectId,
  status: number,
  headers: HeaderFields,
  body: Uint8Array,
): ErrorReply {
  return FORMS[dialect].read(status, headers, new ErrorBody(status, body))
}

/** The reply a client of `dialect` gets. */
export function writeError(dialect: DialectId, error: ErrorReply): WrittenError {
  return FORMS[dialect].write(error)
}

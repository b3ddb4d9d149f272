// Errors of Converse: an exception by name, `{"message"}` as its body, and exception frames inside streams.

import type { ByteOut } from '../bytes/byte-out.ts'
import { textOf } from '../bytes/json-look.ts'
import { JsonOut } from '../bytes/json-out.ts'
import type { ErrorKind, ErrorReply } from '../errors.ts'
import { writeFrame } from '../framing/event-stream.ts'
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
import { hintFields, hintOfFields, hintOfMessage } from './retry-hints.ts'
import { wordTable } from '../word-table.ts'

const SHAPES: Readonly<Record<ErrorKind, readonly [status: number, exception: string]>> = {
  invalid: [400, 'ValidationException'],
  unsupported: [400, 'ValidationException'],
  context_length: [400, 'ValidationException'],
  too_large: [413, 'ValidationException'],
  auth: [403, 'AccessDeniedException'],
  permission: [403, 'AccessDeniedException'],
  not_found: [404, 'ResourceNotFoundException'],
  conflict: [400, 'ConflictException'],
  rate_limit: [429, 'ThrottlingException'],
  quota: [400, 'ServiceQuotaExceededException'],
  filter: [400, 'ValidationException'],
  overloaded: [503, 'ServiceUnavailableException'],
  timeout: [408, 'ModelTimeoutException'],
  upstream: [424, 'ModelErrorException'],
  incomplete_stream: [424, 'ModelErrorException'],
  internal: [500, 'InternalServerException'],
  canceled: [400, 'ValidationException'],
}

/** The exceptions a stream may carry; the others are told as the service's own failure. */
const STREAM_EXCEPTIONS: Partial<Readonly<Record<ErrorKind, string>>> = {
  invalid: 'validationException',
  unsupported: 'validationException',
  context_length: 'validationException',
  filter: 'validationException',
  rate_limit: 'throttlingException',
  quota: 'throttlingException',
  overloaded: 'serviceUnavailableException',
  upstream: 'modelStreamErrorException',
  incomplete_stream: 'modelStreamErrorException',
  timeout: 'modelStreamErrorException',
}

const EXCEPTION_KINDS: Readonly<Record<string, readonly [kind: ErrorKind, status: number]>> = wordTable({
  validationexception: ['invalid', 400],
  accessdeniedexception: ['permission', 403],
  unrecognizedclientexception: ['auth', 403],
  invalidsignatureexception: ['auth', 403],
  expiredtokenexception: ['auth', 403],
  missingauthenticationtokenexception: ['auth', 403],
  resourcenotfoundexception: ['not_found', 404],
  conflictexception: ['conflict', 400],
  modeltimeoutexception: ['timeout', 408],
  modelerrorexception: ['upstream', 424],
  modelstreamerrorexception: ['upstream', 424],
  throttlingexception: ['rate_limit', 429],
  modelnotreadyexception: ['overloaded', 429],
  servicequotaexceededexception: ['quota', 400],
  internalserverexception: ['upstream', 500],
  serviceunavailableexception: ['overloaded', 503],
})

export const converseForm: ErrorForm = { read, write }

/** An exception by name, of a frame or of a reply. */
export function readException(name: string, message: string): ErrorReply {
  const [kind, status] = EXCEPTION_KINDS[name.toLowerCase()] ?? ['upstream', 502]
  return {
    kind: refined(kind, message),
    status,
    message,
    param: null,
    code: name,
    retryAfterMs: hintOfMessage(message),
    from: 'bedrock-converse',
    requestId: null,
  }
}

export function writeException(out: ByteOut, error: ErrorReply): void {
  const name = STREAM_EXCEPTIONS[error.kind] ?? 'internalServerException'
  writeFrame(out, 'exception', name, messageJson(error))
}

function read(status: number, headers: readonly string[], body: ErrorBody): ErrorReply {
  const named = fieldOf(headers, 'x-amzn-errortype') ?? textOf(body.json?.['__type'])
  // `namespace#Name:http://…` in every combination.
  const name = named.split(':')[0]!.split('#').at(-1)!
  const found = readException(name, messageOf(body))
  const known = EXCEPTION_KINDS[name.toLowerCase()] !== undefined
  return {
    ...found,
    kind: known ? found.kind : refined(kindOfStatus(status, body), found.message),
    status,
    code: name === '' ? null : name,
    retryAfterMs: hintOfFields(headers) ?? found.retryAfterMs,
    requestId: fieldOf(headers, 'x-amzn-requestid'),
  }
}

function refined(kind: ErrorKind, message: string): ErrorKind {
  if (kind === 'invalid' && /input is too long|too many input tokens|maximum context length/i.test(message)) {
    return 'context_length'
  }
  return kind === 'rate_limit' && /tokens per day/i.test(message) ? 'quota' : kind
}

function write(error: ErrorReply): ReturnType<ErrorForm['write']> {
  const [status, exception] = SHAPES[error.kind]
  const headers = ['x-amzn-errortype', exception, ...hintFields(error.retryAfterMs)]
  if (error.requestId !== null) headers.push('x-amzn-requestid', error.requestId)
  return written(statusFor(error, status), headers, messageJson(error))
}

function messageJson(error: ErrorReply): string {
  return new JsonOut().object().member('message', messageWithParam(error)).endObject().text
}

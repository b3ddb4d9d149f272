// What a dialect provides for errors as whole replies, and what the dialects share: the body of an error as far as
// it can be read, the kind a bare status means, and the words for what must not be shown as it came.

import { membersOf, type Members, parsed, textOf } from '../bytes/json-look.ts'
import type { ErrorKind, ErrorReply } from '../errors.ts'

/** `[name, value, …]`, names in lower case. */
export type HeaderFields = readonly string[]

export interface WrittenError {
  readonly status: number
  readonly headers: HeaderFields
  readonly body: Uint8Array
}

export interface ErrorForm {
  read(status: number, headers: HeaderFields, body: ErrorBody): ErrorReply
  write(error: ErrorReply): WrittenError
}

/** A text that is no JSON is shown this far. */
const TEXT_UNITS_MAX = 2 * 1024

const decoder = new TextDecoder()
const encoder = new TextEncoder()

export class ErrorBody {
  /** The body as an object, or its first element where it is an array (streams of Gemini), or null. */
  readonly json: Members | null
  /** The body as text; '' when it is JSON, a web page or empty. */
  readonly text: string
  /** Why there is nothing to read, in words for the caller; '' when there is. */
  readonly unread: string

  constructor(status: number, bytes: Uint8Array) {
    const text = decoder.decode(bytes).trim()
    const value = parsed(text)
    this.json = membersOf(Array.isArray(value) ? value[0] : value)
    const page = /^<[a-z!?]/i.test(text)
    this.text = this.json !== null || page || value !== undefined ? '' : shown(text)
    this.unread =
      this.json !== null || this.text !== ''
        ? ''
        : `the upstream answered ${status} with ${page ? 'a web page' : 'no readable body'} instead of an error`
  }
}

function shown(text: string): string {
  return text.slice(0, TEXT_UNITS_MAX).replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, ' ')
}

const STATUS_KINDS: Readonly<Record<number, ErrorKind>> = {
  401: 'auth',
  402: 'quota',
  403: 'permission',
  404: 'not_found',
  408: 'timeout',
  409: 'conflict',
  413: 'too_large',
  424: 'upstream',
  429: 'rate_limit',
  499: 'canceled',
  503: 'overloaded',
  504: 'timeout',
  529: 'overloaded',
}

/** Statuses that mean what they say even with a load balancer's page behind them. */
const PLAIN_STATUSES: ReadonlySet<number> = new Set([401, 408, 413, 429, 503, 504, 529])

/** What a status means by itself. */
export function kindOfStatus(status: number, body: ErrorBody): ErrorKind {
  const kind = STATUS_KINDS[status]
  if (body.unread !== '' && !PLAIN_STATUSES.has(status)) return 'upstream'
  return kind ?? (status >= 400 && status < 500 ? 'invalid' : 'upstream')
}

/** The message of an error body of any shape that is in use somewhere. */
export function messageOf(body: ErrorBody): string {
  const { json } = body
  if (json === null) return body.unread === '' ? body.text : body.unread
  const error = json['error']
  const found =
    textOf(membersOf(error)?.['message']) ||
    textOf(error) ||
    textOf(json['message']) ||
    textOf(json['Message']) ||
    detailOf(json['detail'])
  return found === '' ? 'the upstream gave no message' : found
}

/** `detail` of hosts that are built with FastAPI: a text, or a list of places and complaints. */
function detailOf(detail: unknown): string {
  if (typeof detail === 'string') return detail
  const first = membersOf(Array.isArray(detail) ? detail[0] : detail)
  if (first === null) return ''
  const place = Array.isArray(first['loc']) ? `${first['loc'].join('.')}: ` : ''
  return place + (textOf(first['msg']) || textOf(first['message']))
}

/** Statuses that say something about the message itself and that no kind of error stands for. */
const HTTP_STATUSES: ReadonlySet<number> = new Set([405, 408, 413, 415, 422, 431])

/** The status a client gets: the dialect's `usual` one for this kind, unless HTTP itself has a word for it. */
export function statusFor(error: ErrorReply, usual: number): number {
  const kept = error.from === 'gateway' || error.kind === 'invalid'
  return kept && HTTP_STATUSES.has(error.status) ? error.status : usual
}

export function written(status: number, headers: readonly string[], json: string): WrittenError {
  return { status, headers: ['content-type', 'application/json', ...headers], body: encoder.encode(json) }
}

/** Dialects without a member for it name the member at fault in the message, as their vendors do. */
export function messageWithParam(error: ErrorReply): string {
  const { param, message } = error
  return param === null || message.includes(param) ? message : `${param}: ${message}`
}

export function fieldOf(headers: HeaderFields, name: string): string | null {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] === name) return headers[at + 1]!
  }
  return null
}

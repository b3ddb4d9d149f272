// Is a header block sound? Pure functions, shared by both acceptors: what framing a request has, and whether
// two readers of the same bytes could disagree about it. When in doubt the answer is no; the caller refuses the
// request and closes the connection.

import { GatewayError } from '../common/errors.ts'
import type { HeaderList } from '../common/headers.ts'

/** What the fields of a sound header block say about the connection and the body. */
export class Framing {
  /** Announced length; null when chunked, 0 when there is no body. */
  contentLength: number | null = 0
  /** The client waits for `100 Continue` before it sends the body. */
  expectContinue = false
  /** The client asked to close, or did not ask to keep (HTTP/1.0). */
  close = false
}

/** Fifteen digits stay below 2^53, so a length is always an exact number. */
const LENGTH = /^[0-9]{1,15}$/
/** What nearly no value has; the few that do are looked at again. */
const ODD_VALUE = /[^\t\x20-\x7e]/
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/
/** A host with an optional port; not what could be read as a path, a list or credentials. */
const HOST = /^[A-Za-z0-9._~!$&'()*+;=:[\]%-]*$/
const TARGET = /^\/[\x21\x22\x24-\x7e]*$/
const METHOD = /^[A-Z][A-Z_-]{0,31}$/

/** The fault of a request line, or null. The target must be a path: this is no proxy. */
export function requestLineFault(method: string, target: string): GatewayError | null {
  if (!METHOD.test(method)) return malformed('the method is not a word of upper-case letters')
  if (TARGET.test(target)) return null
  return malformed('the request target must be a path of visible ASCII characters that starts with /')
}

/**
 * Reads the framing out of `headers` (names lower case, values trimmed). Returns the fault of the block, or null
 * with `framing` filled. `minor` is the minor version of HTTP/1.
 */
export function readFraming(headers: HeaderList, minor: 0 | 1, framing: Framing): GatewayError | null {
  let hosts = 0
  let lengths = 0
  let encodings = 0
  let keepAlive = minor === 1
  let close = false
  framing.contentLength = 0
  framing.expectContinue = false
  for (let at = 0; at < headers.length; at += 2) {
    const value = headers[at + 1]!
    if (ODD_VALUE.test(value) && CONTROL.test(value)) {
      return malformed('there is a control character in a field value')
    }
    switch (headers[at]) {
      case 'host':
        hosts += 1
        if (!HOST.test(value)) return malformed('Host is not a host name with an optional port')
        break
      case 'content-length':
        lengths += 1
        if (!LENGTH.test(value)) return malformed('Content-Length is not a number of at most 15 digits')
        framing.contentLength = Number(value)
        break
      case 'transfer-encoding':
        encodings += 1
        if (!isChunked(value)) return malformed('the only Transfer-Encoding understood is chunked')
        break
      case 'connection':
        if (value === 'keep-alive') keepAlive = true
        else if (hasToken(value, 'close')) close = true
        else if (hasToken(value, 'keep-alive')) keepAlive = true
        break
      case 'expect':
        framing.expectContinue = minor === 1 && value.toLowerCase() === '100-continue'
        break
      default:
    }
  }
  framing.close = close || !keepAlive
  if (hosts > 1) return malformed('there is more than one Host')
  if (hosts === 0 && minor === 1) return malformed('there is no Host')
  if (lengths > 1) return malformed('there is more than one Content-Length')
  if (encodings === 0) return null
  if (lengths > 0) return malformed('there is both a Content-Length and a Transfer-Encoding')
  if (encodings > 1) return malformed('there is more than one Transfer-Encoding')
  if (minor === 0) return malformed('HTTP/1.0 has no Transfer-Encoding')
  framing.contentLength = null
  return null
}

/** Exactly `chunked`, in any case of letters. */
function isChunked(value: string): boolean {
  return value === 'chunked' || (value.length === 7 && value.toLowerCase() === 'chunked')
}

function hasToken(list: string, token: string): boolean {
  if (list === token) return true
  return list
    .toLowerCase()
    .split(',')
    .some(part => part.trim() === token)
}

/** A refusal of something two readers could read differently. */
export function malformed(what: string): GatewayError {
  return new GatewayError('bad-request', `malformed request: ${what}`)
}

export function headersTooLarge(headerBytesMax: number): GatewayError {
  return new GatewayError(
    'headers-too-large',
    `the header block is longer than headerBytesMax (${headerBytesMax} bytes)`,
  )
}

export function tooManyFields(headerFieldsMax: number): GatewayError {
  return new GatewayError(
    'headers-too-large',
    `the header block has more than headerFieldsMax (${headerFieldsMax}) fields`,
  )
}

export function headersTooSlow(headersWaitMsMax: number): GatewayError {
  return new GatewayError(
    'request-timeout',
    `the header block was not complete within headersWaitMsMax (${headersWaitMsMax} ms)`,
  )
}

export function bodyTooSlow(bodyWaitMsMax: number): GatewayError {
  return new GatewayError(
    'request-timeout',
    `no piece of the request body arrived within bodyWaitMsMax (${bodyWaitMsMax} ms)`,
  )
}

export function bodyTooLarge(bodyBytesMax: number): GatewayError {
  return new GatewayError(
    'body-too-large',
    `the request body is longer than bodyBytesMax (${bodyBytesMax} bytes)`,
  )
}

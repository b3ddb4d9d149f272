// Writes the head of an HTTP/1.1 request, and checks that nothing in it can be read as something else. Shared by
// both clients: what one refuses, the other refuses.

import { assert } from '../common/assert.ts'
import { type HeaderList, HOP_BY_HOP } from '../common/headers.ts'
import type { BodySource, UpstreamRequest } from './upstream.ts'

/** Fields that the client writes itself or that no upstream should see. */
const OWN_FIELDS: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'content-length', 'expect'])

const METHOD = /^[A-Z]{1,16}$/
const PATH = /^\/[\x21-\x7e\x80-\xff]*$/
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const ODD_VALUE = /[^\t\x20-\x7e\x80-\xff]/
const FORBIDDEN_VALUE = /[\x00-\x08\x0a-\x1f\x7f]/

/** The last pair that passed: most requests of a thread go to one path. */
let knownMethod = ''
let knownPath = ''

function checkRequestLine(request: UpstreamRequest): void {
  if (request.path === knownPath && request.method === knownMethod) return
  assert(METHOD.test(request.method), 'a request method is an upper-case word')
  assert(PATH.test(request.path), 'a request path begins with / and holds no space or control character')
  knownMethod = request.method
  knownPath = request.path
}

/** A value as the one-byte characters that go on the wire. */
function wireValue(name: string, value: string): string {
  if (!ODD_VALUE.test(value)) return value
  assert(!FORBIDDEN_VALUE.test(value), `header field ${name} holds a control character`)
  // Beyond one byte per character: such text travels as its UTF-8 bytes, as it came.
  return Buffer.from(value, 'utf8').toString('latin1')
}

/** A name that may stand in front of a colon. */
function checkName(name: string): void {
  assert(NAME.test(name), 'a header field name is a lower-case token')
}

/** Names seen by this thread that passed the check: a handful per configuration, but clients may add to them. */
const knownNames = new Set<string>()
const KNOWN_NAMES_MAX = 1_000

/** Whom a head is written for. */
interface Addressee {
  /** `host: …\r\n` of the origin. */
  readonly hostField: string
  /** Before the path: nothing, or the origin for a proxy that reads the request. */
  readonly pathPrefix: string
  proxyFields(): string
}

/** Everything up to and including the blank line. A request line or field that cannot be written fails an assertion. */
export function requestHead(request: UpstreamRequest, target: Addressee): string {
  const { headers, method, body } = request
  checkRequestLine(request)
  let host = target.hostField
  let fields = target.proxyFields()
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!
    if (OWN_FIELDS.has(name)) continue
    const value = wireValue(name, headers[at + 1]!)
    if (name === 'host') {
      host = `host: ${value}\r\n`
      continue
    }
    if (!knownNames.has(name)) {
      checkName(name)
      if (knownNames.size < KNOWN_NAMES_MAX) knownNames.add(name)
    }
    fields += name + ': ' + value + '\r\n'
  }
  const bytes = body === null ? null : isStreamed(body) ? body.bytes : body.length
  if (bytes !== null) fields += 'content-length: ' + bytes + '\r\n'
  else if (body !== null) fields += 'transfer-encoding: chunked\r\n'
  else if (method !== 'GET' && method !== 'HEAD') fields += 'content-length: 0\r\n'
  return method + ' ' + target.pathPrefix + request.path + ' HTTP/1.1\r\n' + host + fields + '\r\n'
}

/** The body comes piece by piece. */
/** It may go out once more on another connection. */
export function isRepeatable({ body, once }: UpstreamRequest): boolean {
  return once !== true && !isStreamed(body)
}

export function isStreamed(body: UpstreamRequest['body']): body is BodySource {
  return body !== null && !(body instanceof Uint8Array)
}

/** The fields of a request as undici takes them: checked, own fields left out. */
export function wireFields(headers: HeaderList): string[] {
  const fields: string[] = []
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!
    if (OWN_FIELDS.has(name)) continue
    checkName(name)
    fields.push(name, wireValue(name, headers[at + 1]!))
  }
  return fields
}

// Status line and fields of a reply, as both acceptors need them. Owns which fields are the acceptor's own:
// whatever the engine puts into those is ignored, because framing that two parties write contradicts itself.

import { STATUS_CODES } from 'node:http'
import { assert } from '../common/assert.ts'
import { type HeaderList, HOP_BY_HOP } from '../common/headers.ts'

/** `date` is the moment of our reply, whatever reply stands behind it. */
const OWN_FIELDS: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'content-length', 'date'])

/** One byte per character on the wire; anything above would be cut down to bytes that may mean something else. */
const WIRE_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

const NAME = /^[a-z0-9!#$%&'*+\-.^_`|~]+$/

/** Names that may be written, and whether they are left out; upstreams send a few dozen different ones. */
const names = new Map<string, 'write' | 'leave out'>([...OWN_FIELDS].map(name => [name, 'leave out']))
const NAMES_MAX = 1_000

function isOwn(name: string): boolean {
  const known = names.get(name)
  if (known !== undefined) return known === 'leave out'
  assert(NAME.test(name), 'a reply field has a lower-case token as its name')
  if (names.size < NAMES_MAX) names.set(name, 'write')
  return false
}

/** `200 OK` and so on, made once per status. */
const statusLines = new Map<number, string>()

export function statusLine(status: number): string {
  const known = statusLines.get(status)
  if (known !== undefined) return known
  assert(Number.isInteger(status) && status >= 200 && status <= 599, 'a reply has a status from 200 to 599')
  const line = `${status} ${STATUS_CODES[status] ?? 'Unknown'}`
  statusLines.set(status, line)
  return line
}

/** Whether a reply of this status has no body, whatever the method. */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 304
}

/** Fields as text, each on a line of its own that begins with CR LF. A field that cannot be written is a bug. */
export function fieldLines(headers: HeaderList): string {
  let text = ''
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!
    if (!isOwn(name)) text += `\r\n${name}: ${checkedValue(name, headers[at + 1]!)}`
  }
  return text
}

/** The same as a list; `headers` itself is left alone. */
export function ownFieldsRemoved(headers: HeaderList): string[] {
  const out: string[] = []
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!
    if (!isOwn(name)) out.push(name, checkedValue(name, headers[at + 1]!))
  }
  return out
}

function checkedValue(name: string, value: string): string {
  assert(WIRE_VALUE.test(value), `the value of reply field ${name} cannot be written`)
  return value
}

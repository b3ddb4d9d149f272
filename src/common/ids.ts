// Names given to things: request ids and trace ids. Random, from the platform's generator, in batches.

import { randomFillSync } from 'node:crypto'

/** Enough for 256 ids per refill; the refill costs less than one call into the generator per id. */
const POOL_BYTES = 4096
const pool = Buffer.allocUnsafe(POOL_BYTES)
/** The pool in hexadecimal digits, made at once: a call per id would cost more than the id. */
let digits = ''
let used = 0

function randomHex(bytes: number): string {
  const count = 2 * bytes
  if (used + count > digits.length) {
    digits = randomFillSync(pool).toString('hex')
    used = 0
  }
  const hex = digits.slice(used, used + count)
  used += count
  return hex
}

/** A random UUID (version 4), lower case. */
export function newRequestId(): string {
  const hex = randomHex(16)
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) & 3]!
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
}

/** Printable, without blanks, short enough for a header and a log line. */
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/

/** The caller's id when it is fit to be repeated in headers and logs, else a new one. */
export function keepRequestId(given: string | null): string {
  return given !== null && REQUEST_ID.test(given) ? given : newRequestId()
}

const TRACE_PARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
const ZERO_TRACE = '0'.repeat(32)
const ZERO_SPAN = '0'.repeat(16)

/**
 * The `traceparent` for the next hop: same trace and flags, a span id of our own. Null when the given one is
 * absent or malformed (W3C Trace Context: then it must not be passed on).
 */
export function continueTrace(given: string | null): string | null {
  const match = given === null ? null : TRACE_PARENT.exec(given)
  if (match === null || match[1] === ZERO_TRACE || match[2] === ZERO_SPAN) return null
  return `00-${match[1]}-${randomHex(8)}-${match[3]}`
}

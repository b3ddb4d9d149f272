// Who may do more than look. Compares in constant time and tells nothing about the token, its length included.

import { createHash, timingSafeEqual } from 'node:crypto'

const BEARER = /^bearer +(\S+) *$/i

/** True when `authorization` carries the token. Without a token nobody may. */
export function admitted(authorization: string | undefined, token: string | null): boolean {
  const given = BEARER.exec(authorization ?? '')?.[1]
  if (token === null || given === undefined) return false
  // Digests have one length whatever was sent.
  return timingSafeEqual(digest(given), digest(token))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

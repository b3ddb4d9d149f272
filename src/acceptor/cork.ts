// Gathers what belongs together into one write of the native server. The trick: it takes a function to call, and
// one made per piece would cost more than the piece; these few find what to do in variables of this module. That
// is safe because the native side calls them before `cork` returns.

import type { NativeResponse } from './native.ts'

interface Putter {
  put(piece: Uint8Array): boolean
}

const NOBODY: Putter = { put: () => true }
const NOTHING = new Uint8Array(0)

let putter: Putter = NOBODY
let piece: Uint8Array = NOTHING
let accepted = true

const put = (): void => {
  accepted = putter.put(piece)
}

/** Calls `owner.put(bytes)` inside a cork and returns its answer. */
export function corkedPut(res: NativeResponse, owner: Putter, bytes: Uint8Array): boolean {
  putter = owner
  piece = bytes
  accepted = true
  res.cork(put)
  putter = NOBODY
  piece = NOTHING
  return accepted
}

let ending: NativeResponse | null = null
let head: string | Uint8Array | null = null
let body: Uint8Array | null = null

const end = (): void => {
  if (head !== null) ending!.writeStatus(head)
  if (body !== null) ending!.end(body)
  else ending!.end()
}

/** Sends a head, if there is one to send, and the last or only piece of a reply; the response is dead afterwards. */
export function corkedEnd(
  res: NativeResponse,
  headText: string | Uint8Array | null,
  bytes: Uint8Array | null,
): void {
  ending = res
  head = headText
  body = bytes
  res.cork(end)
  ending = null
  head = null
  body = null
}

/** Makes the native server try to send what it holds. */
export const corkedNothing = (): void => {}

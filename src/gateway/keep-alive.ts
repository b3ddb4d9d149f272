// Signs of life for clients whose stream of events has been silent for long: proxies and clients on the way give up
// connections on which nothing moves. Owns what is written; where it may stand the reply path knows, and when the
// exchange.
//
// Only between two events, only after the head has left (before it nothing is decided, and another try may follow),
// and only while the client takes what it is given. It is no content: no time-out towards the upstream and no count of
// bytes or tokens knows of it.

import type { DialectId } from '../translate/index.ts'

/** Load balancers close connections after 30 to 60 s of silence. */
export const KEEP_ALIVE_MS = 15_000

const encoder = new TextEncoder()
const COMMENT = encoder.encode(': keep-alive\n\n')

/**
 * Null: never. Converse's frames are binary. Earlier versions of the official Gemini clients wait for `data:` at the
 * start of what they have not read yet, and behind a comment for ever; others read every line as JSON.
 */
const SIGNS: Readonly<Record<DialectId, Uint8Array | null>> = {
  'openai-chat': COMMENT,
  'openai-responses': COMMENT,
  // Part of the dialect: clients are told to expect it anywhere.
  'anthropic-messages': encoder.encode('event: ping\ndata: {"type":"ping"}\n\n'),
  'bedrock-converse': null,
  'gemini-generate': null,
}

export function signOfLife(client: DialectId): Uint8Array | null {
  return SIGNS[client]
}

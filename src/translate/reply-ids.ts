// Ids of replies in the form each dialect's clients expect: the dialect's prefix before the upstream's own suffix,
// so that an id in a log is found again at the vendor.

import type { ReplyContext } from './reply-context.ts'

const PREFIXES = ['chatcmpl-', 'resp_', 'msg_', 'gen-']

/** `prefix` + the upstream's id without its own prefix; a derived one when the upstream has none. */
export function replyId(prefix: string, upstreamId: string, context: ReplyContext): string {
  if (upstreamId === '') return context.freshId(prefix, 'reply')
  const known = PREFIXES.find(candidate => upstreamId.startsWith(candidate))
  return prefix + (known === undefined ? upstreamId : upstreamId.slice(known.length))
}

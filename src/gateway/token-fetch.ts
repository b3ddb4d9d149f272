// Small questions to token endpoints, over the same sockets as calls to models, bounded in time and size. Owns nothing
// of what is asked.

import type { TokenFetch } from '../providers/index.ts'
import { askWhole, type QuestionBounds, type UpstreamClient } from '../upstream/index.ts'

/** A token is some kilobytes; a page of a lost proxy may be longer and says nothing. */
const REPLY_BYTES_MAX = 64 * 1024
/** A call waits for this; a token endpoint that needs longer is down. */
const WAIT_MS_MAX = 10_000

const BOUNDS: QuestionBounds = {
  waitMsMax: WAIT_MS_MAX,
  bytesMax: REPLY_BYTES_MAX,
  tooLong: `a token reply is longer than ${REPLY_BYTES_MAX} bytes`,
}

export function tokenFetch(upstream: UpstreamClient): TokenFetch {
  return request => askWhole(upstream, request, BOUNDS)
}

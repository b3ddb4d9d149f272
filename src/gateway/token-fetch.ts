// Small questions to token endpoints, over the same sockets as calls to models, bounded in time and size. Owns nothing
// of what is asked.

import { GatewayError } from '../common/errors.ts'
import type { HeaderList } from '../common/headers.ts'
import type { TokenFetch, TokenReply } from '../providers/index.ts'
import type { Deadlines, UpstreamCall, UpstreamClient, UpstreamHandler } from '../upstream/index.ts'

/** A token is some kilobytes; a page of a lost proxy may be longer and says nothing. */
const REPLY_BYTES_MAX = 64 * 1024
/** A call waits for this; a token endpoint that needs longer is down. */
const WAIT_MS_MAX = 10_000

const DEADLINES: Deadlines = {
  connectMs: WAIT_MS_MAX,
  headersMs: WAIT_MS_MAX,
  firstByteMs: WAIT_MS_MAX,
  betweenBytesMs: WAIT_MS_MAX,
  totalMs: WAIT_MS_MAX,
}

export function tokenFetch(upstream: UpstreamClient): TokenFetch {
  return ({ method, url, headers, body }) =>
    new Promise((resolve, reject) => {
      const { origin, pathname, search } = new URL(url)
      const asked = new Asked(resolve, reject)
      asked.call = upstream.send(
        {
          origin,
          method,
          path: pathname + search,
          headers: [...headers, 'accept-encoding', 'identity'],
          body: body === null ? null : Buffer.from(body),
          deadlines: DEADLINES,
        },
        asked,
      )
    })
}

class Asked implements UpstreamHandler {
  call: UpstreamCall | null = null
  private readonly resolve: (reply: TokenReply) => void
  private readonly reject: (error: GatewayError) => void
  private readonly pieces: Buffer[] = []
  private bytes = 0
  private status = 0
  private headers: HeaderList = []

  constructor(resolve: (reply: TokenReply) => void, reject: (error: GatewayError) => void) {
    this.resolve = resolve
    this.reject = reject
  }

  head(status: number, headers: HeaderList): void {
    this.status = status
    this.headers = headers
  }

  data(chunk: Uint8Array): void {
    this.bytes += chunk.length
    if (this.bytes > REPLY_BYTES_MAX) {
      this.call?.abort()
      this.fail(
        new GatewayError('upstream-protocol', `a token reply is longer than ${REPLY_BYTES_MAX} bytes`),
      )
    } else this.pieces.push(Buffer.from(chunk))
  }

  end(): void {
    const body = Buffer.concat(this.pieces).toString('utf8')
    this.resolve({ status: this.status, headers: this.headers, body })
  }

  fail(error: GatewayError): void {
    this.reject(error)
  }
}

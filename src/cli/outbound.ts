// Small questions of commands to the world, the way the gateway itself goes: its sockets, its proxies. Bounded in time and
// size, never repeated.

import { GatewayError } from '../common/errors.ts'
import type { HeaderList } from '../common/headers.ts'
import type { ProxiesPlan } from '../common/config/index.ts'
import { createUpstreamClient, type UpstreamHandler } from '../upstream/index.ts'

/** An answer to a small question; more is a page for somebody else. */
const REPLY_BYTES_MAX = 256 * 1024

export interface Question {
  readonly method: 'HEAD' | 'POST'
  readonly url: string
  readonly headers: HeaderList
  readonly body: string | null
  readonly waitMsMax: number
}

export interface Answer {
  readonly status: number
  readonly headers: HeaderList
  readonly text: string
}

/** Rejects with a {@link GatewayError} in words. */
export async function askOutside(
  proxies: ProxiesPlan | null,
  { method, url, headers, body, waitMsMax: waitMs }: Question,
): Promise<Answer> {
  const client = createUpstreamClient({ connectionsMax: 1, proxies })
  const { origin, pathname, search } = new URL(url)
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const collector = new Collector(resolve, reject)
      const call = client.send(
        {
          origin,
          method,
          path: pathname + search,
          headers: [...headers, 'accept-encoding', 'identity'],
          body: body === null ? null : Buffer.from(body),
          deadlines: {
            connectMs: waitMs,
            headersMs: waitMs,
            firstByteMs: waitMs,
            betweenBytesMs: waitMs,
            totalMs: waitMs,
          },
        },
        collector,
      )
      collector.giveUp = () => call.abort()
    })
  } finally {
    await client.close()
  }
}

class Collector implements UpstreamHandler {
  giveUp: () => void = () => {}
  private readonly resolve: (answer: Answer) => void
  private readonly reject: (error: GatewayError) => void
  private readonly pieces: Buffer[] = []
  private bytes = 0
  private status = 0
  private headers: HeaderList = []

  constructor(resolve: (answer: Answer) => void, reject: (error: GatewayError) => void) {
    this.resolve = resolve
    this.reject = reject
  }

  head(status: number, headers: HeaderList): void {
    this.status = status
    this.headers = headers
  }

  data(chunk: Uint8Array): void {
    this.bytes += chunk.length
    if (this.bytes <= REPLY_BYTES_MAX) this.pieces.push(Buffer.from(chunk))
    else {
      this.giveUp()
      this.reject(new GatewayError('upstream-protocol', 'the reply is too large'))
    }
  }

  end(): void {
    const { status, headers } = this
    this.resolve({ status, headers, text: Buffer.concat(this.pieces).toString('utf8') })
  }

  fail(error: GatewayError): void {
    this.reject(error)
  }
}

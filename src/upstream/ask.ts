// A small question whose whole answer is collected: to token endpoints and by commands, over the sockets of model calls.
// Bounded in time and size by who asks, never repeated.

import { GatewayError } from '../common/errors.ts'
import type { HeaderList } from '../common/headers.ts'
import type { UpstreamCall, UpstreamClient, UpstreamHandler } from './upstream.ts'

export interface Question {
  readonly method: string
  readonly url: string
  readonly headers: HeaderList
  readonly body: string | null
}

export interface QuestionBounds {
  /** For the whole, and so for each of its phases. */
  readonly waitMsMax: number
  readonly bytesMax: number
  /** What is wrong with an answer of more bytes. */
  readonly tooLong: string
}

export interface WholeAnswer {
  readonly status: number
  readonly headers: HeaderList
  readonly body: string
}

/** Rejects with a `GatewayError` in words. */
export function askWhole(
  client: UpstreamClient,
  { method, url, headers, body }: Question,
  bounds: QuestionBounds,
): Promise<WholeAnswer> {
  const { waitMsMax: waitMs } = bounds
  return new Promise((resolve, reject) => {
    const { origin, pathname, search } = new URL(url)
    const asked = new Asked(bounds, resolve, reject)
    asked.call = client.send(
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
      asked,
    )
  })
}

class Asked implements UpstreamHandler {
  call: UpstreamCall | null = null
  private readonly bounds: QuestionBounds
  private readonly resolve: (answer: WholeAnswer) => void
  private readonly reject: (error: GatewayError) => void
  private readonly pieces: Buffer[] = []
  private bytes = 0
  private status = 0
  private headers: HeaderList = []

  constructor(
    bounds: QuestionBounds,
    resolve: (answer: WholeAnswer) => void,
    reject: (error: GatewayError) => void,
  ) {
    this.bounds = bounds
    this.resolve = resolve
    this.reject = reject
  }

  head(status: number, headers: HeaderList): void {
    this.status = status
    this.headers = headers
  }

  data(chunk: Uint8Array): void {
    this.bytes += chunk.length
    if (this.bytes > this.bounds.bytesMax) {
      this.call?.abort()
      this.fail(new GatewayError('upstream-protocol', this.bounds.tooLong))
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

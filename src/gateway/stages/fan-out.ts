// Several calls that are one: for upstreams that take one text where the caller sent many. Owns how many run at once and
// the order of their replies, which are handed on as one JSON list. The first that fails ends all of them, and its
// failure is the failure of the whole.

import { GatewayError } from '../../common/errors.ts'
import { type HeaderList, headerValue } from '../../common/headers.ts'
import type { UpstreamCall, UpstreamClient, UpstreamHandler, UpstreamRequest } from '../../upstream/index.ts'

/** More at once would be throttled by the vendor before it would be faster. */
const CALLS_AT_ONCE_MAX = 8

/** Replies held until all are here. */
const REPLIES_BYTES_MAX = 192 * 1024 * 1024

/** Bedrock counts a call's tokens in this field, so that of the whole is the sum. */
const TOKENS_FIELD = 'x-amzn-bedrock-input-token-count'

const encoder = new TextEncoder()
const OPEN = encoder.encode('[')
const COMMA = encoder.encode(',')
const CLOSE = encoder.encode(']')

export class FanOut implements UpstreamCall {
  private readonly upstream: UpstreamClient
  private readonly requests: readonly UpstreamRequest[]
  private readonly handler: UpstreamHandler
  private readonly parts: Part[] = []
  private readonly running: Set<Part> = new Set()
  private bytes = 0
  private over = false

  constructor(upstream: UpstreamClient, requests: readonly UpstreamRequest[], handler: UpstreamHandler) {
    this.upstream = upstream
    this.requests = requests
    this.handler = handler
    this.fill()
  }

  /** The whole is handed on in one step, so there is nothing to hold back. */
  pause(): void {}

  resume(): void {}

  abort(): void {
    this.over = true
    for (const part of this.running) part.call?.abort()
    this.running.clear()
  }

  // ── for the parts ───────────────────────────────────────────────────────────────────────────────────────

  /** False when it is too much. */
  grow(bytes: number): boolean {
    this.bytes += bytes
    if (this.bytes <= REPLIES_BYTES_MAX) return true
    this.failed(
      new GatewayError('upstream-protocol', `the replies are longer than ${REPLIES_BYTES_MAX} bytes`),
    )
    return false
  }

  failed(error: GatewayError): void {
    if (this.over) return
    this.abort()
    this.handler.fail(error)
  }

  ended(part: Part): void {
    if (this.over) return
    this.running.delete(part)
    if (part.status < 200 || part.status > 299) {
      this.abort()
      this.handler.head(part.status, part.headers)
      for (const piece of part.pieces) this.handler.data(piece)
      this.handler.end()
      return
    }
    this.fill()
    if (this.running.size === 0) this.complete()
  }

  private fill(): void {
    while (this.running.size < CALLS_AT_ONCE_MAX && this.parts.length < this.requests.length) {
      const part = new Part(this)
      this.parts.push(part)
      this.running.add(part)
      part.call = this.upstream.send(this.requests[this.parts.length - 1]!, part)
    }
  }

  private complete(): void {
    this.over = true
    this.handler.head(200, joinedHeaders(this.parts))
    for (const [at, part] of this.parts.entries()) {
      this.handler.data(at === 0 ? OPEN : COMMA)
      for (const piece of part.pieces) this.handler.data(piece)
    }
    this.handler.data(CLOSE)
    this.handler.end()
  }
}

class Part implements UpstreamHandler {
  call: UpstreamCall | null = null
  status = 0
  headers: HeaderList = []
  readonly pieces: Uint8Array[] = []
  private readonly whole: FanOut

  constructor(whole: FanOut) {
    this.whole = whole
  }

  head(status: number, headers: HeaderList): void {
    this.status = status
    this.headers = headers
  }

  data(chunk: Uint8Array): void {
    if (this.whole.grow(chunk.length)) this.pieces.push(chunk.slice())
  }

  end(): void {
    this.whole.ended(this)
  }

  fail(error: GatewayError): void {
    this.whole.failed(error)
  }
}

/** Those of the first reply, without its length, and with the tokens of all. */
function joinedHeaders(parts: readonly Part[]): string[] {
  const out: string[] = []
  const { headers } = parts[0]!
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!
    if (name !== 'content-length' && name !== TOKENS_FIELD) out.push(name, headers[at + 1]!)
  }
  let tokens: number | null = 0
  for (const part of parts) {
    const counted = tokensToldBy(part.headers)
    tokens = tokens === null || counted === null ? null : tokens + counted
  }
  if (tokens !== null) out.push(TOKENS_FIELD, String(tokens))
  return out
}

/** Input tokens as a reply's header tells them, or null. */
export function tokensToldBy(headers: HeaderList): number | null {
  const value = headerValue(headers, TOKENS_FIELD)
  return value !== null && /^\d{1,12}$/.test(value) ? Number(value) : null
}

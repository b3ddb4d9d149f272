// An engine that does what a test says and remembers what the acceptor told it.

import { GatewayError } from '../../src/common/errors.ts'
import type { BodyMode, ClientRequest, Engine, ReplySink, RequestSink } from '../../src/gateway/index.ts'

export const BODY_BYTES_MAX = 1_000_000

/** One request as the engine saw it. */
export class Seen implements RequestSink {
  readonly request: ClientRequest
  readonly reply: ReplySink
  bodyMode: BodyMode = 'whole'
  bodyBytesMax = BODY_BYTES_MAX
  /** What happened, in order: `body`, `chunk`, `bodyEnd`, `failed <kind>`, `drained`, `gone`. */
  readonly events: string[] = []
  readonly pieces: Uint8Array[] = []
  error: GatewayError | null = null
  /** Called with the whole body, however it came. */
  onBody: (body: Buffer) => void = () => {}
  onDrained: () => void = () => {}
  onGone: () => void = () => {}
  /** What `chunk` returns. */
  wantsMore = true
  /** Answers a body that failed as the gateway does; a test may want silence. */
  answersFailures = true

  constructor(request: ClientRequest, reply: ReplySink) {
    this.request = request
    this.reply = reply
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces)
  }

  body(bytes: Uint8Array): void {
    this.events.push('body')
    this.pieces.push(bytes)
    this.onBody(this.bytes)
  }

  chunk(bytes: Uint8Array): boolean {
    this.events.push('chunk')
    this.pieces.push(bytes)
    return this.wantsMore
  }

  bodyEnd(): void {
    this.events.push('bodyEnd')
    this.onBody(this.bytes)
  }

  bodyFailed(error: GatewayError): void {
    this.events.push(`failed ${error.kind}`)
    this.error = error
    if (this.answersFailures)
      refusal(error, reply => this.reply.whole(reply.status, reply.headers, reply.body))
  }

  drained(): void {
    this.events.push('drained')
    this.onDrained()
  }

  gone(): void {
    this.events.push('gone')
    this.onGone()
  }
}

type Refusal = ReturnType<Engine['refuse']>

function refusal(error: GatewayError, use: (reply: Refusal) => void): Refusal {
  const body = Buffer.from(JSON.stringify({ error: { kind: error.kind, message: error.message } }))
  const reply = { status: error.status, headers: ['content-type', 'application/json'], body }
  use(reply)
  return reply
}

export class FakeEngine implements Engine {
  readonly seen: Seen[] = []
  readonly refused: { readonly target: string | null; readonly error: GatewayError }[] = []
  /** What is done with a request; by default its body is sent back. */
  handle: (seen: Seen) => void = echo

  open(request: ClientRequest, reply: ReplySink): RequestSink {
    const seen = new Seen(request, reply)
    this.seen.push(seen)
    this.handle(seen)
    return seen
  }

  refuse(target: string | null, error: GatewayError): Refusal {
    this.refused.push({ target, error })
    return refusal(error, () => {})
  }

  get last(): Seen {
    const last = this.seen.at(-1)
    if (last === undefined) throw new Error('the engine has seen no request')
    return last
  }
}

export function echo(seen: Seen): void {
  seen.onBody = body => seen.reply.whole(200, ['content-type', 'text/plain'], body)
}

/** Some error of the gateway's, for aborts. */
export function someError(): GatewayError {
  return new GatewayError('upstream-broke', 'the upstream closed the connection')
}

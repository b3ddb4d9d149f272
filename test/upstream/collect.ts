// Calls an upstream client and keeps what the handler is told, checking the order that the contract promises.

import type { GatewayError } from '../../src/common/errors.ts'
import { type HeaderList, headerValue } from '../../src/common/headers.ts'
import type {
  Deadlines,
  UpstreamCall,
  UpstreamClient,
  UpstreamHandler,
  UpstreamRequest,
} from '../../src/upstream/index.ts'

export const PATIENT: Deadlines = {
  connectMs: 10_000,
  headersMs: 10_000,
  firstByteMs: 10_000,
  betweenBytesMs: 10_000,
  totalMs: 20_000,
}

export class Collected implements UpstreamHandler {
  call: UpstreamCall | null = null
  status = 0
  headers: HeaderList = []
  pieces: Buffer[] = []
  bytes = 0
  error: GatewayError | null = null
  ended = false
  /** Breaches of the order of calls. */
  breaches: string[] = []
  /** Kept when bodies are large and only their size matters. */
  keepsBytes = true
  onHead: (() => void) | null = null
  onData: ((chunk: Uint8Array) => void) | null = null
  readonly over: Promise<void>
  private settle: () => void = () => {}

  constructor() {
    this.over = new Promise(resolve => {
      this.settle = resolve
    })
  }

  private note(what: string, allowed: boolean): void {
    if (this.call === null) this.breaches.push(`${what} before send returned`)
    if (this.ended || this.error !== null) this.breaches.push(`${what} after the end`)
    if (this.aborted) this.breaches.push(`${what} after abort`)
    if (!allowed) this.breaches.push(`${what} out of order`)
  }

  aborted = false

  abort(): void {
    this.aborted = true
    this.call!.abort()
    this.settle()
  }

  head(status: number, headers: HeaderList): void {
    this.note('head', this.status === 0)
    this.status = status
    this.headers = headers
    this.onHead?.()
  }

  data(chunk: Uint8Array): void {
    this.note('data', this.status !== 0)
    if (chunk.length === 0) this.breaches.push('an empty piece')
    this.bytes += chunk.length
    if (this.keepsBytes) this.pieces.push(Buffer.from(chunk))
    this.onData?.(chunk)
  }

  end(): void {
    this.note('end', this.status !== 0)
    this.ended = true
    this.settle()
  }

  fail(error: GatewayError): void {
    this.note('fail', true)
    this.error = error
    this.settle()
  }

  header(name: string): string | null {
    return headerValue(this.headers, name)
  }

  get text(): string {
    return Buffer.concat(this.pieces).toString()
  }

  /** One line that says it all: `200 ended`, `200 upstream-broke: …`. */
  get outcome(): string {
    if (this.breaches.length > 0) return `breach: ${this.breaches.join('; ')}`
    const how = this.error === null ? (this.ended ? 'ended' : 'open') : this.error.kind
    return this.status === 0 ? how : `${this.status} ${how}`
  }
}

export const CHAT = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello there' }] })
export const STREAM = JSON.stringify({
  model: 'm',
  stream: true,
  messages: [{ role: 'user', content: 'a b c d e f g h' }],
})

/** A chat request; `fake` asks the fake upstream to misbehave. */
export function chat(origin: string, fake = '', body: string | null = CHAT): UpstreamRequest {
  return {
    origin,
    method: 'POST',
    path: '/v1/chat/completions',
    headers: ['content-type', 'application/json', ...(fake === '' ? [] : ['x-fake', fake])],
    body: body === null ? null : Buffer.from(body),
    deadlines: PATIENT,
  }
}

export function send(
  client: UpstreamClient,
  request: UpstreamRequest,
  prepare: (collected: Collected) => void = () => {},
): Collected {
  const collected = new Collected()
  prepare(collected)
  collected.call = client.send(request, collected)
  return collected
}

/** Sends and waits for the end. */
export async function run(client: UpstreamClient, request: UpstreamRequest): Promise<Collected> {
  const collected = send(client, request)
  await collected.over
  return collected
}

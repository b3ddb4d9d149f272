// Laws of the way of a reply to the native server, held against a model of it: a socket that takes so much and no
// more, a buffer in which a write is gathered, and one where waits what the socket did not take. Of its traits the
// model keeps the awkward ones: a chunk that got stuck shows only when the next one is written, and a chunk that does
// not fit the gathering buffer is lost when the socket is full.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NativeResponse } from '../../src/acceptor/native.ts'
import { Sweep } from '../../src/acceptor/sweep.ts'
import { UwsExchange, type UwsHost } from '../../src/acceptor/uws-exchange.ts'
import { Seen } from './fake-engine.ts'

const seed = process.env['FAST_CHECK_SEED']
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) })

const GATHER_BYTES = 16 * 1024
const PENDING_BYTES_MAX = 50_000
/** A socket that was full tells of room only when there is a good deal of it, a third of its buffer on Linux. */
const TOLD_ROOM_BYTES = 40_000

class ModelResponse implements NativeResponse {
  /** What the client would have received. */
  sent = ''
  done = false
  /** What waited in memory when the reply was ended. */
  waitingAtEnd = 0
  private room: number
  private waiting = ''
  private gathered: string | null = null
  private began = false
  private sizedHead = false
  private offset = 0
  private handler: (() => boolean) | null = null
  /** The socket did not take everything at some time, so the system will tell when it takes more. */
  private polling = false

  constructor(room: number) {
    this.room = room
  }

  /** The client reads: the socket takes more, and says so if it was full. */
  read(bytes: number): void {
    this.room += bytes
    if (!this.polling || this.room < TOLD_ROOM_BYTES) return
    this.polling = false
    if (this.handler === null) this.drain()
    else this.handler()
  }

  private drain(): void {
    const part = this.waiting.slice(0, this.room)
    this.waiting = this.waiting.slice(part.length)
    this.room -= part.length
    this.sent += part
    if (this.waiting !== '') this.polling = true
  }

  /** True unless bytes wait afterwards. */
  private raw(text: string): boolean {
    if (this.waiting !== '') {
      this.drain()
      if (this.waiting !== '') {
        this.waiting += text
        return false
      }
    }
    if (this.gathered !== null) {
      if (this.gathered.length + text.length <= GATHER_BYTES) {
        this.gathered += text
        return true
      }
      const before = this.gathered
      this.gathered = null
      // The piece that did not fit is lost when what was gathered before it gets stuck.
      if (!this.flush(before)) return false
    }
    return this.flush(text)
  }

  private flush(text: string): boolean {
    this.waiting += text
    this.drain()
    return this.waiting === ''
  }

  cork(write: () => void): void {
    this.gathered = ''
    write()
    const text = this.gathered ?? ''
    this.gathered = null
    this.flush(text)
  }

  writeStatus(status: string | Uint8Array): void {
    this.raw(`HTTP/1.1 ${asText(status)}\r\n`)
  }

  writeHeader(name: string, value: string): void {
    this.raw(`${name}: ${value}\r\n`)
  }

  write(chunk: string | Uint8Array): boolean {
    if (!this.began) this.raw('Transfer-Encoding: chunked\r\n')
    this.began = true
    this.raw(`\r\n${chunk.length.toString(16)}\r\n`)
    return this.raw(asText(chunk))
  }

  end(body?: string | Uint8Array): void {
    this.waitingAtEnd = this.waiting.length
    if (this.began) this.raw('\r\n0\r\n\r\n')
    else this.raw(`Content-Length: ${body?.length ?? 0}\r\n\r\n${body === undefined ? '' : asText(body)}`)
    this.finish()
  }

  endWithoutBody(): void {
    this.raw('\r\n')
    this.finish()
  }

  tryEnd(piece: string | Uint8Array, totalBytes: number): readonly [boolean, boolean] {
    if (!this.sizedHead) this.raw(`Content-Length: ${totalBytes}\r\n\r\n`)
    this.sizedHead = true
    const text = asText(piece)
    if (this.waiting !== '') this.drain()
    if (this.waiting !== '') return [false, false]
    let taken = text.length
    if (this.gathered !== null && this.gathered.length + text.length <= GATHER_BYTES) this.gathered += text
    else {
      const stuck = this.gathered !== null && !this.flush(this.gathered)
      this.gathered = null
      taken = stuck ? 0 : Math.min(this.room, text.length)
      this.flush(text.slice(0, taken))
      if (taken < text.length) this.polling = true
    }
    this.offset += taken
    if (this.offset === totalBytes) this.finish()
    return [taken === text.length, this.done]
  }

  getWriteOffset(): number {
    return this.offset
  }

  private finish(): void {
    this.done = true
    this.handler = null
  }

  close(): void {
    this.finish()
  }

  pause(): void {}
  resume(): void {}

  onWritable(handler: () => boolean): void {
    this.handler = handler
  }

  onAborted(): void {}
  onData(): void {}

  getRemoteAddress(): ArrayBuffer {
    return new ArrayBuffer(4)
  }
}

function asText(bytes: string | Uint8Array): string {
  return typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1')
}

function host(): UwsHost {
  return {
    listener: 'main',
    sweep: new Sweep(1_000),
    bodyWaitMsMax: 1_000,
    replyPendingBytesMax: PENDING_BYTES_MAX,
    stallMsMax: 1_000,
    pieceBytes: 64 * 1024,
    draining: false,
    settled: () => {},
  }
}

/** The body of everything sent, by its own framing. */
function bodyOf(sent: string): string {
  const headEnd = sent.indexOf('\r\n\r\n')
  if (!/transfer-encoding: chunked/i.test(sent.slice(0, headEnd))) return sent.slice(headEnd + 4)
  let body = ''
  for (let at = headEnd + 4; ; ) {
    const lineEnd = sent.indexOf('\r\n', at)
    const size = Number.parseInt(sent.slice(at, lineEnd), 16)
    if (size === 0) return body
    body += sent.slice(lineEnd + 2, lineEnd + 2 + size)
    expect(sent.slice(lineEnd + 2 + size, lineEnd + 4 + size)).toBe('\r\n')
    at = lineEnd + 4 + size
  }
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ write: fc.integer({ min: 1, max: 40_000 }) }) },
  { weight: 2, arbitrary: fc.record({ read: fc.integer({ min: 1, max: 60_000 }) }) },
)

test('whatever is written and however the client reads, it gets exactly that, and the promises hold', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 0, max: 50_000 }),
      fc.boolean(),
      fc.boolean(),
      (steps, room, sized, readsOn) => {
        const response = new ModelResponse(room)
        const exchange = new UwsExchange(host(), response, 'GET', '/', [], 0, false)
        const seen = new Seen(exchange, exchange)
        exchange.begin({
          open: () => seen,
          refuse: () => ({ status: 400, headers: [], body: Buffer.alloc(0) }),
        })
        const pieces = steps.flatMap((each, index) =>
          'write' in each ? [Buffer.alloc(each.write, String.fromCharCode(97 + (index % 26)))] : [],
        )
        const whole = Buffer.concat(pieces).toString('latin1')
        exchange.head(200, ['x-a', '1'], sized ? whole.length : null)
        let waiting = false
        seen.onDrained = () => {
          expect(waiting, 'nobody is called who was not told to wait').toBe(true)
          waiting = false
        }
        for (const each of steps) {
          if ('read' in each) response.read(each.read)
          else if (!exchange.write(pieces.shift()!)) {
            expect(exchange.pendingBytes).toBeGreaterThan(PENDING_BYTES_MAX)
            waiting = true
          } else expect(exchange.pendingBytes).toBeLessThanOrEqual(PENDING_BYTES_MAX)
        }
        const wasSlow = exchange.pendingBytes > 0
        if (readsOn) {
          for (let reads = 0; reads < 100; reads += 1) response.read(10_000)
          expect(exchange.pendingBytes).toBe(0)
          expect(waiting, 'whoever was told to wait is called').toBe(false)
        }
        exchange.end()
        for (let reads = 0; reads < 1_000 && !response.done; reads += 1) response.read(10_000)
        expect(response.done).toBe(true)
        response.read(1_000_000)
        expect(bodyOf(response.sent)).toBe(whole)
        // Behind the end the native server's own clock runs: nothing but some bytes of framing may wait there.
        if (wasSlow && !sized) expect(response.waitingAtEnd).toBeLessThan(32)
      },
    ),
    { numRuns: 500 },
  )
})

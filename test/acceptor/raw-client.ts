// A client that says exactly the bytes it is given and keeps what comes back. It knows as much of HTTP as is needed
// to tell where one reply ends.

import net from 'node:net'
import tls from 'node:tls'

export interface RawReply {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
  /** False: the connection closed before the reply was complete by its own framing. */
  readonly complete: boolean
}

const WAIT_MS_MAX = 15_000
const LONG_BYTES = 200_000
const LONG_PAUSE_MS = 20

export class RawClient {
  readonly socket: net.Socket
  received: Buffer = Buffer.alloc(0)
  private chunks: Buffer[] = []
  closed = false
  /** Code of the socket's error: `ECONNRESET` for a connection that was reset. */
  error: string | null = null
  private wake: () => void = () => {}

  constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('data', chunk => {
      this.chunks.push(chunk)
      this.wake()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error.code ?? error.message))
    socket.on('close', () => {
      this.closed = true
      this.wake()
    })
  }

  static async connect(port: number, secure = false): Promise<RawClient> {
    const socket = secure
      ? tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
      : net.connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true } as net.NetConnectOpts)
    const client = new RawClient(socket)
    await new Promise<void>((done, failed) => {
      socket.once(secure ? 'secureConnect' : 'connect', done)
      socket.once('error', failed)
    })
    return client
  }

  send(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    return this
  }

  /** Everything received that no reply has been made of. */
  get text(): string {
    this.gather()
    return this.received.toString('latin1')
  }

  private gather(): void {
    if (this.chunks.length === 0) return
    this.received = Buffer.concat([this.received, ...this.chunks])
    this.chunks = []
  }

  /** Nothing more will come. */
  get over(): boolean {
    return this.closed || this.socket.readableEnded
  }

  /** The next final reply; interim ones are dropped. `head`: the request was a HEAD. */
  async reply(head = false): Promise<RawReply> {
    for (;;) {
      this.gather()
      const found = takeReply(this.received, head, this.over)
      if (found !== null) {
        this.received = this.received.subarray(found.length)
        if (found.reply.status < 200) continue
        return found.reply
      }
      if (this.over)
        throw new Error(`closed (${this.error ?? 'FIN'}) before a reply: ${this.text.slice(0, 200)}`)
      await this.moved('a reply')
      // A long reply is not looked at after each of its pieces.
      if (this.received.length > LONG_BYTES) await new Promise(done => setTimeout(done, LONG_PAUSE_MS))
    }
  }

  /** Until the other side has closed or reset the connection. */
  async ended(waitMs = WAIT_MS_MAX): Promise<void> {
    while (!this.over) await this.moved('the end', waitMs)
    this.socket.destroy()
  }

  /** The reply if one comes before the connection ends. */
  async replyOrEnd(waitMs = WAIT_MS_MAX): Promise<RawReply | null> {
    for (;;) {
      this.gather()
      const found = takeReply(this.received, false, this.over)
      if (found !== null) {
        this.received = this.received.subarray(found.length)
        if (found.reply.status >= 200) return found.reply
        continue
      }
      if (this.over) return null
      await this.moved('a reply or the end', waitMs)
    }
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) await this.moved(what)
  }

  destroy(): void {
    this.socket.destroy()
  }

  reset(): void {
    this.socket.resetAndDestroy()
  }

  private moved(what: string, waitMs = WAIT_MS_MAX): Promise<void> {
    return new Promise((done, failed) => {
      const timer = setTimeout(
        () => failed(new Error(`no sign of ${what}: ${this.text.slice(0, 200)}`)),
        waitMs,
      )
      const finish = (): void => {
        clearTimeout(timer)
        this.socket.off('end', finish)
        done()
      }
      this.wake = finish
      this.socket.once('end', finish)
    })
  }
}

interface Found {
  readonly reply: RawReply
  readonly length: number
}

/** The first reply in `bytes`, or null when it is not complete and may still become so. */
function takeReply(bytes: Buffer, head: boolean, ended: boolean): Found | null {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd === -1) return null
  const [line, ...fields] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const match = /^HTTP\/1\.1 (\d{3}) \S/.exec(line!)
  if (match === null) throw new Error(`not a status line: ${line}`)
  const status = Number(match[1])
  const headers = new Map<string, string>()
  for (const field of fields) {
    const colon = field.indexOf(': ')
    if (colon < 1) throw new Error(`not a header field: ${field}`)
    const name = field.slice(0, colon).toLowerCase()
    if (headers.has(name)) throw new Error(`the field ${name} is there twice`)
    headers.set(name, field.slice(colon + 2))
  }
  const from = headEnd + 4
  const whole = (body: Buffer, length: number, complete = true): Found => ({
    reply: { status, headers, body, complete },
    length,
  })
  if (head || status < 200 || status === 204 || status === 304) return whole(Buffer.alloc(0), from)
  const length = headers.get('content-length')
  if (length !== undefined) {
    const end = from + Number(length)
    if (bytes.length >= end) return whole(bytes.subarray(from, end), end)
    return ended ? whole(bytes.subarray(from), bytes.length, false) : null
  }
  if (headers.get('transfer-encoding') === 'chunked') return takeChunked(bytes, from, ended, whole)
  return ended ? whole(bytes.subarray(from), bytes.length) : null
}

function takeChunked(
  bytes: Buffer,
  from: number,
  ended: boolean,
  whole: (body: Buffer, length: number, complete?: boolean) => Found,
): Found | null {
  const pieces: Buffer[] = []
  let at = from
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) break
    const size = bytes.toString('latin1', at, lineEnd)
    if (!/^[0-9a-fA-F]+$/.test(size)) throw new Error(`not a chunk size: ${size}`)
    const length = Number.parseInt(size, 16)
    if (length === 0) {
      const end =
        bytes.toString('latin1', lineEnd, lineEnd + 4) === '\r\n\r\n'
          ? lineEnd
          : bytes.indexOf('\r\n\r\n', lineEnd + 2)
      if (end === -1 || bytes.length < end + 4) break
      return whole(Buffer.concat(pieces), end + 4)
    }
    const chunkEnd = lineEnd + 2 + length
    if (bytes.length < chunkEnd + 2) {
      if (ended) pieces.push(bytes.subarray(lineEnd + 2, chunkEnd))
      break
    }
    if (bytes.toString('latin1', chunkEnd, chunkEnd + 2) !== '\r\n')
      throw new Error('a chunk is not followed by CR LF')
    pieces.push(bytes.subarray(lineEnd + 2, chunkEnd))
    at = chunkEnd + 2
  }
  return ended ? whole(Buffer.concat(pieces), bytes.length, false) : null
}

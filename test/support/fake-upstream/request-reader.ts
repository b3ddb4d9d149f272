// Reads HTTP/1.1 requests from a socket's bytes for the fake upstream. It trusts its callers: tests and load
// generators write sound requests; anything else gets an Error and the connection is closed.

export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly headers: string[]
  readonly body: Uint8Array
}

const EMPTY = Buffer.alloc(0)

/** Larger than any body that a test sends. */
const BODY_BYTES_MAX = 256 * 1024 * 1024

export class RequestReader {
  private readonly deliver: (request: RawRequest) => void
  private pending: Buffer = EMPTY
  private head: { method: string; path: string; headers: string[]; length: number } | null = null
  private readonly parts: Buffer[] = []
  private partBytes = 0

  constructor(deliver: (request: RawRequest) => void) {
    this.deliver = deliver
  }

  push(chunk: Buffer): void {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk])
    while (this.step());
  }

  private step(): boolean {
    if (this.head === null) return this.readHead()
    return this.head.length === -1 ? this.readChunk() : this.readLength()
  }

  private readHead(): boolean {
    const first = this.pending[0]
    if (first !== undefined && (first < 0x41 || first > 0x5a)) throw new Error('that is no HTTP request')
    const end = this.pending.indexOf('\r\n\r\n')
    if (end === -1) return false
    const lines = this.pending.toString('latin1', 0, end).split('\r\n')
    const [method = '', path = '', version = ''] = lines[0]!.split(' ')
    if (version !== 'HTTP/1.1') throw new Error('the fake upstream reads HTTP/1.1 only')
    const headers: string[] = []
    let length = 0
    for (let at = 1; at < lines.length; at++) {
      const line = lines[at]!
      const colon = line.indexOf(':')
      const name = line.slice(0, colon).toLowerCase()
      const value = line.slice(colon + 1).trim()
      headers.push(name, value)
      if (name === 'content-length') length = Number(value)
      else if (name === 'transfer-encoding') length = -1
    }
    if (!(length <= BODY_BYTES_MAX)) throw new Error('request body too large for the fake upstream')
    this.pending = this.pending.subarray(end + 4)
    this.head = { method, path, headers, length }
    return true
  }

  private readLength(): boolean {
    const { length } = this.head!
    const missing = length - this.partBytes
    if (this.pending.length < missing) {
      // Large bodies arrive in many pieces: keep them in a list and join once.
      if (this.pending.length > 0) this.keep(this.pending)
      this.pending = EMPTY
      return false
    }
    this.keep(this.pending.subarray(0, missing))
    this.pending = this.pending.subarray(missing)
    this.finish()
    return this.pending.length > 0
  }

  private readChunk(): boolean {
    const lineEnd = this.pending.indexOf('\r\n')
    if (lineEnd === -1) return false
    const size = Number.parseInt(this.pending.toString('latin1', 0, lineEnd), 16)
    if (!(size >= 0)) throw new Error('bad chunk size in a request')
    const end = lineEnd + 2 + size + 2
    if (this.pending.length < end) return false
    this.keep(this.pending.subarray(lineEnd + 2, lineEnd + 2 + size))
    this.pending = this.pending.subarray(end)
    if (size === 0) this.finish()
    return this.pending.length > 0
  }

  private keep(part: Buffer): void {
    if (part.length === 0) return
    this.parts.push(part)
    this.partBytes += part.length
  }

  private finish(): void {
    const head = this.head!
    const body = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts)
    this.parts.length = 0
    this.partBytes = 0
    this.head = null
    this.deliver({ method: head.method, path: head.path, headers: head.headers, body })
  }
}

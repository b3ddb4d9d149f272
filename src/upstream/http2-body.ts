// A request body on its way into an HTTP/2 stream: whole or piece by piece, in pieces that leave one after the other, so
// that a large body still on its way is seen to move. Holds nothing beyond the piece that waits for the other side's
// window.

import type { ClientHttp2Stream } from 'node:http2'
import { assert } from '../common/assert.ts'
import type { Call } from './call.ts'
import { isStreamed } from './http1-request.ts'
import type { BodySink, BodySource } from './upstream.ts'

/** The window that a server opens by default. */
const PIECE_BYTES = 64 * 1024

export class StreamBody implements BodySink {
  private readonly stream: ClientHttp2Stream
  private readonly call: Call
  private readonly source: BodySource | null
  private leftBytes: number
  private ended = false

  constructor(body: Uint8Array | BodySource, stream: ClientHttp2Stream, call: Call) {
    this.stream = stream
    this.call = call
    if (isStreamed(body)) {
      this.source = body
      this.leftBytes = body.bytes ?? 0
      stream.on('drain', () => this.ask())
      setImmediate(() => this.ask())
    } else {
      this.source = null
      this.leftBytes = 0
      this.ended = true
      if (body.length <= PIECE_BYTES) stream.end(body)
      else this.writeFrom(body, 0)
    }
  }

  /** Everything given so far has left, and the source has no more yet: the silence is its own. */
  get starved(): boolean {
    return !this.ended && this.stream.writableLength === 0
  }

  write(piece: Uint8Array): boolean {
    if (this.over || piece.length === 0) return true
    this.call.touched = true
    if (this.source?.bytes !== null) {
      this.leftBytes -= piece.length
      assert(this.leftBytes >= 0, 'a body is not longer than its announced length')
    }
    return this.stream.write(piece)
  }

  end(): void {
    if (this.over) return
    assert(this.source?.bytes === null || this.leftBytes === 0, 'a body has its announced length')
    this.ended = true
    this.call.touched = true
    this.stream.end()
  }

  private ask(): void {
    if (!this.over) this.source?.ready(this)
  }

  private writeFrom(body: Uint8Array, from: number): void {
    const { call, stream } = this
    const to = from + PIECE_BYTES
    if (to >= body.length) {
      stream.end(body.subarray(from))
      return
    }
    stream.write(body.subarray(from, to), error => {
      if (error != null || call.phase === 'over' || stream.destroyed) return
      call.touched = true
      this.writeFrom(body, to)
    })
  }

  private get over(): boolean {
    return this.ended || this.call.phase === 'over' || this.stream.destroyed
  }
}
